"""What a PyTorch program counts as right while it trains."""

from __future__ import annotations

from collections.abc import Iterator

from cornu.check.facts import Metric, Output
from cornu.check.torch_graph import Graph
from cornu.check.torch_losses import FoundLoss
from cornu.check.torch_recorder import Recorder
from cornu.check.torch_records import Record

_COMPARES = frozenset({"eq", "__eq__"})
# Steps from the output to what is compared: argmax, a threshold, a cast.
_MOST_STEPS = 8


def found_metrics(
    recorder: Recorder, graph: Graph, outputs: list[Output], losses: list[FoundLoss]
) -> Iterator[tuple[Output, Metric]]:
    """The comparisons `predicted == labels` of an output with its labels: accuracy.

    Args:
        recorder: what was recorded.
        graph: of the network.
        outputs: of the network.
        losses: as they were called.
    """
    labels = [loss.target for loss in losses if loss.target is not None]
    told: set[tuple] = set()
    for record in recorder.records:
        if record.name not in _COMPARES or record.inside or len(record.edges) != 2:
            continue
        for predicted, wanted in (record.edges, record.edges[::-1]):
            if not any(_same_origin(wanted, one) for one in labels):
                continue
            output, rounded = _output(graph, outputs, predicted[0])
            if output is None or (output, record.place) in told:
                continue
            if rounded and (output.labels is None or not output.labels.is_classes):
                continue  # near enough to a whole number: a measure of its own
            told.add((output, record.place))
            yield output, Metric("accuracy", "`==`", record.place)


def _same_origin(one: tuple, other: tuple) -> bool:
    return _begin(one) is _begin(other)


def _begin(edge: tuple) -> object:
    """The tensor that a chain of casts and reshapes of one tensor begins with."""
    made, _, tensor = edge
    for _step in range(_MOST_STEPS):
        if made is None or made.inside or len(made.edges) != 1:
            break
        made, _, tensor = made.edges[0]
    return tensor


def _output(graph: Graph, outputs: list[Output], record: Record | None) -> tuple:
    """The output that a record was computed from, and whether it was rounded on the way."""
    rounded = False
    for _step in range(_MOST_STEPS):
        if record is None:
            break
        operation = graph.of.get(record)
        for output in outputs:
            if operation is output.operation:
                return output, rounded
        rounded = rounded or record.name == "round"
        record = record.edges[0][0] if record.edges else None
    return None, rounded
