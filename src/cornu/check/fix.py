"""Writing the changes that are certain into a program, with its layout and comments kept."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cornu.check.diagnostic import Diagnostic, Edit


def apply_edits(text: str, edits: Iterable[Edit]) -> tuple[str, list[Edit]]:
    """A program with changes written into it.

    An edit's `old` is an expression (`nn.Softmax(dim=1)`), a keyword argument
    (`activation="softmax"`) or a statement as it stands in the program; white space and quotes need
    not agree. An empty `new` takes it out, with the comma behind it. Anything else is text that
    stands once on the line, such as the name of a loss within a string.

    Args:
        text: the program.
        edits: changes; one that is not found on its line, or on more than one place of it, is left
            out.

    Returns:
        The new text and the edits that are in it.

    Raises:
        ModuleNotFoundError: libcst is not installed.
    """
    try:
        import libcst
        from libcst import metadata
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "writing changes into a program needs libcst: pip install 'cornu[fix]'", name="libcst"
        ) from None

    def parsed(program: str) -> tuple[Any, Any]:
        wrapper = metadata.MetadataWrapper(libcst.parse_module(program))
        return wrapper.module, wrapper.resolve(metadata.PositionProvider)

    pieces, done = [], []
    module, places = parsed(text)
    for edit in dict.fromkeys(edits):
        if _matching(libcst, module, places, edit):
            pieces.append(edit)
            continue
        # a part of a piece, such as the name within a string: no line moves
        replaced = _part_replaced(text, edit)
        if replaced is not None:
            text = replaced
            done.append(edit)
    module, places = parsed(text)
    chosen: dict[Any, Edit] = {}
    for edit in pieces:
        found = _matching(libcst, module, places, edit)
        if len(found) == 1 and found[0] not in chosen:
            chosen[found[0]] = edit
    changed = module.visit(_transformer(libcst, chosen)).code
    ast.parse(changed)
    return changed, [*done, *chosen.values()]


def _part_replaced(text: str, edit: Edit) -> str | None:
    """The program with text replaced that stands once on the line, outside of comments."""
    lines = text.splitlines(keepends=True)
    if not 0 < edit.place.line <= len(lines):
        return None
    line = lines[edit.place.line - 1]
    code = line[: _comment_start(line)]
    if code.count(edit.old) != 1:
        return None
    lines[edit.place.line - 1] = code.replace(edit.old, edit.new) + line[len(code) :]
    changed = "".join(lines)
    try:
        ast.parse(changed)
    except SyntaxError:
        return None
    return changed


def _comment_start(line: str) -> int:
    """Where the comment at the end of a line begins; the length of a line without one."""
    quote = ""
    for place, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == "#":
            return place
    return len(line)


def _forms(text: str) -> dict[str, str]:
    """What a piece of a program may be, each in a form that is equal for equal pieces."""
    text = text.strip()
    forms = {}
    for kind, whole in (
        ("expression", text),
        ("argument", f"f({text})"),
        ("statement", text),
    ):
        try:
            tree: Any = ast.parse(whole, mode="exec" if kind == "statement" else "eval")
        except SyntaxError:
            continue
        if kind == "argument":
            call = tree.body
            if not isinstance(call, ast.Call) or len(call.keywords) != 1 or call.args:
                continue
            tree = call.keywords[0]
        forms[kind] = ast.dump(tree)
    return forms


def _matching(libcst: Any, module: Any, places: Mapping, edit: Edit) -> list:
    """The pieces of the program that are the edit's `old`.

    Those that begin on its line come first; then those that go around the line; then those in a
    call that begins on the line.
    """
    wanted = _forms(edit.old)
    kinds = {
        "expression": libcst.BaseExpression,
        "argument": libcst.Arg,
        "statement": libcst.BaseSmallStatement,
    }
    line = edit.place.line
    calls = [
        place
        for node, place in places.items()
        if isinstance(node, libcst.Call) and place.start.line == line
    ]
    last = max([line, *(place.end.line for place in calls)])
    found: dict[str, list] = {"begins": [], "around": [], "inside": []}
    for node, place in places.items():
        kind = next((kind for kind, cls in kinds.items() if isinstance(node, cls)), None)
        if kind not in wanted or place.start.line > last or place.end.line < line:
            continue
        # what follows it, a comment perhaps, hangs on the comma or semicolon
        default = libcst.MaybeSentinel.DEFAULT
        follows = {"argument": "comma", "statement": "semicolon"}.get(kind or "")
        alone = node.with_changes(**{follows: default}) if follows else node
        if _forms(module.code_for_node(alone)).get(kind or "") != wanted[kind or ""]:
            continue
        if place.start.line == line:
            found["begins"].append(node)
        elif place.start.line < line:
            found["around"].append(node)
        else:
            found["inside"].append(node)
    nearest = found["begins"] or found["around"] or found["inside"]
    # `f(x)` as a statement of its own is that statement and the expression in it
    whole = [node for node in nearest if isinstance(node, libcst.BaseSmallStatement)]
    return whole or nearest


def _transformer(libcst: Any, chosen: dict[Any, Edit]) -> Any:
    """What puts the new pieces in the place of the old ones."""

    def goes(part: Any) -> bool:
        """Whether an argument, or an element of a list, is taken out."""
        edit = chosen.get(part) or chosen.get(part.value)
        return edit is not None and not edit.new

    def left(before: Sequence, after: Sequence) -> list:
        """Arguments or elements without those that go, the layout of the last line kept."""
        stay = [new for old, new in zip(before, after, strict=True) if not goes(old)]
        if stay and goes(before[-1]):
            stay[-1] = stay[-1].with_changes(comma=_last_comma(libcst, stay[-1], after[-1]))
        return stay

    class Transformer(libcst.CSTTransformer):
        def on_leave(self, original_node, updated_node):
            updated_node = super().on_leave(original_node, updated_node)
            if isinstance(original_node, libcst.Call):
                updated_node = updated_node.with_changes(
                    args=left(original_node.args, updated_node.args) if original_node.args else []
                )
            elif isinstance(original_node, libcst.List | libcst.Tuple) and original_node.elements:
                updated_node = updated_node.with_changes(
                    elements=left(original_node.elements, updated_node.elements)
                )
            edit = chosen.get(original_node)
            if edit is None:
                return updated_node
            if isinstance(original_node, libcst.BaseSmallStatement):
                if not edit.new:
                    return libcst.RemoveFromParent()
                made = libcst.parse_statement(edit.new).body[0]
                return made.with_changes(semicolon=updated_node.semicolon)
            if not edit.new:
                return updated_node  # what is around it leaves it out
            if isinstance(original_node, libcst.Arg):
                made = libcst.parse_expression(f"f({edit.new})").args[0]
                return made.with_changes(
                    comma=updated_node.comma,
                    whitespace_after_arg=updated_node.whitespace_after_arg,
                )
            return libcst.parse_expression(edit.new)

    return Transformer()


def _last_comma(libcst: Any, stays: Any, went: Any) -> Any:
    """The comma behind the new last one: its own comment, the old last one's indentation."""
    if not isinstance(went.comma, libcst.Comma) or not isinstance(stays.comma, libcst.Comma):
        return went.comma
    own, last = stays.comma.whitespace_after, went.comma.whitespace_after
    broken = libcst.ParenthesizedWhitespace
    if isinstance(own, broken) and isinstance(last, broken):
        last = last.with_changes(first_line=own.first_line)
    return stays.comma.with_changes(whitespace_after=last)


def fix_files(findings: Sequence[Diagnostic]) -> dict[str, list[Diagnostic]]:
    """Writes the certain changes of findings into the programs they name.

    Returns:
        Of each file that was changed, the findings that were mended in it.

    Raises:
        OSError: a file that cannot be read or written.
    """
    files: dict[str, list[Diagnostic]] = {}
    for finding in findings:
        if finding.edit is not None:
            files.setdefault(finding.edit.place.file, []).append(finding)
    mended = {}
    for file, of_file in files.items():
        with open(file, encoding="utf-8", newline="") as source:
            text = source.read()
        changed, done = apply_edits(text, [one.edit for one in of_file if one.edit is not None])
        if done:
            with open(file, "w", encoding="utf-8", newline="") as target:
                target.write(changed)
            mended[file] = [one for one in of_file if one.edit in done]
    return mended
