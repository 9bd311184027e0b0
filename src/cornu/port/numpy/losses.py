"""Losses, metrics and penalties of NumPy programs, as source."""

from __future__ import annotations

from typing import Any

import numpy as np

from cornu.port.network import PortError
from cornu.port.source_text import Code, chosen, fitted, literal
from cornu.port.training import Loss

_TEMPLATES: dict[str, str] = {}

# `y` as an array of one probability for each class.
_TARGETS = """
    numbers = y.astype(int).reshape(NAME.shape[:-1])  #? sparse
    y = np.eye(NAME.shape[-1], dtype=NAME.dtype)[numbers]  #? sparse
    y = y.astype(NAME.dtype)  #? !sparse
    y = y * (1 - SMOOTHING) + SMOOTHING / NAME.shape[-1]  #? smoothing
    count = NAME.size // NAME.shape[-1]  #? !weights !ignore !total
    counted = numbers != IGNORED  #? ignore
    y = y * counted[..., None]  #? ignore
    count = max(counted.sum(), 1)  #? ignore !weights !total
    weights = np.array(CLASS_WEIGHT, NAME.dtype)[numbers]  #? weights sparse
    weights = np.array(CLASS_WEIGHT, NAME.dtype)[y.argmax(axis=-1)]  #? weights !sparse
    weights = weights * counted  #? weights ignore
    y = y * weights[..., None]  #? weights
    count = weights.sum()  #? weights !total by_weight
    count = NAME.size // NAME.shape[-1]  #? weights !total !by_weight
"""

_TEMPLATES["crossentropy"] = f'''
def FUNCTION(logits, y):
    """The cross-entropy of softmax(logits) and the classes y, and its gradient."""
{_TARGETS.strip(chr(10)).replace("NAME", "logits")}
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    gradient = np.exp(log_p) - y  #? !weights !ignore
    gradient = np.exp(log_p) * y.sum(axis=-1, keepdims=True) - y  #? weights|ignore
    return -(y * log_p).sum() / count, gradient / count  #? !total
    return -(y * log_p).sum(), gradient  #? total
'''
_TEMPLATES["crossentropy_of_probabilities"] = f'''
def FUNCTION(outputs, y):
    """The cross-entropy of probabilities and the classes y, and its gradient."""
{_TARGETS.strip(chr(10)).replace("NAME", "outputs")}
    total = outputs.sum(axis=-1, keepdims=True)
    p = np.clip(outputs / total, 1e-7, 1 - 1e-7)
    inside = np.abs(outputs / total - 0.5) < 0.5 - 1e-7
    d = -y / p * inside
    gradient = (d - (d * outputs / total).sum(axis=-1, keepdims=True)) / total
    return -(y * np.log(p)).sum() / count, gradient / count  #? !total
    return -(y * np.log(p)).sum(), gradient  #? total
'''


def _elementwise(kind: str, says: str, *lines: str, name: str = "outputs") -> None:
    """A loss that is a mean over elements: lines that give `losses` and `gradient`."""
    body = "\n".join(f"    {line}" for line in lines)
    _TEMPLATES[kind] = f'''
def FUNCTION({name}, y):
    """{says}, and its gradient."""
    y = y.reshape({name}.shape).astype({name}.dtype)
    y = y * (1 - SMOOTHING) + SMOOTHING / 2  #? smoothing
{body}
    return losses.mean(), gradient / gradient.size  #? !total
    count = {name}.shape[-1]  #? total
    return losses.sum() / count, gradient / count  #? total
'''


