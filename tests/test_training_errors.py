"""What a user who makes a mistake reads: a sentence, with what was given and what to do."""

import inspect
import os
import resource
import subprocess
import sys
import traceback
import warnings

import numpy as np
import pytest

import cornu as keras
from cornu import layers

X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
Y = np.arange(40) % 3
SPARSE = "sparse_categorical_crossentropy"


def network(units=3, activation="softmax", loss=SPARSE, **compile):
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(units, activation=activation, name="out")]
    )
    model.compile("sgd", loss, **compile)
    return model


def two_outputs(loss="mse", **compile):
    inputs = keras.Input((4,))
    outputs = [layers.Dense(3, name="kind")(inputs), layers.Dense(1, name="size")(inputs)]
    model = keras.Model(inputs, outputs)
    model.compile("sgd", loss, **compile)
    return model


def forever(*batch):
    while True:
        yield batch


def reads(*parts):
    """A pattern for a message that holds these texts in this order."""
    import re

    return "(?s)" + ".*".join(map(re.escape, parts))


def fit(model, *data, **arguments):
    return model.fit(*data, verbose=0, **arguments)


# -- labels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "parts"),
    [
        (Y + 1, ("labels go from 1 to 3", "'out' has 3 units", "subtract 1")),
        (Y - 1, ("labels go from -1 to 1", "classes 0 to 2")),
        (Y * 4, ("labels go from 0 to 8", "needs 9 units")),
    ],
    ids=["from one", "negative", "too high"],
)
def test_labels_out_of_range(labels, parts):
    model = network()
    with pytest.raises(ValueError, match=reads(*parts)):
        fit(model, X, labels)
    with pytest.raises(ValueError, match=reads(*parts)):
        model.evaluate(X, labels, verbose=0)
    with pytest.raises(ValueError, match=reads(*parts)):
        fit(model, X, Y, validation_data=(X, labels))
    with pytest.raises(ValueError, match=reads("train_on_batch", *parts)):
        model.train_on_batch(X, labels)


def test_labels_out_of_range_in_a_stream():
    """The first batch of a stream is looked at."""
    with pytest.raises(ValueError, match=reads("labels go from 5 to 7", "'out' has 3 units")):
        fit(network(), forever(X, Y + 5), steps_per_epoch=2)


def test_labels_that_the_loss_ignores_are_in_range():
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=-1)
    fit(network(loss=loss), X, Y - 1)


MISMATCHED = {
    "one-hot, sparse loss": (
        {},
        np.eye(3)[Y],
        (SPARSE, "one-hot", "categorical_crossentropy", "argmax"),
    ),
    "classes, one-hot loss": (
        {"loss": "categorical_crossentropy"},
        Y,
        ("categorical_crossentropy", SPARSE, "to_categorical"),
    ),
    "classes, binary loss": (
        {"loss": "binary_crossentropy"},
        Y,
        ("binary_crossentropy", "3 units", SPARSE),
    ),
    "wide labels, one unit": (
        {"units": 1, "activation": "sigmoid", "loss": "binary_crossentropy"},
        np.eye(3)[Y],
        ("(32, 3)", "(32, 1)", "1 unit"),
    ),
    "wrong width": ({"activation": None, "loss": "mse"}, X, ("(32, 4)", "(32, 3)", "3 units")),
}


@pytest.mark.parametrize("case", MISMATCHED)
def test_labels_of_another_form_than_the_loss_takes(case):
    arguments, labels, parts = MISMATCHED[case]
    with pytest.raises(ValueError, match=reads(*parts)):
        fit(network(**arguments), X, labels)


