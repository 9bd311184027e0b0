"""What tests of `check` rely on: no real Keras in the way of programs that are run on Cornu."""

import pytest

# the programs of the corpus are run by their test, not imported as tests themselves
collect_ignore_glob = ["corpus/*"]


@pytest.fixture(autouse=True)
def _own_keras_names(own_keras_names):
    """Every test here may run programs written for Keras."""
