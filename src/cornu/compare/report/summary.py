"""What came out, in sentences: what went wrong first."""

from __future__ import annotations

import dataclasses
from typing import Any

from cornu.compare.amounts import (
    busy_machine,
    duration,
    number,
    percentage,
    ratio,
    verdict_kind,
)
from cornu.compare.report.content import Content
from cornu.compare.report.numbers import count, known, listed
from cornu.compare.statistics import Outcome, outcome


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
    """Failures, runs that diverged, differences, what `check` found, then what was skipped."""
    found = []
    for entry in content.frameworks:
        if entry.get("status") == "failed":
            text = _because(f"{content.title(entry['name'])} failed", entry.get("reason"))
            found.append(Notice("bad", text, tuple(entry.get("last_lines") or ())))
    for name, one in outcomes(content):
        if one.diverged:
            found.append(Notice("bad", _diverged(content.title(name), one)))
    apart: dict[str, list[str]] = {}  # what is true of several dtypes is said once
    for name, dtype, verdict in verdicts(content):
        if verdict.get("same") is False:
            apart.setdefault(verdict_text(content, name, verdict), []).append(dtype)
    for text, dtypes in apart.items():
        found.append(Notice("bad", f"Same start, {listed(dtypes)}. {text}"))
    for finding in content.results.get("findings") or []:
        if finding.get("severity") == "error":
            text = _because(f"cornu check, {finding.get('code')}", finding.get("message"))
            found.append(Notice("bad", text))
    if busy := busy_machine(content.results):
        found.append(Notice("warn", busy))
    for entry in content.frameworks:
        if entry.get("status") == "skipped":
            text = _because(f"{content.title(entry['name'])} was skipped", entry.get("reason"))
            found.append(Notice("warn", text, tuple(entry.get("last_lines") or ())))
    return found


def _because(what: str, reason: Any) -> str:
    text = str(reason or "").strip()
    return f"{what}: {text.rstrip('.')}." if text else f"{what}."


def outcomes(content: Content) -> list[tuple[str, Outcome]]:
    """(framework, what its runs by its own habits came to)."""
    return [
        (name, outcome(found.get("runs")))
        for name, found in content.ordered(content.part("own_habits").get("frameworks"))
    ]


def _diverged(title: str, found: Outcome) -> str:
    where = []
    for run in found.diverged:
        losses = (run.get("history") or {}).get("loss") or []
        epoch = next((i for i, loss in enumerate(losses, 1) if not known(loss)), None)
        after = f" in epoch {epoch:,}" if epoch else ""
        where.append(f"seed {run.get('seed', '?')}{after}")
    many = len(found.diverged)
    which = f"{many} of its {found.every} runs"
    if many == found.every:
        which = f"all its {many} runs" if many > 1 else "its only run"
    left = "no mean has it" if many == 1 else "no mean has them"
    text = f"{title} diverged with its own habits: the loss of {which} became no number"
    return f"{text} ({listed(where)}); {left}."


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
        found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        for name, of_dtype, verdict in verdicts(content):
            if of_dtype == dtype:
                found.setdefault(verdict_kind(verdict), []).append((name, verdict))
        limit = (entry or {}).get("tolerance")
        parts = []
        if "same" in found:
            parts.append(_alike(content, found["same"], limit))
        if "different" in found:
            who = listed(content.title(name) for name, _ in found["different"])
            parts.append(f"{who} {_parts(found['different'])} from Cornu")
        texts = ["; ".join(parts)] if parts else []
        texts += _by_rounding(content, found.get("rounding", []), dtype, limit)
        if texts:
            sentences.append(f"From the same start in {dtype}, {'. '.join(texts)}.")
    return sentences


def _parts(who: list[Any]) -> str:
    return "parts" if len(who) == 1 else "part"


def _by_rounding(
    content: Content, found: list[tuple[str, dict[str, Any]]], dtype: str, limit: Any
) -> list[str]:
    """A clause for the frameworks that part from Cornu at the same step by rounding."""
    in_float64 = {
        name: verdict_kind(verdict)
        for name, of_dtype, verdict in verdicts(content)
        if of_dtype == "float64" and dtype != "float64"
    }
    groups: dict[tuple[Any, Any, bool], list[str]] = {}
    for name, verdict in found:
        key = (verdict.get("step"), verdict.get("epoch"), in_float64.get(name) == "same")
        groups.setdefault(key, []).append(name)
    texts = []
    for (step, epoch, is_same), names in groups.items():
        who = listed(content.title(name) for name in names)
        text = f"{who} {_parts(names)} from Cornu by rounding"
        if step:
            beyond = f"beyond {number(limit)} " if known(limit) else ""
            text += f", {beyond}from step {step:,}" + (f" (epoch {epoch:,})" if epoch else "")
        if is_same:
            text += f"; in float64 {'it lies' if len(names) == 1 else 'they lie'} on Cornu's"
        texts.append(text)
    return texts


def _alike(content: Content, found: list[tuple[str, dict[str, Any]]], limit: Any) -> str:
    who = listed(content.title(name) for name, _ in found)
    losses = "the loss of {} lies" if len(found) == 1 else "the losses of {} lie"
    text = f"{losses.format(who)} on Cornu's"
    sizes = [verdict["largest"] for _, verdict in found if known(verdict.get("largest"))]
    if sizes:
        allowed = f" where {number(limit)} is allowed" if known(limit) else ""
        text += f" (relative differences of at most {number(max(sizes))}{allowed})"
    return text


def _accuracy(content: Content) -> str:
    found = [(name, one) for name, one in outcomes(content) if one.accuracy[0] is not None]
    if not found:
        return ""
    parts = [f"{content.title(name)} {percentage(*one.accuracy)}" for name, one in found]
    n = max(len(one.used) for _, one in found)
    which = f"{n} seeds"
    if any(one.diverged for _, one in found):
        which = "the seeds that did not diverge"
    seeds = f" (means of {which} with 95 % intervals)" if n > 1 else " (one seed)"
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
        f"{duration(value)} in {content.title(name)} ({ratio(value, own)})"
        for name, value in times.items()
    ]
    return f"An epoch takes {duration(own)} in Cornu, {listed(others)}."
