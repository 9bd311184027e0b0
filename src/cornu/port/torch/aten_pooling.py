"""Pooling, upsampling and padding of PyTorch."""

from __future__ import annotations

from typing import Any

from cornu.graph.tensor import KerasTensor
from cornu.port.torch.aten import Call, aten, pairs
from cornu.port.torch.aten_layers import _same_if_it_is

# -- pooling ---------------------------------------------------------------------------------------


def _image(call: Call, input: Any, rank: int) -> KerasTensor:
    x = call.tensor(input)
    if x.ndim != rank + 2:
        raise call.refuse(
            f"{call.operation} of an input of {x.ndim} axes", "Images need a batch axis"
        )
    if None in x.shape[2:]:
        raise call.refuse(f"{call.operation} of an image of unknown size {x.shape[2:]}")
    return x


def _rank(call: Call) -> int:
    return int(next(c for c in call.operation if c.isdigit()))


def _reached(
    x: KerasTensor, out: tuple, window: tuple, strides: tuple, padding: tuple
) -> tuple[tuple[int, int], ...]:
    """The padding before and after each spatial axis that gives an output of this size."""
    found = []
    for size, places, w, s, p in zip(x.shape[2:], out[2:], window, strides, padding, strict=True):
        found.append((p, max((places - 1) * s + w - size - p, p)))
    return tuple(found)


def _windows(
    call: Call, input: Any, kernel_size: Any, stride: Any, padding: Any
) -> tuple[KerasTensor, int, tuple, tuple, tuple]:
    rank = _rank(call)
    x = _image(call, input, rank)
    window = pairs(kernel_size, rank)
    return x, rank, window, pairs(stride, rank) if stride else window, pairs(padding, rank)


@aten("max_pool1d", "max_pool2d", "max_pool3d")
def _max_pool(
    call: Call, self: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode
) -> KerasTensor:
    x, rank, window, strides, padded = _windows(call, self, kernel_size, stride, padding)
    if set(pairs(dilation, rank)) != {1}:
        raise call.refuse("pooling with dilation has no counterpart")
    added = _reached(x, call.shape, window, strides, padded)
    return call.make(
        f"MaxPooling{rank}D",
        x,
        pool_size=window,
        strides=strides,
        padding=_same_if_it_is(added, window, strides, (1,) * rank),
        data_format="channels_first",
    )


@aten("max_pool1d_with_indices", "max_pool2d_with_indices", "max_pool3d_with_indices")
def _max_pool_with_indices(call: Call, **arguments: Any) -> tuple:
    return _max_pool(call, **arguments), None


@aten("avg_pool1d", "avg_pool2d", "avg_pool3d")
def _average_pool(
    call: Call,
    self: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: Any = None,
) -> KerasTensor:
    x, rank, window, strides, padded = _windows(call, self, kernel_size, stride, padding)
    if divisor_override is not None:
        raise call.refuse("average pooling with divisor_override has no counterpart")
    added = _reached(x, call.shape, window, strides, padded)
    counted = bool(count_include_pad and any(padded))
    if counted and added != tuple((p, p) for p in padded):
        raise call.refuse(
            "average pooling with ceil_mode that counts its padding has no counterpart",
            "Use count_include_pad=False",
        )
    made = added if counted else _same_if_it_is(added, window, strides, (1,) * rank)
    if not any(before or after for before, after in added):
        made = "valid"
    return call.make(
        f"AveragePooling{rank}D",
        x,
        pool_size=window,
        strides=strides,
        padding=made,
        count_padding=counted,
        data_format="channels_first",
    )


