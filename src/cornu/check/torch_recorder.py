"""Recording what a PyTorch program computes, from its data to the loss, up to its second step."""

from __future__ import annotations

import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from cornu.check.reading import Enough
from cornu.check.torch_losses import loss_function
from cornu.check.torch_names import CONTAINERS, torch_class
from cornu.check.torch_records import (
    Backward,
    Call,
    Optimized,
    Record,
    is_plain,
    overwrites,
    tensors_in,
)
from cornu.check.user_frames import UserFrames

# Records that are kept, and the bytes of the tensors they hold: older ones are let go.
_MOST_RECORDS, _MOST_BYTES = 50_000, 2**31
# Backward passes before the program is stopped though some optimizer took no two steps, and
# optimizer steps altogether: for gradient accumulation, and critics that train several times.
_MOST_BACKWARDS, _MOST_STEPS = 200, 30
# Those of a program that takes no steps.
_FEW_BACKWARDS = 3
# Functions whose results say nothing of how values were computed.
_UNSEEN = frozenset(
    {"__len__", "__repr__", "__format__", "__hash__", "__bool__", "size", "item", "numpy"}
    | {"tolist", "__array__", "__float__", "__int__", "grad"}
)


class Recorder:
    """Records what runs between `start` and `stop`; see the attributes for what is kept.

    Args:
        frames: tells the user's frames.
        seconds: how long training may go on before it is stopped.
        measure: called with a record before its output is overwritten in place; None where
            nothing is to be measured.
    """

    def __init__(self, frames: UserFrames, seconds: float, measure: Callable[[Record], Any] | None):
        self.frames, self.seconds, self.measure = frames, seconds, measure
        self.records: deque[Record] = deque()
        self.bytes = 0
        self.count = 0
        self.made: dict[int, tuple[weakref.ref, Record, int]] = {}
        self.batches: dict[int, tuple[weakref.ref, Any, int]] = {}
        self.call: Call | None = None
        # tensors that networks were called with, by id
        self.given: dict[int, weakref.ref] = {}
        self.off = 0
        self.started: float | None = None
        self.stopped = False
        self.completed = False  # whether the program ran to its end
        self.hit_limit = False
        self.ungiven = False
        self.failed: Record | None = None
        self.latest_loss: Record | None = None
        self.backwards: list[Backward] = []
        self.backward_count = 0
        self.optimizers: list[Optimized] = []
        self.loaders: list[Any] = []
        self.iterated: weakref.WeakSet = weakref.WeakSet()  # loaders that gave batches
        self.modules: weakref.WeakSet = weakref.WeakSet()
        self.places: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
        self.called: weakref.WeakSet = weakref.WeakSet()
        self.in_eval: weakref.WeakSet = weakref.WeakSet()
        self.loaded: dict[int, Any] = {}  # parameters whose values were loaded
        # of those, the ones that a stand-in's initial values stand for
        self.stood_in: dict[int, Any] = {}
        self.updated_by_hand = False
        # where arrays became tensors, which PyTorch does not tell of
        self.taken: dict[int, tuple[weakref.ref, Any]] = {}
        self.titles: dict[int, str] = {}  # names of modules in the program

    def is_parameter(self, tensor: Any) -> bool:
        """Whether a tensor is one to be trained, rather than data."""
        import torch

        if isinstance(tensor, torch.nn.Parameter):
            return True
        if tensor is None or not (tensor.is_leaf and tensor.requires_grad):
            return False
        given = any(tensor is p for one in self.optimizers for p in one.parameters)
        return given or not self.modules

    def pretrained(self, module: Any) -> None:
        """Notes that a stand-in for a network with trained weights was made, with initial ones."""
        parameters = {id(parameter): parameter for parameter in module.parameters()}
        self.loaded |= parameters
        self.stood_in |= parameters

    # -- functions and modules -----------------------------------------------------------------

    def producer(self, tensor: Any) -> tuple[Record | None, int]:
        """The record that made a tensor, and which output of it that is."""
        entry = self.made.get(id(tensor))
        if entry is not None and entry[0]() is tensor:
            return entry[1], entry[2]
        return None, 0

    def function(self, name: str, function: Any, args: tuple, kwargs: dict) -> Any:
        """Applies a function of PyTorch, and records it."""
        if name in _UNSEEN:
            return function(*args, **kwargs)
        inputs = list(tensors_in((args, kwargs)))
        if not inputs and name not in ("randn", "rand", "zeros", "ones", "full", "tensor"):
            return function(*args, **kwargs)
        self._note_changed_parameter(name, inputs)
        record = self._begin(name, None, function, args, kwargs, inputs)
        if overwrites(name) or kwargs.get("inplace"):
            self._measure_before_overwritten(inputs[0] if inputs else None)
        return self._finish(record, lambda: function(*args, **kwargs))

    def leaf(self, name: str, module: Any, run: Callable, args: tuple, kwargs: dict) -> Any:
        """Calls a module of torch.nn, and records it as one operation."""
        self.called.add(module)
        record = self._begin(name, module, module, args, kwargs, list(tensors_in((args, kwargs))))
        record.loss = loss_function(name)
        if getattr(module, "inplace", False) and args:
            self._measure_before_overwritten(args[0])

        def silently() -> Any:
            self.off += 1
            try:
                return run(*args, **kwargs)
            finally:
                self.off -= 1

        return self._finish(record, silently)

    def module(self, module: Any, run: Callable, args: tuple, kwargs: dict) -> Any:
        """Calls any module."""
        if self.off or (self.call is not None and self.call.module is module):
            return run(*args, **kwargs)
        name = torch_class(module)
        if name is not None and name not in CONTAINERS:
            return self.leaf(name, module, run, args, kwargs)
        self.called.add(module)
        self.count += 1
        call = Call(module, args, kwargs, self.call, self.count)
        given = {id(tensor): weakref.ref(tensor) for tensor in tensors_in((args, kwargs))}
        if call.outer is None:
            self.given |= given
        self.call = call
        try:
            call.result = run(*args, **kwargs)
        finally:
            self.call = call.outer
        found = list(tensors_in(call.result))
        if len(found) == 1 and found[0].ndim == 0 and is_plain(module):
            call.is_loss = True
        elif call.is_loss and not (found and found[0].ndim == 0):
            call.is_loss = False
        unknown = [one for one in found if self.producer(one)[0] is None and id(one) not in given]
        if unknown and any(one.grad_fn is not None for one in unknown):
            # computed by something that PyTorch does not tell of, such as a function of one's own
            record = self._begin(
                type(module).__name__, None, module, args, kwargs, list(tensors_in((args, kwargs)))
            )
            record.call = call
            self._keep(record, found)
        return call.result

    def _begin(
        self, name: str, module: Any, function: Any, args: tuple, kwargs: dict, inputs: list
    ) -> Record:
        import torch

        self.count += 1
        record = Record(self.count, name, module, function, args, kwargs)
        for tensor in inputs:
            # what a leaf was filled with is of no interest
            made, which = (None, 0) if _is_leaf(tensor) else self.producer(tensor)
            if made is not None and tensor.requires_grad and not made.grad:
                _track(made)
            record.edges.append((made, which, tensor))
        record.call = self.call
        record.grad = torch.is_grad_enabled()
        made = self.places.get(module) if module is not None else None
        record.place = made or self.frames.place()
        if self.ungiven:
            record.ungiven, self.ungiven = True, False
        if self.count % 64 == 0:
            self.check_time()
        return record

    def _finish(self, record: Record, run: Callable[[], Any]) -> Any:
        try:
            result = run()
        except Exception:
            record.failed = True
            self.failed = record
            raise
        self._keep(record, list(tensors_in(result)))
        return result

    def _keep(self, record: Record, outputs: list) -> None:
        if not outputs:
            return
        record.outputs = tuple(outputs)
        record.specs = [(tuple(one.shape), one.dtype, one.requires_grad) for one in outputs]
        for which, tensor in enumerate(outputs):
            self.made[id(tensor)] = (weakref.ref(tensor), record, which)
        if record.loss:
            self.latest_loss = record
        record.size = sum(one.numel() * one.element_size() for one in outputs)
        self.bytes += record.size
        self.records.append(record)
        while len(self.records) > _MOST_RECORDS or self.bytes > _MOST_BYTES:
            oldest = self.records.popleft()
            self.bytes -= oldest.size
            oldest.let_go()
            if len(self.records) <= 1:
                break
        if len(self.made) > 4 * _MOST_RECORDS:
            self.made = {key: entry for key, entry in self.made.items() if entry[0]() is not None}

    def _measure_before_overwritten(self, tensor: Any) -> None:
        made, which = self.producer(tensor) if tensor is not None else (None, 0)
        if (
            made is not None
            and which == 0
            and made.inside
            and made.measured is None
            and self.measure
        ):
            made.measured = self.measure(made)

    def _note_changed_parameter(self, name: str, inputs: list) -> None:
        """Notices updates written by hand: `p -= rate * p.grad`."""
        import torch

        if not self.backward_count or not inputs or not isinstance(inputs[0], torch.Tensor):
            return
        if name in ("sub_", "add_", "__isub__", "__iadd__", "copy_", "addcdiv_", "data"):
            first = inputs[0]
            if first.is_leaf and first.requires_grad and first.grad is not None:
                self.updated_by_hand = True

    # -- training ------------------------------------------------------------------------------

    def check_time(self) -> None:
        """Stops the program when it has been stopped before or its time is over."""
        if self.stopped:
            raise Enough
        if self.started is not None and time.monotonic() - self.started > self.seconds:
            self.hit_limit = True
            self.stop()

    def stop(self) -> None:
        """Ends the program."""
        self.stopped = True
        raise Enough

    def backward(self, losses: list, run: Callable[[], Any]) -> Any:
        """A call of `backward`."""
        if self.off:
            return run()
        self.check_time()
        self.started = self.started or time.monotonic()
        self.backward_count += 1
        self._note_cleared()
        made = [self.producer(one)[0] for one in losses]
        backward = Backward(self.backward_count, losses, made, self.frames.place())
        backward.latest_loss = self.latest_loss
        backward.requires_grad = any(
            self.is_parameter(p)
            for p in backward.parameters.values()
            if not any(p is loss for loss in losses)
        )
        if not backward.requires_grad or made[0] is None:
            networks = (one for one in reversed(self.records) if one.module or one.inside)
            backward.latest = next((one for one in networks if not one.loss), None)
        if len(self.backwards) < 40:
            self._note_titles()
            backward.loops = self.frames.loops()
            self.backwards.append(backward)
        for one in self.optimizers:
            if len(one.pending) < 4:
                one.pending.append(backward)
        if not backward.can_run:
            self.stop()
        few = self.backward_count >= _FEW_BACKWARDS and not self._may_step()
        if few or self.backward_count > _MOST_BACKWARDS:
            self.hit_limit = True
            self.stop()
        self.off += 1
        try:
            return run()
        finally:
            self.off -= 1

    def _may_step(self) -> bool:
        """Whether the program has an optimizer and, as its text shows, takes steps with it."""
        if any(one.steps for one in self.optimizers):
            return True
        return bool(self.optimizers) and self.frames.mention(r"\.step\s*\(")

    def _note_titles(self) -> None:
        import torch

        for frame in self.frames.walk():
            for names in (frame.f_locals, frame.f_globals):
                for name, value in list(names.items()):
                    if isinstance(value, torch.nn.Module) and name != "self":
                        self.titles.setdefault(id(value), name)

    def step(self, one: Optimized, closure: Callable | None) -> Any:
        """A call of an optimizer's `step`: observed, and not carried out."""
        import torch

        self.check_time()
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        if not self.backward_count:
            return loss
        parameters = one.parameters
        present = [p for p in parameters if p.grad is not None and bool(p.grad.any())]
        one.steps += 1
        one.step_place = one.step_place or self.frames.place()
        one.had_gradients.append(bool(present))
        touching = _touching(one, one.pending) or _touching(one, self.backwards[-8:])
        if one.steps == 1:
            one.first = touching or one.pending or self.backwards[-1:]
            # gradients of zero that a backward pass has just made: the loss is flat there
            known = [p for p in parameters if p.grad is not None] if one.pending else present
            one.gradients = {
                id(p): float(p.grad.detach().float().square().mean().sqrt()) for p in known
            }
        else:
            if one.steps == 2:
                one.second = touching or one.pending or self.backwards[-1:]
            if any(one.had_gradients[:-1]):
                one.cleared = one.cleared_since_step
        one.pending = []
        one.cleared_since_step = False
        total = sum(other.steps for other in self.optimizers)
        if all(other.steps >= 2 for other in self.optimizers) or total >= _MOST_STEPS:
            self.stop()
        return loss

    def zeroed(self, parameters: Iterator | list) -> None:
        """A call of `zero_grad`."""
        ids = {id(p) for p in parameters}
        for one in self.optimizers:
            if any(id(p) in ids for p in one.parameters):
                one.cleared_since_step = True
                one.pending = []

    def clipped(self, parameters: Any, name: str, limit: float) -> None:
        """A call that clips gradients."""
        ids = {id(p) for p in tensors_in(list(parameters))}
        for one in self.optimizers:
            if any(id(p) in ids for p in one.parameters):
                one.clipping[name] = float(limit)

    def _note_cleared(self) -> None:
        """Notices gradients that were cleared by hand, as a backward pass begins."""
        for one in self.optimizers:
            if one.steps and not one.cleared_since_step and any(one.had_gradients):
                left = any(p.grad is not None and bool(p.grad.any()) for p in one.parameters)
                one.cleared_since_step = not left


def _is_leaf(tensor: Any) -> bool:
    return tensor.is_leaf and tensor.requires_grad


def _track(record: Record) -> None:
    """Notes that gradients do pass: a function of the user's own runs without tracking within."""
    waiting = [record]
    while waiting:
        one = waiting.pop()
        if not one.grad:
            one.grad = True
            waiting += [made for made, _, _ in one.edges if made is not None]


def _touching(one: Optimized, backwards: list[Backward]) -> list[Backward]:
    """The backward passes that reach an optimizer's parameters."""
    ids = {id(p) for p in one.parameters}
    return [backward for backward in backwards if ids & backward.parameters.keys()]
