"""The demo: what it writes and says."""

import builtins

import pytest

from cornu.demo import run_demo
from cornu.plot import figures

pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def no_matplotlib(monkeypatch):
    """matplotlib cannot be imported."""
    real = builtins.__import__

    def refuse(name, *arguments, **more):
        if name.split(".")[0] == "matplotlib":
            raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
        return real(name, *arguments, **more)

    monkeypatch.setattr(
        figures.importlib, "import_module", lambda name: refuse(name, fromlist=["x"])
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
    with Image.open(tmp_path / "demo" / "moons.gif") as film:
        assert film.n_frames == 4
    with Image.open(tmp_path / "demo" / "digits-curves.png") as curves:
        assert curves.size == (900, 360)
