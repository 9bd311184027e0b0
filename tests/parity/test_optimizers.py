"""Optimizers against Keras: twenty steps, state, configurations."""

import inspect
import json

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import jax  # noqa: E402

from cornu import optimizers  # noqa: E402
from cornu.core.variable import Variable, path_scope  # noqa: E402

# Keras' own variables, under today's NumPy
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

STEPS = 20
SHAPES = {"kernel": (3, 4), "bias": (4,)}

# each optimizer's own options; the learning rates are large, so that an error shows
OWN = {
    "SGD": [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
    "RMSprop": [{}, {"momentum": 0.9}, {"centered": True}, {"centered": True, "momentum": 0.5}],
    "Adam": [{}, {"amsgrad": True, "beta_2": 0.9}, {"beta_1": 0.5, "epsilon": 1e-3}],
    "AdamW": [{}, {"amsgrad": True, "weight_decay": 0.1}],
    "Adamax": [{}],
    "Nadam": [{}, {"beta_1": 0.8, "beta_2": 0.95}],
    "Adadelta": [{"learning_rate": 1.0}, {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-5}],
    "Adagrad": [{}, {"initial_accumulator_value": 1.0}],
    "Adafactor": [{}, {"relative_step": False, "clip_threshold": 0.5, "learning_rate": 2.0}],
    "Ftrl": [
        {},
        {
            "l1_regularization_strength": 0.1,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.05,
            "beta": 0.3,
            "learning_rate_power": -0.7,
        },
    ],
    "Lion": [{}],
    "Lamb": [{}],
    "Muon": [{}, {"exclude_layers": ["kernel"], "adam_lr_ratio": 0.5}, {"rms_rate": None}],
    "ScheduleFreeAdamW": [{}, {"warmup_steps": 7}],
}
SCHEDULE = {"initial_learning_rate": 0.05, "decay_steps": 5, "decay_rate": 0.7}
# options of all optimizers, several at once, since each case costs two compilations
SHARED = [
    {"weight_decay": 0.02, "clipnorm": 0.5, "use_ema": True, "learning_rate": "decay"},
    {
        "global_clipnorm": 0.8,
        "use_ema": True,
        "ema_momentum": 0.7,
        "ema_overwrite_frequency": 3,
        "loss_scale_factor": 8.0,
    },
]
ACCUMULATING = {
    "gradient_accumulation_steps": 3,
    "clipnorm": 0.5,
    "weight_decay": 0.02,
    "use_ema": True,
    "ema_overwrite_frequency": 2,
}
ALONE = [
    {"weight_decay": 0.05},
    {"clipnorm": 0.5},
    {"clipvalue": 0.2},
    {"global_clipnorm": 0.5},
    {"use_ema": True},
    {"use_ema": True, "ema_overwrite_frequency": 4},
    {"gradient_accumulation_steps": 4},
    {"loss_scale_factor": 4.0},
    {"learning_rate": "decay"},
]
CASES = [
    *((name, own) for name, options in OWN.items() for own in options),
    *((name, {**options[-1], **shared}) for name, options in OWN.items() for shared in SHARED),
    *((name, {**OWN[name][-1], **ACCUMULATING}) for name in ("SGD", "Nadam", "Adafactor", "Muon")),
    *((name, alone) for name in ("SGD", "Adam") for alone in ALONE),
]


def describe(value):
    if isinstance(value, dict):
        return ",".join(f"{key}={item}" for key, item in value.items()) or "default"
    return str(value)


def make(module, name, options):
    options = {"learning_rate": 0.05, **options}
    if options["learning_rate"] == "decay":
        options["learning_rate"] = module.schedules.ExponentialDecay(**SCHEDULE)
    return getattr(module, name)(**options)


def initial_values():
    rng = np.random.default_rng(1)
    return [rng.normal(size=shape).astype("float32") for shape in SHAPES.values()]


def gradients():
    rng = np.random.default_rng(2)
    # of all sizes: some clipped, some not
    return [
        [
            (rng.normal(size=shape) * 10.0 ** rng.uniform(-2, 0.5)).astype("float32")
            for shape in SHAPES.values()
        ]
        for _ in range(STEPS)
    ]


def variables_for(make_variable, scope):
    with scope("dense"):
        return [
            make_variable(value, name=name)
            for name, value in zip(SHAPES, initial_values(), strict=True)
        ]


def our_variables():
    return variables_for(Variable, path_scope)


def their_variables():
    return variables_for(keras.Variable, keras.name_scope)


def train(optimizer, variables, each_step=None):
    """All values after all steps: the variables' and the optimizer's."""
    if not optimizer.built:
        optimizer.build(variables)
    step = jax.jit(optimizer.stateless_apply)
    weights = [variable.value for variable in variables]
    state = [variable.value for variable in optimizer.variables]
    for grads in each_step or gradients():
        weights, state = step(state, grads, weights)
    return [np.asarray(value) for value in [*weights, *state]]


def assert_same_training(found, expected, start):
    """The same weights and state, and not by standing still."""
    assert len(found) == len(expected)
    for value, other, first in zip(found, expected, start, strict=False):
        assert np.abs(other - first).max() > 1e-3
        np.testing.assert_allclose(value, other, rtol=1e-6, atol=1e-6)
    for value, other in zip(found[len(start) :], expected[len(start) :], strict=True):
        assert value.dtype == other.dtype
        # what sums up large terms may end near zero
        np.testing.assert_allclose(
            value, other, rtol=3e-6, atol=1e-6 * max(1.0, float(np.abs(other).max(initial=0)))
        )


def assert_same_layout(ours, theirs):
    """The same variables in the same order under the same names, for the sake of files."""
    for our, their in zip(ours.variables, theirs.variables, strict=True):
        assert tuple(our.shape) == tuple(their.shape)
        assert our.dtype == their.dtype
        # Keras gives this one no name
        if our.name != "u_product":
            assert our.name == their.name
            # and makes Adafactor's unused ones outside of the optimizer's scope
            assert our.path.endswith(their.path) if our.shape == () else our.path == their.path


@pytest.mark.parametrize(("name", "options"), CASES, ids=describe)
def test_twenty_steps(name, options):
    ours = make(optimizers, name, {**options, "name": "optimizer"})
    theirs = make(keras.optimizers, name, {**options, "name": "optimizer"})
    found = train(ours, our_variables())
    expected = train(theirs, their_variables())
    assert_same_training(found, expected, initial_values())
    assert_same_layout(ours, theirs)


def configured():
    for name, options in OWN.items():
        for shared in ({}, *SHARED, ACCUMULATING):
            yield name, {**options[-1], **shared}


@pytest.mark.parametrize(("name", "options"), list(configured()), ids=describe)
def test_configurations_are_interchangeable(name, options):
    ours, theirs = make(optimizers, name, options), make(keras.optimizers, name, options)
    ours.name = theirs.name
    config = optimizers.serialize(ours)
    assert json.loads(json.dumps(config)) == keras.optimizers.serialize(theirs)
    assert list(config["config"]) == list(theirs.get_config())

    there = keras.saving.deserialize_keras_object(optimizers.serialize(ours))
    assert keras.optimizers.serialize(there) == config
    here = optimizers.deserialize(keras.optimizers.serialize(theirs))
    assert type(here) is type(ours)
    assert optimizers.serialize(here) == config


@pytest.mark.parametrize("name", [*OWN, "Optimizer", "LossScaleOptimizer", "MultiOptimizer"])
def test_arguments_and_defaults(name):
    def arguments(cls):
        return [(p.name, p.default, p.kind) for p in inspect.signature(cls).parameters.values()]

    ours, theirs = getattr(optimizers, name), getattr(keras.optimizers, name)
    assert arguments(ours) == arguments(theirs)
    public = {
        attribute
        for attribute in dir(theirs)
        if not attribute.startswith("_")
        # Muon's own helpers are not documented
        and attribute not in ("lr_adjust", "transpose_last_axis", "zeropower_via_newtonschulz5")
    }
    assert public <= set(dir(ours))


@pytest.mark.parametrize("name", [*OWN, "AdamW".upper(), "RMSPROP", "sgd", "adam"])
def test_names(name):
    if name == "Lamb":
        assert isinstance(optimizers.get("lamb"), optimizers.Lamb)  # Keras forgets this one
        return
    assert type(optimizers.get(name)).__name__ == type(keras.optimizers.get(name)).__name__


def test_state_saved_by_keras_goes_on_here():
    theirs = keras.optimizers.Nadam(0.05, weight_decay=0.1, use_ema=True)
    middle = train(theirs, their_variables())
    stored = {str(index): value for index, value in enumerate(middle[2:])}

    ours, weights = optimizers.Nadam(0.05, weight_decay=0.1, use_ema=True), our_variables()
    ours.build(weights)
    ours.load_own_variables(stored)
    there, their_weights = keras.optimizers.Nadam(0.05, weight_decay=0.1, use_ema=True), None
    their_weights = their_variables()
    there.build(their_weights)
    there.load_own_variables(stored)
    for variables in (weights, their_weights):
        for variable, value in zip(variables, middle, strict=False):
            variable.assign(value)
    assert_same_training(train(ours, weights), train(there, their_weights), middle[:2])
    again: dict = {}
    ours.save_own_variables(again)
    assert list(again) == list(stored)


def test_loss_scale_optimizer():
    def each_step():
        for index, grads in enumerate(gradients()):
            yield [grad * np.float32(np.inf if index in (4, 5, 11) else 1) for grad in grads]

    def wrapped(module):
        inner = module.SGD(0.05, momentum=0.9, name="inner")
        return module.LossScaleOptimizer(
            inner, initial_scale=8.0, dynamic_growth_steps=3, name="outer"
        )

    ours, theirs = wrapped(optimizers), wrapped(keras.optimizers)
    found = train(ours, our_variables(), list(each_step()))
    expected = train(theirs, their_variables(), list(each_step()))
    assert_same_training(found, expected, initial_values())
    assert_same_layout(ours, theirs)
    assert found[5] == 16.0  # 8, doubled at 3; halved at 5, 6; doubled at 9; halved at 12; ...
    config = optimizers.serialize(ours)
    assert config == keras.optimizers.serialize(theirs)
    assert optimizers.serialize(optimizers.deserialize(config)) == config


def test_multi_optimizer():
    def several(module):
        chosen = {".*/bias": module.Adam(0.05, name="adam")}
        chosen = module.OptimizerMap(module.SGD(0.05, name="sgd"), chosen)
        return module.MultiOptimizer(chosen, loss_scale_factor=2.0, name="several")

    ours, theirs = several(optimizers), several(keras.optimizers)
    found = train(ours, our_variables())
    expected = train(theirs, their_variables())
    assert_same_training(found, expected, initial_values())
    assert_same_layout(ours, theirs)
    config = optimizers.serialize(ours)
    assert config == keras.optimizers.serialize(theirs)
    assert optimizers.serialize(optimizers.deserialize(config)) == config
    there = keras.optimizers.deserialize(optimizers.serialize(ours))
    assert keras.optimizers.serialize(there) == config


def test_constraints_and_left_out_decay():
    def constrained(module, weights):
        for weight in weights:
            weight.constraint = lambda value: jax.numpy.maximum(jax.numpy.asarray(value), 0)
        optimizer = module.SGD(0.05, weight_decay=0.1)
        optimizer.exclude_from_weight_decay(var_names=["bia", "other"])
        return train(optimizer, weights)

    found = constrained(optimizers, our_variables())
    expected = constrained(keras.optimizers, their_variables())
    assert_same_training(found, expected, initial_values())
    assert min(value.min() for value in found[:2]) == 0


@pytest.mark.parametrize("accumulating", [None, 2])
def test_variables_that_take_their_gradient_as_value(accumulating):
    def both(module, variables):
        variables[1].overwrite_with_gradient = True
        return train(module.Adam(0.05, gradient_accumulation_steps=accumulating), variables)

    found = both(optimizers, our_variables())
    assert_same_training(found, both(keras.optimizers, their_variables()), initial_values())
    if not accumulating:
        np.testing.assert_array_equal(found[1], gradients()[-1][1])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda module, _: module.SGD(lr=0.1),
        lambda module, _: module.SGD("fast"),
        lambda module, _: module.SGD(momentum=1.5),
        lambda module, _: module.SGD(clipnorm=1.0, clipvalue=1.0),
        lambda module, _: module.SGD(gradient_accumulation_steps=1),
        lambda module, _: module.SGD(use_ema=True, ema_momentum=2.0),
        lambda module, _: module.SGD(use_ema=True, ema_overwrite_frequency=0.5),
        lambda module, _: module.AdamW(weight_decay=None),
        lambda module, _: module.Lion(beta_1=0.0),
        lambda module, _: module.Ftrl(learning_rate_power=1.0),
        lambda module, _: module.Ftrl(l1_regularization_strength=-1.0),
        lambda module, _: module.LossScaleOptimizer(module.SGD(), clipnorm=1.0),
        lambda module, _: module.LossScaleOptimizer(module.SGD(), dynamic=False),
        lambda module, _: module.OptimizerMap("sgd"),
        lambda module, _: module.MultiOptimizer(module.OptimizerMap(module.SGD())).learning_rate,
        lambda module, _: module.get("adamn"),
        lambda module, _: module.get(3),
        lambda module, _: module.get("learning_rate"),
        lambda module, _: setattr(
            module.SGD(module.schedules.ExponentialDecay(0.1, 5, 0.5)), "learning_rate", 0.1
        ),
        lambda module, weights: module.SGD().apply([None, None], weights),
        lambda module, weights: module.SGD().apply([np.ones((3, 4)), np.ones(4)]),
        lambda module, weights: module.SGD().stateless_apply([], [], []),
        lambda module, weights: module.SGD().set_weights([]),
        lambda module, weights: module.Optimizer(0.1).apply([np.ones((3, 4)), np.ones(4)], weights),
    ],
)
def test_mistakes(wrong):
    with pytest.raises(Exception) as theirs:
        wrong(keras.optimizers, their_variables())
    with pytest.raises(type(theirs.value)) as ours:
        wrong(optimizers, our_variables())
    assert type(ours.value) is type(theirs.value)


def test_optax_itself():
    optax = pytest.importorskip("optax")
    found = train(optimizers.get(optax.adam(0.05, eps=1e-3)), our_variables())
    expected = train(
        optimizers.get(optax.chain(optax.identity(), optax.sgd(0.05))), our_variables()
    )
    ours = train(optimizers.SGD(0.05), our_variables())
    for value, other, first in zip(expected, ours, initial_values(), strict=False):
        assert np.abs(other - first).max() > 1e-3
        np.testing.assert_allclose(value, other, rtol=1e-6, atol=1e-6)
    for value, first in zip(found, initial_values(), strict=False):
        assert np.abs(value - first).max() > 1e-3
