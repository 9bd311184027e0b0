"""Builds the same model in Keras and in Cornu, and holds what training makes of them together."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import cornu  # noqa: E402

RTOL = 2e-5
ATOL = 2e-6


def rows(count=53, features=4, classes=3, seed=0):
    """A small classification problem: x (count, features), integer classes (count,)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, features)).astype("float32")
    y = (x @ rng.normal(size=(features, classes))).argmax(-1)
    return x, y


def one_hot(y, classes=3):
    return np.eye(classes, dtype="float32")[y]


def mlp(k, units=3, activation="softmax", features=4, **kwargs):
    return k.Sequential(
        [
            k.Input((features,)),
            k.layers.Dense(8, activation="tanh", **kwargs),
            k.layers.Dense(units, activation=activation),
        ]
    )


def pair(build, compile, example=None):
    """`(theirs, ours)`, compiled, with the same weights.

    Args:
        build: makes the model with a library, `keras` or `cornu`.
        compile: the arguments of `compile` for a library, or a dict where they are the same.
        example: inputs to build a subclassed model with.
    """
    keras.utils.set_random_seed(1)
    made = []
    for k in (keras, cornu):
        model = build(k)
        if example is not None:
            model(example)
        model.compile(**(compile(k) if callable(compile) else compile))
        made.append(model)
    theirs, ours = made
    ours.set_weights(theirs.get_weights())
    return theirs, ours


def same_numbers(ours, theirs, rtol=RTOL, atol=ATOL):
    """The same nest of the same numbers."""
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for name in theirs:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=rtol, atol=atol, err_msg=name)
    elif isinstance(theirs, (list, tuple)):
        assert isinstance(ours, (list, tuple))
        assert len(ours) == len(theirs)
        for mine, other in zip(ours, theirs, strict=True):
            same_numbers(mine, other, rtol, atol)
    else:
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)


def same_training(theirs, ours, fit, evaluate=(), rtol=RTOL, atol=ATOL):
    """Fits both and compares histories, weights, and what `evaluate` returns.

    Args:
        fit: the arguments of `fit`, or a callable that makes them afresh for a library.
        evaluate: positional arguments of `evaluate`, if it is to be compared too.
    """
    histories = []
    for k, model in ((keras, theirs), (cornu, ours)):
        arguments = {"verbose": 0, "shuffle": False, **(fit(k) if callable(fit) else fit)}
        histories.append(model.fit(**arguments))
    expected, history = histories
    assert history.epoch == expected.epoch
    same_numbers(history.history, expected.history, rtol, atol)
    same_numbers(ours.get_weights(), theirs.get_weights(), rtol=10 * rtol, atol=5 * atol)
    if evaluate:
        same_evaluation(theirs, ours, *evaluate, rtol=10 * rtol, atol=5 * atol)
    return history.history


def same_evaluation(theirs, ours, *data, rtol=RTOL, atol=ATOL, **kwargs):
    """Compares `evaluate` as a list and as a dict."""
    same_numbers(
        ours.evaluate(*data, verbose=0, **kwargs),
        theirs.evaluate(*data, verbose=0, **kwargs),
        rtol,
        atol,
    )
    expected = theirs.evaluate(*data, verbose=0, return_dict=True, **kwargs)
    found = ours.evaluate(*data, verbose=0, return_dict=True, **kwargs)
    assert sorted(found) == sorted(expected)
    same_numbers(dict(sorted(found.items())), dict(sorted(expected.items())), rtol, atol)
