"""Optimizers and learning-rate schedules of NumPy programs, as source."""

from __future__ import annotations

import re
from typing import Any

from cornu.port.network import PortError
from cornu.port.source_text import chosen, fitted, literal
from cornu.port.training import Optimizer, Schedule

# For each optimizer: what it says of itself, its settings, what it keeps for each weight, what
# it does once in a step, and what it does with each weight. Flags as in `source_text.chosen`.
_RULES: dict[str, dict[str, Any]] = {
    "SGD": {
        "says": {
            "momentum nesterov": "Gradient descent with Nesterov's momentum.",
            "momentum !nesterov": "velocity = momentum * velocity - rate * gradient.",
            "!momentum": "weight -= rate * gradient.",
        },
        "settings": ["learning_rate", "momentum? momentum", "dampening? dampening"],
        "kept": {"velocity": "momentum"},
        "each": """
weight -= rate * gradient  #? !momentum
velocity = self.velocity[key]  #? momentum
velocity *= self.momentum  #? momentum
velocity -= rate * gradient  #? momentum !torch
weight += velocity  #? momentum !nesterov !torch
weight += self.momentum * velocity - rate * gradient  #? momentum nesterov !torch
velocity += gradient  #? momentum torch !dampening
share = 1 - self.dampening if self.steps > 1 else 1  #? momentum torch dampening
velocity += share * gradient  #? momentum torch dampening
weight -= rate * velocity  #? momentum torch !nesterov
weight -= rate * (gradient + self.momentum * velocity)  #? momentum torch nesterov
""",
    },
    "Adam": {
        "says": {"!torch": "Adam with epsilon as in Keras.", "torch": "Adam as in PyTorch."},
        "settings": ["learning_rate", "beta_1", "beta_2", "epsilon"],
        "kept": {"mean": "", "square": "", "largest": "amsgrad"},
        "once": """
rate_1 = 1 - self.beta_1**self.steps
rate_2 = 1 - self.beta_2**self.steps
corrected = rate * rate_2**0.5 / rate_1  #? !torch
""",
        "each": """
mean, square = self.mean[key], self.square[key]
mean += (1 - self.beta_1) * (gradient - mean)
square += (1 - self.beta_2) * (np.square(gradient) - square)
square = np.maximum(self.largest[key], square, out=self.largest[key])  #? amsgrad
weight -= corrected * mean / (np.sqrt(square) + self.epsilon)  #? !torch
size = np.sqrt(square / rate_2) + self.epsilon  #? torch
weight -= rate / rate_1 * mean / size  #? torch
""",
    },
    "RMSprop": {
        "says": {"": "Steps as long as the gradient is, compared with its recent size."},
        "settings": ["learning_rate", "rho", "momentum? momentum", "epsilon"],
        "kept": {"square": "", "mean": "centered", "velocity": "momentum"},
        "each": """
square = self.square[key]
square += (1 - self.rho) * (np.square(gradient) - square)
mean = self.mean[key]  #? centered
mean += (1 - self.rho) * (gradient - mean)  #? centered
square = square - np.square(mean)  #? centered
change = rate * gradient / np.sqrt(square + self.epsilon)  #? !torch
change = gradient / (np.sqrt(square) + self.epsilon)  #? torch
velocity = self.velocity[key]  #? momentum
velocity *= self.momentum  #? momentum
velocity += change  #? momentum
weight -= change  #? !momentum !torch
weight -= velocity  #? momentum !torch
weight -= rate * change  #? !momentum torch
weight -= rate * velocity  #? momentum torch
""",
    },
    "Adagrad": {
        "says": {"": "The more a weight has been changed, the shorter its steps."},
        "settings": ["learning_rate", "epsilon"],
        "kept": {"square": ""},
        "each": """
square = self.square[key]
square += np.square(gradient)
weight -= rate * gradient / np.sqrt(square + self.epsilon)  #? !torch
weight -= rate * gradient / (np.sqrt(square) + self.epsilon)  #? torch
""",
    },
    "Adadelta": {
        "says": {"": "Steps as long as earlier ones, compared with earlier gradients."},
        "settings": ["learning_rate", "rho", "epsilon"],
        "kept": {"square": "", "steps_square": ""},
        "each": """
square, steps_square = self.square[key], self.steps_square[key]
square += (1 - self.rho) * (np.square(gradient) - square)
longer = np.sqrt(steps_square + self.epsilon)
step = longer * gradient / np.sqrt(square + self.epsilon)
steps_square += (1 - self.rho) * (np.square(step) - steps_square)
weight -= rate * step
""",
    },
    "Adamax": {
        "says": {"": "Adam with the largest recent gradient in place of a mean square."},
        "settings": ["learning_rate", "beta_1", "beta_2", "epsilon"],
        "kept": {"mean": "", "largest": ""},
        "once": """
corrected = rate / (1 - self.beta_1**self.steps)
""",
        "each": """
mean, largest = self.mean[key], self.largest[key]
mean += (1 - self.beta_1) * (gradient - mean)
np.maximum(self.beta_2 * largest, np.abs(gradient), out=largest)  #? !torch
weight -= corrected * mean / (largest + self.epsilon)  #? !torch
size = np.abs(gradient) + self.epsilon  #? torch
np.maximum(self.beta_2 * largest, size, out=largest)  #? torch
weight -= corrected * mean / largest  #? torch
""",
    },
    "Nadam": {
        "says": {"": "Adam with Nesterov's momentum, which grows at first."},
        "settings": ["learning_rate", "beta_1", "beta_2", "epsilon"],
        "kept": {"mean": "", "square": ""},
        "init": ["self.product = 1.0"],
        "once": """
now = self.beta_1 * (1 - 0.5 * 0.96**self.steps)
following = self.beta_1 * (1 - 0.5 * 0.96 ** (self.steps + 1))
self.product *= now
of_mean = rate * following / (1 - self.product * following)
of_gradient = rate * (1 - now) / (1 - self.product)
rate_2 = 1 - self.beta_2**self.steps
""",
        "each": """
mean, square = self.mean[key], self.square[key]
mean += (1 - self.beta_1) * (gradient - mean)
square += (1 - self.beta_2) * (np.square(gradient) - square)
size = np.sqrt(square / rate_2) + self.epsilon
weight -= (of_mean * mean + of_gradient * gradient) / size
""",
    },
    "Lion": {
        "says": {"": "Steps of equal length in the direction of a momentum's sign."},
        "settings": ["learning_rate", "beta_1", "beta_2"],
        "kept": {"mean": ""},
        "each": """
mean = self.mean[key]
direction = np.sign(self.beta_1 * mean + (1 - self.beta_1) * gradient)
weight -= rate * direction
mean += (1 - self.beta_2) * (gradient - mean)
""",
    },
}
_RULES["AdamW"] = {
    **_RULES["Adam"],
    "says": {"": "Adam whose weights decay apart from the gradient."},
}

