"""Facts of a PyTorch program, out of what was recorded of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cornu.check import torch_names as names
from cornu.check.facts import (
    Facts,
    Loss,
    Measured,
    Operation,
    Output,
    Probe,
    through,
)
from cornu.check.source import Source
from cornu.check.statistics import ArrayFacts
from cornu.check.torch_data import Data, Origin, origin
from cornu.check.torch_graph import Graph
from cornu.check.torch_losses import FoundLoss, as_loss, described, find_losses, loss_function
from cornu.check.torch_metrics import found_metrics
from cornu.check.torch_probe import measure, rms, try_rates
from cornu.check.torch_recorder import Recorder
from cornu.check.torch_records import Backward, Optimized, Record
from cornu.check.torch_training import TrainingReader
from cornu.check.torch_validation import note_validation
from cornu.core.places import Place


def all_facts(
    recorder: Recorder, source: Source, titles: dict[int, str], died: bool = False
) -> list[Facts]:
    """Facts of each network that the program trains with a loss of its own.

    Args:
        recorder: what was recorded.
        source: the program's text.
        titles: names of modules in the program, by id.
        died: whether an error ended the program.
    """
    found: list[Facts] = []
    seen: list[list[Backward]] = []
    for one in recorder.optimizers:
        if one.first and one.first not in seen:
            seen.append(one.first)
            found.append(Reader(recorder, source, titles, one.first, one).facts())
    if not found and recorder.backwards:
        first = recorder.backwards[:1]
        owner = next((one for one in recorder.optimizers if _shares(one, first[0])), None)
        owner = owner or (recorder.optimizers[-1] if recorder.optimizers else None)
        found.append(Reader(recorder, source, titles, first, owner).facts())
    failed = recorder.failed
    if not found and died and failed is not None and (as_loss(failed) or _is_of_network(failed)):
        found.append(Reader(recorder, source, titles, [], None).facts_until_failure())
    return found


def _is_of_network(record: Record) -> bool:
    return record.module is not None or record.inside


def _shares(one: Optimized, backward: Backward) -> bool:
    return any(id(p) in backward.parameters for p in one.parameters)


class Reader:
    """Makes the facts of one network and its loss.

    Args:
        recorder: what was recorded.
        source: the program's text.
        titles: names of modules in the program, by id.
        backwards: the backward passes before the first step of the optimizer.
        optimized: the optimizer, or None.
    """

    def __init__(
        self,
        recorder: Recorder,
        source: Source,
        titles: dict[int, str],
        backwards: list[Backward],
        optimized: Optimized | None,
    ):
        self.recorder, self.source, self.titles = recorder, source, titles
        self.optimized = optimized
        # the same line again before a step adds gradients up over batches: one of them tells all
        self.backwards = list({one.place: one for one in reversed(backwards)}.values())[::-1]
        self.adds_up = len(self.backwards) < len(backwards)
        self.data = Data(recorder)
        self.first_origin: Origin | None = None
        self._origins: dict[int, tuple[ArrayFacts, Origin, Any]] = {}

    def facts(self) -> Facts:
        """All that is known of the training."""
        losses = [loss for one in self.backwards for loss in find_losses(one)]
        trained = any(one.requires_grad for one in self.backwards)
        graph = self._graph(losses, trained)
        return self._assemble(graph, losses)

    def facts_until_failure(self) -> Facts:
        """What is known of a program that died before its first backward pass."""
        failed = self.recorder.failed
        assert failed is not None
        owner = self.recorder.optimizers[-1] if self.recorder.optimizers else None
        self.optimized = owner
        if as_loss(failed):
            losses = [described(failed)]
            return self._assemble(self._graph(losses, True), losses)
        graph = Graph(self.recorder, [failed], True, self.titles)
        facts = self._assemble(graph, [])
        facts.outputs, facts.unused = [], []
        return facts

    def _graph(self, losses: list[FoundLoss], trained: bool) -> Graph:
        ends = [loss.prediction[0] for loss in losses if loss.prediction and loss.prediction[0]]
        for loss in losses:
            # labels given first, the prediction second
            if loss.target and loss.target[0] is not None and loss.target[0] not in ends:
                ends.append(loss.target[0])
        if not losses:
            ends = [made for one in self.backwards for made in one.made if made is not None]
        if not trained:
            ends += [one.latest for one in self.backwards if one.latest is not None]
        graph = Graph(self.recorder, ends, not trained, self.titles)
        if losses and trained and not graph.operations:
            # the loss takes what is detached while something else of it is trained
            graph = Graph(self.recorder, ends, True, self.titles)
        return graph

    # -- outputs -------------------------------------------------------------------------------

    def _outputs(self, graph: Graph, losses: list[FoundLoss]) -> list[Output]:
        outputs: list[Output] = []
        for found in losses:
            operation = _operation(graph, found.prediction)
            target = found.target
            if operation is None or operation.kind == "Input":
                swapped = _operation(graph, found.target)
                if swapped is not None and swapped.kind != "Input":
                    operation, target = swapped, found.prediction
                    found.loss.settings["swapped"] = True
            if operation is None or operation.kind == "Input":
                continue
            labels = self._labels(target, found.loss)
            same = [o for o in outputs if self._is_same(graph, o, operation, found.loss)]
            if same:
                # a critic's verdict on real and on made rows: one output, asked twice
                same[0].labels = _joined(same[0].labels, labels)
                continue
            outputs.append(Output(operation.name, operation, loss=found.loss, labels=labels))
        if not outputs and graph.operations:
            outputs = [self._custom_output(graph)]
            if losses:
                outputs[0].loss = losses[0].loss
                outputs[0].labels = self._labels(losses[0].target, losses[0].loss)
        return outputs

    @staticmethod
    def _is_same(graph: Graph, output: Output, operation: Operation, loss: Loss) -> bool:
        if output.loss is None or output.loss.kind != loss.kind:
            return False
        one, other = (graph.record.get(through(op)) for op in (output.operation, operation))
        if one is other or one is None or other is None:
            return one is other
        if one.module is not None:
            return one.module is other.module
        return one.place == other.place and one.name == other.name

    def _custom_output(self, graph: Graph) -> Output:
        inside = [op for op in graph.operations if self._is_inside(graph, op)]
        taken = {source for op in inside for source in op.inputs}
        last = [op for op in inside if op not in taken] or graph.operations[-1:]
        operation = max(last, key=lambda op: math.prod(_shape(graph, op)))
        ends = [made for one in self.backwards for made in one.made if made is not None]
        place = ends[0].place if ends else None
        requires = all(one.requires_grad for one in self.backwards)
        loss = Loss("custom", "custom", place=place, requires_gradient=requires)
        return Output(operation.name, operation, loss=loss)

    @staticmethod
    def _is_inside(graph: Graph, operation: Operation) -> bool:
        record = graph.record.get(operation)
        return record is not None and (record.module is not None or record.inside)

    def _labels(self, edge: tuple | None, loss: Loss) -> ArrayFacts | None:
        if edge is None:
            return None
        tensor = edge[2]
        if tensor is None:
            return None
        one_by_one = self.one_by_one
        found = origin(self.recorder, edge, self._later, one_by_one)
        if not tensor.ndim and not one_by_one:
            return None
        labels = self.data.facts(found, tensor, "y", one_by_one)
        self._origins[id(labels)] = (labels, found, tensor)
        if found.kind in ("batch", "all") and labels.rows > 1 and _is_constant(labels):
            return None  # "real" or "fake" for a whole batch: no data
        return labels

    # -- inputs and training -------------------------------------------------------------------

    @property
    def _later(self) -> set[int]:
        """Ids of the tensors that the second step took from outside."""
        later = self.optimized.second if self.optimized is not None else []
        later = later or self.recorder.backwards[1:2]
        ends = [made for one in later for made in one.made if made is not None]
        if not all(one.requires_grad for one in later):
            ends += [r for one in later for r in (one.latest, one.latest_loss) if r is not None]
        found: set[int] = set()
        for record in _closure(ends):
            found |= {id(tensor) for _, _, tensor in record.edges if tensor is not None}
        return found

    def _inputs(self, graph: Graph) -> list[ArrayFacts]:
        inputs: list[tuple[Origin, ArrayFacts]] = []
        for operation, edge in graph.inputs.items():
            tensor = edge[2]
            if operation not in self.needed or tensor is None or tensor.dtype is _bool():
                continue
            if edge[0] is not None and (edge[0].inside or edge[0].name in names.DETACHES):
                continue  # what another network made
            found = origin(self.recorder, edge, self._later, self.one_by_one)
            if any(found.tensor is other.tensor for other, _ in inputs):
                continue
            facts = self.data.facts(found, tensor, "x", self.one_by_one)
            if found.kind in ("batch", "all") and _is_constant(facts):
                continue  # a first state
            self._origins[id(facts)] = (facts, found, tensor)
            inputs.append((found, facts))
        if any(found.kind in ("loader", "rows") for found, _ in inputs):
            # a mask, or what else is the same for each batch
            inputs = [one for one in inputs if one[0].kind != "all"]
        self.first_origin = inputs[0][0] if inputs else None
        return [facts for _, facts in inputs]

    @staticmethod
    def _leading_to(outputs: list[Output], graph: Graph) -> list[Operation]:
        """The operations without those that only the loss needs."""
        if not outputs:
            return graph.operations
        needed: set[Operation] = set()
        waiting = [output.operation for output in outputs]
        while waiting:
            operation = waiting.pop()
            if operation not in needed:
                needed.add(operation)
                waiting += operation.inputs
        return [operation for operation in graph.operations if operation in needed]

    # -- the whole -----------------------------------------------------------------------------

    def _assemble(self, graph: Graph, losses: list[FoundLoss]) -> Facts:
        self._operations = graph
        self.one_by_one = graph.one_by_one
        outputs = self._outputs(graph, losses)
        self.needed = set(self._leading_to(outputs, graph))
        inputs = self._inputs(graph)
        edge = next((e for op, e in graph.inputs.items() if op in self.needed), None)
        reader = TrainingReader(self.recorder, self.source, self.backwards, self.optimized)
        training = reader.training(graph, edge[2] if edge else None, self.first_origin)
        if any("weight" in loss.loss.settings for loss in losses):
            training.class_weight = True
        operations = self._leading_to(outputs, graph)
        for output in outputs:
            if output.loss is not None and not output.loss.requires_gradient:
                output.loss.gradient_lost = self._gradient_lost()
        facts = Facts(
            "torch",
            operations,
            outputs,
            inputs,
            optimizer=reader.optimizer(graph, training.steps),
            training=training,
            unused=self._unused(graph),
            source=self.source,
        )
        note_validation(facts, self.recorder, self.source, self.data, self._origins)
        for output, metric in found_metrics(self.recorder, graph, outputs, losses):
            output.metrics.append(metric)
        trainable: dict[int, int] = {}
        for module in [r.module for r in graph.records if r.module is not None]:
            trainable |= {id(p): p.numel() for p in module.parameters() if p.requires_grad}
        for backward in self.backwards:
            trainable |= {key: p.numel() for key, p in backward.parameters.items()}
        facts.parameters = sum(trainable.values())
        facts.probe = self._probe(graph, facts)
        return facts

    def _gradient_lost(self) -> Place | None:
        """The line of the last function that took what has a gradient and gave what has none."""
        ends = [made for one in self.backwards for made in one.made if made is not None]
        found = [
            record
            for record in _closure(ends)
            if not any(spec[2] for spec in record.specs)
            and any(made is not None and made.specs[i][2] for made, i, _ in record.edges)
        ]
        return max(found, key=lambda record: record.number).place if found else None

    def _unused(self, graph: Graph) -> list:
        unused = []
        leaves = {m for r in graph.records if r.module is not None for m in r.module.modules()}
        used = {key for one in self.backwards for key in one.parameters}
        for top in graph.tops:
            for path, module in top.named_modules():
                name = names.torch_class(module)
                if name is None or name in names.CONTAINERS or module in leaves:
                    continue
                if module in self.recorder.called or loss_function(name):
                    continue
                if name == "Identity" or _inside_called_leaf(top, path, self.recorder):
                    continue
                if any(id(p) in used for p in module.parameters()):
                    continue
                kind, _ = names.module_operation(name, module, 2)
                unused.append((path, kind, self.recorder.places.get(module)))
        return unused

    def _probe(self, graph: Graph, facts: Facts) -> Probe | None:
        probe = Probe()
        if self.recorder.measure is None:
            return None
        if self._is_stood_in(graph):
            return None  # what initial values do says nothing of trained ones
        for operation, record in graph.record.items():
            if operation not in self.needed:
                continue
            measured = record.measured or measure(record)
            if measured is not None:
                probe.operations[operation] = measured
                self._note_kernel(operation, record, measured)
        for operation, edge in graph.inputs.items():
            known = operation in self.needed and edge[2] is not None and edge[2].ndim
            if known and edge[2].is_floating_point():
                probe.operations[operation] = _of_input(edge[2])
        made = [probe.operations.get(output.operation) for output in facts.outputs]
        if all(one is not None and one.finite for one in made):
            # infinities that a softmax takes in again: a mask
            probe.operations = {op: one for op, one in probe.operations.items() if one.finite}
        if len(self.backwards) == 1 and self.backwards[0].losses:
            loss = self.backwards[0].losses[0]
            probe.loss = float(loss.detach().float().mean()) if loss.numel() == 1 else None
            one = self.optimized
            if one is not None and one.steps and self._is_to_be_lowered(facts, one):
                probe.rates, probe.rate_steps = try_rates(self.recorder, self.backwards[0], one)
        return probe if probe.operations else None

    def _is_stood_in(self, graph: Graph) -> bool:
        """Whether initial values stand for the trained ones that the program would have."""
        stood_in = self.recorder.stood_in
        if not stood_in:
            return False
        records = [record for op, record in graph.record.items() if op in self.needed]
        modules = [record.module for record in records if record.module is not None]
        return any(id(p) in stood_in for module in modules for p in module.parameters())

    def _is_to_be_lowered(self, facts: Facts, one: Optimized) -> bool:
        """Whether training is right if the loss of a batch falls, as it need not against a critic.

        Of a loss written by hand it isn't known what it means.
        """
        kinds = {output.loss.kind for output in facts.outputs if output.loss is not None}
        others = {id(p) for o in self.recorder.optimizers if o is not one for p in o.parameters}
        alone = not others & self.backwards[0].parameters.keys()
        return bool(kinds) and "custom" not in kinds and alone and not self.adds_up

    def _note_kernel(self, operation: Operation, record: Record, measured: Measured) -> None:
        named = operation.parameter("kernel")
        kernel = getattr(record.module, named.name, None) if named and record.module else None
        if kernel is None:
            loose = [t for made, _, t in record.edges if made is None and t is not None]
            kernel = next((t for t in loose if t.requires_grad and t.ndim > 1), None)
        if kernel is None or operation.parameter("kernel") is None:
            return
        measured.weight = rms(kernel)
        if self.optimized is not None and self.optimized.gradients:
            own = {id(p) for p in self.optimized.parameters if p.requires_grad}
            nothing = 0.0 if id(kernel) in own else None
            measured.gradient = self.optimized.gradients.get(id(kernel), nothing)


def _bool() -> Any:
    import torch

    return torch.bool


def _is_constant(data: ArrayFacts) -> bool:
    return bool(data.array.size) and bool(np.all(data.array == data.array.flat[0]))


def _of_input(tensor: Any) -> Measured:
    record = Record(0, "input", None, None, (), {})
    record.outputs = (tensor,)
    return measure(record) or Measured()


def _shape(graph: Graph, operation: Operation) -> tuple[int, ...]:
    """The shape of an operation's output, with the rows of the batch."""
    record = graph.record.get(operation)
    return record.specs[0][0] if record is not None and record.specs else ()


def _operation(graph: Graph, edge: tuple | None) -> Operation | None:
    if edge is None or edge[0] is None:
        return None
    return graph.of.get(edge[0])


def _closure(ends: list[Record]) -> set[Record]:
    found: set[Record] = set()
    waiting = list(ends)
    while waiting:
        record = waiting.pop()
        if record not in found:
            found.add(record)
            waiting += [made for made, _, _ in record.edges if made is not None]
    return found


def _joined(one: ArrayFacts | None, other: ArrayFacts | None) -> ArrayFacts | None:
    if one is None or other is None or one.shape != other.shape:
        return one if other is None else None
    if np.array_equal(one.array, other.array):
        return one
    return ArrayFacts(np.concatenate([one.array, other.array]), one.name, complete=False)


def _inside_called_leaf(top: Any, path: str, recorder: Recorder) -> bool:
    """Whether a module is part of one of torch.nn that was called as a whole."""
    parts = path.split(".")
    for end in range(1, len(parts)):
        around = top.get_submodule(".".join(parts[:end]))
        name = names.torch_class(around)
        if name is not None and name not in names.CONTAINERS and around in recorder.called:
            return True
    return False
