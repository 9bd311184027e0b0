"""What of PyTorch is replaced while a program is recorded."""

from __future__ import annotations

import contextlib
import functools
import inspect
import re
import types
import weakref
from collections.abc import Iterator
from typing import Any

from cornu.check.torch_harmless import Nothing
from cornu.check.torch_recorder import Recorder
from cornu.check.torch_records import Optimized, tensors_in

_DROPOUTS = ["dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"]
_DROPOUTS += ["feature_alpha_dropout"]


@contextlib.contextmanager
def recording(recorder: Recorder) -> Iterator[None]:
    """Everything that PyTorch does goes through a recorder, and training is only observed."""
    import torch
    from torch.overrides import TorchFunctionMode

    class Mode(TorchFunctionMode):
        """Hears of every function of PyTorch."""

        def __torch_function__(self, function, types, args=(), kwargs=None):
            kwargs = kwargs or {}
            if recorder.off:
                return function(*args, **kwargs)
            name = getattr(function, "__name__", "")
            if name in ("__get__", "__set__"):
                name = getattr(getattr(function, "__self__", None), "__name__", "")
                if name not in ("data", "T", "mT", "H", "real"):
                    return function(*args, **kwargs)
            if here is not None:
                args, kwargs = here.arguments(name, args, kwargs)
                if name == "cuda":
                    return args[0]
            if name == "backward":
                return recorder.backward([args[0]], lambda: function(*args, **kwargs))
            return recorder.function(name, function, args, kwargs)

    here = None if torch.cuda.is_available() else _NoGPU(torch)
    with contextlib.ExitStack() as stack:
        _patch_modules(recorder, stack)
        _patch_optimizers(recorder, stack)
        _patch_data(recorder, stack)
        _patch_functions(recorder, stack)
        if here is not None:
            here.patch(stack)
        stack.enter_context(Mode())
        yield


def _replace(stack: contextlib.ExitStack, owner: Any, name: str, value: Any) -> None:
    before = vars(owner)[name] if name in vars(owner) else getattr(owner, name)
    setattr(owner, name, value)
    stack.callback(setattr, owner, name, before)


# -- modules -------------------------------------------------------------------------------------


def _patch_modules(recorder: Recorder, stack: contextlib.ExitStack) -> None:
    import torch

    module_class = torch.nn.Module
    make, call = module_class.__init__, module_class.__call__
    to_eval, load = module_class.eval, module_class.load_state_dict
    zero = module_class.zero_grad
    wrapped: set[type] = set()

    def wrap_forward(cls: type) -> None:
        """Has `net.forward(x)`, which passes by `__call__`, recorded as a call of the network."""
        wrapped.add(cls)
        if "forward" not in vars(cls) or cls.__module__.startswith("torch."):
            return
        forward = vars(cls)["forward"]
        if not isinstance(forward, types.FunctionType):
            return

        @functools.wraps(forward)
        def wrapper(self, *args, **kwargs):
            return recorder.module(self, lambda *a, **k: forward(self, *a, **k), args, kwargs)

        _replace(stack, cls, "forward", wrapper)

    def init(self, *args, **kwargs):
        result = make(self, *args, **kwargs)
        recorder.modules.add(self)
        recorder.places[self] = recorder.frames.place(self)
        if type(self) not in wrapped:
            wrap_forward(type(self))
        return result

    def called(self, *args, **kwargs):
        return recorder.module(self, lambda *a, **k: call(self, *a, **k), args, kwargs)

    def evaluating(self):
        recorder.in_eval.add(self)
        return to_eval(self)

    def loading(self, *args, **kwargs):
        given = args[0] if args else kwargs.get("state_dict", {})
        result = load(self, *args, **kwargs)
        for name, parameter in self.named_parameters():
            if name in given:
                recorder.loaded[id(parameter)] = parameter
                recorder.stood_in.pop(id(parameter), None)
        return result

    def zeroing(self, *args, **kwargs):
        recorder.zeroed(self.parameters())
        return zero(self, *args, **kwargs)

    _replace(stack, module_class, "__init__", init)
    _replace(stack, module_class, "__call__", called)
    _replace(stack, module_class, "eval", evaluating)
    _replace(stack, module_class, "load_state_dict", loading)
    _replace(stack, module_class, "zero_grad", zeroing)


# -- optimizers ----------------------------------------------------------------------------------


