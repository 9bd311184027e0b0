"""Each example runs, with tiny settings, and prints and draws what it says."""

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import cornu

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")
pytest.importorskip("pandas")

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def example(monkeypatch, capsys):
    """Runs an example with arguments as the command line would; returns what it printed."""

    def run(name: str, *arguments) -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


@pytest.fixture
def small_mnist(monkeypatch):
    """A stand-in for MNIST: each digit is a bar in another place."""
    labels = (np.arange(400) % 10).astype("uint8")
    images = np.zeros((400, 28, 28), "uint8")
    for image, label in zip(images, labels, strict=True):
        image[2 + 2 * label : 5 + 2 * label, 4:24] = 255
    data = (images[:300], labels[:300]), (images[300:], labels[300:])
    monkeypatch.setattr(cornu.datasets.mnist, "load_data", lambda: data)


@pytest.fixture
def small_flows(tmp_path):
    """A stand-in for CICIDS2017 in its numbered form: 13 classes, a column for each."""
    numbers = [number for number in range(1, 79) if number not in (15, 16)]
    generator = np.random.default_rng(0)
    lines = [",".join([*(f"X{number}" for number in numbers), "YY"])]
    for row in range(390):
        values = generator.integers(0, 3, len(numbers))
        values[row % 13] += 20
        lines.append(",".join(map(str, [*values, row % 13])))
    folder = tmp_path / "flows"
    folder.mkdir()
    (folder / "flows.csv").write_text("\n".join(lines) + "\n")
    return folder


def number_after(text: str, printed: str) -> float:
    """The number that follows a text."""
    found = re.search(re.escape(text) + r"\s*([\d.]+)", printed)
    assert found, f"{text!r} is not in:\n{printed}"
    return float(found.group(1))


def test_every_example_is_tested():
    tested = set(re.findall(r'example\(\s*"(\w+\.py)"', Path(__file__).read_text()))
    assert {path.name for path in EXAMPLES.glob("*.py")} == tested


def test_moons(example, tmp_path):
    from PIL import Image

    printed = example("moons.py", "--epochs", 3, "--rows", 200, "--output", tmp_path / "m")
    assert "Total params: 5,226" in printed
    reported = number_after("Test accuracy:", printed)
    assert reported == number_after("Test accuracy, from the predictions:", printed)
    with Image.open(tmp_path / "m" / "moons.gif") as film:
        assert film.n_frames == 3
    assert (tmp_path / "m" / "moons.png").is_file()


def test_mnist_mlp(example, small_mnist):
    printed = example("mnist_mlp.py", "--epochs", 30, "--rows", 200)
    assert "Total params: 103,270" in printed
    assert "Epoch 30/30" in printed
    assert number_after("Test accuracy:", printed) == 1.0


def test_mnist_cnn(example, small_mnist):
    printed = example("mnist_cnn.py", "--epochs", 2, "--rows", 128)
    assert "Total params: 1,199,882" in printed
    assert "val_accuracy" in printed
    assert 0 <= number_after("Test accuracy:", printed) <= 1


def test_digits_csv(example, small_mnist, tmp_path):
    output = tmp_path / "digits"
    printed = example("digits_csv.py", "--epochs", 2, "--rows", 120, "--output", output)
    assert "l1 (Dense)" in printed
    assert "Total params: 16,175" in printed
    assert "Confusion matrix" in printed
    for name in ("curves.png", "confusion.png", "wrong.png"):
        assert (output / name).stat().st_size > 1000
    header, first, *_ = (output / "train.csv").read_text().splitlines()
    assert header.startswith("label,pixel0,pixel1,")
    assert header.endswith(",pixel783")
    assert len(first.split(",")) == 785
    lines = (output / "submission.csv").read_text().splitlines()
    assert lines[0] == "ImageId,Label"
    assert [line.split(",")[0] for line in lines[1:]] == [str(i) for i in range(1, 101)]
    assert {line.split(",")[1] for line in lines[1:]} <= set("0123456789")


def test_digits_csv_with_files_of_ones_own(example, small_mnist, tmp_path):
    example("digits_csv.py", "--epochs", 1, "--rows", 60, "--output", tmp_path / "a")
    printed = example(
        "digits_csv.py",
        *("--train", tmp_path / "a" / "train.csv", "--epochs", 1, "--output", tmp_path / "b"),
    )
    assert "MNIST" not in printed
    assert not (tmp_path / "b" / "submission.csv").exists()
    assert (tmp_path / "b" / "confusion.png").exists()


def test_intrusion(example, small_flows, tmp_path):
    output = tmp_path / "intrusion"
    printed = example(
        "intrusion.py",
        *("--data", small_flows, "--epochs", 4, "--balance", 40, "--output", output),
    )
    softmax = re.search(r"softmax, loss on probabilities +([\d. ]+)", printed)
    logits = re.search(r"logits, loss with from_logits=True +([\d. ]+)", printed)
    first = [float(row.group(1).split()[0]) for row in (softmax, logits)]
    assert first[0] == pytest.approx(first[1], abs=2e-5)
    assert "Total params: 12,705" in printed
    assert "Test, 58 flows" in printed or "Test, 59 flows" in printed
    assert number_after("two classes: accuracy", printed) > 0.5
    assert (output / "confusion.png").is_file()
    assert list((output / "logs" / "train").glob("events.out.tfevents.*"))
