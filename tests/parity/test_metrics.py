"""Every metric against Keras': values, state, weights, resets, configurations both ways."""

import warnings

import jax
import numpy as np
import pytest

from cornu import metrics
from cornu.core import serialization
from cornu.metrics import for_output

keras = pytest.importorskip("keras")

TOLERANCE = {"rtol": 1e-6, "atol": 1e-6}


def batches(kind: str):
    """Two batches of labels and predictions, the last one smaller."""
    rng = np.random.default_rng(7)
    made = []
    for size in (16, 7):
        if kind == "binary":
            y, p = rng.integers(0, 2, (size, 1)), rng.random((size, 1))
        elif kind == "binary vector":
            y, p = rng.integers(0, 2, size), rng.random(size)
            p[:2] = 0.0, 1.0
        elif kind == "binary mixed ranks":
            y, p = rng.integers(0, 2, size), rng.random((size, 1))
        elif kind == "grid":  # predictions that fall on thresholds
            y, p = rng.integers(0, 2, (size, 1)), rng.integers(0, 11, (size, 1)) / 10
        elif kind == "logits":
            y, p = rng.integers(0, 2, (size, 1)), rng.normal(size=(size, 1)) * 3
        elif kind == "multi-label":
            y, p = rng.integers(0, 2, (size, 3)), rng.random((size, 3))
        elif kind == "one-hot":
            y, p = np.eye(6)[rng.integers(0, 6, size)], rng.dirichlet(np.ones(6), size)
        elif kind == "one-hot images":
            y = np.eye(3)[rng.integers(0, 3, (size, 2, 4))]
            p = rng.dirichlet(np.ones(3), (size, 2, 4))
        elif kind == "sparse":
            y, p = rng.integers(0, 6, size), rng.dirichlet(np.ones(6), size)
        elif kind == "sparse column":
            y, p = rng.integers(0, 6, (size, 1)), rng.dirichlet(np.ones(6), size)
        elif kind == "sparse sequence":
            y, p = rng.integers(0, 6, (size, 5)), rng.dirichlet(np.ones(6), (size, 5))
        elif kind == "sparse ties":
            y, p = rng.integers(0, 6, size), rng.integers(0, 3, (size, 6)).astype(float)
        elif kind == "wide":
            y, p = rng.integers(0, 300, size).astype("uint16"), rng.random((size, 300))
            p[np.arange(size), y] += rng.integers(0, 2, size)
        elif kind == "classes":
            y, p = rng.integers(0, 3, (size, 2, 4)), rng.integers(0, 3, (size, 2, 4))
        elif kind == "ranked":
            y, p = rng.integers(0, 6, size), np.argsort(rng.random((size, 6)))
        elif kind == "numbers":
            y, p = rng.random((size, 4)) + 0.1, rng.random((size, 4)) + 0.1
        elif kind == "number":
            y, p = rng.random(size), rng.random((size, 1))
        elif kind == "number sequence":
            y, p = rng.random((size, 3, 4)), rng.random((size, 3, 4))
        elif kind == "signs":
            y, p = rng.integers(0, 2, (size, 3)) * 2 - 1, rng.normal(size=(size, 3))
        made.append((y.astype("float32") if y.dtype == float else y, p.astype("float32")))
        if kind in ("classes", "ranked"):
            made[-1] = (y, p)
    return made


def weights(kind: str | None, y, p):
    """Weights of one of the shapes that users pass."""
    rng = np.random.default_rng(len(y))
    shapes = {"sample": y.shape[:1], "column": (len(y), 1), "value": y.shape, "scalar": ()}
    if kind is None:
        return None
    value = rng.integers(0, 4, shapes[kind]) / 2
    return value.astype("float32")


