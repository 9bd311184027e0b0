"""Watching PyTorch compute: values inside an exported graph, and what changes while it trains."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cornu.port.proof.runner import Weights, looked_at


class Steps:
    """What is noted while a module trains: losses, and weights after some steps."""

    def __init__(self, module: Any, steps: int, weights: Callable[[Callable], Weights]):
        self.module, self.steps, self._weights_by = module, steps, weights
        self.losses: list[float] = []
        self.weights: dict[int, Weights] = {}
        self.notes: list[str] = []
        self._norms: list[_Variance] = []

    def before_step(self, loss: float) -> None:
        """Called with the loss of each step before the weights change."""
        self.losses.append(loss)

    def counting(self, function: Callable, adds: bool) -> Callable:
        """A program's loss, or a penalty that it adds to that, noting what it returns."""

        def noted(*args: Any, **kwargs: Any) -> Any:
            value = function(*args, **kwargs)
            if adds:
                self.losses[-1] += value.item()
            else:
                self.before_step(value.item())
            return value

        return noted

    def finish(self) -> None:
        """Called after the last step."""
        self._look()
        for norm in self._norms:
            norm.correct(self.module)

    def _look(self) -> None:
        done = len(self.losses)
        if done in looked_at(self.steps):
            state = {key: value.clone() for key, value in self.module.state_dict().items()}
            for norm in self._norms:
                state[norm.key] = norm.biased()
            self.weights[done] = self._weights_by(
                lambda key: array_of(state[key]) if key in state else None
            )

    @contextlib.contextmanager
    def variances(self) -> Iterator[None]:
        """Within the block, watches over how batch normalizations update their variances."""
        # each step begins with a forward pass
        import torch

        handles = [self.module.register_forward_pre_hook(lambda *_: self._look())]
        for name, one in self.module.named_modules():
            is_norm = isinstance(one, torch.nn.modules.batchnorm._BatchNorm)
            if is_norm and one.track_running_stats and one.momentum is not None:
                norm = _Variance(f"{name}.running_var".lstrip("."), one)
                self._norms.append(norm)
                handles.append(one.register_forward_pre_hook(norm.called))
        if self._norms:
            self.notes.append(
                "PyTorch updates running variances with the unbiased variance of each batch, "
                "n / (n - 1) times the biased one that Keras takes; that is taken back before they "
                "are compared"
            )
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


class _Variance:
    """The running variance of a batch normalization, and what it would be of biased variances.

    Each batch has n values for each channel, so each variance was n / (n - 1) times too large,
    and so is all that they added to the average.
    """

    def __init__(self, key: str, module: Any):
        self.key, self.module = key, module
        self.start = module.running_var.clone()
        self.calls, self.count = 0, 0

    def called(self, module: Any, inputs: tuple) -> None:
        """Before each application: how many values each channel has."""
        if module.training:
            self.calls += 1
            self.count = inputs[0].numel() // inputs[0].shape[1]

    def biased(self) -> Any:
        """The running variance with the factors taken back."""
        now = self.module.running_var.clone()
        if self.count < 2:
            return now
        kept = (1 - self.module.momentum) ** self.calls * self.start
        return kept + (now - kept) * ((self.count - 1) / self.count)

    def correct(self, module: Any) -> None:
        """Puts it in the place of the other one."""
        self.module.running_var.copy_(self.biased())


class Watching:
    """Computes an exported program in a dtype, and keeps the value of each node.

    Args:
        program: torch.export.ExportedProgram.
        dtype: "float32" or "float64".
        training: whether batch normalization takes the batch's statistics.
        seen: where values go, by the names of the nodes.
    """

    def __init__(self, program: Any, dtype: str, training: bool, seen: dict[str, list]):
        self.program, self.dtype, self.training, self.seen = program, dtype, training, seen

    def compute(self, inputs: list) -> list:
        """The outputs."""
        import torch

        arguments = self._arguments(inputs)
        values: dict[Any, Any] = {}
        for node in self.program.graph.nodes:
            given, named = torch.fx.node.map_arg((node.args, node.kwargs), values.__getitem__)
            if node.op == "placeholder":
                values[node] = next(arguments)
            elif node.op == "get_attr":
                found = operator.attrgetter(node.target)(self.program.graph_module)
                values[node] = self._in_dtype(found)
            elif node.op == "output":
                return self._only_outputs(leaves(given))
            else:
                values[node] = self._called(node.target, given, named)
            if isinstance(values[node], torch.Tensor):
                # a later operation may work in place
                self.seen.setdefault(node.name, []).append(values[node].clone())
        raise AssertionError("an exported program has an output")

    def _arguments(self, inputs: list) -> Iterator[Any]:
        given = iter(inputs)
        for spec in self.program.graph_signature.input_specs:
            if spec.target is None:
                yield next(given) if spec.kind.name == "USER_INPUT" else None
                continue
            found = self.program.state_dict.get(spec.target)
            found = self.program.constants[spec.target] if found is None else found
            yield self._in_dtype(found.detach().clone().cpu())

    def _only_outputs(self, results: list) -> list:
        specs = self.program.graph_signature.output_specs
        kept = [spec.kind.name == "USER_OUTPUT" for spec in specs]
        return [result for result, is_output in zip(results, kept, strict=True) if is_output]

    def _in_dtype(self, value: Any) -> Any:
        import torch

        is_float = isinstance(value, torch.Tensor) and value.is_floating_point()
        return value.to(getattr(torch, self.dtype)) if is_float else value

    def _called(self, target: Any, args: tuple, kwargs: dict) -> Any:
        if self.dtype == "float64" and not leaves((args, kwargs)):
            import torch

            return made_as_ever(target, args, kwargs, torch.float64)
        if self.dtype == "float64":
            args = tuple(self._wider(one) for one in args)
            kwargs = {key: self._wider(one) for key, one in kwargs.items()}
        if self.training and str(target) == "aten.batch_norm.default":
            args = (*args[:3], None, None, True, *args[6:])
        return target(*args, **kwargs)

    @staticmethod
    def _wider(value: Any) -> Any:
        import torch

        return torch.float64 if value is torch.float32 else value