SIGNS = np.arange(40) % 2 * 2 - 1
OUTSIDE = {
    "signs": (SIGNS, ("from -1 to 1", "(y + 1) / 2", "'hinge'")),
    "from one": (SIGNS // 2 + 2, ("from 1 to 2", "Subtract 1")),
    "classes": (np.arange(40) % 10, ("from 0 to 9", SPARSE, "10 units")),
    "bytes": (np.where(SIGNS > 0, 255, 7), ("from 7 to 255", "Divide them by 255")),
    "floats": (np.linspace(0, 2.5, 40), ("from 0 to 2.5", "Scale them")),
}


def binary(loss="binary_crossentropy"):
    return network(1, "sigmoid", loss)


def said_of(function):
    """The texts of all warnings, none of them held back because it was said before."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        function()
    assert all(one.filename == __file__ for one in said)
    return [str(one.message) for one in said]


@pytest.mark.parametrize("case", OUTSIDE)
def test_binary_labels_outside_0_to_1_are_said_once(case):
    labels, parts = OUTSIDE[case]
    model = binary()

    def train():
        fit(model, X, labels, epochs=2, validation_data=(X, labels))
        fit(model, X, labels)
        model.evaluate(X, labels, verbose=0)
        model.train_on_batch(X, labels)

    (text,) = said_of(train)
    assert all(part in text for part in ("fit: the labels go", "binary_crossentropy", *parts))


@pytest.mark.parametrize(
    "loss",
    [
        "binary_focal_crossentropy",
        keras.losses.BinaryCrossentropy(from_logits=True),
        keras.losses.binary_crossentropy,
        ["binary_crossentropy"],
    ],
)
def test_binary_labels_of_other_spellings_of_the_loss(loss):
    assert len(said_of(lambda: fit(binary(loss), X, SIGNS))) == 1


def test_binary_labels_in_streams_and_single_batches():
    model = binary()
    assert len(said_of(lambda: fit(model, forever(X, SIGNS), steps_per_epoch=2))) == 1
    model = binary()
    batches = said_of(lambda: [model.train_on_batch(X, SIGNS) for _ in range(3)])
    assert len(batches) == 1
    assert "train_on_batch" in batches[0]
    both = said_of(lambda: fit(binary(), X, SIGNS > 0, validation_data=(X, SIGNS)))
    assert ["validation_data" in text for text in both] == [True]


@pytest.mark.parametrize(
    ("labels", "arguments"),
    [
        (SIGNS > 0, {}),
        ((SIGNS + 1) / 2, {}),
        (np.linspace(0, 1, 40), {}),
        (np.linspace(0, 1.0001, 40), {}),  # as rounding leaves it
        (SIGNS, {"sample_weight": (SIGNS > 0).astype("float32")}),  # what is masked may be anything
    ],
    ids=["booleans", "numbers", "shares", "rounding", "masked"],
)
def test_binary_labels_that_are_fine(labels, arguments):
    assert said_of(lambda: fit(binary(), X, labels, **arguments)) == []


def test_hinge_losses_take_signs():
    for loss in ("hinge", "squared_hinge"):
        assert said_of(lambda loss=loss: fit(network(1, "tanh", loss), X, SIGNS)) == []


# -- inputs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
@pytest.mark.parametrize(
    ("x", "parts"),
    [
        (X.reshape(40, 2, 2), ("rows of shape (4,)", "rows of shape (2, 2)", "Flatten")),
        (X[:, :3], ("rows of shape (4,)", "rows of shape (3,)")),
        (X[0], ("rows of shape (4,)",)),
    ],
    ids=["rank", "size", "a single row"],
)
def test_inputs_of_another_shape(method, x, parts):
    data = (x,) if method == "predict" else (x, Y[: len(x)])
    with pytest.raises(ValueError, match=reads(method, *parts)):
        getattr(network(), method)(*data, verbose=0)


def test_a_single_row_is_told_how_to_become_a_batch():
    with pytest.raises(ValueError, match=reads("(4,)", "x[None]")):
        network().predict(X[0], verbose=0)


def test_inputs_of_another_shape_in_a_stream():
    with pytest.raises(ValueError, match=reads("rows of shape (4,)", "rows of shape (3,)")):
        fit(network(), forever(X[:, :3], Y), steps_per_epoch=2)


def test_lengths_that_differ():
    with pytest.raises(ValueError, match=reads("x has 40", "y has 30")):
        fit(network(), X, Y[:30])
    with pytest.raises(ValueError, match=reads("sample_weight has 3")):
        fit(network(), X, Y, sample_weight=np.ones(3))
    with pytest.raises(ValueError, match=reads("y has 7")):
        fit(network(), X, Y, validation_data=(X[:8], Y[:7]))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_said_once(value):
    x = X.copy()
    x[3, 1] = value
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        history = fit(network(), x, Y, epochs=3).history
    messages = [str(one.message) for one in said]
    assert len(messages) == 1
    assert "x holds 1 value" in messages[0]
    assert len(history["loss"]) == 3
    assert np.isnan(history["loss"]).all()


def test_labels_that_are_not_finite():
    y = np.where(Y == 0, np.nan, Y)
    with pytest.warns(UserWarning, match="y holds 14 values"):
        fit(network(1, None, "mse"), X, y)


def test_text():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    with pytest.raises(ValueError, match=reads("column 'city'", "'Rome'", "encode")):
        fit(network(5), frame.assign(city="Rome"), Y)
    kind = pandas.Categorical(["x", "y"] * 20)
    with pytest.raises(ValueError, match=reads("column 'kind'", "category")):
        fit(network(5), frame.assign(kind=kind), Y)
    with pytest.raises(ValueError, match=reads("y", "'a'", "integers")):
        fit(network(), X, pandas.Series(["a", "b"] * 20))


def test_text_in_arrays():
    with pytest.raises(ValueError, match=reads("y: holds text", "integers")):
        fit(network(), X, np.array(["a", "b"] * 20))
    with pytest.raises(ValueError, match=reads("x", "objects", "not numbers")):
        fit(network(), np.array([[1, 2, 3, "z"]] * 40, object), Y)
    with pytest.raises(ValueError, match=reads("x", "different lengths")):
        fit(network(), [[1, 2], [3]], Y[:2])


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda m: m.fit(X, Y, epochs=2.0), r"fit\(epochs=2.0\): expected an integer.*write 2"),
        (lambda m: m.fit(X, Y, batch_size=32.0), r"fit\(batch_size=32.0\)"),
        (lambda m: m.fit(X, Y, epochs="2"), r"fit\(epochs='2'\).*received a str"),
        (lambda m: m.fit(X, Y, steps_per_epoch=40 / 32), r"steps_per_epoch=1.25.*divide with //"),
        (lambda m: m.fit(X, Y, validation_data=(X, Y), validation_steps=1.0), "validation_steps"),
        (lambda m: m.evaluate(X, Y, batch_size=8.0), r"evaluate\(batch_size=8.0\)"),
        (lambda m: m.predict(X, steps=2.5), r"predict\(steps=2.5\)"),
    ],
)
def test_numbers_that_must_be_whole(use, message):
    with pytest.raises(TypeError, match=message):
        use(network())


def test_whole_numbers_of_any_kind():
    history = fit(network(), X, Y, epochs=np.int64(2), batch_size=np.uint8(8))
    assert len(history.epoch) == 2
    assert network().predict(X, batch_size=np.array(16), verbose=0).shape == (40, 3)


def test_verbose_that_is_neither():
    with pytest.raises(ValueError, match="verbose='yes': expected 0, 1, 2 or 'auto'"):
        network().fit(X, Y, verbose="yes")


OTHER_DATA = {
    "nothing": ((), {}, ("no data",)),
    "numbers": ((5, 3), {}, ("a single number",)),
    "no rows": ((X[:0], Y[:0]), {}, ("no rows",)),
    "no labels": ((X,), {}, (SPARSE, "pass y")),
    "batch_size": ((X, Y), {"batch_size": 0}, ("batch_size=0", "positive integer")),
    "validation_split": ((X, Y), {"validation_split": 1.5}, ("validation_split=1.5", "0 and 1")),
    "both weights": (
        (X, Y),
        {"class_weight": {0: 1.0}, "sample_weight": np.ones(40)},
        ("class_weight", "sample_weight"),
    ),
    "two inputs": (([X, X], Y), {}, ("1 input", "2 arrays")),
    "another input": (({"other": X}, Y), {}, ("no data is given for the input", "other")),
}


@pytest.mark.parametrize("case", OTHER_DATA)
def test_other_data(case):
    data, arguments, parts = OTHER_DATA[case]
    with pytest.raises(ValueError, match=reads(*parts)):
        fit(network(), *data, **arguments)


def test_streams():
    with pytest.raises(ValueError, match="no batch"):
        fit(network(), iter([]))
    with pytest.raises(ValueError, match=reads("(x, y, sample_weight)", "4")):
        fit(network(), iter([(X, Y, Y, Y)]))
    with pytest.raises(ValueError, match=reads("yields labels", "y")):
        fit(network(), forever(X, Y), Y, steps_per_epoch=1)
    with pytest.raises(ValueError, match=reads("validation_split", "arrays")):
        fit(network(), forever(X, Y), validation_split=0.5, steps_per_epoch=2)


@pytest.mark.parametrize("batch", [X, (X,), [X], (X, None)], ids=["x", "(x,)", "[x]", "None"])
@pytest.mark.parametrize("deferred", [False, True], ids=["Input", "no Input"])
def test_a_stream_without_labels(batch, deferred):
    def batches():
        while True:
            yield batch

    model = keras.Sequential([layers.Dense(3)]) if deferred else network()
    model.compile("sgd", SPARSE)
    parts = (SPARSE, "no labels were given", "yields x alone", "(x, y)")
    with pytest.raises(ValueError, match=reads("fit: ", *parts)):
        fit(model, batches(), steps_per_epoch=2)
    with pytest.raises(ValueError, match=reads("evaluate: ", *parts)):
        model.evaluate(batches(), steps=2, verbose=0)
    with pytest.raises(ValueError, match=reads("fit(validation_data): ", *parts)):
        fit(model, X, Y, validation_data=batches(), validation_steps=1)


def test_an_error_in_a_generator_reaches_the_user():
    def failing():
        yield X, Y
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        fit(network(), failing())


# -- several outputs ------------------------------------------------------------------------------


def test_a_wrong_number_of_labels():
    with pytest.raises(ValueError, match=reads("2 outputs (kind, size)", "1 array")):
        fit(two_outputs(), X, X[:, :3])
    with pytest.raises(ValueError, match=reads("2 outputs (kind, size)", "3 arrays")):
        fit(two_outputs(), X, [X[:, :3], X[:, :1], X])


def test_a_wrong_number_of_losses_or_metrics():
    labels = [X[:, :3], X[:, :1]]
    with pytest.raises(ValueError, match=reads("loss: 3 entries", "2 outputs")):
        fit(two_outputs(["mse"] * 3), X, labels)
    with pytest.raises(ValueError, match=reads("metrics: 1 entr", "2 outputs")):
        fit(two_outputs(metrics=["mae"]), X, labels)


def test_an_output_that_is_not_there():
    labels = [X[:, :3], X[:, :1]]
    with pytest.raises(ValueError, match=reads("loss", "'seize'", "did you mean 'size'")):
        fit(two_outputs({"kind": "mse", "seize": "mse"}), X, labels)
    with pytest.raises(ValueError, match=reads("y", "'seize'")):
        fit(two_outputs(), X, {"kind": labels[0], "seize": labels[1]})


# -- names and the order of calls -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({"loss": "catagorical_crossentropy"}, ("loss", "'categorical_crossentropy'")),
        ({"metrics": ["acuracy"]}, ("metric", "'acuracy'", "'accuracy'")),
        ({"weighted_metrics": ["precison"]}, ("metric", "'precision'")),
        ({"optimizer": "adm", "loss": "mse"}, ("optimizer", "'adm'", "'adam'")),
        ({"steps_per_execution": 0, "loss": "mse"}, ("steps_per_execution=0", "positive")),
        ({"loss": 3}, ("loss", "3")),
    ],
    ids=["loss", "metric", "weighted metric", "optimizer", "steps_per_execution", "a number"],
)
def test_compile_names_the_nearest(arguments, parts):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    with pytest.raises(ValueError, match=reads(*parts)):
        model.compile(**arguments)


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        ("fit", {"x": X, "y": Y, "epoch": 3}, "unknown argument 'epoch'; did you mean 'epochs'?"),
        ("compile", {"optimiser": "sgd"}, "'optimiser'; did you mean 'optimizer'?"),
        ("evaluate", {"x": X, "return_dictionary": True}, "did you mean 'return_dict'?"),
        ("predict", {"x": X, "batchsize": 8}, "did you mean 'batch_size'?"),
        ("train_on_batch", {"x": X, "Y": Y}, "did you mean 'y'?"),
        ("predict", {"x": X, "colour": 8}, "'colour'. It takes x, batch_size, verbose, steps"),
    ],
)
def test_a_misspelt_argument(method, arguments, message):
    with pytest.raises(TypeError) as error:
        getattr(network(), method)(**arguments)
    assert str(error.value).startswith(f"Model.{method}: unknown argument ")
    assert message in str(error.value)


def test_a_missing_argument_names_the_public_method():
    with pytest.raises(TypeError, match=r"^Model\.predict\(\) missing 1 required .*'x'"):
        network().predict()


def test_methods_keep_their_signatures():
    fitting = inspect.signature(keras.Model.fit).parameters
    assert list(fitting)[:5] == ["self", "x", "y", "batch_size", "epochs"]
    assert fitting["epochs"].default == 1
    assert "Trains the model" in keras.Model.fit.__doc__


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_compile_comes_first(method):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    with pytest.raises(ValueError, match=reads(method, "model.compile(")):
        getattr(model, method)(X, Y)


def test_predict_needs_no_compile():
    assert keras.Sequential([layers.Dense(2)]).predict(X, verbose=0).shape == (40, 2)


def test_a_model_without_layers():
    with pytest.raises(ValueError, match="no layers"):
        keras.Sequential().predict(X, verbose=0)
    model = keras.Sequential()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="no layers"):
        fit(model, X, X)


def test_a_model_without_call():
    class Empty(keras.Model):
        pass

    with pytest.raises(NotImplementedError, match=reads("Empty", "call")):
        Empty().predict(X, verbose=0)


class Forgets(keras.Model):
    def __init__(self):
        self.inner = layers.Dense(3)

    def call(self, inputs):
        return self.inner(inputs)


class ForgetsTo(keras.Sequential):
    def __init__(self):
        self.add(layers.Dense(3))


@pytest.mark.parametrize(
    "use",
    [
        lambda: Forgets()(X),
        lambda: Forgets().compile("sgd", "mse"),
        lambda: Forgets().fit(X, X),
        lambda: Forgets().evaluate(X, X),
        lambda: Forgets().predict(X),
        lambda: Forgets().build((None, 4)),
        lambda: Forgets().summary(),
        lambda: Forgets().save_weights("x.weights.h5"),
        ForgetsTo,
    ],
)
def test_a_model_that_forgets_to_call_super(use):
    with pytest.raises(RuntimeError, match=r"Forgets\w*\.__init__ must call super\(\)\.__init__"):
        use()


def test_a_loss_that_forgets_to_call_super():
    class Own(keras.losses.Loss):
        def __init__(self, factor):
            self.factor = factor

        def call(self, y_true, y_pred):
            return self.factor * (y_true - y_pred) ** 2

    with pytest.raises(RuntimeError, match=r"Own\.__init__ must call super\(\)\.__init__"):
        fit(network(1, None, Own(2.0)), X, X[:, :1])


def test_weights_that_do_not_fit():
    with pytest.raises(ValueError, match=reads("2 weights", "received 1")):
        network().set_weights([X])
    with pytest.raises(ValueError, match=reads("kernel", "(4, 3)", "(3, 4)")):
        network().set_weights([np.zeros((3, 4)), np.zeros(3)])


# -- inside layers --------------------------------------------------------------------------------


class Branching(layers.Layer):
    def call(self, inputs):
        return inputs if inputs.sum() > 0 else -inputs


class Reading(layers.Layer):
    def call(self, inputs):
        return inputs * float(inputs.sum())


class Numpy(layers.Layer):
    def call(self, inputs):
        return np.tanh(inputs)


def speaks_of_no_tracer(error) -> bool:
    text = str(error.value)
    return not any(word in text for word in ("racer", "fori_loop", "program.py"))


@pytest.mark.parametrize("kind", [Branching, Reading, Numpy])
@pytest.mark.parametrize("deferred", [False, True], ids=["Input", "no Input"])
def test_a_layer_that_needs_values(kind, deferred):
    begin = [] if deferred else [keras.Input((4,))]
    with pytest.raises(
        TypeError, match=reads("'mine'", kind.__name__, "(None, 4)", "ops")
    ) as error:
        model = keras.Sequential([*begin, kind(name="mine"), layers.Dense(3, "softmax")])
        model.compile("sgd", SPARSE)
        fit(model, X, Y)
    assert speaks_of_no_tracer(error)


def test_a_model_that_needs_values():
    class Net(keras.Model):
        def call(self, inputs):
            return inputs if bool(inputs.sum() > 0) else -inputs

    model = Net(name="mine")
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match=reads("'mine'", "Net")) as error:
        fit(model, X, X)
    assert speaks_of_no_tracer(error)


def test_such_a_layer_runs_eagerly():
    """Where it says its output shape, nothing needs to be traced."""

    class Said(Reading):
        def compute_output_shape(self, input_shape):
            return input_shape

    model = keras.Sequential([Said(), layers.Dense(3, "softmax")])
    model.compile("sgd", SPARSE, run_eagerly=True)
    assert np.isfinite(fit(model, X, Y).history["loss"]).all()


def test_a_loss_that_needs_values():
    def own_loss(y_true, y_pred):
        return y_pred if y_pred.sum() > 0 else -y_pred

    with pytest.raises(TypeError, match=reads("own_loss", "ops")) as error:
        fit(network(1, None, own_loss), X, Y)
    assert speaks_of_no_tracer(error)


def test_a_metric_that_needs_values():
    def own_metric(y_true, y_pred):
        return float(y_pred.mean())

    with pytest.raises(TypeError, match=reads("own_metric", "ops")) as error:
        fit(network(metrics=[own_metric]), X, Y)
    assert speaks_of_no_tracer(error)


class Narrow(layers.Layer):
    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(7, 2))

    def call(self, inputs):
        return inputs @ self.kernel


SHAPES = {
    "matrices": ((4,), lambda: Narrow(name="mine"), ("'mine' (Narrow)", "(None, 4)", "(7,)")),
    "reshape": ((4,), lambda: layers.Reshape((3,), name="mine"), ("'mine'", "Reshape", "4", "3")),
    "rank": ((4,), lambda: layers.Conv2D(2, 3, name="mine"), ("'mine' (Conv2D)", "(None, 4)")),
    "window": (
        (2, 2, 1),
        lambda: layers.Conv2D(2, 3, name="mine"),
        ("'mine' (Conv2D)", "(None, 2, 2, 1)"),
    ),
}


@pytest.mark.parametrize("case", SHAPES)
def test_a_shape_error_names_the_layer_and_its_inputs(case):
    shape, make, parts = SHAPES[case]
    with pytest.raises((ValueError, TypeError), match=reads(*parts)):
        keras.Sequential([keras.Input(shape), make()])


# -- what the user sees of it ---------------------------------------------------------------------


def lines_of(error):
    """The files that a traceback goes through."""
    return [frame.filename for frame in traceback.extract_tb(error.value.__traceback__)]


def own_error(y_true, y_pred):
    raise LookupError("in the loss of the program")


def failing():
    yield X, Y
    raise LookupError("in the generator of the program")


SENTENCES = {
    "one-hot, sparse loss": lambda: fit(network(), X, np.eye(3)[Y]),
    "classes, one-hot loss": lambda: fit(network(loss="categorical_crossentropy"), X, Y),
    "labels out of range": lambda: network().evaluate(X, Y + 5),
    "inputs": lambda: network().predict(X[:, :2]),
    "a layer alone": lambda: layers.Conv2D(2, 3, name="mine")(X),
    "a layer in a network": lambda: keras.Sequential([keras.Input((4,)), Narrow(name="mine")]),
    "needs values": lambda: keras.Sequential([keras.Input((4,)), Branching(name="mine")]),
    "the user's loss": lambda: fit(network(loss=own_error), X, Y),
    "the user's generator": lambda: fit(network(), failing()),
}


@pytest.mark.parametrize("case", SENTENCES)
def test_a_sentence_comes_with_the_lines_of_the_program(case, monkeypatch):
    monkeypatch.delenv("CORNU_TRACEBACK", raising=False)
    with pytest.raises((ValueError, TypeError, LookupError)) as error:
        SENTENCES[case]()
    files = lines_of(error)
    inside = [file for file in files if file != __file__]
    assert len(inside) <= 3  # of Cornu, where it handed the error on
    assert not [file for file in inside if "site-packages" in file]
    assert "JAX" not in "".join(getattr(error.value, "__notes__", ()))
    if isinstance(error.value, LookupError):
        assert files[-1] == __file__  # the line of the user's that failed
    monkeypatch.setenv("CORNU_TRACEBACK", "full")
    with pytest.raises(type(error.value)) as whole:
        SENTENCES[case]()
    assert str(whole.value) == str(error.value)
    assert len(lines_of(whole)) > len(files)


def test_an_error_that_nobody_foresaw_keeps_all_lines(monkeypatch):
    monkeypatch.delenv("CORNU_TRACEBACK", raising=False)
    # it comes about inside Cornu, in a line that does not raise it
    monkeypatch.setattr("cornu.data.arrays.row_count", None)
    with pytest.raises(TypeError, match="not callable") as error:
        fit(network(), X, Y)
    files = [os.path.basename(file) for file in lines_of(error)]
    assert files[-3:] == ["entry.py", "training.py", "source.py"]


def test_a_program_shows_only_its_own_lines(tmp_path):
    """Under plain `python program.py`."""
    program = tmp_path / "program.py"
    program.write_text(
        "import numpy as np, cornu as keras\n"
        "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, 'softmax')])\n"
        f"model.compile('sgd', {SPARSE!r})\n"
        "model.fit(np.ones((40, 4)), np.eye(3)[np.arange(40) % 3])\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "CORNU_TRACEBACK"}
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, env=environment, check=False
    )
    trace = done.stderr[done.stderr.index("Traceback") :]
    assert trace.count("File ") == 2
    assert "program.py" in trace
    assert "one-hot" in trace
    assert "JAX" not in trace


@pytest.mark.parametrize("kind", ["Input", "no Input", "functional", "subclass", "eager"])
def test_softmax_over_one_unit_is_said_once_where_it_is_written(kind):
    outputs = Y % 2

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.out = layers.Dense(1, "softmax")

        def call(self, inputs):
            return self.out(inputs)

    def train():
        if kind == "functional":
            inputs = keras.Input((4,))
            model = keras.Model(inputs, layers.Dense(1, "softmax")(inputs))
        elif kind == "subclass":
            model = Net()
        else:
            begin = [keras.Input((4,))] if kind == "Input" else []
            model = keras.Sequential([*begin, layers.Dense(1, "softmax")])
        model.compile("sgd", "binary_crossentropy", run_eagerly=kind == "eager")
        fit(model, X, outputs, validation_data=(X, outputs), epochs=2)
        model.evaluate(X, outputs, verbose=0)
        model.predict(X, verbose=0)

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        train()
    assert {str(one.message) for one in said} == {
        "softmax over axis -1, which has length 1, always gives 1; for a single unit use sigmoid"
    }
    # Python prints a text once for each line
    lines = {(one.filename, one.lineno) for one in said}
    assert {file for file, _ in lines} == {__file__}
    assert len(lines) == 1 or kind == "eager"


def test_a_warning_from_a_thread_that_compiles_points_at_fit():
    model = network(1, "sigmoid", "categorical_crossentropy")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        line = inspect.currentframe().f_lineno + 1
        fit(model, X, X[:, :1] * 0)
    texts = {(one.filename, str(one.message)) for one in said}
    assert len(texts) == 1  # whatever the size of the batch, so that it is printed once
    assert {one.lineno for one in said} <= {line, inspect.getsourcelines(fit)[1] + 1}


# -- checkpoints ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["best.keras", "best.weights.h5"])
def test_a_full_disk_leaves_the_last_checkpoint(tmp_path, name):
    path = tmp_path / name
    model = network()
    model.add(layers.Dense(2000))
    model.add(layers.Dense(3, "softmax"))
    model.compile("sgd", SPARSE)
    kept = []
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_the_disk(epoch, logs):
        if epoch == 0:
            kept.extend(model.get_weights())
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, unlimited[1]))

    hooks = [
        keras.callbacks.ModelCheckpoint(path, save_weights_only=name.endswith("h5")),
        keras.callbacks.LambdaCallback(on_epoch_end=fill_the_disk),
    ]
    try:
        with pytest.raises(OSError, match=name):
            fit(model, X, Y, epochs=3, callbacks=hooks)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)

    assert [file.name for file in tmp_path.iterdir()] == [name]
    if name.endswith(".keras"):
        model = keras.models.load_model(path)
    else:
        model.load_weights(path)
    for found, expected in zip(model.get_weights(), kept, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["train_step", "test_step", "predict_step"])
def test_a_step_of_ones_own_is_refused_not_ignored(name):
    class Own(keras.Sequential):
        pass

    setattr(Own, name, lambda self, *data: None)
    model = Own([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((4, 3), "float32")
    for call in (lambda: model.fit(x, x[:, :1]), lambda: model.predict(x)):
        with pytest.raises(NotImplementedError, match=rf"Own\.{name}.*compute_loss"):
            call()


def test_validation_data_and_evaluation_without_labels():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    model.compile("sgd", "mse")
    x = np.ones((4, 3), "float32")
    with pytest.raises(ValueError, match=r"fit\(validation_data\).*no labels were given"):
        model.fit(x, x, validation_data=x, verbose=0)
    model.fit(x, x, verbose=0)
    with pytest.raises(ValueError, match=r"evaluate.*no labels were given: pass y"):
        model.evaluate(x, verbose=0)
