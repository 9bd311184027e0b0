"""The demo: what it writes and says, and its pictures' arithmetic."""

import builtins

import numpy as np
import pytest

import cornu
from cornu.demo import BoundaryFilm, pictures, run_demo
from cornu.demo.film import middles

pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")


class Network:
    """Predicts 1 to the right of a line that each epoch moves on."""

    def __init__(self):
        self.line = -1.0

    def predict(self, points, batch_size, verbose):
        assert batch_size == len(points)
        self.line += 0.5
        return 1 / (1 + np.exp(-8 * (points[:, :1] - self.line)))


@pytest.fixture
def film():
    """Three epochs of a boundary that moves from -0.5 to 0.5 across points in [-2, 2]."""
    points = np.array([[-2.0, -1.0], [2.0, 1.0], [-2.0, 1.0], [2.0, -1.0]])
    film = BoundaryFilm(points, [0, 1, 0, 1], margin=0.0)
    film.set_model(Network())
    for epoch in range(3):
        film.on_epoch_end(epoch, {"loss": 1.5 - epoch / 2, "accuracy": 0.5 + epoch / 5})
    return film


def test_film_has_a_picture_for_each_epoch(film, tmp_path):
    path = film.save(tmp_path / "film.gif", seconds=0.3)
    with Image.open(path) as gif:
        assert gif.n_frames == 3
        durations = []
        for frame in range(3):
            gif.seek(frame)
            durations.append(gif.info["duration"])
    assert durations == [100, 100, 2100]
    with Image.open(tmp_path / "film.png") as last:
        assert last.size == (840, 380)


def test_film_shows_the_boundary_where_it_is(film, tmp_path):
    """The two classes' colours meet at the line, in the first picture and in the last."""
    film.save(tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as gif:
        for frame, line in ((0, -0.5), (2, 0.5)):
            gif.seek(frame)
            row = np.asarray(gif.convert("RGB")).astype(int)[100]
            is_colored = (row[:, 0] - row[:, 2]) * np.ones(len(row))
            blue, orange = np.flatnonzero(is_colored < -60), np.flatnonzero(is_colored > 60)
            plane = blue.min(), orange[orange < 400].max()
            edge = (blue[blue < 400].max() + orange.min()) / 2
            place = (edge - plane[0]) / (plane[1] - plane[0]) * 4 - 2
            assert place == pytest.approx(line, abs=0.06)


def test_film_of_nothing(tmp_path):
    with pytest.raises(ValueError, match="nothing was filmed"):
        BoundaryFilm(np.zeros((2, 2)), [0, 1]).save(tmp_path / "film.gif")


def test_film_of_a_network_without_metrics(tmp_path):
    points = np.random.default_rng(0).normal(size=(20, 2))
    film = BoundaryFilm(points, np.arange(20) % 2, resolution=8)
    model = cornu.Sequential([cornu.layers.Dense(1, activation="sigmoid")])
    model.compile(loss="mse")
    model.fit(points, np.arange(20) % 2, epochs=2, verbose=0, callbacks=[film])
    film.save(tmp_path / "film.gif")
    assert np.isnan(film.history["accuracy"]).all()
    assert (tmp_path / "film.gif").is_file()


def test_middles():
    np.testing.assert_allclose(middles(-1, 1, 4), [-0.75, -0.25, 0.25, 0.75])


def test_most_confidently_wrong():
    labels = np.array([0, 1, 1, 0])
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.3, 0.7]])
    assert pictures.most_confidently_wrong(labels, probabilities, 9).tolist() == [2, 3, 1]
    assert pictures.most_confidently_wrong(labels, probabilities, 1).tolist() == [2]


def test_pictures_of_a_network_that_is_never_wrong(tmp_path):
    probabilities = np.eye(3)
    path = pictures.save_wrong_digits(
        tmp_path / "w.png", np.zeros((3, 8, 8)), np.arange(3), probabilities
    )
    assert path.stat().st_size > 500


def test_confusion_of_named_classes(tmp_path):
    matrix = np.array([[50, 2, 0], [0, 0, 0], [1, 0, 1200]])
    path = pictures.save_confusion(tmp_path / "c.png", matrix, ["BENIGN", "none", "DDoS"])
    with Image.open(path) as picture:
        assert picture.width == picture.height


def test_curves_without_validation(tmp_path):
    path = pictures.save_curves(tmp_path / "c.png", {"loss": [1.0, 0.5]})
    assert path.stat().st_size > 1000


@pytest.fixture
def no_matplotlib(monkeypatch):
    """matplotlib cannot be imported."""
    real = builtins.__import__

    def refuse(name, *arguments, **more):
        if name.split(".")[0] == "matplotlib":
            raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
        return real(name, *arguments, **more)

    monkeypatch.setattr(
        pictures.importlib, "import_module", lambda name: refuse(name, fromlist=["x"])
    )
    monkeypatch.setattr(builtins, "__import__", refuse)


def test_what_is_missing_is_said(no_matplotlib, tmp_path, capsys):
    assert run_demo(tmp_path / "demo") == 1
    said = capsys.readouterr()
    assert "matplotlib is not installed" in said.err
    assert "pip install 'cornu[demo]'" in said.err
    assert not (tmp_path / "demo").exists()


def test_demo(tmp_path, capsys):
    pytest.importorskip("sklearn")
    assert run_demo(tmp_path / "demo", moons_epochs=4, digits_epochs=2) == 0
    printed = capsys.readouterr().out
    names = {"moons.gif", "moons.png", "digits-curves.png", "digits-confusion.png"}
    assert {path.name for path in (tmp_path / "demo").iterdir()} == {*names, "digits-wrong.png"}
    for said in (str(tmp_path / "demo"), *names, "Total params: 5,226", "Test accuracy", "4/4"):
        assert said in printed
