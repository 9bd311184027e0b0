"""The persistent compilation cache: used where it is told to be, and nowhere else."""

import os
import subprocess
import sys
import textwrap

import pytest

PROGRAM = textwrap.dedent(
    """
    import numpy as np
    import jax
    import cornu as keras

    hits = []
    jax.monitoring.register_event_listener(
        lambda name, **_: hits.append(name) if name.endswith("cache_hits") else None
    )
    x = np.ones((40, 3), "float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(x, x[:, :1], batch_size=16, verbose=0)
    model.predict(x, verbose=0)
    print(len(hits), jax.config.jax_compilation_cache_dir)
    """
)


def run(tmp_path, **variables):
    """Runs the program in a home of its own; `(cache hits, cache folder)`."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CORNU_CACHE", "XDG_", "JAX_"))
    }
    environment.update(HOME=str(tmp_path / "home"), **variables)
    (tmp_path / "home").mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, str(program)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    hits, folder = done.stdout.split(maxsplit=1)
    return int(hits), folder.strip()


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_the_second_run_compiles_nothing(tmp_path):
    cache = tmp_path / "cache"
    hits, folder = run(tmp_path, CORNU_CACHE_DIR=str(cache))
    assert hits == 0
    assert folder == str(cache / "compiled")
    written = [path for path in files(cache) if path.name.endswith("-cache")]
    # training, its smaller last batch, prediction
    assert len(written) >= 3
    hits, _ = run(tmp_path, CORNU_CACHE_DIR=str(cache))
    assert hits >= 3
    assert [path for path in files(cache) if path.name.endswith("-cache")] == written
    assert files(tmp_path / "home") == []


@pytest.mark.parametrize("value", ["0", "off"])
def test_it_can_be_switched_off(tmp_path, value):
    cache = tmp_path / "cache"
    hits, folder = run(tmp_path, CORNU_CACHE_DIR=str(cache), CORNU_CACHE=value)
    assert (hits, folder) == (0, "None")
    assert not cache.exists()
    assert files(tmp_path / "home") == []


def test_by_default_it_lies_in_the_user_s_cache_folder(tmp_path):
    _, folder = run(tmp_path)
    assert folder == str(tmp_path / "home" / ".cache" / "cornu" / "compiled")
    assert files(tmp_path / "home")


def test_a_cache_that_the_user_set_up_in_jax_is_left_alone(tmp_path):
    own = tmp_path / "own"
    _, folder = run(tmp_path, JAX_COMPILATION_CACHE_DIR=str(own))
    assert folder == str(own)
    assert files(tmp_path / "home") == []


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    _, folder = run(tmp_path, CORNU_CACHE_DIR=str(tmp_path / "file"))
    assert folder == "None"