# (class, arguments, kinds of data)
TABLE = [
    ("Accuracy", {}, ["sparse column", "classes"]),
    ("BinaryAccuracy", {}, ["binary", "binary vector", "binary mixed ranks", "multi-label"]),
    ("BinaryAccuracy", {"threshold": 0.3, "dtype": "float32"}, ["grid"]),
    ("CategoricalAccuracy", {}, ["one-hot", "one-hot images"]),
    (
        "SparseCategoricalAccuracy",
        {},
        ["sparse", "sparse column", "sparse sequence", "sparse ties", "wide"],
    ),
    ("TopKCategoricalAccuracy", {"k": 2}, ["one-hot", "one-hot images"]),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, ["sparse", "sparse column", "sparse sequence"]),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, ["ranked"]),
    ("BinaryCrossentropy", {}, ["binary", "multi-label"]),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, ["logits"]),
    ("CategoricalCrossentropy", {}, ["one-hot"]),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, ["one-hot"]),
    ("SparseCategoricalCrossentropy", {}, ["sparse", "sparse sequence"]),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, ["sparse"]),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}, ["sparse", "sparse sequence"]),
    ("KLDivergence", {}, ["one-hot"]),
    ("Poisson", {}, ["number sequence"]),
    *(
        (name, arguments, kinds)
        for name in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives")
        for arguments, kinds in (
            ({}, ["grid", "binary mixed ranks"]),
            ({"thresholds": [0.7, 0.2, 0.5]}, ["multi-label", "grid"]),
        )
    ),
    *(
        (name, arguments, kinds)
        for name in ("Precision", "Recall")
        for arguments, kinds in (
            ({}, ["binary mixed ranks", "one-hot"]),
            ({"thresholds": 0.3}, ["binary vector"]),
            ({"thresholds": [0.0, 0.5, 1.0]}, ["grid"]),
            ({"thresholds": [0.9, 0.1]}, ["binary"]),
            ({"top_k": 2}, ["one-hot images"]),
            ({"top_k": 2, "class_id": 1}, ["one-hot"]),
            ({"class_id": 2}, ["multi-label"]),
        )
    ),
    *(
        ("AUC", {"curve": curve, "summation_method": method}, ["grid"])
        for curve in ("ROC", "PR", "PRGAIN")
        for method in ("interpolation", "minoring", "majoring")
    ),
    ("AUC", {"num_thresholds": 2}, ["binary"]),
    ("AUC", {"from_logits": True, "num_thresholds": 50}, ["logits"]),
    ("AUC", {"thresholds": [0.8, 0.1, 0.35]}, ["binary vector", "grid"]),
    ("AUC", {"thresholds": [0.25, 0.5, 0.75], "curve": "PR"}, ["binary mixed ranks", "grid"]),
    ("AUC", {"multi_label": True}, ["one-hot"]),
    ("AUC", {"multi_label": True, "num_labels": 3, "curve": "PR"}, ["multi-label"]),
    (
        "AUC",
        {"multi_label": True, "num_labels": 3, "label_weights": [0.2, 0.5, 0.3]},
        ["multi-label"],
    ),
    ("AUC", {"multi_label": True, "thresholds": [0.3, 0.6, 0.7]}, ["multi-label"]),
    ("AUC", {"label_weights": [0.2, 0.5, 0.3], "num_thresholds": 10}, ["multi-label"]),
    ("AUC", {"label_weights": [0.2, 0.5, 0.3], "thresholds": [0.1, 0.7]}, ["multi-label"]),
    *(
        (name, {argument: 0.6, **more}, kinds)
        for name, argument in (
            ("SensitivityAtSpecificity", "specificity"),
            ("SpecificityAtSensitivity", "sensitivity"),
            ("PrecisionAtRecall", "recall"),
            ("RecallAtPrecision", "precision"),
        )
        for more, kinds in (
            ({}, ["binary vector"]),
            ({"num_thresholds": 1}, ["binary"]),
            ({"num_thresholds": 11, "class_id": 1}, ["multi-label"]),
        )
    ),
    *(("F1Score", {"average": a}, ["one-hot"]) for a in (None, "micro", "macro", "weighted")),
    *(
        ("FBetaScore", {"beta": 2.0, "average": average, "threshold": 0.4}, ["multi-label"])
        for average in (None, "micro", "macro", "weighted")
    ),
    *(
        (name, {}, kinds)
        for name, kinds in (
            ("MeanSquaredError", ["numbers", "number", "number sequence"]),
            ("RootMeanSquaredError", ["numbers", "number", "number sequence"]),
            ("MeanAbsoluteError", ["number"]),
            ("MeanAbsolutePercentageError", ["number"]),
            ("MeanSquaredLogarithmicError", ["number sequence"]),
            ("LogCoshError", ["numbers"]),
        )
    ),
    ("CosineSimilarity", {}, ["numbers"]),
    ("CosineSimilarity", {"axis": 1}, ["number sequence"]),
    ("R2Score", {}, ["numbers", "number"]),
    ("R2Score", {"class_aggregation": None}, ["numbers"]),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, ["numbers"]),
    ("R2Score", {"num_regressors": 3}, ["numbers"]),
    ("Hinge", {}, ["signs", "binary"]),
    ("SquaredHinge", {}, ["signs"]),
    ("CategoricalHinge", {}, ["one-hot"]),
    ("IoU", {"num_classes": 3, "target_class_ids": [0, 2], "dtype": "float32"}, ["classes"]),
    ("IoU", {"num_classes": 2, "target_class_ids": [1]}, ["classes"]),
    (
        "IoU",
        {"num_classes": 6, "target_class_ids": [0, 5], "sparse_y_pred": False},
        ["sparse"],
    ),
    ("BinaryIoU", {}, ["grid", "multi-label"]),
    ("BinaryIoU", {"target_class_ids": [1], "threshold": 0.3}, ["grid"]),
    ("MeanIoU", {"num_classes": 3}, ["classes"]),
    ("MeanIoU", {"num_classes": 3, "ignore_class": 0}, ["classes"]),
    ("OneHotIoU", {"num_classes": 3, "target_class_ids": [0, 1]}, ["one-hot images"]),
    ("OneHotMeanIoU", {"num_classes": 6}, ["one-hot"]),
    ("PearsonCorrelation", {}, ["numbers"]),
    ("PearsonCorrelation", {"axis": 1}, ["number sequence"]),
    ("ConcordanceCorrelation", {}, ["numbers"]),
    ("ConcordanceCorrelation", {"axis": -2}, ["number sequence"]),
]
CASES = [(name, arguments, kind) for name, arguments, kinds in TABLE for kind in kinds]


