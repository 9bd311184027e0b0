"""Weights of a PyTorch module, their rearrangements, and which layer holds each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.port.network import Operation


@dataclasses.dataclass(frozen=True)
class Transposed:
    """A change of an array: `array.transpose(axes)`."""

    axes: tuple[int, ...]

    def __call__(self, array: np.ndarray) -> np.ndarray:
        return array.transpose(self.axes)


@dataclasses.dataclass(frozen=True)
class Reshaped:
    """A change of an array: `array.reshape(shape)`."""

    shape: tuple[int, ...]

    def __call__(self, array: np.ndarray) -> np.ndarray:
        return array.reshape(self.shape)


@dataclasses.dataclass(frozen=True, eq=False)
class Picked:
    """A change of an array: its entries in another order and shape."""

    index: np.ndarray

    def __call__(self, array: np.ndarray) -> np.ndarray:
        return array.reshape(-1)[self.index]


@dataclasses.dataclass(frozen=True, eq=False)
class Weight:
    """A parameter or a buffer, or one rearranged.

    Attributes:
        key: its name in the module; None for a constant that has none.
        tensor: the torch.Tensor, as it is rearranged.
        is_parameter: whether it is a parameter, and no buffer.
        requires_grad: whether an optimizer may change it.
        changes: how it was rearranged.
    """

    key: str | None
    tensor: Any
    is_parameter: bool
    requires_grad: bool
    changes: tuple[Callable[[np.ndarray], np.ndarray], ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.tensor.shape)

    def rearranged(self, target: Callable, args: tuple, kwargs: dict) -> Weight | None:
        """What a view of it is; None where entries are lost or repeated."""
        import torch

        size = self.tensor.numel()
        numbers = torch.arange(size).reshape(self.tensor.shape)
        index = target(*(numbers if a is self else a for a in args), **kwargs)
        if index.numel() != size or len(index.unique()) != size:
            return None
        tensor = self.tensor.detach().reshape(-1)[index.to(self.tensor.device)]
        return dataclasses.replace(
            self, tensor=tensor, changes=(*self.changes, Picked(index.numpy()))
        )


def to_numpy(tensor: Any) -> np.ndarray:
    """The values of a torch.Tensor, in memory of their own."""
    import torch

    tensor = tensor.detach().cpu()
    if tensor.dtype == torch.bfloat16:  # which NumPy knows only through another package
        import ml_dtypes

        return tensor.contiguous().view(torch.uint16).numpy().view(ml_dtypes.bfloat16).copy()
    return np.array(tensor.numpy())


def as_weight(value: Any) -> Weight:
    """A weight; of a constant one that has no name."""
    if isinstance(value, Weight):
        return value
    return Weight(None, value, False, False)


class Owners:
    """Which layer holds each weight.

    Attributes:
        layers: by the names of weights.
    """

    def __init__(self) -> None:
        self.layers: dict[str, Operation] = {}

    def shared(self, kind: str, held: dict, attributes: dict, call: Any) -> Operation | None:
        """The layer that holds these weights already; None where there is none."""
        keys = {name: weight.key for name, (weight, _) in held.items()}
        for name, (weight, _) in held.items():
            owner = self.layers.get(weight.key) if weight.key else None
            if owner is None:
                continue
            known = {one: origin.key for one, origin in owner.origins.items()}
            same = owner.kind == kind and owner.attributes == attributes and known == keys
            if not same or not self._same_form(owner, held):
                raise call.refuse(
                    f"the weight {weight.key!r} of {owner.kind} {owner.name!r} is also the {name} "
                    f"of another {kind}; a weight belongs to one layer",
                    "Apply the same layer twice, or give each a weight of its own",
                )
            # one of its applications may stand under torch.no_grad()
            owner.trainable |= any(one.requires_grad for one, _ in held.values())
            return owner
        return None

    @staticmethod
    def _same_form(owner: Operation, held: dict) -> bool:
        for name, (weight, change) in held.items():
            array = to_numpy(weight.tensor)
            array = array if change is None else change(array)
            if not np.array_equal(owner.parameters[name], array, equal_nan=True):
                return False
        return True

    def remember(self, operation: Operation, held: dict) -> None:
        """Takes down which layer holds which weights."""
        for weight, _ in held.values():
            if weight.key:
                self.layers[weight.key] = operation
