"""C203, C204, C213, C220: axes that are lost, mixed up or left over on the way to the loss."""

from __future__ import annotations

from collections.abc import Iterator

from cornu.check.facts import (
    CONVOLUTIONS,
    LINEAR,
    RECURRENT,
    TRANSPARENT,
    Facts,
    Operation,
    Output,
    through,
)
from cornu.check.rule import Finding, rule
from cornu.check.rules.entrances import entrances
from cornu.check.rules.paths import (
    RESHAPES,
    WEIGHTED,
    after,
    is_torch,
    named,
    size,
    sole_input,
)


def _without_ones(shape: tuple) -> tuple:
    return tuple(axis for axis in shape if axis != 1)


def _axes_too_many(output: Output) -> bool:
    """Whether an output has more axes than its labels, each counted as the loss pairs them."""
    loss = output.loss
    if loss is None or loss.kind == "custom":
        return False
    made = tuple(loss.prediction_shape or output.operation.shape)[1:]
    if loss.target_shape is not None:
        wanted = tuple(loss.target_shape)[1:]
    elif output.labels is not None:
        wanted = tuple(output.labels.shape)
    else:
        return False
    one_hot = loss.labels == "one-hot or classes" and len(wanted) == len(made)
    if loss.labels in ("classes", "one-hot or classes") and not one_hot and made:
        axis = loss.class_axis - 1 if loss.class_axis > 0 else loss.class_axis
        if not -len(made) <= axis < len(made):
            return False
        # the class of each place: the loss takes the axis of classes away
        made = tuple(n for i, n in enumerate(made) if i != axis % len(made))
    return len(_without_ones(made)) > len(_without_ones(wanted))


def _cause_of_axes(output: Output) -> Operation | None:
    """The layer that left the axes there: a recurrent one, else the first dense one."""
    cause = None
    current: Operation | None = output.operation
    while current is not None and len(current.shape) > 2:
        if current.kind in RECURRENT:
            return current
        dense = current.kind == "Dense" and len(current.input_shape) > 2
        if dense or (current.kind in CONVOLUTIONS and cause is None):
            cause = current
        current = sole_input(current)
    return cause


@rule(
    "C203",
    "missing-flatten",
    "error",
    "a dense layer works on the last axis alone: every row of pixels, or step, is judged by itself",
)
def missing_flatten(facts: Facts) -> Iterator[Finding]:
    """Images or sequences that reach the loss with axes that the labels do not have.

    ## What it does
    Compares the axes of the output with those of the labels. Where the output has more, and a dense
    layer (or a convolution) made it from more than (rows, features), a Flatten or a global pooling
    is missing before that layer. Recurrent layers that return whole sequences are told as C213.

    ## Why it hurts
    `Dense(10)` on (rows, 28, 28) gives (rows, 28, 10): 28 answers for each image, each from one
    line of it. Cross-entropy stops with an error about shapes. Mean squared error does not: it
    repeats each label along the extra axis, and the network learns something else than was meant.

    ## Example
        model.add(Dense(64, activation="relu", input_shape=(28, 28)))
        model.add(Dense(10, activation="softmax"))

    ## Fix
        model.add(Flatten(input_shape=(28, 28)))
        model.add(Dense(64, activation="relu"))
        model.add(Dense(10, activation="softmax"))
    """
    for output in facts.outputs:
        if not _axes_too_many(output):
            continue
        cause = _cause_of_axes(output)
        if cause is None or cause.kind in RECURRENT:
            continue
        layer = "`nn.Flatten()`" if is_torch(facts) else "`Flatten()`"
        if through(cause.inputs[0]).kind == "Embedding" and not is_torch(facts):
            layer += " (or `GlobalAveragePooling1D()`)"
        where = "behind" if cause.kind in CONVOLUTIONS else "before"
        yield Finding(
            message=f"the output has the shape {_shown(output.operation.shape)}, the labels "
            f"{_shown(_labels_shape(output))}: {named(cause)} works on {_shown(cause.input_shape)}",
            fix=f"put {layer} {where} `{cause.name}`",
            at=cause,
        )


def _labels_shape(output: Output) -> tuple:
    if output.loss is not None and output.loss.target_shape is not None:
        return (None, *tuple(output.loss.target_shape)[1:])
    return (None, *output.labels.shape) if output.labels is not None else (None,)


def _shown(shape: tuple) -> str:
    axes = ["rows", *(("?" if axis is None else str(axis)) for axis in shape[1:])]
    return f"({axes[0]},)" if len(axes) == 1 else f"({', '.join(axes)})"


