"""Optimizers by themselves: their state, what they refuse, optimizers of users and of Optax."""

import copy
import pickle
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu import optimizers
from cornu.core.variable import Variable, autocast, bind, path_scope
from cornu.optimizers import schedules

NAMES = [
    *("sgd", "rmsprop", "adam", "adamw", "adamax", "nadam", "adadelta", "adagrad", "adafactor"),
    *("ftrl", "lion", "lamb", "muon", "schedulefreeadamw"),
]


def quadratic(dtype="float32"):
    """Two weights, and the gradient of half the sum of their squares."""
    with path_scope("dense"):
        weights = [
            Variable(np.array([[3.0, -2.0], [1.0, 4.0]]), dtype=dtype, name="kernel"),
            Variable(np.array([1.0, -1.0]), dtype=dtype, name="bias"),
        ]
    return weights, lambda values: list(values)


def run(optimizer, steps=50, dtype="float32"):
    """The weights after some steps of one compiled loop, and the optimizer's state."""
    weights, gradient = quadratic(dtype)
    if not optimizer.built:
        optimizer.build(weights)

    @jax.jit
    def loop(values, state):
        def step(_, carry):
            values, state = carry
            return optimizer.stateless_apply(state, gradient(values), values)

        return jax.lax.fori_loop(0, steps, step, (values, state))

    return loop([w.value for w in weights], [v.value for v in optimizer.variables])


@pytest.mark.parametrize("name", NAMES)
def test_goes_downhill_in_a_compiled_loop(name):
    optimizer = optimizers.get(name)
    optimizer.learning_rate = 0.05
    values, state = run(optimizer)
    weights, _ = quadratic()
    for value, weight in zip(values, weights, strict=True):
        assert np.abs(value).sum() < np.abs(weight.numpy()).sum()
    assert int(state[0]) == 50
    assert float(state[1]) == pytest.approx(0.05)


@pytest.mark.parametrize("name", NAMES)
def test_bfloat16_weights_keep_their_type_and_move(name):
    optimizer = optimizers.get(name)
    # Adadelta's first steps are smaller than bfloat16 can add to 3
    optimizer.learning_rate = 100.0 if name == "adadelta" else 0.1
    values, state = run(optimizer, steps=3, dtype="bfloat16")
    for value in values:
        assert value.dtype == jnp.bfloat16
        assert bool(jnp.isfinite(value).all())
    assert not np.allclose(np.asarray(values[0], "float32"), [[3.0, -2.0], [1.0, 4.0]])
    assert [v.dtype for v in state] == [v.value.dtype for v in optimizer.variables]


def test_build_compiles_nothing():
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, *_, **__: compiled.append(event)
    )
    try:
        for name in NAMES:
            weights, _ = quadratic()
            made = optimizers.get(name)
            made = type(made)(use_ema=True, gradient_accumulation_steps=2)
            made.build(weights)
            made.finalize_variable_values(weights)
            made.learning_rate = 0.5
            made.get_config()
    finally:
        jax.monitoring.clear_event_listeners()
    assert compiled == []


def test_correction_is_computed_once_for_all_variables():
    def size_with(count):
        weights = [Variable(np.ones(3), name=f"w{index}") for index in range(count)]
        optimizer = optimizers.Adam()
        optimizer.build(weights)
        made = jax.make_jaxpr(optimizer.stateless_apply)(
            [v.value for v in optimizer.variables],
            [w.value for w in weights],
            [w.value for w in weights],
        )
        return str(made).count(" pow")

    assert size_with(1) == size_with(5) == 2


def test_applies_at_once_as_in_a_program():
    weights, gradient = quadratic()
    optimizer = optimizers.Adam(0.1, use_ema=True, ema_overwrite_frequency=2, clipnorm=0.5)
    for _ in range(3):
        count = optimizer.apply_gradients(
            zip(gradient([w.numpy() for w in weights]), weights, strict=True)
        )
    assert int(count) == 3
    same = optimizers.Adam(0.1, use_ema=True, ema_overwrite_frequency=2, clipnorm=0.5)
    values, state = run(same, steps=3)
    for weight, value in zip(weights, values, strict=True):
        np.testing.assert_allclose(weight.numpy(), value, rtol=1e-6)
    for variable, value in zip(optimizer.variables, state, strict=True):
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-6)


