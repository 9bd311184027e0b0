"""Arithmetic and reductions of NumPy programs, as source."""

from __future__ import annotations

from cornu.port.numpy.activations import unary

TEMPLATES: dict[str, str] = {}


def _unary(name: str, says: str, forward: str, backward: str, init: str = "") -> None:
    TEMPLATES[name] = unary(name, says, forward, backward, init)


# -- functions of one array ------------------------------------------------------------------------

_unary("Negative", "", "-x", "-dy")
_unary("Absolute", "", "np.abs(x)", "dy * np.sign(self.x)")
_unary("Expm1", "", "np.expm1(x)", "dy * (self.y + 1)")
_unary("Log", "", "np.log(x)", "dy / self.x")
_unary("Log1p", "", "np.log1p(x)", "dy / (1 + self.x)")
_unary("Log2", "The logarithm to base 2.", "np.log2(x)", "dy / (self.x * math.log(2))")
_unary("Sqrt", "", "np.sqrt(x)", "dy / (2 * self.y)")
_unary("RSqrt", "", "1 / np.sqrt(x)", "dy * self.y**3 / -2")
_unary("Square", "", "np.square(x)", "2 * dy * self.x")
_unary("Reciprocal", "", "1 / x", "-dy * self.y**2")
_unary("Sin", "", "np.sin(x)", "dy * np.cos(self.x)")
_unary("Cos", "", "np.cos(x)", "-dy * np.sin(self.x)")
_unary("Tan", "", "np.tan(x)", "dy * (1 + self.y**2)")
_unary(
    "Erf",
    "The error function; NumPy has none, but math has.",
    "np.vectorize(math.erf, otypes=[x.dtype])(x)",
    "dy * 2 / math.pi**0.5 * np.exp(-(self.x**2))",
)
_unary(
    "Clip",
    "x between two values.",
    "np.clip(x, self.low, self.high)",
    "dy * ((self.x > self.low) & (self.x < self.high))",
    "low, high",
)
_unary(
    "Rescaling",
    "x * scale + offset.",
    "x * self.scale + self.offset",
    "dy * self.scale",
    "scale, offset=0.0",
)
_unary(
    "ExpandDims",
    "A new axis of length 1.",
    "np.expand_dims(x, self.axis)",
    "dy.squeeze(self.axis)",
    "axis",
)
_unary(
    "Squeeze",
    "Without some axes of length 1.",
    "x.squeeze(self.axis)",
    "np.expand_dims(dy, self.axis)",
    "axis",
)
_unary("Identity", "", "x", "dy")

# -- functions of several arrays -------------------------------------------------------------------

TEMPLATES["Add"] = """
class Add:
    def forward(self, *inputs, training=False):
        self.shapes = [np.shape(x) for x in inputs]  #? broadcast
        self.count = len(inputs)  #? !broadcast
        return sum(inputs)

    def backward(self, dy):
        return [unbroadcast(dy, shape) for shape in self.shapes]  #? broadcast
        return [dy] * self.count  #? !broadcast
"""
TEMPLATES["Average"] = """
class Average:
    def forward(self, *inputs, training=False):
        self.shapes = [np.shape(x) for x in inputs]  #? broadcast
        self.count = len(inputs)
        return sum(inputs) / self.count

    def backward(self, dy):
        return [unbroadcast(dy / self.count, shape) for shape in self.shapes]  #? broadcast
        return [dy / self.count] * self.count  #? !broadcast
"""
TEMPLATES["Multiply"] = """
class Multiply:
    def forward(self, *inputs, training=False):
        self.inputs = inputs
        return functools.reduce(np.multiply, inputs)

    def backward(self, dy):
        gradients = []
        for i, x in enumerate(self.inputs):
            others = self.inputs[:i] + self.inputs[i + 1 :]
            dx = functools.reduce(np.multiply, others, dy)
            gradients.append(unbroadcast(dx, np.shape(x)))  #? broadcast
            gradients.append(dx)  #? !broadcast
        return gradients
"""
TEMPLATES["Extreme"] = '''
class Extreme:
    """The largest, or smallest, of several arrays in each place."""

    def __init__(self, function):
        self.function = function

    def forward(self, *inputs, training=False):
        self.inputs, self.y = inputs, functools.reduce(self.function, inputs)
        return self.y

    def backward(self, dy):
        chosen = [x == self.y for x in self.inputs]
        dy = dy / sum(c.astype(dy.dtype) for c in chosen)  # shared where they are equal
        return [dy * c for c in chosen]  #? !broadcast
        pairs = zip(chosen, self.inputs)  #? broadcast
        return [unbroadcast(dy * c, np.shape(x)) for c, x in pairs]  #? broadcast
'''


def _binary(name: str, forward: str, first: str, second: str) -> None:
    uses = any("self." in text for text in (first, second))
    kept = "        self.a, self.b = a, b" + ("" if uses else "  #? broadcast")
    TEMPLATES[name] = f"""
class {name}:
    def forward(self, a, b, training=False):
{kept}
        return {forward}

    def backward(self, dy):
        return {first}, {second}  #? !broadcast
        da, db = {first}, {second}  #? broadcast
        return unbroadcast(da, np.shape(self.a)), unbroadcast(db, np.shape(self.b))  #? broadcast
"""


