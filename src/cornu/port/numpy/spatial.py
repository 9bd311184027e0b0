"""Convolutions and poolings of NumPy programs, as source.

`RANK`, `SPATIAL` and the like stand for what depends on the number of spatial axes.
"""

# ruff: noqa: E501 (lines of programs, and behind them what they are for)

from __future__ import annotations

TEMPLATES: dict[str, str] = {}

TEMPLATES["windows_of"] = '''
def windows_of(x, size, strides, dilation=GAPS):  #? dilation
def windows_of(x, size, strides):  #? !dilation !unstrided
def windows_of(x, size):  #? unstrided
    """Every window of each image: (batch, ROWS_COLUMNS, *size, channels)."""
    whole = [(n - 1) * d + 1 for n, d in zip(size, dilation)]  #? dilation
    windows = sliding_window_view(x, whole, axis=SPATIAL)  #? dilation
    windows = sliding_window_view(x, size, axis=SPATIAL)  #? !dilation !unstrided
    return np.moveaxis(sliding_window_view(x, size, axis=SPATIAL), CHANNELS, -1)  #? unstrided
    windows = windows[STRIDED]  #? !unstrided
    windows = windows[DILATED]  #? dilation
    return np.moveaxis(windows, CHANNELS, -1)  #? !unstrided
'''
TEMPLATES["add_windows"] = '''
def add_windows(windows, x, strides, dilation=GAPS):  #? dilation
def add_windows(windows, x, strides):  #? !dilation !unstrided
def add_windows(windows, x):  #? unstrided
    """Adds windows up where they lie in an image: `windows_of` in reverse."""
    places, size = windows.shape[FIRST_SPATIAL], windows.shape[SECOND_SPATIAL]
    for offset, part in parts(size, strides, places, dilation):  #? dilation
    for offset, part in parts(size, strides, places):  #? !dilation !unstrided
    for offset, part in parts(size, GAPS, places):  #? unstrided
        x[part] += windows[(..., *offset, slice(None))]
'''

TEMPLATES["parts"] = '''
def parts(size, strides, places, dilation=None):  #? dilation
def parts(size, strides, places):  #? !dilation
    """For every offset inside a window, the part of an image that lies there."""
    for offset in np.ndindex(*size):
        starts = [i * d for i, d in zip(offset, dilation)] if dilation else offset  #? dilation
        slices = [slice(i, i + n * s, s) for i, n, s in zip(starts, places, strides)]  #? dilation
        slices = [slice(i, i + n * s, s) for i, n, s in zip(offset, places, strides)]  #? !dilation
        yield offset, (slice(None), *slices)
'''

TEMPLATES["unpad"] = '''
def unpad(x, padding):
    """An image without what was added around it."""
    inner = [slice(a, x.shape[i + 1] - b) for i, (a, b) in enumerate(padding)]
    return x[(slice(None), *inner)]
'''

TEMPLATES["Conv"] = '''
class ConvRANKD:
    """A convolution: every window of the image times the kernel."""

    bias = None  # of layers without one  #? bias no_bias
#? bias no_bias
    def __init__(SIGNATURE):  #? init
        self.strides = strides  #? strides
        self.padding = padding  #? padding
        self.dilation = dilation  #? dilation
        self.groups = groups  #? groups

    def forward(self, x, training=False):
        self.x = x = np.pad(x, ((0, 0), *self.padding, (0, 0)))  #? padding
        self.x = x  #? !padding
        size = self.kernel.shape[:RANK]  #? dilation
        self.windows = windows_of(x, size, STRIDES, self.dilation)  #? dilation
        self.windows = windows_of(x, self.kernel.shape[:RANK], STRIDES)  #? !dilation
        return np.tensordot(self.windows, self.kernel, WINDOW_AXES) + self.bias  #? !groups bias !no_bias
        y = np.tensordot(self.windows, self.kernel, WINDOW_AXES)  #? !groups bias no_bias
        return np.tensordot(self.windows, self.kernel, WINDOW_AXES)  #? !groups !bias
        windows = np.split(self.windows, self.groups, axis=-1)  #? groups
        kernels = np.split(self.kernel, self.groups, axis=-1)  #? groups
        pairs = zip(windows, kernels)  #? groups
        parts = [np.tensordot(w, k, WINDOW_AXES) for w, k in pairs]  #? groups
        y = np.concatenate(parts, axis=-1)  #? groups
        return y + self.bias  #? bias !no_bias groups
        return y if self.bias is None else y + self.bias  #? bias no_bias
        return y  #? !bias groups

    def backward(self, dy):
        kernel = np.tensordot(self.windows, dy, (BATCH, BATCH))  #? !groups
        d_windows = np.tensordot(dy, self.kernel, (-1, -1))  #? !groups
        kernels, d_windows = [], []  #? groups
        arrays = self.windows, self.kernel, dy  #? groups
        for w, k, d in zip(*(np.split(a, self.groups, axis=-1) for a in arrays)):  #? groups
            kernels.append(np.tensordot(w, d, (BATCH, BATCH)))  #? groups
            d_windows.append(np.tensordot(d, k, (-1, -1)))  #? groups
        kernel = np.concatenate(kernels, axis=-1)  #? groups
        d_windows = np.concatenate(d_windows, axis=-1)  #? groups
        self.gradients = {"kernel": kernel}  #? !bias|no_bias
        self.gradients = {"kernel": kernel, "bias": dy.sum(axis=BATCH)}  #? bias !no_bias
        if self.bias is not None:  #? bias no_bias
            self.gradients["bias"] = dy.sum(axis=BATCH)  #? bias no_bias
        dx = np.zeros_like(self.x)
        add_windows(d_windows, dx, STRIDES, self.dilation)  #? dilation
        add_windows(d_windows, dx, STRIDES)  #? !dilation
        return unpad(dx, self.padding)  #? padding
        return dx  #? !padding
'''

