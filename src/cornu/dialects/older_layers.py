"""Arguments of layers as Keras 1 and Keras 2 had them, in today's words.

Source of the meanings: Keras 2's own converter of Keras 1 calls, `keras/legacy/interfaces.py` of
Keras 2.0 to 2.3.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from cornu.dialects.years import is_keras_1, program_text
from cornu.layers import Layer

_KERNEL = {
    "init": "kernel_initializer",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "bias": "use_bias",
}
_POOLING = {"pool_length": "pool_size", "stride": "strides", "border_mode": "padding"}
_CONVOLUTION = {
    **_KERNEL,
    "nb_filter": "filters",
    "filter_length": "kernel_size",
    "subsample_length": "strides",
    "subsample": "strides",
    "border_mode": "padding",
    "atrous_rate": "dilation_rate",
}
_RECURRENT = {
    **_KERNEL,
    "output_dim": "units",
    "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation",
    "U_regularizer": "recurrent_regularizer",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
}

# Which layers, and their older arguments' names now.
_RENAMED: tuple[tuple[re.Pattern, dict[str, str]], ...] = tuple(
    (re.compile(names), renamed)
    for names, renamed in (
        (r"Dense", {"output_dim": "units", **_KERNEL}),
        (r"(Spatial|Gaussian|Alpha)?Dropout([123]D)?", {"p": "rate"}),
        (r"GaussianNoise", {"sigma": "stddev"}),
        (
            r"Embedding",
            {
                "init": "embeddings_initializer",
                "W_regularizer": "embeddings_regularizer",
                "W_constraint": "embeddings_constraint",
            },
        ),
        (r"PReLU", {"init": "alpha_initializer"}),
        (
            r"BatchNormalization",
            {
                "beta_init": "beta_initializer",
                "gamma_init": "gamma_initializer",
                "beta_regularizer": "beta_regularizer",
            },
        ),
        (r"(Max|Average)Pooling[123]D", _POOLING),
        (r"(Separable|Depthwise)?Conv[123]D(Transpose)?", _CONVOLUTION),
        (r"LSTM|GRU|SimpleRNN", _RECURRENT),
        (r"UpSampling1D", {"length": "size"}),
        (r"Model|Functional", {"input": "inputs", "output": "outputs"}),
        (r"RepeatVector", {}),
    )
)
_ORDERINGS = {"tf": "channels_last", "th": "channels_first", "default": None}

# Arguments that have no say in what is computed.
_IDLE = {
    *("consume_less", "implementation", "input_dtype", "unroll", "fused", "time_major"),
    *("batch_input_dtype", "ignore_border", "forget_bias_init"),
}


def translate(cls: type, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """The arguments of a call of a layer's class, in the words that the class knows.

    Args:
        cls: the class, one of Cornu's or derived from one.
        args, kwargs: as the program wrote them.

    Raises:
        TypeError: an argument under both its names.
        ValueError: an argument that had a meaning then that no layer has today.
    """
    own = _known_as(cls)
    if own is None:
        return args, kwargs
    name, renamed = own
    owner = cls.__name__
    kwargs = {key: value for key, value in kwargs.items() if key not in _IDLE}
    if "dim_ordering" in kwargs:
        ordering = kwargs.pop("dim_ordering")
        kwargs["data_format"] = _ORDERINGS.get(ordering, ordering)
    for change in (_sizes, _one_number_for_each, _lengths, _modes):
        args, kwargs = change(name, args, kwargs)
    return args, rename(owner, kwargs, renamed)


def rename(owner: str, kwargs: dict[str, Any], renamed: dict[str, str]) -> dict[str, Any]:
    """The arguments with today's names in the place of older ones.

    >>> rename("Dense", {"output_dim": 3}, {"output_dim": "units"})
    {'units': 3}
    """
    found: dict[str, Any] = {}
    for key, value in kwargs.items():
        today = renamed.get(key, key)
        if today != key and today in kwargs:
            raise TypeError(
                f"{owner}({key}={value!r}, {today}={kwargs[today]!r}): {key} is the older name of "
                f"{today}; give one of them"
            )
        found[today] = value
    return found


@functools.cache
def _known_as(cls: type) -> tuple[str, dict[str, str]] | None:
    """The name of the layer of Keras that a class is or derives from, and its older arguments."""
    for base in cls.__mro__:
        if base.__module__.split(".")[0] != "cornu" or base is Layer:
            continue
        for pattern, renamed in _RENAMED:
            if pattern.fullmatch(base.__name__):
                return base.__name__, renamed
    return (cls.__name__, {}) if cls.__module__.split(".")[0] == "cornu" else None


def _sizes(name: str, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Keras 1: `Convolution2D(filters, rows, columns)`, where today the third is the strides."""
    match = re.fullmatch(r"(?:Separable|Depthwise)?Conv([123])D(?:Transpose)?", name)
    rank = int(match[1]) if match else 0
    if rank < 2:
        return args, kwargs
    names = ("nb_row", "nb_col") if rank == 2 else ("kernel_dim1", "kernel_dim2", "kernel_dim3")
    given = [*args[1 : 1 + rank], *(kwargs[one] for one in names if one in kwargs)]
    if len(given) < rank or not all(isinstance(one, int) for one in given[:rank]):
        return args, kwargs
    if not any(one in kwargs for one in names) and not _means_sizes(kwargs):
        return args, kwargs
    kwargs = {key: value for key, value in kwargs.items() if key not in names}
    rest = args[1 + rank :]
    if rest and isinstance(rest[0], (tuple, list)) and name.endswith("Transpose"):
        rest = rest[1:]  # the shape of the output, which the other arguments give already
    if rest:
        raise TypeError(
            f"{name}{args!r}: after the sizes of the window, Keras 1 takes further arguments by "
            "position; give them by name"
        )
    kwargs["kernel_size"] = tuple(given[:rank])
    if name.endswith("Transpose"):
        kwargs.pop("output_shape", None)
    return args[:1], kwargs


