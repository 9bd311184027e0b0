"""The names that are said to be missing are names of Keras."""

import operator

import pytest

from cornu.core.keras_names import MISSING

keras = pytest.importorskip("keras")


@pytest.mark.parametrize("package", MISSING)
def test_keras_has_them(package):
    module = operator.attrgetter(package)(keras) if package else keras
    assert [name for name in MISSING[package].split() if not hasattr(module, name)] == []
