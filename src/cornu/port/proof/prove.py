"""prove: whether two networks, in whatever frameworks, are the same network."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.graph.tensor import KerasTensor
from cornu.port.network import Layout, Network, PortError
from cornu.port.proof import batches as batches_of
from cornu.port.proof.heads import Heads, moved_heads
from cornu.port.proof.matching import Matching, Values, inputs_paired, match
from cornu.port.proof.places import (
    explain,
    first_lost,
    lost_tensors,
    measured,
    order_of,
    unmatched_in_training,
    unmatched_weights,
)
from cornu.port.proof.proof import Gap, Mismatch, Part, Proof
from cornu.port.proof.runner import Runner
from cornu.port.proof.runners import runners_of
from cornu.port.proof.settings import TRAINING_ONLY, compare_operations
from cornu.port.proof.training import compare_training, has_regularizers

# Noise in float32 of one side alone, which the other, in float64 too, tells.
_ROUNDING = 10


def prove(
    a: Any,
    b: Any,
    x: Any = None,
    y: Any = None,
    *,
    steps: int = 20,
    batch_size: int | None = None,
    dtypes: Sequence[str] = ("float32", "float64"),
    loss: Any = None,
    optimizer: Any = None,
    seed: int = 0,
) -> Proof:
    """Compares two networks: values layer by layer, loss, gradients, weights after training.

    Args:
        a, b: each a Cornu model, a `torch.nn.Module`, a live Keras model, the name of an ONNX or
            Keras file, an ONNX model, or the module of a generated NumPy program.
        x, y: data (a list or dict of arrays for several inputs), as either network takes it.
            Made up where it is not given: normal floats, ids within the range of an embedding,
            labels that fit the loss.
        steps: of training to compare, where both networks come with loss and optimizer.
        batch_size: rows of a batch. Default: up to 32 of `x`, or 16.
        dtypes: what to compute in: "float32", "float64" or both.
        loss: for a PyTorch module a function `(outputs, targets) -> scalar`; for two, a pair.
        optimizer: for a PyTorch module an optimizer of its parameters, or a function that makes one
            of parameters; for two, a pair.
        seed: of the made-up data.

    Returns:
        A `Proof`: true where the networks are the same, and printed as a table that says where they
        part first, and by how much.

    Raises:
        PortError: a network that cannot be read, data that does not fit.
        ValueError: a dtype other than these two.

    >>> from cornu import Input, Sequential, layers
    >>> model = Sequential([Input((4,)), layers.Dense(3, "relu"), layers.Dense(2)])
    >>> proof = prove(model, model, dtypes=["float32"])
    >>> bool(proof), proof.first
    (True, None)
    """
    began = time.perf_counter()
    unknown = [dtype for dtype in dtypes if dtype not in ("float32", "float64")]
    if unknown or not dtypes:
        raise ValueError(f"prove(dtypes={dtypes!r}): expected 'float32', 'float64' or both")
    first, second = runners_of((a, b), x, _pair(loss), _pair(optimizer))
    comparison = Comparison(first, second, list(dtypes), steps, seed)
    comparison.run(x, y, batch_size)
    comparison.proof.seconds = time.perf_counter() - began
    return comparison.proof


def _pair(value: Any) -> tuple[Any, Any]:
    """What is given for two networks, from what is given for both."""
    return value if isinstance(value, tuple) else (value, value)


class Comparison:
    """The comparison of two runners, step by step."""

    def __init__(self, a: Runner, b: Runner, dtypes: list[str], steps: int, seed: int):
        self.has_losses = a.has_loss, b.has_loss
        if a.has_loss != b.has_loss:
            a, b = a.without_loss(), b.without_loss()
        self.a, self.b = a, b
        for runner, other in ((a, b), (b, a)):
            # a copy of it may be compared with another one
            runner.decay_as_penalty = has_regularizers(other.network)
        self.steps, self.seed = steps, seed
        self.wanted = dtypes
        self.dtypes = [d for d in dtypes if d in a.dtypes and d in b.dtypes]
        # the most exact first: what it finds equal is equal
        self.dtypes.sort(reverse=True)
        self.proof = Proof(a.title, b.title)
        self.trains = a.has_optimizer and b.has_optimizer and steps > 0
        self.differentiates = a.computes_gradients and b.computes_gradients
        self.heads: list[Heads] = []
        self._values: dict[tuple[int, str, bool], Values] = {}

    def run(self, x: Any, y: Any, rows: int | None) -> None:
        """Makes all comparisons; what is found is in `proof`."""
        if self._inputs_differ():
            return
        if not self.dtypes:
            raise PortError(
                f"{self.a.title} computes in {_listed(self.a.dtypes)}, {self.b.title} in "
                f"{_listed(self.b.dtypes)}; {_listed(self.wanted)} was asked for"
            )
        self._say_what_is_missing()
        batches = self._batches(x, y, rows)
        found = self._forward(batches[0][0])
        self._settings(found)
        if self.proof.part("outputs", self.dtypes[0]).same and self.differentiates:  # type: ignore[union-attr]
            batches = self._with_targets(batches, y)
            if batches:
                compare_training(self, found, batches)
        self._finish(found)

    # -- what is compared --------------------------------------------------------------------------

    def _inputs_differ(self) -> bool:
        a, b = self.a.network, self.b.network
        for what in ("inputs", "outputs"):
            one, two = len(getattr(a, what)), len(getattr(b, what))
            if one != two:
                text = f"the first has {one} {what}, the second {two}"
                self.proof.mismatches.append(Mismatch("shape", None, None, text))
                return True
        for tensor, other in inputs_paired(a, b):
            sizes = zip(tensor.shape[1:], other.shape[1:], strict=False)
            differ = any(None not in pair and pair[0] != pair[1] for pair in sizes)
            if tensor.ndim != other.ndim or differ:
                text = (
                    f"the input {tensor.node.name!r} has shape {tensor.shape} in the first, "
                    f"{other.shape} in the second (images with their channels last)"
                )
                self.proof.mismatches.append(
                    Mismatch("shape", tensor.node.name, other.node.name, text)
                )
                return True
        return False

    def _say_what_is_missing(self) -> None:
        notes = self.proof.notes
        for runner, has_loss in zip((self.a, self.b), self.has_losses, strict=True):
            missing = [d for d in self.wanted if d not in runner.dtypes]
            if missing:
                notes.append(f"{runner.title} does not compute in {_listed(missing)}")
            if not runner.computes_gradients:
                notes.append(f"{runner.title} computes outputs only: no loss, gradients, training")
            elif not has_loss:
                notes.append(
                    f"{runner.title} comes without a loss: the gradients are those of the outputs "
                    "times random numbers, and nothing is trained"
                )
            elif not runner.has_optimizer and all(self.has_losses):
                notes.append(f"{runner.title} comes without an optimizer: nothing is trained")

    def _batches(self, x: Any, y: Any, rows: int | None) -> list[batches_of.Batch]:
        for runner in (self.a, self.b):
            rows = runner.batch_size or rows
        network = self.a.network
        if x is None:
            batches = batches_of.made_up(network, rows, self.seed)
        else:
            batches = batches_of.given(network, self._known_layouts(), x, y, rows)
        self.proof.rows = len(batches[0][0][0])
        return batches

    def _known_layouts(self) -> list[list[Layout]]:
        """How the inputs of the first network are held: of the second's form, of its own."""
        a, b = self.a.network, self.b.network
        of_b = dict(zip(b.inputs, b.input_layouts, strict=True))
        return [[of_b[other] for _, other in inputs_paired(a, b)], a.input_layouts]

    def _losses(self) -> Sequence[Any]:
        for runner in (self.a, self.b):
            training = runner.network.training
            if runner.has_loss and training is not None and training.losses:
                return training.losses
        return ()

    def _with_targets(self, batches: list, y: Any) -> list:
        """The batches with targets; none where there is nothing to train on."""
        has_loss = self.a.has_loss and self.b.has_loss
        if has_loss and y is not None:
            return self._unsaturated(batches)
        losses = self._losses() if has_loss else ()
        if has_loss and not losses:
            self.proof.notes.append("the loss is unknown: give x and y to compare it")
            return []
        outputs = [self.values(0, self.dtypes[-1])[t].shape for t in self.a.network.outputs]
        batches_of.add_targets(batches, losses, outputs, self.seed)
        return self._unsaturated(batches) if has_loss else batches

    def _unsaturated(self, batches: list) -> list:
        """Leaves out rows that a cross-entropy of probabilities clips, if the other's does not."""
        if not any(head.is_moved for head in self.heads):
            return batches
        dtype = self.dtypes[0]
        outputs = []
        for inputs, _ in batches:
            values = self.a.values(inputs, dtype)
            outputs.append(
                [
                    head.probabilities_a(values[tensor])
                    for head, tensor in zip(self.heads, self.a.network.outputs, strict=True)
                ]
            )
        kept, left_out = batches_of.without_clipped(batches, outputs, self._losses())
        if left_out:
            self.proof.notes.append(
                f"{left_out} rows are left out of training: a loss on probabilities clips them at "
                "1e-7, one on logits does not"
            )
        if not kept:
            self.proof.notes.append("no row is left to train on: give x and y to compare training")
        return kept

    def values(self, side: int, dtype: str, training: bool = False) -> Values:
        """The values of a side's tensors for the first batch."""
        key = side, dtype, training
        if key not in self._values:
            runner = (self.a, self.b)[side]
            inputs = self._inputs if side == 0 else self._inputs_of_b()
            self._values[key] = runner.values(inputs, dtype, training)
        return self._values[key]

    def _inputs_of_b(self) -> list[np.ndarray]:
        return self.in_order_of_b(self._inputs)

    def in_order_of_b(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Inputs as the second network orders them."""
        a, b = self.a.network, self.b.network
        given = dict(zip(a.inputs, inputs, strict=True))
        of_b = {other: given[tensor] for tensor, other in inputs_paired(a, b)}
        return [of_b[tensor] for tensor in b.inputs]

    def _forward(self, inputs: Sequence[np.ndarray]) -> Matching:
        self._inputs = list(inputs)
        dtype = self.dtypes[0]
        found = self.matching(dtype)
        self.heads = moved_heads(found, self.a, self.b)
        for head in self.heads:
            if head.is_moved:
                self.proof.notes.append(head.note)
            elif head.may_be_in_loss and self.has_losses[0] != self.has_losses[1]:
                self.proof.notes.append(
                    "one of the networks ends in a softmax or sigmoid that the other has not; "
                    "where its loss applies it, give prove() that loss"
                )
        for dtype in self.dtypes:
            outputs = self._compare_outputs(dtype)
            layers = self._compare_layers(found, dtype)
            self.proof.parts += [outputs, layers]
        self.proof.mark_rounding()
        self._mark_rounding_of_one_side()
        self._find_parting(found)
        return found

    def matching(self, dtype: str, training: bool = False) -> Matching:
        """What corresponds, by the values in a dtype."""
        close = self._part("layers", dtype).tolerance
        if dtype == "float32":
            close *= _ROUNDING
        values = [self.values(side, dtype, training) for side in (0, 1)]
        return match(self.a.network, self.b.network, values[0], values[1], close)

    def _part(self, quantity: str, dtype: str) -> Part:
        """A comparison yet to be made, no stricter than what the frameworks hold."""
        part = Part.of(quantity, dtype)
        part.tolerance = max(part.tolerance, self.a.precision, self.b.precision)
        return part

    def _compare_outputs(self, dtype: str) -> Part:
        part = self._part("outputs", dtype)
        values_a, values_b = self.values(0, dtype), self.values(1, dtype)
        names = self.a.network.output_names
        outputs = zip(self.heads, self.a.network.outputs, self.b.network.outputs, strict=True)
        for place, (head, tensor, other) in enumerate(outputs):
            one, two = head.comparable(values_a[tensor], values_b[other])
            part.add(Gap.between(one, two), tensor.node.name if len(names) == 1 else names[place])
        return part

    def _compare_layers(self, found: Matching, dtype: str) -> Part:
        part = self._part("layers", dtype)
        values_a, values_b = self.values(0, dtype), self.values(1, dtype)
        lost = first_lost(found, self.lost(found))
        for tensor, other in found.tensors.items():
            if tensor.node.operation == "InputLayer":
                continue
            if tensor not in values_a or other not in values_b:
                continue
            if found.has_equal(tensor) or tensor.node is lost:
                gap = Gap.between(values_a[tensor], values_b[other], found.floor)
                part.add(gap, tensor.node.name)
        return part

    def _ends(self) -> tuple[list, list]:
        """The outputs, before an activation that only one network has."""
        return [head.tensor_a for head in self.heads], [head.tensor_b for head in self.heads]

    def lost(self, found: Matching) -> set[KerasTensor]:
        """The tensors of the first network on whose way to the outputs the values part."""
        return lost_tensors(found, *self._ends())

    def _find_parting(self, found: Matching) -> None:
        outputs = self.proof.part("outputs", self.dtypes[0])
        node = first_lost(found, self.lost(found))
        if node is None or (outputs is not None and outputs.same):
            return
        mismatch = explain(found, node)
        self.proof.mismatches.append(measured(mismatch, "layers", self.dtypes[0], mismatch.gap))

    def _mark_rounding_of_one_side(self) -> None:
        """In float32 alone: what the first network's float32 is off from its own float64."""
        if "float64" in self.dtypes or "float64" not in self.a.dtypes:
            return
        for part in self.proof.parts:
            if part.within or part.quantity not in ("outputs", "layers"):
                continue
            own, exact = self.values(0, "float32"), self.values(0, "float64")
            error = max(Gap.between(exact[t], own[t]).relative for t in exact if t in own)
            part.is_rounding = part.gap.relative <= _ROUNDING * error

    def _settings(self, found: Matching) -> None:
        """Adds the weights and settings that differ; those where the values part come first."""
        proof = self.proof
        of_both = self.differentiates
        differing = list(compare_operations(found, self.lost(found), of_both))
        mismatches = [mismatch for _, mismatch in differing]
        if of_both:
            mismatches += unmatched_in_training(found)
            mismatches += unmatched_weights(found)
        first = proof.first
        if first is not None:
            here = _same_place(first, mismatches)
            for mismatch in here:
                if _shown_in_training_alone(mismatch):
                    continue
                mismatch.gap = first.gap
                mismatch.quantity, mismatch.dtype = first.quantity, first.dtype
            if here and (first.kind in ("computation", "shape") or first.kind == here[0].kind):
                proof.mismatches.remove(first)
            mismatches = [*here, *(one for one in mismatches if one not in here)]
        mismatches.sort(key=lambda one: (one.quantity is None, order_of(found, one.layer)))
        proof.mismatches += mismatches

    def _finish(self, found: Matching) -> None:
        proof = self.proof
        proof.mark_rounding()
        order = list(dict.fromkeys(_QUANTITIES))
        proof.parts.sort(key=lambda part: (order.index(part.quantity), part.dtype))
        for part in proof.parts:
            if not part.same and not proof.mismatches:
                text = f"the {part.quantity} differ at {part.where}"
                proof.mismatches.append(
                    Mismatch("computation", part.where, None, text, part.quantity, part.dtype,
                             part.gap)
                )  # fmt: skip
        proof.notes = list(dict.fromkeys((*self.a.notes, *self.b.notes, *proof.notes)))
        if self.differentiates and _has_noise(self.a.network, self.b.network):
            proof.notes.append("dropout and noise were switched off in both networks")


_QUANTITIES = (
    *("outputs", "layers", "loss", "gradients"),
    *("training losses", "trained weights", "trained outputs"),
)


def _same_place(first: Mismatch, mismatches: list[Mismatch]) -> list[Mismatch]:
    """The differences of the layer at which values part, or of the one whose values it takes."""
    return [one for one in mismatches if one.layer is not None and one.layer == first.layer]


def _shown_in_training_alone(mismatch: Mismatch) -> bool:
    is_setting = mismatch.kind == "attribute"
    return is_setting and mismatch.message.partition(" ")[0] in (*TRAINING_ONLY, "trainable")


def _has_noise(*networks: Network) -> bool:
    from cornu.port.kinds import DROPOUT

    return any(node.operation in DROPOUT for network in networks for node in network.nodes)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names)
