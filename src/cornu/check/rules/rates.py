"""What the rules about learning rates share: usual values, and how far training can get."""

from __future__ import annotations

import ast
import re

import numpy as np

from cornu.check.facts import Facts, OptimizerFacts
from cornu.check.source import last_name

# Optimizers whose first steps change every weight by about the learning rate, however large the
# gradient is (Kingma and Ba, "Adam", 2015, section 2.1).
NORMALIZED_STEP = frozenset({"adam", "adamw", "nadam", "adamax", "radam", "rmsprop", "lion"})

# The learning rates that frameworks and papers begin with. Adam, AdamW, Nadam, Adamax, RMSprop:
# 0.001 in Keras and in Kingma and Ba (2015); Lion: 0.0001 in Chen et al. (2023); SGD: 0.01 in
# Keras; Adagrad: 0.01 in PyTorch.
USUAL = {
    **dict.fromkeys(NORMALIZED_STEP, 1e-3),
    "lion": 1e-4,
    "sgd": 1e-2,
    "adagrad": 1e-2,
}
_PRETRAINED = re.compile(
    r"imagenet|from_pretrained|pretrained\s*=\s*True|load_weights|load_state_dict|load_model"
    r"|_Weights\.|torch\.load|set_weights|hub\.load|KerasLayer|timm\."
)
_SCHEDULED = re.compile(r"lr_scheduler|[sS]cheduler|warmup|warm_up|param_groups")


def rate_name(facts: Facts) -> str:
    """How the program's framework calls the learning rate."""
    return "lr" if facts.framework == "torch" else "learning_rate"


def is_pretrained(facts: Facts) -> bool:
    """Whether some weights were trained before: layers are frozen, or the text loads weights."""
    if any(not op.trainable and op.parameter("kernel") for op in facts.operations):
        return True
    return facts.source is not None and bool(_PRETRAINED.search(facts.source.text))


def total_steps(facts: Facts) -> int | None:
    """Optimizer steps of the whole training, where that is known."""
    training = facts.training
    if training.epochs is None or training.steps is None or _is_repeated(facts):
        return None
    return training.epochs * training.steps


def _is_repeated(facts: Facts) -> bool:
    """Whether `fit` stands in a loop or in a function that may be called again and again."""
    source, place = facts.source, facts.training.place
    if source is None or place is None:
        return False
    for call in source.calls("fit", "fit_generator"):
        if call.lineno <= place.line <= (call.end_lineno or call.lineno):
            if next(source.around(call, ast.For, ast.While), None) is not None:
                return True
            function = next(source.around(call, ast.FunctionDef, ast.AsyncFunctionDef), None)
            if function is not None and any(
                next(source.around(use, ast.For, ast.While), None) is not None
                for use in source.walk()
                if isinstance(use, ast.Call) and last_name(use.func) == function.name  # type: ignore[attr-defined]
            ):
                return True
    return False


def effective_rate(optimizer: OptimizerFacts) -> float | None:
    """The learning rate, with what momentum makes of it in the long run: rate / (1 - momentum)."""
    rate = optimizer.learning_rate
    momentum = optimizer.settings.get("momentum") or 0.0
    if rate is None or not 0 <= momentum < 1:
        return rate
    return rate / (1 - momentum)


def reach(facts: Facts) -> float | None:
    """About how far all of training can move a unit's sum, if every step pushes the same way.

    Too large rather than too small: it takes the widest layer, and gradients that never shrink. A
    sum has to move by a few units before a sigmoid or a softmax is decided.

    - Adam and its like: each weight moves by the learning rate in each step, so the sum by
      `rate * sum(|x|)`.
    - Gradient descent: `rate * |gradient of the sum| * sum(x ** 2)`, and the gradient of a
      cross-entropy by the sum is at most 1, on average about 1/2; that of a squared error 2 errors.
    """
    steps, optimizer = total_steps(facts), facts.optimizer
    if steps is None or optimizer is None or optimizer.schedule is not None:
        return None
    fans = [
        parameter.fan[0]
        for operation in facts.operations
        for parameter in operation.parameters
        if parameter.fan and parameter.trainable
    ]
    if not fans:
        return None
    absolute, square = 0.5 * max(fans), 0.25 * max(fans)
    for given in facts.inputs:
        if given.is_numeric and given.array.ndim in (1, 2) and given.finite.size:
            columns = given.shape[0] if given.shape else 1
            absolute = max(absolute, columns * float(np.abs(given.finite).mean()))
            square = max(square, columns * float(np.square(given.finite).mean()))
    if optimizer.kind in NORMALIZED_STEP:
        return (optimizer.learning_rate or 0.0) * steps * (absolute + 1)
    if optimizer.kind == "sgd":
        squared = any(out.loss and out.loss.kind == "mean_squared_error" for out in facts.outputs)
        slope = 2.0 if squared else 0.5
        return (effective_rate(optimizer) or 0.0) * steps * slope * (square + 1)
    return None


def enough_reach(facts: Facts) -> float:
    """The `reach` below which training has hardly begun.

    A sum has to move by a few units to decide a softmax or sigmoid; the steps of gradient descent
    shrink as errors do, so it needs more than `reach` makes of them. In a linear regression the
    error shrinks by `exp(-reach)` along the longest axis of the inputs.
    """
    if facts.optimizer is not None and facts.optimizer.kind in NORMALIZED_STEP:
        return 3.0
    computing = [op for op in facts.operations if op.kind != "Input"]
    linear = len(computing) == 1 and computing[0].kind == "Dense"
    squared = any(out.loss and out.loss.kind == "mean_squared_error" for out in facts.outputs)
    return 5.0 if linear and squared else 30.0


def may_change(facts: Facts) -> bool:
    """Whether something sets the learning rate later: a schedule that begins at 0, a callback."""
    if facts.optimizer is not None and facts.optimizer.schedule is not None:
        return True
    if any("Scheduler" in name or "Lambda" in name for name in facts.training.callbacks):
        return True
    return facts.source is not None and bool(_SCHEDULED.search(facts.source.text))


def number(value: float) -> str:
    return f"{value:.3g}"
