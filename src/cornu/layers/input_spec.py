"""InputSpec: what a layer demands of the shape of its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax

from cornu.core.serialization import Serializable

if TYPE_CHECKING:
    from cornu.layers.layer import Layer


class InputSpec(Serializable):
    """Rank and sizes that a layer demands of an input.

    Args:
        dtype: accepted as in Keras, not checked.
        shape: tuple of sizes, None where any will do.
        ndim: the exact number of axes.
        max_ndim, min_ndim: bounds of the number of axes.
        axes: dict from an axis to its size.
        allow_last_axis_squeeze: whether a last axis of size 1 may be missing or too many.
        name, optional: as in Keras.

    >>> InputSpec(min_ndim=2, axes={-1: 4})
    InputSpec(min_ndim=2, axes={-1: 4})
    """

    public_module = "layers"

    def __init__(
        self,
        dtype=None,
        shape=None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ):
        self.dtype = dtype
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def __repr__(self) -> str:
        parts = ("ndim", "max_ndim", "min_ndim", "axes")
        given = ", ".join(f"{p}={getattr(self, p)}" for p in parts if getattr(self, p))
        return f"InputSpec({given})"

    def complaint(self, shape: tuple) -> str | None:
        """What is wrong with a shape, or None."""
        if self.ndim is not None and len(shape) != self.ndim:
            return f"{self.ndim} axes"
        if self.max_ndim is not None and len(shape) > self.max_ndim:
            return f"at most {self.max_ndim} axes"
        if self.min_ndim is not None and len(shape) < self.min_ndim:
            return f"at least {self.min_ndim} axes"
        wanted = dict(enumerate(self.shape or ())) | self.axes
        for axis, size in wanted.items():
            if size is not None and shape[axis] is not None and shape[axis] != size:
                return f"axis {axis} of size {size}"
        return None


def check_inputs(layer: Layer, inputs) -> None:
    """Holds inputs against a layer's `input_spec`; ValueError with a sentence where they differ."""
    spec = layer.input_spec
    if spec is None:
        return
    specs = spec if isinstance(spec, (list, tuple)) else [spec]
    leaves = jax.tree_util.tree_leaves(inputs)
    if len(leaves) != len(specs):
        raise ValueError(
            f"layer {layer.name!r} ({type(layer).__name__}) takes {len(specs)} input"
            f"{'s' * (len(specs) > 1)}, received {len(leaves)}"
        )
    for one, leaf in zip(specs, leaves, strict=True):
        shape = tuple(getattr(leaf, "shape", ()))
        complaint = None if one is None else one.complaint(shape)
        if complaint:
            error = ValueError(
                f"layer {layer.name!r} ({type(layer).__name__}) expects an input with {complaint}, "
                f"received shape {shape}{_advice(one, shape)}"
            )
            error.names_layer = True  # type: ignore[attr-defined]
            raise error


def _advice(spec: InputSpec, shape: tuple) -> str:
    if spec.ndim == 4 and len(shape) == 3:
        return (
            ". Images need a channel axis: np.expand_dims(images, -1) makes (batch, rows, columns) "
            "into (batch, rows, columns, 1)"
        )
    if -1 in spec.axes and len(shape) > 2:
        return ". Put a Flatten layer before it if the input is an image"
    return ""
