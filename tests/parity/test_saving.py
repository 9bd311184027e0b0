"""A file saved here opens in Keras 3 and one saved there opens here: numbers, state, settings."""

import json
import zipfile

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import cornu

# Keras' own code against today's NumPy
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")

CORNU_ONLY_IN_FILE = "seed_generator"  # Keras does not save the state of dropout


def _close(left, right):
    left, right = _leaves(left), _leaves(right)
    assert len(left) == len(right)
    for a, b in zip(left, right, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


def _leaves(value):
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in _leaves(value[key])]
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in _leaves(item)]
    return [np.asarray(value)]


def _x(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


# -- networks: each takes the framework and returns (model, inputs, labels) -----------------------


def dense_sequential(k):
    model = k.Sequential(
        [
            k.Input((5,)),
            k.layers.Dense(6, "relu", kernel_regularizer="l2", name="first"),
            k.layers.Dense(4, k.activations.tanh, kernel_constraint=k.constraints.MaxNorm(2)),
            k.layers.Dropout(0.0),
            k.layers.Dense(3, "softmax", kernel_initializer=k.initializers.HeNormal(seed=3)),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, _x(12, 5), np.arange(12) % 3


def images(k):
    model = k.Sequential(
        [
            k.Input((8, 8, 1)),
            k.layers.Rescaling(0.5, offset=0.1),
            k.layers.Conv2D(3, 3, padding="same", activation="relu"),
            k.layers.MaxPooling2D(),
            k.layers.ZeroPadding2D(1),
            k.layers.Conv2D(4, (2, 3), strides=2, use_bias=False),
            k.layers.AveragePooling2D(2, padding="same"),
            k.layers.BatchNormalization(momentum=0.9),
            k.layers.Flatten(),
            k.layers.Dense(2),
            k.layers.LeakyReLU(0.1),
            k.layers.Softmax(),
        ]
    )
    model.compile(
        k.optimizers.Adadelta(1.0),
        k.losses.SparseCategoricalCrossentropy(),
        metrics=[k.metrics.SparseCategoricalAccuracy(name="right")],
    )
    return model, _x(6, 8, 8, 1), np.arange(6) % 2


def normalized(k):
    norm = k.layers.Normalization()
    norm.adapt(_x(40, 4, seed=5) * 3 + 1)
    model = k.Sequential(
        [k.Input((4,)), norm, k.layers.LayerNormalization(), k.layers.Dense(1, "sigmoid")]
    )
    model.compile(
        k.optimizers.SGD(
            k.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5), momentum=0.9, nesterov=True
        ),
        k.losses.BinaryCrossentropy(label_smoothing=0.1),
        metrics=["accuracy", k.metrics.AUC(num_thresholds=20)],
    )
    return model, _x(10, 4) * 3 + 1, (np.arange(10) % 2)[:, None].astype("float32")


def texts(k):
    model = k.Sequential(
        [
            k.Input((6,), dtype="int32"),
            k.layers.Embedding(11, 4),
            k.layers.Permute((2, 1)),
            k.layers.Reshape((24,)),
            k.layers.Activation("gelu"),
            k.layers.Dense(2),
        ]
    )
    model.compile(
        k.optimizers.RMSprop(0.01, centered=True, momentum=0.1),
        k.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=["accuracy"],
    )
    return model, np.random.default_rng(0).integers(0, 11, (8, 6)), np.arange(8) % 2


def two_in_two_out(k):
    a, b = k.Input((3,), name="a"), k.Input((3,), name="b")
    shared = k.layers.Dense(4, "tanh", name="shared")
    inner = k.Sequential(
        [k.Input((4,)), k.layers.Dense(3, use_bias=False), k.layers.BatchNormalization()]
    )
    left, right = inner(shared(a)), inner(shared(b))
    joined = k.layers.Concatenate()([left, right])
    summed = k.layers.Add()([left, right]) * 2 + 1
    one = k.layers.Dense(1, name="one")(joined)
    two = k.layers.Dense(2, "softmax", name="two")(summed)
    model = k.Model([a, b], [one, two], name="forked")
    model.compile(
        k.optimizers.AdamW(0.01, weight_decay=0.1, clipnorm=1.0),
        loss={"one": "mse", "two": k.losses.SparseCategoricalCrossentropy()},
        loss_weights={"one": 0.5, "two": 2.0},
        metrics={"one": ["mae"], "two": ["accuracy"]},
    )
    return model, [_x(9, 3), _x(9, 3, seed=1)], [_x(9, 1, seed=2), np.arange(9) % 2]


def nested_functional(k):
    start = k.Input((3,), name="start")
    inner = k.Model(start, k.layers.Dense(3, name="inner_dense")(start), name="inner")
    a, b = k.Input((3,), name="a"), k.Input((3,), name="b")
    h, g = inner(a), inner(b)
    again = inner(k.layers.Multiply()([h, g]))
    model = k.Model({"a": a, "b": b}, [h, again])
    model.compile("sgd", ["mse", "mae"])
    return model, {"a": _x(7, 3), "b": _x(7, 3, seed=1)}, [_x(7, 3, seed=2), _x(7, 3, seed=3)]


def operations(k):
    x = k.Input((4, 3), name="x")
    y = k.Input((3,), name="y")
    pooled = k.ops.mean(x, axis=1)
    table = np.arange(3, dtype="float32")
    h = (pooled - y) / 2 + k.ops.maximum(pooled, 0.1) ** 2 - (1 - pooled) * table
    h = k.ops.concatenate([h, -abs(y), k.ops.reshape(x, (-1, 12))[:, ::5]], axis=-1)
    h = k.ops.clip(h, -1.5, 1.5) @ k.ops.ones((9, 2))
    h = k.ops.where(h > 0, h, k.ops.exp(h) - 1)
    h = k.ops.stack([h, k.ops.softmax(h, axis=-1)], axis=1)[..., None]
    h = k.ops.sum(k.ops.squeeze(h, axis=-1), axis=[1], keepdims=True)
    model = k.Model([x, y], k.ops.expand_dims(k.ops.cast(h[:, 0], "float32"), 1))
    return model, [_x(5, 4, 3), _x(5, 3, seed=1)], None


def mixed_precision(k):
    policy = "mixed_bfloat16"
    model = k.Sequential(
        [
            k.Input((5,)),
            k.layers.Dense(6, dtype=policy),
            k.layers.Dense(2, dtype=k.DTypePolicy("float32")),
        ]
    )
    model.compile("adamax", "mse")
    return model, _x(6, 5), _x(6, 2)


def half_weights(k):
    return k.Sequential([k.Input((5,)), k.layers.Dense(6, dtype="bfloat16")]), _x(6, 5), None


def frozen(k):
    base = k.layers.Dense(4, name="base")
    base.trainable = False
    model = k.Sequential([k.Input((5,)), base, k.layers.Dense(2)])
    model.compile(k.optimizers.Nadam(0.05), "mse")
    return model, _x(6, 5), _x(6, 2)


def deferred(k):
    model = k.Sequential([k.layers.Dense(4, "relu"), k.layers.Dense(2)])
    model.compile(k.optimizers.Adagrad(0.1), "huber")
    return model, _x(6, 5), _x(6, 2)


def averaged(k):
    model = k.Sequential([k.Input((5,)), k.layers.Dense(2)])
    model.compile(k.optimizers.Adam(0.1, use_ema=True, ema_momentum=0.5, amsgrad=True), "mse")
    return model, _x(6, 5), _x(6, 2)


def registered_subclass(k):
    cls = KerasTwin if k is keras else CornuTwin
    model = cls(units=4)
    model.compile("adam", "mse", metrics=["mae"])
    return model, _x(6, 5), _x(6, 1)


def _twin(k):
    class Twin(k.Model):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.zz = k.layers.Dense(units, "relu")
            self.blocks = [
                k.layers.Dense(3, use_bias=False),
                k.layers.BatchNormalization(),
                [k.layers.Dense(2)],
            ]
            self._hidden = {"last": k.layers.Dense(1)}

        def call(self, inputs, training=False):
            h = self.zz(inputs)
            h = self.blocks[1](self.blocks[0](h), training=training)
            return self._hidden["last"](self.blocks[2][0](h))

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    return Twin


def _bottleneck(k):
    class Bottleneck(k.Model):
        """A subclass that builds a graph in its constructor."""

        def __init__(self, units=2, **kwargs):
            inputs = k.Input((5,))
            narrow = k.layers.Dense(units, name="narrow")
            super().__init__(inputs, k.layers.Dense(5, name="wide")(narrow(inputs)), **kwargs)
            self.units = units
            self.narrow = narrow

        def get_config(self):
            return {"units": self.units, "name": self.name}

    return Bottleneck


def graph_subclass(k):
    model = (KerasBottleneck if k is keras else CornuBottleneck)(units=3)
    model.compile("adam", "mse")
    return model, _x(6, 5), _x(6, 5, seed=1)


def _scale(k):
    class Scale(k.layers.Layer):
        def __init__(self, start=1.0, **kwargs):
            super().__init__(**kwargs)
            self.start = start

        def build(self, input_shape):
            self.factor = self.add_weight(
                shape=(input_shape[-1],), initializer=k.initializers.Constant(self.start)
            )
            self.count = self.add_weight(
                shape=(), initializer="zeros", dtype="int32", trainable=False
            )

        def call(self, inputs):
            return inputs * self.factor

        def get_config(self):
            return {**super().get_config(), "start": self.start}

    return Scale


def custom_layer(k):
    scale = KerasScale if k is keras else CornuScale
    loss = keras_own_loss if k is keras else cornu_own_loss
    model = k.Sequential([k.Input((5,)), scale(2.0), k.layers.Dense(1), scale()])
    model.compile("sgd", loss, metrics=[loss])
    return model, _x(6, 5), _x(6, 1)


def _own_loss(k):
    def own_loss(y_true, y_pred):
        return k.ops.mean(k.ops.abs(y_true - y_pred) ** 1.5, axis=-1)

    return own_loss


for _k, _prefix in ((keras, "Keras"), (cornu, "Cornu")):
    _register = _k.saving.register_keras_serializable(package="parity")
    globals()[f"{_prefix}Twin"] = _register(_twin(_k))
    globals()[f"{_prefix}Bottleneck"] = _register(_bottleneck(_k))
    globals()[f"{_prefix}Scale"] = _register(_scale(_k))
    globals()[f"{_prefix.lower()}_own_loss"] = _register(_own_loss(_k))

NETWORKS = [
    dense_sequential,
    images,
    normalized,
    texts,
    two_in_two_out,
    nested_functional,
    operations,
    mixed_precision,
    half_weights,
    frozen,
    deferred,
    averaged,
    registered_subclass,
    graph_subclass,
    custom_layer,
]
DIRECTIONS = [
    pytest.param((cornu, keras), id="cornu-to-keras"),
    pytest.param((keras, cornu), id="keras-to-cornu"),
]


def _train(model, x, y):
    # twice on all rows, in one batch
    if y is not None:
        return model.fit(x, y, batch_size=64, epochs=2, shuffle=False, verbose=0).history
    return None


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("network", NETWORKS)
def test_model_goes_over_and_trains_on(network, direction, tmp_path):
    here, there = direction
    model, x, y = network(here)
    _train(model, x, y)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = there.saving.load_model(path)
    if network is averaged and here is keras:
        # Keras' averages share their buffers with the weights, which its next step gives away
        model = keras.saving.load_model(path)

    loose = network is mixed_precision or network is half_weights
    predict = dict(verbose=0)
    if loose:  # both compute in 8 bits, in another order
        for a, b in zip(
            _leaves(model.predict(x, **predict)), _leaves(loaded.predict(x, **predict)), strict=True
        ):
            np.testing.assert_allclose(
                a.astype("float32"), b.astype("float32"), rtol=3e-2, atol=3e-2
            )
        for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    else:
        _close(model.predict(x, **predict), loaded.predict(x, **predict))
    assert loaded.count_params() == model.count_params()
    if y is None or loose:
        return
    assert _plain(loaded.optimizer.get_config()) == _plain(model.optimizer.get_config())
    _close(
        [np.asarray(v) for v in loaded.optimizer.variables],
        [np.asarray(v) for v in model.optimizer.variables],
    )
    before, after = _train(model, x, y), _train(loaded, x, y)
    assert set(before) == set(after)
    for name in before:
        np.testing.assert_allclose(before[name], after[name], rtol=2e-5, atol=2e-6)
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-6)


def _plain(config):
    return json.loads(json.dumps(config, default=dict))