def _adaptive(call: Call, input: Any, what: str) -> KerasTensor:
    rank = _rank(call)
    x = _image(call, input, rank)
    sizes, places = x.shape[2:], call.shape[2:]
    if sizes == places:
        return x
    if set(places) == {1}:
        kind = f"Global{what}Pooling{rank}D"
        return call.make(kind, x, keepdims=True, data_format="channels_first")
    if any(size % place for size, place in zip(sizes, places, strict=True)):
        raise call.refuse(
            f"adaptive pooling from {sizes} to {places} has windows of several sizes",
            "Choose an output size that divides the input's",
        )
    window = tuple(size // place for size, place in zip(sizes, places, strict=True))
    settings: dict[str, Any] = {"pool_size": window, "strides": window, "padding": "valid"}
    if what == "Average":
        settings["count_padding"] = False
    return call.make(f"{what}Pooling{rank}D", x, **settings, data_format="channels_first")


@aten("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d")
def _adaptive_average(call: Call, self: Any, output_size: Any) -> KerasTensor:
    return _adaptive(call, self, "Average")


@aten("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d")
def _adaptive_max(call: Call, self: Any, output_size: Any) -> tuple:
    return _adaptive(call, self, "Max"), None


# -- upsampling ------------------------------------------------------------------------------------


def _upsample(call: Call, input: Any, interpolation: str) -> KerasTensor:
    rank = _rank(call)
    x = _image(call, input, rank)
    sizes, places = x.shape[2:], call.shape[2:]
    if sizes == places:
        return x
    if any(place % size for size, place in zip(sizes, places, strict=True)):
        raise call.refuse(
            f"resizing from {sizes} to {places} is no whole multiple; Keras' UpSampling layers "
            "have whole factors only",
            "Give the network inputs whose sizes are multiples of all its strides, so that each "
            "resizing is by a whole factor, or use nn.ConvTranspose2d",
        )
    factors = tuple(place // size for size, place in zip(sizes, places, strict=True))
    settings: dict[str, Any] = {"size": factors, "data_format": "channels_first"}
    return call.make(f"UpSampling{rank}D", x, interpolation=interpolation, **settings)


@aten(
    *(f"upsample_nearest{rank}d" for rank in (1, 2, 3)),
    *(f"_upsample_nearest_exact{rank}d" for rank in (1, 2, 3)),
)
def _nearest(call: Call, input: Any, output_size: Any, scale_factors: Any) -> KerasTensor:
    return _upsample(call, input, "nearest")


@aten("upsample_bilinear2d")
def _bilinear(
    call: Call, input: Any, output_size: Any, align_corners: bool, scale_factors: Any
) -> KerasTensor:
    if align_corners:
        raise call.refuse(
            "bilinear interpolation with align_corners=True has no counterpart",
            "Use align_corners=False, which Keras' UpSampling2D is, or nn.ConvTranspose2d",
        )
    return _upsample(call, input, "bilinear")


@aten("upsample_linear1d", "upsample_bicubic2d", "upsample_trilinear3d")
def _other_interpolation(call: Call, **arguments: Any) -> KerasTensor:
    names = {"upsample_linear1d": "linear", "upsample_bicubic2d": "bicubic"}
    name = names.get(call.operation, "trilinear")
    other = {"linear": "nn.ConvTranspose1d", "trilinear": "nn.ConvTranspose3d"}.get(name)
    raise call.refuse(
        f"{name} interpolation has no counterpart",
        f'Use mode="nearest" or {other}'
        if other
        else 'Use mode="bilinear" with align_corners=False; Keras\' bicubic kernel is another '
        "(a = -0.5, PyTorch's -0.75)",
    )


@aten("pixel_shuffle")
def _pixel_shuffle(call: Call, self: Any, upscale_factor: int) -> KerasTensor:
    x, r = call.tensor(self), upscale_factor
    _, channels, height, width = x.shape
    parts = (channels // (r * r), r, r, height, width)  # type: ignore[operator]
    split = call.make("Reshape", x, shape=(None, *parts), called="split", target_shape=parts)
    axes = (0, 1, 4, 2, 5, 3)
    shape = (None, *(parts[axis - 1] for axis in axes[1:]))
    turned = call.make("transpose", split, shape=shape, called="transpose", axes=axes)
    return call.make("Reshape", turned, target_shape=call.shape[1:])


@aten("channel_shuffle")
def _channel_shuffle(call: Call, self: Any, groups: int) -> KerasTensor:
    x = call.tensor(self)
    _, channels, *places = x.shape
    parts = (groups, channels // groups, *places)  # type: ignore[operator]
    split = call.make("Reshape", x, shape=(None, *parts), called="split", target_shape=parts)
    axes = (0, 2, 1, *range(3, len(parts) + 1))
    shape = (None, *(parts[axis - 1] for axis in axes[1:]))
    turned = call.make("transpose", split, shape=shape, called="transpose", axes=axes)
    return call.make("Reshape", turned, target_shape=call.shape[1:])


# -- padding ---------------------------------------------------------------------------------------

_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}


@aten("pad", "constant_pad_nd")
def _pad(
    call: Call, self: Any, pad: list, mode: str = "constant", value: Any = None
) -> KerasTensor:
    x = call.tensor(self)
    if mode not in _MODES:
        raise call.refuse(f"padding of the mode {mode!r} has no counterpart")
    widths = [(0, 0)] * x.ndim
    for number in range(len(pad) // 2):  # the last axis is the first in the list
        widths[x.ndim - 1 - number] = (int(pad[2 * number]), int(pad[2 * number + 1]))
    if any(before < 0 or after < 0 for before, after in widths):
        x = _cut(call, x, widths)
        widths = [(max(before, 0), max(after, 0)) for before, after in widths]
    if not any(before or after for before, after in widths):
        return x
    spatial = x.ndim - 2
    is_spatial = 1 <= spatial <= 3 and set(widths[:2]) == {(0, 0)} and mode == "constant"
    if is_spatial and not value:
        kind = f"ZeroPadding{spatial}D"
        return call.make(kind, x, padding=tuple(widths[2:]), data_format="channels_first")
    settings: dict[str, Any] = {"constant_values": value or 0} if mode == "constant" else {}
    return call.make("pad", x, pad_width=tuple(widths), mode=_MODES[mode], **settings)


def _cut(call: Call, x: KerasTensor, widths: list[tuple[int, int]]) -> KerasTensor:
    """What negative padding cuts off."""
    key, shape = [], []
    for size, (before, after) in zip(x.shape, widths, strict=True):
        if before >= 0 and after >= 0:
            key.append(slice(None))
            shape.append(size)
            continue
        if size is None:
            raise call.refuse("negative padding of the batch axis")
        start, stop = max(-before, 0), size - max(-after, 0)
        key.append(slice(start, stop))
        shape.append(stop - start)
    return call.make("get_item", x, shape=tuple(shape), called="cut", key=tuple(key))
