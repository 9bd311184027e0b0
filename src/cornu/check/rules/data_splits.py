"""Rules about the order of rows and their split into training and validation: C505-C507, C509."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from cornu.check.facts import Facts, Output
from cornu.check.rule import Finding, rule
from cornu.check.rules.label_forms import form, has_numbers, last, over_classes
from cornu.check.rules.resampling import resampled_before_split
from cornu.check.statistics import ArrayFacts, distinct_rows, rows_in_both

# Below so many rows in all, training and validation data are mostly the same on purpose.
_FEW_ROWS = 50
# What a PyTorch program measures beside accuracy, as it is mostly called.
_OTHER_MEASURES = re.compile(r"precision|recall|f1|auc|roc|confusion|kappa|mcc", re.IGNORECASE)


def _numbers(labels: ArrayFacts | None) -> np.ndarray | None:
    """The class of each row, whatever they look like taken alone."""
    if labels is None or not labels.is_numeric:
        return None
    if labels.class_numbers is not None:
        return labels.class_numbers
    one_column = labels.array.ndim == 1 or labels.array.shape[1:] == (1,)
    return labels.array.ravel() if one_column and labels.is_integer else None


@rule(
    "C505",
    "sorted-labels",
    "error",
    "batch after batch is of one class, and each stretch makes the network forget the last: it "
    "ends up naming the class that came last",
)
def sorted_labels(facts: Facts) -> Iterator[Finding]:
    """Rows sorted by class that are not shuffled.

    ## What it does
    Finds labels that are sorted by class while rows are taken in their order (`shuffle=False`, or a
    PyTorch DataLoader without `shuffle=True`). Of a loader's first batch it is a warning that all
    rows are of one class.

    ## Why it hurts
    A gradient step is a good estimate only if its batch is a fair sample. With one class a batch,
    every step says "always this class". Batch normalization moreover sees the statistics of a
    single class.

    ## Example
        loader = DataLoader(ImageFolder("train"), batch_size=32)      # sorted by folder

    ## Fix
        loader = DataLoader(ImageFolder("train"), batch_size=32, shuffle=True)
    """
    training = facts.training
    if training.shuffle is not False:
        return
    for output in facts.outputs:
        labels = output.labels
        if labels is None:
            continue
        if labels.complete:
            if not labels.is_sorted_by_class or not labels.class_shares:
                continue
            if training.steps is not None and training.steps < 4:
                continue
            if len(labels.class_shares) < 2:
                continue
            severity, message = None, f"{labels.name} are sorted by class and shuffle is False"
        else:
            numbers = _numbers(labels)
            one = numbers is not None and len(numbers) >= 16 and len(np.unique(numbers)) == 1
            width = output.operation.shape[-1] if len(output.operation.shape) == 2 else None
            if not one or numbers is None or not over_classes(output.loss):
                continue
            if width is None or width < 2 or (training.steps or 0) < 4:
                continue
            severity = "warning"
            message = (
                f"all {len(numbers)} rows of the first batch are of class {int(numbers[0])}, and "
                "rows are not shuffled"
            )
        yield Finding(
            message=message,
            fix="give the DataLoader shuffle=True"
            if facts.framework == "torch"
            else "leave shuffle=False out of fit",
            layer=labels.name,
            place=training.loader_place or training.place,
            severity=severity,  # type: ignore[arg-type]
        )


@rule(
    "C506",
    "split-of-sorted-rows",
    "error",
    "the network is never shown some of the classes that it is judged by, and training data lacks "
    "them",
)
def split_of_sorted_rows(facts: Facts) -> Iterator[Finding]:
    """A validation split of rows sorted by class.

    ## What it does
    Finds `validation_split` over rows sorted by class, and validation data in which many rows are
    of classes that do not occur in the training data.

    ## Why it hurts
    `validation_split=0.2` takes the last fifth of the rows, before any shuffling (documentation of
    `keras.Model.fit`). Sorted by class, these are the last classes: training never sees them, and
    validation accuracy is 0.

    ## Example
        model.fit(x, y, validation_split=0.2)           # y: 0 ... 0, 1 ... 1, 2 ... 2

    ## Fix
        order = np.random.permutation(len(x))
        model.fit(x[order], y[order], validation_split=0.2)
    """
    training = facts.training
    for output in facts.outputs:
        labels = output.labels
        if labels is None or not labels.complete or labels.rows < 20:
            continue
        asked_of = output.validation_labels
        head, tail = _numbers(labels), _numbers(asked_of)
        if head is None or not (labels.is_classes or labels.is_one_hot or _is_for_classes(output)):
            continue
        if tail is None and training.validation_split > 0:
            cut = int(len(head) * (1 - training.validation_split))
            head, tail = head[:cut], head[cut:]
        if tail is None or not len(tail) or not len(head):
            continue
        known, asked = np.unique(head), np.unique(tail)
        new = np.setdiff1d(asked, known)
        share = float(np.isin(tail, new).mean())
        one_class = len(asked) == 1 and len(known) > 1 and len(tail) >= 10
        split = training.validation_split > 0
        if share >= 0.2 and _is_for_classes(output):
            listed = ", ".join(str(int(c)) for c in new[:5]) + (", ..." if len(new) > 5 else "")
            message = (
                f"{share:.0%} of the validation rows are of classes that the training rows lack "
                f"({listed})"
            )
        elif one_class and labels.is_sorted_by_class:
            message = f"all validation rows are of class {int(asked[0])}"
        else:
            continue
        if split:
            message += f": validation_split={training.validation_split:g} takes the last rows of "
            message += "sorted data"
        yield Finding(
            message=message,
            fix="shuffle x and y together before fit"
            if split
            else "shuffle before splitting: train_test_split(x, y, stratify=y)",
            layer=labels.name,
            place=(asked_of.place if asked_of is not None else None) or training.place,
            severity="error" if split and share >= 0.2 else "warning",
        )


def _is_for_classes(output: Output) -> bool:
    loss = output.loss
    return loss is not None and (loss.is_crossentropy or loss.labels in ("classes", "one-hot"))


@rule(
    "C507",
    "rows-in-both",
    "warning",
    "rows that were learnt by heart count as rightly predicted: validation says too much good, and "
    "overfitting stays hidden",
)
def rows_of_training_in_validation(facts: Facts) -> Iterator[Finding]:
    """Rows of the training data among the validation data.

    ## What it does
    Looks for rows of the validation inputs, by value, among the training inputs. Told of is a tenth
    or more; from one in a hundred it is noted. Fewer than 50 training rows, and rows of so few
    possible values that chance repeats them, are left alone.

    ## Why it hurts
    Validation is there to show what the network does with rows it has not seen. The usual causes:
    validation data taken from the training array without taking it away, or rows that were
    repeated before the split (C508).

    ## Example
        model.fit(x, y, validation_data=(x[:1000], y[:1000]))

    ## Fix
        model.fit(x[1000:], y[1000:], validation_data=(x[:1000], y[:1000]))
    """
    training, validation = facts.inputs, facts.validation_inputs
    if not training or len(training) != len(validation):
        return
    if not all(x.is_numeric and x.complete and x.array.ndim for x in (*training, *validation)):
        return
    if training[0].rows < _FEW_ROWS or validation[0].rows < 10 or not _are_telling(training):
        return
    one, two = [x.array for x in training], [x.array for x in validation]
    if len({len(a) for a in one}) > 1 or len({len(a) for a in two}) > 1:
        return
    found, looked_up = rows_in_both(one, two)
    share = found / max(1, looked_up)
    if found < 5 or share < 0.01:
        return
    if resampled_before_split(facts.source):
        return  # C508 names the cause
    different, rows = distinct_rows(one)
    repeated = rows - different
    message = f"{share:.0%} of the validation rows occur in the training data too"
    if share > 0.99:
        message = "all rows of the validation data are rows of the training data"
        fix = "take the validation rows away from the training data"
    elif repeated > rows / 100:
        message += f" ({repeated / rows:.0%} of the training rows are repetitions of others)"
        fix = "remove repeated rows before splitting: np.unique(x, axis=0), df.drop_duplicates()"
    else:
        fix = "take the validation rows away from the training data"
    yield Finding(
        message=message,
        fix=fix,
        layer=validation[0].name,
        place=validation[0].place or facts.training.place,
        severity=None if share >= 0.1 else "note",
    )


def _are_telling(inputs: list[ArrayFacts]) -> bool:
    """Whether rows can hardly be the same by chance: over 24 bits, as the columns alone count."""
    bits = 0.0
    for x in inputs:
        columns = x.sample[:1000].reshape(min(1000, len(x.sample)), -1)
        step = max(1, columns.shape[1] // 64)
        for column in columns[:, ::step].T:
            different = len(np.unique(column))
            bits += np.log2(max(1, different))
            if different > len(column) / 2 and not x.is_integer:
                return True  # measured values
    return bits >= 24


@rule(
    "C509",
    "imbalance",
    "warning",
    "naming the most frequent class for every row gives a high accuracy, and is what the loss "
    "leads to first",
)
def imbalance(facts: Facts) -> Iterator[Finding]:
    """Severe imbalance of classes with accuracy as the only metric.

    ## What it does
    Finds labels of which 95 % or more are of one class, where accuracy is all that is measured and
    classes are not weighted. From 90 % it is noted.

    ## Why it hurts
    A network that knows nothing has 95 % accuracy; whether it finds the rare class does not show.
    Source: He and Garcia, "Learning from Imbalanced Data" (2009).

    ## Example
        model.compile(loss="binary_crossentropy", metrics=["accuracy"])    # 2 % are fraud

    ## Fix
        model.compile(loss="binary_crossentropy", metrics=["AUC", "Precision", "Recall"])
        model.fit(x, y, class_weight={0: 1, 1: 50})
    """
    if facts.training.class_weight:
        return
    torch = facts.framework == "torch"
    if torch and facts.source is not None and _OTHER_MEASURES.search(facts.source.text):
        return
    for output in facts.outputs:
        loss, labels = output.loss, output.labels
        if loss is None or labels is None or not labels.complete or labels.rows < 100:
            continue
        if "focal" in loss.kind or loss.settings.get("weight") is not None:
            continue
        if loss.settings.get("pos_weight") is not None or not loss.is_crossentropy:
            continue
        if form(output) not in ("binary", "whole numbers", "one-hot"):
            continue
        if not has_numbers(output) and labels.array.ndim != 2:
            continue
        if not output.metrics or not all(
            "accuracy" in metric.kind or metric.kind in ("acc", loss.kind)
            for metric in output.metrics
        ):
            continue
        shares = labels.class_shares
        if not shares or len(shares) < 2:
            continue
        most, share = max(shares.items(), key=lambda item: item[1])
        if share < 0.9:
            continue
        yield Finding(
            message=f"{share:.1%} of {labels.name} are of class {most:g}, and accuracy is all that "
            "is measured",
            fix="look at precision and recall too, and weight the rare class: pos_weight= of "
            "nn.BCEWithLogitsLoss, weight= of nn.CrossEntropyLoss"
            if torch
            else 'add metrics=["AUC", "Precision", "Recall"], and give fit a class_weight',
            at=last(output),
            layer=labels.name,
            place=loss.place if torch else facts.training.compile_place or facts.training.place,
            severity=None if share >= 0.95 else "note",
        )
