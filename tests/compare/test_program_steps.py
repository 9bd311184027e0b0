"""The steps of programs: of those that Cornu writes, and of those that people write."""

import itertools
import textwrap
from pathlib import Path

import pytest

import cornu
from cornu import layers as L
from cornu.compare.program_steps import STEPS, code_lines, sections_of
from cornu.compare.sklearn_program import sklearn_source
from cornu.port.convert import torch_form_of
from cornu.port.keras.read_model import read_model
from cornu.port.keras.write_keras import keras_source
from cornu.port.numpy.write import numpy_source
from cornu.port.torch.write import torch_source

HERE = Path(__file__).parent
PEOPLES = sorted((HERE.parent / "check" / "corpus").rglob("*.py"))


def mlp():
    model = cornu.Sequential(
        [L.Input((4,)), L.Dense(5, activation="relu"), L.Dense(3, activation="softmax")],
        name="small",
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return read_model(model)


def cnn():
    """With everything that makes a program long: helpers, penalties, schedules, constants."""
    schedule = cornu.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
    model = cornu.Sequential(
        [
            L.Input((8, 8, 1)),
            L.Rescaling(1 / 255),
            L.Conv2D(4, 3, padding="same", activation="relu"),
            L.BatchNormalization(),
            L.MaxPooling2D(2),
            L.Flatten(),
            L.Dropout(0.3),
            L.Dense(3, activation="softmax", kernel_regularizer="l2"),
        ],
        name="images",
    )
    model.compile(
        cornu.optimizers.Adam(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return read_model(model)


def written(framework, network):
    if framework == "torch":
        return torch_source(torch_form_of(network), "weights.pt")
    if framework == "numpy":
        return numpy_source(network)
    return keras_source(network, framework)


def steps(source):
    """The step of each line that is at the beginning of a statement of interest, by its text."""
    lines = source.splitlines()
    found = {}
    for section in sections_of(source):
        for number in range(section["first"], section["last"] + 1):
            found.setdefault(lines[number - 1].strip(), section["step"])
    return found


def step_of(source, beginning):
    found = {step for line, step in steps(source).items() if line.startswith(beginning)}
    assert len(found) == 1, (beginning, found)
    return found.pop()


def hold(source):
    """Every line is in one section, in order; neighbours differ."""
    sections = sections_of(source)
    place = 0
    for section in sections:
        assert section["step"] in STEPS
        assert section["first"] == place + 1
        assert section["last"] >= section["first"]
        place = section["last"]
    assert place == len(source.splitlines())
    for one, other in itertools.pairwise(sections):
        assert one["step"] != other["step"]
    return sections


# Steps by what lines of a program begin with.
EXPECTED = {
    "torch": {
        "self.": "define",
        "def forward": "define",
        "loss_function = ": "compile",
        "def make_optimizer": "compile",
        "class KerasAdam": "compile",
        "def accuracy": "evaluate",
        "def train": "train",
        "loss.backward()": "train",
        "def compute": "evaluate",
        "@torch.no_grad": "evaluate",
        "def predict": "evaluate",
        "model.load_state_dict": "define",
        'x = torch.from_numpy(data["x"])': "load",
        "train(model, x, y, args": "train",
        "torch.save": "other",
        "loss, right = evaluate": "evaluate",
    },
    "numpy": {
        "class Dense": "define",
        "class Network": "define",
        "def loss": "compile",
        "class Adam": "compile",
        "def gradients_of_loss": "train",
        "def train": "train",
        "def accuracy": "evaluate",
        "def predict": "evaluate",
        "def load": "define",
        "network, data = load(), np.load": "load",
        "np.savez": "other",
    },
    "keras": {
        "def build": "define",
        "model = ": "define",
        "model.compile(": "compile",
        "optimizer=": "compile",
        "def load": "define",
        "data = np.load": "load",
        "model.fit": "train",
        "print(model.evaluate": "evaluate",
    },
}
# and those of longer programs alone
OF_CNN = {
    "torch": {
        "def penalty": "compile",
        "def make_scheduler": "compile",
        "def learning_rate": "compile",
    },
    "numpy": {
        "def windows_of": "define",
        "def unpad": "define",
        "class Dropout": "define",
        "rng =": "define",
        "L2 = ": "compile",
        "# factors": "compile",
        "def penalty": "compile",
        "def learning_rate": "compile",
        "def softmax": "evaluate",
    },
}


@pytest.mark.parametrize("framework", ["torch", "numpy", "keras", "cornu"])
@pytest.mark.parametrize("network", [mlp, cnn])
def test_programs_that_are_written(framework, network):
    source = written(framework, network())
    sections = hold(source)
    assert sections[0]["step"] == "load"
    assert {"load", "define", "compile", "train", "evaluate", "other"} == {
        section["step"] for section in sections
    }
    assert step_of(source, "import numpy") == "load"
    assert step_of(source, "parser") == "other"
    expected = dict(EXPECTED.get(framework, EXPECTED["keras"]))
    if network is cnn:
        expected.update(OF_CNN.get(framework, {}))
    for beginning, step in expected.items():
        assert step_of(source, beginning) == step, beginning


def test_scikit_learns_program():
    source = sklearn_source(mlp())[0]
    hold(source)
    for beginning, step in {
        "hidden_layer_sizes": "define",
        "solver": "compile",
        "random_state": "compile",
        "def targets": "load",
        "def train": "train",
        "def accuracy": "evaluate",
        "def evaluate": "evaluate",
        "model = build(": "define",
    }.items():
        assert step_of(source, beginning) == step


def listed(source):
    """Steps with the first line of each, without its comment."""
    lines = source.splitlines()
    return [(one["step"], lines[one["first"] - 1].strip()) for one in hold(source)]


def test_a_tutorial_with_keras():
    source = textwrap.dedent("""\
        import numpy as np
        import tensorflow as tf
        from tensorflow import keras

        tf.random.set_seed(0)

        (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
        # to 0 to 1
        x_train = x_train.astype("float32") / 255
        y_train = keras.utils.to_categorical(y_train, 10)

        units = 20
        model = keras.models.Sequential()
        model.add(keras.layers.Flatten(input_shape=(28, 28)))
        model.add(keras.layers.Dense(units))
        model.summary()

        # how it learns
        sgd = keras.optimizers.SGD(0.1)
        model.compile(
            loss="categorical_crossentropy",
            optimizer=sgd,
        )
        batch_size = 100
        model.fit(x_train, y_train, batch_size=batch_size)
        score = model.evaluate(x_test, y_test)
        print("Test loss:", score[0])
        """)
    assert listed(source) == [
        ("load", "import numpy as np"),
        ("other", "tf.random.set_seed(0)"),
        ("load", "(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()"),
        ("define", "units = 20"),
        ("compile", "# how it learns"),
        ("train", "batch_size = 100"),
        ("evaluate", "score = model.evaluate(x_test, y_test)"),
    ]


def test_a_tutorial_with_pytorch():
    source = textwrap.dedent("""\
        import torch
        from torch import nn, optim
        from torch.utils.data import DataLoader
        import torchvision

        device = torch.device("cpu")
        batch_size = 64
        train_set = torchvision.datasets.MNIST("data", train=True)
        train_loader = DataLoader(train_set, batch_size)

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(784, 10)

            def forward(self, x):
                return self.fc(x)

        model = Net().to(device)
        print(model)
        criterion = nn.CrossEntropyLoss()
        optimizer = optim.Adam(model.parameters())
        model.train()
        for epoch in range(3):
            for images, labels in train_loader:
                optimizer.zero_grad()
                loss = criterion(model(images), labels)
                loss.backward()
                optimizer.step()
        model.eval()
        correct = 0
        with torch.no_grad():
            for images, labels in train_loader:
                correct += (model(images).argmax(1) == labels).sum().item()
        print(correct)
        """)
    assert listed(source) == [
        ("load", "import torch"),
        ("other", 'device = torch.device("cpu")'),
        ("load", "batch_size = 64"),
        ("define", "class Net(nn.Module):"),
        ("compile", "criterion = nn.CrossEntropyLoss()"),
        ("train", "model.train()"),
        ("evaluate", "model.eval()"),
    ]


def test_all_in_one_function():
    source = textwrap.dedent('''\
        import cornu

        def main():
            """Everything."""
            (x, y), _ = cornu.datasets.mnist.load_data()
            x = x / 255.0
            # the network
            model = cornu.Sequential([cornu.layers.Dense(3)])
            model.compile("adam", "mse")
            model.fit(x, y)
            return model.evaluate(x, y)

        if __name__ == "__main__":
            main()
        ''')
    assert listed(source) == [
        ("load", "import cornu"),
        ("define", "# the network"),
        ("compile", 'model.compile("adam", "mse")'),
        ("train", "model.fit(x, y)"),
        ("evaluate", "return model.evaluate(x, y)"),
        ("other", 'if __name__ == "__main__":'),
    ]


@pytest.mark.parametrize("path", PEOPLES, ids=lambda path: path.stem)
def test_every_line_is_in_one_section(path):
    source = path.read_text(encoding="utf-8")
    hold(source)
    assert 0 < code_lines(source) <= len(source.splitlines())


@pytest.mark.parametrize(
    "source",
    ["x = 1", "\n\n", "# nothing\n", '"""Says."""\n', "@a\n\ndef f(): pass\n", "if 1:\n  x"],
)
def test_small_programs(source):
    hold(source)


def test_what_is_no_program():
    assert sections_of("") == []
    assert sections_of("%matplotlib inline\nx = (\n") == [{"step": "other", "first": 1, "last": 2}]
    assert code_lines("%matplotlib inline\n# no\n\nx = (\n") == 2


def test_code_lines():
    source = '"""Says\n\nthis."""\n\n# no\nx = [  # yes\n    # no\n    1,\n]\n\n'
    assert code_lines(source) == 5
    assert code_lines("") == 0
    assert code_lines("x = 1") == 1
