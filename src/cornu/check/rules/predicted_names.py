"""Which names of a program's text hold the network's predictions: for the rules about programs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from cornu.check.facts import Facts
from cornu.check.source import Source, argument, constant, last_name

PREDICTING = frozenset({"predict", "predict_proba", "predict_on_batch", "predict_generator"})
# Functions and methods that give predictions on as they are: same rows, same columns.
_PASSING = frozenset(
    {"array", "asarray", "tensor", "as_tensor", "from_numpy", "numpy", "cpu", "detach", "cuda"}
    | {"to", "float", "double", "clone", "copy", "sigmoid", "softmax", "Tensor", "astype"}
    | {"convert_to_tensor", "contiguous", "type", "relu", "exp", "log_softmax", "tanh"}
)
_NETWORK_MAKERS = frozenset({"Sequential", "Model", "load_model", "Functional", "model_from_json"})
_NOT_NETWORKS = re.compile(r"Keras(Classifier|Regressor)|GridSearch|Pipeline|Wrapper")
_NETWORK_NAMES = re.compile(r"^(model|net|network|classifier|clf|nn|mlp|cnn)$", re.I)

Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef


class Predictions:
    """Follows predictions through the assignments of a program, scope by scope.

    What a name holds is what it was last given above, in the same function or, for functions, at
    the end of the module. Anything not understood is no prediction.

    Args:
        facts: of the program; its source must be there.
    """

    def __init__(self, facts: Facts):
        assert facts.source is not None
        self.facts = facts
        self.source: Source = facts.source
        self.torch = facts.framework == "torch"
        self.networks = self._networks()
        # a name in a scope: (line from which on, whether it holds predictions, or None: labels of
        # them), in the order of lines
        self._held: dict[ast.AST, dict[str, list[tuple[int, bool]]]] = {}
        tree = self.source.tree
        if tree is None:
            return
        for scope in [tree, *(n for n in self.source.walk() if _is_function(n))]:
            self._follow(scope)

    # -- networks ------------------------------------------------------------------------------

    def _networks(self) -> set[str]:
        """Names of the network that was read: the one that is fitted, or whose parameters are."""
        source, found = self.source, set()
        if self.torch:
            for call in source.calls("parameters"):
                if isinstance(call.func, ast.Attribute):
                    found.add(last_name(call.func.value) or "")
            owners = found - {""}
            return owners if len(owners) == 1 else set()
        fitted: dict[str, ast.Call] = {}
        place = self.facts.training.place
        for call in source.calls("fit", "fit_generator", "train_on_batch", "compile"):
            if isinstance(call.func, ast.Attribute):
                name = last_name(call.func.value)
                if name is None:
                    continue
                if call.func.attr == "compile":
                    fitted.setdefault(name, call)
                elif place and call.lineno <= place.line <= (call.end_lineno or call.lineno):
                    return set() if self._is_other(name) else {name}
        fitted = {name: call for name, call in fitted.items() if not self._is_other(name)}
        return set(fitted) if len(fitted) == 1 else set()

    def _is_other(self, name: str) -> bool:
        """Whether a name is given something that predicts but is no network, as of scikit-learn."""
        foreign: set[str] = set()
        for node in self.source.walk():
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                ("sklearn", "xgboost", "lightgbm", "catboost", "scikeras")
            ):
                foreign |= {one.asname or one.name for one in node.names}
        for node in self.source.walk():
            if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
                continue
            maker = last_name(node.value.func) or ""
            if any(last_name(target) == name for target in node.targets) and (
                maker in foreign or _NOT_NETWORKS.search(maker)
            ):
                return True
        return False

    def _is_network(self, node: ast.AST) -> bool:
        name = last_name(node)
        if name is None:
            return False
        if name in self.networks:
            return not (isinstance(node, ast.Attribute) and last_name(node.value) != "self")
        # a function's own name for the one network that there is
        function = next(self.source.around(node, ast.FunctionDef, ast.AsyncFunctionDef), None)
        if function is None or not self.networks or not isinstance(node, ast.Name):
            return False
        arguments = {one.arg for one in function.args.args}  # type: ignore[attr-defined]
        return name in arguments and bool(_NETWORK_NAMES.match(name))

    # -- values --------------------------------------------------------------------------------

    def holds(self, node: ast.AST | None) -> bool:
        """Whether an expression is the network's predictions, all columns of them."""
        if isinstance(node, ast.Name):
            return self._name_holds(node)
        if isinstance(node, ast.NamedExpr):
            return self.holds(node.value)
        if isinstance(node, ast.Attribute):
            return node.attr == "data" and self.holds(node.value)
        if isinstance(node, ast.Subscript):
            whole = isinstance(node.slice, ast.Slice)  # some of the rows
            return whole and self.holds(node.value)
        if not isinstance(node, ast.Call):
            return False
        if self.is_prediction(node):
            return True
        name = last_name(node.func)
        if name in _PASSING:
            if isinstance(node.func, ast.Attribute) and self.holds(node.func.value):
                # `astype(int)` makes classes of them
                return not (name in ("astype", "type") and "int" in ast.unparse(node))
            return bool(node.args) and self.holds(node.args[0])
        if isinstance(node.func, ast.Call) and last_name(node.func.func) in (
            "Sigmoid",
            "Softmax",
            "LogSoftmax",
        ):
            return bool(node.args) and self.holds(node.args[0])
        return False

    def is_prediction(self, call: ast.Call) -> bool:
        """Whether a call runs the network: `model.predict(x)`, `model(x)`."""
        if isinstance(call.func, ast.Attribute):
            if call.func.attr in PREDICTING and not self.torch:
                return self._is_network(call.func.value)
            if call.func.attr == "forward" and self.torch:
                return self._is_network(call.func.value)
        return isinstance(call.func, (ast.Name, ast.Attribute)) and self._is_network(call.func)

    def _name_holds(self, name: ast.Name) -> bool:
        for scope in [*self.source.around(name, ast.FunctionDef, ast.AsyncFunctionDef), None]:
            held = self._held.get(scope or self.source.tree, {}).get(name.id)  # type: ignore[arg-type]
            if held is None:
                continue
            known = False
            for line, holds in held:
                if line >= name.lineno:
                    break
                known = holds
            return known
        return False

    def _follow(self, scope: ast.AST) -> None:
        held = self._held.setdefault(scope, {})
        if _is_function(scope):
            for one in scope.args.args:  # type: ignore[attr-defined]
                held.setdefault(one.arg, []).append((0, False))
        for node in _statements(scope):
            line = node.end_lineno or node.lineno  # type: ignore[attr-defined]
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        held.setdefault(target.id, []).append((line, self.holds(node.value)))
                    elif isinstance(target, (ast.Tuple, ast.List)):
                        self._unpack(held, target, line)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                held.setdefault(node.target.id, []).append((line, self.holds(node.value)))
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                held.setdefault(node.target.id, []).append((line, False))
            elif isinstance(node, (ast.For, ast.AsyncFor)):
                for part in ast.walk(node.target):
                    if isinstance(part, ast.Name):
                        held.setdefault(part.id, []).append((node.lineno, False))

    def _unpack(self, held: dict, target: ast.Tuple | ast.List, line: int) -> None:
        for element in target.elts:
            if isinstance(element, ast.Name):
                held.setdefault(element.id, []).append((line, False))

    # -- what is done with them ----------------------------------------------------------------

    def argmaxes(self) -> Iterator[tuple[ast.Call, int | None]]:
        """Calls that take the index of the largest of the predictions, with the axis given.

        `torch.max(predictions, 1)` counts where its indices are used.
        """
        for node in self.source.walk():
            if not isinstance(node, ast.Call):
                continue
            name = last_name(node.func)
            if name not in ("argmax", "max", "arg_max"):
                continue
            subject, position = self._subject(node)
            if subject is None:
                continue
            axis = argument(node, "axis", position) or argument(node, "dim", position)
            value = constant(axis)
            if axis is not None and not isinstance(value, int):
                continue
            if name == "max" and not (value is not None and self._uses_indices(node)):
                continue
            if name != "max" and value in (None, 0, -1) and self._is_row(subject):
                yield node, None
                continue
            if axis is None and not isinstance(subject, ast.Subscript):
                continue  # the largest of all rows, perhaps on purpose
            if isinstance(subject, ast.Subscript) and not isinstance(subject.slice, ast.Slice):
                # one row of them, and no column
                if isinstance(subject.slice, ast.Tuple) or not self.holds(subject.value):
                    continue
                if value not in (None, 0, -1):
                    continue
                yield node, None
            elif self.holds(subject):
                yield node, value

    def _subject(self, call: ast.Call) -> tuple[ast.expr | None, int]:
        """What `np.argmax(P, 1)` or `P.argmax(1)` looks at, and the position of the axis."""
        if isinstance(call.func, ast.Attribute) and self._reads(call.func.value):
            return call.func.value, 0
        if isinstance(call.func, ast.Attribute) and self._is_row(call.func.value):
            return call.func.value, 0
        return (call.args[0], 1) if call.args else (None, 1)

    def _reads(self, node: ast.expr) -> bool:
        return self.holds(node) or (isinstance(node, ast.Subscript) and self.holds(node.value))

    def _is_row(self, node: ast.expr) -> bool:
        """Whether a name stands for one row after the other: `for row in predictions`."""
        if not isinstance(node, ast.Name):
            return False
        for around in self.source.around(node, ast.For, ast.ListComp, ast.GeneratorExp):
            for loop in getattr(around, "generators", [around]):
                if isinstance(loop.target, ast.Name) and loop.target.id == node.id:
                    return self.holds(loop.iter)
        return False

    def _uses_indices(self, call: ast.Call) -> bool:
        around = self.source.parents.get(call)
        if isinstance(around, ast.Assign) and around.value is call:
            target = around.targets[0]
            if isinstance(target, (ast.Tuple, ast.List)) and len(target.elts) == 2:
                second = target.elts[1]
                return not (isinstance(second, ast.Name) and second.id == "_")
        if isinstance(around, ast.Subscript):
            return constant(around.slice) in (1, -1)
        return isinstance(around, ast.Attribute) and around.attr == "indices"


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))


def _statements(scope: ast.AST) -> Iterator[ast.AST]:
    """The statements of a scope in the order of lines, without those of functions in it."""
    for child in ast.iter_child_nodes(scope):
        if _is_function(child) or isinstance(child, ast.Lambda):
            continue
        if isinstance(child, ast.stmt):
            yield child
        if isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            yield from _statements(child)
