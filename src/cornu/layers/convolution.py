"""Convolution layers: Conv1D, Conv2D, Conv3D."""

from __future__ import annotations

import jax.numpy as jnp

from cornu import activations, constraints, initializers, regularizers
from cornu.core.image import standardize_data_format
from cornu.core.serialization import serialize
from cornu.layers import arguments
from cornu.layers.input_spec import InputSpec
from cornu.layers.layer import Layer
from cornu.ops.conv import conv


class _Conv(Layer):
    """Slides a window over the axes between batch and channels."""

    _rank = 2
    _paddings: tuple[str, ...] = ("valid", "same")

    def __init__(
        self,
        filters: int,
        kernel_size,
        strides=1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate=1,
        groups: int = 1,
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
        **kwargs,
    ):
        arguments.refuse(self, lora_rank=lora_rank)
        rank = self._rank
        self.filters = arguments.positive_integer(self, "filters", filters)
        self.groups = arguments.positive_integer(self, "groups", groups)
        self.kernel_size = arguments.integers(self, "kernel_size", kernel_size, rank)
        self.strides = arguments.integers(self, "strides", strides, rank)
        self.dilation_rate = arguments.integers(self, "dilation_rate", dilation_rate, rank)
        self.padding = arguments.padding_mode(self, padding, self._paddings)
        self.data_format = standardize_data_format(data_format)
        if self.filters % self.groups:
            raise ValueError(
                f"{type(self).__name__}(filters={filters}, groups={groups}): filters must be a "
                "multiple of groups"
            )
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{type(self).__name__}(strides={self.strides}, dilation_rate="
                f"{self.dilation_rate}): only one of the two may be greater than 1"
            )
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=rank + 2)

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    def build(self, input_shape) -> None:
        channels = input_shape[self._channel_axis]
        if channels is None:
            raise ValueError(
                "the number of channels must be known, to make a kernel for them: give it in "
                "Input(shape=...)"
            )
        if channels % self.groups:
            raise ValueError(
                f"the {channels} channels of the input are not a multiple of groups={self.groups}"
            )
        self.compute_output_shape(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels // self.groups, self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(ndim=self._rank + 2, axes={self._channel_axis: channels})

    def compute_output_shape(self, input_shape) -> tuple:
        # written out because tracing cannot know how an open size is divided by strides
        places = arguments.window_places(
            self,
            input_shape,
            self.data_format,
            self.kernel_size,
            self.strides,
            self.padding,
            self.dilation_rate,
        )
        if self.data_format == "channels_last":
            return (input_shape[0], *places, self.filters)
        return (input_shape[0], self.filters, *places)

    def call(self, inputs):
        kernel, padding = self.kernel.value, self.padding
        inputs = inputs.astype(kernel.dtype)
        if padding == "causal":
            before = (self.dilation_rate[0] * (self.kernel_size[0] - 1), 0)
            middle = (before, (0, 0)) if self.data_format == "channels_last" else ((0, 0), before)
            inputs, padding = jnp.pad(inputs, ((0, 0), *middle)), "valid"
        outputs = conv(
            inputs,
            kernel,
            strides=self.strides,
            padding=padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
            groups=self.groups,
        )
        if self.bias is not None:
            bias = self.bias.value
            if self.data_format == "channels_first":
                bias = bias.reshape((-1, *([1] * self._rank)))
            outputs = outputs + bias
        return self.activation(outputs)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": serialize(self.kernel_initializer),
            "bias_initializer": serialize(self.bias_initializer),
            "kernel_regularizer": serialize(self.kernel_regularizer),
            "bias_regularizer": serialize(self.bias_regularizer),
            "activity_regularizer": serialize(self.activity_regularizer),
            "kernel_constraint": serialize(self.kernel_constraint),
            "bias_constraint": serialize(self.bias_constraint),
        }


