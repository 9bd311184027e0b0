"""Results that a PyTorch network's `forward` drops, as its text shows: a part of C214."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cornu.check.source import Source, last_name

# Functions and methods that change nothing where their result is dropped.
_PURE = frozenset(
    {"relu", "leaky_relu", "elu", "gelu", "silu", "selu", "sigmoid", "tanh", "softmax"}
    | {"log_softmax", "dropout", "max_pool1d", "max_pool2d", "avg_pool2d", "batch_norm"}
    | {"view", "reshape", "flatten", "squeeze", "unsqueeze", "permute", "transpose"}
)


def dropped_results(source: Source) -> Iterator[tuple[str, ast.stmt]]:
    """Calls of layers and functions in `forward` methods whose result nothing takes.

    Yields:
        What is called, as it is written, and the statement.
    """
    for kind in source.walk():
        if not isinstance(kind, ast.ClassDef):
            continue
        layers = _layers(kind)
        for method in kind.body:
            if isinstance(method, ast.FunctionDef) and method.name == "forward":
                yield from _dropped(method, layers)


def _layers(kind: ast.ClassDef) -> dict[str, ast.Call]:
    """What a class keeps in its attributes that is made of `nn`, each with the call."""
    found: dict[str, ast.Call] = {}
    for node in ast.walk(kind):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        made = node.value.func
        if not (isinstance(made, ast.Attribute) and last_name(made.value) == "nn"):
            continue
        for target in node.targets:
            if isinstance(target, ast.Attribute) and last_name(target.value) == "self":
                found[target.attr] = node.value
    return found


def _dropped(
    method: ast.FunctionDef, layers: dict[str, ast.Call]
) -> Iterator[tuple[str, ast.stmt]]:
    read = {
        node.id
        for node in ast.walk(method)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)
    }
    for node in ast.walk(method):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            name = _called(node.value, layers, functions=True)
        elif (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and len(node.targets) == 1
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id not in read
            and not node.targets[0].id.startswith("_")
        ):
            name = _called(node.value, layers, functions=False)
        else:
            continue
        if name is not None:
            yield name, node


def _called(call: ast.Call, layers: dict[str, ast.Call], functions: bool) -> str | None:
    """What a call calls, if it is a layer of the network or a function without effect."""
    function = call.func
    if not isinstance(function, ast.Attribute) or _is_in_place(call):
        return None
    if last_name(function.value) == "self":
        layer = layers.get(function.attr)
        return None if layer is None or _is_in_place(layer) else ast.unparse(function)
    return ast.unparse(function) if functions and function.attr in _PURE else None


def _is_in_place(call: ast.Call) -> bool:
    """Whether it changes its input: `inplace=True`, or `nn.ReLU(True)`."""
    return any(
        (isinstance(node, ast.keyword) and node.arg == "inplace")
        or (isinstance(node, ast.Constant) and node.value is True)
        for node in ast.walk(call)
    )