TEMPLATES["DepthwiseConv"] = '''
class DepthwiseConvRANKD:
    """A convolution of each channel by itself."""

    bias = None  # of layers without one  #? bias no_bias
#? bias no_bias
    def __init__(SIGNATURE):  #? init
        self.strides = strides  #? strides
        self.padding = padding  #? padding
        self.dilation = dilation  #? dilation

    def forward(self, x, training=False):
        self.x = x = np.pad(x, ((0, 0), *self.padding, (0, 0)))  #? padding
        self.x = x  #? !padding
        size = self.kernel.shape[:RANK]
        windows = windows_of(x, size, STRIDES, self.dilation)  #? dilation
        windows = windows_of(x, size, STRIDES)  #? !dilation
        places = windows.shape[FIRST_SPATIAL]
        self.parts = list(parts(size, STRIDES, places, self.dilation))  #? dilation
        self.parts = list(parts(size, STRIDES, places))  #? !dilation
        y = sum(x[part] * self.kernel[offset][:, 0] for offset, part in self.parts)  #? !multiplier
        y = sum(x[part][..., None] * self.kernel[offset] for offset, part in self.parts)  #? multiplier
        y = y.reshape(*y.shape[:-2], -1)  #? multiplier
        return y + self.bias  #? bias !no_bias
        return y if self.bias is None else y + self.bias  #? bias no_bias
        return y  #? !bias

    def backward(self, dy):
        kernel, dx = np.zeros_like(self.kernel), np.zeros_like(self.x)
        self.gradients = {"kernel": kernel}  #? !bias|no_bias
        self.gradients = {"kernel": kernel, "bias": dy.sum(axis=BATCH)}  #? bias !no_bias
        if self.bias is not None:  #? bias no_bias
            self.gradients["bias"] = dy.sum(axis=BATCH)  #? bias no_bias
        dy = dy.reshape(*dy.shape[:-1], *self.kernel.shape[RANK:])  #? multiplier
        for offset, part in self.parts:
            kernel[offset][:, 0] = (self.x[part] * dy).sum(axis=BATCH)  #? !multiplier
            dx[part] += dy * self.kernel[offset][:, 0]  #? !multiplier
            kernel[offset] = (self.x[part][..., None] * dy).sum(axis=BATCH)  #? multiplier
            dx[part] += (dy * self.kernel[offset]).sum(axis=-1)  #? multiplier
        return unpad(dx, self.padding)  #? padding
        return dx  #? !padding
'''

