"""Convolutions against XLA's own, values and gradients, however they are cut into blocks."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from cornu.core import compilation
from cornu.ops import _patches
from cornu.ops.conv import conv
from cornu.ops.conv_transpose import conv_transpose
from cornu.ops.depthwise import depthwise_conv
from cornu.ops.separable import separable_conv


def by_xla(inputs, kernel, strides, padding, data_format, dilation, groups=1):
    """XLA's convolution, its padding written the way that TensorFlow defines it."""
    spatial = "DHW"[-len(strides) :]
    images = f"N{spatial}C" if data_format == "channels_last" else f"NC{spatial}"
    return lax.conv_general_dilated(
        inputs,
        kernel,
        strides,
        padding.upper(),
        rhs_dilation=dilation,
        dimension_numbers=(images, f"{spatial}IO", images),
        feature_group_count=groups,
    )


@st.composite
def cases(draw, axes=(1, 2, 3)):
    """Shapes, arguments and a block size for which there is at least one window."""
    count = draw(st.sampled_from(axes))
    data_format = draw(st.sampled_from(["channels_last", "channels_first"]))
    padding = draw(st.sampled_from(["valid", "same"]))
    several = st.tuples(*[st.integers(1, 3)] * count)
    window, strides, dilation = draw(several), draw(several), draw(several)
    lengths = []
    for size, gap in zip(window, dilation, strict=True):
        least = gap * (size - 1) + 1 if padding == "valid" else 1
        lengths.append(draw(st.integers(least, least + 5)))
    images, channels, filters = (draw(st.integers(1, 4)) for _ in range(3))
    shape = (images, *lengths, channels)
    if data_format == "channels_first":
        shape = (images, channels, *lengths)
    kernel = (*window, channels, filters)
    block = draw(st.sampled_from([1, 400, 2000, 1_400_000]))
    return shape, kernel, (strides, padding, data_format, dilation), block


def assert_close(actual, expected, tolerance=1e-5):
    """Within a share of the largest expected value: a sum that cancels has no digits itself."""
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    scale = max(np.max(np.abs(expected), initial=0.0), 1e-3)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * scale)


def values_and_gradients(function, inputs, kernel, seed=0):
    outputs, pull_back = jax.vjp(function, inputs, kernel)
    slopes = np.random.default_rng(seed).normal(size=outputs.shape).astype(outputs.dtype)
    return outputs, *pull_back(slopes)


def in_a_program(function, *arguments):
    """Compiled as the training program is, with XLA's options for it."""
    return compilation.compile_lowered(compilation.lower(function, arguments))(*arguments)


@pytest.mark.parametrize("program", [False, True], ids=["patches", "eigen"])
@settings(max_examples=15, deadline=None)
@given(case=cases(), seed=st.integers(0, 2**32 - 1))
def test_values_and_both_gradients_are_those_of_xla(program, case, seed):
    shape, kernel_shape, arguments, block = case
    generator = np.random.default_rng(seed)
    inputs = generator.normal(size=shape).astype("float32")
    kernel = generator.normal(size=kernel_shape).astype("float32")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_patches, "BLOCK_BYTES", block)
        run = in_a_program if program else lambda function, *args: jax.jit(function)(*args)
        actual = run(
            lambda x, k: values_and_gradients(lambda x, k: conv(x, k, *arguments), x, k),
            inputs,
            kernel,
        )
    expected = jax.jit(
        lambda x, k: values_and_gradients(lambda x, k: by_xla(x, k, *arguments), x, k)
    )(inputs, kernel)
    for one, other in zip(actual, expected, strict=True):
        assert_close(np.asarray(one), np.asarray(other))


def test_a_network_sized_convolution_in_blocks(monkeypatch):
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(11, 14, 14, 16)).astype("float32")
    kernel = generator.normal(size=(3, 3, 16, 24)).astype("float32")
    # a block of 4 images and a rest of 3, then blocks of 5 rows and a rest of 2
    for block in (4 * 12 * 12 * 144 * 4, 5 * 12 * 144 * 4):
        monkeypatch.setattr(_patches, "BLOCK_BYTES", block)
        plan = _patches._plan(
            inputs.shape, kernel.shape, _patches.Windows((1, 1), ((0, 0),) * 2, (1, 1)), 4
        )
        assert (plan.images, plan.rows) in ((4, 12), (1, 5))
        actual = values_and_gradients(lambda x, k: conv(x, k), inputs, kernel)
        expected = values_and_gradients(
            lambda x, k: by_xla(x, k, (1, 1), "valid", "channels_last", (1, 1)), inputs, kernel
        )
        for one, other in zip(actual, expected, strict=True):
            assert_close(np.asarray(one), np.asarray(other))


