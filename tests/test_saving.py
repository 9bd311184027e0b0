"""Saving and loading without Keras: round trips, refusals, and files that survive a full disk."""

import errno
import io
import json
import os
import resource
import stat
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import cornu
from cornu import layers, ops
from cornu.models import clone_model, model_from_config, model_from_json
from cornu.saving import (
    custom_object_scope,
    get_custom_objects,
    load_model,
    register_keras_serializable,
    serialize_keras_object,
)


def _x(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@register_keras_serializable(package="tests")
class Residual(layers.Layer):
    """A layer with layers inside, whose arguments are plain data."""

    def __init__(self, units, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.wide = layers.Dense(units, activation=activation)
        self.drop = layers.Dropout(0.4)

    def call(self, inputs, training=False):
        return inputs + self.drop(self.wide(inputs), training=training)


@register_keras_serializable(package="tests")
class Stack(cornu.Model):
    """A subclass with layers in a list and in a dict, and a constructor without **kwargs."""

    def __init__(self, units, head):
        super().__init__()
        self.blocks = [Residual(units), [layers.BatchNormalization()]]
        self.heads = {"one": head}

    def call(self, inputs, training=False):
        h = self.blocks[0](inputs, training=training)
        return self.heads["one"](self.blocks[1][0](h, training=training))


@register_keras_serializable(package="tests")
class Narrow(cornu.Model):
    """A subclass that builds a graph in its constructor."""

    def __init__(self, units):
        inputs = cornu.Input((4,))
        super().__init__(inputs, layers.Dense(1)(layers.Dense(units, name="narrow")(inputs)))


@register_keras_serializable(package="tests")
def own_loss(y_true, y_pred):
    return ops.mean(ops.abs(y_true - y_pred) ** 1.5, axis=-1)


def sequential():
    norm = layers.Normalization()
    norm.adapt(_x(20, 4) * 2 + 1)
    return cornu.Sequential(
        [
            cornu.Input((4,)),
            norm,
            layers.Dense(5, "relu", kernel_regularizer="l2"),
            layers.Dropout(0.5, seed=3),
            layers.BatchNormalization(),
            layers.Dense(1),
        ]
    )


def deferred():
    return cornu.Sequential([layers.Dense(3, "tanh"), layers.GaussianNoise(0.3), layers.Dense(1)])


def functional():
    inputs = cornu.Input((4,), name="rows")
    shared = layers.Dense(4, name="shared")
    inner = cornu.Sequential(
        [cornu.Input((4,)), layers.Dense(4), layers.Dropout(0.2)], name="inner"
    )
    h = inner(shared(inputs)) * 2 + shared(inner(inputs))
    return cornu.Model(inputs, layers.Dense(1)(ops.concatenate([h, -h], axis=-1)), name="twice")


def stack():
    return Stack(4, layers.Dense(1, name="head"))


def narrow():
    return Narrow(3)


KINDS = [sequential, deferred, functional, stack, narrow]


def _trained(make, optimizer="adam", loss="mse"):
    model = make()
    model.compile(optimizer, loss, metrics=["mae"])
    model.fit(_x(10, 4), _x(10, 1, seed=1), batch_size=4, epochs=2, verbose=0)
    return model


@pytest.fixture
def small(tmp_path):
    model = cornu.Sequential([cornu.Input((4,)), layers.Dense(2, name="first"), layers.Dense(1)])
    path = tmp_path / "small.keras"
    model.save(path)
    return model, path


# -- round trips -----------------------------------------------------------------------------------


@pytest.mark.parametrize("make", KINDS)
def test_training_goes_on_bit_for_bit(make, tmp_path):
    model = _trained(make)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = load_model(path)
    assert type(loaded).__name__ == type(model).__name__
    assert loaded.name == model.name
    x, y = _x(6, 4, seed=2), _x(6, 1, seed=3)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    model.reset_metrics()
    for _ in range(3):  # dropout goes on where it was, too
        assert loaded.train_on_batch(x, y) == model.train_on_batch(x, y)
    for a, b in zip(model.variables, loaded.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("make", KINDS)
def test_a_loaded_model_is_saved_the_same_again(make, tmp_path):
    model = _trained(make)
    model.save(tmp_path / "one.keras")
    load_model(tmp_path / "one.keras").save(tmp_path / "two.keras")
    with (
        zipfile.ZipFile(tmp_path / "one.keras") as one,
        zipfile.ZipFile(tmp_path / "two.keras") as two,
    ):
        assert json.loads(one.read("config.json")) == json.loads(two.read("config.json"))
        # the names of layers inside a subclass are counted on
        first, second = (_arrays(archive) for archive in (one, two))
    assert first.keys() == second.keys()
    for path, array in first.items():
        np.testing.assert_array_equal(array, second[path])


def _arrays(archive):
    found = {}
    with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        file.visititems(
            lambda name, item: (
                found.update({name: np.array(item)}) if isinstance(item, h5py.Dataset) else None
            )
        )
    return found


@pytest.mark.parametrize(
    "optimizer",
    [
        cornu.optimizers.SGD(
            cornu.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5), momentum=0.9
        ),
        cornu.optimizers.AdamW(0.01, weight_decay=0.1, use_ema=True, global_clipnorm=1.0),
        cornu.optimizers.Nadam(0.01, gradient_accumulation_steps=2),
    ],
    ids=["schedule", "averages", "accumulation"],
)
def test_optimizers_state_and_settings(optimizer, tmp_path):
    model = _trained(narrow, optimizer, cornu.losses.Huber(0.5))
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert loaded.optimizer.get_config() == optimizer.get_config()
    assert isinstance(loaded.loss, cornu.losses.Huber)
    x, y = _x(5, 4), _x(5, 1)
    model.reset_metrics()
    assert loaded.train_on_batch(x, y) == model.train_on_batch(x, y)
    for a, b in zip(optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_not_compiled_on_request(tmp_path):
    _trained(narrow).save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras", compile=False)
    assert not loaded.compiled
    assert loaded.optimizer is None


def test_several_inputs_outputs_and_losses(tmp_path):
    a, b = cornu.Input((2,), name="a"), cornu.Input((3,), name="b")
    both = layers.Concatenate()([a, b])
    model = cornu.Model(
        {"a": a, "b": b}, [layers.Dense(1, name="one")(both), layers.Dense(2, name="two")(both)]
    )
    model.compile(
        "sgd", {"one": own_loss, "two": "mse"}, metrics={"two": ["mae", cornu.metrics.R2Score()]}
    )
    x = {"a": _x(6, 2), "b": _x(6, 3)}
    y = [_x(6, 1), _x(6, 2)]
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert loaded.loss == {"one": own_loss, "two": "mse"}
    assert loaded.evaluate(x, y, verbose=0, return_dict=True) == model.evaluate(
        x, y, verbose=0, return_dict=True
    )


def test_a_model_that_is_not_built_is_saved_with_a_warning(tmp_path):
    path = tmp_path / "model.keras"
    with pytest.warns(UserWarning, match="holds no weights"):
        deferred().save(path)
    assert not load_model(path).built


def test_mixed_precision_and_half_weights(tmp_path):
    model = cornu.Sequential(
        [
            cornu.Input((4,)),
            layers.Dense(3, dtype="mixed_bfloat16"),
            layers.Dense(3, dtype="bfloat16"),
            layers.Dense(2, dtype="float16"),
        ]
    )
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    for mine, its in zip(model.layers, loaded.layers, strict=True):
        assert mine.dtype_policy == its.dtype_policy
    for a, b in zip(model.weights, loaded.weights, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_one_layer_in_two_models_stays_one(tmp_path):
    shared = layers.Dense(4, name="shared")
    one = cornu.Sequential([cornu.Input((4,)), shared], name="one")
    two = cornu.Sequential([cornu.Input((4,)), shared, layers.ReLU()], name="two")
    inputs = cornu.Input((4,))
    model = cornu.Model(inputs, two(one(inputs)))
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert loaded.get_layer("one").layers[0] is loaded.get_layer("two").layers[0]
    np.testing.assert_array_equal(
        loaded.predict(_x(3, 4), verbose=0), model.predict(_x(3, 4), verbose=0)
    )


@pytest.mark.parametrize("path", ["one.keras", Path("one.keras")])
def test_paths(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    narrow().save(path)
    assert isinstance(load_model(path), Narrow)
    with pytest.raises(TypeError, match="not a path"):
        load_model(3)


# -- operations ------------------------------------------------------------------------------------


def test_operations_go_through_a_file(tmp_path):
    x, y = cornu.Input((3, 4)), cornu.Input((4,))
    h = (ops.mean(x, axis=1) - y) / 2 + ops.maximum(y, 0.0) ** 2
    h = h[:, ::2] + ops.einsum("bij,bj->bi", x, y)[..., :2] * np.array([1.0, 2.0], "float32")
    h = ops.stack([h, 1 - h], axis=-1)
    outputs = [ops.reshape(ops.clip(h, -1, 1), (-1, 4)), ops.split(y, 2, axis=1)[1], y[None, 0]]
    model = cornu.Model([x, y], outputs)
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert loaded.to_json() == model.to_json()
    data = [_x(5, 3, 4), _x(5, 4)]
    for a, b in zip(model(data), loaded(data), strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_operation_that_keras_lacks_is_named(tmp_path):
    from cornu.graph import operation

    @operation
    def twist(x):
        return x[::-1]

    inputs = cornu.Input((3,))
    model = cornu.Model(inputs, twist(inputs))
    with pytest.raises(ValueError, match=r"operation 'twist'.*layer of your own"):
        model.save(tmp_path / "model.keras")
    assert not list(tmp_path.iterdir())


def test_an_array_where_keras_takes_a_number_is_named():
    inputs, low = cornu.Input((3,)), cornu.Input((3,))
    model = cornu.Model([inputs, low], ops.clip(inputs, low, 1.0))
    with pytest.raises(ValueError, match=r"'clip' cannot be written.*x_min is an array"):
        model.to_json()


def test_an_unknown_operation_is_named():
    inputs = cornu.Input((3,))
    config = json.loads(cornu.Model(inputs, ops.exp(inputs)).to_json())
    entry = config["config"]["layers"][1]
    entry["class_name"] = "Exq"
    with pytest.raises(ValueError, match=r"'Exq' of 'keras.src.ops.numpy'.*did you mean 'Exp'"):
        model_from_config(config)
    entry.update(class_name="Exp", config={"name": "exp", "base": 2})
    with pytest.raises(ValueError, match="unknown setting 'base'"):
        model_from_config(config)


# -- the user's own classes ------------------------------------------------------------------------


class Plain(layers.Layer):
    """Not registered; neither get_config nor **kwargs."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor


def test_own_classes_are_found_by_name(tmp_path):
    path = tmp_path / "model.keras"
    model = cornu.Sequential([cornu.Input((4,)), Plain(3.0)])
    model.save(path)
    with pytest.raises(ValueError, match=r"model\.keras: unknown class 'Plain'.*custom_objects"):
        load_model(path)
    loaded = load_model(path, custom_objects={"Plain": Plain})
    assert loaded.layers[0].factor == 3.0
    assert loaded.layers[0].name == model.layers[0].name
    with custom_object_scope({"Plain": Plain}):
        assert load_model(path).layers[0].factor == 3.0
    get_custom_objects()["Plain"] = Plain
    try:
        assert load_model(path).layers[0].factor == 3.0
    finally:
        del get_custom_objects()["Plain"]


def test_frozen_layers_stay_frozen(tmp_path):
    model = cornu.Sequential([cornu.Input((4,)), Plain(3.0), layers.Dense(2), layers.Dense(1)])
    model.layers[0].trainable = model.layers[1].trainable = False
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras", {"Plain": Plain})
    assert [layer.trainable for layer in loaded.layers] == [False, False, True]


def test_a_constructor_that_takes_no_dtype_says_so(tmp_path):
    layer = Plain(2.0)
    layer._policy = cornu.DTypePolicy("bfloat16")
    cornu.Sequential([cornu.Input((4,)), layer]).save(tmp_path / "model.keras")
    with pytest.raises(TypeError, match=r"dtype 'bfloat16'.*add \*\*kwargs"):
        load_model(tmp_path / "model.keras", {"Plain": Plain})


def test_an_own_layer_may_keep_its_variables_its_own_way(tmp_path):
    class Table(layers.Layer):
        def build(self, input_shape):
            self.table = self.add_weight(shape=(2, 3), trainable=False)

        def call(self, inputs):
            return inputs

        def save_own_variables(self, store):
            store["packed"] = self.table.numpy().ravel()

        def load_own_variables(self, store):
            self.table.assign(store["packed"].reshape(2, 3) * 2)

    path = tmp_path / "model.keras"
    model = cornu.Sequential([cornu.Input((4,)), Table()])
    model.save(path)
    loaded = load_model(path, {"Table": Table})
    np.testing.assert_array_equal(loaded.layers[0].table.numpy(), model.layers[0].table.numpy() * 2)


def test_lambdas_and_nameless_functions_are_not_written(tmp_path):
    model = narrow()
    model.compile("sgd", lambda y, p: (y - p) ** 2)
    with pytest.raises(ValueError, match="lambda cannot be written"):
        model.save(tmp_path / "model.keras")
    assert not list(tmp_path.iterdir())


def test_a_network_with_lambdas_is_copied_but_not_written():
    model = cornu.Sequential(
        [
            cornu.Input((3,)),
            cornu.layers.Dense(4, activation=lambda x: 2 * x),
            cornu.layers.Lambda(lambda x: x + 1),
        ]
    )
    copy = cornu.models.clone_model(model)
    copy.set_weights(model.get_weights())
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(copy(x), model(x))
    again = type(model).from_config(model.get_config())
    assert again.layers[0].activation is model.layers[0].activation
    with pytest.raises(ValueError, match="lambda cannot be written"):
        model.to_json()


# -- weights files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("ending", [".weights.h5", ".keras"])
def test_weights_alone(make, ending, tmp_path):
    model = _trained(make)
    path = tmp_path / f"one{ending}"
    model.save_weights(path) if ending != ".keras" else model.save(path)
    other = make()
    other.build((None, 4))
    other.load_weights(str(path))
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_optimizers_state_is_read_where_it_is_built_and_else_left_with_a_warning(tmp_path):
    model = _trained(narrow)
    path = tmp_path / "one.weights.h5"
    model.save_weights(path)
    other = narrow()
    other.compile("adam", "mse")
    with pytest.warns(UserWarning, match="Skipping variable loading for optimizer 'adam"):
        other.load_weights(path)
    other.optimizer.build(other.trainable_variables)
    other.load_weights(path)
    for a, b in zip(model.optimizer.variables, other.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def _two(first, second):
    return cornu.Sequential(
        [
            cornu.Input((4,)),
            layers.Dense(first, name="first"),
            layers.ReLU(),
            layers.Dense(second, name="second"),
        ]
    )


def test_a_shape_that_does_not_fit_is_named_and_nothing_is_changed(tmp_path):
    path = tmp_path / "one.weights.h5"
    _two(3, 2).save_weights(path)
    other = _two(3, 5)
    before = other.get_weights()
    with pytest.raises(
        ValueError,
        match=r"one\.weights\.h5: layer 'second' \(Dense\): kernel has shape \(3, 5\) in the model "
        r"and \(3, 2\) in the file",
    ):
        other.load_weights(path)
    for a, b in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_layers_that_do_not_fit_can_be_left(tmp_path):
    path = tmp_path / "one.weights.h5"
    model = _two(3, 2)
    model.save_weights(path)
    other = _two(3, 5)
    before = other.get_weights()
    with pytest.warns(UserWarning, match=r"1 layer kept their weights: layer 'second'"):
        other.load_weights(path, skip_mismatch=True)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    np.testing.assert_array_equal(other.get_weights()[2], before[2])


def test_objects_to_skip(tmp_path):
    path = tmp_path / "one.weights.h5"
    model, other = _two(3, 2), _two(3, 2)
    model.save_weights(path)
    before = other.get_weights()
    other.load_weights(path, objects_to_skip=[other.layers[0]])
    np.testing.assert_array_equal(other.get_weights()[0], before[0])
    np.testing.assert_array_equal(other.get_weights()[2], model.get_weights()[2])


def test_variables_that_are_missing_are_named(tmp_path):
    path = tmp_path / "one.weights.h5"
    cornu.Sequential([cornu.Input((4,)), layers.Dense(3, use_bias=False)]).save_weights(path)
    with pytest.raises(
        ValueError,
        match=r"has 2 variables: kernel \(4, 3\), bias \(3,\), the file holds 1: \(4, 3\)",
    ):
        cornu.Sequential([cornu.Input((4,)), layers.Dense(3)]).load_weights(path)
    with pytest.raises(ValueError, match=r"the file holds nothing at 'layers/dense_1'"):
        _two(3, 2).load_weights(_saved(tmp_path, layers.Dense(3)))


def _saved(folder, *inside):
    path = folder / "other.weights.h5"
    cornu.Sequential([cornu.Input((4,)), *inside]).save_weights(path)
    return path


def test_what_the_model_has_no_place_for_is_said(tmp_path):
    path = _saved(tmp_path, layers.Dense(3), layers.Dense(2, name="beyond"))
    with pytest.warns(UserWarning, match="no place for what the file holds for 'beyond'"):
        cornu.Sequential([cornu.Input((4,)), layers.Dense(3)]).load_weights(path)


# -- refusals --------------------------------------------------------------------------------------


def _rewritten(path, **members):
    """The same archive with other content in some members; None takes one out."""
    with zipfile.ZipFile(path) as archive:
        content = {info.filename: archive.read(info) for info in archive.infolist()}
    content.update({name.replace("__", "."): value for name, value in members.items()})
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in content.items():
            if value is not None:
                archive.writestr(name, value)


def _edited_config(path, edit):
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    edit(config)
    _rewritten(path, config__json=json.dumps(config))


def test_files_that_are_no_models(small, tmp_path):
    _, path = small
    cases = {
        "missing.keras": (None, "there is no such file"),
        "empty.keras": (b"", "it is empty"),
        "text.keras": (b"hello, world", "not a zip archive"),
        "cut.keras": (path.read_bytes()[:-200], "cut short"),
        "hdf5.keras": (b"\x89HDF\r\n\x1a\n" + b"0" * 99, "HDF5 file.*not read"),
        "old.h5": (b"\x89HDF\r\n\x1a\n" + b"0" * 99, "HDF5 file.*not read"),
        "model.zip": (path.read_bytes(), r"must end in \.keras"),
    }
    for name, (content, sentence) in cases.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name}.*{sentence}"):
            load_model(tmp_path / name)
    with pytest.raises(ValueError, match="it is a folder"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("member", "content", "sentence"),
    [
        ("config__json", None, r"holds no config\.json"),
        ("config__json", b"{not json", "is damaged"),
        ("config__json", b"\xff\xfe", "is damaged"),
        ("config__json", b"[]", "describes no model"),
        ("config__json", b"{}", "not a model"),
        ("model__weights__h5", None, r"holds no model\.weights\.h5"),
        ("model__weights__h5", b"nothing", "damaged, or no HDF5 file"),
    ],
)
def test_damaged_members(member, content, sentence, small):
    _, path = small
    _rewritten(path, **{member: content})
    with pytest.raises(ValueError, match=sentence) as caught:
        load_model(path)
    assert "small.keras" in str(caught.value)


def test_flipped_bytes_are_noticed(small):
    _, path = small
    content = bytearray(path.read_bytes())
    place = content.index(b"HDF") + 3000
    content[place] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"small\.keras is damaged"):
        load_model(path)


def test_cut_weights_files(tmp_path):
    path = tmp_path / "one.weights.h5"
    model = _two(3, 2)
    model.save_weights(path)
    whole = path.read_bytes()
    for size in (0, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"one\.weights\.h5 is damaged"):
            model.load_weights(path)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        model.load_weights(tmp_path / "none.weights.h5")


def test_code_in_a_file_is_not_run(small):
    _, path = small

    def put_bytecode(config):
        config["config"]["layers"][1]["config"]["activation"] = {
            "class_name": "__lambda__",
            "config": {"value": {"code": "4wAAAA==", "defaults": None, "closure": None}},
        }

    _edited_config(path, put_bytecode)
    for safe_mode in (True, False):
        with pytest.raises(ValueError, match=r"bytecode of a lambda.*never run"):
            load_model(path, safe_mode=safe_mode)


@pytest.mark.parametrize("class_name", ["Popen", "system", "function"])
@pytest.mark.parametrize("module", ["subprocess", "os", "cornu_no_such_module", "keras.src.utils"])
def test_nothing_is_imported_for_a_file(module, class_name, small, monkeypatch):
    _, path = small

    def put_class(config):
        config["config"]["layers"][1].update(
            module=module, class_name=class_name, registered_name=class_name, config={}
        )

    _edited_config(path, put_class)
    imported = []
    monkeypatch.setattr("builtins.__import__", _watched(__import__, imported), raising=True)
    with pytest.raises((ValueError, TypeError)):
        load_model(path)
    assert module not in imported
    assert "cornu_no_such_module" not in sys.modules


def _watched(original, names):
    def watch(name, *args, **kwargs):
        names.append(name)
        return original(name, *args, **kwargs)

    return watch


def test_members_outside_of_the_archive_are_not_unpacked(small, tmp_path):
    _, path = small
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../outside.txt", "x")
        archive.writestr("/outside.txt", "x")
        archive.writestr("assets/../../outside.txt", "x")
    before = set(tmp_path.parent.iterdir()) | set(tmp_path.iterdir())
    load_model(path)
    assert set(tmp_path.parent.iterdir()) | set(tmp_path.iterdir()) == before


def test_a_member_made_to_fill_the_memory(small, monkeypatch):
    _, path = small
    monkeypatch.setattr("cornu.saving.files._LARGE_MEMBER", 1 << 16)
    with zipfile.ZipFile(path) as archive:
        config = archive.read("config.json")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", config)
        archive.writestr("model.weights.h5", bytes(1 << 20))
    with pytest.raises(ValueError, match="would grow from"):
        load_model(path)


@pytest.mark.parametrize("kind", ["soft", "external", "file", "virtual", "text", "cycle", "huge"])
def test_data_outside_of_the_weights_file_is_not_read(kind, tmp_path):
    path, other = tmp_path / "one.weights.h5", tmp_path / "other.h5"
    model = _two(3, 2)
    model.save_weights(path)
    with h5py.File(other, "w") as file:
        file["secret"] = np.zeros((4, 3), "float32")
    (tmp_path / "raw").write_bytes(bytes(48))
    with h5py.File(path, "r+") as file:
        group = file["layers/dense/vars"]
        if kind != "cycle":
            del group["0"]
        if kind == "soft":
            group["0"] = h5py.SoftLink("/layers/dense_1/vars/0")
        elif kind == "external":
            group["0"] = h5py.ExternalLink(str(other), "secret")
        elif kind == "file":
            group.create_dataset("0", (4, 3), "f4", external=[(str(tmp_path / "raw"), 0, 48)])
        elif kind == "virtual":
            layout = h5py.VirtualLayout((4, 3), "f4")
            layout[:] = h5py.VirtualSource(str(other), "secret", shape=(4, 3))
            group.create_virtual_dataset("0", layout)
        elif kind == "text":
            group["0"] = "words"
        elif kind == "cycle":
            file["layers/dense/again"] = file["layers"]
        elif kind == "huge":
            group.create_dataset("0", (1 << 20, 1 << 20), "f4", chunks=(64, 64), compression="gzip")
    with pytest.raises(ValueError, match=r"one\.weights\.h5: '?layers/dense"):
        model.load_weights(path)


def test_arguments_that_make_no_sense(small, tmp_path):
    model, path = small
    for call, sentence in (
        (lambda: model.save(tmp_path / "a.h5"), r"HDF5 and SavedModel.*\.keras"),
        (lambda: model.save(tmp_path / "a"), r"must end in \.keras"),
        (lambda: model.save(path, zipped=False), "zip archive"),
        (lambda: model.save(path, colour=1), "unknown argument 'colour'"),
        (lambda: model.save_weights(tmp_path / "a.h5"), r"must end in \.weights\.h5"),
        (lambda: cornu.saving.save_weights(model, "a.weights.h5", max_shard_size=1), "several"),
        (lambda: model.load_weights(tmp_path / "a.h5"), "older or sharded"),
        (lambda: model.load_weights(tmp_path / "a.txt"), r"\.weights\.h5 or \.keras"),
        (lambda: model.load_weights(path, by_name=True), "older .h5"),
        (lambda: deferred().save_weights(tmp_path / "a.weights.h5"), "is not built"),
        (lambda: deferred().load_weights(path), "is not built"),
    ):
        with pytest.raises(ValueError, match=sentence):
            call()


# -- writing whole or not at all -------------------------------------------------------------------


def test_an_existing_file_is_not_replaced_unasked(small, monkeypatch):
    model, path = small
    before = path.read_bytes()
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: SIM115 - closed by the next line
    with sys.stdin, pytest.raises(FileExistsError, match="overwrite=True"):
        model.save(path, overwrite=False)

    class Terminal:
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    for answer, replaced in (("n", False), ("y", True)):
        monkeypatch.setattr("builtins.input", lambda _, answer=answer: answer)
        os.utime(path, (1, 1))
        model.save(path, overwrite=False)
        assert (path.stat().st_mtime > 2) is replaced
    assert len(path.read_bytes()) == len(before)


@pytest.mark.parametrize("save", ["save", "save_weights"])
def test_a_full_disk_leaves_the_last_good_file(save, tmp_path):
    model = cornu.Sequential([cornu.Input((100,)), layers.Dense(100)])
    path = tmp_path / ("one.keras" if save == "save" else "one.weights.h5")
    getattr(model, save)(path)
    good = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # the file needs twice that
    try:
        with pytest.raises(OSError, match=r"one\..*cannot be written.*is unchanged") as caught:
            getattr(model, save)(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.errno == errno.EFBIG
    assert path.read_bytes() == good
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()]
)
def test_whatever_stops_it_leaves_the_last_good_file(step, error, small, monkeypatch):
    model, path = small
    good = path.read_bytes()

    def fail(*args):
        raise error

    monkeypatch.setattr(f"cornu.saving.files.os.{step}", fail)
    sentence = "No space left" if isinstance(error, OSError) else None
    with pytest.raises(type(error), match=sentence):
        model.save(path)
    assert path.read_bytes() == good
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere"):
        narrow().save(tmp_path / "nowhere" / "one.keras")


def test_links_and_permissions_stay(small, tmp_path):
    model, path = small
    link = tmp_path / "link.keras"
    link.symlink_to(path)
    path.chmod(0o640)
    model.save(link)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    load_model(link)


# -- clones and configurations ---------------------------------------------------------------------


@pytest.mark.parametrize("make", KINDS)
def test_a_clone_has_weights_of_its_own(make):
    model = _trained(make)
    clone = clone_model(model)
    assert clone.compiled
    assert clone.name == model.name
    assert not {id(w) for w in clone.weights} & {id(w) for w in model.weights}
    assert [w.shape for w in clone.weights] == [w.shape for w in model.weights]
    clone.set_weights(model.get_weights())
    x = _x(3, 4)
    np.testing.assert_array_equal(clone.predict(x, verbose=0), model.predict(x, verbose=0))


def test_clone_with_other_layers_calls_and_inputs():
    model = functional()

    def wider(layer):
        config = layer.get_config()
        if isinstance(layer, layers.Dropout):
            config["rate"] = 0.0
        return type(layer).from_config(config)

    seen = []

    def call(layer, *args, **kwargs):
        seen.append(layer.name)
        return layer(*args, **kwargs)

    inputs = cornu.Input((4,), name="other")
    clone = clone_model(model, inputs, wider, call, recursive=True)
    assert clone.input is inputs
    assert clone.get_layer("inner").layers[1].rate == 0.0
    assert seen.count("shared") == 2
    assert clone.get_layer("shared") is not model.get_layer("shared")
    with pytest.raises(ValueError, match="takes one symbolic tensor"):
        clone_model(sequential(), [inputs, inputs])
    with pytest.raises(ValueError, match="1 inputs, received 2"):
        clone_model(model, [inputs, inputs])
    with pytest.raises(ValueError, match="a Stack"):
        clone_model(stack(), clone_function=wider)
    with pytest.raises(ValueError, match="listed, not called"):
        clone_model(sequential(), call_function=call)


@pytest.mark.parametrize("make", KINDS)
def test_configuration_and_json(make):
    model = make()
    again = model_from_json(model.to_json())
    assert again.to_json() == model.to_json()
    assert model_from_config(serialize_keras_object(model)).to_json() == model.to_json()
    if not isinstance(model, Stack):
        assert type(model).from_config(model.get_config()).get_config() == model.get_config()


def test_json_that_is_none():
    with pytest.raises(ValueError, match="no JSON"):
        model_from_json("{")
    with pytest.raises(ValueError, match="describes a Adam, not a model"):
        model_from_config(serialize_keras_object(cornu.optimizers.Adam()))
    with pytest.raises(ValueError, match=r"unknown class 'Sequentail'.*did you mean 'Sequential'"):
        model_from_json('{"module": "keras", "class_name": "Sequentail", "config": {}}')


def test_a_full_disk_while_checkpointing(tmp_path):
    path = tmp_path / "one.keras"
    model = cornu.Sequential([cornu.Input((100,)), layers.Dense(100)])
    model.compile("sgd", "mse")
    x, y = _x(8, 100), _x(8, 100)
    checkpoint = cornu.callbacks.ModelCheckpoint(path)
    model.fit(x, y, verbose=0, callbacks=[checkpoint])
    good = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OSError, match=r"cannot write .*one\.keras.*too large.*unchanged"):
            model.fit(x, y, verbose=0, callbacks=[checkpoint])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == good
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    load_model(path)
