"""Convolution (placeholder until the per-device lowering lands)."""

import jax


def conv(inputs, kernel, strides=1, padding="valid", data_format="channels_last", dilation=1, groups=1):
    rank = inputs.ndim - 2
    tup = lambda v: (v,) * rank if isinstance(v, int) else tuple(v)  # noqa: E731
    sp = "DHW"[-rank:]
    d = "N" + sp + "C" if data_format == "channels_last" else "NC" + sp
    return jax.lax.conv_general_dilated(
        inputs, kernel, tup(strides), padding.upper(), rhs_dilation=tup(dilation),
        dimension_numbers=(d, sp + "IO", d), feature_group_count=groups,
    )
