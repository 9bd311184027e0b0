"""Initializers: moments against theory, seeds, shapes, errors, configurations."""

import json

import jax
import numpy as np
import pytest

from cornu import initializers
from cornu.core import serialization
from cornu.core.random import SeedGenerator, set_random_seed
from cornu.core.variable import Variable

SHAPE = (300, 100)
WIDTHS = [
    ("GlorotUniform", 2 / 400),
    ("GlorotNormal", 2 / 400),
    ("HeUniform", 2 / 300),
    ("HeNormal", 2 / 300),
    ("LecunUniform", 1 / 300),
    ("LecunNormal", 1 / 300),
]
ALL = [
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity",
    "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "RandomNormal", "RandomUniform",
    "TruncatedNormal", "VarianceScaling", "Zeros",
]  # fmt: skip
DRAWING = [name for name in ALL if name not in ("Constant", "Identity", "Ones", "Zeros")]


@pytest.mark.parametrize(("name", "variance"), WIDTHS)
def test_moments(name, variance):
    values = initializers.get(getattr(initializers, name)(seed=1))(SHAPE)
    assert abs(values.mean()) < 5 * np.sqrt(variance / values.size)
    assert values.var() == pytest.approx(variance, rel=0.03)
    if "Uniform" in name:
        assert abs(values).max() <= np.sqrt(3 * variance) * (1 + 1e-6)
    else:
        assert abs(values).max() <= 2 * np.sqrt(variance) / 0.8796 + 1e-6


@pytest.mark.parametrize(("mode", "fan"), [("fan_in", 45), ("fan_out", 90), ("fan_avg", 67.5)])
@pytest.mark.parametrize("distribution", ["uniform", "truncated_normal", "untruncated_normal"])
def test_variance_scaling_of_a_convolution(mode, fan, distribution):
    initializer = initializers.VarianceScaling(2.0, mode, distribution, seed=SeedGenerator(1))
    values = np.stack([initializer((3, 3, 5, 10)) for _ in range(40)])
    assert values.var() == pytest.approx(2 / fan, rel=0.05)


def test_fans():
    assert initializers.compute_fans(()) == (1, 1)
    assert initializers.compute_fans((7,)) == (7, 7)
    assert initializers.compute_fans((3, 4)) == (3, 4)
    assert initializers.compute_fans((5, 3, 4)) == (15, 20)
    assert initializers.compute_fans((2, 3, 4), (0,), (1, 2)) == (2, 12)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (2, 3, 4), (5, 5)])
def test_orthogonal(shape):
    q = initializers.Orthogonal(gain=2.0, seed=1)(shape).reshape(-1, shape[-1]) / 2
    small = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(small, np.eye(len(small)), atol=1e-6)


@pytest.mark.parametrize("name", DRAWING)
def test_seeds(name):
    cls = getattr(initializers, name)
    first = cls(seed=5)
    np.testing.assert_array_equal(first((3, 4)), first((3, 4)))
    np.testing.assert_array_equal(first((3, 4)), cls(seed=5)((3, 4)))
    assert not np.array_equal(first((3, 4)), cls(seed=6)((3, 4)))
    unseeded = cls()
    np.testing.assert_array_equal(unseeded((3, 4)), unseeded((3, 4)))
    assert not np.array_equal(unseeded((3, 4)), cls()((3, 4)))
    stream = cls(seed=SeedGenerator(5))
    assert not np.array_equal(stream((3, 4)), stream((3, 4)))


def test_set_random_seed_governs_those_without_a_seed():
    set_random_seed(3)
    first = [initializers.GlorotUniform()((2, 2)), initializers.HeNormal()((2, 2))]
    set_random_seed(3)
    again = [initializers.GlorotUniform()((2, 2)), initializers.HeNormal()((2, 2))]
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [None, "float32", "float16", "bfloat16", "float64"])
def test_dtype_and_kind(name, dtype):
    values = getattr(initializers, name)()((3, 4), dtype=dtype)
    assert type(values) is np.ndarray
    assert values.dtype.name == (dtype or "float32")
    assert values.shape == (3, 4)


def test_variable():
    variable = Variable(initializers.get("he_normal"), shape=(4, 3), name="kernel")
    assert variable.shape == (4, 3)


def test_nothing_is_compiled():
    compiled = []

    def listener(event, *_, **__):
        if "compile" in event:
            compiled.append(event)

    jax.monitoring.register_event_duration_secs_listener(listener)
    try:
        for name in ALL:
            getattr(initializers, name)()((3, 4))
        assert not compiled
        jax.jit(lambda x: x + 17)(np.ones(3))
        assert compiled  # the listener does hear of it
    finally:
        jax.monitoring.unregister_event_duration_listener(listener)


@pytest.mark.parametrize("name", ALL)
def test_configuration(name):
    initializer = getattr(initializers, name)()
    config = json.loads(json.dumps(initializers.serialize(initializer)))
    again = initializers.deserialize(config)
    assert type(again) is type(initializer)
    assert again.get_config() == initializer.get_config()
    assert type(initializer.clone()) is type(initializer)


def test_seed_in_the_configuration():
    assert initializers.GlorotUniform().get_config()["seed"] is None
    assert initializers.GlorotUniform(seed=4).get_config()["seed"] == 4
    config = initializers.GlorotUniform(seed=SeedGenerator(4)).get_config()
    again = initializers.GlorotUniform.from_config(config)
    assert isinstance(again.seed, SeedGenerator)
    assert again.seed.seed == 4


def test_get():
    assert initializers.get(None) is None
    assert isinstance(initializers.get("glorot_uniform"), initializers.GlorotUniform)
    assert isinstance(initializers.get("normal"), initializers.RandomNormal)
    assert isinstance(initializers.get(initializers.Zeros), initializers.Zeros)
    made = initializers.Ones()
    assert initializers.get(made) is made
    assert initializers.get(np.arange(3))((3,), "float32").tolist() == [0, 1, 2]
    config = {"class_name": "Constant", "config": {"value": 2}}
    assert initializers.get(config)((1,)).tolist() == [2.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.get("he_norml"), "did you mean 'he_normal'"),
        (lambda: initializers.get(np.ones(3))((2,)), r"shape \(3,\)"),
        (lambda: initializers.Identity()((3,)), "two axes"),
        (lambda: initializers.Orthogonal()((3,)), "two axes"),
        (lambda: initializers.VarianceScaling(scale=0), "scale must be positive"),
        (lambda: initializers.VarianceScaling(mode="in"), "fan_in"),
        (lambda: initializers.VarianceScaling(distribution="cauchy"), "truncated_normal"),
        (lambda: initializers.RandomNormal(seed="a"), "seed must be an integer"),
        (lambda: initializers.RandomNormal()((2, None)), "known sizes"),
        (lambda: initializers.RandomNormal()((2,), "int32"), "float dtype"),
        (lambda: initializers.Constant([1, 2])((3,)), "cannot fill"),
        (lambda: initializers.STFT(side="left"), "'real' or 'imag'"),
        (lambda: initializers.STFT(window="nonesuch"), "nonesuch"),
        (lambda: initializers.STFT(scaling="x"), "density"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_initializer_of_the_user():
    class Twos(initializers.Initializer):
        def __call__(self, shape, dtype=None):
            return np.full(shape, 2, dtype)

    config = initializers.serialize(Twos())
    with serialization.custom_object_scope({"Twos": Twos}):
        again = initializers.get(config)
    assert again((2,)).tolist() == [2, 2]
    with pytest.raises(NotImplementedError, match="__call__"):
        initializers.Initializer()((2,))
