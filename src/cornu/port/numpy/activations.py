"""Activations of NumPy programs, as source."""

from __future__ import annotations

TEMPLATES: dict[str, str] = {}


def unary(name: str, says: str, forward: str, backward: str, init: str = "") -> str:
    """A class for a function of each element; `y =`/`dx =` lines see self.x, self.y and dy."""
    lines = [f"class {name}:", *([f'    """{says}"""', ""] if says else ())]
    if init:
        names = [argument.split("=")[0].strip() for argument in init.split(",")]
        lines += [f"    def __init__(self, {init}):"]
        kept = ", ".join(f"self.{n}" for n in names)
        lines += [f"        {kept} = {', '.join(names)}", ""]
    uses_y, uses_x = "self.y" in backward, "self.x" in backward
    lines += ["    def forward(self, x, training=False):"]
    lines += ["        self.x = x"] * uses_x
    *before, result = forward.split("\n")
    lines += [f"        {line}" for line in before]
    lines += [f"        self.y = {result}", "        return self.y"] if uses_y else []
    lines += [] if uses_y else [f"        return {result}"]
    lines += ["", "    def backward(self, dy):"]
    *before, result = backward.split("\n")
    lines += [f"        {line}" for line in before]
    lines += [f"        return {result}"]
    return "\n".join(lines)


def _unary(name: str, says: str, forward: str, backward: str, init: str = "") -> None:
    TEMPLATES[name] = unary(name, says, forward, backward, init)


_unary("ReLU", "", "np.maximum(x, 0)", "dy * (self.x > 0)")
_unary(
    "ReLU6",
    "",
    "np.clip(x, 0, 6)",
    "dy * ((self.x > 0) & (self.x < 6))",
)
_unary(
    "GeneralReLU",
    "x above a threshold, up to a ceiling; below, a slope.",
    "below = self.slope * (x - self.threshold)\n"
    "y = np.where(x > self.threshold, x, below)\n"
    "y if self.max_value is None else np.minimum(y, self.max_value)",
    "dx = np.where(self.x > self.threshold, dy, self.slope * dy)\n"
    "if self.max_value is None:\n"
    "    return dx\n"
    "dx * (self.x < self.max_value)",
    "max_value=None, slope=0.0, threshold=0.0",
)
_unary(
    "LeakyReLU",
    "x where it is positive, a small slope elsewhere.",
    "np.where(x >= 0, x, self.slope * x)",
    "np.where(self.x >= 0, dy, self.slope * dy)",
    "slope",
)
_unary(
    "ELU",
    "x where it is positive, alpha * (exp(x) - 1) elsewhere.",
    "np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))",
    "dy * np.where(self.x > 0, 1, self.y + self.alpha)",
    "alpha=1.0",
)
_unary(
    "SELU",
    "ELU, scaled so that layers keep mean 0 and variance 1.",
    "alpha, scale = 1.6732632423543772, 1.0507009873554805\n"
    "self.alpha, self.scale = alpha, scale\n"
    "scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))",
    "dy * np.where(self.x > 0, self.scale, self.y + self.scale * self.alpha)",
)
_unary(
    "CELU",
    "x where it is positive, alpha * (exp(x / alpha) - 1) elsewhere.",
    "np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0) / self.alpha))",
    "dy * np.where(self.x > 0, 1, self.y / self.alpha + 1)",
    "alpha=1.0",
)
_unary("Sigmoid", "", "sigmoid(x)", "dy * self.y * (1 - self.y)")
_unary("Tanh", "", "np.tanh(x)", "dy * (1 - self.y**2)")
_unary("Exp", "", "np.exp(x)", "dy * self.y")
_unary("LogSigmoid", "log(sigmoid(x)).", "-np.logaddexp(0, -x)", "dy * sigmoid(-self.x)")
_unary(
    "HardSigmoid",
    "x / 6 + 0.5 between 0 and 1.",
    "np.clip(x / 6 + 0.5, 0, 1)",
    "dy / 6 * (np.abs(self.x) < 3)",
)
_unary("HardTanh", "x between -1 and 1.", "np.clip(x, -1, 1)", "dy * (np.abs(self.x) < 1)")
_unary("Softplus", "log(1 + exp(x)).", "np.logaddexp(0, x)", "dy * sigmoid(self.x)")
_unary("Softsign", "x / (1 + |x|).", "x / (1 + np.abs(x))", "dy / (1 + np.abs(self.x)) ** 2")
_unary(
    "SiLU",
    "",
    "x * sigmoid(x)",
    "s = sigmoid(self.x)\ndy * s * (1 + self.x * (1 - s))",
)
_unary(
    "HardSiLU",
    "x * (x / 6 + 0.5), the latter between 0 and 1.",
    "x * np.clip(x / 6 + 0.5, 0, 1)",
    "gate = np.clip(self.x / 6 + 0.5, 0, 1)\ndy * (gate + self.x / 6 * (np.abs(self.x) < 3))",
)
_unary(
    "Mish",
    "x * tanh(log(1 + exp(x))).",
    "x * np.tanh(np.logaddexp(0, x))",
    "t = np.tanh(np.logaddexp(0, self.x))\ndy * (t + self.x * (1 - t**2) * sigmoid(self.x))",
)
_unary(
    "GELU",
    "x times the share of a normal distribution that lies below x.",
    "x * normal_below(x)",
    "density = np.exp(-(self.x**2) / 2) / (2 * math.pi) ** 0.5\n"
    "dy * (normal_below(self.x) + self.x * density)",
)
_unary(
    "ApproximateGELU",
    "GELU by way of tanh.",
    "u = (2 / math.pi) ** 0.5 * (x + 0.044715 * x**3)\nx * (1 + np.tanh(u)) / 2",
    "u = (2 / math.pi) ** 0.5 * (self.x + 0.044715 * self.x**3)\n"
    "t, du = np.tanh(u), (2 / math.pi) ** 0.5 * (1 + 3 * 0.044715 * self.x**2)\n"
    "dy * ((1 + t) + self.x * (1 - t**2) * du) / 2",
)
_unary("TanhShrink", "", "x - np.tanh(x)", "dy * np.tanh(self.x) ** 2")
_unary(
    "HardShrink",
    "x, but 0 near 0.",
    "np.where(np.abs(x) > self.threshold, x, 0)",
    "dy * (np.abs(self.x) > self.threshold)",
    "threshold=0.5",
)
_unary(
    "SoftShrink",
    "x moved towards 0.",
    "np.sign(x) * np.maximum(np.abs(x) - self.threshold, 0)",
    "dy * (np.abs(self.x) > self.threshold)",
    "threshold=0.5",
)
_unary(
    "Threshold",
    "x above a threshold, elsewhere another value.",
    "np.where(x > self.threshold, x, self.default_value)",
    "dy * (self.x > self.threshold)",
    "threshold, default_value",
)