_elementwise(
    "binary_crossentropy",
    "The mean cross-entropy of sigmoid(logits) and y, 0 or 1",
    "losses = np.maximum(logits, 0) - logits * y + np.log1p(np.exp(-np.abs(logits)))  #? !positive",
    "gradient = sigmoid(logits) - y  #? !positive",
    "more = 1 + (POSITIVE - 1) * y  # the positive class counts for more  #? positive",
    "losses = (1 - y) * logits + more * np.logaddexp(0, -logits)  #? positive",
    "gradient = 1 - y - more * sigmoid(-logits)  #? positive",
    name="logits",
)
_elementwise(
    "binary_crossentropy_of_probabilities",
    "The mean cross-entropy of probabilities and y, 0 or 1",
    "p = np.clip(outputs, 1e-7, 1 - 1e-7)",
    "losses = -(y * np.log(p) + (1 - y) * np.log(1 - p))",
    "gradient = (p - y) / (p * (1 - p)) * (np.abs(outputs - 0.5) < 0.5 - 1e-7)",
)
_elementwise(
    "mean_squared_error",
    "The mean squared error",
    "losses = np.square(outputs - y)",
    "gradient = 2 * (outputs - y)",
)
_elementwise(
    "mean_absolute_error",
    "The mean absolute error",
    "losses = np.abs(outputs - y)",
    "gradient = np.sign(outputs - y)",
)
_elementwise(
    "huber",
    "Half the squared error, beyond DELTA the absolute one",
    "error = outputs - y",
    "near = np.clip(error, -DELTA, DELTA)",
    "losses = near * (error - near / 2)",
    "gradient = near",
)
_elementwise(
    "log_cosh",
    "The mean of log(cosh(error))",
    "error = outputs - y",
    "losses = np.logaddexp(error, -error) - math.log(2)",
    "gradient = np.tanh(error)",
)
_elementwise(
    "poisson",
    "The mean of outputs - y * log(outputs)",
    "losses = outputs - y * np.log(outputs + 1e-7)",
    "gradient = 1 - y / (outputs + 1e-7)",
)
_elementwise(
    "mean_squared_logarithmic_error",
    "The mean squared difference of log(1 + x)",
    "above = np.maximum(outputs, 1e-7)",
    "difference = np.log1p(above) - np.log1p(np.maximum(y, 1e-7))",
    "losses = np.square(difference)",
    "gradient = 2 * difference / (1 + above) * (outputs > 1e-7)",
)
_SIGNS = "y = np.where((y == 0) | (y == 1), 2 * y - 1, y) if np.isin(y, (0, 1)).all() else y"
_elementwise(
    "hinge",
    "What outputs lack to being right by 1",
    _SIGNS,
    "losses = np.maximum(1 - y * outputs, 0)",
    "gradient = -y * (losses > 0)",
)
_elementwise(
    "squared_hinge",
    "The square of what outputs lack to being right by 1",
    _SIGNS,
    "short = np.maximum(1 - y * outputs, 0)",
    "losses = np.square(short)",
    "gradient = -2 * y * short",
)

_KNOWN = {
    "from_logits", "label_smoothing", "axis", "reduction", "class_weight", "pos_weight",
    "ignore_class", "delta", "last_axis", "name", "dtype", "weight",
}  # fmt: skip


def loss_source(loss: Loss, function: str, ndim: int) -> str:
    """A function `(outputs, y) -> (value, gradient)` for a loss.

    Args:
        loss: the loss.
        function: its name.
        ndim: the number of axes of the outputs.

    Raises:
        PortError: a loss, or a setting of one, that NumPy programs cannot have.
    """
    settings = {name: value for name, value in loss.settings.items() if value is not None}
    unknown = set(settings) - _KNOWN
    if unknown:
        name = sorted(unknown)[0]
        raise PortError(f"the loss {loss.kind!r} has {name}={settings[name]!r}, which NumPy "
                        "programs cannot have")  # fmt: skip
    kind, flags = loss.kind, set()
    if kind in ("sparse_categorical_crossentropy", "categorical_crossentropy"):
        if settings.get("axis", -1) not in (-1, ndim - 1):
            raise PortError(f"the loss {loss.kind!r} has axis={settings['axis']}, not the last one")
        flags |= {"sparse"} if kind.startswith("sparse") else set()
        kind = "crossentropy"
    if "crossentropy" in kind and not settings.get("from_logits"):
        kind += "_of_probabilities"
    if kind not in _TEMPLATES:
        raise PortError(f"the loss {loss.kind!r} has no counterpart in NumPy programs")
    reduction = settings.get("reduction", "sum_over_batch_size")
    if reduction not in ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight"):
        raise PortError(f"the loss {loss.kind!r} has reduction={reduction!r}")
    words: dict[str, Any] = {"FUNCTION": function}
    for flag, setting, word in (
        ("smoothing", "label_smoothing", "SMOOTHING"),
        ("weights", "class_weight", "CLASS_WEIGHT"),
        ("ignore", "ignore_class", "IGNORED"),
        ("positive", "pos_weight", "POSITIVE"),
    ):
        value = settings.get(setting)
        if value is not None and not (flag == "smoothing" and not value):
            flags.add(flag)
            words[word] = literal(_number(value))
    if "delta" in settings:
        words["DELTA"] = literal(settings["delta"])
    if reduction == "sum":
        flags.add("total")
    if reduction == "mean_with_sample_weight":
        flags.add("by_weight")
    for flag in flags - {"total", "by_weight"}:
        if f"#? {flag}" not in _TEMPLATES[kind] and f" {flag}" not in _TEMPLATES[kind]:
            raise PortError(f"the loss {loss.kind!r} has a setting for {flag}, which NumPy "
                            "programs cannot have")  # fmt: skip
    if "ignore" in flags and "sparse" not in flags:
        raise PortError(f"the loss {loss.kind!r} has ignore_class")
    text = chosen(_TEMPLATES[kind], flags)
    for word, value in words.items():
        text = text.replace(word, value)
    if loss.weight != 1:
        text = _weighted(text, loss.weight)
    return "\n".join(fitted(line) for line in text.split("\n"))


