"""Rules about what happens between `backward` and `step` in a training loop: C409 to C414."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cornu.check.facts import DROPOUT, Facts, Operation
from cornu.check.rule import Finding, rule
from cornu.check.rules.rates import is_pretrained
from cornu.check.source import Source, last_name


@rule(
    "C409",
    "gradients-not-cleared",
    "error",
    "PyTorch adds each gradient to the last ones: every step follows the sum of all batches so far",
)
def gradients_not_cleared(facts: Facts) -> Iterator[Finding]:
    """Gradients add up from one optimizer step to the next.

    ## What it does
    It watches the gradients of a training loop: they were still there when the next `backward`
    added its own, after a step had been taken with them. Gradients that are collected on purpose,
    over several `backward` calls before one step, are not found.

    ## Why it hurts
    `backward` adds to `.grad` (PyTorch documentation, "Autograd mechanics"). Without clearing, a
    step is the sum of all gradients since the start: like a momentum of 1, it grows without bound.

    ## Example
        for x, y in loader:
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()

    ## Fix
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
    """
    if facts.training.gradients_cleared is False:
        yield Finding(
            message="gradients are not cleared between optimizer steps",
            fix="call optimizer.zero_grad() before loss.backward()",
            place=facts.training.place,
        )


def acts_differently(facts: Facts) -> list[Operation]:
    """Layers that do something else while training: dropout and batch normalization."""
    return [
        operation
        for operation in facts.operations
        if operation.kind == "BatchNormalization"
        or (operation.kind in DROPOUT and operation.settings.get("rate", 0.5) != 0)
    ]


@rule(
    "C410",
    "left-in-eval",
    "warning",
    "in eval() dropout drops nothing and batch normalization neither uses nor updates statistics",
)
def left_in_eval(facts: Facts) -> Iterator[Finding]:
    """The network trains while in evaluation mode.

    ## What it does
    It finds a network with dropout or batch normalization that was in `eval()` at a training step,
    and loops that call `eval()` for validation and never `train()` again.

    ## Why it hurts
    Dropout does nothing, so the network overfits. Batch normalization uses the moving mean 0 and
    variance 1 of its start instead of the batch's: it normalizes nothing.

    ## Example
        for epoch in range(epochs):
            for x, y in loader: ...             # trains
            model.eval()
            validate(model)

    ## Fix
        for epoch in range(epochs):
            model.train()
            for x, y in loader: ...
            model.eval()
            validate(model)
    """
    if facts.framework != "torch":
        return
    layers = acts_differently(facts)
    if not layers:
        return
    shown = ", ".join(repr(operation.name) for operation in layers[:3])
    if facts.training.training_mode is False:
        only_normalization = all(op.kind == "BatchNormalization" for op in layers)
        yield Finding(
            message=f"the network is in eval() while it trains; {shown} do not act as they should",
            fix="call model.train() before the training loop",
            place=facts.training.place,
            # fine-tuning with the statistics of the first training is done on purpose
            severity="note" if only_normalization and is_pretrained(facts) else None,
        )
    elif facts.source is not None:
        call = _never_back(facts.source)
        if call is not None:
            yield Finding(
                message=(
                    f"after {ast.unparse(call)} nothing calls train(): from the second epoch on "
                    f"{shown} act as in evaluation"
                ),
                fix="call model.train() at the start of each epoch",
                place=facts.source.place(call),
            )


def _never_back(source: Source) -> ast.Call | None:
    """A call of `eval()` in a loop that trains, where nothing in the loop calls `train()`."""
    for loop in source.walk():
        if not isinstance(loop, (ast.For, ast.While)):
            continue
        calls = list(reachable_calls(source, loop))
        names = {last_name(call.func) for call in calls}
        trains = any(_is_method(call, "train") for call in calls)
        if "backward" not in names or trains:
            continue
        for call in calls:
            if _is_method(call, "eval") and not call.args and _same_network(source, call):
                return call
    return None


def _is_method(call: ast.Call, name: str) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == name


def _same_network(source: Source, call: ast.Call) -> bool:
    """Whether `X.eval()` is of a network that is trained: X is in an optimizer, or a parameter."""
    if not isinstance(call.func, ast.Attribute) or last_name(call.func.value) is None:
        return False
    name = last_name(call.func.value)
    trained = {
        last_name(other.func.value)
        for other in source.calls("parameters")
        if isinstance(other.func, ast.Attribute)
    }
    function = next(source.around(call, ast.FunctionDef), None)
    given = {one.arg for one in function.args.args} if function is not None else set()  # type: ignore[attr-defined]
    single = len(trained) == 1
    return name in trained or (single and name in given)


def reachable_calls(source: Source, node: ast.AST) -> Iterator[ast.Call]:
    """The calls within a piece of text, and within the functions that are called there by name."""
    functions = {one.name: one for one in source.walk() if isinstance(one, ast.FunctionDef)}
    waiting, seen = [node], {id(node)}
    while waiting:
        for part in ast.walk(waiting.pop()):
            if not isinstance(part, ast.Call):
                continue
            yield part
            target = None
            if isinstance(part.func, ast.Name):
                target = functions.get(part.func.id)
            elif isinstance(part.func, ast.Attribute) and last_name(part.func.value) == "self":
                target = functions.get(part.func.attr)
            if target is not None and id(target) not in seen:
                seen.add(id(target))
                waiting.append(target)


@rule(
    "C411",
    "optimizer-without-parameters",
    "error",
    "an optimizer changes only what it was given: everything else keeps its initial values",
)
def optimizer_without_parameters(facts: Facts) -> Iterator[Finding]:
    """The optimizer does not hold the parameters of the network that is trained.

    ## What it does
    It finds an optimizer that holds none of the network's trainable parameters (it was made for
    another network, or before this one was made anew), and one that was given
    `model.parameters()` and yet lacks some: layers that were replaced or added afterwards, or that
    stand in a plain list or dict, where PyTorch does not see them.

    ## Why it hurts
    Gradients are computed, and no step uses them: those layers stay random.

    ## Example
        optimizer = optim.Adam(model.parameters())
        model.fc = nn.Linear(512, 10)           # the optimizer knows the old one

        self.layers = [nn.Linear(8, 8) for _ in range(3)]

    ## Fix
        model.fc = nn.Linear(512, 10)
        optimizer = optim.Adam(model.parameters())

        self.layers = nn.ModuleList([nn.Linear(8, 8) for _ in range(3)])
    """
    optimizer = facts.optimizer
    if optimizer is None or not optimizer.missing:
        return
    names = ", ".join(repr(name) for name in optimizer.missing[:3])
    more = f" and {len(optimizer.missing) - 3} more" if len(optimizer.missing) > 3 else ""
    if without_any(facts):
        yield Finding(
            message=f"{optimizer.written} does not hold {names}{more}: no parameter of the network",
            fix="make the optimizer from the parameters() of the network that is trained, after "
            "the network is complete",
            place=optimizer.place,
        )
    elif _given_all(facts):
        layer = optimizer.missing[0].rpartition(".")[0] or None
        yield Finding(
            message=f"{optimizer.written} does not hold {names}{more}: they will not be trained",
            fix="put layers into nn.ModuleList or attributes, not into a plain list, and make the "
            "optimizer after the network is complete",
            place=optimizer.place,
            layer=layer,
            severity="warning",
        )


def without_any(facts: Facts) -> bool:
    """Whether the optimizer was observed to hold none of the network's trainable parameters."""
    optimizer = facts.optimizer
    if optimizer is None or not optimizer.missing:
        return False
    own = sum(
        parameter.trainable
        for operation in facts.operations
        if not operation.call
        for parameter in operation.parameters
        if not parameter.role.startswith("moving")
    )
    return optimizer.foreign > 0 and len(optimizer.missing) >= own > 0


