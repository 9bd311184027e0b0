"""A PyTorch module as one side of a comparison."""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from cornu.port.network import Network, PortError
from cornu.port.proof.proof import Gap
from cornu.port.proof.run_torch_watch import (
    Steps,
    Watching,
    array_of,
    computing_in,
    fixed_rows,
    leaves,
    one_thread,
    tensor_of,
    without_noise,
)
from cornu.port.proof.runner import Runner, Trained, Weights
from cornu.port.torch.aten_export import exported, import_torch
from cornu.port.torch.read import read_torch
from cornu.port.torch.read_training import read_training
from cornu.port.training import Optimizer

_DECAY_NOTE = (
    "what PyTorch's weight_decay adds to the gradients is counted as a penalty in the loss, as the "
    "other network's regularizers are"
)
# The operations whose gradient takes a number in float32, and what that and more of them are off.
_HARD = ("aten.hardsigmoid.", "aten.hardsigmoid_.")
_HARD_PRECISION = 1e-6
_HARD_NOTE = (
    "PyTorch's gradient of hardsigmoid takes 1/6 in float32, which is off by 3e-8: in float64 too "
    "gradients, and what they train, are no closer"
)


class TorchRunner(Runner):
    """A `torch.nn.Module`, with a loss and an optimizer where they are known.

    Args:
        module: the module. It is not changed. One that `cornu.port` wrote brings its program,
            with loss, optimizer and training loop.
        example: what `forward` takes: a tuple of arrays.
        loss: a function of outputs and targets, or a list of one for each output.
        optimizer: of the module's parameters, or a function that makes one of parameters.
    """

    def __init__(self, module: Any, example: Any, loss: Any = None, optimizer: Any = None):
        import_torch()
        self.module = module
        program = getattr(module, "program", None) if loss is None else None
        self.program: Any = program if _has(program, "loss_function") else None
        self._loss, self._make_optimizer = loss, _maker(optimizer, module)
        notes: list[str] = []
        network = read_torch(module, example)
        self._read_training(network, notes)
        super().__init__(f"PyTorch module {type(module).__name__}", network)
        self.notes += notes
        self._program = network.source  # type: ignore[attr-defined]
        self.has_loss = loss is not None or self.program is not None
        used = _of(self.program, "loss_function") if self.program is not None else loss
        self.loss_name = str(used) if hasattr(used, "named_modules") else None
        own = self.program is not None and _has(self.program, "make_optimizer")
        self.has_optimizer = self.has_loss and (self._make_optimizer is not None or own)
        self.decay_unknown = self._make_optimizer is None and not own
        if any(str(node.target).startswith(_HARD) for node in self._program.graph.nodes):
            self.gradient_precision, self.gradient_note = _HARD_PRECISION, _HARD_NOTE
        self._twins: dict[str, Any] = {}
        self._checked: set[str] = set()

    def _read_training(self, network: Network, notes: list[str]) -> None:
        loss, make, own = self._loss, self._make_optimizer, self.program is not None
        if own:
            loss = _of(self.program, "loss_function")
            if make is None and _has(self.program, "make_optimizer"):
                make = _of(self.program, "make_optimizer")
        optimizer = None if make is None else make(self.module)
        if loss is not None:
            _training(network, self.module, loss, optimizer, [] if own else notes)

    def _forget_loss(self):
        self._loss = self.program = None

    @contextlib.contextmanager
    def _computing(self, dtype: str) -> Iterator[None]:
        """Within the block the module computes in a dtype; what it raises is told with its name."""
        try:
            with computing_in(dtype):
                yield
        except PortError:
            raise
        except (RuntimeError, TypeError, ValueError, IndexError, AssertionError) as error:
            hint = "Does its forward take such inputs?"
            if dtype == "float64":
                hint = 'It may be float32 alone: prove(..., dtypes=["float32"])'
            text = str(error).strip().partition("\n")[0] or type(error).__name__
            raise PortError(f"{self.title} fails in {dtype}: {text}", None, hint) from error

    # -- arrays and tensors ------------------------------------------------------------------------

    def _tensors_of(self, inputs: Sequence, dtype: str) -> list[Any]:
        return [tensor_of(array, dtype) for array in self._given(inputs)]

    def _labels(self, targets: Sequence, dtype: str) -> list[Any]:
        """Targets in the shapes and types that PyTorch's losses take."""
        import torch

        found: list[Any] = []
        for target, tensor in zip(self._targets(targets), self.network.outputs, strict=True):
            if target is None:
                found.append(None)
                continue
            if np.issubdtype(target.dtype, np.integer):
                if target.ndim == tensor.ndim and target.shape[-1] == 1:
                    target = target[..., 0]
                label = torch.from_numpy(np.ascontiguousarray(target)).long()
            else:
                label = tensor_of(target, dtype)
                rest = tuple(size for size in tensor.shape[1:] if size != 1)
                if label.ndim != tensor.ndim and label.shape[1:] == rest:
                    label = label.reshape(len(label), *(s or -1 for s in tensor.shape[1:]))
            found.append(label)
        return found

    def _twin(self, dtype: str) -> Any:
        """A copy of the module in a dtype."""
        import torch

        if dtype not in self._twins:
            self._twins[dtype] = _copy(self.module).cpu().to(getattr(torch, dtype))
        return _copy(self._twins[dtype])

    # -- values ------------------------------------------------------------------------------------

    def values(self, inputs, dtype, training=False):
        import torch

        given = self._tensors_of(inputs, dtype)
        seen: dict[str, list] = {}
        program = self._source(given)  # exported in float32
        with torch.no_grad(), one_thread(), self._computing(dtype):
            outputs = Watching(program, dtype, training, seen).compute(given)
            if not training:
                own = leaves(self._twin(dtype).eval()(*given))
                self._check_graph(dtype, own, outputs)
                outputs = own
        found = self._tensors({key: [array_of(v) for v in values] for key, values in seen.items()})
        arrays = self._outputs([array_of(output) for output in outputs])
        found.update(zip(self.network.outputs, arrays, strict=True))
        found.update(zip(self.network.inputs, map(np.asarray, inputs), strict=True))
        return found

    def _source(self, inputs: list) -> Any:
        """The exported program for a batch; exported anew where it fixes another number of rows."""
        rows = inputs[0].shape[0]
        if fixed_rows(self._program) not in (None, rows):
            example = tuple(one.float() if one.is_floating_point() else one for one in inputs)
            self._program = exported(self.module, example)
        return self._program

    def _check_graph(self, dtype: str, own: list, exported: list) -> None:
        """The exported graph, whose values are compared, has to be the module."""
        if dtype in self._checked:
            return
        self._checked.add(dtype)
        for one, two in zip(own, exported, strict=True):
            gap = Gap.between(array_of(one), array_of(two))
            if gap.relative > (1e-5 if dtype == "float32" else 1e-10):
                raise PortError(
                    f"{self.title} computes other outputs than its exported graph: {gap}",
                    None,
                    "Does its forward depend on more than its inputs and weights?",
                )

    # -- training ----------------------------------------------------------------------------------

    def gradients(self, inputs, targets, dtype):
        module = self._twin(dtype)
        module.train()
        with without_noise(), computing_in(dtype):
            with self._computing(dtype):
                outputs = module(*self._tensors_of(inputs, dtype))
            loss = self._loss_of(module, outputs, self._labels(targets, dtype))
            if self.decay_as_penalty and self._make_optimizer is not None:
                decay = _decay(self._make_optimizer(module))
                loss = loss + decay
                if decay.item() and _DECAY_NOTE not in self.notes:
                    self.notes.append(_DECAY_NOTE)
            loss.backward()
        return loss.item(), self._gradients(module)

    def _gradients(self, module: Any) -> Weights:
        parameters = dict(module.named_parameters(remove_duplicate=False))

        def gradient(key: str) -> Any:
            parameter = parameters.get(key)
            if parameter is None or not parameter.requires_grad:
                return None
            if parameter.grad is None:
                return np.zeros(tuple(parameter.shape))
            return array_of(parameter.grad.to_dense())

        return self._weights(gradient)

    def _loss_of(self, module: Any, outputs: Any, labels: list) -> Any:
        if self.program is not None:
            loss = _of(self.program, "loss_function")(outputs, self._program_targets(labels))
            if _has(self.program, "penalty"):
                loss = loss + _of(self.program, "penalty")(module)
            return loss
        each = leaves(outputs)
        if self._loss is None:
            return sum((one * label).sum() for one, label in zip(each, labels, strict=True))
        if isinstance(self._loss, (list, tuple)):
            terms = zip(self._loss, each, labels, strict=True)
            return sum(one(output, label) for one, output, label in terms if one is not None)
        return self._loss(outputs, labels if len(labels) > 1 else labels[0])

    def _program_targets(self, labels: list) -> Any:
        given = [label for label in labels if label is not None]
        return given if len(given) > 1 else given[0]

    def train(self, batches, dtype, inputs):
        import torch

        module = self._twin(dtype)
        watch = Steps(module, len(batches), self._weights)
        xs = [self._tensors_of(x, dtype) for x, _ in batches]
        ys = [self._labels(y, dtype) for _, y in batches]
        with without_noise(), computing_in(dtype), watch.variances():
            if self.program is not None and self._make_optimizer is None:
                self._train_by_program(module, xs, ys, watch)
            else:
                self._train_by_loop(module, xs, ys, watch)
            watch.finish()
        with torch.no_grad(), self._computing(dtype):
            outputs = leaves(module.eval()(*self._tensors_of(inputs, dtype)))
        self.notes += [note for note in watch.notes if note not in self.notes]
        return Trained(
            watch.losses, watch.weights, self._outputs([array_of(output) for output in outputs])
        )

    def _train_by_loop(self, module: Any, xs: list, ys: list, watch: Steps) -> None:
        make = self._make_optimizer
        optimizer = _of(self.program, "make_optimizer")(module) if make is None else make(module)
        module.train()
        for x, y in zip(xs, ys, strict=True):
            optimizer.zero_grad()
            loss = self._loss_of(module, module(*x), y)
            penalty = _decay(optimizer).item() if self.decay_as_penalty else 0.0
            watch.before_step(loss.item() + penalty)
            loss.backward()
            optimizer.step()

    def _train_by_program(self, module: Any, xs: list, ys: list, watch: Steps) -> None:
        """Trains as the program does, by its own loop: all batches are one epoch, in order."""
        import torch

        rows = len(xs[0][0])
        x = [torch.cat(parts) for parts in zip(*xs, strict=True)]
        kept = [place for place, label in enumerate(ys[0]) if label is not None]
        y = [torch.cat([labels[place] for labels in ys]) for place in kept]
        names = {"loss_function": False, "penalty": True}
        with contextlib.ExitStack() as stack:
            for name, adds in names.items():
                if _has(self.program, name):
                    counted = watch.counting(_of(self.program, name), adds)
                    stack.enter_context(_replaced(self.program, name, counted))
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            _of(self.program, "train")(
                module,
                x if len(x) > 1 else x[0],
                y if len(y) > 1 else y[0],
                epochs=1,
                batch_size=rows,
                shuffle=False,
            )


