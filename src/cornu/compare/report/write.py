"""The report: one self-contained HTML page from the results of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cornu.compare.amounts import NOTHING
from cornu.compare.report import tables
from cornu.compare.report.charts import habit_charts, step_charts
from cornu.compare.report.content import Content
from cornu.compare.report.network import network_svg
from cornu.compare.report.numbers import count, unbroken
from cornu.compare.report.programs import programs_section
from cornu.compare.report.summary import Notice, notices, outcomes, summary
from cornu.plot.player.page import asset, color_rules, escape, page
from cornu.plot.player.player import HEAD_SCRIPTS, SCRIPTS, STYLES, styled_movie

_FOLDER = Path(__file__).parent


def write_report(results: Mapping[str, Any], path: str | Path) -> Path:
    """Writes `report_html(results)` to a file.

    Args:
        results: plain data, as it is in `results.json`.
        path: the `.html` file; its folder is made where it is missing.

    Returns:
        The path.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report_html(results), encoding="utf-8")
    return path


def report_html(results: Mapping[str, Any]) -> str:
    """The report of a comparison as one HTML page that needs no network.

    A part that the results lack is left out. What went wrong comes first.

    Args:
        results: plain data, as it is in `results.json`.

    Returns:
        The page, to be written as UTF-8.

    >>> text = report_html({"experiment": {"name": "moons", "title": "Two moons"}})
    >>> "<h1>Two moons</h1>" in text
    True
    """
    content = Content.of(results)
    data: dict[str, Any] = {
        "frameworks": [
            {"key": name, "label": content.title(name), **content.styles[name]}
            for name in content.names
        ]
    }
    sections = []
    for name, title, make in _SECTIONS:
        body = make(content, data)
        if name == "movie" and content.part("movie").get("kind") == "images":
            title = escape(content.part("movie").get("title") or "Pictures")
        if body:
            sections.append((name, title, body))
    experiment = content.part("experiment")
    title = str(experiment.get("title") or experiment.get("name") or "Comparison")
    links = "".join(f'<li><a href="#{name}">{head}</a></li>' for name, head, _ in sections)
    parts = "".join(
        f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{head}</h2>'
        f"{body}</section>"
        for name, head, body in sections
    )
    body = f"""<a class="skip" href="#content">Skip to the content</a>
<header><div class="bar-inner">
<p class="above"><span>cornu compare</span>
<button type="button" class="theme screen-only" hidden>Dark theme</button></p>
<h1>{escape(title)}</h1>
{_lead(content)}
</div></header>
<main id="content">
{_notices(notices(content))}
<p class="summary">{unbroken(" ".join(summary(content)))}</p>
<noscript><p class="notice warn">The curves and the movie are drawn by JavaScript, which is switched
off here.</p></noscript>
<nav class="contents" aria-label="Contents"><ol>{links}</ol></nav>
{parts}
</main>
<footer class="bar-inner"><p><small class="soft">Written by cornu compare. This page holds all it
needs and asks nothing of the network.</small></p></footer>"""
    return page(
        f"{title} - cornu compare",
        body,
        [*STYLES, asset(_FOLDER / "report.css"), color_rules(content.names)],
        HEAD_SCRIPTS,
        [*SCRIPTS, asset(_FOLDER / "report.js")],
        data,
    )


def _lead(content: Content) -> str:
    text = content.part("experiment").get("description")
    return f'<p class="lead">{escape(text)}</p>' if text else ""


def _notices(found: list[Notice]) -> str:
    parts = []
    for notice in found:
        lines = ""
        if notice.lines:
            text = escape("\n".join(str(line) for line in notice.lines))
            lines = (
                "<details><summary>Its last lines</summary>"
                f'<pre class="scroll" tabindex="0"><code>{text}</code></pre></details>'
            )
        parts.append(
            f'<div class="notice {notice.level}"><p>{unbroken(notice.text)}</p>{lines}</div>'
        )
    return "".join(parts)


def _network(content: Content, data: dict[str, Any]) -> str:
    network = content.results.get("network") or []
    experiment = content.part("experiment")
    rows = experiment.get("rows") or {}
    sizes = ", ".join(f"{value:,} {name}" for name, value in rows.items() if value)
    facts = {
        "Data": sizes and f"{sizes} rows",
        "Classes": ", ".join(map(str, experiment.get("classes") or [])),
        "Features": _features(experiment.get("features")),
        "Loss": experiment.get("loss"),
        "Optimizer": experiment.get("optimizer"),
        "Batch size": experiment.get("batch_size"),
        "Epochs": experiment.get("epochs"),
        "Parameters": f"{experiment['parameters']:,}" if experiment.get("parameters") else None,
        "From": experiment.get("source"),
    }
    lines = "".join(
        f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>"
        for name, value in facts.items()
        if value
    )
    taken_part = "".join(
        f"<div><dt>{content.label(entry['name'])}</dt><dd>{escape(_status(entry))}</dd></div>"
        for entry in content.frameworks
    )
    drawing = ""
    if network:
        drawing = (
            '<div class="scroll drawing" tabindex="0" role="region" aria-label="The network">'
            f"{network_svg(network)}</div>"
        )
    if not (drawing or lines or taken_part):
        return ""
    return (
        f'<div class="overview">{drawing}<div><dl class="facts">{lines}</dl>'
        f'<h3>Frameworks</h3><dl class="facts">{taken_part}</dl></div></div>'
    )


