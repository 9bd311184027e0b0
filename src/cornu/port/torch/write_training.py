"""Training in a PyTorch program: loss, penalties, optimizer, and the loop."""

from __future__ import annotations

import dataclasses
from typing import Any

from cornu.port.network import Network, Operation, PortError
from cornu.port.source_text import chosen, fitted, literal
from cornu.port.torch.source_losses import LossSource, loss_source
from cornu.port.torch.source_modules import kernel_axes
from cornu.port.torch.source_optimizers import OptimizerSource, optimizer_source

# Where the names of an operation's weights in the program are looked up.
WeightNames = dict[tuple[int, str], str]


@dataclasses.dataclass
class TrainingSource:
    """The part of a program that trains.

    Attributes:
        blocks: functions and classes, in order.
        losses: one for each output, None for an output without.
        modules: of the standard library that have to be imported.
        has_scheduler: whether there is `make_scheduler`.
    """

    blocks: list[str] = dataclasses.field(default_factory=list)
    losses: list[LossSource | None] = dataclasses.field(default_factory=list)
    modules: set[str] = dataclasses.field(default_factory=set)


def training_source(network: Network, names: WeightNames, activities: list[str]) -> TrainingSource:
    """The source for how a network is trained.

    Args:
        network: in PyTorch's form, with a `training`.
        names: how the program writes each weight: `model.fc1.weight`.
        activities: the attributes of the model that keep a penalty on an activity.
    """
    training = network.training
    assert training is not None
    made = TrainingSource(losses=_losses(network))
    if not any(made.losses):
        raise PortError("the network is trained without a loss")
    flags = set()
    made.blocks.append(_loss_function(network, made.losses))
    penalty = _penalty(network, names, activities)
    if penalty:
        made.blocks.append(penalty)
        flags.add("penalty")
    constraints = _constraints(network, names)
    if constraints:
        made.blocks.append(constraints)
        flags.add("constraint")
    if training.optimizer is None:
        return made
    optimizer = optimizer_source(training.optimizer)
    made.modules |= optimizer.modules
    made.blocks += _optimizer(optimizer)
    if optimizer.schedule:
        flags.add("schedule")
    if optimizer.clip:
        made.blocks.append(optimizer.clip)
        flags.add("clip")
    accuracy = _accuracy(made.losses)
    if accuracy:
        made.blocks.append(accuracy)
        flags.add("accuracy")
    flags |= {"inputs"} if len(network.inputs) > 1 else {"input"}
    flags |= {"outputs"} if len(network.outputs) > 1 else {"output"}
    flags |= {"targets"} if sum(loss is not None for loss in made.losses) > 1 else {"target"}
    loop = chosen(_TRAIN, flags)
    loop = loop.replace("<epochs>", str(training.epochs or 10))
    loop = loop.replace("<batch>", str(training.batch_size or 32))
    made.blocks.append(loop)
    made.blocks.append(chosen(_EVALUATE, flags))
    made.blocks.append(_predict(network, made.losses, flags))
    return made


def _optimizer(source: OptimizerSource) -> list[str]:
    blocks = [source.classes] if source.classes else []
    lines = ["def make_optimizer(model):"]
    if source.comment:
        lines += [f"    # {line}" for line in source.comment.split("; ")]
    lines.append(fitted(f"    return {source.make}"))
    blocks.append("\n".join(lines))
    if source.schedule:
        blocks.append(source.schedule)
    return blocks


# -- loss ------------------------------------------------------------------------------------------


def _losses(network: Network) -> list[LossSource | None]:
    found: list[LossSource | None] = []
    losses = network.training.losses  # type: ignore[union-attr]
    for number, tensor in enumerate(network.outputs):
        loss = losses[number] if number < len(losses) else None
        if loss is None:
            found.append(None)
            continue
        axis = loss.settings.get("axis")
        axis = tensor.ndim - 1 if axis is None else axis % tensor.ndim
        found.append(loss_source(loss, tensor.shape, axis))
    return found


