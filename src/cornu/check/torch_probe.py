"""Measuring a PyTorch network: what its operations did, and a few training steps on copies."""

from __future__ import annotations

import copy
import math
import time
import warnings
from typing import Any

from cornu.check.facts import Measured
from cornu.check.torch_recorder import Recorder
from cornu.check.torch_records import (
    Backward,
    Call,
    Optimized,
    Record,
    overwrites,
    tensors_in,
)

# The share of a bounded activation's range within which a value counts as at its bound.
_AT_BOUND = 0.01
_FEW_ROWS = 4
# Values of an output that are looked at.
_MOST_VALUES = 2**20
# Training steps tried with each learning rate, and the seconds they may take together.
_MOST_STEPS, _LEAST_STEPS, _SECONDS = 10, 4, 4.0
_MOST_BYTES = 2**29


def measure(record: Record) -> Measured | None:
    """Statistics of the first output of a record."""
    import torch

    if not record.outputs:
        return None
    with torch.no_grad():
        values = record.outputs[0].detach()
        if not values.is_floating_point() or not values.numel() or values.is_sparse:
            return None
        if values.numel() > _MOST_VALUES and values.ndim > 1:
            values = values[: max(1, _MOST_VALUES * len(values) // values.numel())]
        values = values.float()
        images = values.ndim > 2 and _has_channels_first(record)
        columns = values.movedim(1, -1) if images else values
        columns = columns.reshape(-1, columns.shape[-1]) if columns.ndim else columns.reshape(1, 1)
        zero = columns == 0
        # of a few rows it can not be told whether they differ, and which units are dead
        few = len(columns) < _FEW_ROWS
        saturated = 0.0
        function = record.name.lower().strip("_")
        if function in ("sigmoid", "hardsigmoid", "expit"):
            saturated = float(((columns - 0.5).abs() > 0.5 - _AT_BOUND).float().mean())
        elif function in ("tanh", "softsign"):
            saturated = float((columns.abs() > 1 - 2 * _AT_BOUND).float().mean())
        return Measured(
            mean=float(columns.mean()),
            std=float(columns.std(unbiased=False)),
            feature_std=float(
                columns.std(unbiased=False) if few else columns.std(dim=0, unbiased=False).median()
            ),
            zeros=float(zero.float().mean()),
            dead=0.0 if few else float(zero.all(dim=0).float().mean()),
            saturated=saturated,
            finite=bool(torch.isfinite(columns).all()),
        )


def _has_channels_first(record: Record) -> bool:
    name = record.name.lower()
    if any(part in name for part in ("conv", "pool", "batchnorm", "batch_norm")):
        return True
    if any(part in name for part in ("linear", "lstm", "gru", "rnn", "embedding", "layernorm")):
        return False
    made = record.edges[0][0] if record.edges else None
    return made is not None and len(made.specs[0][0]) > 2 and _has_channels_first(made)


def rms(tensor: Any) -> float:
    """The root mean square of a tensor."""
    return float(tensor.detach().float().square().mean().sqrt())


class _CannotTry(Exception):
    """The recorded step can not be run again on copies."""


def try_rates(
    recorder: Recorder, backward: Backward, one: Optimized
) -> tuple[dict[float, tuple], int]:
    """Trains copies for a few steps with the learning rate, ten times and a tenth of it.

    Args:
        recorder: what was recorded.
        backward: the backward pass whose loss is wanted.
        one: the optimizer.

    Returns:
        From a learning rate to (loss before, loss after), empty where the step can not be repeated;
        and how many steps were taken.
    """
    import torch

    rate = one.optimizer.param_groups[0].get("initial_lr", one.optimizer.param_groups[0].get("lr"))
    if not isinstance(rate, (int, float)) or rate <= 0 or len(backward.losses) != 1:
        return {}, 0
    if not type(one.optimizer).__module__.startswith("torch.optim") or one.name == "LBFGS":
        return {}, 0
    rates: dict[float, tuple] = {}
    steps = 0
    state = torch.random.get_rng_state()
    try:
        with warnings.catch_warnings(), torch.enable_grad():
            warnings.simplefilter("ignore")
            step = _Step(recorder, backward)
            began = time.monotonic()
            _train(step, one, float(rate), 1)
            each = (time.monotonic() - began) / 2
            tried = [rate, rate * 10, rate / 10]
            steps = int(min(_MOST_STEPS, _SECONDS / max(each, 1e-6) / len(tried)))
            if steps < _LEAST_STEPS:
                steps, tried = _LEAST_STEPS, tried[: int(each * _LEAST_STEPS < _SECONDS)]
            for one_rate in tried:
                rates[float(one_rate)] = _train(step, one, float(one_rate), steps)
    except Exception:
        # whatever somebody's modules raise when they are copied or run again
        return {}, 0
    finally:
        torch.random.set_rng_state(state)
    return rates, steps if rates else 0


def _train(step: _Step, one: Optimized, rate: float, steps: int) -> tuple[float, float]:
    import torch

    modules, place_of = step.copies()
    groups = []
    for group in one.optimizer.param_groups:
        settings = {k: v for k, v in group.items() if k not in ("params", "initial_lr", "lr")}
        parameters = [place_of[id(p)] for p in group["params"] if id(p) in place_of]
        if parameters:
            groups.append(settings | {"params": parameters, "lr": rate * _share(group, one)})
    if not groups:
        raise _CannotTry
    optimizer = type(one.optimizer)(groups, lr=rate)

    def loss() -> Any:
        torch.manual_seed(0)  # the same masks of a dropout each time
        return step.run(modules)

    first = float(loss().detach())
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        if "clipnorm" in one.clipping:
            torch.nn.utils.clip_grad_norm_(list(place_of.values()), one.clipping["clipnorm"])
        if "clipvalue" in one.clipping:
            torch.nn.utils.clip_grad_value_(list(place_of.values()), one.clipping["clipvalue"])
        optimizer.step()
    last = float(loss().detach())
    return first, last if math.isfinite(last) else math.inf


def _share(group: dict, one: Optimized) -> float:
    """A group's learning rate as a share of the first group's."""
    first = one.optimizer.param_groups[0]
    own = float(group.get("initial_lr", group["lr"]))
    return own / float(first.get("initial_lr", first["lr"]))


class _Step:
    """The way from the batch to the loss, to be run again with copies of the modules.

    Args:
        recorder: what was recorded.
        backward: the backward pass at the end of it.
    """

    def __init__(self, recorder: Recorder, backward: Backward):
        self.loss = backward.losses[0]
        if backward.made[0] is None:
            raise _CannotTry
        records = [r for r in recorder.records if r.number <= backward.made[0].number]
        events: list[Any] = [r for r in records if r.call is None or _outermost(r).is_loss]
        calls = {id(_outermost(r)): _outermost(r) for r in records if r.call is not None}
        events += [call for call in calls.values() if not call.is_loss]
        events.sort(key=lambda event: event.number)
        self.events = _needed(events, self.loss)
        self.modules = [e.module for e in self.events if getattr(e, "module", None) is not None]
        if not any(isinstance(e, Call) or _has_parameters(e) for e in self.events):
            raise _CannotTry
        size = sum(p.numel() * p.element_size() for m in self.modules for p in m.parameters())
        if size > _MOST_BYTES:
            raise _CannotTry

    def copies(self) -> tuple[dict[int, Any], dict[int, Any]]:
        """Copies of the modules, and of their parameters, by the ids of the originals."""
        distinct = list({id(module): module for module in self.modules}.values())
        gradients = {}
        for module in distinct:
            for parameter in module.parameters():
                gradients[parameter], parameter.grad = parameter.grad, None
        try:
            made = copy.deepcopy(distinct)
        finally:
            for parameter, gradient in gradients.items():
                parameter.grad = gradient
        modules = {id(one): twin for one, twin in zip(distinct, made, strict=True)}
        place_of = {}
        for one, twin in zip(distinct, made, strict=True):
            for p, q in zip(one.parameters(), twin.parameters(), strict=True):
                place_of[id(p)] = q
        return modules, place_of

    def run(self, modules: dict[int, Any]) -> Any:
        """The loss, computed by the copies."""
        values: dict[int, Any] = {}

        def replaced(value: Any) -> Any:
            import torch

            if isinstance(value, torch.Tensor):
                return values.get(id(value), value)
            if isinstance(value, tuple) and not hasattr(value, "_fields"):
                return tuple(replaced(item) for item in value)
            if isinstance(value, list):
                return [replaced(item) for item in value]
            if isinstance(value, dict):
                return {key: replaced(item) for key, item in value.items()}
            return value

        for event in self.events:
            function = modules[id(event.module)] if event.module is not None else event.function
            result = function(*replaced(event.args), **replaced(event.kwargs))
            before, after = _results(event), list(tensors_in(result))
            if len(before) != len(after):
                raise _CannotTry
            for old, new in zip(before, after, strict=True):
                values[id(old)] = new
        return values[id(self.loss)]


def _outermost(record: Record) -> Call:
    call = record.call
    assert call is not None
    while call.outer is not None:
        call = call.outer
    return call


def _has_parameters(record: Record) -> bool:
    return record.module is not None and next(record.module.parameters(), None) is not None


def _results(event: Any) -> list:
    return list(tensors_in(event.result)) if isinstance(event, Call) else list(event.outputs)


def _needed(events: list, loss: Any) -> list:
    """The events that a loss depends on and that depend on modules with parameters."""
    wanted, needed = {id(loss)}, []
    for event in reversed(events):
        if any(id(one) in wanted for one in _results(event)):
            needed.append(event)
            wanted |= {id(one) for one in tensors_in((event.args, event.kwargs))}
    needed.reverse()
    changed: set[int] = set()
    found = []
    for event in needed:
        given = list(tensors_in((event.args, event.kwargs)))
        if isinstance(event, Call) or _has_parameters(event) or changed & {id(t) for t in given}:
            if isinstance(event, Record) and event.module is None and overwrites(event.name):
                raise _CannotTry  # would overwrite what the program has
            found.append(event)
            changed |= {id(one) for one in _results(event)}
    return found