_binary("Subtract", "a - b", "dy", "-dy")
_binary("Divide", "a / b", "dy / self.b", "-dy * self.a / self.b**2")
TEMPLATES["Power"] = """
class Power:
    def forward(self, a, b, training=False):
        self.a, self.b = a, b
        return a**b

    def backward(self, dy):
        da = dy * self.b * self.a ** (self.b - 1)
        positive = np.where(self.a > 0, self.a, 1)
        db = dy * self.a**self.b * np.log(positive)
        return unbroadcast(da, np.shape(self.a)), unbroadcast(db, np.shape(self.b))
"""
_binary(
    "Arctan2",
    "np.arctan2(a, b)",
    "dy * self.b / (self.a**2 + self.b**2)",
    "-dy * self.a / (self.a**2 + self.b**2)",
)
TEMPLATES["Where"] = """
class Where:
    def forward(self, condition, a, b, training=False):
        self.condition, self.shapes = condition, (np.shape(a), np.shape(b))
        return np.where(condition, a, b)

    def backward(self, dy):
        a, b = self.shapes
        condition = self.condition.astype(bool)
        return None, unbroadcast(dy * condition, a), unbroadcast(dy * ~condition, b)
"""
TEMPLATES["MatMul"] = """
class MatMul:
    def forward(self, a, b, training=False):
        self.a, self.b = a, b
        return a @ b

    def backward(self, dy):
        da, db = dy @ self.b.swapaxes(-1, -2), self.a.swapaxes(-1, -2) @ dy
        return unbroadcast(da, self.a.shape), unbroadcast(db, self.b.shape)
"""
TEMPLATES["Concatenate"] = """
class Concatenate:
    def __init__(self, axis=-1):
        self.axis = axis

    def forward(self, *inputs, training=False):
        self.ends = np.cumsum([x.shape[self.axis] for x in inputs])[:-1]
        return np.concatenate(inputs, axis=self.axis)

    def backward(self, dy):
        return np.split(dy, self.ends, axis=self.axis)
"""
TEMPLATES["Stack"] = """
class Stack:
    def __init__(self, axis=0):
        self.axis = axis

    def forward(self, *inputs, training=False):
        return np.stack(inputs, axis=self.axis)

    def backward(self, dy):
        return list(np.moveaxis(dy, self.axis, 0))
"""
TEMPLATES["Take"] = '''
class Take:
    """Rows of a table."""

    def __init__(self, axis=0):
        self.axis = axis

    def forward(self, x, indices, training=False):
        self.shape, self.indices = np.shape(x), np.asarray(indices, int)
        return np.take(x, self.indices, axis=self.axis)

    def backward(self, dy):
        dx = np.zeros(self.shape, dy.dtype)
        np.add.at(dx, (slice(None),) * self.axis + (self.indices,), dy)
        return dx, None
'''

# -- reductions ------------------------------------------------------------------------------------

_REDUCTION = """
class NAME:
    def __init__(self, axis, keepdims=False):
        self.axis, self.keepdims = axis, keepdims

    def forward(self, x, training=False):
        FORWARD

    def backward(self, dy):
        dy = dy if self.keepdims else np.expand_dims(dy, self.axis)
        BACKWARD
"""


def _reduction(name: str, forward: str, backward: str) -> None:
    text = _REDUCTION.replace("NAME", name)
    indent = "\n        "
    text = text.replace("FORWARD", forward.replace("\n", indent))
    TEMPLATES[name] = text.replace("BACKWARD", backward.replace("\n", indent))


_reduction(
    "Mean",
    "self.x = x\nreturn x.mean(axis=self.axis, keepdims=self.keepdims)",
    "return np.broadcast_to(dy, self.x.shape) / (self.x.size / dy.size)",
)
_reduction(
    "Sum",
    "self.shape = x.shape\nreturn x.sum(axis=self.axis, keepdims=self.keepdims)",
    "return np.broadcast_to(dy, self.shape)",
)
_EXTREME = (
    "self.chosen = x == x.{0}(axis=self.axis, keepdims=True)\n"
    "return x.{0}(axis=self.axis, keepdims=self.keepdims)"
)
_SHARED = (
    "share = self.chosen.sum(axis=self.axis, keepdims=True)\n"
    "return self.chosen * (dy / share).astype(dy.dtype)"
)
_reduction("Max", _EXTREME.format("max"), _SHARED)
_reduction("Min", _EXTREME.format("min"), _SHARED)
_reduction(
    "Prod",
    "self.x, self.y = x, x.prod(axis=self.axis, keepdims=True)\n"
    "return x.prod(axis=self.axis, keepdims=self.keepdims)",
    "return dy * self.y / self.x",
)
_reduction(
    "Var",
    "self.x = x\nreturn x.var(axis=self.axis, keepdims=self.keepdims)",
    "centred = self.x - self.x.mean(axis=self.axis, keepdims=True)\n"
    "return dy * 2 * centred / (self.x.size / dy.size)",
)
_reduction(
    "Std",
    "self.x = x\nreturn x.std(axis=self.axis, keepdims=self.keepdims)",
    "centred = self.x - self.x.mean(axis=self.axis, keepdims=True)\n"
    "deviation = self.x.std(axis=self.axis, keepdims=True)\n"
    "return dy * centred / deviation / (self.x.size / dy.size)",
)
_reduction(
    "LogSumExp",
    "largest = x.max(axis=self.axis, keepdims=True)\n"
    "e = np.exp(x - largest)\n"
    "total = e.sum(axis=self.axis, keepdims=True)\n"
    "self.share, y = e / total, np.log(total) + largest\n"
    "return y if self.keepdims else y.squeeze(self.axis)",
    "return dy * self.share",
)
