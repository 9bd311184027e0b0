"""Losses: reductions, weights, masks, nests, errors of shape, names and configurations."""

import json
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu import losses
from cornu.core.variable import Variable

CLASSES = [name for name in losses.__all__ if isinstance(getattr(losses, name), type)]
BUILT_IN = [name for name in CLASSES if name not in ("Loss", "LossFunctionWrapper")]


class Difference(losses.Loss):
    def call(self, y_true, y_pred):
        return y_pred - y_true


@pytest.mark.parametrize(
    ("reduction", "plain", "weighted"),
    [
        ("sum_over_batch_size", 2.0, 5 / 3),
        ("mean", 2.0, 5 / 3),
        ("mean_with_sample_weight", 2.0, 2.5),
        ("sum", 6.0, 5.0),
        ("none", [1.0, 2.0, 3.0], [0.0, 2.0, 3.0]),
        (None, [1.0, 2.0, 3.0], [0.0, 2.0, 3.0]),
    ],
)
def test_reduction(reduction, plain, weighted):
    loss = Difference(reduction=reduction)
    y_true, y_pred = np.zeros(3), np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(loss(y_true, y_pred), plain, rtol=1e-6)
    np.testing.assert_allclose(loss(y_true, y_pred, [0.0, 1.0, 1.0]), weighted, rtol=1e-6)


def test_mask_counts_only_what_it_lets_through():
    y_pred = jnp.asarray([[1.0, 2.0], [3.0, 100.0]])
    mask = np.array([[True, True], [True, False]])
    assert float(Difference()(jnp.zeros((2, 2)), y_pred, mask=mask)) == pytest.approx(2.0)
    weights = np.array([1.0, 0.0])
    got = Difference(reduction="sum")(jnp.zeros((2, 2)), y_pred, weights, mask=mask)
    assert float(got) == pytest.approx(3.0)
    nothing = np.zeros((2, 2), bool)
    assert float(Difference()(jnp.zeros((2, 2)), y_pred, mask=nothing)) == 0


@pytest.mark.parametrize("shape", [(2,), (2, 1), (2, 1, 1), (2, 3), (2, 3, 1), (2, 3, 4)])
def test_weights_of_leading_axes(shape):
    weights = np.arange(1.0, np.prod(shape) + 1).reshape(shape)
    values = np.ones((2, 3, 4))
    padded = weights.reshape(shape + (1,) * (3 - len(shape)))
    got = Difference(reduction="none")(np.zeros((2, 3, 4)), values, weights)
    np.testing.assert_allclose(got, values * padded)


def test_weights_that_do_not_fit():
    with pytest.raises(ValueError, match=r"sample_weight or mask of shape \(3,\)"):
        Difference()(np.zeros((2, 4)), np.zeros((2, 4)), np.ones(3))


def test_empty_batch():
    assert float(Difference()(np.zeros((0, 3)), np.zeros((0, 3)))) == 0


def test_every_kind_of_array():
    expected = losses.MeanSquaredError()(jnp.asarray([1.0, 2.0]), jnp.asarray([3.0, 2.0]))
    for y_true, y_pred in (
        ([1, 2], [3, 2]),
        ((1.0, 2.0), (3.0, 2.0)),
        (np.array([1, 2], "uint8"), np.array([3, 2], "int64")),
        (Variable(np.array([1.0, 2.0])), Variable(np.array([3.0, 2.0]))),
        ([[1], [2]], [[3], [2]]),
        ([True, 2], [3, np.float32(2)]),
    ):
        assert float(losses.MeanSquaredError()(y_true, y_pred)) == float(expected)


def test_nests():
    def both(y_true, y_pred):
        return jnp.abs(y_true["a"] - y_pred["a"]) + jnp.abs(y_true["b"] - y_pred["b"])

    y_true = {"a": np.ones((2, 1)), "b": np.zeros(2)}
    y_pred = {"a": np.zeros((2, 1)), "b": np.full((2, 1), 3.0)}
    assert float(losses.LossFunctionWrapper(both)(y_true, y_pred)) == 4
    with pytest.raises(ValueError, match="nested in the same way"):
        losses.LossFunctionWrapper(both)({"a": np.zeros(2)}, y_pred)


def test_names_and_dtype():
    assert Difference().name == "difference"
    assert Difference().name == "difference_1"
    assert losses.MeanSquaredError().name == "mean_squared_error"
    half = Difference(dtype="bfloat16")
    assert half.dtype == "bfloat16"
    assert half(np.zeros(2), np.ones(2)).dtype == "bfloat16"
    large = losses.SparseCategoricalCrossentropy(dtype="bfloat16", from_logits=True)
    logits = np.zeros((1, 300), "float32")
    logits[0, 259] = 100
    assert float(large([259], logits)) == 0


