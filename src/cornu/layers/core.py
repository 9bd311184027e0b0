"""The plain layers: Dense, Identity, Masking."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from cornu import activations, constraints, initializers, regularizers
from cornu.core.serialization import deserialize, serialize
from cornu.layers import arguments
from cornu.layers.input_spec import InputSpec
from cornu.layers.layer import Layer


class Dense(Layer):
    """A fully connected layer: `activation(inputs @ kernel + bias)`.

    Input: (batch, ..., features), any dtype. Output: (batch, ..., units), float.

    Args:
        units: number of outputs, a positive integer.
        activation: name or function. Default `None`, linear.
        use_bias: whether a bias is added. Default True.
        kernel_initializer: of the kernel (features, units). Default "glorot_uniform".
        bias_initializer: of the bias (units,). Default "zeros".
        kernel_regularizer, bias_regularizer: added to the loss. Default `None`.
        activity_regularizer: of the output, added to the loss. Default `None`.
        kernel_constraint, bias_constraint: applied after each update. Default `None`.
        lora_rank, lora_alpha, quantization_config: accepted only as `None`.
        **kwargs: `name`, `dtype`, `trainable`, and the older `input_shape`, `input_dim`.

    Raises:
        ValueError: `units` is not a positive integer; an input without a features axis.

    Source: `keras.layers.Dense`.

    >>> import numpy as np
    >>> Dense(3, activation="relu")(np.ones((2, 5), "float32")).shape
    (2, 3)
    """

    supports_masking = True

    def __init__(
        self,
        units: int,
        activation=None,
        use_bias: bool = True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        lora_rank=None,
        lora_alpha=None,
        quantization_config=None,
        **kwargs,
    ):
        self.units = arguments.positive_integer("Dense", "units", units)
        arguments.refuse("Dense", lora_rank=lora_rank, quantization_config=quantization_config)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.quantization_config = None
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape) -> None:
        features = input_shape[-1]
        if features is None:
            raise ValueError(
                "the size of the last axis must be known, to make a kernel of it: give it in "
                "Input(shape=...)"
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs, training=None):
        outputs = jnp.matmul(inputs, self.kernel.value)
        if self.bias is not None:
            outputs = outputs + self.bias.value
        return self.activation(outputs)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": serialize(self.kernel_initializer),
            "bias_initializer": serialize(self.bias_initializer),
            "kernel_regularizer": serialize(self.kernel_regularizer),
            "bias_regularizer": serialize(self.bias_regularizer),
            "kernel_constraint": serialize(self.kernel_constraint),
            "bias_constraint": serialize(self.bias_constraint),
            "quantization_config": None,
        }


class Identity(Layer):
    """Returns its inputs as they are.

    Input and output: any array, or nest of arrays.

    Args:
        **kwargs: `name`, `dtype`, `trainable`.

    >>> import numpy as np
    >>> Identity()(np.ones((1, 2), "float32")).tolist()
    [[1.0, 1.0]]
    """

    supports_masking = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.built = True

    def call(self, inputs):
        return inputs


class Masking(Layer):
    """Marks the time steps whose features all have one value, so that later layers skip them.

    Input: (batch, steps, features). Output: the same, marked steps set to 0; mask (batch, steps),
    True where a step counts.

    Args:
        mask_value: the value that means "no data". Default 0.
        **kwargs: `name`, `dtype`, `trainable`.

    Source: `keras.layers.Masking`.

    >>> import numpy as np
    >>> Masking(mask_value=-1.0)(np.array([[[5.0, -1.0], [-1.0, -1.0]]], "float32")).tolist()
    [[[5.0, -1.0], [0.0, 0.0]]]
    """

    supports_masking = True

    def __init__(self, mask_value: Any = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.mask_value = deserialize(mask_value) if isinstance(mask_value, dict) else mask_value
        self.built = True

    def compute_mask(self, inputs, previous_mask=None):
        return jnp.any(jnp.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs):
        counts = jnp.any(jnp.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return jnp.where(counts, inputs, jnp.zeros((), inputs.dtype))

    def get_config(self) -> dict:
        return {**super().get_config(), "mask_value": self.mask_value}
