"""Losses and metrics of one and of several outputs: values, names and their order, beside Keras."""

import numpy as np
import pytest

from .training_pairs import cornu, keras, mlp, one_hot, pair, rows, same_numbers, same_training

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

X, Y = rows()
SECOND = np.random.default_rng(5).normal(size=(len(X), 2)).astype("float32")
VALUE = X[:, :1] * 2
ROW_WEIGHTS = np.linspace(0.2, 2.0, len(X)).astype("float32")


# -- one output -----------------------------------------------------------------------------------

LABELS = {
    "binary": (1, "sigmoid", "binary_crossentropy", (Y > 0).astype("int64")),
    "binary column": (1, "sigmoid", "binary_crossentropy", (Y > 0).astype("float32")[:, None]),
    "binary logits": (1, None, lambda k: k.losses.BinaryCrossentropy(from_logits=True), Y > 0),
    "one hot": (3, "softmax", "categorical_crossentropy", one_hot(Y)),
    "sparse": (3, "softmax", "sparse_categorical_crossentropy", Y),
    "sparse column": (3, "softmax", "sparse_categorical_crossentropy", Y[:, None]),
    "multi-label": (3, "sigmoid", "binary_crossentropy", (X[:, :3] > 0).astype("float32")),
    "regression": (1, None, "mse", VALUE),
    "regression, flat labels": (1, None, "mse", VALUE[:, 0]),
    "regression of several": (2, None, "mae", SECOND),
}


@pytest.mark.parametrize("metric", ["accuracy", "acc"])
@pytest.mark.parametrize("case", LABELS)
def test_metrics_named_for_the_labels(case, metric):
    units, activation, loss, y = LABELS[case]
    theirs, ours = pair(
        lambda k: mlp(k, units, activation),
        lambda k: {
            "optimizer": "sgd",
            "loss": loss(k) if callable(loss) else loss,
            "metrics": [metric],
        },
    )
    fit = {"x": X, "y": np.asarray(y), "epochs": 2, "batch_size": 16}
    same_training(theirs, ours, fit, evaluate=(X, np.asarray(y)))


@pytest.mark.parametrize("case", ["binary", "one hot", "sparse", "sparse column", "multi-label"])
def test_loss_named_crossentropy(case):
    units, activation, _, y = LABELS[case]
    theirs, ours = pair(lambda k: mlp(k, units, activation), {"loss": "crossentropy"})
    same_training(theirs, ours, {"x": X, "y": y, "epochs": 2})


def test_several_metrics_of_one_output():
    theirs, ours = pair(
        mlp,
        lambda k: {
            "optimizer": "adam",
            "loss": k.losses.CategoricalCrossentropy(label_smoothing=0.1),
            "metrics": [
                "accuracy",
                "mse",
                k.metrics.AUC(name="area"),
                k.metrics.Precision(),
                k.metrics.TopKCategoricalAccuracy(2),
                k.metrics.F1Score(average="macro"),
                "AUC",
            ],
            "weighted_metrics": ["acc", k.metrics.Recall(), "mae"],
        },
    )
    y = one_hot(Y)
    fit = {"x": X, "y": y, "epochs": 2, "sample_weight": ROW_WEIGHTS, "validation_split": 0.2}
    same_training(theirs, ours, fit, evaluate=(X, y))


def test_two_metrics_of_one_name():
    theirs, ours = pair(
        mlp,
        lambda k: {
            "loss": "sparse_categorical_crossentropy",
            "metrics": [
                "accuracy",
                k.metrics.SparseTopKCategoricalAccuracy(2, name="accuracy"),
                k.metrics.SparseTopKCategoricalAccuracy(1, name="accuracy"),
            ],
            "weighted_metrics": [
                "accuracy",
                k.metrics.SparseTopKCategoricalAccuracy(2, name="accuracy"),
            ],
        },
    )
    # not the list from evaluate(), in which Keras puts the first of them several times
    same_training(theirs, ours, {"x": X, "y": Y, "epochs": 1})


def test_metric_that_is_not_a_number():
    theirs, ours = pair(
        mlp,
        lambda k: {"loss": "categorical_crossentropy", "metrics": [k.metrics.F1Score()]},
    )
    y = one_hot(Y)
    found = ours.evaluate(X, y, verbose=0)
    expected = theirs.evaluate(X, y, verbose=0)
    assert np.shape(found[1]) == (3,)
    same_numbers(found, [expected[0], np.asarray(expected[1])])


