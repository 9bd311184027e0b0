"""Learning-rate schedules of Keras as functions in a PyTorch program."""

from __future__ import annotations

from cornu.port.network import PortError
from cornu.port.source_text import literal
from cornu.port.training import Schedule

_SCHEDULE = '''
def learning_rate(step):
    """Keras' {kind}; the first optimizer step is 0."""
{body}


def make_scheduler(optimizer):
    return torch.optim.lr_scheduler.LambdaLR(optimizer, learning_rate)
'''


def schedule_source(schedule: Schedule) -> tuple[str, set[str]]:
    """The functions `learning_rate` and `make_scheduler`, and the modules that they need."""
    maker = _SCHEDULES.get(schedule.kind)
    if maker is None:
        raise PortError(f"the learning-rate schedule {schedule.kind} has no counterpart in PyTorch")
    lines, modules = maker({k: literal(v) for k, v in schedule.settings.items()}, schedule.settings)
    body = "\n".join(f"    {line}" for line in lines)
    return _SCHEDULE.format(kind=schedule.kind, body=body).strip(), modules


def _exponential(text: dict[str, str], settings: dict) -> tuple[list[str], set[str]]:
    periods = f"step {'//' if settings.get('staircase') else '/'} {text['decay_steps']}"
    rate = f"{text['initial_learning_rate']} * {text['decay_rate']} ** ({periods})"
    return [f"return {rate}"], set()


def _inverse_time(text: dict[str, str], settings: dict) -> tuple[list[str], set[str]]:
    periods = f"step / {text['decay_steps']}"
    if settings.get("staircase"):
        periods = f"(step // {text['decay_steps']})"
    below = f"(1 + {text['decay_rate']} * {periods})"
    return [f"return {text['initial_learning_rate']} / {below}"], set()


def _polynomial(text: dict[str, str], settings: dict) -> tuple[list[str], set[str]]:
    start, end, steps = (
        text[name] for name in ("initial_learning_rate", "end_learning_rate", "decay_steps")
    )
    lines, modules = [f"left = 1 - min(step, {steps}) / {steps}"], set()
    if settings.get("cycle"):
        lines = [f"end = {steps} * max(math.ceil(step / {steps}), 1)", "left = 1 - step / end"]
        modules = {"math"}
    power = "left" if settings.get("power", 1.0) == 1 else f"left**{text['power']}"
    return [*lines, f"return ({start} - {end}) * {power} + {end}"], modules


def _cosine(text: dict[str, str], settings: dict) -> tuple[list[str], set[str]]:
    steps, start = text["decay_steps"], text["initial_learning_rate"]
    lines = []
    if settings.get("warmup_target") is not None:
        warmup, target = text["warmup_steps"], text["warmup_target"]
        lines = [
            f"if step < {warmup}:",
            f"    return {start} + ({target} - {start}) * step / {warmup}",
            f"progress = min(step - {warmup}, {steps}) / {steps}",
        ]
        start = target
    else:
        lines = [f"progress = min(step, {steps}) / {steps}"]
    lines.append("decayed = 0.5 * (1 + math.cos(math.pi * progress))")
    return [*lines, f"return {start} * {_floored('decayed', text, settings)}"], {"math"}


def _floored(decayed: str, text: dict[str, str], settings: dict) -> str:
    alpha = settings.get("alpha") or 0.0
    return f"({literal(1 - alpha)} * {decayed} + {text['alpha']})" if alpha else decayed


def _restarts(text: dict[str, str], settings: dict) -> tuple[list[str], set[str]]:
    t_mul, m_mul = settings.get("t_mul", 2.0), settings.get("m_mul", 1.0)
    lines = [f"length, height = {text['first_decay_steps']}, {text['initial_learning_rate']}"]
    lines += ["while step >= length:  # restart", "    step -= length"]
    if t_mul != 1:
        lines.append(f"    length *= {text['t_mul']}")
    if m_mul != 1:
        lines.append(f"    height *= {text['m_mul']}")
    if settings.get("alpha"):
        lines.append(f"least = {text['alpha']} * {text['initial_learning_rate']}")
        share = literal(1 - settings["alpha"])
        lines.append("decayed = 0.5 * height * (1 + math.cos(math.pi * step / length))")
        return [*lines, f"return {share} * decayed + least"], {"math"}
    lines.append("return 0.5 * height * (1 + math.cos(math.pi * step / length))")
    return lines, {"math"}


def _piecewise(text: dict[str, str], settings: dict) -> tuple[list[str], set[str]]:
    values = literal([float(value) for value in settings["values"]])
    boundaries = literal(list(settings["boundaries"]))
    return [f"rates = {values}", f"return rates[bisect_left({boundaries}, step)]"], {"bisect"}


_SCHEDULES = {
    "ExponentialDecay": _exponential,
    "InverseTimeDecay": _inverse_time,
    "PolynomialDecay": _polynomial,
    "CosineDecay": _cosine,
    "CosineDecayRestarts": _restarts,
    "PiecewiseConstantDecay": _piecewise,
}
