"""Transposed convolution layers: Conv1DTranspose, Conv2DTranspose, Conv3DTranspose."""

from __future__ import annotations

from cornu.layers import arguments
from cornu.layers.windowed import Windowed
from cornu.ops.conv_transpose import conv_transpose, transposed_length


class _ConvTranspose(Windowed):
    """Puts a window, scaled by each input, in its place, and adds them all up."""

    def __init__(
        self,
        filters: int,
        kernel_size,
        strides=1,
        padding: str = "valid",
        output_padding=None,
        data_format: str | None = None,
        dilation_rate=1,
        activation=None,
        use_bias: bool = True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        self.filters = arguments.positive_integer(self, "filters", filters)
        self.output_padding = self._checked(output_padding, strides)
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

    def _checked(self, output_padding, strides) -> tuple[int, ...] | None:
        if output_padding is None:
            return None
        steps = arguments.integers(self, "strides", strides, self._rank)
        added = arguments.integers(self, "output_padding", output_padding, self._rank, least=0)
        if any(more >= step for more, step in zip(added, steps, strict=True)):
            raise ValueError(
                f"{type(self).__name__}(output_padding={output_padding!r}, strides={strides!r}): "
                "output_padding must be less than strides along each axis"
            )
        return added

    def build(self, input_shape) -> None:
        channels = self._channels(input_shape)
        shape = (*self.kernel_size, self.filters, channels)
        self.kernel = self._add("kernel", shape, "kernel")
        self._finish_build(channels, self.filters)

    def compute_output_shape(self, input_shape) -> tuple:
        sizes = input_shape[1:-1] if self.data_format == "channels_last" else input_shape[2:]
        added = self.output_padding or (None,) * self._rank
        places = tuple(
            None
            if length is None
            else transposed_length(length, size, step, self.padding, more, gap)
            for length, size, step, gap, more in zip(
                sizes, self.kernel_size, self.strides, self.dilation_rate, added, strict=True
            )
        )
        return self._with_channels(input_shape, places, self.filters)

    def call(self, inputs):
        kernel = self.kernel.value
        outputs = conv_transpose(
            inputs.astype(kernel.dtype),
            kernel,
            strides=self.strides,
            padding=self.padding,
            output_padding=self.output_padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        return self._finished(outputs)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "filters": self.filters,
            "output_padding": self.output_padding,
        }


class Conv1DTranspose(_ConvTranspose):
    """Transposed convolution over the steps of sequences: more steps come out than go in.

    Input: (batch, steps, channels). Output: (batch, new steps, filters), the new steps being `steps
    * strides` for "same", `(steps - 1) * strides + max(kernel_size, strides)` for "valid".

    Args:
        filters: number of output channels.
        kernel_size: steps of the window, an integer or a tuple of one.
        strides: distance between the places of neighbouring inputs in the output. Default 1.
        padding: "valid" (all that the windows reach) or "same". Default "valid".
        output_padding: how many steps the output is longer than `(steps - 1) * strides` plus the
            window ("valid") or plus 1 or 0, for an odd or even window ("same"); less than strides.
            Default `None`, the lengths given above.
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        dilation_rate: distance between the steps within a window. Default 1.
        activation: name or function. Default `None`, linear.
        use_bias: whether a bias is added. Default True.
        kernel_initializer: of the kernel (steps, filters, channels). Default "glorot_uniform".
        bias_initializer: of the bias (filters,). Default "zeros".
        kernel_regularizer, bias_regularizer, activity_regularizer: added to the loss. Default
            `None`.
        kernel_constraint, bias_constraint: applied after each update. Default `None`.
        **kwargs: `name`, `dtype`, `trainable`, and the older `input_shape`.

    Raises:
        ValueError: sizes that are not positive; `output_padding` not below strides; strides and
            dilation both above 1.

    Source: `keras.layers.Conv1DTranspose`.

    >>> import numpy as np
    >>> Conv1DTranspose(4, 3, strides=2)(np.ones((1, 8, 2), "float32")).shape
    (1, 17, 4)
    """

    _rank = 1


class Conv2DTranspose(_ConvTranspose):
    """Transposed convolution over images: more rows and columns come out than go in.

    Input: (batch, rows, columns, channels). Output: (batch, new rows, new columns, filters), the
    new sizes being `size * strides` for "same", `(size - 1) * strides + max(kernel_size, strides)`
    for "valid".

    Args:
        filters: number of output channels.
        kernel_size: rows and columns of the window, a pair or one integer for both.
        strides: distance between the places of neighbouring inputs in the output, a pair or one
            integer. Default 1.
        padding: "valid" (all that the windows reach) or "same". Default "valid".
        output_padding: how many rows and columns the output is larger than `(size - 1) * strides`
            plus the window ("valid") or plus 1 or 0, for an odd or even window ("same"); a pair or
            one integer, less than strides. Default `None`, the sizes given above.
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        dilation_rate: distance between the points within a window. Default 1.
        activation: name or function. Default `None`, linear.
        use_bias: whether a bias is added. Default True.
        kernel_initializer: of the kernel (rows, columns, filters, channels). Default
            "glorot_uniform".
        bias_initializer: of the bias (filters,). Default "zeros".
        kernel_regularizer, bias_regularizer, activity_regularizer: added to the loss. Default
            `None`.
        kernel_constraint, bias_constraint: applied after each update. Default `None`.
        **kwargs: `name`, `dtype`, `trainable`, and the older `input_shape`.

    Raises:
        ValueError: sizes that are not positive; `output_padding` not below strides; strides and
            dilation both above 1.

    Source: V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", 2016.

    >>> import numpy as np
    >>> Conv2DTranspose(4, 3, strides=2, padding="same")(np.ones((1, 8, 8, 3), "float32")).shape
    (1, 16, 16, 4)
    """


class Conv3DTranspose(_ConvTranspose):
    """Transposed convolution over volumes: larger ones come out than go in.

    Input: (batch, depth, rows, columns, channels). Output: (batch, new depth, new rows, new
    columns, filters).

    Args:
        filters: number of output channels.
        kernel_size: depth, rows and columns of the window, three integers or one for all.
        strides: distance between the places of neighbouring inputs in the output, three integers or
            one. Default 1.
        padding: "valid" or "same". Default "valid".
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        output_padding: as for Conv2DTranspose, three integers or one. Default `None`.
        dilation_rate: distance between the points within a window. Default 1.
        activation: name or function. Default `None`, linear.
        use_bias: whether a bias is added. Default True.
        kernel_initializer: of the kernel (depth, rows, columns, filters, channels). Default
            "glorot_uniform".
        bias_initializer: of the bias (filters,). Default "zeros".
        kernel_regularizer, bias_regularizer, activity_regularizer: added to the loss. Default
            `None`.
        kernel_constraint, bias_constraint: applied after each update. Default `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: as for Conv2DTranspose.

    Source: `keras.layers.Conv3DTranspose`.

    >>> import numpy as np
    >>> Conv3DTranspose(2, 2, strides=2)(np.ones((1, 2, 2, 2, 1), "float32")).shape
    (1, 4, 4, 4, 2)
    """

    _rank = 3

    # data_format and output_padding are the other way round than in two dimensions, as in Keras
    def __init__(
        self,
        filters: int,
        kernel_size,
        strides=1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding=None,
        dilation_rate=1,
        activation=None,
        use_bias: bool = True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            output_padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )


Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
