"""The HTML player of a movie."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cornu.plot.player.page import asset, color_rules, escape, line_styles, page

_FOLDER = Path(__file__).parent
STYLES = [asset(_FOLDER / name) for name in ("page.css", "chart.css", "player.css")]
HEAD_SCRIPTS = [asset(_FOLDER / "theme.js")]
SCRIPTS = [asset(_FOLDER / name) for name in ("chart.js", "player.js")]


def styled_movie(movie: Mapping[str, Any], styles: Mapping[str, dict[str, str]]) -> dict:
    """The movie with each series' colour and dashes, by the series' name."""
    series = [{**entry, **styles.get(entry["name"], {})} for entry in movie.get("series") or []]
    return {"kind": "boundary", **movie, "epochs": movie.get("epochs") or [], "series": series}


def player_html(movie: Mapping[str, Any]) -> str:
    """One HTML page that plays a movie: pictures of training, epoch by epoch.

    It holds everything it needs and asks nothing of the network. Space plays and stops, the arrow
    keys go from frame to frame; several series play side by side, with their curves below them.

    Args:
        movie: plain data, as `cornu.callbacks.DecisionBoundary.movie()` gives it:

            - `kind`: `"boundary"` (`frames` hold the probability of class 1 times 255),
              `"classes"` (`frames` hold the index of the winning class and, optionally,
              `confidence` its probability times 255) or `"images"` (`frames` hold gray pixels).
            - `title`; `shape`, `(rows, columns)` of a frame; `epochs`, one number (1-based) a
              frame. Row 0 is the bottom, but for images, where it is the top.
            - `extent` `(left, right, bottom, top)`, `classes`, `axes` (the features' names) and
              `points` `[x, y, class index]`: not for images.
            - `series`: each with `name`, `title`, `frames` (base64 of `rows * columns` uint8) and,
              optionally, `curves` `{"loss": [one value a frame], ...}`.

    Returns:
        The page, to be written as UTF-8.

    >>> import base64
    >>> frames = [base64.b64encode(bytes([0, 80, 160, 255])).decode()] * 2
    >>> text = player_html({
    ...     "kind": "boundary", "title": "Two moons", "shape": (2, 2), "extent": (0, 1, 0, 1),
    ...     "epochs": [1, 2], "classes": ["0", "1"], "axes": ["x1", "x2"],
    ...     "points": [[0.2, 0.3, 0]],
    ...     "series": [{"name": "cornu", "title": "Cornu", "frames": frames}]})
    >>> text.startswith("<!doctype html>"), "default-src 'none'" in text
    (True, True)
    """
    names = [entry["name"] for entry in movie.get("series") or []]
    title = movie.get("title") or "Training, epoch by epoch"
    body = f"""<header class="bar-inner player-head"><h1>{escape(title)}</h1>
<button type="button" class="theme screen-only" hidden>Dark theme</button></header>
<main>
<section class="player" data-movie="movie" data-alone aria-label="{escape(title)}"></section>
<p class="soft"><small>Space plays and stops; the left and right arrow keys go one frame; Home and
End go to the first and the last.</small></p>
<noscript><p>The pictures are drawn by JavaScript, which is switched off here.</p></noscript>
</main>"""
    return page(
        title,
        body,
        [*STYLES, color_rules(names)],
        HEAD_SCRIPTS,
        SCRIPTS,
        {"movie": styled_movie(movie, line_styles(names))},
    )


def save_player(movie: Mapping[str, Any], path: str | Path) -> Path:
    """Writes `player_html(movie)` to a file.

    Args:
        movie: see `player_html`.
        path: the `.html` file; its folder is made where it is missing.

    Returns:
        The path.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(player_html(movie), encoding="utf-8")
    return path