def _patch_optimizers(recorder: Recorder, stack: contextlib.ExitStack) -> None:
    import torch

    base = torch.optim.Optimizer
    make = base.__init__
    given: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()

    def step(self, closure=None, *args, **kwargs):
        return recorder.step(self._cornu_observed, closure)

    def zero_grad(self, *args, **kwargs):
        recorder.zeroed(self._cornu_observed.parameters)
        return type(self).zero_grad(self, *args, **kwargs)

    def init(self, *args, **kwargs):
        result = make(self, *args, **kwargs)
        place = recorder.frames.place(self)
        one = Optimized(self, place, given.get(self, []), type(self).__name__)
        self._cornu_observed = one
        self.step = types.MethodType(step, self)
        self.zero_grad = types.MethodType(zero_grad, self)
        recorder.optimizers.append(one)
        return result

    _replace(stack, base, "__init__", init)

    def note_given(cls: type) -> None:
        make_one = vars(cls)["__init__"]
        try:
            signature = inspect.signature(make_one)
        except (TypeError, ValueError):
            return

        @functools.wraps(make_one)
        def noting(self, *args, **kwargs):
            with contextlib.suppress(TypeError):
                names = list(signature.bind(self, *args, **kwargs).arguments)[1:]
                given.setdefault(self, names)
            return make_one(self, *args, **kwargs)

        _replace(stack, cls, "__init__", noting)

    classes = [cls for cls in vars(torch.optim).values() if isinstance(cls, type)]
    for cls in set(classes) - {base}:
        if issubclass(cls, base):
            note_given(cls)

    schedulers = torch.optim.lr_scheduler
    scheduler = getattr(schedulers, "LRScheduler", None) or schedulers._LRScheduler
    for cls in (scheduler, schedulers.ReduceLROnPlateau):
        _note_scheduler(recorder, stack, cls)


def _note_scheduler(recorder: Recorder, stack: contextlib.ExitStack, cls: type) -> None:
    make = vars(cls)["__init__"]

    @functools.wraps(make)
    def init(self, optimizer, *args, **kwargs):
        observed = getattr(optimizer, "_cornu_observed", None)
        if observed is not None:
            observed.scheduler = self
            observed.scheduler_place = recorder.frames.place(self)
        return make(self, optimizer, *args, **kwargs)

    _replace(stack, cls, "__init__", init)


# -- data ----------------------------------------------------------------------------------------


def _patch_data(recorder: Recorder, stack: contextlib.ExitStack) -> None:
    import torch.utils.data
    from torch.utils.data.dataloader import _BaseDataLoaderIter

    loader_class = torch.utils.data.DataLoader
    make, begin, following = (
        loader_class.__init__,
        loader_class.__iter__,
        _BaseDataLoaderIter.__next__,
    )
    signature = inspect.signature(make)

    @functools.wraps(make)
    def init(self, *args, **kwargs):
        # two batches need no workers, whose processes would only have to be ended again
        bound = signature.bind(self, *args, **kwargs)
        for name in ("num_workers", "prefetch_factor", "persistent_workers", "timeout"):
            bound.arguments.pop(name, None)
        bound.arguments.pop("multiprocessing_context", None)
        make(*bound.args, **bound.kwargs)
        recorder.loaders.append(self)
        recorder.places[self] = recorder.frames.place(self)

    def iterate(self):
        iterator = begin(self)
        iterator._cornu_loader = self
        recorder.iterated.add(self)
        return iterator

    def next_batch(self):
        recorder.off += 1
        try:
            batch = following(self)
        finally:
            recorder.off -= 1
        loader = getattr(self, "_cornu_loader", None)
        for position, tensor in enumerate(tensors_in(batch)):
            recorder.batches[id(tensor)] = (weakref.ref(tensor), loader, position)
        return batch

    _replace(stack, loader_class, "__init__", init)
    _replace(stack, loader_class, "__iter__", iterate)
    _replace(stack, _BaseDataLoaderIter, "__next__", next_batch)


# -- functions -----------------------------------------------------------------------------------


def _patch_functions(recorder: Recorder, stack: contextlib.ExitStack) -> None:
    import torch

    functional = torch.nn.functional
    for name in _DROPOUTS:
        _replace(stack, functional, name, _noting_training(recorder, getattr(functional, name)))

    for name, setting in (("clip_grad_norm_", "clipnorm"), ("clip_grad_value_", "clipvalue")):
        clip = _noting_clipping(recorder, getattr(torch.nn.utils, name), setting)
        _replace(stack, torch.nn.utils, name, clip)
        _replace(stack, torch.nn.utils.clip_grad, name, clip)

    backward = torch.autograd.backward

    @functools.wraps(backward)
    def observed(tensors, *args, **kwargs):
        losses = [tensors] if isinstance(tensors, torch.Tensor) else list(tensors)
        return recorder.backward(losses, lambda: backward(tensors, *args, **kwargs))

    _replace(stack, torch.autograd, "backward", observed)
    from_numpy = torch.from_numpy

    @functools.wraps(from_numpy)
    def taken(array):
        tensor = from_numpy(array)
        if not recorder.off:
            recorder.taken[id(tensor)] = (weakref.ref(tensor), recorder.frames.place())
        return tensor

    _replace(stack, torch, "from_numpy", taken)
    # what is compiled can not be looked into; uncompiled it computes the same
    _replace(stack, torch, "compile", _uncompiled)
    _replace(stack, torch.jit, "script", _uncompiled)
    _replace(stack, torch, "save", lambda *args, **kwargs: None)


