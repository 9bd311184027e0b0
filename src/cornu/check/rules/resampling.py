"""C508: rows repeated before the split, as read from the program's text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from cornu.check.facts import Facts
from cornu.check.rule import Finding, rule
from cornu.check.source import Source, argument, constant, last_name

# Samplers (imbalanced-learn's) that repeat rows, or mix new ones from rows that are there.
_OVERSAMPLERS = frozenset(
    {"SMOTE", "SMOTENC", "SMOTEN", "ADASYN", "BorderlineSMOTE", "KMeansSMOTE", "SVMSMOTE"}
    | {"RandomOverSampler", "SMOTETomek", "SMOTEENN"}
)
_SPLITS = frozenset({"train_test_split", "random_split"})
_FOLDS = frozenset({"KFold", "StratifiedKFold", "ShuffleSplit", "StratifiedShuffleSplit"})


def scopes(source: Source) -> Iterator[list[ast.stmt]]:
    """The statements of the program itself and of each function, in order, with those within."""
    if source.tree is None:
        return
    bodies = [source.tree.body] + [
        node.body
        for node in ast.walk(source.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    for body in bodies:
        yield list(_flat(body))


def _flat(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        yield statement
        for part in ("body", "orelse", "finalbody"):
            yield from _flat(getattr(statement, part, []))


def parts_of(statement: ast.stmt) -> Iterator[ast.AST]:
    """The expressions of a statement itself, without those of statements within."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop(0)
        yield node
        waiting += [
            child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)
        ]


def calls_in(statement: ast.stmt) -> Iterator[ast.Call]:
    """The calls of a statement itself."""
    return (node for node in parts_of(statement) if isinstance(node, ast.Call))


def targets(statement: ast.stmt) -> tuple[list[str], ast.expr | None]:
    """The plain names that a statement gives a value, and the value."""
    if isinstance(statement, ast.Assign):
        given = statement.targets
    elif isinstance(statement, (ast.AugAssign, ast.AnnAssign)):
        given = [statement.target]
    else:
        return [], None
    names = [
        node.id
        for target in given
        for node in ast.walk(target)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    return names, statement.value


def names_in(node: ast.AST | None) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} if node is not None else set()


# -- C508 ------------------------------------------------------------------------------------------


@rule(
    "C508",
    "resampled-before-split",
    "warning",
    "copies of one row end up on both sides of the split: the network is judged by rows it has "
    "learnt by heart",
)
def resampled_before_splitting(facts: Facts) -> Iterator[Finding]:
    """Rows drawn with replacement, or made from others, before the data is split.

    ## What it does
    Follows, in the program's text, rows that come from `sklearn.utils.resample`,
    `df.sample(replace=True)`, an over-sampler (`SMOTE`, `RandomOverSampler`, ...) or a table put
    together of repeated parts, to `train_test_split`, `KFold`, or a `fit` with `validation_split`.

    ## Why it hurts
    A rare class of 11 rows drawn up to 1000 has each row about 90 times: with 20 % for testing,
    every test row of that class is a training row as well, and the score is 100 % whatever was
    learnt. Source: "Common pitfalls and recommended practices" in the imbalanced-learn
    documentation.

    ## Example
        x, y = RandomOverSampler().fit_resample(x, y)
        x_train, x_test, y_train, y_test = train_test_split(x, y)

    ## Fix
        x_train, x_test, y_train, y_test = train_test_split(x, y)
        x_train, y_train = RandomOverSampler().fit_resample(x_train, y_train)
    """
    source = facts.source
    if source is None:
        return
    for drawn, split in resampled_before_split(source):
        yield Finding(
            message=f"rows are repeated by {_called(drawn)} before {_called(split)} "
            f"(line {split.lineno}) splits them",
            fix=f"split first, then use {_called(drawn)} on the training rows only",
            place=source.place(drawn),
        )


def _called(call: ast.Call) -> str:
    return f"{last_name(call.func)}()"


def resampled_before_split(source: Source | None) -> list[tuple[ast.Call, ast.Call]]:
    """Calls that repeat rows, each with the call that then splits them."""
    if source is None or source.tree is None:
        return []
    repeating = _repeating_functions(source)
    found: list[tuple[ast.Call, ast.Call]] = []
    for statements in scopes(source):
        for drawn, split in _follow(source, statements, repeating):
            if all(drawn is not other for other, _ in found):
                found.append((drawn, split))
    return found


def _repeating_functions(source: Source) -> dict[str, ast.Call]:
    """Functions of the program that return rows they have repeated."""
    found: dict[str, ast.Call] = {}
    assert source.tree is not None
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        marked: dict[str, ast.Call] = {}
        for statement in _flat(node.body):
            _mark(source, statement, marked, {})
            if isinstance(statement, ast.Return) and statement.value is not None:
                cause = _cause(source, statement.value, marked, {})
                if cause is not None:
                    found[node.name] = cause
    return found


