"""Initializers against Keras: moments, exact values of those that draw nothing, configurations."""

import numpy as np
import pytest

from cornu import initializers

keras = pytest.importorskip("keras")

RANDOM = [
    ("RandomNormal", {"mean": 1.0, "stddev": 0.5}, (200, 100)),
    ("RandomUniform", {"minval": -1.0, "maxval": 3.0}, (200, 100)),
    ("TruncatedNormal", {"mean": -1.0, "stddev": 2.0}, (200, 100)),
    ("GlorotUniform", {}, (200, 100)),
    ("GlorotNormal", {}, (200, 100)),
    ("HeUniform", {}, (200, 100)),
    ("HeNormal", {}, (5, 5, 16, 64)),
    ("LecunUniform", {}, (3, 20, 300)),
    ("LecunNormal", {}, (20000,)),
    ("VarianceScaling", {"scale": 3.0, "mode": "fan_out"}, (100, 200)),
    ("VarianceScaling", {"distribution": "untruncated_normal", "mode": "fan_avg"}, (100, 200)),
    ("VarianceScaling", {"distribution": "uniform"}, (100, 200)),
    ("GlorotNormal", {"input_axes": [0], "output_axes": [1, 2]}, (100, 10, 20)),
    ("Orthogonal", {"gain": 2.0}, (120, 160)),
]
EXACT = [
    ("Zeros", {}, (2, 3)),
    ("Ones", {}, (2, 3)),
    ("Constant", {"value": 2.5}, (2, 3)),
    ("Identity", {"gain": 3.0}, (3, 4)),
    ("STFT", {}, (16, 1, 9)),
    ("STFT", {"side": "imag", "window": "hamming", "scaling": "spectrum"}, (16, 1, 17)),
    ("STFT", {"window": None}, (8, 1, 5)),
    ("STFT", {"periodic": True, "scaling": None}, (8, 1, 5)),
]


@pytest.mark.parametrize(("name", "arguments", "shape"), RANDOM)
def test_moments(name, arguments, shape):
    got = np.asarray(getattr(initializers, name)(seed=11, **arguments)(shape), "float64")
    expected = np.asarray(getattr(keras.initializers, name)(seed=11, **arguments)(shape), "float64")
    assert got.shape == expected.shape
    scale = expected.std()
    # both are samples: five standard errors of their difference
    error = 5 * np.sqrt(2 / got.size)
    assert abs(got.mean() - expected.mean()) < error * scale
    assert abs(got.std() / scale - 1) < error
    for moment in (3, 4):
        ours = (((got - got.mean()) / got.std()) ** moment).mean()
        theirs = (((expected - expected.mean()) / scale) ** moment).mean()
        assert abs(ours - theirs) < 12 * error
    if "Uniform" in name or name == "TruncatedNormal":
        assert abs(got.max() - expected.max()) < 0.3 * scale
        assert abs(got.min() - expected.min()) < 0.3 * scale


@pytest.mark.parametrize(
    ("name", "arguments", "shape", "dtype"),
    # in half precision, Keras rounds the angles of STFT themselves
    [(*case, None) for case in EXACT] + [(*case, "float16") for case in EXACT if case[0] != "STFT"],
)
def test_values(name, arguments, shape, dtype):
    got = getattr(initializers, name)(**arguments)(shape, dtype)
    expected = np.asarray(getattr(keras.initializers, name)(**arguments)(shape, dtype))
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=2e-6)


SEEDS = ({"seed": None}, {"seed": 5}, {"seed": "generator"})


@pytest.mark.parametrize(
    ("name", "arguments"),
    [(name, {**arguments, **seed}) for name, arguments, _ in RANDOM for seed in SEEDS]
    + [case[:2] for case in EXACT],
)
def test_configuration(name, arguments):
    seed = arguments.get("seed")
    if seed == "generator":
        seed = keras.random.SeedGenerator(9)
        arguments = {**arguments, "seed": seed}
    theirs = getattr(keras.initializers, name)(**arguments)
    config = keras.initializers.serialize(theirs)
    ours = initializers.deserialize(config)
    assert type(ours) is getattr(initializers, name)
    again = initializers.serialize(ours)
    if name == "Identity":  # Keras leaves its gain out
        ours, again = initializers.Identity(**arguments), {**again, "config": {}}
    if isinstance(seed, keras.random.SeedGenerator):
        assert ours.seed.seed == 9
        again["config"]["seed"] = config["config"]["seed"]
    assert again == config
    back = keras.initializers.deserialize(initializers.serialize(ours))
    assert type(back) is type(theirs)
    assert getattr(back, "gain", 0) == getattr(theirs, "gain", 0)


def test_array_as_constant():
    theirs = keras.initializers.Constant(np.arange(3.0))
    ours = initializers.deserialize(keras.initializers.serialize(theirs))
    np.testing.assert_array_equal(ours((2, 3)), np.asarray(theirs((2, 3))))
    assert initializers.serialize(ours)["config"] == keras.initializers.serialize(theirs)["config"]


def test_names():
    from keras.src.initializers import ALL_OBJECTS_DICT

    for name, theirs in ALL_OBJECTS_DICT.items():
        if name.lower() != "initializer":
            assert type(initializers.get(name)).__name__ == theirs.__name__
    public = {name for name in dir(keras.initializers) if not name.startswith("_")}
    assert public <= set(initializers.__all__)
    for name in public & {"he_normal", "zeros", "ones", "stft", "orthogonal", "identity"}:
        assert getattr(initializers, name).__name__ == getattr(keras.initializers, name).__name__


def test_config_of_an_old_file():
    config = {"class_name": "Identity", "config": {"gain": 2.0}}
    assert initializers.get(config).gain == 2.0
