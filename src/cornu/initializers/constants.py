"""Initializers that give the same values every time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.core import serialization
from cornu.core.dtypes import standardize_dtype, to_numpy_dtype
from cornu.initializers.initializer import Initializer, float_dtype, sizes


class Constant(Initializer):
    """Every element is the same value.

    Args:
        value: a number, or an array that broadcasts to the shape asked for. Default 0.

    Calling it raises ValueError where an array does not broadcast to the shape.

    Source: documentation of `keras.initializers.Constant`.

    >>> Constant(3)((2, 2)).tolist()
    [[3.0, 3.0], [3.0, 3.0]]
    """

    def __init__(self, value: Any = 0.0):
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        shape = sizes(self, shape)
        value = np.asarray(self.value).astype(to_numpy_dtype(standardize_dtype(dtype)))
        try:
            return np.broadcast_to(value, shape).copy()
        except ValueError:
            raise ValueError(
                f"Constant: a value of shape {value.shape} cannot fill a variable of shape {shape}"
            ) from None

    def get_config(self) -> dict:
        return {"value": serialization.serialize(self.value)}

    @classmethod
    def from_config(cls, config: dict) -> Constant:
        return cls(serialization.deserialize(config["value"]))


class Zeros(Initializer):
    """Every element is 0.

    >>> Zeros()((3,)).tolist()
    [0.0, 0.0, 0.0]
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        return np.zeros(sizes(self, shape), to_numpy_dtype(standardize_dtype(dtype)))


class Ones(Initializer):
    """Every element is 1.

    >>> Ones()((3,), dtype="int32").tolist()
    [1, 1, 1]
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        return np.ones(sizes(self, shape), to_numpy_dtype(standardize_dtype(dtype)))


class Identity(Initializer):
    """The identity matrix, times a factor.

    Args:
        gain: the factor. Default 1.

    Calling it raises ValueError where the shape has not two axes.

    Source: documentation of `keras.initializers.Identity`.

    >>> Identity(gain=2.0)((2, 2)).tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    """

    def __init__(self, gain: float = 1.0):
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        shape = sizes(self, shape)
        if len(shape) != 2:
            raise ValueError(f"Identity makes matrices, arrays of two axes; received shape={shape}")
        return (self.gain * np.eye(*shape)).astype(to_numpy_dtype(standardize_dtype(dtype)))

    def get_config(self) -> dict:
        # Keras writes no gain at all (and so loses it), but reads one
        return {} if self.gain == 1 else {"gain": self.gain}


class STFT(Initializer):
    """Convolution kernels that compute one part of a short-time Fourier transform.

    Called with the shape `(frame_length, 1, fft_length // 2 + 1)`, it gives the cosines or the
    negated sines of the transform's frequencies, times a window.

    Args:
        side: `"real"` (cosines, the default) or `"imag"` (negated sines).
        window: name of a window of `scipy.signal.windows`, an array of `frame_length` numbers, or
            `None` for no window. Default `"hann"`.
        scaling: what the window is divided by: `"density"` (the default) by the root of the sum of
            its squares, `"spectrum"` by its sum, `None` by nothing.
        periodic: whether a named window is periodic, not symmetric. Default `False`.

    Raises:
        ValueError: an unknown side, window or scaling.

    Source: documentation of `keras.initializers.STFT`.

    >>> STFT("real", window=None)((4, 1, 3))[:, 0, 1].round(3).tolist()
    [1.0, 0.0, -1.0, -0.0]
    """

    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ):
        if side not in ("real", "imag"):
            raise ValueError(f"STFT(side={side!r}): expected 'real' or 'imag'")
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(f"STFT(scaling={scaling!r}): expected 'density', 'spectrum' or None")
        if isinstance(window, str):
            _window(window, 1, periodic)
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        kind = float_dtype(self, dtype)
        shape = sizes(self, shape)
        if len(shape) != 3:
            raise ValueError(
                f"STFT: shape must be (frame_length, 1, fft_length // 2 + 1), received {shape}"
            )
        frame_length, _, frequencies = shape
        angle = (
            2
            * np.pi
            / (2 * (frequencies - 1))
            * np.arange(frame_length)[:, None, None]
            * np.arange(frequencies)
        )
        kernel = np.cos(angle) if self.side == "real" else -np.sin(angle)
        if self.window is not None:
            window = self.window
            if isinstance(window, str):
                window = _window(window, frame_length, self.periodic)
            window = np.asarray(window, "float64")
            if window.shape != (frame_length,):
                raise ValueError(
                    f"STFT: the window must have the frame's length, shape ({frame_length},); "
                    f"received shape {window.shape}"
                )
            if self.scaling == "density":
                window = window / np.sqrt(np.sum(window**2))
            elif self.scaling == "spectrum":
                window = window / np.sum(np.abs(window))
            kernel = kernel * window[:, None, None]
        return kernel.astype(kind)

    def get_config(self) -> dict:
        return {
            "side": self.side,
            "window": self.window,
            "periodic": self.periodic,
            "scaling": self.scaling,
        }


def _window(name: str, length: int, periodic: bool) -> np.ndarray:
    # scipy comes with JAX; its signal package is slow to import, so only where it is needed
    from scipy import signal

    try:
        return signal.get_window(name, length, fftbins=periodic)
    except ValueError as error:
        raise ValueError(f"STFT(window={name!r}): {error}") from None
