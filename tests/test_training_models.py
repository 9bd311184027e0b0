"""What models and layers of a user's own do in training, without a peer to compare with."""

import copy
import pickle

import numpy as np
import pytest

import cornu as keras
from cornu import layers, ops

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4)).astype("float32")
Y = (X @ RNG.normal(size=(4, 3))).argmax(-1)
SPARSE = {"optimizer": "sgd", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}


def softmax():
    return layers.Dense(3, activation="softmax")


def fit(model, *data, **arguments):
    return model.fit(*(data or (X, Y)), **{"verbose": 0, "batch_size": 16, **arguments}).history


def test_metric_of_a_layer():
    class Watched(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.norm = keras.metrics.Mean(name="norm")

        def call(self, inputs):
            self.norm.update_state(ops.sum(inputs**2, axis=-1))
            return inputs

    model = keras.Sequential([keras.Input((4,)), Watched(), softmax()])
    model.compile(**SPARSE)
    history = fit(model, X, Y, epochs=2, validation_data=(X[:10], Y[:10]))
    expected = (X**2).sum(-1)
    np.testing.assert_allclose(history["norm"], [expected.mean()] * 2, rtol=1e-5)
    np.testing.assert_allclose(history["val_norm"], [expected[:10].mean()] * 2, rtol=1e-5)
    assert model.metrics_names == ["loss", "accuracy", "norm"]


def test_padding_that_is_masked_changes_nothing():
    words = RNG.integers(0, 6, size=(50, 5))
    words[:, 0] = 1
    y = RNG.integers(0, 3, size=words.shape)
    other = np.where(words == 0, (y + 1) % 3, y)
    model = keras.Sequential(
        [keras.Input((5,)), layers.Embedding(6, 4, mask_zero=True), layers.Dense(3, "softmax")]
    )
    model.compile(**SPARSE)
    assert model.evaluate(words, y, verbose=0) == model.evaluate(words, other, verbose=0)

    start = model.get_weights()
    histories = []
    for labels in (y, other):
        model.set_weights(start)
        histories.append(fit(model, words, labels, shuffle=False, epochs=2))
    assert histories[0] == histories[1]


def test_eager_code_sees_values():
    seen = []

    class Watched(layers.Layer):
        def call(self, inputs):
            seen.append(float(ops.sum(inputs)))
            return inputs

        def compute_output_shape(self, input_shape):
            return input_shape

    model = keras.Sequential([Watched(), softmax()])
    model.compile(**SPARSE, run_eagerly=True)
    model.predict(X[:4], verbose=0)
    assert seen[-1] == pytest.approx(X[:4].sum(), rel=1e-5)
    fit(model, X[:8], Y[:8])
    assert seen[-1] == pytest.approx(X[:8].sum(), rel=1e-5)


def test_what_compute_metrics_returns_is_logged():
    class Net(keras.Model):
        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            return {**super().compute_metrics(x, y, y_pred, sample_weight), "rows": y_pred.shape[0]}

    inputs = keras.Input((4,))
    model = Net(inputs, softmax()(inputs))
    model.compile(**SPARSE)
    history = fit(model, X[:48], Y[:48], epochs=2)
    assert history["rows"] == [16, 16]
    assert model.evaluate(X[:32], Y[:32], verbose=0, return_dict=True)["rows"] == 32


def test_get_metrics_result_is_asked():
    class Net(keras.Model):
        def get_metrics_result(self):
            results = super().get_metrics_result()
            return {**results, "error": 1 - results["accuracy"]}

    inputs = keras.Input((4,))
    model = Net(inputs, softmax()(inputs))
    model.compile(**SPARSE)
    history = fit(model)
    assert history["error"][0] == pytest.approx(1 - history["accuracy"][0], abs=1e-6)


def test_weights_of_rows_by_the_names_of_outputs():
    inputs = keras.Input((4,))
    outputs = [
        layers.Dense(3, "softmax", name="kind")(inputs),
        layers.Dense(1, name="size")(inputs),
    ]
    model = keras.Model(inputs, outputs)
    model.compile("sgd", ["sparse_categorical_crossentropy", "mse"])
    first, second = np.linspace(0, 1, 50), np.linspace(2, 0, 50)
    y = [Y, X[:, :1]]
    by_place = model.evaluate(X, y, sample_weight=[first, second], verbose=0)
    by_name = model.evaluate(X, y, sample_weight={"size": second, "kind": first}, verbose=0)
    assert by_place == by_name
    labels_by_name = {"size": y[1], "kind": y[0]}
    assert model.evaluate(X, labels_by_name, verbose=0) == model.evaluate(X, y, verbose=0)


def test_frozen_weights_stay_and_batch_normalization_follows():
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(4), layers.BatchNormalization(), softmax()]
    )
    model.layers[0].trainable = False
    model.compile(**SPARSE)
    kernel, mean = model.layers[0].kernel.numpy(), model.layers[1].moving_mean.numpy()
    fit(model)
    np.testing.assert_array_equal(model.layers[0].kernel.numpy(), kernel)
    assert not np.array_equal(model.layers[1].moving_mean.numpy(), mean)

    model.layers[1].trainable = False
    model.compile(**SPARSE)
    mean = model.layers[1].moving_mean.numpy()
    fit(model)
    np.testing.assert_array_equal(model.layers[1].moving_mean.numpy(), mean)


