"""The report's tables and pictures: verdicts, accuracy, confusion, costs, differences, versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cornu.compare.amounts import (
    NOTHING,
    duration,
    number,
    percentage,
    ratio,
    seeds,
    size,
    verdict_word,
)
from cornu.compare.report.content import Content
from cornu.compare.report.numbers import count, known, listed, unbroken
from cornu.compare.report.summary import outcomes, verdict_text
from cornu.plot.player.page import escape

_SHOWN_AT_ONCE = 12  # of the most-wrong pictures


def table(
    head: Iterable[str], rows: Iterable[Iterable[str]], numbers: Iterable[int] = (), name: str = ""
) -> str:
    """A table in a box of its own that scrolls; cells are HTML, the first of a row its header,
    headings text in HTML."""
    right, titles = set(numbers), list(head)

    def kind(column: int) -> str:
        return ' class="number"' if column in right else ""

    top = "".join(f'<th scope="col"{kind(i)}>{cell}</th>' for i, cell in enumerate(titles))
    body = []
    for row in rows:
        first, *others = row
        cells = "".join(
            f'<td{kind(i)} data-head="{titles[i]}">{cell}</td>' for i, cell in enumerate(others, 1)
        )
        body.append(f'<tr><th scope="row">{first}</th>{cells}</tr>')
    label = f' role="region" aria-label="{escape(name)}"' if name else ""
    return (
        f'<div class="scroll" tabindex="0"{label}><table><thead><tr>{top}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def verdict_list(content: Content, dtype: str) -> str:
    """Each framework's verdict for one dtype of the same start."""
    entry = content.part("same_start")["dtypes"][dtype] or {}
    items = []
    for name, found in content.ordered(entry.get("frameworks")):
        verdict = found.get("verdict") or {}
        badge, text = "", "the others are held against it" if name == "cornu" else "no verdict"
        if verdict:
            word, level = verdict_word(verdict)
            badge = f'<span class="badge {level}">{escape(word)}</span>'
            text = verdict_text(content, name, verdict)
        numbers = _last_numbers(verdict, found.get("epochs") or {})
        items.append(
            f"<li><div>{content.label(name)} {badge}</div><div>{unbroken(text)}<br>"
            f'<small class="soft">{unbroken(numbers)}</small></div></li>'
        )
    return f'<ul class="verdicts">{"".join(items)}</ul>'


def _last_numbers(verdict: dict[str, Any], epochs: dict[str, Any]) -> str:
    parts = []
    if known(verdict.get("largest")):
        parts.append(f"largest difference {number(verdict['largest'])}")
    for key, text in (("loss", number), ("accuracy", percentage)):
        last = next((value for value in reversed(epochs.get(key) or []) if known(value)), None)
        if last is not None:
            parts.append(f"last epoch's {key} {text(last)}")
    return " · ".join(parts)


def accuracy_table(content: Content) -> str:
    """Test loss and accuracy, means with intervals."""
    rows = []
    for name, one in outcomes(content):
        if not one.used and not one.diverged:
            continue
        accuracies = [run["test"].get("accuracy") for run in one.used]
        spread = NOTHING
        if len(accuracies) > 1 and one.accuracy[0] is not None:
            spread = f"{percentage(min(accuracies))} to {percentage(max(accuracies))}"
        used = seeds(len(one.used), one.every, len(one.diverged))
        accuracy, loss = percentage(*one.accuracy), number(*one.loss)
        rows.append([content.label(name), accuracy, spread, loss, used])
    if not rows:
        return ""
    head = ["", "Test accuracy", "Worst to best seed", "Test loss", "Seeds"]
    return f'<div class="short">{table(head, rows, (1, 2, 3, 4), "Test accuracy and loss")}</div>'


def habits_lists(content: Content) -> str:
    """What each framework does by its own defaults."""
    parts = []
    for name, found in content.ordered(content.part("own_habits").get("frameworks")):
        habits = found.get("habits") or []
        if habits:
            items = "".join(f"<li>{escape(habit)}</li>" for habit in habits)
            parts.append(f"<div><h4>{content.label(name)}</h4><ul>{items}</ul></div>")
    return f'<div class="columns">{"".join(parts)}</div>' if parts else ""


def confusion_tables(content: Content) -> str:
    """The confusion matrices side by side."""
    classes = [str(name) for name in content.part("experiment").get("classes") or []]
    parts = []
    for name, found in content.ordered(content.part("own_habits").get("frameworks")):
        matrix = found.get("confusion")
        if matrix:
            names = classes if len(classes) == len(matrix) else [str(i) for i in range(len(matrix))]
            parts.append(_confusion(content, name, matrix, names))
    size = " small" if len(classes) <= 4 else ""
    return f'<div class="matrices{size}">{"".join(parts)}</div>' if parts else ""