def test_function_as_metric_and_as_loss():
    def build(k):
        def distance(y_true, y_pred):
            return k.ops.mean(k.ops.abs(y_true - y_pred), axis=-1)

        def largest(y_true, y_pred):
            return k.ops.max(y_pred, axis=-1)

        return {"optimizer": "sgd", "loss": distance, "metrics": [largest, distance]}

    theirs, ours = pair(lambda k: mlp(k, 2, None), build)
    fit = {"x": X, "y": SECOND, "epochs": 2, "sample_weight": ROW_WEIGHTS}
    same_training(theirs, ours, fit, evaluate=(X, SECOND))


def test_user_classes_of_loss_and_metric():
    def build(k):
        class Cubed(k.losses.Loss):
            def call(self, y_true, y_pred):
                return k.ops.mean(k.ops.abs(y_true - y_pred) ** 3, axis=-1)

        class Largest(k.metrics.Metric):
            def __init__(self, name="largest", **kwargs):
                super().__init__(name=name, **kwargs)
                self.value = self.add_weight(shape=(), initializer="zeros", name="value")
                self.calls = self.add_variable(shape=(), initializer="zeros", name="calls")

            def update_state(self, y_true, y_pred, sample_weight=None):
                self.value.assign(k.ops.maximum(self.value, k.ops.max(y_pred)))
                self.calls.assign_add(1.0)

            def result(self):
                return {"largest": self.value + 0.0, "calls": self.calls * 1.0}

        return {"optimizer": "sgd", "loss": Cubed(), "metrics": [Largest(), "mse"]}

    theirs, ours = pair(lambda k: mlp(k, 2, None), build)
    same_training(theirs, ours, {"x": X, "y": SECOND, "epochs": 2, "validation_split": 0.2})
    expected = theirs.evaluate(X, SECOND, verbose=0, return_dict=True)
    found = ours.evaluate(X, SECOND, verbose=0, return_dict=True)
    same_numbers(dict(sorted(found.items())), dict(sorted(expected.items())))


@pytest.mark.parametrize("weight", [0.5, [0.5]])
def test_loss_weight_of_one_output(weight):
    theirs, ours = pair(mlp, {"loss": "sparse_categorical_crossentropy", "loss_weights": weight})
    same_training(theirs, ours, {"x": X, "y": Y, "epochs": 2}, evaluate=(X, Y))


def test_loss_in_a_list_for_one_output():
    theirs, ours = pair(mlp, {"loss": ["sparse_categorical_crossentropy"], "metrics": [["acc"]]})
    same_training(theirs, ours, {"x": X, "y": Y, "epochs": 2}, evaluate=(X, Y))


def test_loss_by_name_for_one_output():
    def build(k):
        inputs = k.Input((4,))
        return k.Model(inputs, k.layers.Dense(3, "softmax", name="digit")(inputs))

    theirs, ours = pair(build, {"loss": {"digit": "sparse_categorical_crossentropy"}})
    same_training(theirs, ours, {"x": X, "y": Y, "epochs": 2})


# -- several outputs ------------------------------------------------------------------------------


def branches(k):
    """Two inputs; outputs "kind" (3 classes) and "size" (2 numbers)."""
    first = k.Input((4,), name="first")
    second = k.Input((2,), name="second")
    joined = k.layers.Concatenate()([first, second])
    hidden = k.layers.Dense(8, activation="relu")(joined)
    kind = k.layers.Dense(3, activation="softmax", name="kind")(hidden)
    size = k.layers.Dense(2, name="size")(hidden)
    return k.Model([first, second], [kind, size])


def branches_with_dict_outputs(k):
    model = branches(k)
    kind, size = model.outputs
    return k.Model(model.inputs, {"size_out": size, "kind_out": kind})


INPUTS = [X, SECOND]
INPUTS_BY_NAME = {"second": SECOND, "first": X}
TARGETS = [Y, SECOND * 2]
TARGETS_BY_NAME = {"size": SECOND * 2, "kind": Y}
COMPILES = {
    "lists": {
        "loss": ["sparse_categorical_crossentropy", "mse"],
        "metrics": [["accuracy"], ["mae", "mse"]],
    },
    "dicts": {
        "loss": {"size": "mse", "kind": "sparse_categorical_crossentropy"},
        "metrics": {"size": ["mae"], "kind": "accuracy"},
        "loss_weights": {"size": 0.25, "kind": 2.0},
    },
    "one loss for all": {"loss": "mse", "metrics": [["mae"], ["mae"]]},
    "weights in a list": {
        "loss": ["sparse_categorical_crossentropy", "mse"],
        "loss_weights": [0.1, 3.0],
    },
    "weighted metrics": {
        "loss": ["sparse_categorical_crossentropy", "mse"],
        "metrics": [["accuracy"], None],
        "weighted_metrics": [["accuracy"], ["mae"]],
    },
    "metrics of one": {
        "loss": {"size": "mse", "kind": "sparse_categorical_crossentropy"},
        "metrics": {"size": ["mae"]},
    },
}