_IGNORED = {
    "learning_rate", "momentum", "nesterov", "rho", "beta_1", "beta_2", "epsilon", "amsgrad",
    "centered", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "l2", "dampening",
    "formula", "initial_accumulator_value", "exclude_from_weight_decay", "ema_momentum",
    "ema_overwrite_frequency", "loss_scale_factor", "name", "gradient_accumulation_steps",
    "use_ema",
}  # fmt: skip


def optimizer_source(optimizer: Optimizer) -> tuple[str, str]:
    """The class of an optimizer, with its schedule before it, and the class's name.

    Its object is made of the parameters, by key; `step(gradients)` changes them in place.

    Raises:
        PortError: an optimizer, or a setting of one, that NumPy programs cannot have.
    """
    kind, settings = optimizer.kind, optimizer.settings
    if kind not in _RULES:
        raise PortError(f"the optimizer {kind} has no counterpart in NumPy programs")
    torch = settings.get("formula") == "torch"
    if torch and kind in ("Nadam", "Lion"):
        raise PortError(f"PyTorch's formula of {kind} has no counterpart in NumPy programs")
    for name, value in settings.items():
        if name in ("use_ema", "gradient_accumulation_steps") and value:
            raise PortError(f"{kind}({name}={value!r}) has no counterpart in NumPy programs")
        if name not in _IGNORED and value:
            raise PortError(f"{kind}({name}={value!r}) has no counterpart in NumPy programs")
    rule = _RULES[kind]
    flags = {"torch"} if torch else set()
    for name in ("momentum", "nesterov", "dampening", "amsgrad", "centered"):
        if settings.get(name):
            flags.add(name)
    if not {"momentum"} & flags:
        flags -= {"nesterov", "dampening"}
    if "dampening" in flags and "torch" not in flags:
        flags.add("torch")
    schedule = settings["learning_rate"]
    is_scheduled = isinstance(schedule, Schedule)
    body = _body(rule, flags, settings, is_scheduled)
    counts = is_scheduled or "self.steps" in body

    parameters = []
    for setting in rule["settings"]:
        name, _, condition = setting.partition("?")
        if condition and condition.strip() not in flags:
            continue
        if name == "learning_rate" and is_scheduled:
            continue
        parameters.append((name, float(settings[name])))
    arguments = ", ".join(f"{name}={literal(value)}" for name, value in parameters)
    says = next(text for condition, text in rule["says"].items() if _fits(condition, flags))
    names = [name for name, _ in parameters]
    text = [f"class {kind}:", f'    """{says}"""', ""]
    text.append(_definition("    def __init__(self, parameters, ", arguments))
    names.insert(0, "parameters")
    for pair in range(0, len(names), 2):
        some = names[pair : pair + 2]
        text.append(f"        {', '.join(f'self.{n}' for n in some)} = {', '.join(some)}")
    if counts:
        text.append("        self.steps = 0")
    text += [f"        {line}" for line in rule.get("init", ())]
    start = float(settings.get("initial_accumulator_value") or 0.0) if kind == "Adagrad" else 0.0
    for name, condition in rule["kept"].items():
        if not condition or condition in flags:
            first = f"np.full_like(w, {literal(start)})" if start else "np.zeros_like(w)"
            line = f"        self.{name} = {{key: {first} for key, w in parameters.items()}}"
            text.append(fitted(line))
    text += ["", "    def step(self, gradients):"]
    if is_scheduled:
        text.append("        rate = learning_rate(self.steps)")
    elif len(re.findall(r"\brate\b", body)) > 1:
        text.append("        rate = self.learning_rate")
    else:
        body = re.sub(r"\brate\b", "self.learning_rate", body)
    if counts:
        text.append("        self.steps += 1")
    text.append(body)
    source = "\n".join(text).rstrip() + "\n"
    if is_scheduled:
        source = schedule_source(schedule) + "\n\n" + source
    return source, kind