def _shapes(true, pred):
    return np.zeros(true, "float32"), np.full(pred, 0.5, "float32")


@pytest.mark.parametrize(
    ("name", "true", "pred", "message"),
    [
        ("sparse_categorical_crossentropy", (4, 3), (4, 3), "one-hot.*categorical_crossentropy"),
        ("sparse_categorical_crossentropy", (4, 2), (4, 3), "give the last layer 2 units"),
        ("sparse_categorical_crossentropy", (5,), (4, 3), "targets for 5 samples"),
        ("categorical_crossentropy", (4,), (4, 3), "'sparse_categorical_crossentropy'"),
        ("categorical_crossentropy", (4, 1), (4, 3), r"to_categorical\(y, 3\)"),
        ("categorical_crossentropy", (4, 2), (4, 3), "3 units: give it 2"),
        ("categorical_focal_crossentropy", (4,), (4, 3), "'sparse_categorical_crossentropy'"),
        ("categorical_hinge", (4,), (4, 3), "'sparse_categorical_crossentropy'"),
        ("binary_crossentropy", (4,), (4, 3), "give it 1 unit"),
        ("binary_crossentropy", (4, 3), (4, 1), "1 unit: give it 3"),
        ("binary_crossentropy", (4, 1), (4, 3), "same shape"),
        ("mean_squared_error", (4, 5), (4, 3), "3 units: give it 5"),
        ("mean_squared_error", (3,), (3, 3), "one number per sample"),
        ("mean_squared_error", (4, 3), (5, 3), "targets for 4 samples and outputs for 5"),
        ("kl_divergence", (4, 3), (4, 3, 2), "Reshape"),
        ("hinge", (4, 2), (4, 3), "give it 2"),
        ("dice", (4, 2), (4, 3), "give it 2"),
        ("circle", (4,), (5, 3), "embeddings"),
        ("ctc", (4,), (4, 5, 3), "max_length"),
        ("ctc", (4, 3), (4, 5), "time"),
        ("ctc", (4, 3), (3, 5, 6), "targets for 4 samples"),
        ("categorical_generalized_cross_entropy", (4, 3), (4, 3), "one-hot"),
    ],
)
def test_shapes_that_do_not_fit(name, true, pred, message):
    function = losses.get(name)
    loss = function if isinstance(function, losses.Loss) else losses.LossFunctionWrapper(function)
    with pytest.raises(ValueError, match=f"^{name}: .*{message}"):
        jax.eval_shape(loss, *_shapes(true, pred))


@pytest.mark.parametrize(
    ("true", "pred"), [((4,), (4, 1)), ((4, 1), (4,)), ((1, 3), (4, 3)), ((4, 1), (4, 3))]
)
def test_shapes_that_fit(true, pred):
    loss = losses.MeanSquaredError()
    assert float(loss(*_shapes(true, pred))) == pytest.approx(0.25)


def test_single_numbers():
    with pytest.raises(ValueError, match="at least one axis"):
        losses.mean_squared_error(1.0, 1.0)


def test_one_class_warns():
    with pytest.warns(SyntaxWarning, match="binary_crossentropy"):
        losses.categorical_crossentropy(np.ones((2, 1)), np.ones((2, 1), "float32"))


