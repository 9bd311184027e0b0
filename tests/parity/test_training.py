"""What `fit`, `evaluate`, `predict` and the single-batch methods do with data, beside Keras."""

import itertools

import numpy as np
import pytest

from .training_pairs import (
    cornu,
    keras,
    mlp,
    one_hot,
    pair,
    rows,
    same_evaluation,
    same_numbers,
    same_training,
)

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SPARSE = {"optimizer": "sgd", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
# not two of one name: Keras' list from evaluate() then holds the first of them twice
WEIGHTED = {**SPARSE, "weighted_metrics": ["acc"]}
X, Y = rows()
HELD = rows(21, seed=1)
ROW_WEIGHTS = np.linspace(0.2, 2.0, len(X)).astype("float32")


def sparse_pair(compile=SPARSE):
    return pair(mlp, compile)


FITS = {
    "plain": {},
    "one batch": {"batch_size": 64},
    "batches of one": {"batch_size": 1, "epochs": 1},
    "default batch size": {"batch_size": None},
    "validation_split": {"validation_split": 0.25},
    "validation_split with weights": {"validation_split": 0.3, "sample_weight": ROW_WEIGHTS},
    "validation_data": {"validation_data": HELD},
    "validation_data as a list": {"validation_data": list(HELD)},
    "weighted validation_data": {"validation_data": (*HELD, np.linspace(0, 1, 21))},
    "validation_data beats validation_split": {"validation_data": HELD, "validation_split": 0.5},
    "validation_freq": {"validation_data": HELD, "validation_freq": 2, "epochs": 5},
    "validation_freq list": {"validation_data": HELD, "validation_freq": [1, 4], "epochs": 5},
    "validation_steps": {"validation_data": HELD, "validation_steps": 2},
    "validation_batch_size": {"validation_data": HELD, "validation_batch_size": 5},
    "initial_epoch": {"initial_epoch": 3, "epochs": 5},
    "sample_weight": {"sample_weight": ROW_WEIGHTS},
    "sample_weight column": {"sample_weight": ROW_WEIGHTS[:, None]},
    "class_weight": {"class_weight": {0: 0.3, 1: 2.0, 2: 1.0}},
    "class_weight of some": {"class_weight": {1: 4.0}},
    "labels as a column": {"y": Y[:, None]},
    "labels as floats": {"y": Y.astype("float32")},
    "x in float64": {"x": X.astype("float64")},
    "x of integers": {"x": np.round(X).astype("int64")},
    "steps_per_epoch": {"steps_per_epoch": 3, "batch_size": 8, "epochs": 2},
    "steps_per_epoch, all batches": {"steps_per_epoch": 7, "batch_size": 8, "epochs": 3},
    "steps_per_epoch, no batch size": {"steps_per_epoch": 4, "batch_size": None, "epochs": 3},
}


@pytest.mark.parametrize("case", FITS)
def test_fit_on_arrays(case):
    arguments = {"x": X, "y": Y, "batch_size": 8, "epochs": 3, **FITS[case]}
    theirs, ours = sparse_pair(WEIGHTED if "sample_weight" in arguments else SPARSE)
    same_training(theirs, ours, arguments, evaluate=HELD)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.filterwarnings("ignore:the data ran out")
def test_steps_per_epoch_that_do_not_divide_the_batches():
    theirs, ours = sparse_pair()
    same_training(
        theirs, ours, {"x": X, "y": Y, "batch_size": 8, "epochs": 5, "steps_per_epoch": 3}
    )


def test_class_weight_of_one_hot_labels():
    theirs, ours = pair(mlp, {**SPARSE, "loss": "categorical_crossentropy"})
    weights = {0: 0.3, 1: 2.0, 2: 1.0}
    same_training(theirs, ours, {"x": X, "y": one_hot(Y), "class_weight": weights, "epochs": 2})


def test_class_weight_of_a_binary_problem():
    theirs, ours = pair(
        lambda k: mlp(k, 1, "sigmoid"),
        {"optimizer": "sgd", "loss": "binary_crossentropy", "weighted_metrics": ["accuracy"]},
    )
    y = (Y > 0).astype("int64")
    same_training(theirs, ours, {"x": X, "y": y, "class_weight": {0: 0.5, 1: 3}, "epochs": 2})


@pytest.mark.parametrize("count", [2, 3], ids=["x, y", "x, y, weights"])
def test_generator(count):
    def batches():
        for start in itertools.cycle(range(0, len(X), 8)):
            part = slice(start, start + 8)
            yield (X[part], Y[part], ROW_WEIGHTS[part])[:count]

    theirs, ours = sparse_pair(WEIGHTED)
    same_training(
        theirs,
        ours,
        lambda k: {"x": batches(), "steps_per_epoch": 5, "epochs": 4},
        evaluate=HELD,
    )


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_generator_that_ends_with_the_epoch():
    def batches():
        for start in range(0, len(X), 8):
            yield X[start : start + 8], Y[start : start + 8]

    theirs, ours = sparse_pair()
    same_training(theirs, ours, lambda k: {"x": batches(), "epochs": 1})


def test_generator_for_validation():
    def batches():
        while True:
            yield HELD

    theirs, ours = sparse_pair()
    same_training(
        theirs,
        ours,
        lambda k: {
            "x": X,
            "y": Y,
            "epochs": 2,
            "validation_data": batches(),
            "validation_steps": 2,
        },
    )


def dataset_class(k):
    class Batches(k.utils.PyDataset):
        """Batches of growing size; counts the epochs it has seen the end of."""

        def __init__(self):
            super().__init__()
            self.epochs = 0

        def __len__(self):
            return 5

        def __getitem__(self, index):
            part = slice(4 * index, 8 * index + 4)
            return X[part], Y[part]

        def on_epoch_end(self):
            self.epochs += 1

    return Batches


def test_py_dataset():
    theirs, ours = sparse_pair()
    same_training(theirs, ours, lambda k: {"x": dataset_class(k)(), "epochs": 3})
    same_evaluation_of_datasets(theirs, ours)


def same_evaluation_of_datasets(theirs, ours):
    same_numbers(
        ours.evaluate(dataset_class(cornu)(), verbose=0),
        theirs.evaluate(dataset_class(keras)(), verbose=0),
    )
    same_numbers(
        ours.predict(dataset_class(cornu)(), verbose=0),
        theirs.predict(dataset_class(keras)(), verbose=0),
    )


def test_torch_data_loader():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    loader = torch.utils.data.DataLoader(data, batch_size=8)
    theirs, ours = sparse_pair()
    same_training(theirs, ours, {"x": loader, "epochs": 2, "validation_data": loader})


def test_pandas():
    pandas = pytest.importorskip("pandas")
    x = pandas.DataFrame(X.astype("float64"), columns=list("abcd"))
    y = pandas.Series(Y, name="class")
    theirs, ours = sparse_pair()
    same_training(
        theirs, ours, {"x": x, "y": y, "epochs": 2, "validation_split": 0.2}, evaluate=(x, y)
    )
    same_numbers(ours.predict(x, verbose=0), theirs.predict(x, verbose=0))


@pytest.mark.parametrize("steps", [None, 2])
def test_evaluate(steps):
    theirs, ours = sparse_pair(WEIGHTED)
    same_evaluation(theirs, ours, X, Y, batch_size=8, steps=steps)
    same_evaluation(theirs, ours, X, Y, batch_size=8, steps=steps, sample_weight=ROW_WEIGHTS)


def test_evaluate_and_predict_on_generators():
    theirs, ours = sparse_pair()

    def batches():
        while True:
            yield X[:7], Y[:7]
            yield X[7:20], Y[7:20]

    same_numbers(
        ours.evaluate(batches(), steps=3, verbose=0), theirs.evaluate(batches(), steps=3, verbose=0)
    )
    same_numbers(
        ours.predict(batches(), steps=3, verbose=0), theirs.predict(batches(), steps=3, verbose=0)
    )


@pytest.mark.parametrize("batch_size", [None, 8, 53, 100])
def test_predict(batch_size):
    theirs, ours = sparse_pair()
    found = ours.predict(X, batch_size=batch_size, verbose=0)
    assert isinstance(found, np.ndarray)
    assert found.dtype == np.float32
    same_numbers(found, theirs.predict(X, batch_size=batch_size, verbose=0))


def test_evaluate_without_metrics_returns_a_number():
    theirs, ours = pair(mlp, {"loss": "sparse_categorical_crossentropy"})
    found = ours.evaluate(X, Y, verbose=0)
    assert np.ndim(found) == 0
    same_numbers(found, theirs.evaluate(X, Y, verbose=0))


def test_single_batches():
    """Each batch is measured by itself."""
    theirs, ours = sparse_pair(WEIGHTED)
    for part in (slice(0, 8), slice(8, 20), slice(20, 25)):
        x, y, weight = X[part], Y[part], ROW_WEIGHTS[part]
        same_numbers(ours.train_on_batch(x, y), theirs.train_on_batch(x, y))
        same_numbers(
            ours.train_on_batch(x, y, sample_weight=weight, return_dict=True),
            theirs.train_on_batch(x, y, sample_weight=weight, return_dict=True),
        )
        same_numbers(
            ours.train_on_batch(x, y, class_weight={0: 2.0}),
            theirs.train_on_batch(x, y, class_weight={0: 2.0}),
        )
    for part in (slice(0, 8), slice(8, 20)):
        same_numbers(ours.test_on_batch(X[part], Y[part]), theirs.test_on_batch(X[part], Y[part]))
    same_numbers(
        ours.test_on_batch(X, Y, sample_weight=ROW_WEIGHTS, return_dict=True),
        theirs.test_on_batch(X, Y, sample_weight=ROW_WEIGHTS, return_dict=True),
    )
    same_numbers(ours.predict_on_batch(X[:5]), theirs.predict_on_batch(X[:5]))
    same_numbers(ours.get_weights(), theirs.get_weights())


def test_single_batches_after_fit():
    theirs, ours = sparse_pair()
    same_training(theirs, ours, {"x": X, "y": Y, "epochs": 1})
    same_numbers(ours.train_on_batch(X, Y), theirs.train_on_batch(X, Y))


class Recorder:
    """What hooks are called, with what."""

    def __init__(self, k):
        self.calls = calls = []

        def noting(name):
            def hook(self, *args, logs=None):
                if args and not isinstance(args[-1], int):
                    *args, logs = args
                calls.append((name, *args, sorted(logs or {})))

            return hook

        stages = [f"on_{stage}_{end}" for stage in ("train", "test") for end in ("begin", "end")]
        batches = [
            f"on_{stage}_batch_{end}" for stage in ("train", "test") for end in ("begin", "end")
        ]
        hooks = [*stages, *batches, "on_epoch_begin", "on_epoch_end"]
        self.callback = type("Noting", (k.callbacks.Callback,), {n: noting(n) for n in hooks})()


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_hooks_and_steps_per_execution(steps):
    made = []
    for k in (keras, cornu):
        model = mlp(k)
        model.compile(**SPARSE, steps_per_execution=steps)
        recorder = Recorder(k)
        model.fit(
            X,
            Y,
            batch_size=8,
            epochs=2,
            verbose=0,
            shuffle=False,
            validation_data=HELD,
            callbacks=[recorder.callback],
        )
        made.append(recorder.calls)
    expected, found = made
    # Keras numbers the end of a last, shorter execution as if it were a full one
    last = {"on_train_batch_end": 6, "on_test_batch_end": 2}
    expected = [
        (call[0], *(min(n, last.get(call[0], n)) for n in call[1:-1]), call[-1])
        for call in expected
    ]
    assert [call[:-1] for call in found] == [call[:-1] for call in expected]
    assert [call[-1] for call in found if call[0] == "on_epoch_end"] == [
        call[-1] for call in expected if call[0] == "on_epoch_end"
    ]
    assert [call[-1] for call in found if call[0] == "on_train_batch_end"] == [
        call[-1] for call in expected if call[0] == "on_train_batch_end"
    ]


@pytest.mark.parametrize("eager", [False, True], ids=["compiled", "eager"])
def test_batch_logs_are_running_means(eager):
    made = []
    theirs, ours = sparse_pair(lambda k: {**SPARSE, "run_eagerly": eager and k is cornu})
    for k, model in ((keras, theirs), (cornu, ours)):
        seen = []
        hook = k.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs, seen=seen: seen.append(dict(logs))
        )
        model.fit(X, Y, batch_size=8, epochs=2, verbose=0, shuffle=False, callbacks=[hook])
        made.append(seen)
    expected, found = made
    assert len(found) == len(expected) == 14
    same_numbers(found, expected)


