"""Which nodes of an exported program share memory, so that operations in place reach them all."""

from __future__ import annotations

from typing import Any

from cornu.port.network import PortError
from cornu.port.torch.aten import Call, place_of
from cornu.port.torch.aten_weights import Weight


class Memory:
    """Whose memory each node of an exported program uses.

    Args:
        values: what each node is; an operation in place changes it for earlier ones.
    """

    def __init__(self, values: dict[Any, Any]):
        self.values = values
        self._roots: dict[Any, Any] = {}
        self._order: dict[Any, int] = {}

    def number(self, graph: Any) -> None:
        """Takes down the order of a graph's nodes."""
        for node in graph.nodes:
            self._order.setdefault(node, len(self._order))

    def own(self, node: Any) -> None:
        """A node with memory of its own."""
        self._roots[node] = node

    def follow(self, node: Any, source: Any) -> None:
        """A node that is a part of another."""
        self._roots[node] = self._roots.get(source, node)

    def take(self, node: Any) -> None:
        """A node of an operation, which may return a view of its first argument."""
        self._roots[node] = self._root(node)

    def _root(self, node: Any) -> Any:
        """The node whose memory a node shares, itself where it has its own."""
        schema = getattr(node.target, "_schema", None)
        if schema is None or not node.args or not hasattr(node.args[0], "meta"):
            return node
        name, source = schema.name.split("::")[-1], node.args[0]
        shares = any(one.alias_info is not None for one in schema.returns)
        # in eval mode a dropout returns what it was given
        shares = shares or (name in _DROPOUTS and not node.args[-1])
        if name == "contiguous" and not source.meta["val"].is_contiguous():
            shares = False
        if name in ("to", "type_as") and source.meta["val"].dtype != node.meta["val"].dtype:
            shares = False
        return self._roots.get(source, node) if shares else node

    def _others(self, node: Any) -> list[Any]:
        """The earlier nodes that share memory with what a node changes."""
        root = self._roots.get(node.args[0])
        return [one for one, its in self._roots.items() if its is root and one is not node]

    def check_held(self, node: Any) -> None:
        """Refuses to change a weight of the module."""
        held = self.values.get(self._roots.get(node.args[0]))
        if isinstance(held, Weight):
            raise PortError(f"forward() changes {held.key!r} of the module", place_of(node))

    def check_in_place(self, call: Call, node: Any) -> None:
        """Refuses to change a tensor of which another view is used later."""
        changed = self.values[node.args[0]]
        now = self._order[node]
        for other in self._others(node):
            if self.values[other] is changed:
                continue
            if any(self._order.get(user, now) > now for user in other.users):
                raise call.refuse(
                    f"{node.target} changes a part of a tensor in place",
                    "Make the whole tensor anew, as with torch.cat or torch.where",
                )

    def overwrite(self, node: Any, result: Any) -> None:
        """Gives the new value to all nodes that are the changed tensor."""
        changed = self.values[node.args[0]]
        for other in self._others(node):
            if self.values[other] is changed:
                self.values[other] = result


_DROPOUTS = frozenset({"dropout", "alpha_dropout", "feature_dropout"})
