"""Text of Python programs: literals, calls and long lines as `ruff format` would leave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

WIDTH = 88
_OPENING, _CLOSING = "([{", ")]}"


class Code(str):
    """A piece of source, to be written as it is where a literal could stand."""

    __slots__ = ()


def literal(value: Any) -> str:
    """A value as source: what `repr` writes, with double quotes.

    >>> literal({"padding": ((1, 1), (0, 0)), "name": "x"})
    '{"padding": ((1, 1), (0, 0)), "name": "x"}'
    >>> literal(1e-07), literal(np.float32(0.5)), literal(slice(None, 2))
    ('1e-7', '0.5', 'slice(None, 2)')
    """
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        return '"' + repr("'" + value)[2:-1].replace('"', '\\"') + '"'
    if isinstance(value, float):
        return repr(value).replace("e-0", "e-").replace("inf", 'float("inf")')
    if isinstance(value, np.ndarray):
        return literal(value.tolist())
    if isinstance(value, slice):
        ends = [value.start, value.stop, value.step]
        return f"slice({', '.join(map(literal, ends if value.step is not None else ends[:2]))})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple):
        inside = ", ".join(map(literal, value))
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, (list, set, frozenset)):
        inside = ", ".join(map(literal, value))
        return f"[{inside}]" if isinstance(value, list) else f"{{{inside}}}"
    return repr(value)


def call(function: str, arguments: Sequence[Any] = (), settings: Mapping[str, Any] = {}) -> Code:
    """A call as source.

    >>> call("Dense", [10], {"name": "fc"})
    'Dense(10, name="fc")'
    """
    parts = [literal(argument) for argument in arguments]
    parts += [f"{name}={literal(value)}" for name, value in settings.items()]
    return Code(f"{function}({', '.join(parts)})")


def indexing(key: Sequence[Any]) -> Code:
    """What stands between the brackets of an indexing.

    >>> indexing([slice(None), slice(1, None), 0])
    ':, 1:, 0'
    """
    return Code(", ".join(_index(part) for part in key))


def _index(part: Any) -> str:
    if part is Ellipsis:
        return "..."
    if not isinstance(part, slice):
        return literal(part)
    start, stop, step = ("" if end is None else literal(end) for end in _ends(part))
    return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"


def _ends(part: slice) -> tuple[Any, Any, Any]:
    return part.start, part.stop, part.step


def fitted(line: str, width: int = WIDTH) -> str:
    """A statement, broken at its brackets where it is too long for a line.

    >>> print(fitted("    x = f(a, g(b, c), d)", 22))
        x = f(
            a, g(b, c), d
        )
    >>> print(fitted("    x = f(a, g(b, c), d)", 16))
        x = f(
            a,
            g(b, c),
            d,
        )
    >>> print(fitted("    x = [a, b, c]", 16))
        x = [
            a,
            b,
            c,
        ]
    """
    if len(line) <= width:
        return line
    pairs = _brackets(line)
    if not pairs:
        return line
    # the last ones before which there is not too much
    fits = [pair for pair in pairs if pair[0] < width]
    opening, closing = (fits or pairs)[-1]
    indent = line[: len(line) - len(line.lstrip())]
    inside = line[opening + 1 : closing].rstrip(", ")
    head, tail = line[: opening + 1], indent + line[closing:]
    parts = [inside] if _is_bare(inside) else _parts(inside)
    together = f"{indent}    {inside}"
    # arguments may stand in one line together, the elements of a list or a tuple may not
    is_literal = not (line[opening - 1].isalnum() or line[opening - 1] in "_)]")
    is_bare = len(parts) == 1 and _is_bare(parts[0])
    has_comma = line[closing - 1] == "," or (is_literal and len(parts) > 1)
    if len(together) <= width and not has_comma:
        return "\n".join([head, together, fitted(tail, width)])
    if is_bare:
        clauses = [fitted(f"{indent}    {clause}", width) for clause in _clauses(inside)]
        return "\n".join([head, *clauses, fitted(tail, width)])
    body = [fitted(f"{indent}    {part},", width) for part in parts]
    return "\n".join([head, *body, fitted(tail, width)])


def _is_bare(part: str) -> bool:
    """Whether something in brackets alone, a comprehension, may have no comma behind it."""
    depth = 0
    for word in part.split():
        if depth == 0 and word == "for":
            return True
        depth += sum(c in _OPENING for c in word) - sum(c in _CLOSING for c in word)
    return False


def _clauses(comprehension: str) -> list[str]:
    """What a comprehension gives, and each `for` and `if` of it.

    >>> _clauses("f(a) for a in (b for b in c) if a")
    ['f(a)', 'for a in (b for b in c)', 'if a']
    """
    depth, starts = 0, [0]
    for place, character in _code(comprehension):
        depth += (character in _OPENING) - (character in _CLOSING)
        if depth == 0 and comprehension[place:].startswith((" for ", " if ")):
            starts.append(place + 1)
    ends = [*starts[1:], len(comprehension)]
    return [comprehension[a:b].strip() for a, b in zip(starts, ends, strict=True)]


def _brackets(line: str) -> list[tuple[int, int]]:
    """Where the pairs of brackets that are in no others, and are not empty, begin and end."""
    depth, start = 0, 0
    found = []
    for place, character in _code(line):
        if character in _OPENING:
            if depth == 0:
                start = place
            depth += 1
        elif character in _CLOSING:
            depth -= 1
            if depth == 0 and place > start + 1:
                found.append((start, place))
    return found


def _parts(text: str) -> list[str]:
    """What commas outside of brackets part."""
    depth, start, parts = 0, 0, []
    for place, character in _code(text):
        depth += (character in _OPENING) - (character in _CLOSING)
        if character == "," and depth == 0:
            parts.append(text[start:place].strip())
            start = place + 1
    last = text[start:].strip()
    return [*parts, last] if last else parts


def _code(text: str):
    """The characters outside of strings, with their places."""
    quote = None
    skip = False
    for place, character in enumerate(text):
        if skip:
            skip = False
        elif quote:
            skip = character == "\\"
            if character == quote:
                quote = None
        elif character in "\"'":
            quote = character
        else:
            yield place, character


def chosen(template: str, flags: set[str] | frozenset[str] = frozenset()) -> str:
    r"""The lines of a template that are wanted.

    A line that ends in `#? flag` stands only where the flag is set, one in `#? !flag` only where it
    is not; of several flags all are needed, and of `one|other` either.

    >>> chosen("a\nb  #? wide\nc  #? !wide\nd  #? wide|tall", {"tall"})
    'a\nc\nd'
    """
    lines = []
    for line in template.strip("\n").split("\n"):
        code, mark, condition = line.partition("#?")
        if not mark:
            lines.append(line)
        elif all(_holds(word, flags) for word in condition.split()):
            lines.append(code.rstrip())
    return "\n".join(lines)


def _holds(word: str, flags: set[str] | frozenset[str]) -> bool:
    return any((one[1:] not in flags) if one[0] == "!" else one in flags for one in word.split("|"))


def comment(text: str, indent: str = "") -> str:
    """A comment, in as many lines as it needs."""
    import textwrap

    return "\n".join(
        textwrap.wrap(text, WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")
    )