@contextlib.contextmanager
def without_noise() -> Iterator[None]:
    """Within the block, dropout returns what it is given, and normal noise is its mean."""
    import torch
    from torch.overrides import TorchFunctionMode

    names = [
        f"{kind}dropout{rest}" for kind in ("", "alpha_", "feature_", "feature_alpha_")
        for rest in ("", "1d", "2d", "3d", "_")
    ]  # fmt: skip
    places = (torch, torch.nn.functional)
    dropouts = {getattr(place, name, None) for place in places for name in names}

    class NoNoise(TorchFunctionMode):
        def __torch_function__(
            self, func: Any, types: Any, args: tuple = (), kwargs: Any = None
        ) -> Any:
            kwargs = kwargs or {}
            if func in dropouts:
                return args[0] if args else kwargs["input"]
            if func is torch.randn_like:
                return torch.zeros_like(*args, **kwargs)
            if func is torch.Tensor.normal_:
                mean = args[1] if len(args) > 1 else kwargs.get("mean", 0.0)
                return args[0].fill_(mean)
            return func(*args, **kwargs)

    with NoNoise(), one_thread():
        yield


@contextlib.contextmanager
def computing_in(dtype: str) -> Iterator[None]:
    """Within the block, what a module would make float32 is of a dtype: `x.float()`, new tensors.

    Where all else is float64, the float32 that the code of a module names would be the only one.
    """
    import torch
    from torch.overrides import TorchFunctionMode

    wanted = getattr(torch, dtype)
    if wanted is torch.float32:
        yield
        return

    def followed(value: Any) -> Any:
        is_type = value is torch.FloatTensor or (isinstance(value, str) and value in _FLOAT)
        return wanted if value is torch.float32 or is_type else value

    class Following(TorchFunctionMode):
        def __torch_function__(
            self, func: Any, types: Any, args: tuple = (), kwargs: Any = None
        ) -> Any:
            kwargs = kwargs or {}
            if not leaves((args, kwargs)):
                return made_as_ever(func, args, kwargs, wanted)
            args = tuple(map(followed, args))
            kwargs = {key: followed(value) for key, value in kwargs.items()}
            if func is torch.Tensor.float:
                return args[0].to(wanted, **kwargs)
            return func(*args, **kwargs)

    before = torch.get_default_dtype()
    torch.set_default_dtype(wanted)
    try:
        with Following():
            yield
    finally:
        torch.set_default_dtype(before)


def made_as_ever(function: Callable, args: tuple, kwargs: dict, wanted: Any) -> Any:
    """What is made of no tensor: the numbers that are made without this, in another dtype."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        made = function(*args, **kwargs)
    finally:
        torch.set_default_dtype(before)
    is_float32 = isinstance(made, torch.Tensor) and made.dtype is torch.float32
    return made.to(wanted) if is_float32 else made


# What `Tensor.type` takes for float32.
_FLOAT = ("torch.FloatTensor", "torch.cuda.FloatTensor")


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Within the block, PyTorch works in one thread: on so little, several wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def fixed_rows(program: Any) -> int | None:
    """The number of rows that an exported program is for, or None where that is open."""
    import torch

    given = set(program.graph_signature.user_inputs)
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in given and hasattr(node.meta["val"], "shape"):
            shape = node.meta["val"].shape
            size = shape[0] if len(shape) else None
            # a number that the module's code has made of a symbol
            return size.node.maybe_as_int() if isinstance(size, torch.SymInt) else size
    return None


def tensor_of(array: np.ndarray, dtype: str) -> Any:
    """An array as a tensor, floats in a dtype."""
    import torch

    # a transposed array whose channels are one keeps strides that PyTorch takes for channels last
    fresh = np.empty(array.shape, array.dtype)
    fresh[...] = array
    made = torch.from_numpy(fresh)
    return made.to(getattr(torch, dtype)) if made.is_floating_point() else made


def array_of(tensor: Any) -> np.ndarray:
    """A tensor as an array."""
    return tensor.detach().cpu().numpy()


def leaves(value: Any) -> list[Any]:
    """The tensors in a nest of them."""
    import torch

    return [one for one in torch.utils._pytree.tree_leaves(value) if isinstance(one, torch.Tensor)]
