"""Learning rate schedules against Keras."""

import inspect

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import jax  # noqa: E402

from cornu.optimizers import schedules  # noqa: E402

CASES = [
    ("ExponentialDecay", (0.1, 7, 0.9)),
    ("ExponentialDecay", (0.1, 30, 0.9, True)),
    ("InverseTimeDecay", (0.1, 7, 0.9)),
    ("InverseTimeDecay", (0.1, 30, 0.9, True)),
    ("PolynomialDecay", (0.1, 30)),
    ("PolynomialDecay", (0.1, 30, 0.001, 2.5)),
    ("PolynomialDecay", (0.1, 30, 0.001, 0.5, True)),
    ("PiecewiseConstantDecay", ([10, 20, 35], [0.3, 0.2, 0.1, 0.05])),
    ("PiecewiseConstantDecay", ([10.5], [0.3, 0.2])),
    ("CosineDecay", (0.1, 40)),
    ("CosineDecay", (0.1, 40, 0.2)),
    ("CosineDecay", (0.01, 40, 0.1, "warm", 0.2, 15)),
    ("CosineDecay", (0.01, 40, 0.1, "not warm", 0.2, 0)),
    ("CosineDecayRestarts", (0.1, 10)),
    ("CosineDecayRestarts", (0.1, 10, 1.0)),
    ("CosineDecayRestarts", (0.1, 7, 1.5, 0.8, 0.1)),
]


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_every_step(name, arguments):
    ours = getattr(schedules, name)(*arguments)
    theirs = getattr(keras.optimizers.schedules, name)(*arguments)
    compiled = jax.jit(ours)
    steps = np.array([*range(151), 1000], dtype="int32")
    if "Cosine" in name:
        # at once, because Keras compiles the branches in these anew at every call
        expected = np.asarray(jax.vmap(theirs)(steps))
    else:
        # one by one: compiled, Keras' own divisions miss the ends of some periods
        expected = np.stack([theirs(step) for step in steps])
    for found in ([ours(step) for step in steps], [compiled(step) for step in steps]):
        np.testing.assert_allclose(np.stack(found), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_configurations_are_interchangeable(name, arguments):
    ours = getattr(schedules, name)(*arguments)
    theirs = getattr(keras.optimizers.schedules, name)(*arguments)
    config = schedules.serialize(ours)
    assert config == keras.optimizers.schedules.serialize(theirs)
    assert schedules.serialize(schedules.deserialize(config)) == config
    there = keras.optimizers.schedules.deserialize(config)
    assert keras.optimizers.schedules.serialize(there) == config


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))
def test_arguments_and_defaults(name):
    def arguments(cls):
        return [(p.name, p.default) for p in inspect.signature(cls).parameters.values()]

    ours, theirs = getattr(schedules, name), getattr(keras.optimizers.schedules, name)
    assert arguments(ours) == arguments(theirs)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda module: module.ExponentialDecay(0.1, 0, 0.5),
        lambda module: module.InverseTimeDecay(0.1, -1, 0.5),
        lambda module: module.PolynomialDecay(0.1, 0),
        lambda module: module.CosineDecay(0.1, 0),
        lambda module: module.CosineDecayRestarts(0.1, 0),
        lambda module: module.PiecewiseConstantDecay([1, 2], [0.1, 0.2]),
        lambda module: module.LearningRateSchedule()(1),
        lambda module: module.LearningRateSchedule().get_config(),
    ],
)
def test_mistakes(wrong):
    with pytest.raises((ValueError, NotImplementedError)) as theirs:
        wrong(keras.optimizers.schedules)
    with pytest.raises(type(theirs.value)):
        wrong(schedules)
