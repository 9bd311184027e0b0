"""C301, C302, C303: initial values of kernels, read without running the network."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod, sqrt
from weakref import WeakKeyDictionary

import numpy as np

from cornu.check.facts import (
    LINEAR,
    NORMALIZATION,
    RECTIFIED,
    SATURATING,
    Facts,
    Operation,
    Parameter,
)
from cornu.check.rule import Finding, rule
from cornu.check.rules.paths import function_of, is_torch, listed, next_weighted, onward

# Values of a kernel that are looked at; more would cost time and tell no more.
_MOST_VALUES = 1 << 18


class _Values:
    """What is told of a kernel's values: whether all are equal, which one, and their size."""

    def __init__(self, values: np.ndarray):
        flat = np.asarray(values).ravel()
        step = max(1, flat.size // _MOST_VALUES)
        sample = flat[::step].astype("float64")
        self.first = float(flat[0]) if flat.size else 0.0
        self.equal = flat.size > 1 and bool(
            (sample == self.first).all() and (flat == flat[0]).all()
        )
        self.rms = float(np.sqrt(np.mean(np.square(sample)))) if sample.size else 0.0
        self.mean = float(sample.mean()) if sample.size else 0.0


# Several rules ask for the same kernels, and a large one takes a while to read.
_read: WeakKeyDictionary[Facts, list[tuple[Operation, Parameter, _Values]]] = WeakKeyDictionary()


def _kernels(facts: Facts) -> list[tuple[Operation, Parameter, _Values]]:
    """Layers with a kernel that is trained, once each."""
    if facts in _read:
        return _read[facts]
    found = _read[facts] = []
    for operation in facts.operations:
        kernel = operation.parameter("kernel")
        if operation.kind not in LINEAR or operation.call > 0 or kernel is None:
            continue
        trained = kernel.trainable and operation.trainable
        if trained and kernel.name in ("kernel", "weight") and kernel.read is not None:
            found.append((operation, kernel, _Values(kernel.read())))
    return found


def _equal_in_a_row(facts: Facts) -> list[tuple[Operation, _Values, bool]]:
    """Hidden layers whose kernel has one value throughout, and whether the next one's has too.

    Only those whose result goes straight into another layer: added to something else, as at the end
    of a residual branch, zeros are a good beginning. The last layer may begin with zeros too.
    """
    equal = {operation: values for operation, _, values in _kernels(facts) if values.equal}
    found = []
    for operation, values in equal.items():
        behind = next_weighted(facts, operation)
        if behind is not None and (operation.width or 2) > 1:
            found.append((operation, values, behind in equal))
    return found


def _random(facts: Facts) -> str:
    if is_torch(facts):
        return "leave out the `nn.init` call, or use `nn.init.kaiming_uniform_(layer.weight)`"
    return 'leave out `kernel_initializer`, or use "glorot_uniform" or "he_normal"'


@rule(
    "C301",
    "kernels-all-zero",
    "error",
    "all units of a layer compute the same and get the same gradient, or none: they never differ",
)
def kernels_all_zero(facts: Facts) -> Iterator[Finding]:
    """A hidden layer that begins with a kernel of zeros.

    ## What it does
    Reads the kernels. Zeros in a hidden layer are told of where a ReLU follows, or the next layer
    begins with one value throughout too. An output layer of zeros, the last layer of a residual
    branch, biases and embeddings may begin with zeros.

    ## Why it hurts
    The layer's output is 0 for every row. A ReLU passes no gradient at 0, and a next layer of zeros
    passes none back: the layer stays as it is, and only the output's bias learns, which gives the
    share of each class. Initial values have to differ to break the symmetry of the units
    (Goodfellow et al., Deep Learning, 2016, section 8.4).

    ## Example
        model.add(Dense(64, activation="relu", kernel_initializer="zeros"))

    ## Fix
        model.add(Dense(64, activation="relu"))
    """
    hidden = []
    for operation, values, next_equal in _equal_in_a_row(facts):
        following = next(onward(facts, operation), None)
        rectified = following is not None and function_of(following) in ("relu", "relu6")
        bias = operation.parameter("bias")
        if rectified and bias is not None and bias.read is not None:
            rectified = not np.asarray(bias.read()).any()
        if values.first == 0.0 and (rectified or next_equal):
            hidden.append(operation)
    if hidden:
        yield Finding(
            message=f"the kernel of {listed(hidden)} is all zeros",
            fix=_random(facts),
            at=hidden[0],
        )


@rule(
    "C302",
    "kernels-constant",
    "error",
    "all units of a layer compute the same and get the same gradient: the layer is worth one unit",
)
def kernels_constant(facts: Facts) -> Iterator[Finding]:
    """A hidden layer whose kernel begins with one value throughout, other than zero.

    ## What it does
    Reads the kernels: a hidden layer, trained, with all values equal. It is an error where the next
    layer is made so too, and a warning where the next one is random, which slowly parts the units.

    ## Why it hurts
    Equal weights give equal outputs and equal gradients, so after each step the units are equal
    still: a layer of 64 units computes what a layer of one unit does (Goodfellow et al., Deep
    Learning, 2016, section 8.4). Besides, ones add up all inputs: the values grow with each layer.

    ## Example
        model.add(Dense(64, activation="relu", kernel_initializer="ones"))

    ## Fix
        model.add(Dense(64, activation="relu"))
    """
    hidden = [
        (operation, values, next_equal)
        for operation, values, next_equal in _equal_in_a_row(facts)
        if values.first != 0.0
    ]
    if hidden:
        yield Finding(
            message=f"every value in the kernel of {listed(op for op, _, _ in hidden)} is "
            f"{hidden[0][1].first:g}",
            fix=_random(facts),
            at=hidden[0][0],
            severity=None if any(next_equal for _, _, next_equal in hidden) else "warning",
        )


# Kernels may be so many times larger than He's or Glorot's initial values before it is noted, and
# told as a warning; and so many times smaller than the smallest usual ones (PyTorch's).
_LARGE_NOTED, _LARGE_WARNED = 5.0, 10.0
_SMALL, _SMALL_WARNED = 5.0, 20.0
# Layers with small kernels whose shrinking adds up to a dead signal, though each alone would do.
_SMALL_LAYERS = 4
# Below this fan-in a kernel has so few values that they tell little of the spread they came from.
_LEAST_FAN = 4
# Functions whose initial values follow He or Glorot; sine and others have rules of their own.
_USUAL = RECTIFIED | SATURATING | {"gelu", "silu", "swish", "softmax", "log_softmax", "mish"}


@rule(
    "C303",
    "initial-spread",
    "warning",
    "each layer multiplies the signal and its gradient: with such weights they explode or vanish",
)
def initial_spread(facts: Facts) -> Iterator[Finding]:
    """Initial weights that are far too large or too small for the number of inputs.

    ## What it does
    Compares the root mean square of each kernel with what keeps the variance of the signal: He et
    al. (2015) give sqrt(2 / inputs) for ReLU, Glorot and Bengio (2010) sqrt(2 / (inputs + outputs))
    for tanh. Five times larger than both is a note, and ten times, or several such layers in a row,
    a warning. Twenty times smaller than sqrt(1 / (3 inputs)), PyTorch's values and the smallest
    that are usual, is a warning; five times smaller too, if four hidden layers are so. Layers with
    a normalization behind them, which takes any scale away, frozen ones and the last layer, which
    may begin small, are left alone.

    ## Why it hurts
    A layer with 784 inputs and weights of standard deviation 1 gives values of about
    sqrt(784) = 28 times its inputs' size: three such layers make 20,000 of 1. Softmax then puts all
    on one class, wrong for most rows, and sigmoid and tanh stand at their bounds, where their
    gradient is nothing. With weights of 0.001 the same layer gives 0.03 of its input.

    ## Example
        model.add(Dense(256, kernel_initializer=RandomNormal(stddev=1.0)))

    ## Fix
        model.add(Dense(256, kernel_initializer="he_normal"))
    """
    large, small, tiny = [], [], []
    for operation, kernel, values in _kernels(facts):
        if kernel.loaded or kernel.fan is None or min(kernel.fan) < 1:
            continue
        if values.equal or values.rms == 0.0:
            continue
        if "Transpose" in operation.kind or operation.kind == "EinsumDense":
            continue
        inputs, outputs = kernel.fan
        path = list(onward(facts, operation))
        normalized = any(step.kind in NORMALIZATION for step in path[:3])
        if normalized or inputs < _LEAST_FAN:
            continue
        he, glorot = sqrt(2 / inputs), sqrt(2 / (inputs + outputs))
        least = min(sqrt(1 / (3 * inputs)), glorot)
        if values.rms > _LARGE_NOTED * max(he, glorot):
            large.append((operation, values.rms, he))
            continue
        function = function_of(path[0]) if path else None
        if next_weighted(facts, operation) is None or function not in _USUAL:
            continue
        if values.rms < least / _SMALL:
            small.append((operation, values.rms, he))
            if values.rms < least / _SMALL_WARNED:
                tiny.append((operation, values.rms, he))
    if len(small) >= _SMALL_LAYERS:
        tiny = small
    for found, what in ((large, "large"), (tiny, "small")):
        if found:
            operation, rms, he = max(found, key=lambda one: max(one[1] / one[2], one[2] / one[1]))
            also = [other for other, _, _ in found if other is not operation]
            yield Finding(
                message=f"the initial weights of `{operation.name}` are about {rms:.2g}, for its "
                f"number of inputs {he:.2g} would do" + (f"; {listed(also)} too" if also else ""),
                fix=_random(facts),
                at=operation,
                # layers multiply: two of five times too much make a signal 25 times too large
                severity="note"
                if what == "large" and prod(r / h for _, r, h in found) < _LARGE_WARNED
                else None,
            )