def _means_sizes(kwargs: dict) -> bool:
    """Whether two integers after the filters are rows and columns, not window and strides."""
    # Keras 2.0 to 2.3 read both as sizes too, but refused them beside arguments of Keras 2
    if any(key in kwargs for key in ("padding", "strides", "data_format", "dilation_rate")):
        return False
    if any(key in _CONVOLUTION for key in kwargs):
        return True
    return is_keras_1(program_text())


def _one_number_for_each(name: str, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Keras 0: `Dense(inputs, outputs)`; no activation is a number."""
    if name == "Dense" and len(args) >= 2 and isinstance(args[1], int):
        kwargs = {"input_dim": args[0], **kwargs}
        if len(args) > 2:
            kwargs = {"init": args[2], **kwargs}
        if len(args) > 3:
            kwargs = {"activation": args[3], **kwargs}
        return (args[1],), kwargs
    if name == "Dense" and len(args) == 2 and args[1] in _INITIALIZERS:  # Keras 1's second
        return args[:1], {"init": args[1], **kwargs}
    return args, kwargs


_INITIALIZERS = (
    *("uniform", "normal", "lecun_uniform", "orthogonal", "zero", "one"),
    *("glorot_normal", "glorot_uniform", "he_normal", "he_uniform"),
)


def _lengths(name: str, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """`input_dim` and `input_length` of layers over sequences: features and steps."""
    if name in ("LSTM", "GRU", "SimpleRNN", "Conv1D") and "input_dim" in kwargs:
        kwargs = dict(kwargs)
        steps, features = kwargs.pop("input_length", None), kwargs.pop("input_dim")
        return args, {**kwargs, "input_shape": (steps, features)}
    return args, kwargs


def _modes(name: str, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Arguments that only one of their values can still be given to."""
    for layer, argument, harmless, advice in (
        (
            "BatchNormalization",
            "mode",
            (0,),
            "only mode 0, a mean for each feature over the batch, is left of the three; "
            "LayerNormalization does what mode 1 did",
        ),
        (
            "Embedding",
            "dropout",
            (0, 0.0, None),
            "words are dropped by a SpatialDropout1D layer after the Embedding",
        ),
        ("BatchNormalization", "virtual_batch_size", (None,), "it is not supported; leave it out"),
        ("BatchNormalization", "adjustment", (None,), "it is not supported; leave it out"),
    ):
        if name == layer and argument in kwargs:
            kwargs = dict(kwargs)
            value = kwargs.pop(argument)
            if value not in harmless:
                raise ValueError(f"{layer}({argument}={value!r}): {advice}")
    return args, kwargs


def translated(init: Callable) -> Callable:
    """The `__init__` of a layer, which then understands the arguments of earlier years."""

    @functools.wraps(init)
    def __init__(self, *args, **kwargs):
        # a class derived in the program passes its arguments on: only these are translated
        args, kwargs = translate(type(self), args, kwargs)
        weights = None
        if "weights" in kwargs and _known_as(type(self))[0] != "Embedding":  # it has its own
            weights = kwargs.pop("weights")
        if type(self).__init__ is __init__:
            object.__setattr__(self, "_arguments", (args, kwargs))
        init(self, *args, **kwargs)
        if weights is not None:
            _set_once_built(self, weights)

    return __init__


def _set_once_built(layer: Layer, weights: list) -> None:
    """Lets a layer have these weights (arrays) as soon as it makes its own."""

    def build(*args, **kwargs):
        del layer.__dict__["build"]
        layer.build(*args, **kwargs)
        layer.set_weights(weights)

    object.__setattr__(layer, "build", build)