def test_mixed_precision_does_not_reach_the_update():
    weights, _ = quadratic()
    optimizer = optimizers.SGD(0.001)
    with autocast("bfloat16"):
        optimizer.apply([np.ones((2, 2)), np.ones(2)], weights)
    assert weights[0].numpy()[0, 0] == np.float32(3) - np.float32(0.001)


def test_learning_rate():
    optimizer = optimizers.SGD(learning_rate=1)  # an integer does no harm
    assert float(optimizer.learning_rate) == 1.0
    optimizer.learning_rate = np.float32(0.5)
    assert optimizer.get_config()["learning_rate"] == 0.5
    optimizer.learning_rate.assign(0.25)
    assert float(optimizer.learning_rate) == 0.25
    assert [variable.name for variable in optimizer.variables] == ["iteration", "learning_rate"]

    optimizer.learning_rate = schedules.ExponentialDecay(0.1, 10, 0.5)
    assert [variable.name for variable in optimizer.variables] == ["iteration"]
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    with pytest.raises(TypeError, match="created with a ExponentialDecay"):
        optimizer.learning_rate = 0.1

    by_function = optimizers.SGD(lambda: 0.125)
    assert float(by_function.learning_rate) == 0.125
    weight = Variable(np.zeros(1))
    by_function.apply([np.ones(1)], [weight])
    assert weight.numpy().tolist() == [-0.125]


def test_average_takes_the_place_of_the_weights_at_the_end():
    weight = Variable(np.array([0.0]))
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    for _ in range(3):  # -1, -2, -3: averages -1, -1.5, -2.25
        optimizer.apply([np.array([1.0])], [weight])
    assert weight.numpy().tolist() == [-3.0]
    optimizer.finalize_variable_values([weight])
    assert weight.numpy().tolist() == [-2.25]
    # two variables in one buffer could not both be given to a program that reuses their memory
    average = optimizer.variables[2].value
    assert weight.value.unsafe_buffer_pointer() != average.unsafe_buffer_pointer()
    with pytest.raises(ValueError, match="received 2 variables"):
        optimizer.finalize_variable_values([weight, weight])


def test_clipping():
    big, small = jnp.array([30.0, 40.0]), jnp.array([0.3, 0.4])
    clip = optimizers.SGD(clipnorm=5.0)._clip_gradients
    np.testing.assert_allclose(clip([big, small])[0], [3.0, 4.0], rtol=1e-6)
    np.testing.assert_array_equal(clip([big, small])[1], small)
    np.testing.assert_array_equal(clip([jnp.zeros(2)])[0], [0.0, 0.0])
    clip = optimizers.SGD(clipvalue=0.35)._clip_gradients
    np.testing.assert_allclose(clip([-big, small])[0], [-0.35, -0.35])
    clip = optimizers.SGD(global_clipnorm=1.0)._clip_gradients
    clipped = jnp.concatenate(clip([big, small]))
    assert float(jnp.linalg.norm(clipped)) == pytest.approx(1.0)
    assert np.isnan(np.concatenate(clip([jnp.array([np.inf, 1.0]), small]))).all()


def test_decay_leaves_some_alone():
    for leave in ({"var_names": ["^bias$"]}, {"var_list": "second"}):
        weights, _ = quadratic()
        optimizer = optimizers.SGD(0.1, weight_decay=0.5)
        leave = {"var_list": [weights[1]]} if "var_list" in leave else leave
        optimizer.exclude_from_weight_decay(**leave)
        optimizer.apply([np.zeros((2, 2)), np.zeros(2)], weights)
        np.testing.assert_allclose(weights[0].numpy()[0, 0], 3 * 0.95, rtol=1e-6)
        assert weights[1].numpy().tolist() == [1.0, -1.0]


def test_accumulation_updates_by_the_mean():
    weight = Variable(np.array([0.0]))
    optimizer = optimizers.SGD(1.0, momentum=0.5, gradient_accumulation_steps=3)
    seen = []
    for gradient in (1.0, 2.0, 6.0, 3.0):
        optimizer.apply([np.array([gradient])], [weight])
        seen.append(float(weight.numpy()[0]))
    assert seen == [0.0, 0.0, -3.0, -3.0]
    assert int(optimizer.iterations) == 1


