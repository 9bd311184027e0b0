"""Rules about the scale of inputs and targets: C501, C502, C504, C513, C515."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cornu.check.facts import (
    LINEAR,
    NORMALIZATION,
    RECURRENT,
    Facts,
    Operation,
)
from cornu.check.rule import Finding, rule
from cornu.check.rules.entrances import entrances, is_token_ids, reached
from cornu.check.rules.label_forms import (
    REGRESSION,
    TOY_ROWS,
    form,
    labels_are_inputs,
    last,
    last_function,
)
from cornu.check.statistics import ArrayFacts

# Initial weights are made for inputs of variance 1 (Glorot and Bengio, 2010); ten times that is the
# size at which plain gradient descent with Keras' 0.01 begins to diverge.
LARGE = 10.0
# Adam with 0.001 moves a weight by about 0.001 a step: a target of 1000 is far away.
LARGE_TARGET = 1000.0


def _learners(facts: Facts, entrance: Operation) -> list[Operation]:
    """Trainable layers that take the input as it is."""
    if facts.source is not None and "preprocess_input" in facts.source.text:
        return []  # what a pretrained network was trained on, which may be large
    return [
        operation
        for operation in reached(entrance)
        if operation.kind in LINEAR | RECURRENT
        and operation.trainable
        and (not operation.parameters or any(p.trainable for p in operation.parameters))
        # what normalizes directly behind takes the size away
        and not (operation.consumers and all(c.kind in NORMALIZATION for c in operation.consumers))
    ]


def _is_pixels(x: ArrayFacts) -> bool:
    return x.is_integer and x.low >= 0 and 200 <= x.high <= 255 and int(np.prod(x.shape)) >= 16


def _scales_differ(x: ArrayFacts) -> tuple[int, int, float, float] | None:
    """The columns of the largest and smallest values and how large they are, where they differ."""
    if x.array.ndim not in (2, 3) or x.shape[-1] < 2 or x.shape[-1] > 1000 or _is_pixels(x):
        return None
    rms = x.feature_rms
    kept = np.flatnonzero(rms > 0)
    if len(kept) < 2:
        return None
    largest = int(kept[rms[kept].argmax()])
    smallest = int(kept[rms[kept].argmin()])
    # times of a recording have one scale: only columns that are features of their own differ so
    if rms[largest] < 2 * LARGE or rms[largest] < 100 * rms[smallest]:
        return None
    return largest, smallest, float(rms[largest]), float(rms[smallest])


@rule(
    "C501",
    "unscaled-inputs",
    "warning",
    "initial weights and learning rates are made for inputs of about 1: larger ones make the first "
    "steps too large, and units die or saturate",
)
def unscaled_inputs(facts: Facts) -> Iterator[Finding]:
    """Large inputs that go into a trainable layer as they are.

    ## What it does
    Finds inputs whose root mean square is above 10 (raw pixels: about 80) that reach a dense,
    convolutional or recurrent layer without a rescaling or normalization before it or directly
    behind. Tables of fewer than 20 rows are only noted.

    ## Why it hurts
    Initial weights are drawn so that inputs of variance 1 keep their variance (Glorot and Bengio,
    2010). Pixels from 0 to 255 make the first layer's outputs and gradients about 80 times as
    large: with SGD the loss becomes NaN or units die, and with Adam training starts slowly and ends
    lower. Source: LeCun et al., "Efficient BackProp" (1998), section 4.3.

    ## Example
        (x, y), _ = mnist.load_data()
        model.fit(x.reshape(-1, 784), y)

    ## Fix
        model.fit(x.reshape(-1, 784) / 255, y)
    """
    for entrance, x in entrances(facts):
        if not x.is_numeric or not x.finite.size or x.rms <= LARGE:
            continue
        learners = _learners(facts, entrance)
        if not learners or _scales_differ(x) is not None or is_token_ids(x, facts):
            continue
        if any(
            labels_are_inputs(output, facts) and last_function(output) in ("sigmoid", "tanh")
            for output in facts.outputs
        ):
            continue  # C115 says it of the targets, which are the same data
        yield Finding(
            message=f"{x.name} goes from {x.low:g} to {x.high:g} (root mean square {x.rms:.3g}) "
            f"and reaches {learners[0].name!r} unscaled",
            fix=_scaling(facts, x),
            at=learners[0],
            layer=x.name,
            place=x.place or facts.training.place,
            severity="note" if x.complete and x.rows < 20 else None,
        )


def _scaling(facts: Facts, x: ArrayFacts) -> str:
    torch = facts.framework == "torch"
    if _is_pixels(x) or (x.low >= 0 and 200 <= x.high <= 255.5):
        return "divide the pixels by 255" + (
            " (transforms.ToTensor() does)" if torch else ", or begin with Rescaling(1 / 255)"
        )
    return "standardize with the training data's statistics: (x - mean) / std" + (
        "" if torch else ", or begin with a Normalization layer"
    )


@rule(
    "C502",
    "features-of-different-scale",
    "warning",
    "the largest feature decides all sums and gradients: the others are learnt many times more "
    "slowly, or never",
)
def features_of_different_scale(facts: Facts) -> Iterator[Finding]:
    """Features whose sizes differ by a factor of 100 or more.

    ## What it does
    Compares the root mean squares of the columns of a table that reaches a trainable layer as it
    is, where the largest is above 20. It takes the place of C501 for such data.

    ## Why it hurts
    The gradient of a weight is proportional to its feature. With one column of about 1000 and one
    of about 1 no learning rate suits both: the loss surface is a valley 1000 times steeper across
    than along. Source: LeCun et al., "Efficient BackProp" (1998), section 4.3.

    ## Example
        x = table[["income", "age", "share"]].values       # 52,000, 41, 0.3

    ## Fix
        x = StandardScaler().fit_transform(x)
    """
    for entrance, x in entrances(facts):
        if not x.is_numeric or not x.finite.size:
            continue
        differ = _scales_differ(x)
        learners = _learners(facts, entrance)
        if differ is None or not learners or is_token_ids(x, facts):
            continue
        largest, smallest, most, least = differ
        yield Finding(
            message=f"the columns of {x.name} differ in size by a factor of {most / least:.0f}: "
            f"column {largest} is about {most:.3g}, column {smallest} about {least:.3g}",
            fix=_scaling(facts, x).replace("std", "std of each column"),
            at=learners[0],
            layer=x.name,
            place=x.place or facts.training.place,
            severity="note" if x.complete and x.rows < 20 else None,
        )


@rule(
    "C504",
    "constant-features",
    "note",
    "a column that is the same in every row says nothing: its weights only add to the bias",
)
def constant_features(facts: Facts) -> Iterator[Finding]:
    """Features that are the same in every row.

    ## What it does
    Finds columns of a table (of at most 50 columns: borders of images are constant by nature) with
    one value. That all rows are the same is a warning.

    ## Why it hurts
    Nothing can be learnt from it; divided by its standard deviation it becomes NaN. Where all rows
    are the same, the data was not read as meant.

    ## Example
        x = table.values                     # a column "year" that is always 2020

    ## Fix
        x = x[:, x.std(axis=0) > 0]
    """
    for _, x in entrances(facts):
        if not x.is_numeric or x.rows < 20 or not x.finite.size or not x.complete:
            continue
        low, high = x.feature_range
        constant = np.flatnonzero(low == high)
        if x.not_finite != (0, 0) or not len(constant):
            continue
        if len(constant) == len(low):
            yield Finding(
                message=f"all {x.rows} rows of {x.name} are the same",
                fix="look at how the data is read and scaled",
                layer=x.name,
                place=x.place or facts.training.place,
                severity="warning",
            )
        elif x.array.ndim == 2 and x.shape[0] <= 50:
            which = ", ".join(str(column) for column in constant[:5])
            yield Finding(
                message=f"{len(constant)} of {len(low)} columns of {x.name} are the same in every "
                f"row: {which}{', ...' if len(constant) > 5 else ''}",
                fix="leave these columns out: x[:, x.std(axis=0) > 0]",
                layer=x.name,
                place=x.place or facts.training.place,
            )


@rule(
    "C513",
    "scaled-twice",
    "warning",
    "inputs near 0 make the first layer's outputs and gradients near 0: the network sees almost no "
    "difference between rows",
)
def scaled_twice(facts: Facts) -> Iterator[Finding]:
    """Pixels divided by 255 twice.

    ## What it does
    Finds image data with no value above 1/255, and data from 0 to 1 before a Rescaling(1/255)
    layer.

    ## Why it hurts
    The values lie between 0 and 0.004, and the first layer's gradients are 255 times smaller: SGD
    learns next to nothing in the usual number of steps.

    ## Example
        x = x / 255
        model = Sequential([Rescaling(1 / 255), Flatten(), Dense(10)])

    ## Fix
        model = Sequential([Rescaling(1 / 255), Flatten(), Dense(10)])
    """
    for entrance, x in entrances(facts):
        if not x.is_numeric or not x.finite.size or x.low < 0 or x.high <= 0:
            continue
        scales = [one for one in reached(entrance) if one.kind == "Rescaling"]
        for layer in scales:
            scale, offset = layer.settings.get("scale"), layer.settings.get("offset", 0)
            if not isinstance(scale, (int, float)) or not 0 < scale < 0.02:
                continue
            # pixels 0 and 1 of a drawing are integers; divided ones are not
            if offset in (0, 0.0, -1, -1.0) and x.high <= 1.001 and not x.is_integer:
                yield Finding(
                    message=f"{x.name} goes from {x.low:g} to {x.high:g}, and {layer.name!r} "
                    f"multiplies it by {scale:.4g} once more",
                    fix=f"remove {layer.name!r}, or give it the pixels as they were read",
                    at=layer,
                )
        image = x.array.ndim >= 3 or (x.array.ndim == 2 and x.shape[0] >= 64)
        if not scales and image and 0.002 < x.high <= 1.001 / 255:
            steps = x.finite[:10_000] * 255 * 255
            if np.allclose(steps, np.round(steps), atol=1e-2):
                yield Finding(
                    message=f"{x.name} goes from {x.low:g} to {x.high:.3g}: pixels divided by 255 "
                    "twice",
                    fix="divide by 255 once",
                    layer=x.name,
                    place=x.place or facts.training.place,
                )


@rule(
    "C515",
    "targets-unscaled",
    "warning",
    "the output starts near 0: the first errors and their gradients are huge, and with a small "
    "learning rate the targets are thousands of steps away",
)
def targets_unscaled(facts: Facts) -> Iterator[Finding]:
    """Regression targets of a huge scale.

    ## What it does
    Finds targets with a root mean square above 1000 under mean squared or absolute error and a
    linear or ReLU output. Losses of ratios (mean absolute percentage or squared logarithmic error)
    are fine.

    ## Why it hurts
    The gradient of a squared error is proportional to the error: at 200,000 the first step of SGD
    throws the weights away (NaN follows). Adam moves a weight by about its learning rate a step, so
    that 0.001 needs a very long time to reach 200,000.

    ## Example
        y = prices                                     # 80,000 to 700,000

    ## Fix
        y = (prices - prices.mean()) / prices.std()
    """
    for output in facts.outputs:
        loss, y = output.loss, output.labels
        if loss is None or y is None or loss.kind not in REGRESSION:
            continue
        if loss.kind in ("mean_absolute_percentage_error", "mean_squared_logarithmic_error"):
            continue
        if form(output) not in ("values", "whole numbers") or y.rms <= LARGE_TARGET:
            continue
        if last_function(output) not in ("linear", "relu") or labels_are_inputs(output, facts):
            continue
        yield Finding(
            message=f"{y.name} go from {y.low:.6g} to {y.high:.6g}, under {loss.written}",
            fix="scale the targets: (y - mean) / std, or log(y), and undo it for predictions",
            at=last(output),
            place=y.place or facts.training.place,
            severity="note" if y.complete and y.rows < TOY_ROWS else None,
        )