def label_of(case) -> str:
    name, arguments, kind = case
    return "-".join([name, *(f"{key}={value}" for key, value in arguments.items()), kind])


# Keras itself fails on these inside jit
EAGER_IN_KERAS = [
    ("AUC", {"multi_label": True, "thresholds": [0.3, 0.6, 0.7]}),
    ("R2Score", {"num_regressors": 3}),
]
# weights that Keras fails on and that have one clear meaning
MORE_WEIGHTS = {
    *((name, kind) for name in ("F1Score", "FBetaScore") for kind in ("scalar", "column", "value")),
    ("SparseCategoricalCrossentropy", "sample"),
}


def usable(metric, state, data) -> list[str]:
    """The kinds of weights that a metric takes."""
    y, p = data[0]
    found = []
    for kind in ("sample", "column", "value", "scalar"):
        try:
            jax.eval_shape(metric.stateless_update_state, state, y, p, weights(kind, y, p))
        except (TypeError, ValueError):
            continue
        found.append(kind)
    return found


def run(metric, state, data, kinds):
    """State and result after all batches; after one with each kind of weights."""
    update = metric.stateless_update_state
    states = [state]
    for y, p in data:
        states[0] = update(states[0], y, p)
    y, p = data[0]
    states += [update(state, y, p, weights(kind, y, p)) for kind in kinds]
    return [(list(state), metric.stateless_result(state)) for state in states]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES, ids=label_of)
def test_values_and_state(case):
    name, arguments, kind = case
    data = batches(kind)
    ours, theirs = getattr(metrics, name)(**arguments), getattr(keras.metrics, name)(**arguments)
    ours.build(*data[0])
    if len(theirs.variables) < len(ours.variables):  # Keras makes them in the first update
        theirs.update_state(*data[0])
        theirs.reset_state()
    state = [np.asarray(variable.value) for variable in theirs.variables]
    for own, other in zip(ours.stateless_reset_state(), state, strict=True):
        assert (own.shape, own.dtype) == (other.shape, other.dtype)
        np.testing.assert_array_equal(own, other)

    eager = (name, arguments) in EAGER_IN_KERAS
    kinds = ["sample", "value"] if eager else usable(theirs, state, data)
    if name in ("F1Score", "FBetaScore"):
        kinds = ["sample"]  # of a matrix of weights, Keras makes an outer product
    more = set(usable(ours, state, data)) - set(kinds)
    assert eager or all((name, kind) in MORE_WEIGHTS for kind in more)

    theirs_run = run if eager else jax.jit(run, static_argnums=(0, 3))
    expected = theirs_run(theirs, state, data, tuple(kinds))
    received = jax.jit(run, static_argnums=(0, 3))(ours, state, data, tuple(kinds))
    for (own, own_result), (other, other_result) in zip(received, expected, strict=True):
        for value, expected_value in zip(own, other, strict=True):
            np.testing.assert_allclose(value, expected_value, rtol=2e-6, atol=2e-6)
        np.testing.assert_allclose(own_result, other_result, **TOLERANCE)


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return round(value, 6) if isinstance(value, float) else value


