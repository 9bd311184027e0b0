"""The layers of NumPy programs, as source: classes with `forward` and `backward`.

A line that ends in `#? flag` stands only in programs that need it (`source_text.chosen`). Every
class keeps from `forward` what its `backward` needs; `backward` takes the gradient of the output,
leaves the gradients of the weights in `gradients` and returns those of the inputs: a tuple where
there are several. Weights are attributes that the program's `Network` sets.
"""

from __future__ import annotations

TEMPLATES: dict[str, str] = {}

TEMPLATES["Dense"] = """
class Dense:
    bias = None  # of layers without one  #? bias no_bias
#? bias no_bias
    def forward(self, x, training=False):
        self.x = x
        return x @ self.kernel + self.bias  #? bias !no_bias
        y = x @ self.kernel  #? bias no_bias
        return y if self.bias is None else y + self.bias  #? bias no_bias
        return x @ self.kernel  #? !bias

    def backward(self, dy):
        self.gradients = {"kernel": self.x.T @ dy, "bias": dy.sum(axis=0)}  #? bias !no_bias !rank
        self.gradients = {"kernel": self.x.T @ dy}  #? !bias !rank
        x, d = (a.reshape(-1, a.shape[-1]) for a in (self.x, dy))  #? rank
        self.gradients = {"kernel": x.T @ d, "bias": d.sum(axis=0)}  #? bias !no_bias rank
        self.gradients = {"kernel": x.T @ d}  #? !bias rank
        self.gradients = {"kernel": self.x.T @ dy}  #? bias no_bias !rank
        self.gradients = {"kernel": x.T @ d}  #? bias no_bias rank
        if self.bias is not None:  #? bias no_bias
            self.gradients["bias"] = dy.sum(axis=0)  #? bias no_bias !rank
            self.gradients["bias"] = d.sum(axis=0)  #? bias no_bias rank
        return dy @ self.kernel.T
"""

TEMPLATES["Embedding"] = '''
class Embedding:
    """A row of the table for each number."""

    def forward(self, x, training=False):
        self.x = x.astype(int)
        return self.embeddings[self.x]

    def backward(self, dy):
        gradient = np.zeros_like(self.embeddings)
        np.add.at(gradient, self.x, dy)
        self.gradients = {"embeddings": gradient}
        return None
'''

TEMPLATES["PReLU"] = '''
class PReLU:
    """x where it is positive, alpha * x elsewhere, alpha being learned."""

    def forward(self, x, training=False):
        self.x = x
        return np.where(x > 0, x, self.alpha * x)

    def backward(self, dy):
        negative = np.where(self.x > 0, 0, self.x)
        self.gradients = {"alpha": unbroadcast(dy * negative, self.alpha.shape)}
        return np.where(self.x > 0, dy, self.alpha * dy)
'''

TEMPLATES["unbroadcast"] = '''
def unbroadcast(gradient, shape):
    """The gradient of an array that was repeated to fit another: summed up again."""
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    repeated = tuple(i for i, size in enumerate(shape) if size == 1)
    return gradient.sum(axis=repeated, keepdims=True)
'''

# -- normalization ---------------------------------------------------------------------------------

TEMPLATES["BatchNormalization"] = '''
class BatchNormalization:
    """Each channel moved to mean 0 and variance 1, of the batch or on average."""

    def __init__(self, momentum=0.99, epsilon=1e-3):  #? !axis !frozen
    def __init__(self, momentum=0.99, epsilon=1e-3, axis=-1):  #? axis !frozen
    def __init__(self, momentum=0.99, epsilon=1e-3, frozen=False):  #? !axis frozen
    def __init__(self, momentum=0.99, epsilon=1e-3, axis=-1, frozen=False):  #? axis frozen
        self.momentum, self.epsilon = momentum, epsilon
        self.axis = axis  #? axis
        self.frozen = frozen  #? frozen

    def forward(self, x, training=False):
        x = np.moveaxis(x, self.axis, -1)  #? axis
        self.trained = training
        self.trained = training = training and not self.frozen  #? frozen
        mean, variance = self.moving_mean, self.moving_variance
        if training:
            axes, share = tuple(range(x.ndim - 1)), 1 - self.momentum
            mean, variance = x.mean(axis=axes), x.var(axis=axes)
            self.moving_mean += share * (mean - self.moving_mean)
            self.moving_variance += share * (variance - self.moving_variance)
        self.scale = 1 / np.sqrt(variance + self.epsilon)
        self.normal = (x - mean) * self.scale
        y = self.normal * self.gamma + self.beta  #? gamma beta axis
        y = self.normal * self.gamma  #? gamma !beta axis
        y = self.normal + self.beta  #? !gamma beta axis
        y = self.normal  #? !gamma !beta axis
        return np.moveaxis(y, -1, self.axis)  #? axis
        return self.normal * self.gamma + self.beta  #? gamma beta !axis
        return self.normal * self.gamma  #? gamma !beta !axis
        return self.normal + self.beta  #? !gamma beta !axis
        return self.normal  #? !gamma !beta !axis

    def backward(self, dy):
        dy = np.moveaxis(dy, self.axis, -1)  #? axis
        axes = tuple(range(dy.ndim - 1))
        d_gamma = (dy * self.normal).sum(axis=axes)
        d_beta = dy.sum(axis=axes)
        self.gradients = {"gamma": d_gamma, "beta": d_beta}  #? gamma beta
        self.gradients = {"gamma": d_gamma}  #? gamma !beta
        self.gradients = {"beta": d_beta}  #? !gamma beta
        if self.trained:  # the mean and the variance depend on x as well
            count = dy.size // dy.shape[-1]
            dy = dy - (d_beta + self.normal * d_gamma) / count
        return dy * self.gamma * self.scale  #? gamma !axis
        return dy * self.scale  #? !gamma !axis
        dx = dy * self.gamma * self.scale  #? gamma axis
        dx = dy * self.scale  #? !gamma axis
        return np.moveaxis(dx, -1, self.axis)  #? axis
'''

