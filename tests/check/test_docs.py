"""The pages about checking agree with the rules."""

import importlib.util
import re
from pathlib import Path

import pytest

from cornu.check import all_rules
from cornu.check.checking import _IGNORED_HERE

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("check.md", "check-catalogues.md")


def read(page):
    return (DOCS / page).read_text(encoding="utf-8")


def test_every_rule_is_listed():
    spec = importlib.util.spec_from_file_location("check_rules", DOCS / "check_rules.py")
    check_rules = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check_rules)
    page = read("check.md")
    assert check_rules.with_rules(page) == page, "write the list anew: python docs/check_rules.py"


@pytest.mark.parametrize("page", PAGES)
def test_codes_are_those_of_rules(page):
    named = set(re.findall(r"\bC\d{3}\b", read(page)))
    assert named <= set(all_rules())


@pytest.mark.parametrize("page", PAGES)
def test_names_beside_codes_are_those_of_rules(page):
    for code, name in re.findall(r"\*\*(C\d{3})\*\* `([a-z0-9-]+)`", read(page)):
        assert all_rules()[code].name == name


def test_the_comment_that_silences_a_line_is_understood():
    shown = re.findall(r"`(# [^`]*ignore[^`]*)`", read("check.md"))
    assert len(shown) == 2
    assert [_IGNORED_HERE.fullmatch(one)["codes"] for one in shown] == [None, "C101, C103"]


@pytest.mark.parametrize("page", PAGES)
def test_lines_are_short(page):
    assert [line for line in read(page).splitlines() if len(line) > 100] == []
