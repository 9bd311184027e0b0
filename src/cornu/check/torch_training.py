"""How a PyTorch program trains: its data, its steps, its optimizer."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

from cornu.check import torch_names as names
from cornu.check.facts import OptimizerFacts, Training
from cornu.check.source import Source
from cornu.check.torch_data import Origin, loader_rows
from cornu.check.torch_graph import Graph, held
from cornu.check.torch_recorder import Recorder
from cornu.check.torch_records import Backward, Optimized

_MODAL = ("Dropout", "BatchNorm", "AlphaDropout", "FeatureAlphaDropout")


class TrainingReader:
    """Reads how one network is trained.

    Args:
        recorder: what was recorded.
        source: the program's text.
        backwards: the backward passes before the first step of the optimizer.
        optimized: the optimizer, or None.
    """

    def __init__(
        self,
        recorder: Recorder,
        source: Source,
        backwards: list[Backward],
        optimized: Optimized | None,
    ):
        self.recorder, self.source = recorder, source
        self.backwards, self.optimized = backwards, optimized

    def training(self, graph: Graph, batch: Any, found: Origin | None) -> Training:
        """How the network is trained.

        Args:
            graph: of the network.
            batch: the first tensor that it was given, or None.
            found: where that comes from.
        """
        training = Training()
        if self.backwards:
            training.place = self.backwards[0].place
        loops = self.backwards[0].loops if self.backwards else []
        if batch is not None and (batch.ndim or graph.one_by_one):
            training.batch_size = 1 if graph.one_by_one else len(batch)
        self._note_passes(training, found, loops)
        if self.optimized is not None and self.optimized.scheduler is not None:
            training.callbacks.append(type(self.optimized.scheduler).__name__)
        training.training_mode = self._training_mode(graph)
        self._note_steps(training)
        return training

    def _note_passes(self, training: Training, found: Origin | None, loops: list) -> None:
        counts = [count for count, over in loops if over is None]
        if found is not None and found.kind == "loader" and found.loader is not None:
            training.rows, training.steps, training.shuffle = loader_rows(found.loader)
            training.batch_size = getattr(found.loader, "batch_size", None) or training.batch_size
            training.given_batch_size = training.batch_size
            training.loader_place = self.recorder.places.get(found.loader)
            if type(found.loader.sampler).__name__ == "WeightedRandomSampler":
                training.class_weight = True
            training.epochs = _epochs_around_loader(loops)
        elif found is not None and found.kind == "all":
            training.rows, training.steps = training.batch_size, 1
            training.epochs = counts[0] if counts else None
        elif found is not None and found.kind == "rows":
            training.rows = len(found.tensor)
            if len(loops) > 1:
                training.steps, training.epochs = loops[0][0], loops[1][0]
            elif counts:
                training.steps, training.epochs = counts[0], 1
            if training.steps is None and training.batch_size:
                training.steps = -(-training.rows // training.batch_size)

    def _note_steps(self, training: Training) -> None:
        one = self.optimized
        if one is None:
            return
        if one.steps:
            training.steps_taken = True
            training.gradients_at_step = any(one.had_gradients)
            training.gradients_cleared = one.cleared
            training.step_place = one.step_place
            return
        if not self.backwards or self.recorder.updated_by_hand:
            return
        if any(other.steps for other in self.recorder.optimizers):
            return
        never = not self.recorder.frames.mention(r"\.step\s*\(")
        if self.recorder.completed or (self.recorder.hit_limit and never):
            training.steps_taken = False

    def _training_mode(self, graph: Graph) -> bool | None:
        calls = [record.call for record in graph.records if record.call is not None]
        for call in calls:
            while call.outer is not None:
                call = call.outer
            if call.is_loss:
                continue
            if call.training:
                return True
            modal = [m for m in call.module.modules() if _is_modal(m)]
            functional = any("dropout" in record.name for record in graph.records)
            if not modal and not functional:
                return None
            family = [call.module, *(top for top in graph.tops)]
            if any(module in self.recorder.in_eval for module in family):
                return False
        return None

    # -- optimizer -----------------------------------------------------------------------------

    def optimizer(self, graph: Graph, steps: int | None) -> OptimizerFacts | None:
        """The optimizer, or None.

        Args:
            graph: of the network.
            steps: batches in an epoch, where that is known.
        """
        one = self.optimized
        if one is None:
            return None
        group = one.optimizer.param_groups[0]
        facts = OptimizerFacts(
            one.name.lower(),
            self._written(one),
            settings=names.optimizer_settings(group) | one.clipping,
            place=one.place,
            given=names.argument_names(one.given),
            schedule=_schedule(one, steps),
            schedule_place=one.scheduler_place,
        )
        own = {id(p) for p in one.parameters}
        network = {id(p) for top in graph.tops for p in top.parameters()}
        for backward in self.backwards:
            network |= backward.parameters.keys()
        network |= {id(p) for module in _held_modules(graph) for p in module.parameters()}
        facts.foreign = len(own - network)
        facts.missing = self._missing(graph)
        return facts

    def _written(self, one: Optimized) -> str:
        line = self.source.line(one.place.line) if one.place is not None else ""
        found = re.search(rf"([\w.]*\b{re.escape(one.name)})\s*\(", line)
        return found.group(1) if found else one.name

    def _missing(self, graph: Graph) -> list[str]:
        """Parameters that the loss depends on, and that no optimizer has.

        Those with loaded values are left out: a pretrained part is often not trained on purpose.
        """
        if self.recorder.updated_by_hand:
            return []
        had = {id(p) for one in self.recorder.optimizers for p in one.parameters}
        known = {}
        for module in self.recorder.modules:
            for name, parameter in module.named_parameters(recurse=False):
                known[id(parameter)] = f"{graph.path(module)}.{name}"
        used = {key: p for one in self.backwards for key, p in one.parameters.items()}
        out = used.keys() - had - self.recorder.loaded.keys()
        return sorted(known[key] for key in out if key in known and used[key].requires_grad)


def _schedule(one: Optimized, in_epoch: int | None) -> Callable[[int], float] | None:
    """The learning rate of each step, by running the scheduler on."""
    scheduler = one.scheduler
    if scheduler is None or type(scheduler).__name__ in ("ReduceLROnPlateau", "SequentialLR"):
        return None
    if not type(scheduler).__module__.startswith("torch.optim"):
        return None
    group = one.optimizer.param_groups[0]
    taken = scheduler.last_epoch
    steps = 1 if taken >= 1 else in_epoch
    if not steps:
        return None
    rates = [float(group["lr"])]

    def rate(step: int) -> float:
        wanted = min(step // steps, 100_000)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            while len(rates) <= wanted:
                try:
                    scheduler.step()
                except Exception:
                    rates.append(rates[-1])
                else:
                    rates.append(float(group["lr"]))
        return rates[wanted]

    return rate


def _held_modules(graph: Graph) -> list[Any]:
    """Modules that the network's modules hold without having them registered."""
    holders = [m for top in graph.tops for m in top.modules()]
    return [
        module
        for holder in holders
        for value in list(vars(holder).values())
        for _, module in held(value)
    ]


def _epochs_around_loader(loops: list[tuple[int | None, Any]]) -> int | None:
    """How often the `range` loop runs that is around the loop over the loader."""
    for place, (_, over) in enumerate(loops):
        if over is not None:
            around = [count for count, other in loops[place + 1 :] if other is None]
            return around[0] if around else None
    counts = [count for count, _ in loops]
    return counts[1] if len(counts) > 1 else None


def _is_modal(module: Any) -> bool:
    return (names.torch_class(module) or "").startswith(_MODAL)
