"""What a running call knows besides its arguments: training or not, losses added, masks."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import jax


class CallContext:
    """One call from the outside into a network, with all the calls of layers inside it.

    Attributes:
        training: whether the network is being trained; None where nobody has said.
        losses: scalars that layers added: activity regularization, `add_loss`.
        watcher: called with each layer and its outputs, or None.
    """

    def __init__(self, training: bool | None = None):
        self.training = training
        self.losses: list = []
        self.watcher: Callable | None = None
        self._masks: dict[int, tuple] = {}

    @property
    def has_masks(self) -> bool:
        """Whether any tensor of this call carries a mask."""
        return bool(self._masks)

    def mask_of(self, tensor):
        """The boolean mask that belongs to a tensor, or None."""
        entry = self._masks.get(id(tensor))
        return None if entry is None else entry[1]

    def set_mask(self, tensor, mask) -> None:
        """Says that a mask belongs to a tensor; keeps the tensor, so that its id stays its own."""
        if mask is None:
            self._masks.pop(id(tensor), None)
        else:
            self._masks[id(tensor)] = (tensor, mask)

    def masks_of(self, tensors):
        """The masks of a nest of tensors in the same nest, or None where none has one."""
        if not self._masks:
            return None
        leaves, structure = jax.tree_util.tree_flatten(tensors)
        masks = [self.mask_of(leaf) for leaf in leaves]
        if all(mask is None for mask in masks):
            return None
        if len(masks) == 1 and structure == jax.tree_util.tree_structure(0):
            return masks[0]
        return structure.unflatten(masks)


class _Local(threading.local):
    context: CallContext | None = None


_local = _Local()


def current_context() -> CallContext | None:
    """The context of the call under way on this thread, or None."""
    return _local.context


@contextlib.contextmanager
def call_context(context: CallContext) -> Iterator[CallContext]:
    """Within the block, calls of layers belong to `context`."""
    outer = _local.context
    _local.context = context
    try:
        yield context
    finally:
        _local.context = outer
