"""What the convolutions share: XLA's own, and the choice between it and what a CPU does faster."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax import lax

from cornu.core.compilation import has_eigen
from cornu.ops._patches import Windows

# Windows of more places than this use XLA's convolution: each place is written out in the program,
# which takes longer to compile the more there are.
_MOST_PLACES = 128


def is_written_out(inputs: jax.Array, kernel: jax.Array) -> bool:
    """Whether the places of a convolution's window can be written out one by one."""
    sizes = [*inputs.shape, *kernel.shape]
    return (
        jnp.issubdtype(inputs.dtype, jnp.floating)
        and all(isinstance(size, int) and size > 0 for size in sizes)
        and math.prod(kernel.shape[:-2]) <= _MOST_PLACES
    )


def eigen_takes(inputs: jax.Array) -> bool:
    """Whether Eigen's convolution is there and the faster one: not in float64, not for volumes."""
    return has_eigen() and inputs.ndim <= 4 and inputs.dtype != jnp.float64


def by_xla(
    inputs: jax.Array, kernel: jax.Array, windows: Windows, data_format: str, groups: int = 1
) -> jax.Array:
    """XLA's convolution; the kernel is (*window, channels / groups, filters)."""
    images, window = _axes(windows, data_format)
    return lax.conv_general_dilated(
        inputs,
        kernel,
        windows.strides,
        windows.padding,
        rhs_dilation=windows.dilation,
        dimension_numbers=(images, window, images),
        feature_group_count=groups,
    )


def transposed_by_xla(
    inputs: jax.Array, kernel: jax.Array, windows: Windows, data_format: str
) -> jax.Array:
    """XLA's transposed convolution; the kernel is (*window, filters, channels)."""
    images, window = _axes(windows, data_format)
    # XLA counts what is kept beyond one element of the windows, `windows` what is cut off
    kept = [
        (gap * (size - 1) - low, gap * (size - 1) - high)
        for size, gap, (low, high) in zip(
            kernel.shape, windows.dilation, windows.padding, strict=False
        )
    ]
    return lax.conv_transpose(
        inputs,
        kernel,
        windows.strides,
        kept,
        rhs_dilation=windows.dilation,
        dimension_numbers=(images, window, images),
        transpose_kernel=True,
    )


def gradients(
    native: Callable, on_cpu: Sequence[Callable], operands: tuple, gradient: jax.Array
) -> tuple:
    """The gradient of each operand, by XLA's own or as a CPU does it.

    Args:
        native: the operation as XLA has it, a function of the operands.
        on_cpu: a function of operands and gradient for each operand.
        operands: arrays.
        gradient: that of the outputs.
    """

    def derived(number, *arrays):
        return jax.vjp(native, *arrays[:-1])[1](arrays[-1])[number]

    # One decision for each, not one for all: so the gradient that nobody asks for, that of the
    # images of a network's first layer, drops out of the program.
    return tuple(
        lax.platform_dependent(
            *operands, gradient, cpu=one, default=functools.partial(derived, number)
        )
        for number, one in enumerate(on_cpu)
    )


def channels_last(array: jax.Array, data_format: str) -> jax.Array:
    """An array in a layout with the channels last."""
    return array if data_format == "channels_last" else jnp.moveaxis(array, 1, -1)


def back(array: jax.Array, data_format: str) -> jax.Array:
    """An array with the channels last in the layout that it is wanted in."""
    return array if data_format == "channels_last" else jnp.moveaxis(array, -1, 1)


def _axes(windows: Windows, data_format: str) -> tuple[str, str]:
    """The names that XLA has for the axes of images and kernel."""
    spatial = "DHW"[-len(windows.strides) :]
    return f"N{spatial}C" if data_format == "channels_last" else f"NC{spatial}", f"{spatial}IO"
