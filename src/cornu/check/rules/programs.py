"""Rules about what a program does with predictions: C601, C602."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cornu.check.diagnostic import Edit
from cornu.check.facts import Facts, Output
from cornu.check.rule import Finding, rule
from cornu.check.rules.predicted_names import Predictions
from cornu.check.source import Source, constant, last_name


@rule(
    "C601",
    "argmax-of-one-column",
    "error",
    "the largest of one value is always the first: every row is called class 0",
)
def argmax_of_one_column(facts: Facts) -> Iterator[Finding]:
    """`argmax` over the predictions of an output with one unit.

    ## What it does
    It follows the predictions of a network with one output unit through the program, and finds
    where the class is taken from them by `argmax` (or `torch.max`) along the axis of that unit.

    ## Why it hurts
    A single column has its largest value at index 0, so every row gets class 0 whatever was learnt:
    the accuracy printed is the share of class 0.

    ## Example
        y_hat = np.argmax(model.predict(x_test), axis=1)      # Dense(1, activation="sigmoid")
        _, predicted = torch.max(model(x), 1)                 # nn.Linear(64, 1)

    ## Fix
        y_hat = (model.predict(x_test) > 0.5).astype("int32").ravel()
        predicted = (model(x) > 0).long().squeeze(1)          # logits; of probabilities > 0.5
    """
    output = _only_output(facts)
    if output is None or facts.source is None or output.operation.width != 1:
        return
    loss = output.loss
    binary = output.activation == "sigmoid" or (loss is not None and "binary" in loss.kind)
    if not binary or output.activation == "softmax" or (output.classes or 2) > 2:
        return  # the width is what is wrong then
    rank, channel = len(output.operation.shape), output.operation.channel_axis
    predictions = Predictions(facts)
    for call, axis in predictions.argmaxes():
        if axis is not None and axis % rank != channel:
            continue
        logits = loss is not None and loss.expects == "logits" and output.activation != "sigmoid"
        threshold = "0" if logits else "0.5"
        source, edit = facts.source, None
        subject = predictions._subject(call)[0]
        text = ast.unparse(subject) if subject is not None else "predictions"
        if facts.framework == "torch":
            new = f"({text} > {threshold}).long().squeeze(1)"
        else:
            new = f'({text} > {threshold}).astype("int32").ravel()'
            old = ast.get_source_segment(source.text, call)
            kept = ast.get_source_segment(source.text, subject) if subject is not None else None
            if old and kept and rank == 2 and axis is not None and call.lineno == call.end_lineno:
                new = f'({kept} > {threshold}).astype("int32").ravel()'
                once = source.line(call.lineno).count(old) == 1
                edit = Edit(source.place(call), old, new) if once else None
        yield Finding(
            message=(
                f"{ast.unparse(call)} takes the largest of one column: "
                f"{output.operation.name!r} has one unit, so it is always class 0"
            ),
            fix=f"write {new}",
            layer=output.operation.name,
            place=source.place(call),
            edit=edit,
        )


@rule(
    "C602",
    "rounded-softmax",
    "warning",
    "a row in which no class has over one half becomes all zeros, though its largest is right",
)
def rounded_softmax(facts: Facts) -> Iterator[Finding]:
    """Predictions over several classes turned into a class by rounding or a threshold.

    ## What it does
    It follows the predictions of a network with softmax over three classes or more (or logits for
    them) through the program, and finds where they are rounded or compared with a threshold, with
    the result kept. Printing them rounded is fine, and so is a threshold on one column.

    ## Why it hurts
    The class is the one with the largest probability, which may be 0.4. Rounded, such a row belongs
    to no class and counts as wrong; logits have no 0.5 at all.

    ## Example
        y_hat = np.round(model.predict(x_test))
        y_hat = (model.predict(x_test) > 0.5).astype("int32")

    ## Fix
        y_hat = np.argmax(model.predict(x_test), axis=1)
    """
    output = _only_output(facts)
    if output is None or facts.source is None or len(output.operation.shape) != 2:
        return
    width, loss = output.operation.width or 0, output.loss
    logits = loss is not None and loss.applies == "softmax" and output.activation != "softmax"
    if width < (2 if logits else 3) or not (output.activation == "softmax" or logits):
        return
    if output.labels is not None and output.labels.is_multi_hot:
        return  # the softmax is what is wrong
    predictions = Predictions(facts)
    for node in facts.source.walk():
        subject = _rounded(node)
        if subject is None or not predictions.holds(subject) or not _is_kept(facts.source, node):
            continue
        text = ast.unparse(subject)
        largest = (
            f"{text}.argmax(dim=1)"
            if facts.framework == "torch"
            else (f"np.argmax({text}, axis=1)")
        )
        yield Finding(
            message=(
                f"{ast.unparse(node)} makes classes of {width} columns by a threshold; a row "
                "without a value above it belongs to none"
            ),
            fix=f"write {largest}",
            layer=output.operation.name,
            place=facts.source.place(node),
        )


def _rounded(node: ast.AST) -> ast.expr | None:
    """What a piece of syntax rounds, or compares with a threshold."""
    if isinstance(node, ast.Call) and last_name(node.func) in ("round", "rint", "around", "round_"):
        if node.keywords:
            return None
        if isinstance(node.func, ast.Attribute) and not node.args:
            return node.func.value
        return node.args[0] if len(node.args) == 1 else None
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        return None
    above = isinstance(node.ops[0], (ast.Gt, ast.GtE))
    return node.left if above and constant(node.comparators[0]) == 0.5 else None


def _is_kept(source: Source, node: ast.AST) -> bool:
    """Whether a value becomes a variable's or is compared, and is not printed or counted."""
    current, parent = node, source.parents.get(node)
    while isinstance(parent, (ast.Call, ast.Attribute)):
        name = last_name(parent.func) if isinstance(parent, ast.Call) else None
        if name in ("accuracy_score", "classification_report", "f1_score"):
            return True
        if name in ("print", "format", "argmax", "any", "where", "sum", "mean", "max", "len"):
            return False
        current, parent = parent, source.parents.get(parent)
    if isinstance(parent, ast.Compare):
        return any(isinstance(one, ast.Eq) for one in parent.ops)
    if isinstance(parent, ast.Return):
        return True
    if not isinstance(parent, ast.Assign) or parent.value is not current:
        return False
    names = {target.id for target in parent.targets if isinstance(target, ast.Name)}
    for other in source.walk():
        # rounded, and then the largest taken after all; or a mask
        used = {one.id for one in ast.walk(other) if isinstance(one, ast.Name)}
        if isinstance(other, ast.Call) and last_name(other.func) == "argmax" and names & used:
            return False
        if isinstance(other, ast.Subscript) and last_name(other.slice) in names:
            return False
    return bool(names)


def _only_output(facts: Facts) -> Output | None:
    return facts.outputs[0] if len(facts.outputs) == 1 else None