def test_evaluate_and_predict_leave_the_model_as_it_is():
    model = keras.Sequential(
        [keras.Input((4,)), layers.BatchNormalization(), layers.Dropout(0.5), softmax()]
    )
    model.compile(**SPARSE)
    fit(model)
    before = [variable.numpy() for variable in (*model.variables, *model.optimizer.variables)]
    first = model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    assert model.evaluate(X, Y, verbose=0) == first
    after = [variable.numpy() for variable in (*model.variables, *model.optimizer.variables)]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_evaluate_before_fit_changes_nothing():
    """The optimizer has no state yet when the first evaluation is compiled."""
    model = keras.Sequential([keras.Input((4,)), softmax()])
    model.compile(**{**SPARSE, "optimizer": "adam"})
    model.evaluate(X, Y, verbose=0)
    fit(model)
    assert int(np.asarray(model.optimizer.iterations)) == 4


def test_predict_before_compile_and_fit():
    model = keras.Sequential([keras.Input((4,)), softmax()])
    model.predict(X, verbose=0)
    model.compile(**{**SPARSE, "optimizer": "adam"})
    model.predict(X, verbose=0)
    fit(model, epochs=2)
    assert model.predict(X, verbose=0).shape == (50, 3)


def test_a_layer_added_after_training():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "relu"), softmax()])
    model.compile(**SPARSE)
    fit(model)
    model.pop()
    model.add(layers.Dense(5, "softmax"))
    model.compile(**SPARSE)
    fit(model)
    assert model.predict(X, verbose=0).shape == (50, 5)


def test_a_layer_trained_in_two_models():
    """An autoencoder and its encoder share their weights."""
    inputs = keras.Input((4,))
    code = layers.Dense(2, name="code")(inputs)
    encoder = keras.Model(inputs, code)
    whole = keras.Model(inputs, layers.Dense(4)(code))
    before = encoder.predict(X, verbose=0)
    whole.compile("adam", "mse")
    fit(whole, X, X, epochs=2)
    after = encoder.predict(X, verbose=0)
    assert not np.array_equal(before, after)
    np.testing.assert_allclose(after, X @ encoder.get_weights()[0] + encoder.get_weights()[1], 1e-4)


def test_weights_set_by_a_callback_are_used():
    class Zeroing(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.set_weights([np.zeros_like(w) for w in self.model.get_weights()])

    model = keras.Sequential([keras.Input((4,)), softmax()])
    model.compile(**SPARSE)
    history = fit(model, X, Y, epochs=3, callbacks=[Zeroing()], shuffle=False)
    assert history["loss"][0] == history["loss"][1] == history["loss"][2]


def test_moving_average_ends_in_the_weights():
    model = keras.Sequential([keras.Input((4,)), softmax()])
    model.compile(keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5), SPARSE["loss"])
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(model.get_weights())
    )
    fit(model, callbacks=[watch])
    average = seen[0][0]  # the first step begins it
    for weights in seen[1:]:
        average = 0.5 * average + 0.5 * weights[0]
    np.testing.assert_allclose(model.get_weights()[0], average, rtol=1e-5, atol=1e-6)


def test_mixed_bfloat16_learns():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = keras.Sequential(
            [keras.Input((4,)), layers.Dense(16, "relu"), layers.Dense(3, "softmax")]
        )
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile("adam", SPARSE["loss"], metrics=["accuracy"])
    history = fit(model, epochs=20)
    assert history["loss"][-1] < history["loss"][0]
    assert all(weight.dtype == np.float32 for weight in model.get_weights())


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_fitted_model_is_copied(copied):
    x = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    model.compile("adam", "mse")
    model.fit(x, x, verbose=0)
    twin = copied(model)
    np.testing.assert_array_equal(twin.predict(x, verbose=0), model.predict(x, verbose=0))
    before = model.get_weights()
    twin.fit(x, x, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    assert not np.array_equal(twin.get_weights()[0], before[0])
