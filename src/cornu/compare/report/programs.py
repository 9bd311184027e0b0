"""The programs side by side, aligned by what they do."""

from __future__ import annotations

from typing import Any

from cornu.compare.report.content import Content
from cornu.compare.report.highlight import highlighted
from cornu.compare.report.numbers import count
from cornu.plot.player.page import escape

_STEPS = {
    "load": "Load the data",
    "define": "Define the network",
    "compile": "Loss, optimizer, metrics",
    "train": "Train",
    "evaluate": "Evaluate",
    "other": "The rest",
}


def programs_section(content: Content) -> str:
    """The body of the section, or "" where there are no programs."""
    programs = list(content.results.get("programs") or [])
    if not programs:
        return ""
    lines = [highlighted(str(program.get("text") or "")) for program in programs]
    steps = list(_STEPS)
    for program in programs:
        steps += [s["step"] for s in program.get("sections") or [] if s["step"] not in steps]
    rows = [_row(content, programs, lines, step) for step in steps]
    choices = [_choice(content, place, program) for place, program in enumerate(programs)]
    heads = [_head(content, place, program) for place, program in enumerate(programs)]
    whole = [
        _whole(content, place, program, text)
        for place, (program, text) in enumerate(zip(programs, lines, strict=True))
    ]
    return f"""
<p>The programs that were run, cut where they load, define, compile, train and evaluate. Choose
which stand side by side.</p>
<fieldset class="choices screen-only"><legend>Shown</legend>{"".join(choices)}</fieldset>
<div class="programs" style="--shown:{min(2, len(programs))}">
<div class="cells heads">{"".join(heads)}</div>
{"".join(rows)}
</div>
<h3>Whole programs</h3>
{"".join(whole)}"""


def _choice(content: Content, place: int, program: dict[str, Any]) -> str:
    checked = " checked" if place < 2 else ""
    label = content.label(program["framework"])
    return f'<label><input type="checkbox" value="{place}"{checked}> {label}</label>'


def _attributes(place: int) -> str:
    return f'data-program="{place}"{" hidden" if place >= 2 else ""}'


def _head(content: Content, place: int, program: dict[str, Any]) -> str:
    total = program.get("lines")
    size = f" · {count(total, 'line')} of code" if isinstance(total, int) else ""
    return (
        f'<div class="cell" {_attributes(place)}><b>{content.label(program["framework"])}</b>'
        f'<span class="soft"><small>{escape(program.get("file") or "")}{size}</small></span>'
        f'<button type="button" class="copy screen-only" data-copy="{place}">Copy</button></div>'
    )


def _row(
    content: Content, programs: list[dict[str, Any]], lines: list[list[str]], step: str
) -> str:
    cells = []
    for place, program in enumerate(programs):
        blocks = []
        for section in program.get("sections") or []:
            if section["step"] == step:
                text = _code(lines[place], int(section["first"]), int(section["last"]))
                blocks.append(text)
        title = content.title(program["framework"])
        found = "".join(block for block in blocks if block)
        if found:
            name = escape(f"{title}: {_STEPS.get(step, step)}")
            inside = f'<div class="scroll code" tabindex="0" role="region" aria-label="{name}">'
            inside += f"{found}</div>"
        else:
            inside = '<p class="soft none">nothing here</p>'
        has = "" if found else " data-empty"
        cells.append(
            f'<div class="cell" {_attributes(place)}{has}>'
            f'<div class="whose">{content.label(program["framework"])}</div>{inside}</div>'
        )
    if all(" data-empty>" in cell for cell in cells):
        return ""
    heading = escape(_STEPS.get(step, step.capitalize()))
    inside = f'<div class="cells">{"".join(cells)}</div>'
    return f'<section class="step"><h3>{heading}</h3>{inside}</section>'


def _code(lines: list[str], first: int, last: int) -> str:
    """Lines of a program, with empty ones at both ends left out; "" where nothing is left."""
    numbered = [(n, lines[n - 1]) for n in range(max(1, first), min(last, len(lines)) + 1)]
    while numbered and not numbered[0][1].strip():
        numbered.pop(0)
    while numbered and not numbered[-1][1].strip():
        numbered.pop()
    if not numbered:
        return ""
    inside = "".join(f'<span class="line" data-n="{n}">{text}\n</span>' for n, text in numbered)
    return f"<pre><code>{inside}</code></pre>"


def _whole(content: Content, place: int, program: dict[str, Any], lines: list[str]) -> str:
    title = content.title(program["framework"])
    return (
        f"<details><summary>{escape(title)}: {escape(program.get('file') or 'program')} "
        f"({count(len(lines), 'line')})</summary>"
        f'<div class="scroll code" tabindex="0" role="region" aria-label="{escape(title)}, whole">'
        f"{_code(lines, 1, len(lines))}</div></details>"
    )