def _features(features: Any) -> str:
    if not features:
        return ""
    names = [str(name) for name in features]
    return ", ".join(names) if len(names) <= 6 else f"{len(names)}: {', '.join(names[:3])}, …"


def _status(entry: dict[str, Any]) -> str:
    parts = [str(entry["version"])] if entry.get("version") else []
    if entry.get("status", "finished") != "finished":
        parts.append(str(entry["status"]))
    if entry.get("resumed"):
        parts.append("resumed: its results were there already")
    parts += [str(note) for note in entry.get("notes") or []]
    return "; ".join(parts) or NOTHING


def _same_start(content: Content, data: dict[str, Any]) -> str:
    charts = step_charts(content)
    if not charts:
        return ""
    data["steps"] = charts
    tabs, panels = [], []
    for place, dtype in enumerate(charts):
        name = escape(dtype)
        checked = " checked" if place == 0 else ""
        tabs.append(
            f'<label><input type="radio" name="dtype" value="{name}"{checked}> {name}</label>'
        )
        hidden = " hidden" if place else ""
        panels.append(
            f'<div class="panel" data-dtype="{name}"{hidden}>'
            f'<h3 class="print-only">{name}</h3>'
            f'<div class="charts" data-charts="steps" data-part="{name}"></div>'
            f"{tables.verdict_list(content, dtype)}</div>"
        )
    entries = content.part("same_start")["dtypes"].values()
    steps = max((entry or {}).get("steps") or 0 for entry in entries)
    long = f" ({count(steps, 'step')} in all)" if steps else ""
    choice = (
        f'<fieldset class="tabs screen-only"><legend>Precision</legend>{"".join(tabs)}</fieldset>'
    )
    return f"""<p>The same initial weights, the same batches in the same order, no dropout: the
curves must lie on each other{long}. Below, how far each one's loss is from Cornu's; zero lies on
the lower edge.</p>
{choice if len(charts) > 1 else ""}<div data-legend="steps"></div>{"".join(panels)}"""


def _own_habits(content: Content, data: dict[str, Any]) -> str:
    charts = habit_charts(content)
    accuracy = tables.accuracy_table(content)
    if not charts and not accuracy:
        return ""
    data["habits"] = {"all": charts}
    seeds = content.part("own_habits").get("seeds") or []
    without = ""
    if any(one.diverged for _, one in outcomes(content)):
        without = " without those that diverged"
    bands = (
        f"Lines are means of {count(len(seeds), 'seed')}{without}, bands their 95 % t-intervals."
        if len(seeds) > 1
        else "One seed: no intervals."
    )
    return f"""<p>Each framework as it comes: its own initial weights, its own order of batches,
its own defaults. {bands}</p><div data-legend="habits"></div>
<div class="charts two" data-charts="habits" data-part="all"></div>
<h3>On the test data</h3>{accuracy}"""


def _movie(content: Content, data: dict[str, Any]) -> str:
    movie = content.results.get("movie")
    if not movie or not movie.get("epochs") or not movie.get("series"):
        return ""
    data["movie"] = styled_movie(movie, content.styles)
    what = (
        "The picture of each framework after the same epoch."
        if movie.get("kind") == "images"
        else "What each network would say at every point of the plane after the same epoch, and "
        "where it changes its mind (the line). Points are data."
    )
    return f"""<p>{what} <span class="screen-only">Space plays and stops, the arrow keys go from
frame to frame.</span></p>
<div class="player" data-movie="movie" role="group" aria-label="Movie of training"></div>"""


def _errors(content: Content, data: dict[str, Any]) -> str:
    matrices = tables.confusion_tables(content)
    wrong = tables.wrong_examples(content)
    if not matrices and not wrong:
        return ""
    if content.results.get("images"):
        data["images"] = content.results["images"]
    text = ""
    if matrices:
        text = (
            "<p>On the test data, first seed. A row for each true class, a column for each "
            f"predicted one.</p>{matrices}"
        )
    if wrong:
        text += f"<h3>Most confidently wrong</h3>{wrong}"
    return text


def _cost(content: Content, data: dict[str, Any]) -> str:
    body = tables.cost_table(content)
    note = (
        "<p>One process for each framework, on the same machine; small: how many times Cornu's.</p>"
    )
    return f"{note}{body}" if body else ""


def _programs(content: Content, data: dict[str, Any]) -> str:
    body = programs_section(content)
    if body:
        data["programs"] = [str(entry.get("text") or "") for entry in content.part("programs")]
    return body


def _differences(content: Content, data: dict[str, Any]) -> str:
    found = tables.difference_tables(content)
    habits = tables.habits_lists(content)
    findings = tables.findings_list(content)
    text = f"<p>Where defaults or conventions differ for this network.</p>{found}" if found else ""
    text += f"<h3>Defaults of each one</h3>{habits}" if habits else ""
    text += f"<h3>Findings of cornu check</h3>{findings}" if findings else ""
    return text


def _repeat(content: Content, data: dict[str, Any]) -> str:
    return tables.environment_section(content)


_SECTIONS = (
    ("network", "The network", _network),
    ("same-start", "Same start", _same_start),
    ("own-habits", "Own habits", _own_habits),
    ("movie", "Decision boundary", _movie),
    ("errors", "Mistakes", _errors),
    ("cost", "Cost", _cost),
    ("programs", "Programs", _programs),
    ("differences", "Differences", _differences),
    ("repeat", "How to repeat it", _repeat),
)
