"""What the layers share that slide a window with learned weights over images, signals, volumes."""

from __future__ import annotations

from typing import Any

from cornu import activations, constraints, initializers, regularizers
from cornu.core.image import standardize_data_format
from cornu.core.serialization import serialize
from cornu.core.variable import Variable
from cornu.layers import arguments
from cornu.layers.input_spec import InputSpec
from cornu.layers.layer import Layer


class Windowed(Layer):
    """A layer with a window, a bias and an activation; which kernels it has, the subclass says."""

    _rank = 2
    _paddings: tuple[str, ...] = ("valid", "same")
    # what the arguments of its kernels begin with: "kernel" of `kernel_initializer`
    _kernels: tuple[str, ...] = ("kernel",)
    # whether Keras takes strides and a dilation at once
    _strides_and_dilation = False
    bias: Variable | None

    def __init__(
        self,
        kernel_size,
        strides,
        padding: str,
        data_format: str | None,
        dilation_rate,
        activation,
        use_bias: bool,
        options: dict[str, Any],
        activity_regularizer,
        **kwargs,
    ):
        rank = self._rank
        self.kernel_size = arguments.integers(self, "kernel_size", kernel_size, rank)
        self.strides = arguments.integers(self, "strides", strides, rank)
        self.dilation_rate = arguments.integers(self, "dilation_rate", dilation_rate, rank)
        self.padding = arguments.padding_mode(self, padding, self._paddings)
        self.data_format = standardize_data_format(data_format)
        if not self._strides_and_dilation and max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{type(self).__name__}(strides={self.strides}, dilation_rate="
                f"{self.dilation_rate}): only one of the two may be greater than 1"
            )
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        for of in (*self._kernels, "bias"):
            for kind, package in _OPTIONS.items():
                setattr(self, f"{of}_{kind}", package.get(options[f"{of}_{kind}"]))
        self.input_spec = InputSpec(ndim=rank + 2)

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    def _channels(self, input_shape: tuple) -> int:
        """The channels of the inputs, which the kernels are made for."""
        channels = input_shape[self._channel_axis]
        if channels is None:
            raise ValueError(
                "the number of channels must be known, to make a kernel for them: give it in "
                "Input(shape=...)"
            )
        return channels

    def _add(self, name: str, shape: tuple, of: str) -> Variable:
        """A weight with the initializer, regularizer and constraint of its kind."""
        options = {kind: getattr(self, f"{of}_{kind}") for kind in _OPTIONS}
        return self.add_weight(name=name, shape=shape, **options)

    def _finish_build(self, channels: int, filters: int) -> None:
        self.bias = self._add("bias", (filters,), "bias") if self.use_bias else None
        self.input_spec = InputSpec(ndim=self._rank + 2, axes={self._channel_axis: channels})

    def _places(self, input_shape: tuple) -> tuple:
        return arguments.window_places(
            self,
            input_shape,
            self.data_format,
            self.kernel_size,
            self.strides,
            self.padding,
            self.dilation_rate,
        )

    def _with_channels(self, input_shape: tuple, places: tuple, filters: int | None) -> tuple:
        if self.data_format == "channels_last":
            return (input_shape[0], *places, filters)
        return (input_shape[0], filters, *places)

    def _finished(self, outputs):
        """With the bias, and after the activation."""
        if self.bias is not None:
            bias = self.bias.value
            if self.data_format == "channels_first":
                bias = bias.reshape((-1, *([1] * self._rank)))
            outputs = outputs + bias
        return self.activation(outputs)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "activity_regularizer": serialize(self.activity_regularizer),
            **{
                f"{of}_{kind}": serialize(getattr(self, f"{of}_{kind}"))
                for of in (*self._kernels, "bias")
                for kind in _OPTIONS
            },
        }


_OPTIONS: dict[str, Any] = {
    "initializer": initializers,
    "regularizer": regularizers,
    "constraint": constraints,
}