def _definition(start: str, arguments: str) -> str:
    line = f"{start}{arguments}):".replace(", )", ")")
    return fitted(line)


def _fits(condition: str, flags: set[str]) -> bool:
    return all((w[1:] not in flags) if w[0] == "!" else w in flags for w in condition.split())


def _body(rule: dict, flags: set[str], settings: dict, is_scheduled: bool) -> str:
    """What stands in `step`, after the rate."""
    lines = [f"        {line}" for line in _lines(rule.get("once", ""), flags)]
    norm = settings.get("global_clipnorm")
    if norm:
        lines += [
            "        norm = sum(np.square(g).sum() for g in gradients.values()) ** 0.5",
            f"        scale = {literal(norm)} / max(norm, {literal(norm)})",
        ]
    lines.append("        for key, gradient in gradients.items():")
    inner = ["weight = self.parameters[key]"]
    if norm:
        inner.append("gradient = gradient * scale")
    elif settings.get("clipnorm"):
        limit = literal(settings["clipnorm"])
        inner.append("norm = np.square(gradient).sum() ** 0.5")
        inner.append(f"gradient = gradient * ({limit} / max(norm, {limit}))")
    elif settings.get("clipvalue"):
        limit = literal(settings["clipvalue"])
        inner.append(f"gradient = np.clip(gradient, -{limit}, {limit})")
    if settings.get("l2"):
        inner.append(f"gradient = gradient + {literal(settings['l2'])} * weight")
    if settings.get("weight_decay"):
        decay = f"weight -= rate * {literal(settings['weight_decay'])} * weight"
        excluded = settings.get("exclude_from_weight_decay")
        if excluded:
            inner.append(f"if not re.search({literal('|'.join(excluded))}, key):")
            decay = f"    {decay}"
        inner.append(decay)
    inner += _lines(rule["each"], flags)
    return "\n".join([*lines, *(f"            {line}" for line in inner)])