def test_the_patches_of_large_images_stay_small():
    kernel = (3, 3, 64, 64)
    windows = _patches.Windows((1, 1), ((1, 1), (1, 1)), (1, 1))

    def program(inputs, kernel):
        return values_and_gradients(lambda x, k: conv(x, k, padding="same"), inputs, kernel)

    shape = (2, 224, 224, 64)
    one = jax.ShapeDtypeStruct(shape, "float32")
    memory = (
        jax.jit(program)
        .lower(one, jax.ShapeDtypeStruct(kernel, "float32"))
        .compile()
        .memory_analysis()
    )
    plan = _patches._plan(shape, kernel, windows, 4)
    assert plan.images == 1
    assert plan.rows < 224
    # all patches at once are nine times the images
    assert memory.temp_size_in_bytes < 4 * math.prod(shape) * 4


def test_in_a_compiled_loop_nothing_is_left_of_the_other_device():
    inputs, kernel = np.ones((4, 8, 8, 2), "float32"), np.ones((3, 3, 2, 3), "float32")

    def loss(kernel):
        return jnp.sum(conv(inputs, kernel) ** 2)

    def train(kernel):
        return lax.fori_loop(0, 3, lambda _, k: k - 1e-4 * jax.grad(loss)(k), kernel)

    program = jax.jit(train).lower(kernel).compile().as_text()
    if jax.default_backend() == "cpu":
        assert "convolution(" not in program
    assert "conditional(" not in program


def test_the_gradient_that_nobody_asks_for_is_not_computed():
    inputs, kernel = np.ones((4, 8, 8, 2), "float32"), np.ones((3, 3, 2, 3), "float32")

    def products(function):
        return jax.jit(function).lower(kernel).compile().cost_analysis()["flops"]

    def loss(inputs, kernel):
        return jnp.sum(conv(inputs, kernel) ** 2)

    only_kernel = products(lambda kernel: jax.grad(loss, 1)(inputs, kernel))
    both = products(lambda kernel: jax.grad(loss, (0, 1))(inputs, kernel))
    assert only_kernel < 0.8 * both


def test_in_a_program_images_go_to_the_fast_routine_of_the_cpu():
    """Canonical convolutions, whichever way: nothing to turn around, nothing in YNNPACK."""
    shape, kernel = (8, 20, 20, 16), (3, 3, 16, 32)
    specs = [jax.ShapeDtypeStruct(each, "float32") for each in (shape, kernel)]

    def slopes(inputs, kernel):
        def step(_, state):
            return jax.grad(lambda x, k: jnp.sum(conv(x, k) ** 2), (0, 1))(*state)

        return lax.fori_loop(0, 3, step, (inputs, kernel))

    if jax.default_backend() != "cpu":
        pytest.skip("about the CPU")
    program = compilation.compile_lowered(compilation.lower(slopes, specs)).as_text()
    lines = program.splitlines()
    found = [line for line in lines if " convolution(" in line]
    assert len(found) == 3
    assert all("dim_labels=b01f_01io->b01f" in line for line in found)
    assert not any("rhs_reversal" in line for line in found)
    assert not any("conv_general" in line and "kind=kCustom" in line for line in lines)
    assert not compilation.has_eigen()


def test_float64_and_volumes_stay_with_patches():
    with jax.enable_x64(True):
        wide = np.ones((1, 4, 4, 1)), np.ones((3, 3, 1, 1))
        program = compilation.lower(conv, wide).as_text()
    assert "stablehlo.convolution" not in program
    volume = np.ones((1, 4, 4, 4, 1), "float32"), np.ones((3, 3, 3, 1, 1), "float32")
    assert "stablehlo.convolution" not in compilation.lower(conv, volume).as_text()


