"""What layers do besides their formulas: training mode, state, randomness, masks, old spellings."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.core import image
from cornu.core.context import CallContext, call_context
from cornu.core.random import set_random_seed
from cornu.layers import Input

F = "float32"


def test_dropout_is_off_unless_training():
    x = np.ones((50, 40), F)
    layer = layers.Dropout(0.25, seed=1)
    np.testing.assert_array_equal(layer(x), x)
    dropped = np.asarray(layer(x, training=True))
    assert set(np.unique(dropped)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((dropped == 0).mean() - 0.25) < 0.05
    again = np.asarray(layer(x, training=True))
    assert (again != dropped).any()  # the next draw is another one


def test_equal_seeds_give_equal_masks():
    x = np.ones((8, 8), F)
    one, other = (layers.Dropout(0.5, seed=4)(x, training=True) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    set_random_seed(3)
    one = layers.Dropout(0.5)(x, training=True)
    set_random_seed(3)
    np.testing.assert_array_equal(one, layers.Dropout(0.5)(x, training=True))


def test_training_reaches_layers_inside():
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.drop = layers.Dropout(1.0)

        def call(self, x):
            return self.drop(x)

    x = np.ones((1, 2), F)
    block = Block()
    assert block(x).tolist() == [[1.0, 1.0]]
    assert block(x, training=True).tolist() == [[0.0, 0.0]]


def test_batch_normalization_moves_its_averages_only_in_training():
    layer = layers.BatchNormalization(momentum=0.5)
    x = np.array([[1.0], [3.0]], F)
    layer(x, training=False)
    assert layer.moving_mean.numpy().tolist() == [0.0]
    layer(x, training=True)
    assert layer.moving_mean.numpy().tolist() == [1.0]
    assert layer.moving_variance.numpy().tolist() == [1.0]
    layer.trainable = False
    layer(x, training=True)  # frozen: as in inference
    assert layer.moving_mean.numpy().tolist() == [1.0]
    assert layer.trainable_variables == []


def test_state_is_returned_not_kept_by_stateless_call():
    layer = layers.BatchNormalization(momentum=0.5)
    layer.build((None, 1))
    x = jnp.array([[1.0], [3.0]])
    values = [[v.value for v in part] for part in (layer.trainable_variables, layer.variables[2:])]
    _, state = jax.jit(lambda t, s, x: layer.stateless_call(t, s, x, training=True))(*values, x)
    assert state[0].tolist() == [1.0]
    assert layer.moving_mean.numpy().tolist() == [0.0]


def test_stateless_call_takes_variables_for_their_values():
    model = cornu.Sequential([Input((4,)), layers.Dense(3), layers.BatchNormalization()])
    x = np.random.default_rng(0).normal(size=(8, 4)).astype(F)
    trained, others = model.trainable_variables, model.non_trainable_variables
    arrays = [[variable.value for variable in part] for part in (trained, others)]
    expected, state = model.stateless_call(*arrays, x, training=True)
    given, same = model.stateless_call(trained, others, x, training=True)
    np.testing.assert_array_equal(given, expected)
    for one, other in zip(same, state, strict=True):
        assert isinstance(one, jax.Array)
        np.testing.assert_array_equal(one, other)


def test_stateless_calls_of_optimizers_and_metrics_take_variables():
    weight = cornu.Variable(np.ones(2, F))
    optimizer = cornu.optimizers.SGD(0.5)
    optimizer.build([weight])
    (after,), _ = optimizer.stateless_apply(optimizer.variables, [weight], [weight])
    assert after.tolist() == [0.5, 0.5]
    mean = cornu.metrics.Mean()
    total, count = mean.stateless_update_state(mean.variables, [2.0, 4.0])
    assert (float(total), float(count)) == (6.0, 2.0)


def test_stateless_call_says_what_does_not_fit():
    model = cornu.Sequential([layers.Dense(3)])
    with pytest.raises(ValueError, match=r"stateless_call: the Sequential has no variables yet"):
        model.stateless_call([], [], np.ones((1, 4), F))
    model.build((None, 4))
    kernel, _ = model.trainable_variables
    with pytest.raises(ValueError, match="has 2 trainable_variables, received 1 values"):
        model.stateless_call([kernel], [], np.ones((1, 4), F))
    with pytest.raises(ValueError, match=r"bias has shape \(3,\), received \(4, 3\)"):
        model.stateless_call([kernel, kernel], [], np.ones((1, 4), F))


def test_activity_penalty_is_a_mean_over_the_batch():
    layer = layers.Dense(1, activity_regularizer="l2", kernel_initializer="ones")
    layer.build((None, 1))
    x = np.array([[2.0], [4.0]], F)
    _, _, losses = layer.stateless_call(
        [v.value for v in layer.trainable_variables], [], x, return_losses=True
    )
    assert losses[0] == pytest.approx(0.01 * (4 + 16) / 2)


def test_masks_go_through_layers_that_let_them():
    embedding = layers.Embedding(5, 3, mask_zero=True)
    x = jnp.array([[1, 0], [2, 3]])
    with call_context(CallContext()) as context:
        y = layers.Dense(2)(layers.Dropout(0.5)(embedding(x)))
        assert context.mask_of(y).tolist() == [[True, False], [True, True]]
        pooled = layers.GlobalAveragePooling1D()(y)
        assert context.mask_of(pooled) is None
        np.testing.assert_allclose(pooled[0], y[0, 0], rtol=1e-6)  # the masked step is left out
        assert context.mask_of(layers.Flatten()(y)) is None


def test_embedding_takes_a_table():
    table = np.arange(6.0, dtype=F).reshape(3, 2)
    layer = layers.Embedding(3, 2, weights=[table])
    assert layer(np.array([[2, 0]])).tolist() == [[[4.0, 5.0], [0.0, 1.0]]]
    assert layer(Input((7,))).shape == (None, 7, 2)


def test_older_spellings_of_the_input_shape():
    assert layers.Dense(3, input_shape=(4,))._declared_input_shape == (None, 4)
    assert layers.Dense(3, input_dim=4)._declared_input_shape == (None, 4)
    assert layers.Flatten(input_shape=(28, 28))._declared_input_shape == (None, 28, 28)
    assert layers.Conv2D(3, 3, batch_input_shape=(2, 8, 8, 1))._declared_input_shape == (2, 8, 8, 1)
    assert layers.Embedding(10, 3, input_length=5)._declared_input_shape == (None, 5)
    assert layers.LeakyReLU(alpha=0.2).negative_slope == 0.2


def test_data_format_of_layers_made_later():
    assert layers.Conv2D(3, 3).data_format == "channels_last"
    try:
        image.set_image_data_format("channels_first")
        assert layers.Conv2D(3, 3).data_format == "channels_first"
        assert layers.MaxPooling2D().data_format == "channels_first"
        scaled = layers.Rescaling([1.0, 2.0])(np.ones((1, 2, 3, 3), F))
        assert scaled[0, :, 0, 0].tolist() == [1.0, 2.0]
    finally:
        image.set_image_data_format("channels_last")
    with pytest.raises(ValueError, match="NHWC"):
        image.set_image_data_format("NHWC")


def test_channels_first_computes_what_channels_last_does():
    x = np.random.default_rng(0).normal(size=(2, 6, 5, 3)).astype(F)
    last = layers.Conv2D(4, 3, padding="same", bias_initializer="ones")
    first = layers.Conv2D(4, 3, padding="same", data_format="channels_first")
    expected = last(x)
    first.build((None, 3, 6, 5))
    first.set_weights(last.get_weights())
    result = np.moveaxis(np.asarray(first(np.moveaxis(x, -1, 1))), 1, -1)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


def test_lambda_passes_what_its_function_asks_for():
    seen = {}

    def function(x, training=None, mask=None, factor=1):
        seen.update(training=training, mask=mask)
        return x * factor

    layer = layers.Lambda(function, arguments={"factor": 3})
    assert layer(np.ones((1, 1), F), training=True).tolist() == [[3.0]]
    assert seen == {"training": True, "mask": None}
    assert layers.Lambda(jnp.sum, output_shape=(7,))(Input((3,))).shape == (None, 7)
    both = [Input((3,)), Input((3,))]
    assert layers.Lambda(lambda two: two[0], output_shape=(1,))(both).shape == (None, 1)
    assert layers.Lambda(sum, output_shape=lambda shapes: shapes[1])(both).shape == (None, 3)
    assert layers.Lambda(lambda x: x[:, 0])(Input((3,))).shape == (None,)


def test_lambda_of_an_unknown_function_is_not_read():
    config = {"name": "x", "function": {"class_name": "function", "config": "delete_all"}}
    with pytest.raises(ValueError, match="'delete_all' is not known"):
        layers.Lambda.from_config(config)


def test_normalization_adapts_to_what_comes_in_batches():
    data = np.random.default_rng(0).normal(2.0, 3.0, size=(101, 4)).astype(F)
    whole, parts = layers.Normalization(), layers.Normalization()
    whole.adapt(data)
    parts.adapt((data[i : i + 10], "labels") for i in range(0, 101, 10))
    for one, other in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    normalized = np.asarray(whole(data))
    np.testing.assert_allclose(normalized.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(normalized.std(0), 1, rtol=1e-5)
    back = layers.Normalization(mean=whole.mean[0], variance=whole.variance[0], invert=True)
    np.testing.assert_allclose(back(normalized), data, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ([], ValueError, "no rows"),
        (np.ones((0, 3), F), ValueError, "no rows"),
        (5, TypeError, "an array or an iterable"),
        (["ab"], TypeError, "batches that are arrays"),
        (np.ones((3, 7), F), ValueError, "built for shape"),
    ],
)
def test_adapt_explains_what_it_cannot_use(data, error, message):
    layer = layers.Normalization()
    if isinstance(data, np.ndarray) and data.shape[1] == 7:
        layer.build((None, 3))
    with pytest.raises(error, match=message):
        layer.adapt(data)


def test_merging_functions():
    a, b = np.full((1, 2), 3.0, F), np.full((1, 2), 5.0, F)
    assert layers.add([a, b]).tolist() == [[8.0, 8.0]]
    assert layers.subtract([a, b]).tolist() == [[-2.0, -2.0]]
    assert layers.multiply([a, b]).tolist() == [[15.0, 15.0]]
    assert layers.average([a, b]).tolist() == [[4.0, 4.0]]
    assert layers.maximum([a, b]).tolist() == [[5.0, 5.0]]
    assert layers.minimum([a, b]).tolist() == [[3.0, 3.0]]
    assert layers.concatenate([a, b], axis=0).shape == (2, 2)
    assert layers.dot([a, b], axes=1).tolist() == [[30.0]]
    x, y = Input((3,)), Input((4,))
    assert layers.concatenate([x, y]).shape == (None, 7)


def test_input_layer_gives_its_tensor():
    x = Input(shape=(28, 28), batch_size=4, dtype="uint8", name="pixels")
    assert (x.shape, x.dtype, x.name) == ((4, 28, 28), "uint8", "pixels")
    assert x.node.is_input
    assert Input(tensor=x) is x
    with pytest.raises(ValueError, match="contradict"):
        Input(tensor=x, shape=(3,))


def test_making_layers_compiles_nothing():
    """Initial values are made on the host: a program for each would cost more than training."""
    compiled = []

    def note(event, *rest, **more):
        if "backend_compile" in event:
            compiled.append(event)

    jax.monitoring.register_event_duration_secs_listener(note)
    try:
        for layer in (
            layers.Dense(3),
            layers.Dropout(0.5),
            layers.BatchNormalization(),
            layers.Embedding(5, 3),
        ):
            layer.build((None, 4))
        layers.Conv2D(4, 3).build((None, 8, 8, 1))
        layers.Dense(3)(layers.Flatten()(Input((2, 2))))
        assert compiled == []
        jax.jit(lambda x: x * 3.25)(np.ones(3, F))
        assert compiled  # the listener does listen
    finally:
        jax.monitoring.unregister_event_duration_listener(note)


def test_aliases_are_the_same_classes():
    assert layers.MaxPool2D is layers.MaxPooling2D
    assert layers.AvgPool2D is layers.AveragePooling2D
    assert layers.Convolution2D is layers.Conv2D
    assert layers.GlobalAvgPool2D is layers.GlobalAveragePooling2D
    assert cornu.layers.deserialize(cornu.layers.serialize(layers.MaxPool2D(3))).pool_size == (3, 3)