# Layers for which it matters which value stands beside which.
_NEIGHBOURS = CONVOLUTIONS | RECURRENT | {"MultiHeadAttention"}


@rule(
    "C204",
    "wrong-flatten",
    "error",
    "values of different rows end up in one row, so that rows and labels no longer belong together",
)
def wrong_flatten(facts: Facts) -> Iterator[Finding]:
    """A reshape that mixes rows with features, or does what only a transpose can do.

    ## What it does
    Looks at every reshape, flatten and view. Errors are: the number of rows changes and the labels
    have another; an array with the batch on its second axis is reshaped so that the batch comes
    first. A warning: the sizes of axes are only swapped, and a layer follows for which neighbours
    matter.

    ## Why it hurts
    Reshaping never moves a value: it reads the same values on in the same order. `x.view(-1, 400)`
    of (32, 576) makes rows that begin in one image and end in the next. `h.view(batch, -1)` of a
    state (2, batch, 64) puts two rows' states side by side, and (rows, 28, 28, 3) reshaped to
    (rows, 3, 28, 28) is no image any more. Loss goes down a little, and nothing is learnt.

    ## Example
        out, (h, c) = self.lstm(x)        # h: (2, batch, 64)
        x = self.fc(h.view(batch, -1))

    ## Fix
        out, (h, c) = self.lstm(x)
        x = self.fc(h.transpose(0, 1).reshape(batch, -1))
    """
    rows = _batch_rows(facts)
    for operation in facts.operations:
        if operation.kind not in RESHAPES or len(operation.inputs) != 1:
            continue
        taken, made = operation.input_shape, operation.shape
        if _is_state_side_by_side(operation):
            yield Finding(
                message=f"`{operation.name}` makes {_shown(made)} of the final state of "
                f"`{operation.inputs[0].name}`, whose second axis is the batch: values of "
                "different rows are put into one",
                fix="swap the axes first: `h.transpose(0, 1).reshape(batch, -1)`; or take the last "
                "layer's state alone: `h[-1]`",
                at=operation,
            )
            continue
        if operation.inputs[0].kind in RECURRENT and not _rows_changed(taken, made):
            continue
        if _batch_second(taken, made, rows):
            yield Finding(
                message=f"`{operation.name}` makes {made} of {taken}, where the batch of {rows} is "
                "the second axis: values of different rows are put into one",
                fix="swap the axes first: `.transpose(0, 1)`, then `.reshape(batch, -1)`; or take "
                "the last layer's state alone: `h[-1]`",
                at=operation,
            )
        elif _changes_places(taken, made, rows) and _neighbours_matter(operation):
            yield Finding(
                message=f"`{operation.name}` makes {made} of ({rows}, "
                f"{', '.join(map(str, taken[1:]))}): that does not swap the batch with the steps, "
                "it puts values of different rows into one",
                fix="use `.transpose(0, 1)` instead of `.view(...)`",
                at=operation,
            )
        elif _rows_changed(taken, made):
            yield from _lost_rows(facts, operation, taken, made)
        elif _swapped(taken, made) and _neighbours_matter(operation):
            yield Finding(
                message=f"`{operation.name}` reshapes {_shown(taken)} to {_shown(made)}: that does "
                "not swap axes, it scrambles the values",
                fix="use `.permute(...)` instead of `.view(...)`"
                if is_torch(facts)
                else "use `Permute` (`np.transpose` on the data) instead of reshaping",
                at=operation,
                severity="warning",
                why="what stood side by side no longer does, and windows or steps see a jumble",
            )
    yield from _scrambled_data(facts)


def _scrambled_data(facts: Facts) -> Iterator[Finding]:
    """Data that was reshaped, before it came to the network, where its axes are only swapped."""
    for entrance, x in entrances(facts):
        taken, made = x.reshaped_from, (x.rows, *x.shape)
        if taken is not None and _swapped(taken, made) and _neighbours_matter(entrance):
            yield Finding(
                message=f"{x.name} is reshaped from {_shown(taken)} to {_shown(made)}: that does "
                "not swap axes, it scrambles the values",
                fix="use `.permute(...)` instead of `.view(...)`",
                layer=x.name,
                place=x.place,
                severity="warning",
                why="what stood side by side no longer does, and windows or steps see a jumble",
            )