def test_stop_training_in_a_batch():
    made = []
    theirs, ours = sparse_pair()
    for k, model in ((keras, theirs), (cornu, ours)):

        def stop(batch, logs, model=model):
            model.stop_training = batch == 3

        hook = k.callbacks.LambdaCallback(on_train_batch_end=stop)
        history = model.fit(
            X, Y, batch_size=8, epochs=3, verbose=0, shuffle=False, callbacks=[hook]
        )
        made.append(history)
    expected, found = made
    assert found.epoch == expected.epoch == [0]
    same_numbers(found.history, expected.history)
    same_numbers(ours.get_weights(), theirs.get_weights())


def test_fit_again_goes_on():
    """A second fit keeps the optimizer's state and starts metrics and epochs afresh."""
    theirs, ours = sparse_pair({**SPARSE, "optimizer": "adam"})
    for _ in range(2):
        same_training(theirs, ours, {"x": X, "y": Y, "epochs": 2, "batch_size": 8})
    assert int(np.asarray(ours.optimizer.iterations)) == 4 * 7


def test_compile_again_starts_the_optimizer_afresh():
    theirs, ours = sparse_pair({**SPARSE, "optimizer": "adam"})
    same_training(theirs, ours, {"x": X, "y": Y, "epochs": 1})
    for model in (theirs, ours):
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["acc"])
    same_training(theirs, ours, {"x": X, "y": Y, "epochs": 2})