def _confusion(content: Content, name: str, matrix: list[list[Any]], classes: list[str]) -> str:
    total = sum(value or 0 for row in matrix for value in row)
    right = sum(matrix[i][i] or 0 for i in range(len(matrix)))
    wrong = max(
        (v or 0 for i, row in enumerate(matrix) for j, v in enumerate(row) if i != j), default=0
    )
    head = "".join(f'<th scope="col">{escape(label)}</th>' for label in classes)
    rows = []
    for i, (label, row) in enumerate(zip(classes, matrix, strict=True)):
        whole = sum(value or 0 for value in row) or 1
        cells = []
        for j, value in enumerate(row):
            value = value or 0
            # right answers by their share of the class, errors by their share of the worst
            share = value / whole if i == j else value / (wrong or 1)
            kind = "hit" if i == j else "miss" if value else "zero"
            told = (
                f"{label} taken for {classes[j]}: {value:,}"
                if i != j
                else f"{label}: {value:,} right"
            )
            style = f"--share:{share:.3f}"
            cells.append(f'<td class="{kind}" style="{style}" title="{escape(told)}">{value}</td>')
        rows.append(f'<tr><th scope="row">{escape(label)}</th>{"".join(cells)}</tr>')
    share = percentage(right / total) if total else NOTHING
    title = escape(content.title(name))
    size = " many" if len(classes) > 4 else ""
    return f"""<figure><figcaption>{content.label(name)}
<small class="soft">{right:,} of {total:,} right, {share}</small></figcaption>
<div class="scroll" tabindex="0" role="region" aria-label="Confusion, {title}">
<table class="confusion{size}"><thead><tr><td class="corner"></td>{head}</tr></thead>
<tbody>{"".join(rows)}</tbody></table></div></figure>"""


def wrong_examples(content: Content) -> str:
    """The most confidently wrong test rows: as pictures where there are some, else as a table."""
    classes = [str(name) for name in content.part("experiment").get("classes") or []]
    pictures = (content.part("images") or {}).get("rows") or {}
    parts = []
    for name, found in content.ordered(content.part("own_habits").get("frameworks")):
        wrong = found.get("wrong") or []
        if not wrong:
            continue
        if pictures:
            inside = _pictures(wrong, pictures, classes)
        else:
            inside = _wrong_table(wrong, classes, content.title(name))
        parts.append(f'<div class="of-one"><h4>{content.label(name)}</h4>{inside}</div>')
    inside = "".join(parts)
    return inside if pictures else f'<div class="columns">{inside}</div>' if inside else ""


def _class_name(classes: list[str], index: Any) -> str:
    known_index = isinstance(index, int) and 0 <= index < len(classes)
    return classes[index] if known_index else str(index)


def _pictures(wrong: list[dict[str, Any]], pictures: dict[str, Any], classes: list[str]) -> str:
    shown = []
    for entry in wrong:
        true = _class_name(classes, entry.get("label"))
        said = _class_name(classes, entry.get("predicted"))
        sure = percentage(entry.get("probability"), digits=0)
        row = str(entry.get("row"))
        told = f"Row {row}: a {true}, taken for {said} with probability {sure}"
        canvas = (
            f'<canvas role="img" data-picture="{escape(row)}" aria-label="{escape(told)}"></canvas>'
            if row in pictures
            else f'<span class="soft">row {escape(row)}</span>'
        )
        shown.append(
            f'<figure title="{escape(told)}">{canvas}<figcaption>{escape(true)} → '
            f"<b>{escape(said)}</b><br><small>{unbroken(sure)}</small></figcaption></figure>"
        )
    first, others = shown[:_SHOWN_AT_ONCE], shown[_SHOWN_AT_ONCE:]
    text = f'<div class="wrong">{"".join(first)}</div>'
    if others:
        text += (
            f"<details><summary>{len(others)} more</summary>"
            f'<div class="wrong">{"".join(others)}</div></details>'
        )
    return text


def _wrong_table(wrong: list[dict[str, Any]], classes: list[str], title: str) -> str:
    rows = [
        [
            f"row {escape(entry.get('row'))}",
            escape(_class_name(classes, entry.get("label"))),
            escape(_class_name(classes, entry.get("predicted"))),
            percentage(entry.get("probability")),
        ]
        for entry in wrong
    ]
    body = table(["Test row", "Is", "Taken for", "Probability"], rows, (3,), f"{title}, wrong rows")
    return f"<details><summary>{count(len(rows), 'row')}</summary>{body}</details>"


