"""The network as a drawing: a box a layer, an arrow a tensor, branches side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cornu.compare.amounts import TIMES
from cornu.plot.player.page import escape

# in pixels; a chain of boxes fits a phone
_WIDTH, _HEIGHT, _ACROSS, _DOWN, _BYPASS = 300, 50, 24, 24, 26
_LETTER = 6.6  # mean width of a letter at 12 px, to cut what would run out of its box


def network_svg(network: Sequence[Mapping[str, Any]]) -> str:
    """The drawing of a network.

    Args:
        network: `results["network"]`: its layers in computing order.

    Returns:
        An `<svg>` element.

    >>> drawing = network_svg([
    ...     {"name": "input", "kind": "Input", "inputs": [], "shape": [None, 2]},
    ...     {"name": "dense", "kind": "Dense", "inputs": ["input"], "shape": [None, 1],
    ...      "parameters": 3}])
    >>> drawing.count("<rect"), drawing.count("<path")
    (2, 2)
    """
    nodes = {str(node["name"]): node for node in network}
    sources = {
        name: [str(source) for source in node.get("inputs") or [] if str(source) in nodes]
        for name, node in nodes.items()
    }
    rows, links = _rows(list(nodes), sources)
    places = _places(rows, links, set(nodes))
    width = max(x + _size(name, nodes) for name, (x, _) in places.items())
    height = len(rows) * (_HEIGHT + _DOWN) - _DOWN
    lines = [_arrow(places, nodes, link) for link in links]
    boxes = [_box(nodes[name], *places[name]) for name in nodes]
    words = "; ".join(_spoken(node, sources[name]) for name, node in nodes.items())
    return (
        f'<svg class="network" role="img" aria-labelledby="drawing-title drawing-text" '
        f'viewBox="-1 -1 {width + 2:.0f} {height + 2:.0f}" width="{width + 2:.0f}" '
        f'height="{height + 2:.0f}"><title id="drawing-title">The network</title>'
        f'<desc id="drawing-text">{escape(words)}</desc>'
        '<defs><marker id="arrow-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0.5L8 4L0 7.5Z"/></marker></defs>'
        f"{''.join(lines)}{''.join(boxes)}</svg>"
    )


def _rows(
    names: list[str], sources: dict[str, list[str]]
) -> tuple[list[list[str]], list[tuple[str, str]]]:
    """The layers in rows by their distance from the inputs.

    An arrow that passes rows gets a place of its own in each of them (a name with a zero byte,
    which no layer has), so that it goes beside the boxes and not through them.
    """
    depth: dict[str, int] = {}
    for name in names:
        depth[name] = 1 + max((depth.get(source, 0) for source in sources[name]), default=-1)
    rows: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in names:
        rows[depth[name]].append(name)
    links = []
    for name in names:
        for source in sources[name]:
            before = source
            for row in range(depth[source] + 1, depth[name]):
                passing = f"{source}\0{name}\0{row}"
                rows[row].append(passing)
                links.append((before, passing))
                before = passing
            links.append((before, name))
    return rows, links


def _size(name: str, nodes: Mapping[str, Any] | set[str]) -> int:
    return _WIDTH if name in nodes else _BYPASS


def _places(
    rows: list[list[str]], links: list[tuple[str, str]], nodes: set[str]
) -> dict[str, tuple[float, float]]:
    """The upper left corner of each box: neighbours near each other, rows centred."""
    order = {name: float(i) for row in rows for i, name in enumerate(row)}
    for downwards in (True, False, True):
        for row in rows if downwards else reversed(rows):
            wanted = {}
            for name in row:
                pairs = [(a, b) if downwards else (b, a) for a, b in links]
                near = [order[a] for a, b in pairs if b == name]
                wanted[name] = sum(near) / len(near) if near else order[name]
            row.sort(key=lambda name: wanted[name])
            for i, name in enumerate(row):
                order[name] = i - (len(row) - 1) / 2
    widths = [sum(_size(n, nodes) for n in row) + _ACROSS * (len(row) - 1) for row in rows]
    places = {}
    for depth, row in enumerate(rows):
        x = (max(widths) - widths[depth]) / 2
        for name in row:
            places[name] = (x, depth * float(_HEIGHT + _DOWN))
            x += _size(name, nodes) + _ACROSS
    return places


def _arrow(
    places: dict[str, tuple[float, float]], nodes: dict[str, Any], link: tuple[str, str]
) -> str:
    one, two = link
    x1 = places[one][0] + _size(one, nodes) / 2
    x2 = places[two][0] + _size(two, nodes) / 2
    y1 = places[one][1] + _HEIGHT
    y2 = places[two][1]
    middle = (y1 + y2) / 2
    through = f"M{x1:.1f} {y1 - _HEIGHT:.1f}L{x1:.1f} {y1:.1f}" if one not in nodes else ""
    start = through or f"M{x1:.1f} {y1:.1f}"
    tip = ' marker-end="url(#arrow-head)"' if two in nodes else ""
    curve = (
        f"{start}C{x1:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {y2 - (two in nodes):.1f}"
    )
    return f'<path class="arrow" d="{curve}"{tip}/>'


def shape_text(shape: Any) -> str:
    """A shape with its batch axis left out.

    >>> shape_text([None, 28, 28, 1]).split(TIMES), shape_text([None, 10]), shape_text(None)
    (['28 ', ' 28 ', ' 1'], '10', '')
    """
    if not isinstance(shape, (list, tuple)):
        return ""
    if shape and isinstance(shape[0], (list, tuple)):
        return ", ".join(shape_text(part) for part in shape)
    return f" {TIMES} ".join("?" if size is None else f"{size}" for size in shape[1:]) or "1"


def _cut(text: str, width: float) -> str:
    letters = max(3, int(width / _LETTER))
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def _box(node: Mapping[str, Any], x: float, y: float) -> str:
    kind, name = str(node.get("kind") or ""), str(node["name"])
    detail = str(node.get("detail") or "")
    parameters = node.get("parameters") or 0
    right = f"{parameters:,} parameters" if parameters else ""
    room = _WIDTH - 24
    shape = _cut(shape_text(node.get("shape")), room * 0.45)
    head = _cut(kind, room - len(shape) * 7 - 12)
    below = _cut(" · ".join(part for part in (detail, name) if part), room - len(right) * 6.4 - 14)
    kind_class = "box input" if kind == "Input" else "box" if parameters else "box bare"
    full = " · ".join(part for part in (kind, detail, name, right) if part)
    return (
        f'<g class="{kind_class}" transform="translate({x:.1f} {y:.1f})">'
        f"<title>{escape(full)}</title>"
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="8"/>'
        f'<text class="kind" x="12" y="21">{escape(head)}</text>'
        f'<text class="shape" x="{_WIDTH - 12}" y="21" text-anchor="end">{escape(shape)}</text>'
        f'<text x="12" y="39">{escape(below)}</text>'
        f'<text x="{_WIDTH - 12}" y="39" text-anchor="end">{escape(right)}</text></g>'
    )


def _spoken(node: Mapping[str, Any], sources: list[str]) -> str:
    parts = [f"{node['name']}: {node.get('kind')}"]
    parts += [str(node["detail"])] if node.get("detail") else []
    shape = shape_text(node.get("shape"))
    parts += [f"shape {shape}"] if shape else []
    parts += [f"{node['parameters']:,} parameters"] if node.get("parameters") else []
    parts += [f"from {', '.join(sources)}"] if sources else []
    return ", ".join(parts)