def _targets(case):
    return [one_hot(Y), SECOND * 2] if case == "one loss for all" else TARGETS


@pytest.mark.parametrize("case", COMPILES)
def test_several_outputs(case):
    theirs, ours = pair(branches, {"optimizer": "sgd", **COMPILES[case]})
    y = _targets(case)
    same_training(
        theirs,
        ours,
        {"x": INPUTS, "y": y, "epochs": 2, "batch_size": 8, "validation_split": 0.2},
        evaluate=(INPUTS, y),
    )
    same_numbers(
        ours.predict(INPUTS, verbose=0), theirs.predict(INPUTS, verbose=0), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(
    ("x", "y"),
    [(INPUTS_BY_NAME, TARGETS), (tuple(INPUTS), tuple(TARGETS)), (INPUTS_BY_NAME, TARGETS_BY_NAME)],
    ids=["dict of inputs", "tuples", "dicts"],
)
def test_forms_of_inputs_and_labels(x, y):
    compile = COMPILES["dicts"]
    theirs, ours = pair(branches, {"optimizer": "sgd", **compile})
    same_training(theirs, ours, {"x": x, "y": y, "epochs": 2}, evaluate=(x, y))


def test_weights_of_rows_for_each_output():
    weights = [ROW_WEIGHTS, ROW_WEIGHTS[::-1].copy()]
    fit = {"x": INPUTS, "y": TARGETS, "sample_weight": weights, "epochs": 2}
    theirs, ours = pair(branches, COMPILES["weighted metrics"])
    same_training(theirs, ours, fit)


def test_one_weight_of_rows_for_all_outputs():
    theirs, ours = pair(branches, COMPILES["weighted metrics"])
    same_training(
        theirs, ours, {"x": INPUTS, "y": TARGETS, "sample_weight": ROW_WEIGHTS, "epochs": 2}
    )


def test_outputs_in_a_dict():
    theirs, ours = pair(
        branches_with_dict_outputs,
        {
            "loss": {"kind_out": "sparse_categorical_crossentropy", "size_out": "mse"},
            "metrics": {"kind_out": ["accuracy"], "size_out": ["mae"]},
        },
    )
    y = {"kind_out": Y, "size_out": SECOND * 2}
    same_training(theirs, ours, {"x": INPUTS, "y": y, "epochs": 2}, evaluate=(INPUTS, y))
    same_numbers(
        dict(sorted(ours.predict(INPUTS, verbose=0).items())),
        dict(sorted(theirs.predict(INPUTS, verbose=0).items())),
        rtol=1e-4,
        atol=1e-5,
    )


def test_generator_of_several_inputs_and_outputs():
    def batches():
        while True:
            for start in range(0, 48, 12):
                part = slice(start, start + 12)
                yield (X[part], SECOND[part]), (Y[part], SECOND[part])

    theirs, ours = pair(branches, COMPILES["lists"])
    same_training(theirs, ours, lambda k: {"x": batches(), "steps_per_epoch": 6, "epochs": 2})


def test_output_without_a_loss():
    compile = {
        "optimizer": "sgd",
        "loss": {"kind": "sparse_categorical_crossentropy", "size": None},
    }
    theirs, ours = pair(branches, compile)
    same_training(theirs, ours, {"x": INPUTS, "y": TARGETS, "epochs": 2})


def test_names_of_metrics_are_those_of_the_logs():
    """Keras lists "compile_metrics" in one piece; the names here are those of the values."""
    model = branches(cornu)
    model.compile(**COMPILES["weighted metrics"])
    model.train_on_batch(INPUTS, TARGETS)
    values = model.evaluate(INPUTS, TARGETS, verbose=0)
    logs = model.evaluate(INPUTS, TARGETS, verbose=0, return_dict=True)
    assert len(model.metrics_names) == len(values)
    assert sorted(model.metrics_names) == sorted(logs)
    assert [logs[name] for name in model.metrics_names] == values


@pytest.mark.parametrize("library", [keras, cornu], ids=["keras", "cornu"])
def test_metrics_must_be_a_list(library):
    model = mlp(library)
    with pytest.raises(ValueError, match="metrics"):
        model.compile(loss="mse", metrics="accuracy")
        model.fit(X, one_hot(Y), verbose=0)