def _training(network: Network, module: Any, loss: Any, optimizer: Any, notes: list[str]) -> None:
    """Reads how a module is trained, for the report, as far as that can be read."""
    nothing = [None] * len(network.outputs)
    try:
        network.training, _ = read_training(network, module, loss)
    except PortError as error:
        network.training, _ = read_training(network, module, nothing)
        notes.append(f"the loss of the PyTorch module is taken as it is: {error}")
    if optimizer is None:
        return
    try:
        read, _ = read_training(network, module, nothing, optimizer)
        network.training.optimizer = read.optimizer
    except PortError:  # a class of one's own, perhaps of one of PyTorch's
        settings = {_NAMES.get(key, key): value for key, value in optimizer.defaults.items()}
        for number, beta in enumerate(settings.pop("betas", ()), 1):
            settings[f"beta_{number}"] = beta
        kind = type(optimizer).__name__.removeprefix("Keras")
        network.training.optimizer = Optimizer(kind, settings)


# What PyTorch's optimizers call the settings of Keras'.
_NAMES = {"lr": "learning_rate", "eps": "epsilon", "alpha": "rho"}


def _maker(optimizer: Any, module: Any) -> Callable[[Any], Any] | None:
    """What makes an optimizer for a copy of the module, fresh, with an optimizer's settings."""
    if optimizer is None:
        return None
    if not hasattr(optimizer, "param_groups"):
        return lambda copied: optimizer(copied.parameters())
    names = {id(p): name for name, p in module.named_parameters(remove_duplicate=False)}
    known = inspect.signature(type(optimizer).__init__).parameters
    defaults = {key: value for key, value in optimizer.defaults.items() if key in known}

    def make(copied: Any) -> Any:
        parameters = dict(copied.named_parameters(remove_duplicate=False))
        groups = []
        for group in optimizer.param_groups:
            mine = [parameters[names[id(p)]] for p in group["params"] if id(p) in names]
            groups.append({**group, "params": mine})
        return type(optimizer)(groups, **defaults)

    return make


def _decay(optimizer: Any) -> Any:
    """The penalty whose gradient is what an optimizer's weight_decay adds to the gradients."""
    import torch

    total = torch.zeros(())
    for group in optimizer.param_groups:
        factor = group.get("weight_decay") or 0.0
        decoupled = group.get("decoupled_weight_decay") or "AdamW" in type(optimizer).__name__
        if factor and not decoupled:
            for parameter in group["params"]:
                total = total + factor / 2 * parameter.square().sum()
    return total


def _copy(module: Any) -> Any:
    program = getattr(module, "program", None)
    return copy.deepcopy(module, {} if program is None else {id(program): program})


def _has(program: Any, name: str) -> bool:
    return name in program if isinstance(program, dict) else hasattr(program, name)


def _of(program: Any, name: str) -> Any:
    return program[name] if isinstance(program, dict) else getattr(program, name)


@contextlib.contextmanager
def _replaced(program: Any, name: str, function: Callable) -> Iterator[None]:
    """Within the block, a function of a program is another one for the program itself too."""
    before = _of(program, name)
    names = program if isinstance(program, dict) else _of(program, "train").__globals__
    names[name] = function
    try:
        yield
    finally:
        names[name] = before
