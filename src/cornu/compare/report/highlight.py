"""Python source as coloured HTML, one entry a line."""

from __future__ import annotations

import builtins
import io
import keyword
import token
import tokenize

from cornu.plot.player.page import escape

_BUILTINS = set(dir(builtins))
_STRINGS = {
    getattr(token, name)
    for name in ("STRING", "FSTRING_START", "FSTRING_MIDDLE", "FSTRING_END")
    if hasattr(token, name)
}


def highlighted(source: str) -> list[str]:
    """The lines of a Python program as HTML with its words in `<span class=...>`.

    Classes: `k` keyword, `s` string, `c` comment, `n` number, `b` builtin, `d` the name that a
    `def` or `class` defines, `a` decorator. Text that is no Python is escaped and left plain.

    >>> highlighted("return 1  # <one>")
    ['<span class="k">return</span> <span class="n">1</span>  <span class="c"># &lt;one&gt;</span>']
    >>> highlighted('x = "')
    ['x = &quot;']
    """
    lines = source.expandtabs(4).split("\n")
    if lines and not lines[-1]:
        lines.pop()
    spans: list[list[tuple[int, int, str]]] = [[] for _ in lines]
    try:
        for kind, (row, column), (end_row, end_column) in _colored(lines):
            for at in range(row, min(end_row, len(lines)) + 1):
                begin = column if at == row else 0
                end = end_column if at == end_row else len(lines[at - 1])
                spans[at - 1].append((begin, end, kind))
    except (tokenize.TokenError, SyntaxError):
        return [escape(line) for line in lines]
    return [_line(text, found) for text, found in zip(lines, spans, strict=True)]


def _colored(lines: list[str]):
    before = ""
    reader = io.StringIO("\n".join(lines) + "\n")
    for part in tokenize.generate_tokens(reader.readline):
        kind = _kind(part, before)
        if kind:
            yield kind, part.start, part.end
        if part.type not in (token.NL, token.COMMENT, token.INDENT, token.DEDENT):
            before = part.string


def _kind(part: tokenize.TokenInfo, before: str) -> str | None:
    if part.type == token.COMMENT:
        return "c"
    if part.type in _STRINGS:
        return "s"
    if part.type == token.NUMBER:
        return "n"
    if part.type != token.NAME:
        return None
    if before in ("def", "class"):
        return "d"
    if before == "@":
        return "a"
    if keyword.iskeyword(part.string):
        return "k"
    return "b" if part.string in _BUILTINS and before != "." else None


def _line(text: str, spans: list[tuple[int, int, str]]) -> str:
    parts, at = [], 0
    for begin, end, kind in sorted(spans):
        if begin < at or end <= begin:
            continue
        parts.append(escape(text[at:begin]))
        parts.append(f'<span class="{kind}">{escape(text[begin:end])}</span>')
        at = end
    parts.append(escape(text[at:]))
    return "".join(parts)