def _noting_clipping(recorder: Recorder, function: Any, setting: str) -> Any:
    """A function that clips gradients, and notes to what."""

    @functools.wraps(function)
    def clip(parameters, *args, **kwargs):
        parameters = [parameters] if hasattr(parameters, "grad") else list(parameters)
        limit = args[0] if args else kwargs.get("max_norm", kwargs.get("clip_value"))
        if limit is not None:
            recorder.clipped(parameters, setting, limit)
        return function(parameters, *args, **kwargs)

    return clip


def _noting_training(recorder: Recorder, function: Any) -> Any:
    """A functional dropout that notes whether the program says when it is training."""

    @functools.wraps(function)
    def dropout(*args, **kwargs):
        recorder.ungiven = not recorder.off and len(args) < 3 and "training" not in kwargs
        return function(*args, **kwargs)

    return dropout


def _uncompiled(model: Any = None, *args: Any, **kwargs: Any) -> Any:
    return model if model is not None else lambda function: function


# -- programs written for a GPU, run where there is none -----------------------------------------

_GPU = re.compile(r"(cuda|mps|xpu)(:\d+)?$")
_NO_EFFECT = (
    *("synchronize", "set_device", "empty_cache", "reset_peak_memory_stats", "ipc_collect"),
    *("device", "Event", "Stream", "stream", "get_device_name", "get_device_properties"),
    "memory_summary",
)


class _NoGPU:
    """Has a program that asks for a GPU use the CPU."""

    def __init__(self, torch: Any):
        self.torch = torch

    def device(self, value: Any) -> Any:
        """ "cpu" in place of a GPU, by name or number; any other value as it is."""
        if isinstance(value, int) and not isinstance(value, bool):
            return "cpu"
        if isinstance(value, str) and _GPU.match(value):
            return "cpu"
        if isinstance(value, self.torch.device) and value.type != "cpu":
            return value if value.type == "meta" else self.torch.device("cpu")
        return value

    def arguments(self, name: str, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """Arguments of a function of PyTorch with the CPU in the place of a GPU."""
        if name == "to":
            args = (args[0], *(self.device(one) for one in args[1:]))
        if kwargs.get("device") is not None:
            kwargs = kwargs | {"device": self.device(kwargs["device"])}
        if name == "type" and len(args) > 1:
            args = (args[0], self.type(args[1]), *args[2:])
        return args, kwargs

    @staticmethod
    def type(value: Any) -> Any:
        """The name of a type of tensors without the GPU; anything else as it is."""
        return value.replace("torch.cuda.", "torch.") if isinstance(value, str) else value

    def patch(self, stack: contextlib.ExitStack) -> None:
        """Replaces what would ask for a GPU otherwise than through functions on tensors."""
        torch, module = self.torch, self.torch.nn.Module
        move = module.to

        def to(owner, *args, **kwargs):
            _, kwargs = self.arguments("", (), kwargs)
            return move(owner, *(self.device(one) for one in args), **kwargs)

        _replace(stack, module, "to", to)
        _replace(stack, module, "cuda", lambda owner, *args, **kwargs: owner)
        for name in _NO_EFFECT:
            _replace(stack, torch.cuda, name, lambda *args, **kwargs: Nothing())
        _replace(stack, torch.cuda, "current_device", lambda: 0)
        for name in [name for name in vars(torch.cuda) if name.endswith("Tensor")]:
            _replace(stack, torch.cuda, name, getattr(torch, name))
        change, first = module.type, torch.set_default_tensor_type
        _replace(stack, module, "type", lambda owner, one: change(owner, self.type(one)))
        _replace(stack, torch, "set_default_tensor_type", lambda one: first(self.type(one)))
        default = torch.set_default_device
        _replace(stack, torch, "set_default_device", lambda one: default(self.device(one)))
        load = torch.load

        @functools.wraps(load)
        def on_cpu(*args, **kwargs):
            if len(args) < 2:
                kwargs["map_location"] = "cpu"
            return load(*args, **kwargs)

        _replace(stack, torch, "load", on_cpu)
