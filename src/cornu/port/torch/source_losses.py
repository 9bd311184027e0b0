"""Losses of Keras in a PyTorch program: PyTorch's where it is the same, else a few lines."""

from __future__ import annotations

import dataclasses
from typing import Any

from cornu.port.network import PortError
from cornu.port.source_text import call, literal
from cornu.port.torch.source_modules import unless
from cornu.port.training import Loss


@dataclasses.dataclass
class LossSource:
    """A loss of `output` and `target`.

    Attributes:
        module: what constructs a module that computes it, or "" where there is none.
        lines: statements before the value, without indentation.
        value: the expression of the loss.
        classes: "softmax" or "sigmoid" where the output are logits of classes, "probabilities"
            or "probability" where it holds these, None where it is about no classes.
        sparse: whether targets are class numbers.
        axis: of the classes, in the output.
        constants: tensors that the program has to define, by name.
    """

    value: str
    module: str = ""
    lines: tuple[str, ...] = ()
    classes: str | None = None
    sparse: bool = False
    axis: int = 1
    constants: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class _Asked:
    loss: Loss
    shape: tuple
    axis: int

    def __post_init__(self):
        self.settings = self.loss.settings
        self.reduction = self.settings.get("reduction") or "none"
        if self.reduction not in ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight"):
            raise PortError(f"the loss {self.loss.kind!r} with reduction={self.reduction!r}")
        self.is_sum = self.reduction == "sum"
        # PyTorch has the classes on axis 1, Keras on the last; with (batch, classes) it is the same
        self.moved = "" if self.axis == 1 else f".movedim({self.axis}, 1)"

    @property
    def torch_reduction(self) -> dict[str, str]:
        return {"reduction": "sum"} if self.is_sum else {}

    def reduced(self, each: str) -> str:
        """The sum or mean of what is one number for each row and place."""
        return f"{each}.sum()" if self.is_sum else f"{each}.mean()"

    def of_elements(self, each: str, atom: bool = True) -> str:
        """The same of numbers for each element, of which Keras takes the mean along the axis."""
        each = each if atom else f"({each})"
        if self.is_sum and self.shape[self.axis] != 1:
            return f"{each}.mean({self.axis}).sum()"
        return self.reduced(each)


def loss_source(loss: Loss, shape: tuple, axis: int | None = None) -> LossSource:
    """The source of a loss.

    Args:
        loss: as the network has it.
        shape: of the output, with the batch axis.
        axis: of the output where the loss has its own; by default the last.

    Raises:
        PortError: a loss or a setting of one that cannot be written.
    """
    asked = _Asked(loss, shape, len(shape) - 1 if axis is None else axis)
    maker = _LOSSES.get(loss.kind)
    if maker is None:
        raise PortError(f"the loss {loss.kind!r} has no counterpart in PyTorch")
    made = maker(asked)
    made.axis = asked.axis
    return made


# -- cross-entropy ---------------------------------------------------------------------------------


def _weights(asked: _Asked) -> tuple[dict[str, str], str]:
    weights = asked.settings.get("class_weight")
    if weights is None:
        return {}, ""
    values = [round(float(value), 12) for value in weights]
    return {"class_weight": f"torch.tensor({literal(values)})"}, "class_weight.to(output)"


def _sparse(asked: _Asked) -> LossSource:
    settings = asked.settings
    constants, weight = _weights(asked)
    ignored = settings.get("ignore_class")
    given = {} if ignored is None else {"ignore_index": ignored}
    logits = bool(settings.get("from_logits"))
    common: dict[str, Any] = {"classes": "softmax" if logits else "probabilities", "sparse": True}
    if logits and not weight and not asked.moved:
        module = call("nn.CrossEntropyLoss", [], {**given, **asked.torch_reduction})
        more = "".join(f", {k}={literal(v)}" for k, v in {**given, **asked.torch_reduction}.items())
        return LossSource(f"F.cross_entropy(output, target{more})", module, **common)
    lines, output = _log_probabilities(asked, logits)
    arguments = [output, "target"]
    if weight:
        arguments.append(f"weight={weight}")
    arguments += [f"{k}={literal(v)}" for k, v in given.items()]
    divided = ""
    if asked.is_sum or (weight and asked.reduction != "mean_with_sample_weight"):
        arguments.append('reduction="sum"')
        if not asked.is_sum:
            # Keras divides by the number of rows, PyTorch by the sum of their weights
            divided = " / target.numel()"
    name = "F.cross_entropy" if logits else "F.nll_loss"
    value = f"{name}({', '.join(arguments)}){divided}"
    return LossSource(value, "", lines, constants=constants, **common)