def _follow(
    source: Source, statements: list[ast.stmt], repeating: dict[str, ast.Call]
) -> Iterator[tuple[ast.Call, ast.Call]]:
    marked: dict[str, ast.Call] = {}
    for statement in statements:
        for call in calls_in(statement):
            if not _splits(source, call):
                continue
            for value in [*call.args, *(keyword.value for keyword in call.keywords)]:
                cause = _cause(source, value, marked, repeating)
                if cause is not None:
                    yield cause, call
                    break
        _mark(source, statement, marked, repeating)


def _splits(source: Source, call: ast.Call) -> bool:
    name = last_name(call.func)
    if name in _SPLITS or name in ("cross_val_score", "cross_validate", "cross_val_predict"):
        return True
    if name == "fit":
        share = argument(call, "validation_split")
        return share is not None and constant(share) not in (0, 0.0)
    if name == "split" and isinstance(call.func, ast.Attribute):
        owner = call.func.value
        if isinstance(owner, ast.Name):
            owner = source.assigned(owner.id, call) or owner
        return isinstance(owner, ast.Call) and last_name(owner.func) in _FOLDS
    return False


def _mark(
    source: Source,
    statement: ast.stmt,
    marked: dict[str, ast.Call],
    repeating: dict[str, ast.Call],
) -> None:
    """Keeps account of which names hold repeated rows after a statement."""
    names, value = targets(statement)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        if isinstance(owner, ast.Name) and last_name(call.func) in ("append", "extend"):
            # pieces that are collected in a list
            cause = _cause(source, call, marked, repeating)
            if cause is not None:
                marked[owner.id] = cause
        elif isinstance(owner, ast.Name) and last_name(call.func) == "drop_duplicates":
            marked.pop(owner.id, None)
        return
    if value is None or not names:
        return
    cause = _cause(source, value, marked, repeating)
    if isinstance(value, ast.Call) and _splits(source, value):
        cause = None  # told where they were split
    for name in names:
        if cause is not None:
            marked[name] = cause
        elif not isinstance(statement, ast.AugAssign):
            marked.pop(name, None)


def _cause(
    source: Source,
    value: ast.expr,
    marked: dict[str, ast.Call],
    repeating: dict[str, ast.Call],
) -> ast.Call | None:
    """The call that repeated rows of which a value is made, or None."""
    calls = [node for node in ast.walk(value) if isinstance(node, ast.Call)]
    if any(last_name(call.func) in ("drop_duplicates", "unique") for call in calls):
        return None
    # the shape, the columns or the length of a table are no rows
    looked_at = {
        id(node.value)
        for node in ast.walk(value)
        if isinstance(node, ast.Attribute) and node.attr in ("shape", "columns", "dtype", "size")
    }
    looked_at |= {
        id(node) for call in calls if last_name(call.func) == "len" for node in ast.walk(call)
    }
    for call in calls:
        if id(call) in looked_at:
            continue
        if _repeats(source, call):
            return call
        name = last_name(call.func)
        if isinstance(call.func, ast.Name) and name in repeating:
            return repeating[str(name)]
    for node in ast.walk(value):
        if isinstance(node, ast.Name) and node.id in marked and id(node) not in looked_at:
            return marked[node.id]
    return None


def _repeats(source: Source, call: ast.Call) -> bool:
    """Whether a call gives rows several times, or rows made from others."""
    name = last_name(call.func)
    if name == "resample":
        if constant(argument(call, "replace")) is False:
            return False
        # sklearn's, and not scipy's (a signal) or pandas' (a time series)
        if isinstance(call.func, ast.Attribute):
            return last_name(call.func.value) == "utils"
        return bool(re.search(r"from\s+sklearn\.utils\s+import[^\n]*\bresample\b", source.text))
    if name == "sample" and isinstance(call.func, ast.Attribute):
        return constant(argument(call, "replace")) is True
    if name in ("fit_resample", "fit_sample") and isinstance(call.func, ast.Attribute):
        sampler: ast.expr | None = call.func.value
        if isinstance(sampler, ast.Name):
            sampler = source.assigned(sampler.id, call)
        return isinstance(sampler, ast.Call) and last_name(sampler.func) in _OVERSAMPLERS
    if name in ("concat", "concatenate", "vstack") and call.args:
        return _holds_repeated(call.args[0])
    return False


def _holds_repeated(parts: ast.expr) -> bool:
    """`[df] * 5`, or the same name twice in a list."""
    if isinstance(parts, ast.BinOp) and isinstance(parts.op, ast.Mult):
        count = constant(parts.right)
        return isinstance(parts.left, ast.List) and count not in (0, 1)
    if isinstance(parts, ast.BinOp) and isinstance(parts.op, ast.Add):
        return _holds_repeated(parts.left) or _holds_repeated(parts.right)
    if not isinstance(parts, (ast.List, ast.Tuple)):
        return False
    names = [part.id for part in parts.elts if isinstance(part, ast.Name)]
    if any(isinstance(p, ast.Starred) and _holds_repeated(p.value) for p in parts.elts):
        return True
    return len(names) != len(set(names))
