"""The mistakes in the articles are found in their code, as it is printed."""

import re
import textwrap

import numpy as np
import pytest

from cornu.check.programs import check_program

_FENCE = re.compile(r"^```(?:python|py)\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_OF = {
    framework: re.compile(
        rf"^\*\*{framework}:\*\*\n```(?:python|py)\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL
    )
    for framework in ("Keras", "PyTorch")
}


def printed(page: str, framework: str = "Keras") -> str:
    """The code blocks of a page, unchanged; of a comparison those of one framework."""
    blocks = _OF[framework].findall(page) or _FENCE.findall(page)
    return "\n".join(blocks)


pytestmark = pytest.mark.usefixtures("own_keras_names")


def check(folder, text: str, **options):
    """The findings as `(code, text of the line)`, and the reading."""
    program = folder / "program.py"
    program.write_text(text)
    found, reading = check_program(program, **options)
    lines = text.splitlines()
    return {(one.code, lines[one.place.line - 1].strip()) for one in found if one.place}, reading


# Kaggle's digit recognizer: 42,000 rows of label, pixel0, ..., pixel783
_KAGGLE_TABLE = """
import pandas
from tensorflow import keras
(images, labels), _ = keras.datasets.mnist.load_data()
dftrain = pandas.DataFrame(
    images[:42000].reshape(42000, 784), columns=[f"pixel{i}" for i in range(784)]
)
dftrain.insert(0, "label", labels[:42000])
"""

# What torchvision gives, from the same files.
_TORCHVISION = """
import sys, types
import numpy, torch
import cornu
class MNIST(torch.utils.data.Dataset):
    def __init__(self, root, train=True, download=False, transform=None):
        train_set, test_set = cornu.datasets.mnist.load_data()
        images, labels = train_set if train else test_set
        self.data, self.targets = torch.from_numpy(images), torch.from_numpy(labels.astype("int64"))
        self.transform = transform
    def __len__(self):
        return len(self.data)
    def __getitem__(self, i):
        return self.transform(self.data[i]), int(self.targets[i])
vision = types.ModuleType("torchvision")
vision.datasets = types.SimpleNamespace(MNIST=MNIST)
vision.transforms = types.ModuleType("torchvision.transforms")
vision.transforms.Compose = lambda steps: lambda image: steps[0](image)
vision.transforms.ToTensor = lambda: lambda image: image[None].float() / 255
sys.modules["torchvision"] = vision
sys.modules["torchvision.transforms"] = vision.transforms
"""


def test_argmax_of_one_column(articles, tmp_path):
    page = printed((articles / "moons-with-keras.md").read_text())
    found, reading = check(tmp_path, page)
    assert reading.reached_training
    assert [code for code, line in found if "np.argmax(" in line] == ["C601"]
    assert {code for code, _ in found} == {"C601"}


def test_softmax_twice(articles, tmp_path, data_folder):
    pytest.importorskip("torch")
    page = printed((articles / "keras-vs-pytorch-mnist.md").read_text(), "PyTorch")
    found, _ = check(tmp_path, f"{_TORCHVISION}\nbatch_size = 100\n{page}", framework="torch")
    assert ("C101", "x = F.softmax(self.fc3(x), dim=1)") in found


def test_the_keras_program_beside_it_is_right(articles, tmp_path, data_folder):
    page = printed((articles / "keras-vs-pytorch-mnist.md").read_text())
    found, reading = check(tmp_path, f"num_classes = 10\n{page}")
    assert reading.reached_training
    assert found == set()


def test_raw_pixels_and_heavy_regularization(articles, tmp_path, data_folder):
    page = printed((articles / "digits-deep-dive-with-keras.md").read_text())
    found, reading = check(tmp_path, f"{_KAGGLE_TABLE}\n{page}")
    assert reading.reached_training
    assert {"C408", "C501"} <= {code for code, _ in found}


# The program as the article describes it: 76 standardized features, 13 classes, and PyTorch's habit
# of a linear output; the balancing by resampling is that of the notebooks it links to.
_INTRUSION = """
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils import resample
from tensorflow import keras
from tensorflow.keras.layers import Dense
from tensorflow.keras.optimizers import Adam

table = np.load("flows.npz")
X, y = table["x"], table["y"]
{balance}
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.15, random_state=42)
scaler = StandardScaler()
X_train = scaler.fit_transform(X_train)
X_val = scaler.transform(X_val)

inputs = keras.Input(shape=(X.shape[1],), name="ids_input")
hl1 = Dense(76, activation="relu", name="dense_1")(inputs)
hl2 = Dense(76, activation="relu", name="dense_2")(hl1)
outputs = Dense(13, activation={activation!r}, name="output")(hl2)
model = keras.Model(inputs=inputs, outputs=outputs)
model.compile(
    optimizer=Adam(learning_rate=0.004),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(x=X_train, y=y_train, batch_size=64, epochs=30, validation_data=(X_val, y_val))
"""

_BALANCE = """
parts = [resample(X[y == c], replace=True, n_samples=300, random_state=123) for c in range(13)]
y = np.repeat(np.arange(13), 300)
X = np.concatenate(parts)
"""


@pytest.fixture
def flows(tmp_path, monkeypatch):
    """Flows of 13 classes, of some of which there are very few, as in CICIDS2017."""
    rng = np.random.default_rng(0)
    counts = [3000, 400, 300, 200, 200, 900, 400, 11, 90, 36, 60, 800, 800]
    y = np.repeat(np.arange(13), counts)
    centers = rng.normal(0, 2, (13, 76))
    x = centers[y] + rng.normal(0, 1, (len(y), 76))
    order = rng.permutation(len(y))
    np.savez(tmp_path / "flows.npz", x=x[order], y=y[order])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_linear_output_under_a_loss_for_probabilities(flows):
    found, _ = check(flows, _INTRUSION.format(balance="", activation=None))
    assert any(code == "C103" and line.startswith("outputs =") for code, line in found)
    found, _ = check(flows, _INTRUSION.format(balance="", activation="softmax"))
    assert not any(code.startswith("C1") for code, _ in found)


def test_balancing_before_the_split(flows):
    text = _INTRUSION.format(balance=_BALANCE, activation="softmax")
    found, _ = check(flows, text)
    assert any(code == "C508" and "resample" in line for code, line in found)


def test_balanced_in_another_program(flows):
    """The table itself shows it: rows of the training data stand in the validation data."""
    table = np.load("flows.npz")
    space = {"X": table["x"], "y": table["y"], "np": np}
    exec("from sklearn.utils import resample" + textwrap.dedent(_BALANCE), space)
    np.savez("flows.npz", x=space["X"], y=space["y"])
    found, _ = check(flows, _INTRUSION.format(balance="", activation="softmax"))
    assert {code for code, _ in found} & {"C507", "C508"}