@pytest.mark.parametrize(
    ("name", "arguments"),
    [(name, arguments) for name, arguments, _ in TABLE]
    + [("Mean", {"name": "loss"}), ("Sum", {"dtype": "float16"})],
    ids=str,
)
def test_configurations_are_exchanged(name, arguments):
    theirs = (
        getattr(keras.metrics, name)(name="here", **arguments)
        if "name" not in arguments
        else (getattr(keras.metrics, name)(**arguments))
    )
    config = keras.metrics.serialize(theirs)
    ours = metrics.deserialize(config)
    assert type(ours) is getattr(metrics, name)
    expected = theirs.get_config()
    if name == "CosineSimilarity" and arguments:
        ours = type(ours)(name="here", **arguments)
        expected["axis"] = arguments["axis"]  # Keras forgets it
    assert plain(ours.get_config()) == plain(expected)
    assert plain(metrics.serialize(ours)) | {"config": None} == plain(config) | {"config": None}

    back = keras.metrics.deserialize(metrics.serialize(ours))
    assert type(back) is type(theirs)
    assert plain(back.get_config()) == plain(theirs.get_config())


@pytest.mark.parametrize("function", ["mean_squared_error", "binary_accuracy", "huber"])
def test_wrapped_functions_are_exchanged(function):
    theirs = keras.metrics.MeanMetricWrapper(getattr(keras.metrics, function), name="f")
    ours = metrics.deserialize(keras.metrics.serialize(theirs))
    back = keras.metrics.deserialize(metrics.serialize(ours))
    y, p = batches("numbers")[0]
    for metric in (theirs, ours, back):
        metric.update_state(y, p)
    np.testing.assert_allclose(ours.result(), np.asarray(theirs.result()), **TOLERANCE)
    np.testing.assert_allclose(back.result(), np.asarray(theirs.result()), **TOLERANCE)


@pytest.mark.parametrize("name", ["Mean", "Sum"])
@pytest.mark.parametrize("shape", [(), (5,), (5, 1), (5, 3), (5, 3, 2)], ids=str)
def test_reductions(name, shape):
    rng = np.random.default_rng(3)
    for weight_shape in (None, (), shape[:1], shape[:2], shape, (5, 1), (1,)):
        theirs, ours = getattr(keras.metrics, name)(), getattr(metrics, name)()
        update = jax.jit(ours.stateless_update_state)
        state = ours.stateless_reset_state()
        for _ in range(2):
            values = rng.random(shape).astype("float32")
            weight = None if weight_shape is None else rng.random(weight_shape).astype("float32")
            try:
                theirs.update_state(values, weight)
            except Exception:
                with pytest.raises(ValueError):
                    update(state, values, weight)
                break
            state = update(state, values, weight)
        else:
            np.testing.assert_allclose(
                state, [np.asarray(v) for v in theirs.variables], **TOLERANCE
            )


@pytest.mark.parametrize("kind", ["sparse sequence", "one-hot images", "number sequence"])
def test_masks(kind):
    name = {
        "sparse sequence": "SparseCategoricalAccuracy",
        "one-hot images": "CategoricalCrossentropy",
        "number sequence": "MeanSquaredError",
    }[kind]
    y, p = batches(kind)[0]
    mask = np.random.default_rng(0).random(p.shape[:-1]) > 0.4
    steps = weights("sample", y, p)[(...,) + (None,) * (mask.ndim - 1)] * np.ones(mask.shape)
    for weight in (None, steps.astype("float32")):
        theirs, ours = getattr(keras.metrics, name)(), getattr(metrics, name)()
        predictions = jax.numpy.asarray(p)
        keras.src.backend.set_keras_mask(predictions, jax.numpy.asarray(mask))
        theirs.update_state(y, predictions, weight)
        ours.update_state(y, p, weight, mask=mask)
        expected = [np.asarray(variable) for variable in theirs.variables]
        np.testing.assert_allclose([v.numpy() for v in ours.variables], expected, rtol=1e-6)
    # one weight for each sample: Keras fails here
    ours.reset_state()
    ours.update_state(y, p, weights("sample", y, p), mask=mask)
    np.testing.assert_allclose([v.numpy() for v in ours.variables], expected, rtol=1e-6)


