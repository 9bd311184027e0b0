"""Rules about what inputs hold: not finite, ids, channels: C503, C510, C511, C516."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cornu.check.facts import (
    LINEAR,
    RECURRENT,
    Facts,
    through,
)
from cornu.check.rule import Finding, rule
from cornu.check.rules.entrances import entrances, is_token_ids, reached

_CLEANING = frozenset({"nan_to_num", "where", "isnan", "Normalization"})


@rule(
    "C503",
    "not-finite",
    "error",
    "one NaN makes the loss, then all gradients, then all weights NaN",
)
def not_finite(facts: Facts) -> Iterator[Finding]:
    """NaN or infinity in the data.

    ## What it does
    Looks through inputs, labels and validation data for NaN and infinite values.

    ## Why it hurts
    The mean over a batch with one NaN is NaN, so the first step that meets it makes every weight
    NaN, and all later predictions.

    ## Example
        x = pd.read_csv("table.csv").values            # empty cells are NaN
        model.fit(x, y)

    ## Fix
        x = pd.read_csv("table.csv").dropna().values
    """
    entries = {id(x): entrance for entrance, x in entrances(facts)}
    arrays = [*facts.inputs, *facts.validation_inputs]
    for output in facts.outputs:
        if output.loss is not None and output.loss.kind != "custom":
            arrays += [a for a in (output.labels, output.validation_labels) if a is not None]
    for x in arrays:
        missing, infinite = x.not_finite
        entrance = entries.get(id(x))
        if not missing and not infinite:
            continue
        if entrance is not None and any(c.kind in _CLEANING for c in entrance.consumers):
            continue
        what = [f"{n} {w}" for n, w in ((missing, "NaN"), (infinite, "infinite")) if n]
        yield Finding(
            message=f"{x.name} holds {' and '.join(what)} value{'s' * (missing + infinite > 1)}",
            fix="remove these rows, or fill them in (np.nan_to_num, SimpleImputer)",
            layer=x.name,
            place=x.place or facts.training.place,
        )


@rule(
    "C510",
    "ids-into-dense",
    "warning",
    "the number of a word is a name, not a quantity: a layer that multiplies it takes word 200 for "
    "twice word 100",
)
def ids_into_dense(facts: Facts) -> Iterator[Finding]:
    """Numbers of words or categories that are multiplied by weights.

    ## What it does
    Finds rows of whole numbers that are word numbers (filled up with 0 at one end, or made by a
    tokenizer in the same program) going into a dense, convolutional or recurrent layer without an
    Embedding.

    ## Why it hurts
    The layer can only weigh the numbers as sizes, which say how rare a word is and nothing else;
    they are also large, see C501.

    ## Example
        x = pad_sequences(tokenizer.texts_to_sequences(texts))
        model = Sequential([Dense(64, activation="relu"), Dense(1, activation="sigmoid")])

    ## Fix
        model = Sequential([Embedding(10000, 64), GlobalAveragePooling1D(), Dense(1, ...)])
    """
    for entrance, x in entrances(facts):
        if not x.is_numeric or not x.finite.size or not is_token_ids(x, facts):
            continue
        taking = [one for one in reached(entrance) if one.kind in LINEAR | RECURRENT]
        if taking:
            yield Finding(
                message=f"{x.name} holds numbers of words (0 to {x.high:g}), and "
                f"{taking[0].name!r} multiplies them by weights",
                fix="put an Embedding before it"
                if facts.framework != "torch"
                else "put an nn.Embedding before it",
                at=taking[0],
            )


@rule(
    "C511",
    "channels-misplaced",
    "error",
    "the window slides over colours and one side of the image, and the other side is taken for "
    "channels: neighbouring pixels are never seen together",
)
def channels_misplaced(facts: Facts) -> Iterator[Finding]:
    """Images whose channels are on another axis than the convolution takes them from.

    ## What it does
    Finds a two-dimensional convolution directly on the input whose channel axis is a side of the
    image, while the axis at the other end has size 3 or 4 (or 1, for square images).

    ## Why it hurts
    It runs without an error: an image of (3, 32, 32) is taken for one of 3 x 32 pixels in 32
    colours. A window of 3 x 3 covers all colours and three pixels of one line.

    ## Example
        x.shape == (50000, 3, 32, 32)
        Conv2D(32, 3, input_shape=(3, 32, 32))

    ## Fix
        x = x.transpose(0, 2, 3, 1)
        Conv2D(32, 3, input_shape=(32, 32, 3))
    """
    for operation in facts.operations:
        if operation.kind not in ("Conv2D", "DepthwiseConv2D", "SeparableConv2D"):
            continue
        if not operation.inputs:
            continue
        source = through(operation.inputs[0], frozenset({"Rescaling", "Normalization"}))
        shape = operation.input_shape
        if source.kind != "Input" or len(shape) != 4 or None in shape[1:]:
            continue
        first = operation.channels_first
        channels = shape[1] if first else shape[3]
        other = shape[3] if first else shape[1]
        middle = shape[2]
        assert channels is not None
        assert other is not None
        assert middle is not None
        if other == 1:
            wrong = channels >= 8 and middle == channels
        else:
            wrong = other in (3, 4) and channels >= 16 and middle >= 16
        if not wrong:
            continue
        if facts.framework == "torch":
            fix = "give it x.permute(0, 3, 1, 2), and as in_channels the number of colours"
        elif first:
            fix = 'use data_format="channels_last"'
        else:
            fix = "transpose the images: x.transpose(0, 2, 3, 1)"
        yield Finding(
            message=f"{operation.name!r} takes images of {tuple(shape[1:])} for {channels} "
            f"channels, the channels seem to be the axis of size {other}",
            fix=fix,
            at=operation,
        )


@rule(
    "C516",
    "ids-outside-embedding",
    "error",
    "an id without a row in the table stops training, gives NaN, or is silently taken for another",
)
def ids_outside_embedding(facts: Facts) -> Iterator[Finding]:
    """Inputs of an Embedding that are no numbers of its rows.

    ## What it does
    Finds numbers below 0 or not below the size of the table, and values that are not whole, going
    into an Embedding.

    ## Why it hurts
    A table of 1000 rows has rows 0 to 999: a tokenizer that counts from 1 needs 1001. On a GPU
    TensorFlow gives zeros, JAX the last row. Values scaled to 0 ... 1 all become row 0.

    ## Example
        vocabulary = len(tokenizer.word_index)         # ids 1 ... vocabulary
        Embedding(vocabulary, 64)

    ## Fix
        Embedding(vocabulary + 1, 64)
    """
    for entrance, x in entrances(facts):
        if not x.is_numeric or not x.finite.size:
            continue
        for layer in reached(entrance):
            size = layer.settings.get("input_dim")
            if layer.kind != "Embedding" or not isinstance(size, int) or len(facts.inputs) > 8:
                continue
            low, high = float(np.nanmin(x.array)), float(np.nanmax(x.array))
            if not x.is_integer:
                problem = f"are not whole ({low:g} to {high:g})"
                fix = "give it the ids as they are, unscaled"
            elif low < 0 or high >= size:
                problem = f"go from {low:g} to {high:g}"
                fix = "number the ids from 0" if low < 0 else f"give it input_dim={int(high) + 1}"
                if low >= 0 and facts.framework == "torch":
                    fix = f"give it num_embeddings={int(high) + 1}"
            else:
                continue
            yield Finding(
                message=f"the inputs of {layer.name!r} {problem}, its table has the rows 0 to "
                f"{size - 1}",
                fix=fix,
                at=layer,
            )
