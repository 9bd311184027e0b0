"""Random initializers whose width follows from the shape: Glorot, He, Lecun."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.core.random import host_generator
from cornu.initializers import draws
from cornu.initializers.distributions import RandomInitializer
from cornu.initializers.initializer import float_dtype, sizes

# Standard deviation of a standard normal distribution cut off at -2 and 2.
_CUT_NORMAL_STDDEV = 0.87962566103423978

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


class VarianceScaling(RandomInitializer):
    """Random values of variance `scale / n`, `n` the number of inputs, of outputs, or their mean.

    The numbers of inputs and outputs of a kernel `(..., inputs, outputs)` count every position of
    its window, see `compute_fans`.

    Args:
        scale: positive factor of the variance. Default 1.
        mode: `"fan_in"` (the default), `"fan_out"` or `"fan_avg"`.
        distribution: `"truncated_normal"` (the default; `"normal"` means the same),
            `"untruncated_normal"` or `"uniform"`.
        seed: integer, `SeedGenerator` or `None` (the default), see `RandomInitializer`.
        input_axes: axes that count as inputs. Default `None`, from the shape.
        output_axes: axes that count as outputs. Default `None`, from the shape.

    Raises:
        ValueError: a scale that is not positive, an unknown mode or distribution.

    Source: documentation of `keras.initializers.VarianceScaling`.

    >>> limit = np.sqrt(3 / 4)
    >>> values = VarianceScaling(distribution="uniform", seed=1)((4, 100))
    >>> bool(0.9 * limit < abs(values).max() <= limit)
    True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ):
        owner = type(self).__name__
        if scale <= 0:
            raise ValueError(f"{owner}(scale={scale!r}): scale must be positive")
        if mode not in _MODES:
            raise ValueError(f"{owner}(mode={mode!r}): expected one of {', '.join(_MODES)}")
        distribution = distribution.lower()
        if distribution == "normal":
            distribution = "truncated_normal"
        if distribution not in _DISTRIBUTIONS:
            raise ValueError(
                f"{owner}(distribution={distribution!r}): expected one of "
                f"{', '.join(_DISTRIBUTIONS)}"
            )
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes
        super().__init__(seed=seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        kind = float_dtype(self, dtype)
        shape = sizes(self, shape)
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        variance = self.scale / max(1.0, fans[self.mode])
        generator = host_generator(self.seed)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return draws.scaled(draws.uniform(generator, shape, kind), 2 * limit, -limit, kind)
        if self.distribution == "untruncated_normal":
            return draws.scaled(
                draws.normal(generator, shape, kind), math.sqrt(variance), 0.0, kind
            )
        stddev = math.sqrt(variance) / _CUT_NORMAL_STDDEV
        return draws.scaled(draws.truncated_normal(generator, shape, kind), stddev, 0.0, kind)

    def get_config(self) -> dict:
        return {
            "seed": self._seed_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class _Preset(VarianceScaling):
    """A `VarianceScaling` with its first three arguments fixed."""

    fixed: tuple[float, str, str]

    def __init__(
        self,
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ):
        super().__init__(*self.fixed, seed, input_axes, output_axes)

    def get_config(self) -> dict:
        return {
            "seed": self._seed_config(),
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class GlorotUniform(_Preset):
    """Uniform values of variance `2 / (inputs + outputs)`, also known as Xavier uniform.

    Args:
        seed: integer, `SeedGenerator` or `None` (the default), see `RandomInitializer`.
        input_axes: axes that count as inputs. Default `None`, from the shape.
        output_axes: axes that count as outputs. Default `None`, from the shape.

    Source: X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", https://proceedings.mlr.press/v9/glorot10a.html.

    >>> bool(abs(GlorotUniform(seed=1)((2, 4))).max() <= 1)
    True
    """

    fixed = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Preset):
    """Normal values, cut at two deviations, of variance `2 / (inputs + outputs)`.

    Args:
        seed: integer, `SeedGenerator` or `None` (the default), see `RandomInitializer`.
        input_axes: axes that count as inputs. Default `None`, from the shape.
        output_axes: axes that count as outputs. Default `None`, from the shape.

    Source: X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", https://proceedings.mlr.press/v9/glorot10a.html.

    >>> GlorotNormal(seed=1)((2, 4)).shape
    (2, 4)
    """

    fixed = (1.0, "fan_avg", "truncated_normal")


class LecunNormal(_Preset):
    """Normal values, cut at two deviations, of variance `1 / inputs`.

    Args:
        seed: integer, `SeedGenerator` or `None` (the default), see `RandomInitializer`.
        input_axes: axes that count as inputs. Default `None`, from the shape.
        output_axes: axes that count as outputs. Default `None`, from the shape.

    Source: G. Klambauer et al., "Self-normalizing neural networks",
    https://arxiv.org/abs/1706.02515.

    >>> LecunNormal(seed=1)((2, 4)).shape
    (2, 4)
    """

    fixed = (1.0, "fan_in", "truncated_normal")


class LecunUniform(_Preset):
    """Uniform values of variance `1 / inputs`.

    Args:
        seed: integer, `SeedGenerator` or `None` (the default), see `RandomInitializer`.
        input_axes: axes that count as inputs. Default `None`, from the shape.
        output_axes: axes that count as outputs. Default `None`, from the shape.

    Source: Y. LeCun et al., "Efficient backprop", 1998.

    >>> bool(abs(LecunUniform(seed=1)((3, 4))).max() <= 1)
    True
    """

    fixed = (1.0, "fan_in", "uniform")


class HeNormal(_Preset):
    """Normal values, cut at two deviations, of variance `2 / inputs`: for layers before a ReLU.

    Args:
        seed: integer, `SeedGenerator` or `None` (the default), see `RandomInitializer`.
        input_axes: axes that count as inputs. Default `None`, from the shape.
        output_axes: axes that count as outputs. Default `None`, from the shape.

    Source: K. He et al., "Delving deep into rectifiers", https://arxiv.org/abs/1502.01852.

    >>> HeNormal(seed=1)((2, 4)).shape
    (2, 4)
    """

    fixed = (2.0, "fan_in", "truncated_normal")


class HeUniform(_Preset):
    """Uniform values of variance `2 / inputs`: for layers before a ReLU.

    Args:
        seed: integer, `SeedGenerator` or `None` (the default), see `RandomInitializer`.
        input_axes: axes that count as inputs. Default `None`, from the shape.
        output_axes: axes that count as outputs. Default `None`, from the shape.

    Source: K. He et al., "Delving deep into rectifiers", https://arxiv.org/abs/1502.01852.

    >>> bool(abs(HeUniform(seed=1)((6, 4))).max() <= 1)
    True
    """

    fixed = (2.0, "fan_in", "uniform")


def compute_fans(
    shape: Sequence[int],
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> tuple[int, int]:
    """How many inputs and outputs a weight of some shape has.

    Args:
        shape: `(units,)`, `(inputs, outputs)` or `(*window, inputs, outputs)`.
        input_axes: axes whose product is the number of inputs; used where `output_axes` is given
            too. Default `None`.
        output_axes: axes whose product is the number of outputs. Default `None`.

    Returns:
        `(inputs, outputs)`, each times the size of the window.

    >>> compute_fans((3, 3, 16, 32))
    (144, 288)
    """
    if input_axes is not None and output_axes is not None:
        return (
            math.prod(shape[axis] for axis in input_axes),
            math.prod(shape[axis] for axis in output_axes),
        )
    if len(shape) < 2:
        units = math.prod(shape)
        return units, units
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window