def _loss_function(network: Network, losses: list[LossSource | None]) -> str:
    weights = [loss.weight if loss else 0.0 for loss in network.training.losses]  # type: ignore[union-attr]
    constants = {k: v for loss in losses if loss for k, v in loss.constants.items()}
    defined = "".join(f"{fitted(f'{name} = {value}')}\n" for name, value in constants.items())
    if constants:
        defined += "\n\n"
    if len(losses) == 1:
        (loss,), (weight,) = losses, weights
        assert loss is not None
        if loss.module and weight == 1:
            return f"loss_function = {loss.module}"
        lines = ["def loss_function(output, target):", *(f"    {line}" for line in loss.lines)]
        times = "" if weight == 1 else f"{literal(weight)} * "
        lines.append(f"    return {times}{loss.value}")
        return defined + "\n".join(map(fitted, lines))
    return defined + _several(network, losses, weights)


def _several(network: Network, losses: list[LossSource | None], weights: list[float]) -> str:
    blocks, terms = [], []
    targets = sum(loss is not None for loss in losses)
    seen = 0
    for number, (loss, weight) in enumerate(zip(losses, weights, strict=True)):
        if loss is None:
            continue
        target = f"targets[{seen}]" if targets > 1 else "targets"
        seen += 1
        times = "" if weight == 1 else f"{literal(weight)} * "
        if loss.lines:
            name = f"{network.output_names[number]}_loss"
            lines = [f"def {name}(output, target):", *(f"    {line}" for line in loss.lines)]
            blocks.append("\n".join(map(fitted, [*lines, f"    return {loss.value}"])))
            terms.append(f"{times}{name}(outputs[{number}], {target})")
        else:
            value = _renamed(loss.value, f"outputs[{number}]", target)
            terms.append(f"{times}{value}")
    lines = ["def loss_function(outputs, targets):"]
    if len(terms) == 1:
        lines.append(fitted(f"    return {terms[0]}"))
    else:
        lines.append(fitted(f"    loss = {terms[0]}"))
        lines += [fitted(f"    loss = loss + {term}") for term in terms[1:]]
        lines.append("    return loss")
    return "\n\n\n".join([*blocks, "\n".join(lines)])


def _renamed(value: str, output: str, target: str) -> str:
    import re

    value = re.sub(r"\btarget\b", target, value)
    return re.sub(r"\boutput\b", output, value)


def _accuracy(losses: list[LossSource | None]) -> str:
    """The function that a network whose only loss is about classes has."""
    known = [(number, loss) for number, loss in enumerate(losses) if loss is not None]
    if len(known) != 1 or known[0][1].classes is None:
        return ""
    ((number, loss),) = known
    several = len(losses) > 1
    output = f"outputs[{number}]" if several else "output"
    argument = "outputs" if several else "output"
    if loss.classes in ("softmax", "probabilities"):
        target = "target" if loss.sparse else f"target.argmax({loss.axis})"
        right = f"{output}.argmax({loss.axis}) == {target}"
    else:
        limit = "0" if loss.classes == "sigmoid" else "0.5"
        right = f"({output} > {limit}) == (target > 0.5)"
    text = f"    return ({right}).float().mean().item()"
    return f"def accuracy({argument}, target):\n{text}"


def _predict(network: Network, losses: list[LossSource | None], flags: set[str]) -> str:
    words, values = [], []
    several = len(losses) > 1
    for number, loss in enumerate(losses):
        output = f"outputs[{number}]" if several else "output"
        if loss is not None and loss.classes == "softmax":
            words.append("probabilities")
            values.append(f"F.softmax({output}, dim={loss.axis})")
        elif loss is not None and loss.classes == "sigmoid":
            words.append("probabilities")
            values.append(f"torch.sigmoid({output})")
        else:
            values.append(output)
    what = "probabilities" if words else "outputs"
    head = f'def predict(model, x, batch_size=256, device="cpu"):\n    """The {what} for x."""'
    call = "compute(model, x, batch_size, device)"
    if not words:
        return f"{head}\n    return {call}"
    if not several:
        return f"{head}\n    return {values[0].replace('output', call)}"
    return f"{head}\n    outputs = {call}\n    return {', '.join(values)}"


