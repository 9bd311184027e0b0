"""The body of `forward`: which calls share a line, and what the variables are called."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.port import kinds
from cornu.port.network import Names, Network
from cornu.port.torch.source_expressions import ATOM, Expression, Piece

_WEIGHTED = ("Dense", "Conv", "DepthwiseConv", "Embedding")
_NORMALIZING = frozenset(
    {"BatchNormalization", "LayerNormalization", "GroupNormalization", "PReLU", "activation"}
)
_JOINING = frozenset({"concatenate", "stack"})
# Written as a statement by itself, or as what a layer with weights is applied to.
_METHODS = kinds.REDUCTIONS | kinds.GLOBAL_POOLING | {"transpose", "get_item", "expand_dims"}
# Never part of a longer expression.
_ALONE = kinds.RESHAPING | _JOINING | {"pad", "Embedding"}
_ARITHMETIC = kinds.ELEMENTWISE | {"negative", "Rescaling", "matmul"}
# As long as an expression may get, and as deep: conv, normalization and activation make three.
_LENGTH, _DEPTH = 70, 3
# With so many statements between, a tensor that is joined to others again counts as kept.
_NEAR = 3


def is_weighted(kind: str) -> bool:
    """Whether it is a layer with a kernel or a table."""
    return kind.startswith(_WEIGHTED)


@dataclasses.dataclass
class Tree:
    """An expression with what stands in its places: other expressions, or variables."""

    node: Node
    expression: Expression
    parts: list[Tree | KerasTensor]

    @property
    def depth(self) -> int:
        """Number of calls within calls."""
        below = max((part.depth for part in self.parts if isinstance(part, Tree)), default=0)
        return below + (self.node.operation not in _ARITHMETIC)

    @property
    def weighted(self) -> bool:
        """Whether a layer with weights is in it."""
        return is_weighted(self.node.operation) or any(
            part.weighted for part in self.parts if isinstance(part, Tree)
        )

    @property
    def resizes(self) -> bool:
        """Whether an image has another size behind it."""
        return "Pooling" in self.node.operation or any(
            part.resizes for part in self.parts if isinstance(part, Tree)
        )

    def variables(self) -> Iterator[KerasTensor]:
        """The tensors that it takes, from left to right."""
        for part in self.parts:
            if isinstance(part, Tree):
                yield from part.variables()
            else:
                yield part

    def piece(self, names: dict[KerasTensor, str]) -> Piece:
        """Its source, with names for the variables; "x" where there is none yet."""
        parts = [
            part.piece(names) if isinstance(part, Tree) else Piece(names.get(part, "x"), ATOM)
            for part in self.parts
        ]
        return Piece(self.expression.template.format(*parts), self.expression.level)


class Body:
    """The statements of `forward`.

    Args:
        network: in PyTorch's form.
        expressions: that of each node but inputs; None for a node that passes its input on.

    Attributes:
        arguments: names of the arguments of `forward`.
        lines: the statements, without indentation.
    """

    def __init__(self, network: Network, expressions: dict[Node, Expression | None]):
        self.network, self.expressions = network, expressions
        self.same: dict[KerasTensor, KerasTensor] = {}
        self.trees: dict[KerasTensor, Tree] = {}
        self.inlined: set[KerasTensor] = set()
        self.uses = self._count_uses()
        self._plant()
        outputs = [self._source(tensor) for tensor in network.outputs]
        self.returned = self._returned(outputs)
        self.statements = [
            (tensor, tree)
            for tensor, tree in self.trees.items()
            if tensor not in self.inlined and tensor not in self.returned
        ]
        self._name(outputs)

    def _source(self, tensor: KerasTensor) -> KerasTensor:
        return self.same.get(tensor, tensor)

    def _count_uses(self) -> dict[KerasTensor, int]:
        uses: dict[KerasTensor, int] = {}
        for node in self.network.nodes:
            out = node.outputs[0]
            if node.inputs and self.expressions[node] is None:
                self.same[out] = self._source(node.inputs[0])
                continue
            for tensor in node.inputs:
                tensor = self._source(tensor)
                uses[tensor] = uses.get(tensor, 0) + 1
        for tensor in self.network.outputs:
            tensor = self._source(tensor)
            uses[tensor] = uses.get(tensor, 0) + 1
        return uses

    # -- which calls share a line ------------------------------------------------------------------

    def _plant(self) -> None:
        for node in self.network.nodes:
            expression = self.expressions.get(node)
            if not node.inputs or expression is None:
                continue
            parts: list[Tree | KerasTensor] = []
            for place, tensor in enumerate(node.inputs):
                tensor = self._source(tensor)
                tree = self.trees.get(tensor)
                if tree is not None and self._belongs(tree, tensor, node, expression, place):
                    self.inlined.add(tensor)
                    parts.append(tree)
                else:
                    parts.append(tensor)
            self.trees[node.outputs[0]] = Tree(node, expression, parts)

    def _belongs(
        self, tree: Tree, tensor: KerasTensor, node: Node, expression: Expression, place: int
    ) -> bool:
        """Whether an argument is written within the call rather than before it."""
        kind, before = node.operation, tree.node.operation
        if self.uses[tensor] != 1 or before in _ALONE or kind in _ALONE:
            return False
        if expression.template.count(f"{{{place}") != 1:
            return False
        length = len(tree.piece({}).text) + len(expression.template)
        if length > _LENGTH or tree.depth >= _DEPTH:
            return False
        if is_weighted(kind):
            from_fork = all(self.uses[one] > 1 for one in tree.variables())
            passing = _NORMALIZING | _METHODS | kinds.DROPOUT
            return not tree.weighted and (before in passing or (from_fork and "Pooling" in before))
        if kind in _ARITHMETIC:
            return tree.depth == 0 or (tree.depth == 1 and len(node.inputs) == 1)
        if kind in _METHODS or kind.startswith("UpSampling"):
            return tree.depth == 0 or kind == "get_item" or before == kind == "transpose"
        return before not in _METHODS or kind not in kinds.SPATIAL

    def _returned(self, outputs: list[KerasTensor]) -> set[KerasTensor]:
        """The outputs that are written behind `return`."""
        wanted = {
            tensor
            for tensor in outputs
            if tensor in self.trees and self.uses[tensor] == 1 and outputs.count(tensor) == 1
        }
        length = sum(len(self.trees[tensor].piece({}).text) for tensor in wanted)
        return wanted if len(outputs) == 1 or length <= _LENGTH else set()

    # -- names -------------------------------------------------------------------------------------

    def _name(self, outputs: list[KerasTensor]) -> None:
        last: dict[KerasTensor, int] = {}
        used: dict[KerasTensor, list[int]] = {}
        for number, (_, tree) in enumerate(self.statements):
            for tensor in tree.variables():
                last[tensor] = number
                used.setdefault(tensor, []).append(number)
        end = len(self.statements)
        final = [self.trees[t].variables() if t in self.returned else [t] for t in outputs]
        for tensor in (tensor for tensors in final for tensor in tensors):
            last[tensor] = end
            used.setdefault(tensor, []).append(end)
        self.last, self.used = last, used
        self.made = {tensor: number for number, (tensor, _) in enumerate(self.statements)}
        self._choose(outputs)

    def _choose(self, outputs: list[KerasTensor]) -> None:
        inputs = self.network.inputs
        names: dict[KerasTensor, str] = {}
        if len(inputs) == 1:
            names[inputs[0]] = "x"
        else:
            used = Names(("self", "torch", "F"))
            names = {tensor: used(tensor.node.name) for tensor in inputs}
        self.arguments = [names[tensor] for tensor in inputs]
        live = set(inputs)
        for number, (tensor, tree) in enumerate(self.statements):
            live = {one for one in live if self.last.get(one, -1) >= number}
            sources = list(dict.fromkeys(tree.variables()))
            dying = [one for one in sources if self.last[one] == number]
            taken = {names[one] for one in live if self.last[one] > number}
            taken |= {name for name in self.arguments if name in taken}
            names[tensor] = self._chosen(tensor, sources, dying, names, taken)
            live.add(tensor)
        names = self._numbered(names)
        self.lines = [f"{names[t]} = {tree.piece(names).text}" for t, tree in self.statements]
        values = [
            self.trees[t].piece(names).text if t in self.returned else names[t] for t in outputs
        ]
        self.lines.append(f"return {', '.join(values)}")

    def _chosen(
        self,
        tensor: KerasTensor,
        sources: list[KerasTensor],
        dying: list[KerasTensor],
        names: dict[KerasTensor, str],
        taken: set[str],
    ) -> str:
        join = self._join(tensor)
        forks = [one for one in sources if len(self.used[one]) > 1]
        is_branch = join is not None and join.operation in _JOINING and len(join.inputs) > 2
        if is_branch and len(sources) == 1 and forks and len(self.used[tensor]) == 1:
            return _free("branch", taken, 1)
        kept = self._skip(tensor)
        if kept:
            return _free(kept, taken)
        own = [names[one] for one in dying]
        if join is not None and join.operation == "add" and own == ["x"]:
            direct = (
                self.statements[self.used[tensor][0]][1] if self._is_used_once(tensor) else None
            )
            if direct is not None and any(
                names.get(one, "").startswith("out") for one in direct.variables()
            ):
                return _free("identity", taken)
        if "x" not in taken:
            return "x"
        if own:
            return own[0]
        base = "y"
        if join is not None:
            base = {"add": "out", "concatenate": "new", "multiply": "scale"}.get(
                join.operation, "y"
            )
        return _free(base, taken)

    def _is_used_once(self, tensor: KerasTensor) -> bool:
        used = self.used.get(tensor, ())
        return len(used) == 1 and used[0] < len(self.statements)

    def _join(self, tensor: KerasTensor) -> Node | None:
        """The next node with several tensors that a tensor leads to, through others used once."""
        while self._is_used_once(tensor):
            tensor, tree = self.statements[self.used[tensor][0]]
            found = self._joining(tree)
            if found is not None:
                return found
        if len(self.used.get(tensor, ())) == 1 and self.returned:
            for one in self.returned:
                if tensor in self.trees[one].variables():
                    return self._joining(self.trees[one])
        return None

    def _joining(self, tree: Tree) -> Node | None:
        if len(tree.node.inputs) > 1:
            return tree.node
        for part in tree.parts:
            if isinstance(part, Tree):
                return self._joining(part)
        return None

    def _skip(self, tensor: KerasTensor) -> str | None:
        """A name for a tensor that is kept while another one is made, kept and used up."""
        used = self.used.get(tensor, ())
        if len(used) < 2:
            return None
        start, end = self.made[tensor], used[-1]
        if end == len(self.statements):
            return None
        join = self._joining(self.statements[end][1])
        if join is None:
            return None
        if join.operation == "add":
            inner = (self.used.get(one, ()) for one, _ in self.statements[start + 1 : end])
            return "identity" if any(len(u) > 1 and u[-1] < end for u in inner) else None
        between = [tree for _, tree in self.statements[start + 1 : end]]
        is_far = len(between) >= _NEAR or any(tree.resizes for tree in between)
        return "skip" if join.operation in _JOINING and is_far else None

    def _numbered(self, names: dict[KerasTensor, str]) -> dict[KerasTensor, str]:
        """Where there is a skip2, the first is skip1."""
        second = {name[:-1] for name in names.values() if name[-1:] == "2" and len(name) > 2}
        return {
            tensor: f"{name}1" if name in second and name not in self.arguments else name
            for tensor, name in names.items()
        }


def _free(base: str, taken: set[str], first: int = 0) -> str:
    """The base with the lowest number that gives a name that is not taken."""
    if not first and base not in taken:
        return base
    number = first or 2
    while f"{base}{number}" in taken:
        number += 1
    return f"{base}{number}"
