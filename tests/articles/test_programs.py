"""The Keras code of the articles, as it stands on their pages, trains under `cornu run`.

A page takes some things for granted - a folder to save to, a table read before, a constant, an
older matplotlib. Each test writes those into the program ahead of the page's code, and asks at the
end what was learnt. The page's own lines are not touched.
"""

import json
import re
import subprocess
import sys
import textwrap

import pytest

_FENCE = re.compile(r"^```(?:python|py)\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_KERAS_FENCE = re.compile(
    r"^\*\*Keras:\*\*\n```(?:python|py)\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL
)


def keras_program(page: str) -> str:
    """The code blocks of a page, one after the other, unchanged.

    Where the page compares frameworks, only the blocks headed "**Keras:**".
    """
    blocks = _KERAS_FENCE.findall(page) or _FENCE.findall(page)
    return "\n".join(blocks)


# matplotlib 3.10 removed it; a contour set is its own only collection since 3.8
_OLDER_MATPLOTLIB = """
import matplotlib
from matplotlib.contour import ContourSet
if not hasattr(ContourSet, "collections"):
    ContourSet.collections = property(lambda self: [self])
# 400 figures of 1800 x 1200 dots: the picture is not what is tested
matplotlib.rcParams["figure.dpi"] = 10
"""

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

_REPORT = """
import json
with open("history.json", "w") as file:
    json.dump({"history": model.history.history}, file)
"""


def run_page(folder, page: str, supplied: str) -> tuple[dict, str]:
    """Runs a page's code; returns the history of its training and what it printed."""
    code = keras_program(page)
    program = folder / "program.py"
    program.write_text(f"{supplied}\n{code}\n{_REPORT}")
    assert code in program.read_text()
    done = subprocess.run(
        [sys.executable, "-m", "cornu", "run", program.name],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / "history.json").read_text())["history"], done.stdout


def test_blocks_are_cut_out(articles):
    """The pages hold what the tests below run: each makes, compiles and fits one model."""
    for name in (
        "moons-with-keras.md",
        "keras-vs-pytorch-mnist.md",
        "digits-deep-dive-with-keras.md",
    ):
        code = keras_program((articles / name).read_text())
        compile(code, name, "exec")
        assert code.count("model.compile(") == 1
        assert code.count("model.fit(") == 1
        assert "torch" not in code


def test_only_the_keras_blocks_of_a_comparison():
    page = textwrap.dedent(
        """\
        **Keras:**
        ```python
        a = 1
        ```

        **PyTorch:**
        ```python
        import torch
        ```
        """
    )
    assert keras_program(page) == "a = 1\n"


@pytest.mark.slow
def test_moons(articles, tmp_path):
    (tmp_path / "plots_keras").mkdir()
    page = (articles / "moons-with-keras.md").read_text()
    history, printed = run_page(tmp_path, page, _OLDER_MATPLOTLIB)
    assert len(history["loss"]) == 200
    assert history["accuracy"][-1] > 0.93
    assert history["loss"][-1] < 0.2 < history["loss"][0]
    assert len(list((tmp_path / "plots_keras").glob("*.png"))) == 400
    accuracies = [
        float(line.split(":")[1])
        for line in printed.splitlines()
        if line.startswith("Test accuracy:")
    ]
    # the page measures it twice, the second time with argmax over one column, which is always 0
    assert accuracies[0] > 0.9
    assert accuracies[1] == pytest.approx(0.5, abs=0.1)


@pytest.mark.slow
def test_keras_vs_pytorch(articles, tmp_path, data_folder):
    page = (articles / "keras-vs-pytorch-mnist.md").read_text()
    history, printed = run_page(tmp_path, page, "num_classes = 10")
    assert len(history["loss"]) == 10
    assert history["val_accuracy"][-1] > 0.97
    assert "Total params: 103,270" in printed
    lines = [line for line in printed.splitlines() if line.startswith("Test accuracy:")]
    assert float(lines[-1].split(":")[1]) >= 0.97


@pytest.mark.slow
def test_digits_deep_dive(articles, tmp_path, data_folder):
    page = (articles / "digits-deep-dive-with-keras.md").read_text()
    history, _ = run_page(tmp_path, page, _KAGGLE_TABLE)
    assert len(history["loss"]) == 50
    assert history["val_accuracy"][-1] > 0.9
    assert history["loss"][-1] < history["loss"][0] / 4
