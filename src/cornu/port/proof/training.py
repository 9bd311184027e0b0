"""Loss, gradients and training of two networks, compared."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cornu.port.kinds import STATISTICS
from cornu.port.network import Network, Operation
from cornu.port.proof.matching import Matching
from cornu.port.proof.places import explain, first_lost, measured
from cornu.port.proof.proof import Gap, Mismatch, Part
from cornu.port.proof.runner import Runner, Trained, Weights
from cornu.port.training import Loss

# Gradients and weights below this share of the largest are compared with it.
_FLOOR = 1e-3
# A gradient below this share of the largest of all is rounding: that of a bias before a batch
# normalization, which takes it away again.
_NO_GRADIENT = {"float32": 1e-5, "float64": 1e-11}
# How far apart rounding may move such a weight in float64, relative to the largest of all weights;
# and how many times that may show in the outputs.
_DRIFT, _SHOWN = 1e-6, 100


def compare_training(comparison: Any, found: Matching, batches: list) -> None:
    """Compares loss, gradients and training; what is found goes into the proof.

    Args:
        comparison: a `Comparison`.
        found: what corresponds.
        batches: with targets.
    """
    _Training(comparison, found, batches).run()


class _Training:
    def __init__(self, comparison: Any, found: Matching, batches: list):
        self.comparison, self.found, self.batches = comparison, found, batches
        self.a: Runner = comparison.a
        self.b: Runner = comparison.b
        self.proof = comparison.proof
        self.has_loss = self.a.has_loss and self.b.has_loss
        # weights whose gradients are rounding, and how far apart training has moved them
        self.noise: set[tuple[str, str]] = set()
        self.drift = 0.0
        # two that are off are off by the same
        self.inexact = abs(self.a.gradient_precision - self.b.gradient_precision)

    def _part(self, quantity: str, dtype: str) -> Part:
        """A comparison of gradients or of what they made, no stricter than the frameworks are."""
        part = Part.of(quantity, dtype)
        part.tolerance = max(part.tolerance, self.inexact)
        return part

    def run(self) -> None:
        dtypes = self.comparison.dtypes
        if self.inexact:
            self.proof.notes += filter(None, (self.a.gradient_note, self.b.gradient_note))
        parts: dict[str, list[Part]] = {dtype: [] for dtype in dtypes}
        gradients: dict[str, tuple[Weights, Weights]] = {}
        for dtype in dtypes:
            parts[dtype], gradients[dtype] = self._gradients(dtype)
            self.proof.parts += parts[dtype]
        self.proof.mark_rounding()
        if not all(part.same for dtype in dtypes for part in parts[dtype]):
            exact = next(d for d in dtypes if not all(part.same for part in parts[d]))
            self._explain_gradients(exact, parts[exact], *gradients[exact])
            return
        if not (self.has_loss and self.comparison.trains):
            return
        trained = {}
        for dtype in dtypes:
            trained[dtype] = self._trained(dtype)
            parts[dtype] = self._compare_trained(dtype, *trained[dtype])
            self.proof.parts += parts[dtype]
        self.proof.steps = self.comparison.steps
        self.proof.mark_rounding()
        for dtype in dtypes:
            if not all(part.same for part in parts[dtype]):
                self._explain_trained(dtype, parts[dtype], *trained[dtype])
                return

    # -- gradients ---------------------------------------------------------------------------------

    def _both(self, weights_a: Weights, weights_b: Weights) -> list[tuple]:
        """The weights that both networks have, with their operation, of the first's order."""
        names: dict[str, Operation] = {one.name: one for one in self.found.a.operations}
        both = []
        for (name, weight), array in weights_a.items():
            other = self.found.operations.get(names[name])
            if other is not None and (other.name, weight) in weights_b:
                both.append((name, weight, array, weights_b[other.name, weight]))
        return both

    def _gradients(self, dtype: str) -> tuple[list[Part], tuple[Weights, Weights]]:
        inputs, targets = self.batches[0]
        others = self.comparison.in_order_of_b(inputs)
        loss_a, of_a = self.a.gradients(inputs, targets, dtype)
        loss_b, of_b = self.b.gradients(others, targets, dtype)
        part = Part.of("loss", dtype)
        # the sum of products may be near zero
        floor = 1e-2 if self.has_loss else math.sqrt(sum(t.size for t in targets))
        part.add(Gap.between(loss_a, loss_b, floor), "")
        gradients = self._part("gradients", dtype)
        both = self._both(of_a, of_b)
        largest = max((float(np.abs(one).max()) for *_, one, _ in both if one.size), default=0.0)
        for name, weight, one, two in both:
            size = max(float(np.abs(one).max()), float(np.abs(two).max())) if one.size else 0.0
            if size <= _NO_GRADIENT[dtype] * largest and dtype == self.comparison.dtypes[0]:
                self.noise.add((name, weight))
            floor = largest if (name, weight) in self.noise else _FLOOR * largest
            gradients.add(Gap.between(one, two, floor), f"{weight} of {name}")
        return [part, gradients], (of_a, of_b)

    def _explain_gradients(
        self, dtype: str, parts: list[Part], of_a: Weights, of_b: Weights
    ) -> None:
        loss, gradients = parts
        if not loss.same:
            if self._parts_in_training(dtype):
                return
            text = self._how_losses_differ()
            self._add(Mismatch("loss", None, None, text), loss)
            return
        both = self._both(of_a, of_b)
        largest = max(float(np.abs(one).max()) for *_, one, _ in both)
        order = {one.name: place for place, one in enumerate(self.found.a.operations)}
        both.sort(key=lambda one: -order[one[0]])  # as they are computed: back from the outputs
        for name, weight, one, two in both:
            gap = Gap.between(one, two, _FLOOR * largest)
            if gap.relative > gradients.tolerance:
                text = (
                    f"the gradient of {weight} of {name!r} differs, the first one going back from "
                    "the outputs, where loss and outputs are equal"
                ) + _ratio(one, two)
                operation = next(o for o in self.found.a.operations if o.name == name)
                other = self.found.operations[operation].name
                mismatch = Mismatch("gradient", name, other, text)
                mismatch.gap = gap
                self._add(mismatch, gradients)
                return

    def _parts_in_training(self, dtype: str) -> bool:
        """Whether the values differ in training alone; then says where."""
        kinds = {one.kind for network in (self.found.a, self.found.b) for one in network.operations}
        if "BatchNormalization" not in kinds:
            return False
        found = self.comparison.matching(dtype, training=True)
        node = first_lost(found, self.comparison.lost(found))
        if node is None:
            return False
        mismatch = explain(found, node)
        mismatch.message += ", in training"
        mismatch.quantity, mismatch.dtype = "layers", dtype
        self.proof.mismatches.append(mismatch)
        return True

    def _how_losses_differ(self) -> str:
        one, two = self.found.a.training, self.found.b.training
        text = "the losses differ, where the outputs are equal"
        reasons: list[str] = []
        if one is not None and two is not None:
            for place, (mine, its) in enumerate(zip(one.losses, two.losses, strict=False)):
                if mine is not None and its is not None:
                    reasons += self._loss_reasons(place, mine, its)
                    reasons += self._head_reasons(place, mine, its)
        for which, runner in (("first", self.a), ("second", self.b)):
            if not reasons and runner.loss_name:
                reasons.append(f"that of the {which} is {runner.loss_name}")
        sides = ("first", self.found.a, self.b), ("second", self.found.b, self.a)
        for which, network, other in sides:
            names = _penalized(network)
            if names and not has_regularizers(other.network):
                more = " and others" if len(names) > 3 else ""
                reason = f"{', '.join(names[:3])}{more} of the {which} have a regularizer"
                if other.decay_unknown:
                    reason += (
                        ", which may be PyTorch's weight_decay: give prove the module's optimizer "
                        "(optimizer=...)"
                    )
                reasons.append(reason)
        return text + (f": {'; '.join(reasons)}" if reasons else "")

    def _loss_reasons(self, place: int, mine: Loss, its: Loss) -> list[str]:
        reasons = []
        if mine.kind != its.kind:
            reasons.append(f"{mine.kind} in the first, {its.kind} in the second")
        for key, value in mine.settings.items():
            if key == "from_logits" and self.comparison.heads[place].is_moved:
                continue  # as it should be
            if key in its.settings and differ(value, its.settings[key]):
                reasons.append(f"{key} is {value} in the first, {its.settings[key]} in the second")
        if mine.weight != its.weight:
            reasons.append(f"weight {mine.weight:g} in the first, {its.weight:g} in the second")
        return reasons

    def _head_reasons(self, place: int, mine: Any, its: Any) -> list[str]:
        """An activation that the loss applies too."""
        reasons = []
        for which, network, loss in (("first", self.found.a, mine), ("second", self.found.b, its)):
            node = network.outputs[place].node
            function = node.attributes.get("function")
            if loss.settings.get("from_logits") and function in ("softmax", "sigmoid"):
                reasons.append(f"the {which} applies {function} twice: {node.name!r}, and the loss")
        return reasons

    def _add(self, mismatch: Mismatch, part: Part) -> None:
        self.proof.mismatches.append(measured(mismatch, part.quantity, part.dtype, part.gap))

    # -- training ----------------------------------------------------------------------------------

    def _trained(self, dtype: str) -> tuple[Trained, Trained]:
        count = len(self.batches)
        batches = [self.batches[step % count] for step in range(self.comparison.steps)]
        order = self.comparison.in_order_of_b
        of_b = [(order(x), y) for x, y in batches]
        inputs = self.batches[0][0]
        one = self.a.train(batches, dtype, inputs)
        two = self.b.train(of_b, dtype, order(inputs))
        return one, two

    def _compare_trained(self, dtype: str, one: Trained, two: Trained) -> list[Part]:
        losses = self._part("training losses", dtype)
        weights = self._part("trained weights", dtype)
        outputs = self._part("trained outputs", dtype)
        self._look_at_noise(dtype, one, two)
        for part in (losses, outputs):
            part.tolerance += _SHOWN * self.drift
        for step, (mine, its) in enumerate(zip(one.losses, two.losses, strict=True), 1):
            losses.add(Gap.between(mine, its, 1e-2), f"step {step}")
        last = self.comparison.steps
        for name, weight, _, _, gap in self._gaps(one.weights[last], two.weights[last]):
            weights.add(gap, f"{weight} of {name}")
        for place, head in enumerate(self.comparison.heads):
            mine, its = head.comparable(one.outputs[place], two.outputs[place])
            outputs.add(Gap.between(mine, its), self.found.a.outputs[place].node.name)
        return [losses, weights, outputs]

    def _look_at_noise(self, dtype: str, one: Trained, two: Trained) -> None:
        """How far weights that only rounding trains have drifted apart, which shows elsewhere."""
        self.drift = 0.0
        if not self.noise:
            return
        for step in one.weights:
            largest = self._largest(one.weights[step])
            for name, weight, mine, its in self._both(one.weights[step], two.weights[step]):
                if (name, weight) not in self.noise:
                    continue
                gap = Gap.between(mine, its, largest)
                if dtype == "float64" and gap.relative > _DRIFT:
                    self.noise.discard((name, weight))  # more than rounding trains it
                else:
                    self.drift = max(self.drift, gap.absolute)
        names = ", ".join(f"{weight} of {name}" for name, weight in sorted(self.noise))
        note = f"without a gradient but for rounding, and so not compared after training: {names}"
        if self.noise and note not in self.proof.notes:
            self.proof.notes.append(note)

    def _gaps(self, mine: Weights, its: Weights) -> list[tuple]:
        """Name, weight, both values and their gap, of each weight that more than noise trains."""
        largest = self._largest(mine)
        found = []
        for name, weight, one, two in self._both(mine, its):
            if (name, weight) in self.noise:
                continue
            gap = Gap.between(one, two, _FLOOR * largest)
            if weight == "moving_mean" and gap.absolute <= 2 * self.drift:
                gap = Gap()  # the mean is that of what a drifting bias was added to
            found.append((name, weight, one, two, gap))
        return found

    @staticmethod
    def _largest(weights: Weights) -> float:
        return max((float(np.abs(one).max()) for one in weights.values() if one.size), default=0.0)

    def _explain_trained(self, dtype: str, parts: list[Part], one: Trained, two: Trained) -> None:
        part = next(part for part in parts if not part.same)
        weights = next(one for one in parts if one.quantity == "trained weights")
        for step in sorted(one.weights):
            differing = self._differing(one.weights[step], two.weights[step], weights)
            if differing:
                break
        else:
            text = "what training makes of equal weights differs"
            self._add(Mismatch("optimizer", None, None, text), part)
            return
        statistics = [entry for entry in differing if entry[1] in STATISTICS]
        still = [entry for entry in statistics if np.array_equal(entry[3], self._start(*entry[:2]))]
        if still:
            name, weight, *_, gap = still[0]
            text = (
                f"the second leaves {weight} of {name!r} as it is: it does not train in training "
                "mode"
            )
            self._add(Mismatch("statistics", name, self._other(name), text, gap=gap), weights)
        elif len(statistics) == len(differing):
            self._add_statistics(step, statistics[0], weights)
        else:
            self._add(self._optimizer(step, differing), weights)

    def _add_statistics(self, step: int, entry: tuple, part: Part) -> None:
        name, weight, mine, its, gap = entry
        for known in self.proof.mismatches:
            if known.layer == name and known.message.startswith("momentum of"):
                # what these batches show after all
                known.gap = gap
                measured(known, part.quantity, part.dtype, gap)
                return
        start = self._start(name, weight)
        text = f"{weight} of {name!r} differs after {step} step{'s' * (step > 1)} of training"
        text += _ratio(mine - start, its - start)
        self._add(Mismatch("statistics", name, self._other(name), text, gap=gap), part)

    def _other(self, name: str) -> str:
        operation = next(one for one in self.found.a.operations if one.name == name)
        return self.found.operations[operation].name

    def _start(self, name: str, weight: str) -> np.ndarray:
        operation = next(one for one in self.found.a.operations if one.name == name)
        return operation.parameters[weight].astype("float64")

    def _differing(self, mine: Weights, its: Weights, part: Part) -> list[tuple]:
        return [one for one in self._gaps(mine, its) if one[-1].relative > part.tolerance]

    def _optimizer(self, step: int, differing: list[tuple]) -> Mismatch:
        text = (
            f"the optimizers differ: {len(differing)} weights do after step {step}, where all "
            "gradients were equal"
        )
        settings = self._optimizer_settings()
        if settings:
            text += f" ({'; '.join(settings)})"
        elif step == 1:
            text += self._first_step(differing)
        else:
            text += "; the first step was equal, so it is momentum, the averages or the schedule"
        *_, gap = max(differing, key=lambda entry: entry[-1].relative)
        return Mismatch("optimizer", None, None, text, gap=gap)

    def _first_step(self, differing: list[tuple]) -> str:
        """What the first updates say: a factor, or a share of the weights."""
        updates = []
        for name, weight, one, two, _ in differing:
            start = self._start(name, weight)
            updates.append((start.ravel(), (one - start).ravel(), (two - start).ravel()))
        start, mine, its = (np.concatenate(columns) for columns in zip(*updates, strict=True))
        if not mine.any() or not its.any():
            return "; one of them changes nothing"
        factor = float(np.vdot(mine, its) / np.vdot(mine, mine))
        shown = f"{factor:.4g}"
        if shown != "1" and Gap.between(mine * factor, its).relative < 1e-3:
            return f"; the second's steps are {shown} times as large: its learning rate"
        residual = its - mine
        if start.any():
            share = float(np.vdot(start, residual) / np.vdot(start, start))
            if Gap.between(start * share, residual).relative < 1e-2:
                return f"; by {share:.3g} times the weights themselves: weight decay"
        return ""

    def _optimizer_settings(self) -> list[str]:
        one, two = self.found.a.training, self.found.b.training
        if one is None or two is None or one.optimizer is None or two.optimizer is None:
            return []
        mine, its = one.optimizer, two.optimizer
        if mine.kind != its.kind:
            return [f"{mine.kind} in the first, {its.kind} in the second"]
        found = []
        for key in dict.fromkeys((*mine.settings, *its.settings)):
            values = mine.settings.get(key), its.settings.get(key)
            both = key in mine.settings and key in its.settings
            if (both or key in _OFF_UNLESS_SET) and differ(*values):
                found.append(f"{key} is {values[0]} in the first, {values[1]} in the second")
        return found