SHAPES = [
    ((None,), (None, 1)),
    ((None, 1), (None, 1)),
    ((None,), (None, 10)),
    ((None, 1), (None, 10)),
    ((None, 10), (None, 10)),
    ((None, 5), (None, 5, 10)),
    ((None, 5, 1), (None, 5, 10)),
    ((None, 5, 10), (None, 5, 10)),
    ((None, 2), (None, 2)),
    ((None,), (None,)),
]


@pytest.mark.parametrize("word", ["accuracy", "acc", "Accuracy", "ACC"])
@pytest.mark.parametrize(("true", "pred"), SHAPES, ids=str)
def test_accuracy_is_chosen_as_in_keras(word, true, pred):
    from keras.src.trainers.compile_utils import get_metric

    true, pred = (tuple(8 if size is None else size for size in s) for s in (true, pred))
    y, p = keras.KerasTensor(true), keras.KerasTensor(pred)
    theirs = get_metric(word, y, p)
    ours = for_output(
        word, jax.ShapeDtypeStruct(true, "float32"), jax.ShapeDtypeStruct(pred, "float32")
    )
    assert (type(ours).__name__, ours.name) == (type(theirs).__name__, theirs.name)


@pytest.mark.parametrize(
    "identifier",
    [
        "mse",
        "MAE",
        "mean_squared_error",
        "AUC",
        "f1_score",
        "Precision",
        "kl_divergence",
        "sparse_categorical_crossentropy",
        "r2_score",
    ],
)
def test_log_names(identifier):
    from keras.src.trainers.compile_utils import get_metric

    spec = jax.ShapeDtypeStruct((8, 4), "float32")
    theirs = get_metric(identifier, keras.KerasTensor((8, 4)), keras.KerasTensor((8, 4)))
    ours = for_output(identifier, spec, spec)
    assert (type(ours).__name__, ours.name) == (type(theirs).__name__, theirs.name)


def test_every_name_of_keras_is_known():
    from keras.src.metrics import ALL_OBJECTS_DICT

    for name, cls in ALL_OBJECTS_DICT.items():
        if cls in (keras.metrics.Metric, keras.metrics.MeanMetricWrapper):
            continue
        try:
            cls()
        except TypeError:
            with pytest.raises(TypeError, match="needs arguments"):
                metrics.get(name)
        else:
            assert type(metrics.get(name)).__name__ == cls.__name__
    public = {name for name in dir(keras.metrics) if not name.startswith("_")}
    assert public <= set(metrics.__all__)


def test_direction_is_keras():
    for name in keras.metrics.__dict__:
        theirs = getattr(keras.metrics, name)
        if not (isinstance(theirs, type) and issubclass(theirs, keras.metrics.Metric)):
            continue
        try:
            expected = getattr(theirs(), "_direction", None)
        except TypeError:
            continue
        assert getattr(getattr(metrics, name)(), "_direction", None) == expected, name


FUNCTIONS = [name for name in metrics.__all__ if name.islower()]
for name in ("get", "serialize", "deserialize", "for_output"):
    FUNCTIONS.remove(name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    kind = "sparse" if name.startswith("sparse") else "one-hot"
    y, p = batches(kind)[0]
    arguments = {"k": 2} if "top_k" in name else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = jax.jit(lambda y, p: getattr(keras.metrics, name)(y, p, **arguments))(y, p)
    ours = jax.jit(lambda y, p: getattr(metrics, name)(y, p, **arguments))(y, p)
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=2e-6, atol=1e-6)


def test_registered_function_in_a_wrapper():
    @serialization.register_keras_serializable(package="parity")
    def doubled(y_true, y_pred):
        return 2 * y_pred

    wrapped = metrics.MeanMetricWrapper(doubled, name="doubled")
    again = metrics.deserialize(metrics.serialize(wrapped))
    assert again._fn is doubled
