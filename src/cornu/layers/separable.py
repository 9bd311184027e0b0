"""Separable convolution layers: SeparableConv1D and SeparableConv2D."""

from __future__ import annotations

from cornu.layers import arguments
from cornu.layers.windowed import Windowed
from cornu.ops.separable import separable_conv


class _SeparableConv(Windowed):
    """Slides windows over each channel alone, then mixes the channels of each place."""

    _kernels = ("depthwise", "pointwise")
    _strides_and_dilation = True

    def __init__(
        self,
        filters: int,
        kernel_size,
        strides=1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate=1,
        depth_multiplier: int = 1,
        activation=None,
        use_bias: bool = True,
        depthwise_initializer="glorot_uniform",
        pointwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        pointwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        pointwise_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        self.filters = arguments.positive_integer(self, "filters", filters)
        self.depth_multiplier = arguments.positive_integer(
            self, "depth_multiplier", depth_multiplier
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
                "depthwise_initializer": depthwise_initializer,
                "pointwise_initializer": pointwise_initializer,
                "bias_initializer": bias_initializer,
                "depthwise_regularizer": depthwise_regularizer,
                "pointwise_regularizer": pointwise_regularizer,
                "bias_regularizer": bias_regularizer,
                "depthwise_constraint": depthwise_constraint,
                "pointwise_constraint": pointwise_constraint,
                "bias_constraint": bias_constraint,
            },
            activity_regularizer,
            **kwargs,
        )

    def build(self, input_shape) -> None:
        channels = self._channels(input_shape)
        self.compute_output_shape(input_shape)
        between = channels * self.depth_multiplier
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = self._add("depthwise_kernel", shape, "depthwise")
        shape = (*([1] * self._rank), between, self.filters)
        self.pointwise_kernel = self._add("pointwise_kernel", shape, "pointwise")
        self._finish_build(channels, self.filters)

    def compute_output_shape(self, input_shape) -> tuple:
        # written out because tracing cannot know how an open size is divided by strides
        return self._with_channels(input_shape, self._places(input_shape), self.filters)

    def call(self, inputs):
        kernel = self.depthwise_kernel.value
        outputs = separable_conv(
            inputs.astype(kernel.dtype),
            kernel,
            self.pointwise_kernel.value,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        return self._finished(outputs)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "filters": self.filters,
            "depth_multiplier": self.depth_multiplier,
        }


class SeparableConv1D(_SeparableConv):
    """Convolution over steps in two parts: each channel by itself, then all channels of a step.

    Input: (batch, steps, channels). Output: (batch, new steps, filters).

    Args:
        filters: number of output channels.
        kernel_size: steps of the window, an integer or a tuple of one.
        strides: distance between windows. Default 1.
        padding: "valid" (whole windows only) or "same" (`ceil(steps / strides)` windows). Default
            "valid".
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        dilation_rate: distance between the steps within a window. Default 1.
        depth_multiplier: channels between the two parts for each input channel. Default 1.
        activation: name or function. Default `None`, linear.
        use_bias: whether a bias is added. Default True.
        depthwise_initializer: of the first kernel (steps, channels, depth_multiplier). Default
            "glorot_uniform".
        pointwise_initializer: of the second (1, channels * depth_multiplier, filters). Default
            "glorot_uniform".
        bias_initializer: of the bias (filters,). Default "zeros".
        depthwise_regularizer, pointwise_regularizer, bias_regularizer, activity_regularizer: added
            to the loss. Default `None`.
        depthwise_constraint, pointwise_constraint, bias_constraint: applied after each update.
            Default `None`.
        **kwargs: `name`, `dtype`, `trainable`, and the older `input_shape`.

    Raises:
        ValueError: sizes that are not positive; a window longer than the input.

    Source: `keras.layers.SeparableConv1D`.

    >>> import numpy as np
    >>> SeparableConv1D(5, 3)(np.ones((1, 8, 4), "float32")).shape
    (1, 6, 5)
    """

    _rank = 1


class SeparableConv2D(_SeparableConv):
    """Convolution over images in two parts: each channel by itself, then all channels of a point.

    Input: (batch, rows, columns, channels). Output: (batch, new rows, new columns, filters).

    Args:
        filters: number of output channels.
        kernel_size: rows and columns of the window, a pair or one integer for both.
        strides: distance between windows, a pair or one integer. Default 1.
        padding: "valid" (whole windows only) or "same" (`ceil(size / strides)` windows). Default
            "valid".
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        dilation_rate: distance between the points within a window. Default 1.
        depth_multiplier: channels between the two parts for each input channel. Default 1.
        activation: name or function. Default `None`, linear.
        use_bias: whether a bias is added. Default True.
        depthwise_initializer: of the first kernel (rows, columns, channels, depth_multiplier).
            Default "glorot_uniform".
        pointwise_initializer: of the second (1, 1, channels * depth_multiplier, filters). Default
            "glorot_uniform".
        bias_initializer: of the bias (filters,). Default "zeros".
        depthwise_regularizer, pointwise_regularizer, bias_regularizer, activity_regularizer: added
            to the loss. Default `None`.
        depthwise_constraint, pointwise_constraint, bias_constraint: applied after each update.
            Default `None`.
        **kwargs: `name`, `dtype`, `trainable`, and the older `input_shape`.

    Raises:
        ValueError: sizes that are not positive; a window larger than the image.

    Source: F. Chollet, "Xception: deep learning with depthwise separable convolutions", 2017.

    >>> import numpy as np
    >>> SeparableConv2D(5, 3, padding="same")(np.ones((1, 8, 8, 4), "float32")).shape
    (1, 8, 8, 5)
    """


SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D