def test_crossentropies_agree():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(6, 4)).astype("float32")
    classes = rng.integers(0, 4, 6)
    one_hot = np.eye(4)[classes]
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = -np.log(p[np.arange(6), classes])
    for got in (
        losses.sparse_categorical_crossentropy(classes, p),
        losses.sparse_categorical_crossentropy(classes[:, None], logits, from_logits=True),
        losses.categorical_crossentropy(one_hot, p),
        losses.categorical_crossentropy(one_hot, logits, from_logits=True),
        losses.sparse_categorical_crossentropy(classes, p.T, axis=0),
        losses.categorical_crossentropy(one_hot.T, logits.T, from_logits=True, axis=0),
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_sparse_crossentropy_of_impossible_classes_stays_finite():
    logits = jnp.asarray([[-jnp.inf, 0.0, 1.0]])
    value, gradient = jax.value_and_grad(
        lambda x: losses.SparseCategoricalCrossentropy(from_logits=True)([1], x)
    )(logits)
    assert float(value) == pytest.approx(np.log(1 + np.e), rel=1e-6)
    assert np.isfinite(gradient).all()


def test_binary_crossentropy_of_far_logits_keeps_its_digits():
    def loss(x, y):
        return losses.BinaryCrossentropy(from_logits=True)([[y]], x)

    for x, y in ((20.0, 1.0), (-20.0, 0.0)):
        value, gradient = jax.value_and_grad(loss)(jnp.asarray([[x]]), y)
        assert float(value) == pytest.approx(np.exp(-20), rel=1e-5)
        assert abs(float(gradient[0, 0])) == pytest.approx(np.exp(-20), rel=1e-5)


def test_cosine_similarity_of_zeros_has_a_finite_gradient():
    gradient = jax.grad(lambda x: losses.CosineSimilarity()([[1.0, 0.0]], x))(jnp.zeros((1, 2)))
    assert not np.any(gradient)


def test_ignored_class_does_not_count():
    p = np.full((4, 2), 0.5, "float32")
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    assert float(loss([0, 1, -1, -1], p)) == pytest.approx(np.log(2), rel=1e-6)
    none = losses.SparseCategoricalCrossentropy(ignore_class=-1, reduction="none")
    assert none([0, -1, 1, -1], p).tolist()[1] == 0


@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_ctc_against_all_paths(length):
    import itertools

    rng = np.random.default_rng(length)
    logits = rng.normal(size=(1, 4, 3)).astype("float32")
    p = np.exp(logits[0]) / np.exp(logits[0]).sum(-1, keepdims=True)
    target = ([1, 1, 2, 0] if length == 3 else [2, 1, 0, 0])[:4]
    target = [*target[:length], *[0] * (4 - length)]
    total = 0.0
    for path in itertools.product(range(3), repeat=4):
        merged = [c for i, c in enumerate(path) if c and (i == 0 or path[i - 1] != c)]
        if merged == target[:length]:
            total += np.prod(p[np.arange(4), path])
    got = float(losses.CTC()([target], logits))
    assert got == pytest.approx(-np.log(total), rel=1e-5)


@pytest.mark.parametrize("name", BUILT_IN)
def test_configuration(name):
    loss = getattr(losses, name)(reduction="sum", name="mine")
    config = json.loads(json.dumps(losses.serialize(loss)))
    assert config["module"] == "keras.losses"
    again = losses.deserialize(config)
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    assert (again.name, again.reduction) == ("mine", "sum")


@pytest.mark.parametrize(
    ("loss", "argument"),
    [
        (losses.Huber(delta=2.0), "delta"),
        (losses.CosineSimilarity(axis=0), "axis"),
        (losses.SparseCategoricalCrossentropy(axis=1), "axis"),
        (losses.BinaryCrossentropy(from_logits=True), "from_logits"),
        (losses.Tversky(alpha=0.3), "alpha"),
    ],
)
def test_arguments_survive(loss, argument):
    again = losses.deserialize(losses.serialize(loss))
    assert getattr(again, argument) == getattr(loss, argument)
    assert again._fn_kwargs == loss._fn_kwargs


def _mine(y_true, y_pred, scale=1.0):
    return scale * jnp.mean(jnp.abs(y_true - y_pred), axis=-1)


def test_function_of_the_user():
    loss = losses.LossFunctionWrapper(_mine, scale=3.0, name="mine")
    config = losses.serialize(loss)
    again = losses.deserialize(config, custom_objects={"_mine": _mine})
    assert again.fn is _mine
    assert float(again([[1.0]], [[2.0]])) == 3
    wrapped = losses.LossFunctionWrapper(losses.mean_squared_error)
    assert losses.deserialize(losses.serialize(wrapped)).fn is losses.mean_squared_error


def test_get():
    assert losses.get(None) is None
    for alias, function in {
        "mse": losses.mean_squared_error,
        "MSE": losses.mean_squared_error,
        "mae": losses.mean_absolute_error,
        "bce": losses.binary_crossentropy,
        "kld": losses.kl_divergence,
        "msle": losses.mean_squared_logarithmic_error,
        "MAPE": losses.mean_absolute_percentage_error,
    }.items():
        assert losses.get(alias) is function
    assert isinstance(losses.get("SparseCategoricalCrossentropy"), losses.Loss)
    assert isinstance(losses.get(losses.Huber), losses.Huber)
    assert losses.get(_mine) is _mine
    assert isinstance(losses.get({"class_name": "Poisson", "config": {}}), losses.Poisson)


def test_errors():
    with pytest.raises(ValueError, match="did you mean 'categorical_crossentropy'"):
        losses.get("categorical_crosentropy")
    with pytest.raises(ValueError, match="expected one of 'sum_over_batch_size'"):
        losses.MeanSquaredError(reduction="average")
    with pytest.raises(ValueError, match="q must be between 0 and 1"):
        losses.CategoricalGeneralizedCrossEntropy(q=1.0)
    with pytest.raises(NotImplementedError, match="must define call"):
        losses.Loss()([1.0], [1.0])


def test_no_warnings_under_jit():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = np.eye(3, dtype="float32")
        for name in ("categorical_crossentropy", "mse", "dice", "hinge"):
            jax.jit(losses.get(name))(y, y)