def _number(value: Any) -> Any:
    array = np.asarray(value)
    return array.item() if array.size == 1 else array.tolist()


def _weighted(text: str, weight: float) -> str:
    *lines, last = text.split("\n")
    value, gradient = last.removeprefix("    return ").split(", gradient")
    factor = literal(weight)
    lines.append(f"    return {factor} * ({value}), {factor} * (gradient{gradient})")
    return "\n".join(lines)


# -- metrics ---------------------------------------------------------------------------------------


def accuracy_source(loss: Loss | None, metric: str, units: int | None, moved: bool) -> str | None:
    """A function `accuracy(outputs, y)`, or None where outputs are no classes.

    Args:
        loss: that of the output.
        metric: "accuracy", or one of Keras' kinds of it.
        units: the size of the output's last axis.
        moved: whether the outputs are logits.
    """
    if loss is None:
        return None
    sparse = '''
def accuracy(outputs, y):
    """The share of samples whose class is right."""
    return (outputs.argmax(axis=-1) == y.reshape(outputs.shape[:-1])).mean()
'''
    categorical = '''
def accuracy(outputs, y):
    """The share of samples whose class is right."""
    return (outputs.argmax(axis=-1) == y.argmax(axis=-1)).mean()
'''
    binary = f'''
def accuracy(outputs, y):
    """The share of outputs on the right side of one half."""
    return ((outputs > {0 if moved else 0.5}) == (y.reshape(outputs.shape) > 0.5)).mean()
'''
    kinds = {
        "sparse_categorical_accuracy": sparse,
        "categorical_accuracy": categorical,
        "binary_accuracy": binary,
    }
    if metric in kinds:
        return kinds[metric]
    if loss.kind == "sparse_categorical_crossentropy":
        return sparse
    if loss.kind == "categorical_crossentropy":
        return categorical
    if "crossentropy" in loss.kind or "hinge" in loss.kind:
        return binary if units == 1 else categorical
    return None


# -- penalties -------------------------------------------------------------------------------------


def penalty_source(l1: dict[str, float], l2: dict[str, float]) -> str:
    """The factors of the penalties on weights, and a function that gives value and gradients."""
    lines = []
    for name, factors, formula in (("L1", l1, "|w|"), ("L2", l2, "w**2")):
        if factors:
            lines.append(f"# factors of the sum of {formula} of each weight, added to the loss")
            lines.append(fitted(f"{name} = {literal(factors)}"))
    one = '''

def penalty(parameters):
    """What large weights add to the loss, and its gradients."""
    value, gradients = 0.0, {}
    for key, factor in L1.items():  #? l1
        value += factor * np.abs(parameters[key]).sum()  #? l1
        gradients[key] = factor * np.sign(parameters[key])  #? l1
    for key, factor in L2.items():  #? l2
        value += factor * np.square(parameters[key]).sum()  #? l2
        gradients[key] = 2 * factor * parameters[key]  #? l2 !l1
        gradient = 2 * factor * parameters[key]  #? l2 l1
        gradients[key] = gradients.get(key, 0) + gradient  #? l2 l1
    return value, gradients
'''
    flags = ({"l1"} if l1 else set()) | ({"l2"} if l2 else set())
    return "\n".join(lines) + "\n\n\n" + chosen(one, flags)


def regularizers(operation: Any) -> tuple[dict[str, float], dict[str, float]]:
    """Factors for L1 and L2 of the weights of an operation, by the weights' names."""
    l1: dict[str, float] = {}
    l2: dict[str, float] = {}
    for name in operation.parameters if operation.trainable else ():
        given = operation.attributes.get(f"{name}_regularizer")
        if given is None:
            continue
        if isinstance(given, dict):
            kind, config = given.get("class_name"), given.get("config") or {}
        else:
            kind, config = given, {}
        kind = str(kind).lower().replace("_", "")
        if kind not in ("l1", "l2", "l1l2"):
            raise operation.refuse(f"has a {name}_regularizer {given!r}: only L1 and L2 are known")
        default = 0.01
        if "1" in kind and config.get("l1", default if kind == "l1" else 0):
            l1[name] = float(config.get("l1", default))
        if "2" in kind and config.get("l2", default if kind == "l2" else 0):
            l2[name] = float(config.get("l2", default))
    return l1, l2


__all__ = ["Code", "accuracy_source", "loss_source", "penalty_source", "regularizers"]
