"""Convolution layers: Conv1D, Conv2D, Conv3D."""

from __future__ import annotations

import jax.numpy as jnp

from cornu.layers import arguments
from cornu.layers.windowed import Windowed
from cornu.ops.conv import conv


class _Conv(Windowed):
    """Slides a window over the axes between batch and channels."""

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
        self.filters = arguments.positive_integer(self, "filters", filters)
        self.groups = arguments.positive_integer(self, "groups", groups)
        if self.filters % self.groups:
            raise ValueError(
                f"{type(self).__name__}(filters={filters}, groups={groups}): filters must be a "
                "multiple of groups"
            )
        super().__init__(
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            {
                "kernel_initializer": kernel_initializer,
                "bias_initializer": bias_initializer,
                "kernel_regularizer": kernel_regularizer,
                "bias_regularizer": bias_regularizer,
                "kernel_constraint": kernel_constraint,
                "bias_constraint": bias_constraint,
            },
            activity_regularizer,
            **kwargs,
        )

    def build(self, input_shape) -> None:
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"the {channels} channels of the input are not a multiple of groups={self.groups}"
            )
        self.compute_output_shape(input_shape)
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.kernel = self._add("kernel", shape, "kernel")
        self._finish_build(channels, self.filters)

    def compute_output_shape(self, input_shape) -> tuple:
        # written out because tracing cannot know how an open size is divided by strides
        return self._with_channels(input_shape, self._places(input_shape), self.filters)

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
        return self._finished(outputs)

    def get_config(self) -> dict:
        return {**super().get_config(), "filters": self.filters, "groups": self.groups}


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