def _lines(template: str, flags: set[str]) -> list[str]:
    return [line for line in chosen(template, flags).split("\n") if line]


# -- schedules -------------------------------------------------------------------------------------


def schedule_source(schedule: Schedule) -> str:
    """A function `learning_rate(step)`; steps are counted from 0.

    Raises:
        PortError: a schedule that NumPy programs cannot have.
    """
    s = {name: value for name, value in schedule.settings.items() if value is not None}
    kind = schedule.kind
    lines = []
    if kind in ("ExponentialDecay", "InverseTimeDecay"):
        time = f"step / {literal(s['decay_steps'])}"
        if s.get("staircase"):
            time = f"step // {literal(s['decay_steps'])}"
        start, decay = literal(s["initial_learning_rate"]), literal(s["decay_rate"])
        if kind == "ExponentialDecay":
            lines.append(f"return {start} * {decay} ** ({time})")
        else:
            lines.append(f"return {start} / (1 + {decay} * ({time}))")
    elif kind == "PiecewiseConstantDecay":
        for boundary, value in zip(s["boundaries"], s["values"], strict=False):
            lines += [f"if step <= {literal(boundary)}:", f"    return {literal(value)}"]
        lines.append(f"return {literal(s['values'][-1])}")
    elif kind == "PolynomialDecay":
        start, end = literal(s["initial_learning_rate"]), literal(s.get("end_learning_rate", 1e-4))
        steps, power = literal(s["decay_steps"]), literal(s.get("power", 1.0))
        if s.get("cycle"):
            lines.append(f"steps = {steps} * max(math.ceil(step / {steps}), 1)")
            left = "1 - step / steps"
        else:
            left = f"1 - min(step, {steps}) / {steps}"
        lines.append(f"left = ({left}) ** {power}" if power != "1.0" else f"left = {left}")
        lines.append(f"return {end} + ({start} - {end}) * left")
    elif kind == "CosineDecay":
        start, alpha = literal(s["initial_learning_rate"]), s.get("alpha", 0.0)
        steps, warm = s["decay_steps"], s.get("warmup_steps") or 0
        highest = start
        if s.get("warmup_target") is not None:
            highest = literal(s["warmup_target"])
            lines += [
                f"if step < {literal(warm)}:",
                f"    return {start} + ({highest} - {start}) * step / {literal(warm)}",
                f"done = min((step - {literal(warm)}) / {literal(steps)}, 1)",
            ]
        else:
            lines.append(f"done = min(step / {literal(steps)}, 1)")
        lines.append("share = (1 + math.cos(math.pi * done)) / 2")
        if alpha:
            lines.append(f"share = {literal(alpha)} + (1 - {literal(alpha)}) * share")
        lines.append(f"return {highest} * share")
    elif kind == "CosineDecayRestarts":
        first, longer = literal(s["first_decay_steps"]), literal(s.get("t_mul", 2.0))
        alpha = literal(s.get("alpha", 0.0))
        lines += [
            f"length, height = {first}, 1.0",
            "while step >= length:",
            f"    step, length = step - length, length * {longer}",
            f"    height *= {literal(s.get('m_mul', 1.0))}",
            "share = height * (1 + math.cos(math.pi * step / length)) / 2",
            f"return {literal(s['initial_learning_rate'])} * ({alpha} + (1 - {alpha}) * share)",
        ]
    else:
        raise PortError(f"the learning-rate schedule {kind} has no counterpart in NumPy programs")
    body = "\n".join(f"    {line}" for line in lines)
    return f'def learning_rate(step):\n    """{kind}: the rate at a step, from 0 on."""\n{body}\n'