def test_gradients_that_do_not_exist():
    weights, _ = quadratic()
    optimizer = optimizers.SGD(1.0, gradient_accumulation_steps=2)
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"do not exist for variables \['dense/bias'\]"):
            optimizer.apply([np.ones((2, 2)), None], weights)
    assert weights[0].numpy()[0, 0] == 2.0
    assert weights[1].numpy().tolist() == [1.0, -1.0]
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        optimizer.apply([None, None])
    optimizer.apply([])  # nothing to do


@pytest.mark.parametrize("dtype", ["int32", "bool"])
def test_only_floats_are_trained(dtype):
    variable = Variable(np.zeros(2, dtype), dtype=dtype, name="count")
    with pytest.raises(ValueError, match=f"'count' has dtype {dtype}.*trainable=False"):
        optimizers.Adam().build([variable])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda w: optimizers.SGD(lr=0.1), "`lr` is now `learning_rate`"),
        (lambda w: optimizers.Adam(beta1=0.9), "did you mean 'beta_1'"),
        (lambda w: optimizers.SGD("fast"), "learning_rate='fast'"),
        (lambda w: optimizers.SGD(None), "learning_rate=None"),
        (lambda w: optimizers.SGD(momentum=-1), r"SGD\(momentum=-1\)"),
        (lambda w: optimizers.get("nadan"), "did you mean 'nadam'"),
        (lambda w: optimizers.get(object()), "Could not interpret"),
        (lambda w: optimizers.SGD().apply([np.ones(2)], w), "1 gradients for 2 variables"),
        (lambda w: optimizers.SGD().apply([np.ones(2)]), "call build"),
        (lambda w: built(w).apply([np.ones(1)], [Variable(np.ones(1))]), "Unknown variable"),
        (lambda w: built(w).stateless_apply([1], [], []), "optimizer_variables must be 2 arrays"),
        (lambda w: built(w).set_weights([1]), "expected 2 arrays, received 1"),
        (lambda w: optimizers.SGD().set_weights([1]), "call build"),
    ],
)
def test_mistakes_are_explained(wrong, message):
    weights, _ = quadratic()
    with pytest.raises(ValueError, match=message):
        wrong(weights)


def built(weights):
    optimizer = optimizers.SGD()
    optimizer.build(weights)
    return optimizer


def test_decay_of_old_is_ignored_with_a_warning():
    with pytest.warns(UserWarning, match="`decay` is no longer supported"):
        optimizers.SGD(decay=1e-6)


def test_save_and_load():
    weights, _ = quadratic()
    optimizer = optimizers.Adam(0.1)
    optimizer.apply([np.ones((2, 2)), np.ones(2)], weights)
    stored: dict = {}
    optimizer.save_own_variables(stored)
    assert list(stored) == [str(index) for index in range(6)]
    other = optimizers.Adam()
    with pytest.warns(UserWarning, match="has 2 variables, the saved one has 6.*not built"):
        other.load_own_variables(stored)
    other.build(weights)
    other.load_own_variables(stored)
    for variable, same in zip(other.variables, optimizer.variables, strict=True):
        np.testing.assert_array_equal(variable.numpy(), same.numpy())
    other.set_weights([variable.numpy() * 0 for variable in other.variables])
    assert float(other.learning_rate) == 0.0


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_have_variables_of_their_own(duplicate):
    weights, _ = quadratic()
    optimizer = optimizers.SGD(1.0, momentum=0.5)
    optimizer.build(weights)
    weights, other = duplicate([weights, optimizer])
    other.apply([np.ones((2, 2)), np.ones(2)], weights)
    assert weights[0].numpy()[0, 0] == 2.0
    assert (int(other.iterations), int(optimizer.iterations)) == (1, 0)


