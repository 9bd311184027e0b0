"""What came out, in sentences: what went wrong first."""

from __future__ import annotations

import dataclasses
from typing import Any

from cornu.compare.report.content import Content
from cornu.compare.report.numbers import (
    TIMES,
    count,
    known,
    listed,
    mean_and_half,
    number,
    percent,
    seconds,
)


@dataclasses.dataclass(frozen=True)
class Notice:
    """Something to be seen before all else.

    Attributes:
        level: "bad", "warn" or "info".
        text: one sentence or two.
        lines: the last lines of a program that failed.
    """

    level: str
    text: str
    lines: tuple[str, ...] = ()


def notices(content: Content) -> list[Notice]:
    """Failures, differences and errors that `check` found, then what was skipped."""
    found = []
    for entry in content.frameworks:
        if entry.get("status") == "failed":
            text = _because(f"{content.title(entry['name'])} failed", entry.get("reason"))
            found.append(Notice("bad", text, tuple(entry.get("last_lines") or ())))
    apart: dict[str, list[str]] = {}  # what is true of several dtypes is said once
    for name, dtype, verdict in verdicts(content):
        if verdict.get("same") is False:
            text, title = verdict_text(content, name, verdict), content.title(name)
            if title not in text:
                text = f"{title} and Cornu: {text[:1].lower()}{text[1:]}"
            apart.setdefault(text, []).append(dtype)
    for text, dtypes in apart.items():
        found.append(Notice("bad", f"Same start, {listed(dtypes)}. {text}"))
    for finding in content.results.get("findings") or []:
        if finding.get("severity") == "error":
            text = _because(f"cornu check, {finding.get('code')}", finding.get("message"))
            found.append(Notice("bad", text))
    for entry in content.frameworks:
        if entry.get("status") == "skipped":
            text = _because(f"{content.title(entry['name'])} was skipped", entry.get("reason"))
            found.append(Notice("warn", text, tuple(entry.get("last_lines") or ())))
    return found


def _because(what: str, reason: Any) -> str:
    text = str(reason or "").strip()
    return f"{what}: {text.rstrip('.')}." if text else f"{what}."


def verdicts(content: Content) -> list[tuple[str, str, dict[str, Any]]]:
    """(framework, dtype, verdict) of the same start."""
    return [
        (name, dtype, found["verdict"])
        for dtype, entry in (content.part("same_start").get("dtypes") or {}).items()
        for name, found in content.ordered((entry or {}).get("frameworks"))
        if found.get("verdict")
    ]


def verdict_text(content: Content, name: str, verdict: dict[str, Any]) -> str:
    """The sentence of a verdict, made from its parts where it brings none."""
    text = str(verdict.get("text") or "").strip()
    if not text:
        text = "lies on Cornu's curve" if verdict.get("same") else "does not follow Cornu's curve"
        if verdict.get("step"):
            text += f" from step {verdict['step']:,} on"
        if verdict.get("place"):
            text += f", at {verdict['place']}"
        text = f"{content.title(name)} {text}"
    cause = str(verdict.get("cause") or "").strip()
    if cause and cause.rstrip(".") not in text:
        text = f"{text.rstrip('.')}. Cause: {cause}"
    return f"{text.rstrip('.')}."


def summary(content: Content) -> list[str]:
    """Two to four sentences: what was trained, in what, and what came out."""
    return [
        text
        for text in (_trained(content), *_same(content), _accuracy(content), _time(content))
        if text
    ]


def _trained(content: Content) -> str:
    experiment = content.part("experiment")
    size = experiment.get("parameters")
    network = f"A network of {count(size, 'parameter')}" if size else "The network"
    long = f" for {count(experiment['epochs'], 'epoch')}" if experiment.get("epochs") else ""
    done = [e["name"] for e in content.frameworks if e.get("status", "finished") == "finished"]
    if not done:
        return f"{network} was to be trained{long}, but no framework finished."
    where = listed(content.title(name) for name in done)
    return f"{network} was trained{long} in {where}."


def _same(content: Content) -> list[str]:
    sentences = []
    for dtype, entry in (content.part("same_start").get("dtypes") or {}).items():
        found = [(name, verdict) for name, d, verdict in verdicts(content) if d == dtype]
        alike = [(name, verdict) for name, verdict in found if verdict.get("same")]
        apart = [name for name, verdict in found if verdict.get("same") is False]
        parts = []
        if alike:
            parts.append(_alike(content, alike, (entry or {}).get("tolerance")))
        if apart:
            who = listed(content.title(name) for name in apart)
            verb = "parts from Cornu" if len(apart) == 1 else "part from Cornu"
            parts.append(f"{who} {verb}")
        if parts:
            sentences.append(f"From the same start in {dtype}, {'; '.join(parts)}.")
    return sentences


def _alike(content: Content, found: list[tuple[str, dict[str, Any]]], limit: Any) -> str:
    who = listed(content.title(name) for name, _ in found)
    losses = "the loss of {} lies" if len(found) == 1 else "the losses of {} lie"
    text = f"{losses.format(who)} on Cornu's"
    sizes = [verdict["largest"] for _, verdict in found if known(verdict.get("largest"))]
    if sizes:
        allowed = f" where {number(limit)} is allowed" if known(limit) else ""
        text += f" (relative differences of at most {number(max(sizes))}{allowed})"
    if any(verdict.get("kind") == "rounding" for _, verdict in found):
        text += ", apart from the growth of rounding"
    return text


def _accuracy(content: Content) -> str:
    parts, n = [], 0
    for name, found in content.ordered(content.part("own_habits").get("frameworks")):
        runs = found.get("runs") or []
        mean, half, n_runs = mean_and_half((run.get("test") or {}).get("accuracy") for run in runs)
        if mean is not None:
            n = max(n, n_runs)
            parts.append(f"{content.title(name)} {share_text(mean, half)}")
    if not parts:
        return ""
    seeds = f" (means of {n} seeds with 95 % intervals)" if n > 1 else " (one seed)"
    return f"With each one's own habits, test accuracy is {listed(parts)}{seeds}."


def _time(content: Content) -> str:
    times = {
        name: found["timing"]["epoch_ms"] / 1000
        for name, found in content.ordered(content.part("own_habits").get("frameworks"))
        if known((found.get("timing") or {}).get("epoch_ms"))
    }
    if len(times) < 2 or not times.get("cornu"):
        return ""
    own = times.pop("cornu")
    others = [
        f"{seconds(value)} in {content.title(name)} ({ratio(value / own)})"
        for name, value in times.items()
    ]
    return f"An epoch takes {seconds(own)} in Cornu, {listed(others)}."


def ratio(value: float) -> str:
    """How many times as much.

    >>> [ratio(value)[:-1] for value in (1.04, 27.3, 0.5, 0.0021)]
    ['1.04', '27', '0.50', '0.002']
    """
    if 0 < value < 0.1:
        return f"{number(value, 1)}{TIMES}"
    digits = 2 if value < 3 else 1 if value < 10 else 0
    return f"{value:,.{digits}f}{TIMES}"


def share_text(mean: float | None, half: float | None) -> str:
    """A mean share with half its interval, to as many decimals as the interval allows.

    >>> share_text(0.9781, 0.0062).replace(chr(160), " "), share_text(0.9781, None)[:4]
    ('97.8 ± 0.6 %', '97.8')
    """
    if mean is None or half is None:
        return percent(mean)
    digits = 1 if half >= 0.001 else 2
    return f"{100 * mean:.{digits}f}\u00a0±\u00a0{100 * half:.{digits}f}\u00a0%"