# -- penalties and constraints ---------------------------------------------------------------------

_WEIGHTS_WITH_SETTINGS = ("kernel", "bias", "gamma", "beta", "embeddings", "alpha")


def _configured(network: Network, what: str) -> list[tuple[Operation, str, str, dict]]:
    """(operation, weight, class, configuration) of each regularizer or constraint."""
    found = []
    for operation in network.operations:
        for name in _WEIGHTS_WITH_SETTINGS:
            given = operation.attributes.get(f"{name}_{what}")
            if given is None or name not in operation.parameters or not operation.trainable:
                continue
            if not isinstance(given, dict):
                raise operation.refuse(f"has the {name}_{what} {given!r}, which is not known")
            found.append((operation, name, given["class_name"], given.get("config") or {}))
    return found


def _penalty(network: Network, names: WeightNames, activities: list[str]) -> str:
    groups: dict[tuple[str, float], list[str]] = {}
    for operation, name, kind, config in _configured(network, "regularizer"):
        known = {"L1": ("l1",), "L2": ("l2",), "L1L2": ("l1", "l2")}.get(kind)
        if known is None:
            raise operation.refuse(f"has the regularizer {kind}, which cannot be carried over")
        for norm in known:
            factor = float(f"{float(config.get(norm) or 0.0):.7g}")
            if factor:
                groups.setdefault((norm, factor), []).append(names[id(operation), name])
    lines: list[str] = []
    terms: list[str] = []
    for (norm, factor), weights in groups.items():
        size = "abs" if norm == "l1" else "square"
        if len(weights) == 1:
            terms.append(f"{literal(factor)} * {weights[0]}.{size}().sum()")
            continue
        several = f"weights{len(lines) + 1}" if len(groups) > 1 else "weights"
        lines.append(fitted(f"    {several} = [{', '.join(weights)}]"))
        terms.append(f"{literal(factor)} * sum(weight.{size}().sum() for weight in {several})")
    terms += [f"{activity}.penalty" for activity in activities]
    if not terms:
        return ""
    head = ["def penalty(model):", '    """What Keras\' regularizers add to the loss."""', *lines]
    if len(terms) == 1:
        return "\n".join([*head, fitted(f"    return {terms[0]}")])
    body = [fitted(f"    total = {terms[0]}")]
    body += [fitted(f"    total = total + {term}") for term in terms[1:]]
    return "\n".join([*head, *body, "    return total"])


def _constraints(network: Network, names: WeightNames) -> str:
    lines: list[str] = []
    for operation, name, kind, config in _configured(network, "constraint"):
        weight = names[id(operation), name]
        if kind == "NonNeg":
            lines.append(f"{weight}.clamp_(min=0)")
            continue
        axes = config.get("axis", 0)
        dims = _dims(operation, name, axes if isinstance(axes, (list, tuple)) else [axes])
        lines.append(f"norm = {weight}.square().sum({dims}, keepdim=True).sqrt()")
        least, most = literal(config.get("min_value", 0)), literal(config.get("max_value", 1))
        if kind == "UnitNorm":
            lines.append(f"{weight}.div_(norm + 1e-7)")
        elif kind == "MaxNorm":
            lines.append(f"{weight}.mul_(norm.clamp(max={most}) / (norm + 1e-7))")
        elif kind == "MinMaxNorm":
            rate = float(config.get("rate", 1.0))
            wanted = f"norm.clamp({least}, {most})"
            if rate != 1:
                wanted = f"({literal(rate)} * {wanted} + {literal(1 - rate)} * norm)"
            lines.append(f"{weight}.mul_({wanted} / (norm + 1e-7))")
        else:
            raise operation.refuse(f"has the constraint {kind}, which cannot be carried over")
    if not lines:
        return ""
    head = ["@torch.no_grad()", "def constrain(model):"]
    head.append('    """Keras\' constraints, which hold after each step."""')
    return "\n".join([*head, *(fitted(f"    {line}") for line in lines)])


