"""Experiments: what they take, where they come from, and how they are refused."""

import numpy as np
import pytest

import cornu
from cornu.compare import Data, Experiment, ExperimentError, load_experiment
from cornu.compare.comparison import Comparison, Settings, known_frameworks
from cornu.compare.experiment import BUILT_IN
from cornu.port.keras.read_model import read_model


class Silent:
    """Watches nothing."""


def network(units=1, activation="sigmoid", loss="binary_crossentropy", shape=(2,)):
    """A function that makes a small compiled network."""

    def build():
        model = cornu.Sequential(
            [cornu.Input(shape), cornu.layers.Dense(units, activation=activation)]
        )
        model.compile("sgd", loss, metrics=["accuracy"])
        return model

    return build


def rows(count):
    """Points, and whether the first coordinate is positive."""
    x = np.random.default_rng(0).normal(size=(40, 2)).astype("float32")[:count]
    y = (x[:, 0] > 0).astype("int64")
    return Data((x, y), (x, y))


def comparison(tmp_path, build, data=rows, frameworks=("numpy",)):
    experiment = Experiment("small", build, data, epochs=2, batch_size=8)
    return Comparison(experiment, Settings(list(frameworks)), tmp_path, Silent())


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_experiments_build_what_they_say(name):
    experiment = load_experiment(name)
    assert experiment.name == name
    model = experiment.build()
    assert model.built
    assert model.compiled
    assert read_model(model).name == name.replace("-", "_")


def test_moons_are_those_of_the_article():
    pytest.importorskip("sklearn")
    data = load_experiment("moons").data(None)
    assert data.train[0].shape == (900, 2)
    assert data.test[0].shape == (100, 2)
    assert len(load_experiment("moons").data(50).train[1]) == 50


def test_a_file_assigns_an_experiment(tmp_path):
    (tmp_path / "beside.py").write_text("EPOCHS = 7\n")
    (tmp_path / "mine.py").write_text(
        "from beside import EPOCHS\n"
        "from cornu.compare import Experiment\n"
        "experiment = Experiment('mine', None, None, EPOCHS, 8, programs={'torch': 'own.py'})\n"
    )
    found = load_experiment(str(tmp_path / "mine.py"))
    assert found.epochs == 7
    assert found.programs == {"torch": tmp_path / "own.py"}


def test_what_is_no_experiment_is_refused(tmp_path):
    with pytest.raises(ExperimentError, match="'mooons'; did you mean 'moons'"):
        load_experiment("mooons")
    with pytest.raises(FileNotFoundError):
        load_experiment(str(tmp_path / "nothing.py"))
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(ExperimentError, match="assigns no `experiment`"):
        load_experiment(str(tmp_path / "empty.py"))
    with pytest.raises(ExperimentError, match="epochs must be a positive integer"):
        Experiment("none", None, None, epochs=0, batch_size=8)


def test_frameworks_are_known_by_name():
    assert known_frameworks(["numpy", "cornu", "numpy"]) == ["cornu", "numpy"]
    with pytest.raises(ExperimentError, match="no framework is named 'pytorch'"):
        known_frameworks(["pytorch"])


def test_networks_that_cannot_be_compared_are_refused(tmp_path):
    def uncompiled():
        return cornu.Sequential([cornu.Input((2,)), cornu.layers.Dense(1)])

    with pytest.raises(ExperimentError, match="compiled model"):
        comparison(tmp_path, uncompiled)
    with pytest.raises(ExperimentError, match="loss categorical_crossentropy"):
        comparison(tmp_path, network(3, "softmax", "categorical_crossentropy"))
    with pytest.raises(ExperimentError, match=r"rows of shape \(2,\), the network takes \(3,\)"):
        comparison(tmp_path, network(shape=(3,)))

    def shifted(count):
        x, y = rows(count).train
        return Data((x, y + 1), (x, y))

    with pytest.raises(
        ExperimentError, match="train: y goes from 1 to 2; the network has 2 classes"
    ):
        comparison(tmp_path, network(), shifted)
    with pytest.raises(ExperimentError, match=r"Data\(train=\(x, y\).*received tuple"):
        comparison(tmp_path, network(), lambda count: tuple(rows(count).train))

    def uneven(count):
        data = rows(count)
        return Data((data.train[0], data.train[1][:-1]), data.test)

    with pytest.raises(ExperimentError, match="40 rows of x, 39 of y"):
        comparison(tmp_path, network(), uneven)


def test_a_framework_that_is_not_installed_is_skipped(tmp_path, monkeypatch):
    found = __import__("importlib").util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "torch" else found(name)
    )
    frameworks = comparison(tmp_path, network(), frameworks=("torch", "numpy")).frameworks
    status = {one.name: (one.status, one.reason) for one in frameworks}
    assert status["torch"] == ("skipped", "torch is not installed")
    assert status["numpy"] == ("finished", None)


def test_the_same_seed_builds_the_same_network(tmp_path):
    made = comparison(tmp_path, network(3, "softmax", "sparse_categorical_crossentropy"))
    one, two, other = (made.reader(seed)() for seed in (0, 0, 1))
    assert [op.name for op in one.operations] == [op.name for op in two.operations]
    for (_, _, a), (_, _, b) in zip(one.weights(), two.weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert any(
        not np.array_equal(a, b)
        for (_, _, a), (_, _, b) in zip(one.weights(), other.weights(), strict=True)
    )
