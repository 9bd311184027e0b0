"""What is kept of a PyTorch program that runs: calls, functions, backward passes, optimizers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cornu.check.torch_names import torch_class
from cornu.core.places import Place


class Call:
    """A call of a module that calls others, or a user's own."""

    __slots__ = ("args", "is_loss", "kwargs", "module", "number", "outer", "result", "training")

    def __init__(self, module: Any, args: tuple, kwargs: dict, outer: Call | None, number: int):
        self.module, self.args, self.kwargs = module, args, kwargs
        self.outer, self.number = outer, number
        self.training = module.training
        self.result: Any = None
        self.is_loss = "loss" in type(module).__name__.lower()


class Record:
    """One function of PyTorch, or one leaf module, that was applied.

    Attributes:
        number: counts up.
        name: of the function, or the module's class in torch.nn.
        module: the leaf module, or None for a function.
        function, args, kwargs: what was called.
        edges: of each tensor given: (the record that made it or None, which output of it, tensor).
        outputs: tensors that came out.
        specs: of each output: (shape, dtype, requires_grad).
        place: the line in the user's program.
        call: the innermost call of a container or of the user's own module, or None.
        grad: whether gradients were being tracked.
        loss: the loss function that it is, or None.
        ungiven: whether it is a functional dropout whose `training` was not given.
        measured: what was measured of its output, if the output was overwritten since.
        failed: whether it raised an error.
    """

    __slots__ = (
        *("args", "call", "edges", "failed", "function", "grad", "kwargs", "loss", "measured"),
        *("module", "name", "number", "outputs", "place", "specs", "ungiven", "size"),
    )

    def __init__(
        self, number: int, name: str, module: Any, function: Any, args: tuple, kwargs: Any
    ):
        self.number, self.name, self.module = number, name, module
        self.function, self.args, self.kwargs = function, args, kwargs
        self.edges: list[tuple[Record | None, int, Any]] = []
        self.outputs: tuple = ()
        self.specs: list[tuple] = []
        self.place: Place | None = None
        self.call: Call | None = None
        self.grad = True
        self.loss: str | None = None
        self.ungiven = self.failed = False
        self.measured: Any = None
        self.size = 0

    def let_go(self) -> None:
        """Forgets the tensors but those that no record made."""
        self.args, self.kwargs, self.outputs = (), {}, ()
        self.edges = [(made, which, None if made else t) for made, which, t in self.edges]

    @property
    def inside(self) -> bool:
        """Whether it ran in a call of a network."""
        call = self.call
        while call is not None:
            if not call.is_loss and not is_plain(call.module):
                return True
            call = call.outer
        return False


def is_plain(module: Any) -> bool:
    """Whether a module is the user's own and has nothing to train: a loss or transformation."""
    return torch_class(module) is None and next(module.parameters(), None) is None


class Backward:
    """A backward pass: the loss it started from and where."""

    def __init__(self, number: int, losses: list, made: list, place: Place | None):
        self.number = number
        self.losses = losses
        self.made = made  # of each loss: the record that made it, or None
        self.place = place
        self.can_run = any(one.requires_grad for one in losses)
        self.parameters = _leaves(losses)
        self.requires_grad = True  # whether the loss depends on anything that is trained
        self.loops: list[tuple[int | None, Any]] = []
        # the network's latest record and the latest loss, where this was made outside of PyTorch
        self.latest_loss: Record | None = None
        self.latest: Record | None = None


class Optimized:
    """An optimizer that the program made, and what it did."""

    def __init__(self, optimizer: Any, place: Place | None, given: list[str], name: str):
        self.optimizer, self.place, self.given, self.name = optimizer, place, given, name
        self.steps = 0
        self.pending: list[Backward] = []
        self.first: list[Backward] = []  # the backward passes of its first step
        self.second: list[Backward] = []
        self.had_gradients: list[bool] = []
        self.cleared_since_step = False
        self.cleared: bool | None = None
        self.gradients: dict[int, float] = {}  # of each parameter at the first step
        self.scheduler: Any = None
        self.scheduler_place: Place | None = None
        self.step_place: Place | None = None
        self.clipping: dict[str, float] = {}  # clipnorm or clipvalue

    @property
    def parameters(self) -> list:
        """All it was given."""
        return [p for group in self.optimizer.param_groups for p in group["params"]]


def _leaves(losses: list) -> dict[int, Any]:
    """The leaf tensors that losses depend on, by id."""
    found: dict[int, Any] = {}
    waiting = [loss.grad_fn for loss in losses if loss.grad_fn is not None]
    seen = set(waiting)
    for loss in losses:
        if loss.is_leaf and loss.requires_grad:
            found[id(loss)] = loss
    while waiting:
        node = waiting.pop()
        variable = getattr(node, "variable", None)
        if variable is not None:
            found[id(variable)] = variable
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                waiting.append(following)
    return found


def overwrites(name: str) -> bool:
    """Whether a function of this name changes its first tensor in place."""
    return (name.endswith("_") and name[-2:] != "__") or (
        name[:3] == "__i" and name != "__invert__"
    )


def tensors_in(value: Any, depth: int = 4) -> Iterator[Any]:
    """The tensors in nested tuples, lists, dictionaries and plain objects."""
    import torch

    if isinstance(value, torch.Tensor):
        yield value
    elif depth and isinstance(value, (tuple, list)):
        for one in value:
            yield from tensors_in(one, depth - 1)
    elif depth and isinstance(value, dict):
        for one in value.values():
            yield from tensors_in(one, depth - 1)
    elif depth and hasattr(value, "__dataclass_fields__"):
        yield from tensors_in(list(vars(value).values()), depth - 1)