def test_a_release_of_xla_without_the_option_compiles_all_the_same(monkeypatch):
    monkeypatch.setattr(compilation, "_LIBRARY", "xla_cpu_no_such_option")
    assert in_a_program(lambda x: x + 1, np.float32(1)) == 2


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("program", [False, True], ids=["patches", "eigen"])
@pytest.mark.parametrize(("groups", "taken"), [(2, 4), (4, 2), (8, 1), (None, 2)])
def test_groups(groups, taken, program, data_format):
    generator = np.random.default_rng(0)
    shape = (2, 6, 5, 8) if data_format == "channels_last" else (2, 8, 6, 5)
    inputs = generator.normal(size=shape).astype("float32")
    kernel = generator.normal(size=(3, 2, taken, 16)).astype("float32")
    arguments = ((2, 1), "same", data_format, (1, 2))
    run = in_a_program if program else lambda function, *args: jax.jit(function)(*args)
    actual = run(
        lambda x, k: values_and_gradients(lambda x, k: conv(x, k, *arguments, groups), x, k),
        inputs,
        kernel,
    )
    expected = values_and_gradients(
        lambda x, k: by_xla(x, k, *arguments, 8 // taken), inputs, kernel
    )
    for one, other in zip(actual, expected, strict=True):
        assert_close(np.asarray(one), np.asarray(other))


def depthwise_by_xla(inputs, kernel, *arguments):
    *window, channels, multiplier = kernel.shape
    kernel = kernel.reshape(*window, 1, channels * multiplier)
    return by_xla(inputs, kernel, *arguments, groups=channels)


@settings(max_examples=12, deadline=None)
@given(case=cases(), multiplier=st.sampled_from([1, 2, 5]), seed=st.integers(0, 2**32 - 1))
def test_depthwise(case, multiplier, seed):
    shape, kernel_shape, arguments, block = case
    generator = np.random.default_rng(seed)
    inputs = generator.normal(size=shape).astype("float32")
    kernel = generator.normal(size=(*kernel_shape[:-1], multiplier)).astype("float32")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_patches, "BLOCK_BYTES", block)
        actual = jax.jit(
            lambda x, k: values_and_gradients(lambda x, k: depthwise_conv(x, k, *arguments), x, k)
        )(inputs, kernel)
    expected = jax.jit(
        lambda x, k: values_and_gradients(lambda x, k: depthwise_by_xla(x, k, *arguments), x, k)
    )(inputs, kernel)
    for one, other in zip(actual, expected, strict=True):
        assert_close(np.asarray(one), np.asarray(other))


@pytest.mark.slow
def test_depthwise_of_a_network_s_size_in_blocks_and_pieces(monkeypatch):
    """More rows than pieces, a piece that is not full, blocks of a few images and a rest."""
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(11, 17, 14, 16)).astype("float32")
    kernel = generator.normal(size=(3, 3, 16, 1)).astype("float32")
    monkeypatch.setattr(_patches, "BLOCK_BYTES", 4 * 9 * 3 * 14 * 16 * 4)
    for strides in ((1, 1), (2, 1)):
        actual = values_and_gradients(
            lambda x, k, s=strides: depthwise_conv(x, k, s, "same"), inputs, kernel
        )
        expected = values_and_gradients(
            lambda x, k, s=strides: depthwise_by_xla(x, k, s, "same", "channels_last", (1, 1)),
            inputs,
            kernel,
        )
        for one, other in zip(actual, expected, strict=True):
            assert_close(np.asarray(one), np.asarray(other))


def test_separable_is_depthwise_then_pointwise():
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(2, 7, 6, 3)).astype("float32")
    depthwise = generator.normal(size=(3, 3, 3, 2)).astype("float32")
    pointwise = generator.normal(size=(1, 1, 6, 5)).astype("float32")
    between = depthwise_by_xla(inputs, depthwise, (2, 2), "same", "channels_last", (1, 1))
    actual = separable_conv(inputs, depthwise, pointwise, 2, "same")
    assert_close(np.asarray(actual), np.asarray(between @ pointwise[0, 0]))