TEMPLATES["ConvTranspose"] = '''
class ConvRANKDTranspose:
    """A convolution in reverse: each pixel times the kernel, added up."""

    bias = None  # of layers without one  #? bias no_bias
#? bias no_bias
    def __init__(SIGNATURE):  #? init
        self.strides = strides  #? strides
        self.dilation = dilation  #? dilation
        self.cropping = cropping  #? cropping

    def forward(self, x, training=False):
        self.x, size = x, self.kernel.shape[:RANK]
        reach = [d * (k - 1) + 1 for d, k in zip(self.dilation, size)]  #? dilation
        shape = [(n - 1) * s + r for n, s, r in zip(x.shape[1:-1], STRIDES, reach)]  #? dilation
        shape = [(n - 1) * s + k for n, s, k in zip(x.shape[1:-1], STRIDES, size)]  #? !dilation
        windows = np.tensordot(x, self.kernel, (-1, -1))
        y = np.zeros((len(x), *shape, self.kernel.shape[-2]), windows.dtype)
        add_windows(windows, y, STRIDES, self.dilation)  #? dilation
        add_windows(windows, y, STRIDES)  #? !dilation
        y = unpad(y, self.cropping)  #? cropping !negative
        y = unpad(y, [(max(a, 0), max(b, 0)) for a, b in self.cropping])  #? negative
        more = [(max(-a, 0), max(-b, 0)) for a, b in self.cropping]  #? negative
        y = np.pad(y, ((0, 0), *more, (0, 0)))  #? negative
        return y + self.bias  #? bias !no_bias
        return y if self.bias is None else y + self.bias  #? bias no_bias
        return y  #? !bias

    def backward(self, dy):
        self.gradients = {"bias": dy.sum(axis=BATCH)}  #? bias !no_bias
        self.gradients = {}  #? !bias|no_bias
        if self.bias is not None:  #? bias no_bias
            self.gradients["bias"] = dy.sum(axis=BATCH)  #? bias no_bias
        dy = np.pad(dy, ((0, 0), *self.cropping, (0, 0)))  #? cropping !negative
        dy = unpad(dy, [(max(-a, 0), max(-b, 0)) for a, b in self.cropping])  #? negative
        more = [(max(a, 0), max(b, 0)) for a, b in self.cropping]  #? negative
        dy = np.pad(dy, ((0, 0), *more, (0, 0)))  #? negative
        size = self.kernel.shape[:RANK]
        windows = windows_of(dy, size, STRIDES, self.dilation)  #? dilation
        windows = windows_of(dy, size, STRIDES)  #? !dilation
        self.gradients["kernel"] = np.tensordot(windows, self.x, (BATCH, BATCH))
        return np.tensordot(windows, self.kernel, (LAST, FIRST))
'''

TEMPLATES["MaxPooling"] = """
class MaxPoolingRANKD:
    def __init__(SIGNATURE):
        self.size = size
        self.strides = strides  #? strides
        self.padding = padding  #? padding

    def forward(self, x, training=False):
        added = ((0, 0), *self.padding, (0, 0))  #? padding
        x = np.pad(x, added, constant_values=-np.inf)  #? padding
        self.x = x
        axes = zip(x.shape[1:], self.size, STRIDES)  #? strides
        places = [(n - k) // s + 1 for n, k, s in axes]  #? strides
        places = [n // k for n, k in zip(x.shape[1:], self.size)]  #? !strides
        self.parts = [part for _, part in parts(self.size, STRIDES, places)]
        self.y = functools.reduce(np.maximum, (x[part] for part in self.parts))
        return self.y

    def backward(self, dy):
        dx = np.zeros_like(self.x)
        for part in self.parts:
            largest = self.x[part] == self.y
            dx[part] += dy * largest
            dy = dy * ~largest  # the first of several largest values has it all
        return unpad(dx, self.padding)  #? padding
        return dx  #? !padding
"""

TEMPLATES["AveragePooling"] = '''
class AveragePoolingRANKD:
    """The mean of each window."""  #? !padding|count
    """The mean of each window; what is added around the image does not count."""  #? padding !count

    def __init__(SIGNATURE):
        self.size = size
        self.strides = strides  #? strides
        self.padding = padding  #? padding
        self.count_padding = count_padding  #? count

    def forward(self, x, training=False):
        added = ((0, 0), *self.padding, (0, 0))  #? padding
        places_counted = np.pad(np.ones((1, *x.shape[1:-1], 1), x.dtype), added)  #? padding
        x = np.pad(x, added)  #? padding
        self.shape = x.shape
        axes = zip(x.shape[1:], self.size, STRIDES)  #? strides
        places = [(n - k) // s + 1 for n, k, s in axes]  #? strides
        places = [n // k for n, k in zip(x.shape[1:], self.size)]  #? !strides
        self.parts = [part for _, part in parts(self.size, STRIDES, places)]
        self.count = len(self.parts)  #? !padding|count
        if not self.count_padding:  #? padding count
            self.count = sum(places_counted[part] for part in self.parts)  #? padding count
        self.count = sum(places_counted[part] for part in self.parts)  #? padding !count
        return sum(x[part] for part in self.parts) / self.count

    def backward(self, dy):
        dx = np.zeros(self.shape, dy.dtype)
        for part in self.parts:
            dx[part] += dy / self.count
        return unpad(dx, self.padding)  #? padding
        return dx  #? !padding
'''

