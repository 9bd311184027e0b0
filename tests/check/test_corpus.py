"""Small wrong programs are found out, and their corrections are left in peace."""

import functools
import tempfile
from pathlib import Path

import pytest

from cornu.check.programs import check_program
from cornu.dialects import names

from .corpus_programs import Twins, programs

# The share of right programs that may have a warning.
_WARNINGS = 0.1
FRAMEWORKS = ("keras", "torch")
PROGRAMS = [pytest.param(one, id=one.name) for kind in FRAMEWORKS for one in programs(kind)]


@functools.cache
def checked(twins: Twins, which: str):
    framework = twins.path.parent.name
    if framework == "torch":
        pytest.importorskip("torch")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / twins.path.name
        path.write_text(getattr(twins, which))
        try:
            found, reading = check_program(path, framework=framework)
        finally:
            names.uninstall()
    assert "C002" not in found.codes, str(found)
    return found, reading


@pytest.mark.parametrize("twins", PROGRAMS)
def test_the_wrong_program_is_found_out(twins):
    found, _ = checked(twins, "wrong")
    places = {(one.code, one.place.line if one.place else None) for one in found}
    wanted = {(code, line) for code in twins.codes for line in twins.lines}
    assert places & wanted, f"expected {sorted(wanted)}, found:\n{found}"


@pytest.mark.parametrize("twins", PROGRAMS)
def test_the_right_program_has_no_error(twins):
    found, reading = checked(twins, "right")
    assert reading.reached_training
    assert not found.errors, str(found)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_right_programs_have_hardly_any_warning(framework):
    right = programs(framework)
    told = [f"{one.name}: {line}" for one in right for line in checked(one, "right")[0].warnings]
    assert len(told) <= _WARNINGS * max(10, len(right)), "\n".join(told)