class Conv1D(_Conv):
    """Convolution over the steps of sequences.

    Input: (batch, steps, channels). Output: (batch, new steps, filters).

    Args:
        filters: number of output channels.
        kernel_size: steps of the window, an integer or a tuple of one.
        strides: distance between windows. Default 1.
        padding: "valid" (whole windows only), "same" (`ceil(steps / strides)` windows) or "causal"
            (no window sees a later step). Default "valid".
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        dilation_rate: distance between the steps within a window. Default 1.
        groups: number of groups of channels that are convolved apart. Default 1.
        activation: name or function. Default `None`, linear.
        use_bias: whether a bias is added. Default True.
        kernel_initializer: of the kernel (steps, channels / groups, filters). Default
            "glorot_uniform".
        bias_initializer: of the bias (filters,). Default "zeros".
        kernel_regularizer, bias_regularizer, activity_regularizer: added to the loss. Default
            `None`.
        kernel_constraint, bias_constraint: applied after each update. Default `None`.
        lora_rank, lora_alpha: accepted only as `None`.
        **kwargs: `name`, `dtype`, `trainable`, and the older `input_shape`.

    Raises:
        ValueError: sizes that are not positive; groups that do not divide; strides and dilation
            both above 1; a window longer than the input.

    Source: `keras.layers.Conv1D`.

    >>> import numpy as np
    >>> Conv1D(4, 3)(np.ones((1, 8, 2), "float32")).shape
    (1, 6, 4)
    """

    _rank = 1
    _paddings = ("valid", "same", "causal")


class Conv2D(_Conv):
    """Convolution over the rows and columns of images.

    Input: (batch, rows, columns, channels). Output: (batch, new rows, new columns, filters).

    Args:
        filters: number of output channels.
        kernel_size: rows and columns of the window, a pair or one integer for both.
        strides: distance between windows, a pair or one integer. Default 1.
        padding: "valid" (whole windows only) or "same" (`ceil(size / strides)` windows). Default
            "valid".
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        dilation_rate: distance between the points within a window. Default 1.
        groups: number of groups of channels that are convolved apart. Default 1.
        activation: name or function. Default `None`, linear.
        use_bias: whether a bias is added. Default True.
        kernel_initializer: of the kernel (rows, columns, channels / groups, filters). Default
            "glorot_uniform".
        bias_initializer: of the bias (filters,). Default "zeros".
        kernel_regularizer, bias_regularizer, activity_regularizer: added to the loss. Default
            `None`.
        kernel_constraint, bias_constraint: applied after each update. Default `None`.
        lora_rank, lora_alpha: accepted only as `None`.
        **kwargs: `name`, `dtype`, `trainable`, and the older `input_shape`.

    Raises:
        ValueError: sizes that are not positive; groups that do not divide; strides and dilation
            both above 1; a window larger than the image.

    Source: `keras.layers.Conv2D`.

    >>> import numpy as np
    >>> Conv2D(4, 3, activation="relu")(np.ones((1, 8, 8, 3), "float32")).shape
    (1, 6, 6, 4)
    """


class Conv3D(_Conv):
    """Convolution over the depth, rows and columns of volumes.

    Input: (batch, depth, rows, columns, channels). Output: (batch, new depth, new rows, new
    columns, filters).

    Args:
        filters: number of output channels.
        kernel_size: depth, rows and columns of the window, three integers or one for all.
        strides: distance between windows, three integers or one. Default 1.
        padding: "valid" or "same". Default "valid".
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        dilation_rate: distance between the points within a window. Default 1.
        groups: number of groups of channels that are convolved apart. Default 1.
        activation: name or function. Default `None`, linear.
        use_bias: whether a bias is added. Default True.
        kernel_initializer, bias_initializer: default "glorot_uniform" and "zeros".
        kernel_regularizer, bias_regularizer, activity_regularizer: added to the loss. Default
            `None`.
        kernel_constraint, bias_constraint: applied after each update. Default `None`.
        lora_rank, lora_alpha: accepted only as `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: as for Conv2D.

    Source: `keras.layers.Conv3D`.

    >>> import numpy as np
    >>> Conv3D(2, 2)(np.ones((1, 3, 3, 3, 1), "float32")).shape
    (1, 2, 2, 2, 2)
    """

    _rank = 3


Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution3D = Conv3D
