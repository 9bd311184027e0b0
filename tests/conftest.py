"""What every test may rely on: the data folder, a cache of its own, a fresh count of names."""

import os
import sys
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parent.parent
_SHARED_DATA = _REPOSITORY.parent / "shared" / "data"
if "CORNU_DATA" not in os.environ and _SHARED_DATA.is_dir():
    os.environ["CORNU_DATA"] = str(_SHARED_DATA)
os.environ.setdefault("MPLBACKEND", "Agg")


def pytest_collection_modifyitems(items):
    """Tests that take long run where CORNU_SLOW=1 asks for them, as the full check does."""
    if os.environ.get("CORNU_SLOW") == "1":
        return
    skip = pytest.mark.skip(reason="takes long; set CORNU_SLOW=1 to run it")
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def _fresh_names():
    """Each test counts `dense`, `dense_1`, ... from the start."""
    from cornu.core import naming

    naming.reset_names()


@pytest.fixture
def data_folder() -> Path:
    """The folder of real data; skips the test where there is none."""
    folder = os.environ.get("CORNU_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("CORNU_DATA names no folder with the real data")
    return Path(folder)


@pytest.fixture
def own_keras_names():
    """Hides real Keras and TensorFlow from the test, and takes their names back after it."""
    from cornu.dialects import names

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
