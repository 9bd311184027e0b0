"""The `cornu` command."""

import os
import subprocess
import sys

import pytest

import cornu
from cornu import cli


def run(*arguments, cwd=None, **environment):
    """`python -m cornu ...` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cornu", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--help"])
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    for command in ("demo", "run", "info"):
        assert command in printed


def test_no_command_is_an_error_with_help(capsys):
    assert cli.main([]) == 2
    assert "COMMAND" in capsys.readouterr().out


def test_unknown_command(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["frobnicate"])
    assert stop.value.code == 2
    assert "frobnicate" in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"cornu {cornu.__version__}\n"


def test_info(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("CORNU_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("CORNU_DATA", "/data/of/mine")
    assert cli.main(["info"]) == 0
    printed = capsys.readouterr().out
    for said in (cornu.__version__, "jax", "devices", "/data/of/mine", str(tmp_path)):
        assert said in printed


def test_info_without_a_cache(capsys, monkeypatch):
    monkeypatch.setenv("CORNU_CACHE", "0")
    monkeypatch.delenv("CORNU_DATA", raising=False)
    assert cli.main(["info"]) == 0
    printed = capsys.readouterr().out
    assert "CORNU_CACHE=0" in printed
    assert "CORNU_DATA is not set" in printed


def test_run_in_a_process_of_its_own(tmp_path):
    """Real Keras, where installed, is shadowed; arguments and the exit status pass through."""
    (tmp_path / "helper.py").write_text("from tensorflow.keras.layers import Dense\n")
    (tmp_path / "program.py").write_text(
        "import sys\n"
        "import keras\n"
        "from helper import Dense\n"
        "print(keras.__name__, Dense.__module__.split('.')[0], sys.argv)\n"
        "sys.exit(4)\n"
    )
    done = run("run", "program.py", "--help", "-x", "1", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (4, "")
    assert done.stdout == "cornu cornu ['program.py', '--help', '-x', '1']\n"


def test_a_program_without_the_word_run(tmp_path):
    (tmp_path / "program.py").write_text("import sys; print(sys.argv)\n")
    done = run("program.py", "demo", "--version", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout == "['program.py', 'demo', '--version']\n"


def test_a_program_that_is_not_there():
    done = run("run", "nowhere.py")
    assert done.returncode == 2
    assert done.stderr == "cornu run: there is no file 'nowhere.py'\n"


def test_an_error_in_the_program(tmp_path):
    (tmp_path / "program.py").write_text("import keras\nkeras.layers.Dense(0)\n")
    done = run("program.py", cwd=tmp_path)
    assert done.returncode == 1
    assert "Dense(units=0)" in done.stderr
    assert "runpy" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c(tmp_path):
    (tmp_path / "program.py").write_text(
        "import os, signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
    )
    done = run("program.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (130, "stopped\n")


def test_a_folder_that_cannot_be_made(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    pytest.importorskip("sklearn")
    (tmp_path / "taken").write_text("a file")
    assert cli.main(["demo", "--output", str(tmp_path / "taken")]) == 2
    assert "taken" in capsys.readouterr().err