def _log_probabilities(asked: _Asked, logits: bool) -> tuple[tuple[str, ...], str]:
    if logits:
        return (), f"output{asked.moved}"
    axis = asked.axis
    # as Keras: divided by their sum, and held off 0 and 1
    line = f"output = (output / output.sum({axis}, keepdim=True)).clamp(1e-7, 1 - 1e-7)"
    return (line,), f"output{asked.moved}.log()"


def _categorical(asked: _Asked) -> LossSource:
    settings = asked.settings
    constants, weight = _weights(asked)
    smoothing = settings.get("label_smoothing") or 0.0
    logits = bool(settings.get("from_logits"))
    given = {"label_smoothing": smoothing} if smoothing else {}
    if logits and not weight and not asked.moved:
        module = call("nn.CrossEntropyLoss", [], {**given, **asked.torch_reduction})
        more = "".join(f", {k}={literal(v)}" for k, v in {**given, **asked.torch_reduction}.items())
        return LossSource(f"F.cross_entropy(output, target{more})", module, classes="softmax")
    axis = asked.axis
    lines: list[str] = []
    if smoothing:
        kept, spread = (
            literal(round(1 - smoothing, 12)),
            f"{literal(smoothing)} / output.shape[{axis}]",
        )
        lines.append(f"target = {kept} * target + {spread}")
    if logits:
        lines.append(f"output = F.log_softmax(output, dim={axis})")
    else:
        lines.append(
            f"output = (output / output.sum({axis}, keepdim=True)).clamp(1e-7, 1 - 1e-7).log()"
        )
    each = f"(target * output).sum({axis})"
    if weight:
        lines.append(f"row_weight = {weight}[target.argmax({axis})]")
        each = f"(row_weight * {each})"
    value = f"-{asked.reduced(each)}"
    if weight and asked.reduction == "mean_with_sample_weight":
        value = f"-{each}.sum() / row_weight.sum()"
    classes = "softmax" if logits else "probabilities"
    return LossSource(value, "", tuple(lines), classes=classes, constants=constants)


def _binary(asked: _Asked) -> LossSource:
    settings = asked.settings
    constants, weight = _weights(asked)
    smoothing = settings.get("label_smoothing") or 0.0
    logits = bool(settings.get("from_logits"))
    positive = settings.get("pos_weight")
    plain = not (weight or smoothing or positive is not None)
    classes = "sigmoid" if logits else "probability"
    whole = not asked.is_sum or asked.shape[asked.axis] == 1
    if plain and logits and whole:
        module = call("nn.BCEWithLogitsLoss", [], asked.torch_reduction)
        more = ', reduction="sum"' if asked.is_sum else ""
        value = f"F.binary_cross_entropy_with_logits(output, target{more})"
        return LossSource(value, module, classes=classes)
    lines = []
    arguments = ["output", "target"]
    if weight:
        lines.append(f"row_weight = {weight}[target.long()]")
        arguments.append("weight=row_weight")
    if smoothing:
        lines.append(f"target = {literal(1 - smoothing)} * target + {literal(smoothing / 2)}")
    if positive is not None:
        if not logits:
            raise PortError("binary_crossentropy of probabilities with pos_weight")
        values = [float(one) for one in (positive if hasattr(positive, "__len__") else [positive])]
        constants["pos_weight"] = f"torch.tensor({literal(values)})"
        arguments.append("pos_weight=pos_weight.to(output)")
    if not logits:
        lines.append("output = output.clamp(1e-7, 1 - 1e-7)  # as Keras")
    name = "F.binary_cross_entropy" + "_with_logits" * logits
    if whole:
        arguments += ['reduction="sum"'] * asked.is_sum
        value = f"{name}({', '.join(arguments)})"
    else:
        value = asked.of_elements(f'{name}({", ".join(arguments)}, reduction="none")')
    return LossSource(value, "", tuple(lines), classes=classes, constants=constants)


# -- regression ------------------------------------------------------------------------------------


def _module(name: str, functional: str, *copied: tuple[str, str, Any]):
    """A loss that PyTorch has: copied settings are (Keras' name, PyTorch's, PyTorch's default)."""

    def make(asked: _Asked) -> LossSource:
        given = {theirs: asked.settings.get(ours, default) for ours, theirs, default in copied}
        given = unless(given, **{theirs: default for _, theirs, default in copied})
        more = "".join(f", {k}={literal(v)}" for k, v in given.items())
        if asked.is_sum and asked.shape[asked.axis] != 1:
            each = f'{functional}(output, target{more}, reduction="none")'
            return LossSource(asked.of_elements(each))
        module = call(name, [], {**given, **asked.torch_reduction})
        more += ', reduction="sum"' * asked.is_sum
        return LossSource(f"{functional}(output, target{more})", module)

    return make