TEMPLATES["LayerNormalization"] = '''
class LayerNormalization:
    """Each sample moved to mean 0 and variance 1, along some axes."""

    def __init__(self, axis=(-1,), epsilon=1e-3):
        self.axis, self.epsilon = axis, epsilon

    def forward(self, x, training=False):
        centred = x - x.mean(axis=self.axis, keepdims=True)
        variance = np.square(centred).mean(axis=self.axis, keepdims=True)
        self.scale = 1 / np.sqrt(variance + self.epsilon)
        self.normal = centred * self.scale
        return self.normal * self.gamma + self.beta  #? gamma beta
        return self.normal * self.gamma  #? gamma !beta
        return self.normal + self.beta  #? !gamma beta
        return self.normal  #? !gamma !beta

    def backward(self, dy):
        batch = tuple(i for i in range(dy.ndim) if i - dy.ndim not in self.axis)
        d_normal = dy * self.gamma  #? gamma
        d_normal = dy  #? !gamma
        self.gradients = {
            "gamma": (dy * self.normal).sum(axis=batch),  #? gamma
            "beta": dy.sum(axis=batch),  #? beta
        }
        mean = d_normal.mean(axis=self.axis, keepdims=True)
        slope = (d_normal * self.normal).mean(axis=self.axis, keepdims=True)
        return (d_normal - mean - self.normal * slope) * self.scale
'''

TEMPLATES["GroupNormalization"] = '''
class GroupNormalization:
    """The channels of each sample moved, a group at a time, to mean 0 and variance 1."""

    def __init__(self, groups, epsilon=1e-3):
        self.groups, self.epsilon = groups, epsilon

    def grouped(self, x):
        return x.reshape(len(x), -1, self.groups, x.shape[-1] // self.groups)

    def forward(self, x, training=False):
        groups = self.grouped(x)
        centred = groups - groups.mean(axis=(1, 3), keepdims=True)
        variance = np.square(centred).mean(axis=(1, 3), keepdims=True)
        self.scale = 1 / np.sqrt(variance + self.epsilon)
        self.normal = (centred * self.scale).reshape(x.shape)
        return self.normal * self.gamma + self.beta  #? gamma beta
        return self.normal * self.gamma  #? gamma !beta
        return self.normal + self.beta  #? !gamma beta
        return self.normal  #? !gamma !beta

    def backward(self, dy):
        batch = tuple(range(dy.ndim - 1))
        self.gradients = {
            "gamma": (dy * self.normal).sum(axis=batch),  #? gamma
            "beta": dy.sum(axis=batch),  #? beta
        }
        dx = self.grouped(dy * self.gamma)  #? gamma
        dx = self.grouped(dy)  #? !gamma
        normal = self.grouped(self.normal)
        mean = dx.mean(axis=(1, 3), keepdims=True)
        slope = (dx * normal).mean(axis=(1, 3), keepdims=True)
        return ((dx - mean - normal * slope) * self.scale).reshape(dy.shape)
'''

TEMPLATES["UnitNormalization"] = '''
class UnitNormalization:
    """Each sample divided by its length along some axes."""

    def __init__(self, axis=(-1,)):
        self.axis = axis

    def forward(self, x, training=False):
        square = np.square(x).sum(axis=self.axis, keepdims=True)
        self.length = np.sqrt(np.maximum(square, 1e-12))
        self.y = x / self.length
        return self.y

    def backward(self, dy):
        along = (dy * self.y).sum(axis=self.axis, keepdims=True)
        return (dy - self.y * along) / self.length
'''
