"""What tests of `check` rely on: no real Keras in the way of programs that are run on Cornu."""

import sys

import pytest

from cornu.dialects import names

# the programs of the corpus are run by their test, not imported as tests themselves
collect_ignore_glob = ["corpus/*"]


@pytest.fixture(autouse=True)
def names_as_before():
    """Hides real Keras and TensorFlow from the test, and takes their names back after it."""
    real = {
        name: module
        for name, module in sys.modules.items()
        if name.split(".")[0] in ("keras", "tensorflow")
    }
    for name in real:
        del sys.modules[name]
    yield
    names.uninstall()
    sys.modules.update(real)
