"""The Graph: a small framework-neutral description of a network."""

from cornu.graph.graph import Graph
from cornu.graph.node import FunctionOperation, Node, operation, record
from cornu.graph.tensor import KerasTensor, has_symbolic, is_symbolic

__all__ = [
    "FunctionOperation",
    "Graph",
    "KerasTensor",
    "Node",
    "has_symbolic",
    "is_symbolic",
    "operation",
    "record",
]
