"""Learning rate schedules by themselves: shapes of the curves, compiled or not, own schedules."""

import jax
import numpy as np
import pytest

from cornu.core.variable import Variable
from cornu.optimizers import SGD, schedules


def test_no_period_is_missed_when_compiled():
    # 90 * (1 / 30) rounds above 3 in float32: a division must not be turned into that
    for period in (3, 7, 30, 49, 100):
        stairs = schedules.ExponentialDecay(1.0, period, 0.5, staircase=True)
        compiled = jax.jit(stairs)
        for times in range(1, 8):
            step = np.int32(period * times)
            assert float(compiled(step)) == float(stairs(step)) == 0.5**times
            assert float(compiled(step - np.int32(1))) == 0.5 ** (times - 1)


@pytest.mark.parametrize("cycle", [False, True])
@pytest.mark.parametrize("power", [0.5, 2.5])
def test_polynomial_ends_at_its_end(cycle, power):
    # rounded the other way, the end would be a power of a negative number
    for steps in (3, 7, 30, 49, 100):
        schedule = jax.jit(schedules.PolynomialDecay(0.1, steps, 0.01, power, cycle))
        assert float(schedule(np.int32(steps))) == pytest.approx(0.01, rel=1e-6)
        after = float(schedule(np.int32(steps + 1)))
        assert after > 0.01 if cycle else after == pytest.approx(0.01)


def test_steps_beyond_what_float32_counts():
    schedule = schedules.PiecewiseConstantDecay([2**24], [1.0, 0.5])
    for call in (schedule, jax.jit(schedule)):
        assert float(call(np.int32(2**24))) == 1.0
        assert float(call(np.int32(2**24 + 1))) == 0.5


def test_restarts():
    schedule = schedules.CosineDecayRestarts(1.0, 10, t_mul=1.0, m_mul=0.5)
    values = [float(schedule(step)) for step in range(31)]
    assert values[0] == 1.0
    assert values[10] == pytest.approx(0.5)
    assert values[20] == pytest.approx(0.25)
    assert values[9] < 0.05


def test_steps_may_come_as_numbers_arrays_or_variables():
    schedule = schedules.CosineDecay(0.1, 10)
    expected = float(schedule(5))
    for step in (5.0, np.int64(5), np.array(5), jax.device_put(5), Variable(np.array(5))):
        assert float(schedule(step)) == expected
    np.testing.assert_allclose(schedule(np.array([0, 5, 10])), [0.1, 0.05, 0.0], atol=1e-7)


def test_outside_of_a_program_nothing_is_compiled():
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, *_, **__: compiled.append(event)
    )
    try:
        optimizer = SGD(schedules.CosineDecay(0.1, 10, warmup_target=0.2, warmup_steps=5))
        assert float(optimizer.learning_rate) == pytest.approx(0.1)
        for schedule in (
            schedules.ExponentialDecay(0.1, 10, 0.5, staircase=True),
            schedules.InverseTimeDecay(0.1, 10, 0.5),
            schedules.PolynomialDecay(0.1, 10, cycle=True),
            schedules.PiecewiseConstantDecay([10], [0.1, 0.2]),
            schedules.CosineDecayRestarts(0.1, 10),
        ):
            float(schedule(optimizer.iterations))
    finally:
        jax.monitoring.clear_event_listeners()
    assert compiled == []


class Halving(schedules.LearningRateSchedule):
    def __init__(self, start, every):
        self.start, self.every = start, every

    def __call__(self, step):
        return self.start * 0.5 ** (step // self.every)

    def get_config(self):
        return {"start": self.start, "every": self.every}


def test_own_schedule():
    config = schedules.serialize(Halving(0.5, 3))
    with pytest.raises(ValueError, match="Halving"):
        schedules.deserialize(config)
    schedule = schedules.deserialize(config, custom_objects={"Halving": Halving})
    assert schedule.every == 3
    again = SGD.from_config(SGD(schedule).get_config(), custom_objects={"Halving": Halving})
    weight = Variable(np.zeros(()))
    again.build([weight])
    step = jax.jit(again.stateless_apply)
    value, state = weight.value, [variable.value for variable in again.variables]
    seen = []
    for _ in range(7):
        (value,), state = step(state, [np.float32(-1)], [value])
        seen.append(float(value))
    np.testing.assert_allclose(np.diff([0, *seen]), [0.5] * 3 + [0.25] * 3 + [0.125])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), r"decay_steps=0\): .* positive"),
        (lambda: schedules.CosineDecayRestarts(0.1, -2), r"first_decay_steps=-2"),
        (lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1]), "2 boundaries need 3 values"),
        (lambda: schedules.PiecewiseConstantDecay([2, 1], [1, 2, 3]), "must increase"),
        (lambda: schedules.deserialize({"a": 1}), "does not describe"),
    ],
)
def test_mistakes_are_explained(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()