@pytest.mark.parametrize("program", [False, True], ids=["patches", "eigen"])
@settings(max_examples=8, deadline=None)
@given(case=cases(), more=st.none() | st.integers(0, 4), seed=st.integers(0, 2**32 - 1))
def test_transposed_is_the_gradient_of_a_convolution(program, case, more, seed):
    """Of the one that would take its outputs for inputs, where the windows cover them all."""
    shape, kernel_shape, (strides, padding, data_format, dilation), block = case
    generator = np.random.default_rng(seed)
    channels = shape[-1] if data_format == "channels_last" else shape[1]
    inputs = generator.normal(size=shape).astype("float32")
    kernel = generator.normal(size=(*kernel_shape[:-2], 3, channels)).astype("float32")

    def reference(inputs, kernel):
        """Every input times the kernel, put in its place; cut and padded afterwards."""
        if data_format == "channels_first":
            inputs = jnp.moveaxis(inputs, 1, -1)
        axes = range(len(strides))
        reach = [dilation[a] * (kernel.shape[a] - 1) + 1 for a in axes]
        size = [(inputs.shape[a + 1] - 1) * strides[a] + reach[a] for a in axes]
        whole = jnp.zeros((inputs.shape[0], *size, 3))
        for place in np.ndindex(*kernel.shape[:-2]):
            at = tuple(
                slice(p * d, p * d + (n - 1) * s + 1, s)
                for p, d, n, s in zip(place, dilation, inputs.shape[1:], strides, strict=False)
            )
            whole = whole.at[(slice(None), *at)].add(inputs @ kernel[place].T)
        config = [(0, 0, 0)]
        for a in axes:
            low, high = expected_cut(reach[a], strides[a], padding, more)
            config.append((-low, -high, 0))
        whole = lax.pad(whole, jnp.zeros(()), [*config, (0, 0, 0)])
        return jnp.moveaxis(whole, -1, 1) if data_format == "channels_first" else whole

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_patches, "BLOCK_BYTES", block)
        run = in_a_program if program else lambda function, *args: jax.jit(function)(*args)
        actual = run(
            lambda x, k: values_and_gradients(
                lambda x, k: conv_transpose(x, k, strides, padding, more, data_format, dilation),
                x,
                k,
            ),
            inputs,
            kernel,
        )
    expected = jax.jit(lambda x, k: values_and_gradients(reference, x, k))(inputs, kernel)
    for one, other in zip(actual, expected, strict=True):
        assert_close(np.asarray(one), np.asarray(other))


def expected_cut(reach, stride, padding, more):
    """What is cut off before and after; as documented: so long in all, the odd one after."""
    if padding == "valid":
        return 0, reach - max(reach, stride) if more is None else -more
    length = stride if more is None else reach % 2 + more  # for one input
    before = reach - 1 - min(-(-(reach + length - 2) // 2), reach - 1)
    return before, reach - length - before


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "int32"])
def test_dtypes(dtype):
    inputs = jnp.asarray(np.arange(32).reshape(1, 4, 4, 2) % 5, dtype)
    kernel = jnp.asarray(np.arange(54).reshape(3, 3, 2, 3) % 3, dtype)
    actual = conv(inputs, kernel)
    expected = by_xla(
        np.asarray(inputs, "float32"),
        np.asarray(kernel, "float32"),
        (1, 1),
        "valid",
        "channels_last",
        (1, 1),
    )
    assert actual.dtype == jnp.dtype(dtype)
    np.testing.assert_array_equal(np.asarray(actual, "float32"), expected)
    if dtype != "int32":
        slope = jax.grad(lambda k: conv(inputs, k).astype("float32").sum())(kernel)
        assert slope.dtype == jnp.dtype(dtype)


def test_two_dtypes_are_promoted():
    outputs = conv(np.ones((1, 4, 4, 1), "uint8"), np.ones((2, 2, 1, 1), "float32"))
    assert outputs.dtype == jnp.float32
    assert outputs[0, 0, 0, 0] == 4


def test_an_empty_batch():
    assert conv(np.zeros((0, 5, 5, 2), "float32"), np.ones((3, 3, 2, 4), "float32")).shape == (
        0,
        3,
        3,
        4,
    )


