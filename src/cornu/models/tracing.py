"""The graph of a model: the one it was made of, or what its `call` does to symbolic tensors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import jax

from cornu.core import naming
from cornu.graph.graph import Graph
from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.layers.layer import is_shape


def graph_of(model: Any) -> Graph | None:
    """The graph that a Functional or Sequential model was made of; None for any other object."""
    graph = getattr(model, "_graph", None)
    if graph is None and getattr(model, "_functional", None) is not None:
        graph = model._functional._graph
    return graph


def traced_graph(model: Any) -> Graph | None:
    """The graph of what `call` of a subclass does, found with symbolic tensors.

    Args:
        model: built: it has been called, or its `build` has been.

    Returns:
        None where the model has not been built. Nothing about the model is changed.

    Raises whatever the user's `call` raises where it asks for values.
    """
    shape = (getattr(model, "_build_shapes", None) or {}).get("input_shape")
    if shape is None:
        return None
    tensors = jax.tree_util.tree_map(KerasTensor, shape, is_leaf=is_shape)
    flat = jax.tree_util.tree_leaves(tensors)
    with leaving_no_trace(model):
        for number, tensor in enumerate(flat):
            Node("InputLayer", f"input_{number}", None, outputs=tensor)
        return Graph(flat, jax.tree_util.tree_leaves(model.call(tensors)))


@contextlib.contextmanager
def leaving_no_trace(model: Any) -> Iterator[None]:
    """Within the block, layers may be applied to symbolic tensors; none of it is kept."""
    counts = naming._used.copy()
    calls = [(layer, len(layer._nodes)) for layer in model._walk()]
    try:
        yield
    finally:
        naming._used.clear()
        naming._used.update(counts)
        for layer, count in calls:
            del layer._nodes[count:]
