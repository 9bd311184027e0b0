"""Losses against Keras: values, reductions, weights, gradients, configurations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu import losses

keras = pytest.importorskip("keras")

REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none")


def _data(kind):
    """Targets and outputs, extreme rows first."""
    rng = np.random.default_rng(7)
    rows, units = 12, 5
    normal = rng.normal(size=(rows, units)).astype("float32")
    positive = np.abs(normal) + 0.01
    rates = np.concatenate([np.eye(units, dtype="float32")[:2], positive[2:]])
    softmax = np.exp(normal) / np.exp(normal).sum(-1, keepdims=True)
    softmax[:3] = np.eye(units)[[0, 1, 1]]
    sigmoid = 1 / (1 + np.exp(-2 * normal))
    sigmoid[0] = [0, 1, 0, 1, 0.5]
    logits = 3 * normal
    logits[:3] = 40 * np.eye(units)[[0, 1, 1]] - 20
    classes = rng.integers(0, units, rows)
    classes[:3] = [0, 1, 2]
    one_hot = np.eye(units, dtype="float32")[classes]
    bits = rng.integers(0, 2, (rows, units)).astype("float32")
    bits[0] = [0, 1, 1, 0, 1]
    spikes = 15 * normal
    spikes[0] = [-100, 100, 100, -30, 30]
    unit = normal / np.linalg.norm(normal, axis=-1, keepdims=True)
    return {
        "numbers": (rng.normal(size=(rows, units)).astype("float32"), normal),
        "column": (rng.normal(size=(rows, 1)).astype("float32"), normal[:, :1]),
        "vector and column": (rng.normal(size=rows).astype("float32"), normal[:, :1]),
        "column and vector": (rng.normal(size=(rows, 1)).astype("float32"), normal[:, 0]),
        "images": (rng.normal(size=(3, 4, 2)), rng.normal(size=(3, 4, 2)).astype("float32")),
        "counts": (rng.integers(0, 4, (rows, units)).astype("float32"), rates),
        "signs": (2 * bits - 1, normal),
        "bits and numbers": (bits, normal),
        "probabilities": (softmax[::-1].copy(), softmax),
        "one-hot": (one_hot, softmax),
        "one-hot logits": (one_hot, logits),
        "classes": (classes.astype("int64"), softmax),
        "column of classes": (classes[:, None].astype("uint8"), softmax),
        "class logits": (classes.astype("float32"), logits),
        "classes of positions": (
            rng.integers(0, units, (rows, 3)),
            rng.dirichlet(np.ones(units), (rows, 3)).astype("float32"),
        ),
        "unknown classes": (np.where(np.arange(rows) % 3, classes, -1), softmax),
        "inner classes": (classes, np.clip(softmax, 0.01, 1)),
        "bits": (bits, sigmoid),
        "bit logits": (bits, spikes),
        "vector of bits": (bits[:, 0].astype("int32"), sigmoid[:, :1]),
        "maps": (
            (rng.random((4, 3, 3, 1)) > 0.5).astype("float32"),
            rng.random((4, 3, 3, 1)).astype("float32"),
        ),
        "embeddings": (np.repeat([0, 1, 2, 3], 3), unit),
        "sequences": (
            np.array([[1, 2, 2, 0], [3, 1, 0, 0], [4, 4, 4, 1]]),
            rng.normal(size=(3, 9, 5)).astype("float32"),
        ),
    }[kind]


CASES = [
    ("MeanSquaredError", {}, "numbers"),
    ("MeanSquaredError", {}, "vector and column"),
    ("MeanSquaredError", {}, "column and vector"),
    ("MeanSquaredError", {}, "images"),
    ("MeanAbsoluteError", {}, "numbers"),
    ("MeanAbsoluteError", {}, "column"),
    ("MeanAbsolutePercentageError", {}, "counts"),
    ("MeanSquaredLogarithmicError", {}, "numbers"),
    ("Huber", {}, "numbers"),
    ("Huber", {"delta": 0.3}, "numbers"),
    ("LogCosh", {}, "numbers"),
    ("CosineSimilarity", {}, "numbers"),
    ("CosineSimilarity", {"axis": 1}, "images"),
    ("KLDivergence", {}, "probabilities"),
    ("Poisson", {}, "counts"),
    ("Hinge", {}, "signs"),
    ("Hinge", {}, "bits and numbers"),
    ("SquaredHinge", {}, "signs"),
    ("SquaredHinge", {}, "bits and numbers"),
    ("CategoricalHinge", {}, "one-hot logits"),
    ("BinaryCrossentropy", {}, "bits"),
    ("BinaryCrossentropy", {}, "vector of bits"),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, "bits"),
    ("BinaryCrossentropy", {"from_logits": True}, "bit logits"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "bit logits"),
    ("BinaryCrossentropy", {"axis": 0}, "bits"),
    ("BinaryFocalCrossentropy", {}, "bits"),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "gamma": 1.5}, "bits"),
    ("BinaryFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "one-hot"),
    ("CategoricalCrossentropy", {}, "one-hot"),
    ("CategoricalCrossentropy", {}, "probabilities"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "one-hot"),
    ("CategoricalCrossentropy", {"from_logits": True}, "one-hot logits"),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "one-hot logits"),
    ("CategoricalFocalCrossentropy", {}, "one-hot"),
    ("CategoricalFocalCrossentropy", {"alpha": [0.1, 0.2, 0.3, 0.2, 0.2]}, "one-hot"),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "gamma": 1.0}, "one-hot logits"),
    ("SparseCategoricalCrossentropy", {}, "classes"),
    ("SparseCategoricalCrossentropy", {}, "column of classes"),
    ("SparseCategoricalCrossentropy", {}, "classes of positions"),
    ("SparseCategoricalCrossentropy", {}, "unknown classes"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}, "classes"),
    ("SparseCategoricalCrossentropy", {"ignore_class": -1}, "unknown classes"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "class logits"),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 1}, "class logits"),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.7}, "inner classes"),
    ("Dice", {}, "maps"),
    ("Dice", {"axis": [1, 2, 3]}, "maps"),
    ("Tversky", {"alpha": 0.3, "beta": 0.8}, "maps"),
    ("Tversky", {"axis": (1, 2, 3)}, "maps"),
    ("Circle", {}, "embeddings"),
    ("Circle", {"gamma": 10.0, "margin": 0.2, "remove_diagonal": False}, "embeddings"),
    ("CTC", {}, "sequences"),
]


def _everything(cls, arguments, y_true, y_pred, weight):
    """Every reduction with and without weights, and gradients, in one compiled program."""

    def run(y_true, y_pred, weight):
        found = {}
        for reduction in REDUCTIONS:
            loss = cls(reduction=reduction, **arguments)
            found[reduction] = loss(y_true, y_pred)
            found[f"{reduction}, weighted"] = loss(y_true, y_pred, weight)
        loss = cls(**arguments)
        found["gradient"] = jax.grad(lambda p: loss(y_true, p))(y_pred)
        elements = cls(reduction="none", **arguments)
        found["gradient of the elements"] = jax.grad(
            lambda p: jnp.sum(jnp.sin(elements(y_true, p)))
        )(y_pred)
        return found

    return jax.tree.map(np.asarray, jax.jit(run)(y_true, y_pred, weight))


@pytest.mark.parametrize(
    ("name", "arguments", "kind"), CASES, ids=[f"{c[0]}-{c[1]}-{c[2]}" for c in CASES]
)
def test_values_and_gradients(name, arguments, kind):
    y_true, y_pred = _data(kind)
    ours, theirs = getattr(losses, name), getattr(keras.losses, name)
    elements = theirs(reduction="none", **arguments)(y_true, y_pred)
    weight = np.linspace(0, 2, max(elements.size, 1), dtype="float32").reshape(elements.shape)
    # a sum over paths through time, in another order than Keras'
    tolerance = 1e-5 if name == "CTC" else 1e-6
    got = _everything(ours, arguments, y_true, y_pred, weight)
    expected = _everything(theirs, arguments, y_true, y_pred, weight)
    for what, value in expected.items():
        assert got[what].dtype == value.dtype, what
        assert got[what].shape == value.shape, what
        scale = tolerance / 10 * (np.abs(value).max() if "gradient" in what else 1)
        np.testing.assert_allclose(got[what], value, rtol=tolerance, atol=scale, err_msg=what)


@pytest.mark.parametrize(
    "name",
    [
        "binary_crossentropy",
        "binary_focal_crossentropy",
        "categorical_crossentropy",
        "categorical_focal_crossentropy",
        "categorical_hinge",
        "cosine_similarity",
        "dice",
        "hinge",
        "huber",
        "kl_divergence",
        "log_cosh",
        "mean_absolute_error",
        "mean_absolute_percentage_error",
        "mean_squared_error",
        "mean_squared_logarithmic_error",
        "poisson",
        "squared_hinge",
        "tversky",
    ],
)
def test_functions(name):
    y_true, y_pred = _data("one-hot")
    got = getattr(losses, name)(y_true, y_pred)
    expected = getattr(keras.losses, name)(y_true, y_pred)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight_shape", [None, (3, 4), (3, 1)])
def test_masks(reduction, weight_shape):
    from keras.src import backend

    rng = np.random.default_rng(1)
    y_true, y_pred = rng.normal(size=(2, 3, 4, 2)).astype("float32")
    mask = rng.random((3, 4)) > 0.4
    weight = None if weight_shape is None else rng.random(weight_shape).astype("float32")
    masked = jnp.asarray(y_pred)
    backend.set_keras_mask(masked, jnp.asarray(mask))
    expected = keras.losses.MeanSquaredError(reduction=reduction)(y_true, masked, weight)
    got = losses.MeanSquaredError(reduction=reduction)(y_true, y_pred, weight, mask=mask)
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_mask_and_ignored_class_together():
    from keras.src import backend

    y_true, y_pred = _data("classes of positions")
    mask = np.arange(y_true.size).reshape(y_true.shape) % 4 > 0
    masked = jnp.asarray(y_pred)
    backend.set_keras_mask(masked, jnp.asarray(mask))
    expected = keras.losses.SparseCategoricalCrossentropy(ignore_class=1)(y_true, masked)
    got = losses.SparseCategoricalCrossentropy(ignore_class=1)(y_true, y_pred, mask=mask)
    np.testing.assert_allclose(got, expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_dtype(dtype):
    y_true, y_pred = _data("classes")
    got = losses.SparseCategoricalCrossentropy(dtype=dtype)(y_true, y_pred)
    expected = keras.losses.SparseCategoricalCrossentropy(dtype=dtype)(y_true, y_pred)
    assert got.dtype == expected.dtype == dtype
    np.testing.assert_allclose(float(got), float(expected), rtol=1e-2)


@pytest.mark.parametrize(("name", "arguments"), sorted({c[0]: c[1] for c in CASES}.items()))
def test_configuration(name, arguments):
    theirs = getattr(keras.losses, name)(**arguments)
    config = keras.losses.serialize(theirs)
    loss = losses.deserialize(config)
    assert type(loss) is getattr(losses, name)
    defaults = getattr(keras.losses, name)()
    assert losses.serialize(losses.deserialize(keras.losses.serialize(defaults))) == (
        keras.losses.serialize(defaults)
    )
    ours = getattr(losses, name)(**arguments)
    # not losses.deserialize, which in Keras does not know all of its own losses
    back = keras.saving.deserialize_keras_object(losses.serialize(ours))
    assert type(back) is type(theirs)
    for argument, value in theirs._fn_kwargs.items():
        expected = list(value) if isinstance(value, tuple) else value
        assert back._fn_kwargs[argument] == expected
    again = losses.deserialize(losses.serialize(ours))
    assert losses.serialize(again) == losses.serialize(ours)


def test_wrapped_function():
    from keras.src.losses.losses import LossFunctionWrapper

    theirs = LossFunctionWrapper(keras.losses.huber, delta=0.5, name="mine")
    config = keras.losses.serialize(theirs)
    ours = losses.deserialize(config)
    assert isinstance(ours, losses.LossFunctionWrapper)
    back = keras.losses.deserialize(losses.serialize(ours))
    y_true, y_pred = _data("numbers")
    expected = theirs(y_true, y_pred)
    np.testing.assert_allclose(ours(y_true, y_pred), expected, rtol=1e-6)
    np.testing.assert_allclose(back(y_true, y_pred), expected, rtol=1e-6)


def test_names():
    from keras.src.losses import ALL_OBJECTS_DICT

    for name, theirs in ALL_OBJECTS_DICT.items():
        if name in ("Loss", "LossFunctionWrapper"):
            continue
        ours = losses.get(name)
        assert getattr(ours, "__name__", type(ours).__name__) == theirs.__name__
    public = {name for name in dir(keras.losses) if not name.startswith("_")}
    assert public <= set(losses.__all__)