def _batch_rows(facts: Facts) -> int | None:
    """Rows of the batch that a PyTorch network was observed with, where inputs and labels agree."""
    entrance = next(facts.of_kind("Input"), None)
    for output in facts.outputs:
        loss = output.loss
        if loss is None or not loss.target_shape or not loss.prediction_shape or not entrance:
            continue
        rows, begins = loss.target_shape[0], output.operation.shape[:1]
        if tuple(loss.prediction_shape[1:]) != tuple(output.operation.shape[1:]):
            continue  # reshaped on its way to the loss
        # open in both where they have as many rows
        if rows == loss.prediction_shape[0] and begins == entrance.shape[:1]:
            return rows
    return None


def _is_state_side_by_side(operation: Operation) -> bool:
    """Whether it lays the states of several layers or directions of all rows out as one row each.

    PyTorch's recurrent layers give their final state as (layers * directions, rows, units).
    """
    layer, made = operation.inputs[0], operation.shape
    directions = 1 + bool(layer.settings.get("bidirectional"))
    parts = (layer.settings.get("num_layers") or 0) * directions
    units = layer.settings.get("units")
    if layer.kind not in RECURRENT or parts < 2 or not units or len(made) != 2:
        return False
    # the output of all steps, as large by chance
    steps = layer.shape[1] if len(layer.shape) == 3 else None
    return made[1] == parts * units and steps != layer.settings.get("num_layers")


def _changes_places(taken: tuple, made: tuple, rows: int | None) -> bool:
    """Whether the axis behind the batch comes first in what is made, and the batch behind it."""
    if rows is None or rows < 2 or len(taken) < 3 or len(made) != len(taken):
        return False
    steps = taken[1]
    return steps not in (None, 1, rows) and made == (steps, rows, *taken[2:])


def _rows_changed(taken: tuple, made: tuple) -> bool:
    if not taken or not made:
        return False
    if taken[0] is not None and made[0] is not None:
        return taken[0] != made[0]
    one, two = size(taken[1:]), size(made[1:])
    return one is not None and two is not None and one != two


def _lost_rows(facts: Facts, operation: Operation, taken: tuple, made: tuple) -> Iterator[Finding]:
    """Findings of a reshape that makes more or fewer rows, where the labels do not follow."""
    behind = list(after(operation))
    if any(
        step.kind in RESHAPES and _rows_changed(step.input_shape, step.shape) for step in behind
    ):
        return  # turned back, or made another time
    for output in facts.outputs:
        loss = output.loss
        if loss is None or (output.operation is not operation and output.operation not in behind):
            continue
        if loss.prediction_shape is not None and loss.target_shape is not None:
            if not loss.prediction_shape or not loss.target_shape:
                continue
            wrong = loss.prediction_shape[0] != loss.target_shape[0]
            # (rows, classes) laid out in a line, labels beside it: a matter of the loss
            wrong = wrong and any(step.kind in WEIGHTED for step in behind)
        else:
            # Keras pairs rows of x and y one by one
            wrong = not is_torch(facts) and output.labels is not None
        if wrong:
            one, two = size(taken[1:]), size(made[1:])
            fix = (
                "keep the rows: `x.view(x.size(0), -1)` or `torch.flatten(x, 1)`"
                if is_torch(facts)
                else "keep the rows: use `Flatten()`, or reshape to (rows, -1)"
            )
            if is_torch(facts) and one and len(made) == 2:
                fix += f", and a next layer with {one} inputs"
            shapes = f"{taken} to {made}" if None not in (taken[0], made[0]) else ""
            yield Finding(
                message=f"`{operation.name}` changes the number of rows"
                + (f": from {shapes}" if shapes else f": a row of {one} values becomes {two}"),
                fix=fix,
                at=operation,
            )
            return


def _batch_second(taken: tuple, made: tuple, rows: int | None) -> bool:
    if rows is None or rows < 2 or len(taken) < 3 or len(made) < 2:
        return False
    return (
        taken[1] == rows
        and taken[0] not in (1, rows, None)
        # rows of several parts each, beside as many channels as there are rows
        and taken[0] % rows != 0
        and made[0] in (None, rows)
        and None not in (*taken[2:], *made[1:])
        and size(taken[2:]) * taken[0] == size(made[1:])
    )


def _swapped(taken: tuple, made: tuple) -> bool:
    """Whether the same sizes stand in another order; axes of size 1 may go anywhere."""
    if len(taken) != len(made) or taken[0] != made[0]:
        return False
    one, two = _without_ones(taken[1:]), _without_ones(made[1:])
    return None not in one and one != two and sorted(one) == sorted(two)