def _elements(*lines: str):
    """A loss of each element, the last line, that PyTorch has no module for."""

    def make(asked: _Asked) -> LossSource:
        *before, each = lines
        return LossSource(asked.of_elements(each, atom=False), "", tuple(before))

    return make


def _along(*lines: str):
    """A loss that is one number for each row; `<axis>` is the axis along which."""

    def make(asked: _Asked) -> LossSource:
        *before, each = (line.replace("<axis>", str(asked.axis)) for line in lines)
        return LossSource(asked.reduced(f"({each})"), "", tuple(before))

    return make


def _cosine(asked: _Asked) -> LossSource:
    each = f"F.cosine_similarity(output, target, dim={asked.axis}, eps=1e-7)"
    return LossSource(f"-{asked.reduced(each)}")


def _focal(asked: _Asked) -> LossSource:
    """Cross-entropy of rows that are right already counts less."""
    settings, binary = asked.settings, asked.loss.kind.startswith("binary")
    gamma, alpha, axis = settings.get("gamma", 2.0), settings.get("alpha", 0.25), asked.axis
    smoothing = settings.get("label_smoothing") or 0.0
    logits = bool(settings.get("from_logits"))
    lines = []
    if smoothing:
        spread = (
            literal(smoothing / 2) if binary else f"{literal(smoothing)} / output.shape[{axis}]"
        )
        lines.append(f"target = {literal(1 - smoothing)} * target + {spread}")
    if binary:
        if logits:
            lines.append("output = torch.sigmoid(output)")
        lines += [
            "right = target * output + (1 - target) * (1 - output)",
            "output = output.clamp(1e-7, 1 - 1e-7)",
            'entropy = F.binary_cross_entropy(output, target, reduction="none")',
            f"focal = (1 - right) ** {literal(gamma)} * entropy",
        ]
        if settings.get("apply_class_balancing"):
            first = f"target * {literal(alpha)} + (1 - target) * {literal(1 - alpha)}"
            lines.append(f"focal = focal * ({first})")
        classes = "sigmoid" if logits else "probability"
        return LossSource(asked.of_elements("focal"), "", tuple(lines), classes=classes)
    if logits:
        lines.append(f"output = F.softmax(output, dim={axis})")
    lines += [
        f"output = (output / output.sum({axis}, keepdim=True)).clamp(1e-7, 1 - 1e-7)",
        f"focal = {literal(alpha)} * (1 - output) ** {literal(gamma)} * -target * output.log()",
    ]
    classes = "softmax" if logits else "probabilities"
    return LossSource(asked.reduced(f"focal.sum({axis})"), "", tuple(lines), classes=classes)


_SIGNS = "target = torch.where(((target == 0) | (target == 1)).all(), 2 * target - 1, target)"
_LOSSES = {
    "sparse_categorical_crossentropy": _sparse,
    "categorical_crossentropy": _categorical,
    "binary_crossentropy": _binary,
    "binary_focal_crossentropy": _focal,
    "categorical_focal_crossentropy": _focal,
    "mean_squared_error": _module("nn.MSELoss", "F.mse_loss"),
    "mean_absolute_error": _module("nn.L1Loss", "F.l1_loss"),
    "huber": _module("nn.HuberLoss", "F.huber_loss", ("delta", "delta", 1.0)),
    "log_cosh": _elements(
        "error = (output - target).abs()",
        "error + F.softplus(-2 * error) - 0.6931471805599453",
    ),
    "mean_absolute_percentage_error": _elements(
        "100 * ((target - output) / target.abs().clamp(min=1e-7)).abs()",
    ),
    "mean_squared_logarithmic_error": _elements(
        "error = (output.clamp(min=1e-7) + 1).log() - (target.clamp(min=1e-7) + 1).log()",
        "error.square()",
    ),
    "poisson": _elements("output - target * (output + 1e-7).log()"),
    "hinge": _elements(_SIGNS, "F.relu(1 - target * output)"),
    "squared_hinge": _elements(_SIGNS, "F.relu(1 - target * output).square()"),
    "categorical_hinge": _along(
        "right = (target * output).sum(<axis>)",
        "wrong = ((1 - target) * output).amax(<axis>)",
        "F.relu(wrong - right + 1)",
    ),
    "kl_divergence": _along(
        "target, output = target.clamp(1e-7, 1), output.clamp(1e-7, 1)",
        "target * (target / output).log()).sum(<axis>",
    ),
    "cosine_similarity": _cosine,
}