TEMPLATES["Softmax"] = '''
class Softmax:
    """exp(x) divided by its sum along an axis."""

    def __init__(self, axis=-1):
        self.axis = axis

    def forward(self, x, training=False):
        e = np.exp(x - x.max(axis=self.axis, keepdims=True))
        self.y = e / e.sum(axis=self.axis, keepdims=True)
        return self.y

    def backward(self, dy):
        return self.y * (dy - (dy * self.y).sum(axis=self.axis, keepdims=True))
'''
TEMPLATES["LogSoftmax"] = '''
class LogSoftmax:
    """The logarithm of softmax."""

    def __init__(self, axis=-1):
        self.axis = axis

    def forward(self, x, training=False):
        x = x - x.max(axis=self.axis, keepdims=True)
        self.y = x - np.log(np.exp(x).sum(axis=self.axis, keepdims=True))
        return self.y

    def backward(self, dy):
        return dy - np.exp(self.y) * dy.sum(axis=self.axis, keepdims=True)
'''
TEMPLATES["GLU"] = '''
class GLU:
    """One half of the features times the sigmoid of the other."""

    def __init__(self, axis=-1):
        self.axis = axis

    def forward(self, x, training=False):
        self.half, gate = np.split(x, 2, axis=self.axis)
        self.gate = sigmoid(gate)
        return self.half * self.gate

    def backward(self, dy):
        d_gate = dy * self.half * self.gate * (1 - self.gate)
        return np.concatenate([dy * self.gate, d_gate], axis=self.axis)
'''

TEMPLATES["sigmoid"] = """
def sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))  # 1 / (1 + exp(-x)) that never overflows
"""
TEMPLATES["softmax"] = """
def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
"""
TEMPLATES["normal_below"] = '''
def normal_below(x):
    """The share of a normal distribution below x; NumPy has no erf, but math has."""
    erf = np.vectorize(math.erf, otypes=[x.dtype])
    return (1 + erf(x / 2**0.5)) / 2
'''
