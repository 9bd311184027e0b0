"""What the nodes of a network may be: the vocabulary between the readers and the writers.

Every node has one output. Its arguments are tensors, and constants (numbers, NumPy arrays) where
the table says so. Settings have Keras' names and values; what differs from Keras' layers:

- A layer never holds an activation: that is a node of its own, "activation", with the setting
  `function` and those of the function: relu (max_value, negative_slope, threshold where they are
  set), relu6, leaky_relu (negative_slope), elu (alpha), selu, celu (alpha), gelu (approximate),
  sigmoid, log_sigmoid, hard_sigmoid, tanh, hard_tanh, softmax (axis), log_softmax (axis),
  softplus, softsign, silu, hard_silu, mish, exponential, tanh_shrink, hard_shrink (threshold),
  soft_shrink (threshold), threshold (threshold, default_value), glu (axis), linear.
  PReLU has a weight and is a layer.
- `padding` of a convolution or pooling is "valid", "same" (as Keras means it: the odd one behind)
  or a tuple of pairs, what is added before and after each spatial axis: zeros for a convolution,
  minus infinity for a maximum. "causal" is written as pairs. AveragePooling has `count_padding`,
  whether added zeros count; for "same" it is False.
- A transposed convolution has `cropping` in the place of padding and output_padding: pairs, what
  is cut off before and after each spatial axis of the whole output, whose length is
  `(size - 1) * stride + dilation * (window - 1) + 1`. A negative number adds places that only the
  bias reaches.
- SeparableConv is a DepthwiseConv without bias and a convolution of window 1.
- Flatten always takes the values in the order in which the tensor holds them.
- Regularizers, constraints and initializers are settings as in Keras' configurations
  (`kernel_regularizer`, ... : a dictionary with class_name and config, or None; missing where
  nothing is known).
- `axis`, `axes`, keys and pads count the batch axis as 0 and are never negative.

Spatial layers have `data_format`, the place of the channels in their input and output.
"""

from __future__ import annotations

# -- layers with weights: the names of the weights, in Keras' order ------------------------------

# Settings: units, use_bias. kernel (inputs, units), bias (units,); applies to the last axis.
# Conv: filters, kernel_size, strides, padding, dilation_rate, groups, use_bias, data_format.
#   kernel (*window, channels / groups, filters).
# DepthwiseConv: kernel_size, strides, padding, dilation_rate, depth_multiplier, use_bias,
#   data_format. kernel (*window, channels, depth_multiplier); bias (channels * depth_multiplier,).
# Conv Transpose: filters, kernel_size, strides, cropping, dilation_rate, groups (1 unless read from
#   PyTorch or ONNX), use_bias, data_format. kernel (*window, filters / groups, channels).
# BatchNormalization: axis, momentum (share of the old average that is kept), epsilon, center,
#   scale. LayerNormalization: axis (tuple), epsilon, center, scale; gamma, beta have the sizes of
#   these axes. GroupNormalization: groups, axis, epsilon, center, scale.
# Embedding: input_dim, output_dim, mask_zero. PReLU: shared_axes; alpha (*sizes without batch,).
WEIGHTS: dict[str, tuple[str, ...]] = {
    "Dense": ("kernel", "bias"),
    "Conv1D": ("kernel", "bias"),
    "Conv2D": ("kernel", "bias"),
    "Conv3D": ("kernel", "bias"),
    "DepthwiseConv1D": ("kernel", "bias"),
    "DepthwiseConv2D": ("kernel", "bias"),
    "Conv1DTranspose": ("kernel", "bias"),
    "Conv2DTranspose": ("kernel", "bias"),
    "Conv3DTranspose": ("kernel", "bias"),
    "BatchNormalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "LayerNormalization": ("gamma", "beta"),
    "GroupNormalization": ("gamma", "beta"),
    "Embedding": ("embeddings",),
    "PReLU": ("alpha",),
}
# Weights that no optimizer changes.
STATISTICS = frozenset({"moving_mean", "moving_variance"})

# -- spatial layers: channels and one to three axes ----------------------------------------------