_COSTS: tuple[tuple[str, str, Callable[[Any], str], str], ...] = (
    ("first_epoch_s", "Start to end of first epoch", duration, ""),
    ("epoch_ms", "A later epoch", lambda v: duration(v / 1000), "median"),
    ("process_s", "Whole process", duration, ""),
    ("import_s", "Import", duration, ""),
    ("peak_memory_mb", "Peak memory", size, "of the process"),
    ("package_mb", "Packages on disk", size, "with what they need"),
)


def cost_table(content: Content) -> str:
    """Times, memory and size, with bars in the cells and ratios to Cornu's."""
    timings = {
        name: found.get("timing") or {}
        for name, found in content.ordered(content.part("own_habits").get("frameworks"))
    }
    columns = [c for c in _COSTS if any(known(t.get(c[0])) for t in timings.values())]
    if not columns:
        return ""
    own = timings.get("cornu") or {}
    rows = []
    for name, timing in timings.items():
        cells = [content.label(name)]
        for key, _, text, _ in columns:
            value = timing.get(key)
            if not known(value):
                cells.append(f'<div class="cost">{NOTHING}</div>')
                continue
            most = max(t[key] for t in timings.values() if known(t.get(key))) or 1
            beside = ratio(value, own[key]) if known(own.get(key)) and name != "cornu" else ""
            cells.append(
                f'<div class="cost" style="--share:{value / most:.4f};'
                f'--bar:{content.styles[name]["color"]}"><span>{text(value)}</span>'
                f"<small>{escape(beside)}</small></div>"
            )
        rows.append(cells)
    head = ["", *(f"{title}, {note}" if note else title for _, title, _, note in columns)]
    return f'<div class="costs">{table(head, rows, (), "Cost")}</div>'


def difference_tables(content: Content) -> str:
    """In what each framework differs from Cornu for this network, as `port` tells it."""
    parts = []
    for name, found in content.ordered(content.part("differences")):
        if not found:
            continue
        rows = []
        for entry in found:
            where = listed(map(str, entry.get("where") or [])) or "the whole network"
            texts = (*(entry.get(key) or "" for key in ("what", "source", "target", "done")), where)
            rows.append([f'<span class="prose">{escape(text)}</span>' for text in texts])
        title = escape(content.title(name))
        head = ["What", "Cornu", title, "What the program does about it", "Where"]
        body = table(head, rows, (), f"Differences, {content.title(name)}")
        parts.append(f'<h3>{content.label(name)}</h3><div class="stacking">{body}</div>')
    return "".join(parts)


def findings_list(content: Content) -> str:
    """What `cornu check` found in the experiment."""
    if "findings" not in content.results:
        return ""
    findings = content.results.get("findings") or []
    if not findings:
        return "<p>cornu check found nothing wrong with the network.</p>"
    items = []
    for finding in findings:
        severity = str(finding.get("severity") or "info")
        level = {"error": "bad", "warning": "warn"}.get(severity, "plain")
        where = f" <code>{escape(finding['layer'])}</code>" if finding.get("layer") else ""
        advice = f"<br><small>{escape(finding['advice'])}</small>" if finding.get("advice") else ""
        code, message = (escape(finding.get(key) or "") for key in ("code", "message"))
        items.append(
            f'<li><span class="badge {level}">{escape(severity)}</span> '
            f"<b>{code}</b>{where} {message}{advice}</li>"
        )
    return f'<ul class="findings">{"".join(items)}</ul>'


def environment_section(content: Content) -> str:
    """How to repeat it."""
    found = content.part("environment")
    if not found:
        return ""
    machine = [found.get("processor"), found.get("platform")]
    cores, memory = found.get("cores"), found.get("memory_gb")
    machine += [f"{cores} cores"] if cores else []
    machine += [f"{size(1000 * memory)} of memory"] if known(memory) else []
    drawn = found.get("seeds") or content.part("own_habits").get("seeds") or []
    facts = {
        "Date": found.get("date"),
        "Python": found.get("python"),
        "Machine": ", ".join(str(part) for part in machine if part),
        "Seeds": ", ".join(map(str, drawn)),
        "Seed of the same start": content.part("same_start").get("seed"),
        "Commit": found.get("commit"),
    }
    lines = "".join(
        f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>"
        for name, value in facts.items()
        if value not in (None, "")
    )
    command = found.get("command")
    again = ""
    if command:
        again = (
            f'<div class="command"><pre class="scroll" tabindex="0"><code>{escape(command)}</code>'
            '</pre><button type="button" class="copy screen-only" data-copy="command">Copy</button>'
            "</div>"
        )
    packages = [[escape(n), escape(v or NOTHING)] for n, v in (found.get("packages") or {}).items()]
    versions = table(["Package", "Version"], packages, (), "Versions") if packages else ""
    return f'{again}<div class="repeat"><dl class="facts">{lines}</dl>{versions}</div>'