TEMPLATES["GlobalAveragePooling"] = '''
class GlobalAveragePoolingRANKD:
    """The mean of each channel."""

    def __init__(self, keepdims=False):  #? keepdims
        self.keepdims = keepdims  #? keepdims

    def forward(self, x, training=False):
        self.shape = x.shape
        return x.mean(axis=SPATIAL)  #? !keepdims
        return x.mean(axis=SPATIAL, keepdims=self.keepdims)  #? keepdims

    def backward(self, dy):
        dy = dy.reshape(len(dy), ONES, -1) / np.prod(self.shape[1:-1]).item()
        return np.broadcast_to(dy, self.shape)
'''

TEMPLATES["GlobalMaxPooling"] = '''
class GlobalMaxPoolingRANKD:
    """The largest value of each channel."""

    def __init__(self, keepdims=False):  #? keepdims
        self.keepdims = keepdims  #? keepdims

    def forward(self, x, training=False):
        self.largest = x == x.max(axis=SPATIAL, keepdims=True)
        return x.max(axis=SPATIAL)  #? !keepdims
        return x.max(axis=SPATIAL, keepdims=self.keepdims)  #? keepdims

    def backward(self, dy):
        share = self.largest.sum(axis=SPATIAL, keepdims=True)
        return self.largest * (dy.reshape(len(dy), ONES, -1) / share).astype(dy.dtype)
'''

TEMPLATES["UpSampling"] = '''
class UpSamplingRANKD:
    """Each pixel several times."""

    def __init__(self, size):
        self.size = size

    def forward(self, x, training=False):
        for axis, size in enumerate(self.size, 1):
            x = np.repeat(x, size, axis)
        return x

    def backward(self, dy):
        for axis, size in enumerate(self.size, 1):
            shape = dy.shape
            dy = dy.reshape(*shape[:axis], -1, size, *shape[axis + 1 :]).sum(axis + 1)
        return dy
'''

TEMPLATES["BilinearUpSampling"] = '''
class BilinearUpSampling2D:
    """An image enlarged, with values between those of the nearest pixels."""

    def __init__(self, size):
        self.size = size

    def shares(self, x, axis):
        """How much of each old row (or column) there is in each new one."""
        old = x.shape[axis]
        places = (np.arange(old * self.size[axis - 1]) + 0.5) / self.size[axis - 1] - 0.5
        distance = np.abs(np.clip(places, 0, old - 1)[:, None] - np.arange(old))
        return np.maximum(1 - distance, 0).astype(x.dtype)

    def forward(self, x, training=False):
        self.rows, self.columns = self.shares(x, 1), self.shares(x, 2)
        x = np.tensordot(self.rows, x, (1, 1)).swapaxes(0, 1)
        return np.moveaxis(np.tensordot(x, self.columns, (2, 1)), -1, 2)

    def backward(self, dy):
        dy = np.tensordot(self.rows, dy, (0, 1)).swapaxes(0, 1)
        return np.moveaxis(np.tensordot(dy, self.columns, (2, 0)), -1, 2)
'''

TEMPLATES["ZeroPadding"] = '''
class ZeroPaddingRANKD:
    """Zeros around an image."""

    def __init__(self, padding):
        self.padding = padding

    def forward(self, x, training=False):
        return np.pad(x, ((0, 0), *self.padding, (0, 0)))

    def backward(self, dy):
        return unpad(dy, self.padding)
'''

TEMPLATES["Cropping"] = '''
class CroppingRANKD:
    """An image without its edges."""

    def __init__(self, cropping):
        self.cropping = cropping

    def forward(self, x, training=False):
        return unpad(x, self.cropping)

    def backward(self, dy):
        return np.pad(dy, ((0, 0), *self.cropping, (0, 0)))
'''


def for_rank(template: str, rank: int) -> str:
    """A template, for images of so many spatial axes."""
    spatial = tuple(range(1, rank + 1))
    strided = "".join(f", :: strides[{i}]" for i in range(rank))
    dilated = "".join(f", :: dilation[{i}]" for i in range(rank))
    window = tuple(range(rank + 1, 2 * rank + 2))
    words = {
        "ROWS_COLUMNS": {1: "steps", 2: "rows, columns", 3: "planes, rows, columns"}[rank],
        "WINDOW_AXES": str(rank + 1),
        "FIRST_SPATIAL": f"1:{rank + 1}",
        "SECOND_SPATIAL": f"{rank + 1}:-1",
        "SPATIAL": "1" if rank == 1 else str(spatial),
        "STRIDED": f":{strided}",
        "DILATED": f"..., {dilated[2:]}",
        "CHANNELS": str(rank + 1),
        "BATCH": str((0, *spatial)),
        "LAST": str(window),
        "FIRST": str(tuple(range(rank + 1))),
        "GAPS": str((1,) * rank),
        "ONES": ", ".join("1" * rank),
        "RANK": str(rank),
    }
    for word, text in words.items():
        template = template.replace(word, text)
    return template
