"""Means with their intervals, thinned series, relative differences."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cornu.compare.statistics import (
    mean_and_interval,
    outcome,
    t_quantile,
    t_within,
    thinned,
)

# NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2: two-sided 95 % (column 0.975)
NIST = {
    1: 12.706,
    2: 4.303,
    3: 3.182,
    4: 2.776,
    5: 2.571,
    6: 2.447,
    7: 2.365,
    8: 2.306,
    9: 2.262,
    10: 2.228,
    15: 2.131,
    20: 2.086,
    29: 2.045,
    30: 2.042,
    60: 2.000,
    100: 1.984,
}


@pytest.mark.parametrize(("degrees", "t"), NIST.items())
def test_the_table(degrees, t):
    assert t_quantile(degrees) == pytest.approx(t, abs=5.1e-4)


def test_many_degrees_are_the_normal_distribution():
    assert t_quantile(10_001) == pytest.approx(1.959964, abs=3e-4)
    assert t_quantile(10_000, 0.99) == pytest.approx(2.575829, abs=6e-4)


@given(st.integers(1, 60), st.floats(0.01, 0.999))
def test_the_quantile_is_the_inverse(degrees, confidence):
    assert t_within(t_quantile(degrees, confidence), degrees) == pytest.approx(confidence)


def test_the_interval_of_a_mean():
    values = [0.91, 0.95, 0.93, 0.94, 0.92]
    mean, half = mean_and_interval(values)
    assert mean == pytest.approx(0.93)
    assert half == pytest.approx(2.776445 * np.std(values, ddof=1) / math.sqrt(5), rel=1e-6)


def test_the_interval_covers_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(3.0, 2.0, (4000, 4))
    inside = 0
    for row in draws:
        mean, half = mean_and_interval(list(row))
        inside += abs(mean - 3.0) <= half
    assert inside / len(draws) == pytest.approx(0.95, abs=0.012)


def test_what_is_missing_is_left_out():
    assert mean_and_interval([None, 2.0, math.nan]) == (2.0, None)
    assert mean_and_interval([]) == (None, None)
    assert mean_and_interval([1.0, math.inf]) == (math.inf, None)
    assert mean_and_interval([2.0, 2.0]) == (2.0, 0.0)


def test_what_has_no_interval():
    with pytest.raises(ValueError, match="at least two values"):
        t_quantile(0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        t_quantile(3, 95)


def run_of(loss, accuracy):
    return {"test": {"loss": loss, "accuracy": accuracy}}


def test_loss_and_accuracy_are_of_the_same_runs():
    runs = [run_of(1.0, 0.5), run_of(math.nan, 0.1), run_of(3.0, 0.7), run_of(9.0, None)]
    found = outcome([*runs, {"test": None}, {"history": {}}])
    assert found.used == [runs[0], runs[2]]
    assert found.diverged == [runs[1]]
    assert found.every == 6
    assert found.loss == mean_and_interval([1.0, 3.0])
    assert found.accuracy == mean_and_interval([0.5, 0.7])


def test_runs_without_an_accuracy():
    found = outcome(
        [{"test": {"loss": 1.0}}, {"test": {"loss": math.inf}}, {"test": {"loss": 2.0}}]
    )
    assert found.loss == mean_and_interval([1.0, 2.0])
    assert found.accuracy == (None, None)
    assert (len(found.used), len(found.diverged)) == (2, 1)


def test_no_runs_at_all():
    for runs in (None, [], [run_of(None, None)]):
        found = outcome(runs)
        assert found.used == []
        assert found.loss == found.accuracy == (None, None)


@given(st.integers(0, 5000), st.integers(2, 300))
def test_thinned(length, most):
    kept = thinned(length, most)
    assert len(kept) == min(length, most)
    if length:
        assert kept[0] == 0
        assert kept[-1] == length - 1
    gaps = {b - a for a, b in itertools.pairwise(kept)}
    assert not gaps or (min(gaps) >= 1 and max(gaps) - min(gaps) <= 1)


def test_one_is_too_few():
    with pytest.raises(ValueError, match="at least 2"):
        thinned(10, 1)
