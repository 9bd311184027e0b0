"""The articles that the project comes from."""

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def articles() -> Path:
    """The folder of the articles; skips the test where it is not there."""
    given = os.environ.get("CORNU_ARTICLES")
    folder = Path(given) if given else _REPOSITORY.parent / "shared" / "articles"
    if not folder.is_dir():
        pytest.skip(f"the articles are not in {folder}; CORNU_ARTICLES names their folder")
    return folder