# Settings that do nothing where they are not set, so that not every framework has them.
_OFF_UNLESS_SET = frozenset(
    {"l2", "dampening", "momentum", "nesterov", "weight_decay", "amsgrad", "centered", "clipnorm"}
    | {"clipvalue", "global_clipnorm", "use_ema"}
)


def differ(one: Any, two: Any) -> bool:
    """Whether two settings differ: more than float32 rounds, and not as None and 0 do.

    >>> differ(0.001, 0.0010000000474974513), differ(None, 0.0), differ(0.9, 0.99)
    (False, False, True)
    """
    if isinstance(one, (int, float)) and isinstance(two, (int, float)):
        return not math.isclose(one, two, rel_tol=1e-6)
    return one != two and bool(one or two)


def has_regularizers(network: Network) -> bool:
    """Whether a weight of a network adds to its loss."""
    return bool(_penalized(network))


def _penalized(network: Network) -> list[str]:
    """The names of the operations with a regularizer."""
    return [
        operation.name
        for operation in network.operations
        if any(key.endswith("regularizer") and v for key, v in operation.attributes.items())
    ]


def _ratio(one: np.ndarray, two: np.ndarray) -> str:
    """The factor between two arrays, where it is one."""
    one, two = np.asarray(one, "float64"), np.asarray(two, "float64")
    if one.shape != two.shape or not one.any() or not two.any():
        return ""
    factor = float(np.vdot(one, two) / np.vdot(one, one))
    shown = f"{factor:.4g}"
    if shown == "1" or Gap.between(one * factor, two).relative > 1e-3:
        return ""
    return f"; it is {shown} times as large in the second"