def _given_all(facts: Facts) -> bool:
    """Whether the text gives one optimizer `network.parameters()`: all of them were meant."""
    optimizer, source = facts.optimizer, facts.source
    if optimizer is None or source is None or optimizer.place is None:
        return False
    made = [
        call
        for call in source.walk()
        if isinstance(call, ast.Call) and last_name(call.func) == optimizer.written.split(".")[-1]
    ]
    if len(made) != 1 or not made[0].args:
        return False
    given = made[0].args[0]
    return (
        isinstance(given, ast.Call)
        and last_name(given.func) == "parameters"
        and isinstance(given.func, ast.Attribute)
        and isinstance(given.func.value, ast.Name)
    )


@rule(
    "C412",
    "loss-without-gradient",
    "error",
    "no gradient reaches the parameters, so nothing is learnt",
)
def loss_without_gradient(facts: Facts) -> Iterator[Finding]:
    """The loss does not depend on the parameters in a way that can be differentiated.

    ## What it does
    It finds a loss that was observed to have no gradient: computed from `detach()`, `.data`,
    `.item()`, NumPy arrays, `argmax`, rounding or comparison, from a tensor made anew with
    `torch.tensor(...)`, or under `no_grad()`.

    ## Why it hurts
    `backward` raises an error, or, once `requires_grad=True` is set on the loss to silence it,
    gives gradients to nothing.

    ## Example
        predicted = model(x).argmax(dim=1).float()
        loss = criterion(predicted, y.float())

    ## Fix
        loss = nn.CrossEntropyLoss()(model(x), y)
    """
    for output in facts.outputs:
        if output.loss is not None and not output.loss.requires_gradient:
            name = "the loss" if output.loss.kind == "custom" else output.loss.written
            yield Finding(
                message=f"{name} is computed from a value that has lost its gradient on the way",
                fix="compute the loss from the network's output itself: without argmax, round, "
                "detach(), .data, .item(), numpy() or torch.tensor() in between",
                place=output.loss.gradient_lost or output.loss.place or facts.training.place,
                layer=output.name,
            )


