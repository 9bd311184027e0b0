"""Depthwise convolution layers, each channel with windows of its own: DepthwiseConv1D and 2D."""

from __future__ import annotations

from cornu.layers import arguments
from cornu.layers.windowed import Windowed
from cornu.ops.depthwise import depthwise_conv


class _DepthwiseConv(Windowed):
    """Slides windows over each channel alone."""

    _kernels = ("depthwise",)
    _strides_and_dilation = True

    def __init__(
        self,
        kernel_size,
        strides=1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate=1,
        activation=None,
        use_bias: bool = True,
        depthwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
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
                "bias_initializer": bias_initializer,
                "depthwise_regularizer": depthwise_regularizer,
                "bias_regularizer": bias_regularizer,
                "depthwise_constraint": depthwise_constraint,
                "bias_constraint": bias_constraint,
            },
            activity_regularizer,
            **kwargs,
        )

    def build(self, input_shape) -> None:
        channels = self._channels(input_shape)
        self.compute_output_shape(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = self._add("kernel", shape, "depthwise")
        self._finish_build(channels, channels * self.depth_multiplier)

    def compute_output_shape(self, input_shape) -> tuple:
        # written out because tracing cannot know how an open size is divided by strides
        filters = self._channels(input_shape) * self.depth_multiplier
        return self._with_channels(input_shape, self._places(input_shape), filters)

    def call(self, inputs):
        kernel = self.kernel.value
        outputs = depthwise_conv(
            inputs.astype(kernel.dtype),
            kernel,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        return self._finished(outputs)

    def get_config(self) -> dict:
        return {**super().get_config(), "depth_multiplier": self.depth_multiplier}


class DepthwiseConv1D(_DepthwiseConv):
    """Convolution over the steps of sequences, each channel by itself.

    Input: (batch, steps, channels). Output: (batch, new steps, channels * depth_multiplier), the
    outputs of the first channel first.

    Args:
        kernel_size: steps of the window, an integer or a tuple of one.
        strides: distance between windows. Default 1.
        padding: "valid" (whole windows only) or "same" (`ceil(steps / strides)` windows). Default
            "valid".
        depth_multiplier: output channels for each input channel. Default 1.
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        dilation_rate: distance between the steps within a window. Default 1.
        activation: name or function. Default `None`, linear.
        use_bias: whether a bias is added. Default True.
        depthwise_initializer: of the kernel (steps, channels, depth_multiplier). Default
            "glorot_uniform", which counts all channels as inputs of a window, as in Keras.
        bias_initializer: of the bias (channels * depth_multiplier,). Default "zeros".
        depthwise_regularizer, bias_regularizer, activity_regularizer: added to the loss. Default
            `None`.
        depthwise_constraint, bias_constraint: applied after each update. Default `None`.
        **kwargs: `name`, `dtype`, `trainable`, and the older `input_shape`.

    Raises:
        ValueError: sizes that are not positive; a window longer than the input.

    Source: `keras.layers.DepthwiseConv1D`.

    >>> import numpy as np
    >>> DepthwiseConv1D(3, depth_multiplier=2)(np.ones((1, 8, 4), "float32")).shape
    (1, 6, 8)
    """

    _rank = 1


class DepthwiseConv2D(_DepthwiseConv):
    """Convolution over the rows and columns of images, each channel by itself.

    Input: (batch, rows, columns, channels). Output: (batch, new rows, new columns, channels *
    depth_multiplier), the outputs of the first channel first.

    Args:
        kernel_size: rows and columns of the window, a pair or one integer for both.
        strides: distance between windows, a pair or one integer. Default 1.
        padding: "valid" (whole windows only) or "same" (`ceil(size / strides)` windows). Default
            "valid".
        depth_multiplier: output channels for each input channel. Default 1.
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        dilation_rate: distance between the points within a window. Default 1.
        activation: name or function. Default `None`, linear.
        use_bias: whether a bias is added. Default True.
        depthwise_initializer: of the kernel (rows, columns, channels, depth_multiplier). Default
            "glorot_uniform", which counts all channels as inputs of a window, as in Keras.
        bias_initializer: of the bias (channels * depth_multiplier,). Default "zeros".
        depthwise_regularizer, bias_regularizer, activity_regularizer: added to the loss. Default
            `None`.
        depthwise_constraint, bias_constraint: applied after each update. Default `None`.
        **kwargs: `name`, `dtype`, `trainable`, and the older `input_shape`.

    Raises:
        ValueError: sizes that are not positive; a window larger than the image.

    Source: A. Howard et al., "MobileNets", 2017; `keras.layers.DepthwiseConv2D`.

    >>> import numpy as np
    >>> DepthwiseConv2D(3, padding="same")(np.ones((1, 8, 8, 4), "float32")).shape
    (1, 8, 8, 4)
    """
