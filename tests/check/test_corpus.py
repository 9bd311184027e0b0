"""Small wrong programs are found out, and their corrections are left in peace."""

import functools
import os
import tempfile
from pathlib import Path

import pytest

import cornu
from cornu.check.programs import check_program
from cornu.dialects import names

from .corpus_programs import Twins, programs, right_programs

# The share of right programs that may have a warning.
_WARNINGS = 0.1
FRAMEWORKS = ("keras", "torch")
PROGRAMS = [pytest.param(one, id=one.name) for kind in FRAMEWORKS for one in programs(kind)]
RIGHT = [
    pytest.param(one, id=f"{kind}/{one.stem}")
    for kind in FRAMEWORKS
    for one in right_programs(kind)
]


# Findings that come from measuring a network. To measure one, it is compiled: by default that is
# done only where such a finding is expected, and for all programs where CORNU_SLOW=1 asks for it.
_MEASURED = {"C304", "C305", "C306", "C307", "C308", "C401", "C402"}


def _checked(path: Path, framework: str, measure: bool):
    if framework == "torch":
        # small networks on few cores, beside other tests: threads would only wait for each other
        pytest.importorskip("torch").set_num_threads(1)
    cornu.utils.set_random_seed(0)  # where a program does not draw its own
    try:
        found, reading = check_program(path, framework=framework, measure=measure)
    finally:
        names.uninstall()
    assert "C002" not in found.codes, str(found)
    return found, reading


@functools.cache
def checked(twins: Twins, which: str):
    measure = os.environ.get("CORNU_SLOW") == "1" or bool(twins.codes & _MEASURED)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / twins.path.name
        path.write_text(getattr(twins, which))
        return _checked(path, twins.path.parent.name, measure)


@functools.cache
def checked_right(path: Path):
    return _checked(path, path.parent.name, True)


@pytest.mark.parametrize("twins", PROGRAMS)
def test_the_wrong_program_is_found_out(twins):
    found, _ = checked(twins, "wrong")
    places = {(one.code, one.place.line if one.place else None) for one in found}
    wanted = {(code, line) for code in twins.codes for line in twins.lines}
    assert places & wanted, f"expected {sorted(wanted)}, found:\n{found}"


@pytest.mark.slow
@pytest.mark.parametrize("twins", PROGRAMS)
def test_the_right_program_has_no_error(twins):
    found, reading = checked(twins, "right")
    assert reading.reached_training
    assert not found.errors, str(found)


@pytest.mark.slow
@pytest.mark.parametrize("path", RIGHT)
def test_a_program_near_a_rule_s_border_has_no_error(path):
    found, reading = checked_right(path)
    assert reading.reached_training
    assert not found.errors, str(found)


@pytest.mark.slow
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_right_programs_have_hardly_any_warning(framework):
    twins, others = programs(framework), right_programs(framework)
    told = [f"{one.name}: {line}" for one in twins for line in checked(one, "right")[0].warnings]
    told += [f"{one.stem}: {line}" for one in others for line in checked_right(one)[0].warnings]
    assert len(told) <= _WARNINGS * max(10, len(twins) + len(others)), "\n".join(told)


@pytest.mark.slow
def test_the_examples_have_no_error_and_hardly_any_warning(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # they write where they are run
    paths = sorted((Path(cornu.__file__).parents[2] / "examples").glob("*.py"))
    seen, told = 0, []
    for path in paths:
        try:
            found, reading = check_program(path, ("--rows", "600"), framework="keras")
        finally:
            names.uninstall()
        assert not found.errors, f"{path.name}:\n{found}"
        seen += reading.reached_training  # not where data is missing, and may not be fetched
        codes = {one.code for one in found.warnings}
        if path.name == "digits_csv.py":
            # an article's network as it was printed, with its pixels and its penalty
            assert codes <= {"C408", "C501"}, str(found)
            continue
        told += [f"{path.name}: {line}" for line in found.warnings]
    assert seen
    assert len(told) <= _WARNINGS * max(10, len(paths)), "\n".join(told)
