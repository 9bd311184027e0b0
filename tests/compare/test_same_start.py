"""Judging whether two runs lie on each other, part by rounding, or are different programs."""

import numpy as np
import pytest

from cornu.compare.same_start import Run, differences_of, judge

NAMES = [("first", "kernel"), ("first", "bias"), ("second", "kernel")]
SIZES = [200, 20, 40]
STEPS = 60


def run(losses=None, prints=None):
    """A run whose loss falls, of three weights."""
    losses = np.linspace(2.0, 1.0, STEPS) if losses is None else losses
    if prints is None:
        prints = np.ones((STEPS + 1, 6)) * np.linspace(1, 2, STEPS + 1)[:, None]
    return Run(losses, prints, SIZES)


def parted(by, weights=()):
    """A run whose losses are changed by `by`, relatively, and some weights with them."""
    reference = run()
    prints = reference.prints.copy()
    for weight in weights:
        # before a step stands what the steps before it made of the weights
        prints[:STEPS, 2 * weight : 2 * weight + 2] *= (1 + by)[:, None]
    return run(reference.losses * (1 + by), prints)


def judged(other, dtype="float64", agrees=None):
    return judge(other, run(), NAMES, dtype, steps_per_epoch=20, agrees_in_float64=agrees)


def test_noise_of_rounding_is_the_same():
    noise = np.random.default_rng(0).normal(size=STEPS) * 1e-15
    verdict = judged(parted(noise))
    assert verdict.kind == "same"
    assert verdict.same
    assert verdict.largest < 1e-14


def test_growth_from_step_to_step_is_rounding():
    growth = 1e-16 * 1.8 ** np.arange(STEPS)
    verdict = judged(parted(growth, weights=[0, 1, 2]))
    assert verdict.kind == "rounding"
    assert verdict.same
    assert verdict.step == np.flatnonzero(growth > 1e-8)[0] + 1
    assert verdict.epoch == 2
    assert "rounding" in verdict.text


def test_another_loss_parts_at_the_first_step():
    verdict = judged(parted(np.full(STEPS, 0.01)))
    assert (verdict.kind, verdict.step, verdict.place) == ("different", 1, "the loss")
    assert not verdict.same


def test_another_update_names_the_layer_that_it_reached_first():
    by = np.where(np.arange(STEPS) < 7, 0.0, 1e-6)
    verdict = judged(parted(by, weights=[2]))
    assert (verdict.kind, verdict.step, verdict.epoch) == ("different", 8, 1)
    assert verdict.place == "the layer 'second'"


def test_another_optimizer_reaches_every_layer():
    by = np.where(np.arange(STEPS) < 1, 0.0, 1e-9 * np.arange(STEPS))
    verdict = judged(parted(by, weights=[0, 1, 2]))
    assert (verdict.kind, verdict.step, verdict.place) == ("different", 2, "every layer")


def test_other_initial_weights_are_said():
    prints = run().prints.copy()
    prints[:, 2] *= 1.5
    verdict = judged(run(prints=prints))
    assert verdict.kind == "different"
    assert verdict.step == 1
    assert verdict.place == "the layer 'first'"
    assert "do not start alike" in verdict.text


def test_float64_settles_what_float32_is():
    by = np.where(np.arange(STEPS) < 30, 1e-7, 1e-2)
    assert judged(parted(by), "float32", agrees=True).kind == "rounding"
    assert judged(parted(by), "float32", agrees=False).kind == "different"
    slow = 1e-7 * 1.5 ** np.arange(STEPS)
    assert judged(parted(slow, weights=[0, 1, 2]), "float32").kind == "rounding"


def test_what_drifts_in_one_place_is_no_rounding():
    drift = 1e-5 * np.arange(STEPS)
    verdict = judged(parted(drift, weights=[2]), "float32")
    assert verdict.kind == "different"
    assert verdict.place == "the layer 'second'"
    # nor is what adds up in all of them
    assert judged(parted(drift, weights=[0, 1, 2]), "float32").kind == "different"


def test_weights_that_cannot_be_paired_are_said():
    by = np.where(np.arange(STEPS) < 5, 0.0, 1e-3)
    other = parted(by)
    other.sizes = [*SIZES[:-1], 41]
    assert "cannot be paired" in judged(other).place


def test_float32_is_judged_by_its_first_epoch():
    by = np.where(np.arange(STEPS) < 20, 2e-6, 1e-2)
    verdict = judged(parted(by), "float32", agrees=True)
    assert verdict.largest == pytest.approx(2e-6, rel=1e-3)
    assert verdict.epoch == 2


def test_a_loss_that_is_no_number_differs_from_one_that_is():
    losses = run().losses.copy()
    losses[5:] = np.nan
    verdict = judged(run(losses))
    assert (verdict.kind, verdict.step) == ("different", 6)
    assert "only one of them is a number" in verdict.text
    both = run(losses)
    assert judge(both, run(losses), NAMES, "float64", 20).kind == "same"


def test_small_losses_are_measured_against_the_first():
    reference = np.array([1.0, 1e-9])
    assert differences_of(np.array([1.0, 2e-9]), reference)[1] == pytest.approx(1e-7)
