"""`cornu check`: findings on the terminal, as JSON or as SARIF."""

from __future__ import annotations

import argparse
import shlex
import sys

from cornu.check import report
from cornu.check.checking import Findings, all_rules
from cornu.check.diagnostic import worst_first
from cornu.check.programs import check_program
from cornu.core.check_settings import checked_codes


def run_check(options: argparse.Namespace) -> int:
    """What `cornu check` does; returns the exit status."""
    if options.explain:
        return _explain(options.explain)
    if not options.programs:
        print("cornu check: name a program, or a rule with --explain", file=sys.stderr)
        return 2
    try:
        ignore = checked_codes([code.strip() for code in options.ignore.split(",") if code.strip()])
    except ValueError as error:
        print(f"cornu check --ignore: {error}", file=sys.stderr)
        return 2
    found = Findings()
    unchecked = False
    for program in options.programs:
        try:
            of_program, reading = check_program(
                program,
                shlex.split(options.args),
                options.framework,
                ignore,
                not options.no_measure,
            )
        except (ValueError, FileNotFoundError, ModuleNotFoundError, UnicodeDecodeError) as error:
            print(error, file=sys.stderr)
            unchecked = True
            continue
        found += of_program
        if not reading.reached_training and not of_program.errors:
            unchecked = True
            if not any(one.code == "C002" for one in of_program):
                print(f"{program}: ended without training a network", file=sys.stderr)
    if options.fix:
        found = _fix(found)
    found = Findings(worst_first(found))
    if options.format == "json":
        print(report.as_json(found))
    elif options.format == "sarif":
        print(report.as_sarif(found))
    elif found or not unchecked:
        report.print_findings(found)
    if found.errors:
        return 1
    return 2 if unchecked else 0


def _fix(found: Findings) -> Findings:
    """Writes the certain changes; returns what is left to do."""
    from cornu.check.fix import fix_files

    mended = [one for of_file in fix_files(found).values() for one in of_file]
    for one in mended:
        print(f"mended: {report.line(one)}", file=sys.stderr)
    return Findings(one for one in found if not any(one is other for other in mended))


def _explain(code: str) -> int:
    known = all_rules()
    if code == "all":
        width = max(len(rule.name) for rule in known.values())
        for rule in known.values():
            first = rule.page.partition("\n")[0]
            print(f"{rule.code}  {rule.name:<{width}}  {rule.severity:<7}  {first}")
        return 0
    rule = known.get(code.upper()) or next((r for r in known.values() if r.name == code), None)
    if rule is None:
        print(
            f"cornu check: there is no rule {code!r}; `cornu check --explain all` lists them",
            file=sys.stderr,
        )
        return 2
    report.print_page(rule)
    return 0
