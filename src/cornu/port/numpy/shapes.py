"""Dropout, and what changes the shape of arrays, in NumPy programs, as source."""

from __future__ import annotations

TEMPLATES: dict[str, str] = {}

# -- noise, only in training -----------------------------------------------------------------------

TEMPLATES["rng"] = """
rng = np.random.default_rng(0)
"""

TEMPLATES["Dropout"] = '''
class Dropout:
    """Zero for a share of the values in training, the others being scaled up for it."""

    def __init__(self, rate):  #? !always
    def __init__(self, rate, always=False):  #? always
        self.rate = rate
        self.always = always  #? always

    def forward(self, x, training=False):
        self.mask = 1
        if training:  #? !always
        if training or self.always:  #? always
            kept = rng.random(x.shape) >= self.rate
            self.mask = kept.astype(x.dtype) / (1 - self.rate)
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask
'''

TEMPLATES["SpatialDropout"] = '''
class SpatialDropout:
    """Zero for a share of the channels in training, the others being scaled up for it."""

    def __init__(self, rate):
        self.rate = rate

    def forward(self, x, training=False):
        self.mask = 1
        if training:
            shape = (len(x), *(1 for _ in x.shape[1:-1]), x.shape[-1])
            kept = rng.random(shape) >= self.rate
            self.mask = kept.astype(x.dtype) / (1 - self.rate)
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask
'''

TEMPLATES["GaussianDropout"] = '''
class GaussianDropout:
    """Each value times a number around 1 in training."""

    def __init__(self, rate):
        self.deviation = (rate / (1 - rate)) ** 0.5

    def forward(self, x, training=False):
        self.factor = 1
        if training:
            self.factor = rng.normal(1, self.deviation, x.shape).astype(x.dtype)
        return x * self.factor

    def backward(self, dy):
        return dy * self.factor
'''

TEMPLATES["GaussianNoise"] = '''
class GaussianNoise:
    """Something around 0 added to each value in training."""

    def __init__(self, stddev):
        self.stddev = stddev

    def forward(self, x, training=False):
        if training:
            x = x + rng.normal(0, self.stddev, x.shape).astype(x.dtype)
        return x

    def backward(self, dy):
        return dy
'''

TEMPLATES["AlphaDropout"] = '''
class AlphaDropout:
    """Dropout for networks of SELU: mean and variance stay as they are."""

    def __init__(self, rate):
        self.rate, self.dropped = rate, -1.0507009873554805 * 1.6732632423543772
        self.scale = ((1 - rate) * (1 + rate * self.dropped**2)) ** -0.5

    def forward(self, x, training=False):
        self.mask = None
        if training:
            self.mask = (rng.random(x.shape) >= self.rate).astype(x.dtype)
            x = x * self.mask + self.dropped * (1 - self.mask)
            x = (x - self.dropped * self.rate) * self.scale
        return x

    def backward(self, dy):
        return dy if self.mask is None else dy * self.mask * self.scale
'''

# -- shape -----------------------------------------------------------------------------------------

TEMPLATES["Flatten"] = """
class Flatten:
    def forward(self, x, training=False):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy):
        return dy.reshape(self.shape)
"""

TEMPLATES["Reshape"] = '''
class Reshape:
    """The same values in another shape."""

    def __init__(self, shape):
        self.new_shape = shape

    def forward(self, x, training=False):
        self.shape = x.shape
        return x.reshape(len(x), *self.new_shape)  #? !whole
        return x.reshape(self.new_shape)  #? whole

    def backward(self, dy):
        return dy.reshape(self.shape)
'''

TEMPLATES["Transpose"] = '''
class Transpose:
    """The same values with their axes in another order."""

    def __init__(self, axes):
        self.axes = axes

    def forward(self, x, training=False):
        return x.transpose(self.axes)

    def backward(self, dy):
        return dy.transpose(np.argsort(self.axes))
'''

TEMPLATES["RepeatVector"] = '''
class RepeatVector:
    """Each row several times, along a new axis."""

    def __init__(self, n):
        self.n = n

    def forward(self, x, training=False):
        return np.repeat(x[:, None], self.n, axis=1)

    def backward(self, dy):
        return dy.sum(axis=1)
'''

TEMPLATES["GetItem"] = '''
class GetItem:
    """A part of an array."""

    def __init__(self, key):
        self.key = key

    def forward(self, x, training=False):
        self.shape = x.shape
        return x[self.key]

    def backward(self, dy):
        dx = np.zeros(self.shape, dy.dtype)
        dx[self.key] = dy
        return dx
'''

TEMPLATES["Pad"] = '''
class Pad:
    """Something added at the edges: a value, or the array's own values."""

    def __init__(self, pad_width, **settings):
        self.pad_width, self.settings = pad_width, settings

    def forward(self, x, training=False):
        # where each value came from: -1 for those that are new
        self.shape = x.shape
        constant = self.settings.get("mode", "constant") == "constant"
        self.sources = np.pad(
            np.arange(x.size).reshape(x.shape),
            self.pad_width,
            **({"constant_values": -1} if constant else self.settings),
        )
        return np.pad(x, self.pad_width, **self.settings)

    def backward(self, dy):
        known = self.sources >= 0
        size = int(np.prod(self.shape))
        dx = np.bincount(self.sources[known], weights=dy[known], minlength=size)
        return dx.reshape(self.shape).astype(dy.dtype)
'''

TEMPLATES["Flip"] = '''
class Flip:
    """The same values in reverse order along some axes."""

    def __init__(self, axis):
        self.axis = axis

    def forward(self, x, training=False):
        return np.flip(x, self.axis)

    def backward(self, dy):
        return np.flip(dy, self.axis)
'''

TEMPLATES["Tile"] = '''
class Tile:
    """The array repeated along its axes."""

    def __init__(self, repeats):
        self.repeats = repeats

    def forward(self, x, training=False):
        self.shape = x.shape
        return np.tile(x, self.repeats)

    def backward(self, dy):
        both = [size for pair in zip(self.repeats, self.shape) for size in pair]
        return dy.reshape(both).sum(axis=tuple(range(0, len(both), 2)))
'''

TEMPLATES["CumSum"] = '''
class CumSum:
    """Running sums along an axis."""

    def __init__(self, axis):
        self.axis = axis

    def forward(self, x, training=False):
        return np.cumsum(x, self.axis)

    def backward(self, dy):
        return np.flip(np.cumsum(np.flip(dy, self.axis), self.axis), self.axis)
'''

TEMPLATES["Cast"] = '''
class Cast:
    """The same values in another type."""

    def __init__(self, dtype):
        self.dtype = dtype

    def forward(self, x, training=False):
        self.before = x.dtype
        return x.astype(self.dtype)

    def backward(self, dy):
        return dy.astype(self.before)
'''

TEMPLATES["StopGradient"] = '''
class StopGradient:
    """The same values, from which no gradient goes back."""

    def forward(self, x, training=False):
        return x

    def backward(self, dy):
        return None
'''

TEMPLATES["NoGradient"] = '''
class NoGradient:
    """A function that has no gradient, or is flat wherever it has one."""

    def __init__(self, function):
        self.function = function

    def forward(self, *inputs, training=False):
        self.count = len(inputs)
        return self.function(*inputs)

    def backward(self, dy):
        return [None] * self.count if self.count > 1 else None
'''