@rule(
    "C413",
    "no-optimizer-step",
    "error",
    "gradients alone change nothing: the weights keep their initial values",
)
def no_optimizer_step(facts: Facts) -> Iterator[Finding]:
    """Gradients are computed, and no optimizer step follows.

    ## What it does
    It finds a training loop in which `backward` ran and no `step` of an optimizer came after it.

    ## Why it hurts
    The loss stays what it was at the start, however long the loop runs.

    ## Example
        optimizer.zero_grad()
        loss.backward()

    ## Fix
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    """
    if facts.training.steps_taken is False:
        yield Finding(
            message="loss.backward() runs, and no optimizer step follows it",
            fix="call optimizer.step() after loss.backward()",
            place=facts.training.place,
        )


@rule(
    "C414",
    "gradients-lost-before-step",
    "error",
    "the optimizer steps with gradients of zero, so no weight changes",
)
def gradients_lost_before_step(facts: Facts) -> Iterator[Finding]:
    """The gradients are gone when the optimizer makes its step.

    ## What it does
    It finds a training loop whose gradients were missing or all zero at `step()`: mostly
    `zero_grad()` between `backward()` and `step()`.

    ## Why it hurts
    The step has nothing to follow; with momentum or weight decay it even follows these alone.

    ## Example
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()

    ## Fix
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    """
    if facts.training.gradients_at_step is not False or facts.training.steps_taken is False:
        return
    if without_any(facts):
        return  # C411
    if any(out.loss is not None and not out.loss.requires_gradient for out in facts.outputs):
        return  # C412
    if facts.probe is not None and facts.probe.operations:
        gradients = [
            one.gradient for one in facts.probe.operations.values() if one.gradient is not None
        ]
        if gradients and not any(gradients):
            return  # the network itself lets no gradient through: C308
    cleared = facts.source is not None and any(facts.source.calls("zero_grad"))
    yield Finding(
        message="the gradients are missing or all zero when the optimizer makes its step",
        fix=(
            "call optimizer.zero_grad() before loss.backward(), not between it and optimizer.step()"
            if cleared or facts.source is None
            else "call loss.backward() before optimizer.step(), on a loss of this network's output"
        ),
        place=facts.training.step_place or facts.training.place,
    )