def test_second_derivatives_and_vmap():
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(2, 5, 5, 2)).astype("float32")
    kernel = generator.normal(size=(2, 2, 2, 3)).astype("float32")

    def slope(function):
        def steepness(kernel):
            return jnp.sum(jax.grad(lambda x: jnp.sum(jnp.tanh(function(x, kernel))))(inputs) ** 2)

        return jax.grad(steepness)(kernel)

    def reference(x, k):
        return by_xla(x, k, (1, 1), "valid", "channels_last", (1, 1))

    assert_close(np.asarray(slope(conv)), np.asarray(slope(reference)))
    several = np.stack([kernel, 2 * kernel])
    actual = jax.vmap(lambda k: conv(inputs, k))(several)
    np.testing.assert_allclose(actual[1], 2 * actual[0], rtol=1e-5)


@pytest.mark.parametrize(
    ("shape", "kernel", "arguments", "message"),
    [
        ((1, 2, 2, 1), (3, 3, 1, 1), {}, "a window of 3 does not fit an axis of 2"),
        (
            (1, 4, 4, 1),
            (3, 3, 1, 1),
            {"dilation_rate": 2},
            "a window of 5 does not fit an axis of 4",
        ),
        ((1, 4, 4, 3), (3, 3, 2, 1), {}, "has 3 channels; the kernel .* takes 2"),
        ((1, 4, 4, 4), (3, 3, 2, 6), {"groups": 4}, "takes 2 in each of 4 groups"),
        ((1, 4, 4, 4), (3, 3, 2, 3), {}, "3 filters .* cannot be shared out evenly among 2 groups"),
        ((4, 4, 4), (3, 3, 4, 1), {}, "needs a kernel of 3 axes"),
        ((4, 4), (3, 4), {}, "needs a batch axis"),
        ((1, 4, 4, 1), (3, 3, 1, 1), {"strides": 0}, "strides must be a positive integer"),
        ((1, 4, 4, 1), (3, 3, 1, 1), {"strides": (1, 1, 1)}, "or 2 of them"),
        ((1, 4, 4, 1), (3, 3, 1, 1), {"padding": "full"}, "padding must be 'valid' or 'same'"),
        ((1, 4, 4, 1), (3, 3, 1, 1), {"data_format": "NHWC"}, "data_format='NHWC'"),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(shape, kernel, arguments, message):
    with pytest.raises(ValueError, match=message):
        conv(np.zeros(shape, "float32"), np.zeros(kernel, "float32"), **arguments)


@pytest.mark.parametrize(
    ("shape", "kernel", "arguments", "message"),
    [
        ((1, 2, 2, 1), (3, 3, 1, 1), {}, "depthwise_conv: a window of 3 does not fit"),
        ((1, 4, 4, 3), (3, 3, 2, 1), {}, "has 3 channels; the kernel .* takes 2"),
        ((4, 4, 4), (3, 3, 4, 1), {}, "needs a kernel of 3 axes"),
        ((1, 4, 4, 1), (3, 3, 1, 1), {"strides": (1, 0)}, "strides must be a positive integer"),
        ((1, 4, 4, 1), (3, 3, 1, 1), {"padding": "full"}, "padding must be 'valid' or 'same'"),
    ],
)
def test_what_does_not_fit_a_depthwise_convolution(shape, kernel, arguments, message):
    with pytest.raises(ValueError, match=message):
        depthwise_conv(np.zeros(shape, "float32"), np.zeros(kernel, "float32"), **arguments)


@pytest.mark.parametrize(
    ("shape", "kernel", "arguments", "message"),
    [
        ((1, 4, 4, 3), (3, 3, 3, 2), {}, "has 3 channels; the kernel .* takes 2"),
        ((4, 4, 4), (3, 3, 4, 1), {}, "needs a kernel of 3 axes"),
        ((4, 4), (3, 4), {}, "needs a batch axis"),
        ((1, 4, 4, 1), (3, 3, 1, 1), {"output_padding": -1}, "integer of at least 0 or 2 of them"),
        ((1, 4, 4, 1), (3, 3, 1, 1), {"output_padding": (1,)}, "integer of at least 0 or 2"),
        ((1, 4, 4, 1), (3, 3, 1, 1), {"padding": "causal"}, "padding must be 'valid' or 'same'"),
        ((1, 4, 4, 1), (3, 3, 1, 1), {"dilation_rate": 0}, "dilation_rate must be a positive"),
    ],
)
def test_what_does_not_fit_a_transposed_convolution(shape, kernel, arguments, message):
    with pytest.raises(ValueError, match=message):
        conv_transpose(np.zeros(shape, "float32"), np.zeros(kernel, "float32"), **arguments)


@pytest.mark.parametrize("function", [depthwise_conv, conv_transpose])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int32"])
def test_dtypes_of_the_others(function, dtype):
    inputs = np.arange(32).reshape(1, 4, 4, 2) % 5
    kernel = np.arange(36).reshape(3, 3, 2, 2) % 3
    actual = function(jnp.asarray(inputs, dtype), jnp.asarray(kernel, dtype))
    expected = function(inputs.astype("float32"), kernel.astype("float32"))
    assert actual.dtype == jnp.dtype(dtype)
    np.testing.assert_array_equal(np.asarray(actual, "float32"), expected)


def test_the_others_of_an_empty_batch():
    empty, kernel = np.zeros((0, 5, 5, 2), "float32"), np.ones((3, 3, 2, 2), "float32")
    assert depthwise_conv(empty, kernel).shape == (0, 3, 3, 4)
    assert conv_transpose(empty, kernel, 2).shape == (0, 11, 11, 2)


@pytest.mark.parametrize("function", [depthwise_conv, conv_transpose])
def test_second_derivatives_and_vmap_of_the_others(function):
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(2, 5, 5, 2)).astype("float32")
    kernel = generator.normal(size=(2, 2, 2, 2)).astype("float32")

    def value(kernel, inputs=inputs):
        return jnp.sum(jnp.tanh(function(inputs, kernel, 2)))

    def steepness(kernel):
        return jnp.sum(jax.grad(value, 1)(kernel, inputs) ** 2)

    direction = generator.normal(size=kernel.shape).astype("float32")
    step = 1e-2
    by_steps = (steepness(kernel + step * direction) - steepness(kernel - step * direction)) / (
        2 * step
    )
    derived = jnp.sum(jax.grad(steepness)(kernel) * direction)
    np.testing.assert_allclose(derived, by_steps, rtol=1e-2)
    several = np.stack([kernel, 2 * kernel])
    actual = jax.vmap(lambda k: function(inputs, k))(several)
    np.testing.assert_allclose(actual[1], 2 * actual[0], rtol=1e-5)


@pytest.mark.parametrize(("platform", "native"), [("cpu", False), ("cuda", True), ("tpu", True)])
@pytest.mark.parametrize("function", [depthwise_conv, conv_transpose])
def test_each_platform_gets_its_own_lowering_of_the_others(function, platform, native):
    def slopes(inputs, kernel):
        return jax.grad(lambda x, k: jnp.sum(function(x, k, 2) ** 2), (0, 1))(inputs, kernel)

    arrays = np.ones((2, 6, 6, 3), "float32"), np.ones((3, 3, 3, 3), "float32")
    program = jax.jit(slopes).trace(*arrays).lower(lowering_platforms=(platform,)).as_text()
    assert ("stablehlo.convolution" in program) == native


@pytest.mark.parametrize(("platform", "native"), [("cpu", False), ("cuda", True), ("tpu", True)])
def test_each_platform_gets_its_own_lowering(platform, native):
    """Lowering for a device does not need the device."""

    def slopes(inputs, kernel):
        return jax.grad(lambda x, k: jnp.sum(conv(x, k) ** 2), (0, 1))(inputs, kernel)

    arrays = np.ones((2, 6, 6, 3), "float32"), np.ones((3, 3, 3, 4), "float32")
    program = jax.jit(slopes).trace(*arrays).lower(lowering_platforms=(platform,)).as_text()
    assert ("stablehlo.convolution" in program) == native
    assert ("stablehlo.dot_general" in program) != native


@pytest.mark.gpu
def test_each_device_gets_its_own_lowering():
    try:
        gpu = jax.devices("gpu")[0]
    except RuntimeError:
        pytest.skip("no GPU")
    arrays = np.ones((2, 6, 6, 3), "float32"), np.ones((3, 3, 3, 4), "float32")
    results = []
    for device in (gpu, jax.devices("cpu")[0]):
        placed = jax.device_put(arrays, device)
        program = jax.jit(conv).lower(*placed).compile().as_text()
        assert ("dot" in program) == (device is not gpu)
        results.append(np.asarray(jax.jit(conv)(*placed)))
    np.testing.assert_allclose(*results, rtol=1e-2)
