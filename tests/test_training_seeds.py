"""The same seed gives the same bits: twice, and whether data is on the device or streamed."""

import numpy as np
import pytest

import cornu as keras
from cornu import layers
from cornu.data.source import ArraySource

RNG = np.random.default_rng(0)
X = RNG.normal(size=(530, 6)).astype("float32")
Y = (X @ RNG.normal(size=(6, 3))).argmax(-1).astype("int32")


def train(x=X, y=Y, dropout=True, seed=7, batch_size=32, **fit):
    """History and final weights of a short training from a seed."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(12, activation="relu"),
            layers.BatchNormalization(),
            *([layers.Dropout(0.4)] if dropout else []),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    if not isinstance(x, np.ndarray):
        x, y, batch_size = x(), None, None
    history = model.fit(x, y, batch_size=batch_size, epochs=3, verbose=0, **fit)
    return history.history, model.get_weights()


def same(first, second):
    assert first[0] == second[0]
    for one, other in zip(first[1], second[1], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dropout", [False, True], ids=["plain", "dropout"])
def test_same_seed_same_bits(dropout):
    arguments = {"dropout": dropout, "validation_split": 0.2}
    same(train(**arguments), train(**arguments))


def test_other_seed_other_numbers():
    assert train(seed=7)[0]["loss"] != train(seed=8)[0]["loss"]


@pytest.mark.parametrize("shuffle", [False, True, "batch"])
@pytest.mark.parametrize("dropout", [False, True], ids=["plain", "dropout"])
def test_streamed_arrays_give_the_same_bits(dropout, shuffle):
    resident = train(dropout=dropout, shuffle=shuffle)
    streamed = train(lambda: ArraySource(X, Y, None, 32, shuffle, resident=False), dropout=dropout)
    same(resident, streamed)


def generator():
    while True:
        for start in range(0, len(X), 32):
            yield X[start : start + 32], Y[start : start + 32]


@pytest.mark.parametrize("dropout", [False, True], ids=["plain", "dropout"])
def test_a_generator_gives_the_same_bits(dropout):
    resident = train(dropout=dropout, shuffle=False)
    same(resident, train(generator, dropout=dropout, steps_per_epoch=17))


def test_batch_hooks_do_not_change_the_numbers():
    """However many batches run at a time, the numbers are the same."""
    hook = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)
    same(train(), train(callbacks=[hook]))


def test_progress_does_not_change_the_numbers(capsys):
    same(train(), train_shown := train_with_progress())
    assert "loss" in capsys.readouterr().out
    assert train_shown


def train_with_progress():
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(12, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.4),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(X, Y, epochs=3, verbose=2)
    return history.history, model.get_weights()


def test_weighted_rows_streamed():
    weights = np.linspace(0.1, 2, len(X)).astype("float32")
    resident = train(sample_weight=weights, shuffle=False)
    streamed = train(lambda: ArraySource(X, Y, weights, 32, False, resident=False))
    same(resident, streamed)


def test_fit_in_two_parts_is_fit_in_one():
    """Nothing but the variables is carried from epoch to epoch."""

    def parts(*stretches):
        keras.utils.set_random_seed(3)
        model = keras.Sequential([keras.Input((6,)), layers.Dropout(0.2), layers.Dense(3)])
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        losses = []
        for first, last in stretches:
            history = model.fit(X, Y, initial_epoch=first, epochs=last, verbose=0)
            losses += history.history["loss"]
        return losses

    assert parts((0, 4)) == parts((0, 1), (1, 4))
