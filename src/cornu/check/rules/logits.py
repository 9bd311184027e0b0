"""Rules about the axis of the softmax and what holds logits back: C119, C120."""

from __future__ import annotations

from collections.abc import Iterator

from cornu.check.facts import Facts, through
from cornu.check.rule import Finding, rule
from cornu.check.rules.label_forms import (
    SIGMOIDS,
    SOFTMAXES,
    edit_activation,
    edit_pattern,
    form,
    last,
    last_function,
    over_classes,
    width,
)


@rule(
    "C119",
    "softmax-axis",
    "error",
    "the probabilities add up to 1 over the wrong axis: those of one row depend on the other rows "
    "or positions, and the classes of a row do not compete",
)
def softmax_axis(facts: Facts) -> Iterator[Finding]:
    """Output softmax along another axis than that of the classes.

    ## What it does
    Finds a softmax or log-softmax at the output along the batch axis, or along an axis that is not
    the one the loss takes for the classes.

    ## Why it hurts
    With `dim=0` the probabilities of a class add up to 1 over the batch: the network is asked that
    each row take its share from the others, and a prediction changes with the batch it is in.

    ## Example
        F.log_softmax(self.fc(x), dim=0)

    ## Fix
        F.log_softmax(self.fc(x), dim=1)
    """
    for output in facts.outputs:
        operation, loss = output.operation, output.loss
        axis, rank = operation.settings.get("axis"), len(operation.shape)
        if loss is None or operation.function not in SOFTMAXES or rank < 2:
            continue
        if not isinstance(axis, int) or not -rank <= axis < rank or loss.applies == "softmax":
            continue  # a loss with its own softmax is C101
        if operation.shape[axis] == 1:
            continue  # C105
        wanted = (loss.class_axis if over_classes(loss) else -1) % rank
        if axis % rank == wanted or (axis % rank != 0 and not over_classes(loss)):
            continue
        argument = "dim" if facts.framework == "torch" else "axis"
        where = "the rows of the batch" if axis % rank == 0 else f"axis {axis}"
        wanted = wanted if facts.framework == "torch" else wanted - rank
        yield Finding(
            message=f"the softmax of the output {operation.name!r} runs along {where}, the classes "
            f"are along axis {wanted}",
            fix=f"give the softmax {argument}={wanted}",
            at=operation,
            edit=edit_pattern(
                facts.source,
                operation.place,
                rf"(softmax\(.*\b{argument}\s*=\s*){axis}\b",
                rf"\g<1>{wanted}",
            ),
        )


@rule(
    "C120",
    "activation-on-logits",
    "warning",
    "logits must be free to take any sign and size: where the activation holds them back, the "
    "network cannot be sure of a class, and gets no gradient there",
)
def activation_on_logits(facts: Facts) -> Iterator[Finding]:
    """ReLU or tanh on the logits of the output.

    ## What it does
    Finds ReLU or tanh on the output layer of a network whose loss takes logits, and ReLU directly
    before the output's softmax or sigmoid.

    ## Why it hurts
    After a ReLU no logit is below 0: units that are 0 for a row get no gradient from it, and under
    a sigmoid no probability falls below 0.5 (an error). After a tanh logits lie between -1 and 1:
    of ten classes none gets a probability above 0.45, so the loss stays above 0.8 (an error).

    ## Example
        x = F.relu(self.fc3(x))
        return F.log_softmax(x, dim=1)

    ## Fix
        x = self.fc3(x)
        return F.log_softmax(x, dim=1)
    """
    for output in facts.outputs:
        loss = output.loss
        if loss is None or (width(output) == 1 and over_classes(loss)):
            continue
        final = last(output)
        function = last_function(output)
        if loss.applies is not None and function not in (*SOFTMAXES, *SIGMOIDS):
            held, then = final, loss.applies
        elif function in (*SOFTMAXES, *SIGMOIDS) and final.inputs:
            held, then = through(final.inputs[0]), str(function)
            function = held.function
            if function not in ("relu", "relu6"):
                continue  # two functions that squeeze are C202
        else:
            continue
        bounded = function in ("tanh", "softsign")
        if not bounded and function not in ("relu", "relu6"):
            continue
        if function == "tanh" and form(output) == "signs":
            continue  # C109 asks for another output altogether
        error = bounded or then == "sigmoid"
        limit = "all lie between -1 and 1" if bounded else "none is below 0"
        yield Finding(
            message=f"the logits of the output go through {function} ({held.name!r}) before the "
            f"{then}: {limit}",
            fix=f"remove the {function} from the output layer",
            at=held,
            severity="error" if error else "warning",
            edit=edit_activation(facts, held, str(function), None),
        )
