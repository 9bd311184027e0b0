"""Self-contained HTML pages: style, scripts and data inside, and no way out to the network."""

from __future__ import annotations

import base64
import colorsys
import hashlib
import html
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cornu.plot.colors import CLASS_COLORS, class_color, color_of

# Lines are told apart without colour by these (lengths of dash and gap, in pixels).
DASHES = ("", "8 4", "2 3", "11 3 2 3", "5 2", "14 4", "1 2", "9 3 1 3 1 3")


def asset(path: Path) -> str:
    """The text of a style sheet or script that lies beside the Python files."""
    return path.read_text(encoding="utf-8")


def plain(value: Any) -> Any:
    """What JSON can say of a value: NaN and infinities become None, arrays lists, keys text.

    >>> import numpy as np
    >>> plain({1: np.float32("nan"), "shape": (np.int64(2), 3.5), "end": float("inf")})
    {'1': None, 'shape': [2, 3.5], 'end': None}
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, Iterable):
        return [plain(entry) for entry in value]
    return str(value)


def json_element(name: str, value: Any) -> str:
    """A `<script type="application/json">` that holds a value, and that no text in it can end.

    >>> print(json_element("names", ["</b>"]))
    <script type="application/json" id="names">["\\u003c/b\\u003e"]</script>
    """
    text = json.dumps(plain(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f'<script type="application/json" id="{escape(name)}">{text}</script>'


def escape(text: Any) -> str:
    """Text for an element or for an attribute in double quotes.

    >>> escape('<b> & "c"')
    '&lt;b&gt; &amp; &quot;c&quot;'
    """
    return html.escape(str(text), quote=True)


def in_the_dark(color: str, lightness: float = 0.66) -> str:
    """A lighter colour of the same hue and saturation, for lines on a dark ground.

    >>> in_the_dark("#2b6cb0")
    '#74a7dd'
    """
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    parts = colorsys.hls_to_rgb(hue, max(light, lightness), saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def line_styles(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """How each framework's lines look, by its name: `{"color": "var(--line-0)", "dash": ""}`."""
    return {
        name: {"color": f"var(--line-{place})", "dash": DASHES[place % len(DASHES)]}
        for place, name in enumerate(names)
    }


def color_rules(names: Iterable[str]) -> str:
    """The CSS variables of `line_styles`, and those of the classes, for both themes."""
    colors = {f"--line-{i}": color_of(name, i) for i, name in enumerate(names)}
    colors |= {f"--class-{i}": class_color(i) for i in range(len(CLASS_COLORS))}
    rules = [f"{name}:light-dark({c},{in_the_dark(c)});" for name, c in colors.items()]
    return ":root{" + "".join(rules) + "}"


def page(
    title: str,
    body: str,
    styles: Iterable[str],
    head_scripts: Iterable[str],
    scripts: Iterable[str],
    data: Mapping[str, Any],
) -> str:
    """A whole HTML page.

    Its Content-Security-Policy refuses the network, and every script but those given here, by
    their SHA-256: text that found its way into the page cannot run.

    Args:
        title: of the window; text, not HTML.
        body: HTML.
        styles: style sheets.
        head_scripts: scripts to run before the body is there.
        scripts: scripts to run after the body and the data.
        data: values by name; the element that holds each as JSON has the id `data-NAME`.

    Returns:
        The page, to be written as UTF-8.
    """
    before, after = list(head_scripts), list(scripts)
    digests = [hashlib.sha256(text.encode()).digest() for text in (*before, *after)]
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    allowed = hashes or "'none'"
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        f"script-src {allowed}; base-uri 'none'; form-action 'none'"
    )
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escape(title)}</title>",
        '<link rel="icon" href="data:,">',
        *(f"<style>\n{style}</style>" for style in styles),
        *(f"<script>{script}</script>" for script in before),
        "</head>",
        "<body>",
        body,
        *(json_element(f"data-{name}", value) for name, value in data.items()),
        *(f"<script>{script}</script>" for script in after),
        "</body>",
        "</html>",
        "",
    ]
    return "\n".join(parts)