class Momentum(optimizers.Optimizer):
    """As a user writes one: some variables by the helpers, one by itself, some in a list."""

    def __init__(self, learning_rate=0.1, momentum=0.5, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.momentum = momentum
        self.largest = Variable(np.zeros(()), trainable=False, name="largest")

    def build(self, variables):
        super().build(variables)
        self.velocities = self.add_optimizer_variables(variables, "velocity")
        self.counts = []
        for _ in variables:
            self.counts.append(Variable(np.zeros(()), trainable=False, name="count"))

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        velocity = self.velocities[index]
        self.assign(velocity, self.momentum * velocity - learning_rate * gradient)
        self.assign_add(variable, velocity)
        self.assign_add(self.counts[index], 1)
        self.assign(self.largest, jnp.maximum(self.largest.value, jnp.abs(gradient).max()))

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


def test_own_optimizer():
    own = Momentum()
    values, state = run(own, steps=4)
    expected, _ = run(optimizers.SGD(0.1, momentum=0.5), steps=4)
    for value, other in zip(values, expected, strict=True):
        np.testing.assert_allclose(value, other, rtol=1e-6)
    names = [variable.name for variable in own.variables]
    slots = ["dense_kernel_velocity", "dense_bias_velocity"]
    assert names == ["iteration", "learning_rate", "largest", *slots, "count", "count"]
    assert [float(value) for value in (state[2], state[5])] == [4.0, 4.0]
    config = optimizers.serialize(Momentum(momentum=0.25))
    made = optimizers.deserialize(config, custom_objects={"Momentum": Momentum})
    assert made.momentum == 0.25

    class Hasty(optimizers.Optimizer):
        def __init__(self):
            self.momentum = 0.5

    with pytest.raises(RuntimeError, match=r"super\(\).__init__\(\) first"):
        Hasty()
    with pytest.raises(NotImplementedError, match="must define update_step"):
        optimizers.Optimizer(0.1).apply([np.ones(1)], [Variable(np.ones(1))])


def test_initializers_of_slots():
    weights, _ = quadratic()
    optimizer = optimizers.SGD()
    one = optimizer.add_variable((2,), "ones", dtype="int32", name="one")
    assert one.numpy().tolist() == [1, 1]
    half = optimizer.add_variable_from_reference(weights[1], "half", 0.5)
    assert (half.path, half.numpy().tolist()) == ("sgd/dense_bias_half", [0.5, 0.5])
    counted = optimizer.add_variable((3,), lambda shape, dtype: np.arange(3, dtype=dtype))
    assert counted.numpy().tolist() == [0.0, 1.0, 2.0]
    with pytest.raises(ValueError, match="2 names need as many initializers"):
        optimizer.add_optimizer_variables(weights, ["a", "b"], ["zeros"])


def test_muon_leaves_embeddings_and_named_layers_to_adam():
    with path_scope("embedding"):
        table = Variable(np.ones((4, 2)), name="embeddings")
    with path_scope("head"):
        head = Variable(np.ones((2, 2)), name="kernel")
    hidden = Variable(np.ones((2, 2)), name="kernel")
    optimizer = optimizers.Muon(exclude_layers=["head"])
    optimizer.build([table, head, hidden])
    assert [velocity is None for velocity in optimizer.adam_velocities] == [False, False, True]
    optimizer = optimizers.Muon(exclude_embeddings=False)
    optimizer.build([table, head, hidden])
    assert optimizer.adam_velocities == [None] * 3


def test_loss_scale_finds_its_scale():
    weights, _ = quadratic()
    optimizer = optimizers.LossScaleOptimizer(
        optimizers.SGD(1.0, loss_scale_factor=3.0), initial_scale=4.0, dynamic_growth_steps=2
    )
    assert optimizer.scale_loss(1.0) == 4.0
    ones = [np.full((2, 2), 4.0), np.full(2, 4.0)]
    optimizer.apply(ones, weights)
    assert weights[0].numpy()[0, 0] == 2.0
    optimizer.apply(ones, weights)
    assert float(optimizer.scale_loss(1.0)) == 8.0
    optimizer.apply([np.full((2, 2), np.nan), np.ones(2)], weights)
    assert float(optimizer.scale_loss(1.0)) == 4.0
    assert weights[0].numpy()[0, 0] == 1.0
    assert int(optimizer.iterations) == 2
    optimizer.learning_rate = 0.5
    assert float(optimizer.inner_optimizer.learning_rate) == 0.5


def test_optimizer_map():
    chosen = optimizers.OptimizerMap(optimizers.SGD(name="default"))
    chosen["encoder/.*"] = optimizers.SGD(name="encoder")
    chosen["encoder/head/.*"] = optimizers.SGD(name="head")
    chosen["encoder/head/bias"] = optimizers.SGD(name="bias")
    assert chosen["decoder/kernel"].name == "default"
    assert chosen["encoder/kernel"].name == "encoder"
    assert chosen["encoder/head/bias"].name == "bias"
    with pytest.raises(ValueError, match="Multiple optimizers"):
        chosen["encoder/head/kernel"]
    for key, value in (("encoder/.*", optimizers.SGD()), (3, optimizers.SGD()), ("new", "sgd")):
        with pytest.raises(ValueError):
            chosen[key] = value
    with pytest.raises(ValueError, match="cannot be one of several"):
        chosen["new"] = optimizers.LossScaleOptimizer(optimizers.SGD())


def test_multi_optimizer_by_function():
    by_rank = {2: optimizers.SGD(1.0), 1: optimizers.SGD(0.5)}
    optimizer = optimizers.MultiOptimizer(lambda variable: by_rank[variable.ndim])
    values, _ = run(optimizer, steps=1)
    np.testing.assert_allclose(values[0], np.zeros((2, 2)))
    np.testing.assert_allclose(values[1], [0.5, -0.5])
    assert all(one is two for one, two in zip(optimizer.optimizers, by_rank.values(), strict=True))
    with pytest.raises(AttributeError, match="no learning rate of its own"):
        _ = optimizer.learning_rate


class Transformation(NamedTuple):
    init: object
    update: object


class CountAndTrace(NamedTuple):
    count: jax.Array
    trace: dict


def transformation(rate=0.1, momentum=0.5):
    """What `optax.sgd` is made of."""

    def init(params):
        return CountAndTrace(jnp.zeros((), "int32"), jax.tree.map(jnp.zeros_like, params))

    def update(gradients, state, params=None):
        assert params is not None
        trace = jax.tree.map(lambda g, t: g + momentum * t, gradients, state.trace)
        return jax.tree.map(lambda t: -rate * t, trace), CountAndTrace(state.count + 1, trace)

    return Transformation(init, update)


def test_optax():
    optimizer = optimizers.get(transformation())
    values, state = run(optimizer, steps=5)
    expected, _ = run(optimizers.SGD(0.1, momentum=0.5), steps=5)
    for value, other in zip(values, expected, strict=True):
        np.testing.assert_allclose(value, other, rtol=1e-6)
    names = [variable.name for variable in optimizer.variables]
    assert names == ["iteration", ".count", ".trace['dense_bias']", ".trace['dense_kernel']"]
    assert [int(state[0]), int(state[1])] == [5, 5]
    assert not hasattr(optimizer, "learning_rate")
    with pytest.raises(TypeError, match="Use save_weights"):
        optimizers.serialize(optimizer)
    with pytest.raises(TypeError, match="expected a gradient transformation"):
        optimizers.OptaxOptimizer("adam")


def test_optax_state_that_starts_as_the_weights():
    def update(gradients, state, params):
        return jax.tree.map(lambda g: -g, gradients), state

    weights, _ = quadratic()
    optimizer = optimizers.get(Transformation(lambda params: (params, params), update))
    optimizer.build(weights)
    arrays = [variable.value for variable in (*weights, *optimizer.variables)]
    assert len({array.unsafe_buffer_pointer() for array in arrays}) == 7


def test_optax_without_some_gradients():
    weights, _ = quadratic()
    optimizer = optimizers.get(transformation(rate=1.0))
    with pytest.warns(UserWarning, match="do not exist"):
        optimizer.apply([None, np.ones(2)], weights)
    assert weights[0].numpy()[0, 0] == 3.0
    assert weights[1].numpy().tolist() == [0.0, -2.0]


def test_a_program_may_bind_the_state():
    weights, _ = quadratic()
    optimizer = optimizers.Nadam(0.1)
    optimizer.build(weights)
    everything = [*weights, *optimizer.variables]
    pure = jax.jit(bind(lambda grads: optimizer.apply(grads), everything))
    _, after = pure([v.value for v in everything], [np.ones((2, 2)), np.ones(2)])
    assert int(after[2]) == 1
    assert int(optimizer.iterations) == 0