def _neighbours_matter(operation: Operation) -> bool:
    for step in after(operation):
        if step.kind in _NEIGHBOURS:
            return True
        if step.kind not in TRANSPARENT or len(step.shape) < 3:
            return False
    return False


@rule(
    "C213",
    "missing-return-sequences",
    "error",
    "a recurrent layer needs all steps of the one before it, a label for each row only one",
)
def missing_return_sequences(facts: Facts) -> Iterator[Finding]:
    """A recurrent layer that gives only its last step to another one, or all steps to the labels.

    ## What it does
    Two mistakes with `return_sequences`: a layer that returns only its last step, and another
    recurrent layer behind it; and a layer that returns every step, although there is one label for
    each row.

    ## Why it hurts
    The first stops with "expected ndim=3, found ndim=2"; in PyTorch a layer that gets (rows,
    features) takes the rows for the steps of one single sequence. The second gives (rows, steps,
    units) to the output layer: an answer for each step. Cross-entropy stops; mean squared error
    repeats the label along the steps, and the network is trained to answer at the first step.

    ## Example
        model.add(LSTM(64, input_shape=(30, 8)))
        model.add(LSTM(32))
        model.add(Dense(1))

    ## Fix
        model.add(LSTM(64, return_sequences=True, input_shape=(30, 8)))
        model.add(LSTM(32))
        model.add(Dense(1))
    """
    for operation in facts.operations:
        if operation.kind not in RECURRENT or len(operation.input_shape) != 2:
            continue
        past = operation.inputs[0]
        while past.kind not in RECURRENT | LINEAR | {"Embedding", "Input"} and past.inputs:
            past = past.inputs[0]
        if past.kind in RECURRENT:
            yield Finding(
                message=f"{named(operation)} gets {_shown(operation.input_shape)}: only the last "
                f"step of `{past.name}`",
                fix=f"hand all steps of `{past.name}` on: `out`, not `out[:, -1]`"
                if is_torch(facts)
                else f"give `{past.name}` `return_sequences=True`",
                at=past if not is_torch(facts) else operation,
            )
    for output in facts.outputs:
        cause = _cause_of_axes(output) if _axes_too_many(output) else None
        if cause is not None and cause.kind in RECURRENT:
            yield Finding(
                message=f"`{cause.name}` returns every step: the output has the shape "
                f"{_shown(output.operation.shape)}, the labels {_shown(_labels_shape(output))}",
                fix="take the last step before the next layer: `out[:, -1]`"
                if is_torch(facts)
                else f"give `{cause.name}` `return_sequences=False`",
                at=cause,
            )


@rule(
    "C220",
    "batch-taken-for-steps",
    "error",
    "each row is computed from the rows before it in the batch, and its own steps never meet",
)
def batch_taken_for_steps(facts: Facts) -> Iterator[Finding]:
    """A PyTorch recurrent or attention layer that gets the batch on the axis of its steps.

    ## What it does
    Looks for `nn.LSTM`, `nn.GRU`, `nn.RNN`, `nn.MultiheadAttention` and Transformer layers made
    without `batch_first=True` whose input has the rows of the batch on its first axis.

    ## Why it hurts
    Without `batch_first=True` the first axis is time. Nothing stops: shapes fit all the same. But
    the layer runs over the rows of the batch as if they were one sequence, so that a prediction
    depends on which rows happen to stand before it, and the order within a row plays no part.

    ## Example
        self.lstm = nn.LSTM(8, 64)
        out, _ = self.lstm(x)              # x: (batch, steps, 8)
        return self.fc(out[:, -1])

    ## Fix
        self.lstm = nn.LSTM(8, 64, batch_first=True)
    """
    rows = _batch_rows(facts)
    if rows is None or rows < 2 or not is_torch(facts):
        return
    for operation in facts.operations:
        if operation.settings.get("batch_first") is not False or operation.call > 0:
            continue
        taken = operation.input_shape
        # steps first is right where the labels have the same steps; a middle axis of 1 is mostly
        # one sequence on purpose
        if len(taken) != 3 or taken[0] not in (None, rows) or taken[1] in (1, rows, None):
            continue
        if any(_labels_shape(output)[1:2] == taken[1:2] for output in facts.outputs):
            continue
        yield Finding(
            message=f"{named(operation)} gets {taken} without `batch_first=True`: it takes the "
            f"{rows} rows of the batch for steps of a sequence",
            fix="make the layer with `batch_first=True`",
            at=operation,
        )
