"""The articles that the project comes from, and the switch for tests that train for minutes."""

import os
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_REPOSITORY = _HERE.parent.parent


def pytest_collection_modifyitems(items):
    """Tests on the full data run where CORNU_SLOW=1 asks for them, as the full check does."""
    if os.environ.get("CORNU_SLOW") == "1":
        return
    skip = pytest.mark.skip(reason="trains on the full data; set CORNU_SLOW=1 to run it")
    for item in items:
        if _HERE in item.path.parents and item.get_closest_marker("slow"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def articles() -> Path:
    """The folder of the articles; skips the test where it is not there."""
    given = os.environ.get("CORNU_ARTICLES")
    folder = Path(given) if given else _REPOSITORY.parent / "shared" / "articles"
    if not folder.is_dir():
        pytest.skip(f"the articles are not in {folder}; CORNU_ARTICLES names their folder")
    return folder