# MaxPooling, AveragePooling: pool_size, strides, padding (and count_padding), data_format.
# Global...Pooling: keepdims, data_format. UpSampling: size, interpolation ("nearest", "bilinear"
#   with half-pixel centres, ...), data_format. ZeroPadding: padding, Cropping: cropping (pairs).
# SpatialDropout: rate.
_FAMILIES = (
    *("Conv{}D", "Conv{}DTranspose", "DepthwiseConv{}D", "MaxPooling{}D", "AveragePooling{}D"),
    *("GlobalMaxPooling{}D", "GlobalAveragePooling{}D", "UpSampling{}D", "ZeroPadding{}D"),
    *("Cropping{}D", "SpatialDropout{}D"),
)
SPATIAL = frozenset(family.format(rank) for family in _FAMILIES for rank in (1, 2, 3))
GLOBAL_POOLING = frozenset(
    f"Global{what}Pooling{rank}D" for what in ("Max", "Average") for rank in (1, 2, 3)
)

# -- what is applied to each element ---------------------------------------------------------------

# Dropout: rate (and `training=True` where it is never switched off). GaussianNoise: stddev.
# GaussianDropout: rate. AlphaDropout: rate. ActivityRegularization: l1, l2. clip: x_min, x_max.
# Rescaling: scale, offset. cast: dtype.
DROPOUT = frozenset(
    {"Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise"}
    | {f"SpatialDropout{rank}D" for rank in (1, 2, 3)}
)
UNARY = frozenset(
    {"activation", "Dropout", "AlphaDropout", "GaussianNoise", "GaussianDropout"}
    | {"ActivityRegularization", "Identity", "Rescaling", "clip", "cast", "negative", "absolute"}
    | {"exp", "expm1", "log", "log1p", "log2", "sqrt", "rsqrt", "square", "reciprocal", "sign"}
    | {"sin", "cos", "tan", "erf", "floor", "ceil", "round", "stop_gradient", "logical_not"}
)
# Two arguments, or more for the first five; any but one may be a constant. Broadcast as NumPy does.
ELEMENTWISE = frozenset(
    {"add", "multiply", "average", "maximum", "minimum", "subtract", "true_divide", "power", "mod"}
    | {"floor_divide", "less", "less_equal", "greater", "greater_equal", "equal", "not_equal"}
    | {"where", "arctan2", "logical_and", "logical_or"}
)

# -- axes ------------------------------------------------------------------------------------------

# axis (a tuple), keepdims.
REDUCTIONS = frozenset({"mean", "sum", "max", "min", "prod", "var", "std", "logsumexp"})
# concatenate: axis. stack: axis. Flatten. reshape: newshape (with the batch axis; one may be -1).
# Reshape: target_shape (without). transpose: axes. expand_dims: axis. squeeze: axis (a tuple).
# get_item: key (for every axis a slice or an integer). pad: pad_width (pairs for all axes),
# constant_values, mode ("constant", "reflect", "edge" as in NumPy). matmul. argmax: axis, keepdims.
# take (entries of an axis in another order): axis, indices (an array). tile: repeats. cumsum: axis.
# einsum: subscripts.
RESHAPING = frozenset({"Flatten", "Reshape", "reshape", "expand_dims", "squeeze", "RepeatVector"})
OTHER = frozenset(
    {"InputLayer", "concatenate", "stack", "transpose", "get_item", "pad", "matmul", "argmax"}
    | {"take", "tile", "cumsum", "einsum", "flip", "UnitNormalization"}
)

KINDS = frozenset(WEIGHTS) | SPATIAL | UNARY | ELEMENTWISE | REDUCTIONS | RESHAPING | OTHER
# Same value out as in when nothing is trained.
ONLY_IN_TRAINING = DROPOUT | {"ActivityRegularization", "Identity", "stop_gradient"}


def rank(kind: str) -> int:
    """The number of spatial axes of a spatial layer.

    >>> rank("Conv2DTranspose")
    2
    """
    return int(next(character for character in kind if character.isdigit()))