def _dims(operation: Operation, name: str, axes: Any) -> str:
    if name == "kernel":
        if operation.kind.startswith("Depthwise"):
            raise operation.refuse("has a constraint along axes that PyTorch holds as one")
        order = kernel_axes(operation.kind)
        axes = [order.index(axis % len(order)) for axis in axes]
    dims = tuple(sorted(axes))
    return literal(dims if len(dims) > 1 else dims[0])


# -- the loop --------------------------------------------------------------------------------------

_TRAIN = '''
def train(model, x, y, epochs=<epochs>, batch_size=<batch>, device="cpu", shuffle=True):
    """Trains the model on tensors with one row for each example."""
    model.to(device)
    optimizer = make_optimizer(model)
    scheduler = make_scheduler(optimizer)  #? schedule
    n = len(x)  #? input
    n = len(x[0])  #? inputs
    for epoch in range(epochs):
        model.train()
        order = torch.randperm(n) if shuffle else torch.arange(n)
        total, right = 0.0, 0.0  #? accuracy
        total = 0.0  #? !accuracy
        for rows in order.split(batch_size):
            inputs, target = x[rows].to(device), y[rows].to(device)  #? input target
            inputs = x[rows].to(device)  #? input targets
            inputs = [part[rows].to(device) for part in x]  #? inputs
            target = y[rows].to(device)  #? inputs target
            targets = [part[rows].to(device) for part in y]  #? targets
            output = model(inputs)  #? input output
            output = model(*inputs)  #? inputs output
            outputs = model(inputs)  #? input outputs
            outputs = model(*inputs)  #? inputs outputs
            loss = loss_function(output, target)  #? output !penalty
            loss = loss_function(output, target) + penalty(model)  #? output penalty
            loss = loss_function(outputs, target)  #? outputs target !penalty
            loss = loss_function(outputs, target) + penalty(model)  #? outputs target penalty
            loss = loss_function(outputs, targets)  #? outputs targets !penalty
            loss = loss_function(outputs, targets) + penalty(model)  #? outputs targets penalty
            optimizer.zero_grad()
            loss.backward()
            clip_gradients(model)  #? clip
            optimizer.step()
            scheduler.step()  #? schedule
            constrain(model)  #? constraint
            total += loss.item() * len(rows)
            right += accuracy(output, target) * len(rows)  #? accuracy output
            right += accuracy(outputs, target) * len(rows)  #? accuracy outputs
        print(f"epoch {epoch + 1}: loss {total / n:.4f}, accuracy {right / n:.4f}")  #? accuracy
        print(f"epoch {epoch + 1}: loss {total / n:.4f}")  #? !accuracy
'''

_EVALUATE = '''
@torch.no_grad()
def compute(model, x, batch_size=256, device="cpu"):
    model.to(device).eval()
    batches = x.split(batch_size)  #? input
    batches = zip(*(part.split(batch_size) for part in x), strict=True)  #? inputs
    made = [model(batch.to(device)).cpu() for batch in batches]  #? input output
    made = [model(*(one.to(device) for one in batch)).cpu() for batch in batches]  #? inputs output
    made = [model(batch.to(device)) for batch in batches]  #? input outputs
    made = [model(*(one.to(device) for one in batch)) for batch in batches]  #? inputs outputs
    return torch.cat(made)  #? output
    return [torch.cat(parts).cpu() for parts in zip(*made, strict=True)]  #? outputs


def evaluate(model, x, y, batch_size=256, device="cpu"):
    """Returns the loss and the accuracy."""  #? accuracy !penalty
    """Returns the loss, without the penalty, and the accuracy."""  #? accuracy penalty
    """Returns the loss."""  #? !accuracy !penalty
    """Returns the loss, without the penalty."""  #? !accuracy penalty
    output = compute(model, x, batch_size, device)  #? output
    outputs = compute(model, x, batch_size, device)  #? outputs
    return loss_function(output, y).item(), accuracy(output, y)  #? output accuracy
    return loss_function(outputs, y).item(), accuracy(outputs, y)  #? outputs accuracy
    return loss_function(output, y).item()  #? output !accuracy
    return loss_function(outputs, y).item()  #? outputs !accuracy
'''
