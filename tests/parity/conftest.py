"""Keras, where it is installed, must run on JAX: it reads the variable when it is imported."""

import os
import sys

import pytest

# networks and programs for the tests, not tests
collect_ignore_glob = ["port_*.py", "torch_*.py"]

if "keras" not in sys.modules:
    os.environ["KERAS_BACKEND"] = "jax"


@pytest.fixture(scope="session", autouse=True)
def _keras_on_jax():
    keras = sys.modules.get("keras")
    if keras is not None and keras.backend.backend() != "jax":
        pytest.fail(
            f"keras was imported on {keras.backend.backend()!r} before these tests could choose "
            "JAX: run them with KERAS_BACKEND=jax"
        )
