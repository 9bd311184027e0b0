"""Graph: the nodes between given inputs and outputs, in an order in which they can be computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax

from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor


class Graph:
    """The part of a network that leads from some tensors to others.

    Args:
        inputs: symbolic tensors where values are put in.
        outputs: symbolic tensors where values are taken out.

    Attributes:
        nodes: in computing order. Deeper nodes (further from an output) come first; at one depth,
            in the order in which a walk back from the outputs meets them: the order in which Keras
            lists the layers of a model, so that weights line up.

    Raises:
        ValueError: an output that the inputs do not lead to.
    """

    def __init__(self, inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]):
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        self.nodes = self._order()

    @property
    def targets(self) -> list[Any]:
        """What is applied, each once, in order."""
        return list({id(node.target): node.target for node in self.nodes}.values())

    def _walk(self) -> list[Node]:
        """The nodes behind the outputs, each after those it needs; first-met order in `_met`."""
        starts = {id(tensor) for tensor in self.inputs}
        finished: list[Node] = []
        done: set[int] = set()
        self._met: dict[int, int] = {}
        # an explicit stack: a deep network must not meet Python's recursion limit
        for output in self.outputs:
            stack: list[tuple[KerasTensor, bool]] = [(output, False)]
            while stack:
                tensor, expanded = stack.pop()
                node = tensor.node
                if node is None:
                    raise ValueError(f"{tensor!r} comes from no layer and no Input")
                if id(node) in done:
                    continue
                if expanded:
                    done.add(id(node))
                    finished.append(node)
                    continue
                self._met.setdefault(id(node.target), len(self._met))
                stack.append((tensor, True))
                if id(tensor) not in starts:
                    if node.is_input:
                        raise ValueError(
                            f"the output needs the input {tensor.name!r} (shape {tensor.shape}), "
                            "which is not among the inputs of the model"
                        )
                    stack.extend((source, False) for source in reversed(node.inputs))
        return finished

    def _order(self) -> list[Node]:
        finished = self._walk()
        inside = {id(node) for node in finished}
        starts = {id(tensor) for tensor in self.inputs}
        depth_of_node: dict[int, int] = {}
        depth_of_target: dict[int, int] = {}
        for node in reversed(finished):
            depth = max(depth_of_node.get(id(node), 0), depth_of_target.get(id(node.target), 0))
            depth_of_target[id(node.target)] = depth_of_node[id(node)] = depth
            if any(id(tensor) in starts for tensor in node.outputs):
                continue
            for source in node.inputs:
                if id(source.node) in inside:
                    before = depth_of_node.get(id(source.node), 0)
                    depth_of_node[id(source.node)] = max(depth + 1, before)
        for tensor in self.inputs:
            node = tensor.node
            if node is not None and id(node) not in inside:  # an input that leads nowhere
                finished.append(node)
                depth_of_node[id(node)] = 0
                self._met.setdefault(id(node.target), -1)
        return sorted(
            finished,
            key=lambda node: (
                -depth_of_node[id(node)],
                self._met[id(node.target)],
                node.call_index,
            ),
        )

    def run(self, values: Sequence[Any], call: Callable[[Node, tuple, dict], Any]) -> list[Any]:
        """The outputs for given inputs.

        Args:
            values: one for each of `inputs`.
            call: `(node, args, kwargs) -> nest of outputs`, with values for symbolic tensors.
        """
        known = {id(t): value for t, value in zip(self.inputs, values, strict=True)}

        def fill(leaf):
            return known[id(leaf)] if isinstance(leaf, KerasTensor) else leaf

        for node in self.nodes:
            if all(id(tensor) in known for tensor in node.outputs):
                continue
            args, kwargs = jax.tree_util.tree_map(fill, (node.args, node.kwargs))
            results = jax.tree_util.tree_leaves(call(node, args, kwargs))
            known.update((id(t), r) for t, r in zip(node.outputs, results, strict=True))
        return [known[id(tensor)] for tensor in self.outputs]
