"""A file saved here opens in Keras 3 and one saved there opens here: numbers, state, settings."""

import io
import json
import zipfile

import h5py
import numpy as np
import pytest

import cornu
from cornu.core import naming
from cornu.saving import operations as operations_module

keras = pytest.importorskip("keras")

# Keras' own code against today's NumPy
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")


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


def up_and_down(k):
    model = k.Sequential(
        [
            k.Input((9, 8, 2)),
            # without a bias: that in front of a normalization has no gradient but rounding
            k.layers.DepthwiseConv2D(
                3, strides=2, padding="same", depth_multiplier=2, use_bias=False, name="each"
            ),
            k.layers.GroupNormalization(groups=-1),
            k.layers.SeparableConv2D(6, (3, 2), padding="same", activation="selu"),
            k.layers.AlphaDropout(0.0),
            k.layers.Conv2DTranspose(4, 3, strides=2, padding="same", output_padding=1),
            k.layers.RMSNormalization(),
            k.layers.Cropping2D(((1, 0), (0, 2))),
            k.layers.UpSampling2D((1, 2), interpolation="bilinear"),
            k.layers.UnitNormalization(axis=[1, 2]),
            k.layers.AdaptiveAveragePooling2D((5, 6)),
            k.layers.AdaptiveMaxPooling2D(2),
            k.layers.Reshape((4, 4)),
            k.layers.UpSampling1D(2),
            k.layers.Cropping1D((1, 0)),
            k.layers.DepthwiseConv1D(2, dilation_rate=2),
            k.layers.SeparableConv1D(3, 2, use_bias=False),
            k.layers.Conv1DTranspose(2, 3, data_format="channels_last"),
            k.layers.Flatten(),
            k.layers.Dense(2, "softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, _x(6, 9, 8, 2), np.arange(6) % 2


def volumes(k):
    inputs = k.Input((4, 4, 4, 1))
    h = k.layers.UpSampling3D((1, 2, 1))(inputs)
    h = k.layers.Conv3DTranspose(2, 2, strides=2, kernel_regularizer="l2")(h)
    h = k.layers.Cropping3D(((1, 0), (2, 1), (0, 0)))(h)
    h = k.layers.AdaptiveMaxPooling3D(2)(h)
    model = k.Model(inputs, k.layers.Dense(1)(k.layers.Flatten()(h)))
    model.compile("sgd", "mse")
    return model, _x(3, 4, 4, 4, 1), _x(3, 1)


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
    model = OWN[k]["_twin"](units=4)
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
    model = OWN[k]["_bottleneck"](units=3)
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
    scale, loss = OWN[k]["_scale"], OWN[k]["_own_loss"]
    model = k.Sequential([k.Input((5,)), scale(2.0), k.layers.Dense(1), scale()])
    model.compile("sgd", loss, metrics=[loss])
    return model, _x(6, 5), _x(6, 1)


def _own_loss(k):
    def own_loss(y_true, y_pred):
        return k.ops.mean(k.ops.abs(y_true - y_pred) ** 1.5, axis=-1)

    return own_loss


# the classes and the loss of each framework, registered there under the same names
OWN = {
    k: {
        make.__name__: k.saving.register_keras_serializable(package="parity")(make(k))
        for make in (_twin, _bottleneck, _scale, _own_loss)
    }
    for k in (keras, cornu)
}

NETWORKS = [
    dense_sequential,
    images,
    up_and_down,
    volumes,
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
CUSTOM = ("registered_subclass", "graph_subclass", "custom_layer")
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
    predict = {"verbose": 0}
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


# -- the file itself ------------------------------------------------------------------------------


def _names_from_the_start():
    keras.utils.clear_session()
    naming.reset_names()


def _without(config, *keys):
    if isinstance(config, dict):
        return {k: _without(v, *keys) for k, v in config.items() if k not in keys}
    if isinstance(config, list):
        return [_without(item, *keys) for item in config]
    return config


# What Keras writes besides, and reads without: ids of equal policies, empty entries, a mask of None
# to models inside, the class's own name where ours says null.
_BESIDES = ("shared_object_id", "registered_name", "mask")


def _without_empty(config):
    if isinstance(config, dict):
        return {
            k: _without_empty(v)
            for k, v in config.items()
            if not (k == "compile_config" and v == {})
            and not (k == "build_config" and v == {"input_shape": None})
        }
    if isinstance(config, list):
        return [_without_empty(item) for item in config]
    return config


@pytest.mark.parametrize("network", [n for n in NETWORKS if n.__name__ not in CUSTOM])
def test_configuration_is_what_keras_writes(network):
    texts = []
    for framework in (cornu, keras):
        _names_from_the_start()
        texts.append(network(framework)[0].to_json())
    ours, theirs = (_without_empty(_without(json.loads(text), *_BESIDES)) for text in texts)
    assert ours == theirs


def _layout(path):
    """Paths, shapes and dtypes of the arrays, and the names that the groups carry."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = (item.shape, item.dtype.str)
        elif name.rsplit("/", 1)[-1] == "vars":
            found[name] = item.attrs.get("name")

    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
            file.visititems(visit)
    # Keras does not keep the state of dropout; it passes over ours
    return {name: value for name, value in found.items() if "seed_generator" not in name}


@pytest.mark.parametrize("network", NETWORKS)
def test_weights_lie_where_keras_puts_them(network, tmp_path):
    layouts = []
    for framework in (cornu, keras):
        _names_from_the_start()
        model, x, y = network(framework)
        _train(model, x, y)
        path = tmp_path / f"{framework.__name__}.keras"
        model.save(path)
        layouts.append(_layout(path))
    assert layouts[0] == layouts[1]


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("network", [two_in_two_out, registered_subclass, half_weights])
def test_weights_files(network, direction, tmp_path):
    here, there = direction
    (model, x, y), (other, _, _) = network(here), network(there)
    for one in (model, other):
        _train(one, x, y)
        one.predict(x, verbose=0)
    for ending, save in ((".weights.h5", model.save_weights), (".keras", model.save)):
        path = tmp_path / f"one{ending}"
        save(path)
        for weight in other.weights:
            weight.assign(np.zeros(weight.shape))
        other.load_weights(path)
        for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(
    "make",
    [
        lambda k: k.optimizers.Ftrl(0.1, l1_regularization_strength=0.01),
        lambda k: k.optimizers.Lion(0.1),
        lambda k: k.optimizers.Lamb(0.1),
        lambda k: k.optimizers.Adafactor(0.1),
        lambda k: k.optimizers.SGD(
            k.optimizers.schedules.CosineDecayRestarts(0.1, 3), momentum=0.5
        ),
        lambda k: k.optimizers.RMSprop(
            k.optimizers.schedules.PiecewiseConstantDecay([1], [1.0, 2.0])
        ),
        lambda k: k.optimizers.Adam(0.1, gradient_accumulation_steps=2, global_clipnorm=1.0),
        lambda k: k.optimizers.LossScaleOptimizer(k.optimizers.Adam(0.1)),
    ],
    ids=["ftrl", "lion", "lamb", "adafactor", "cosine", "piecewise", "accumulating", "scaled"],
)
def test_state_of_every_optimizer_goes_over(make, direction, tmp_path):
    here, there = direction
    model = here.Sequential([here.Input((3,)), here.layers.Dense(2), here.layers.Dense(2)])
    model.compile(make(here), "mse")
    model.optimizer.build(model.trainable_variables)
    generator = np.random.default_rng(0)
    for variable in model.optimizer.variables:
        variable.assign((generator.random(variable.shape) * 5).astype(str(variable.dtype)))
    model.save(tmp_path / "one.keras")
    loaded = there.saving.load_model(tmp_path / "one.keras")
    assert type(loaded.optimizer).__name__ == type(model.optimizer).__name__
    assert _plain(loaded.optimizer.get_config()) == _plain(model.optimizer.get_config())
    ours, theirs = ([np.asarray(v) for v in m.optimizer.variables] for m in (loaded, model))
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_json_goes_over(direction):
    here, there = direction
    model, _, _ = operations(here)
    again = there.models.model_from_json(model.to_json())
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert again.output_shape == model.output_shape


@pytest.mark.parametrize("there", [cornu, keras])
def test_a_layer_in_two_models_inside_stays_one(there, tmp_path):
    # Keras cannot read its own file of this: it loses the mark at the first place of the two
    shared = cornu.layers.Dense(3, name="shared")
    one = cornu.Sequential([cornu.Input((3,)), shared], name="one")
    two = cornu.Sequential([cornu.Input((3,)), shared, cornu.layers.ReLU()], name="two")
    inputs = cornu.Input((3,))
    model = cornu.Model(inputs, two(one(inputs)))
    model.save(tmp_path / "one.keras")
    loaded = there.saving.load_model(tmp_path / "one.keras")
    x = _x(4, 3)
    _close(model.predict(x, verbose=0), loaded.predict(x, verbose=0))
    assert len(loaded.weights) == len(model.weights) == 2


def test_bytecode_of_a_lambda_is_refused(tmp_path):
    path = tmp_path / "lambda.keras"
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x * 2)])
    model.save(path)
    for safe_mode in (True, False):
        with pytest.raises(ValueError, match="never run"):
            cornu.saving.load_model(path, safe_mode=safe_mode)


def test_every_operation_is_divided_as_in_keras():
    import importlib
    import inspect

    by_function, by_class = operations_module._kinds()
    assert len(by_class) > 200
    for kind in by_function.values():
        cls = getattr(importlib.import_module(kind.module), kind.class_name)
        settings = list(inspect.signature(cls.__init__).parameters)[1:]
        assert set(kind.settings) == set(settings) - {"name", "kwargs"}, kind
        called_on = list(inspect.signature(cls.call).parameters)[1:]
        assert list(kind.called_on) == [one for one in called_on if one != "kwargs"], kind
        own = set(inspect.signature(getattr(cornu.ops, kind.function)).parameters) - {"kwargs"}
        assert own == {*kind.settings, *kind.called_on}, kind
