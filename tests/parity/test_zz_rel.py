import pytest
keras = pytest.importorskip("keras")
from .training_pairs import pair
def test_a(): assert pair
