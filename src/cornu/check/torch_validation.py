"""The validation data of a PyTorch program: that of a loader which is called so."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from cornu.check.facts import Facts
from cornu.check.source import Source
from cornu.check.statistics import ArrayFacts
from cornu.check.torch_data import Data, Origin
from cornu.check.torch_recorder import Recorder

# Names of what is not trained on.
_VALIDATION = re.compile(r"^(?!.*train).*(val|test|dev|eval|hold)", re.IGNORECASE)


def note_validation(
    facts: Facts,
    recorder: Recorder,
    source: Source,
    data: Data,
    origins: Mapping[int, tuple[ArrayFacts, Origin, Any]],
) -> None:
    """Fills in the data of a loader that is called so, and gave nothing in two steps of training.

    Args:
        facts: of the network, with inputs and outputs.
        recorder: what was recorded.
        source: the program's text.
        data: gives the data behind tensors.
        origins: of the data of inputs and outputs, by id: itself, where it comes from, and the
            tensor that was handed to the network or the loss.
    """
    waiting = [
        loader
        for loader in recorder.loaders
        if loader not in recorder.iterated and _is_for_validation(loader, recorder, source)
    ]
    if not waiting:
        return

    def of_other(one: ArrayFacts | None) -> ArrayFacts | None:
        if one is None or id(one) not in origins:
            return None
        _, found, tensor = origins[id(one)]
        return data.of_other_loader(found, tensor, waiting[0], one.name)

    inputs = [of_other(one) for one in facts.inputs]
    if all(one is not None for one in inputs):
        facts.validation_inputs = [one for one in inputs if one is not None]
        facts.training.has_validation = True
        for output in facts.outputs:
            output.validation_labels = of_other(output.labels)


def _is_for_validation(loader: Any, recorder: Recorder, source: Source) -> bool:
    place = recorder.places.get(loader)
    if place is None or place.file != source.file:
        return False
    for node in source.walk():
        made = isinstance(node, ast.Assign) and node.lineno <= place.line <= node.end_lineno
        if made and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            return bool(_VALIDATION.search(node.targets[0].id))
    return False
