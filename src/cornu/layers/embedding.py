"""Embedding: integers as learned vectors."""

from __future__ import annotations

import jax.numpy as jnp

from cornu import constraints, initializers, regularizers
from cornu.core.serialization import serialize
from cornu.layers import arguments
from cornu.layers.layer import Layer


class Embedding(Layer):
    """Turns integers into vectors that are learned: row `i` of a table for the integer `i`.

    Input: (batch, ...), integers from 0 to `input_dim - 1`; floats are cut to integers, as in
    Keras, so that `Input` may keep its default dtype. Output: (batch, ..., output_dim), float; NaN
    for an integer beyond the table.

    Args:
        input_dim: number of different integers, the largest one plus 1.
        output_dim: length of the vectors.
        embeddings_initializer: of the table (input_dim, output_dim). Default "uniform".
        embeddings_regularizer: added to the loss. Default `None`.
        embeddings_constraint: applied after each update. Default `None`.
        mask_zero: whether 0 means "no data", and is masked in later layers. Default False.
        weights: the initial table. Default `None`.
        lora_rank, lora_alpha, quantization_config: accepted only as `None`.
        **kwargs: `name`, `dtype`, `trainable`, and the older `input_length`, which is not needed.

    Raises:
        ValueError: `input_dim` or `output_dim` is not a positive integer.

    Source: `keras.layers.Embedding`.

    >>> import numpy as np
    >>> Embedding(1000, 64)(np.array([[4, 20, 7]])).shape
    (1, 3, 64)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer="uniform",
        embeddings_regularizer=None,
        embeddings_constraint=None,
        mask_zero: bool = False,
        weights=None,
        lora_rank=None,
        lora_alpha=None,
        quantization_config=None,
        **kwargs,
    ):
        self.input_dim = arguments.positive_integer("Embedding", "input_dim", input_dim)
        self.output_dim = arguments.positive_integer("Embedding", "output_dim", output_dim)
        arguments.refuse("Embedding", lora_rank=lora_rank, quantization_config=quantization_config)
        input_length = kwargs.pop("input_length", None)
        if input_length is not None:
            kwargs.setdefault("input_shape", (input_length,))
        super().__init__(**kwargs)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        # integers beyond 2**11 would not survive a cast to half precision
        self.autocast = False
        self.quantization_config = None
        if weights is not None:
            self.build(None)
            self.set_weights(weights if isinstance(weights, list) else [weights])

    def build(self, input_shape=None) -> None:
        if self.built:
            return
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )

    def call(self, inputs):
        if not jnp.issubdtype(inputs.dtype, jnp.integer):
            inputs = inputs.astype("int32")
        return jnp.take(self.embeddings.value, inputs, axis=0).astype(self.compute_dtype)

    def compute_mask(self, inputs, previous_mask=None):
        return jnp.not_equal(inputs, 0) if self.mask_zero else None

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": serialize(self.embeddings_initializer),
            "embeddings_regularizer": serialize(self.embeddings_regularizer),
            "activity_regularizer": serialize(self.activity_regularizer),
            "embeddings_constraint": serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
            "quantization_config": None,
        }
