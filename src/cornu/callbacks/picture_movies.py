"""Films of a layer's weights and of a confusion matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.callbacks.movies import Movie, as_base64


class LayerImages(Movie):
    """Films the weights of a layer as images: kernels of a convolution, or of units of a `Dense`.

    A convolution gives an image for each of its filters, the mean over the input channels; a
    `Dense` layer that sees the pixels of an image gives one for each of its units. Weights are
    drawn around 0, on the scale of the largest one of the whole film.

    Args:
        layer: the layer, or its name or index in the model.
        frames: the most that are kept, evenly over all epochs; None to keep all. Default 120.
        shape: rows and columns of the image that a `Dense` layer sees, `(28, 28)`. Default None:
            the square that has as many pixels.
        count: the most images that are shown, the first ones. Default 64.

    Raises:
        ValueError: `frames` is less than 2; in training, that the layer's weights are no images.

    >>> import cornu
    >>> film = LayerImages("pixels")
    >>> model = cornu.Sequential([
    ...     cornu.Input((16,)), cornu.layers.Dense(3, name="pixels")])
    >>> model.compile(loss="mse")
    >>> _ = model.fit(np.ones((4, 16)), np.ones((4, 3)), epochs=2, verbose=0, callbacks=[film])
    >>> film.frames[0].shape
    (3, 4, 4)
    """

    def __init__(
        self,
        layer: Any,
        frames: int | None = 120,
        shape: tuple[int, int] | None = None,
        count: int = 64,
    ):
        super().__init__(frames)
        self.layer = layer
        self.shape = None if shape is None else (int(shape[0]), int(shape[1]))
        self.count = count

    def _layer(self) -> Any:
        if isinstance(self.layer, str):
            return self.model.get_layer(name=self.layer)
        if isinstance(self.layer, int):
            return self.model.get_layer(index=self.layer)
        return self.layer

    def take(self) -> np.ndarray:
        """The weights as images, float32 `(images, rows, columns)`."""
        layer = self._layer()
        name = f"LayerImages: layer {getattr(layer, 'name', layer)!r}"
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            raise ValueError(f"{name} has no kernel; expected a convolution or a Dense layer")
        values = np.array(kernel, "float32")
        if values.ndim == 4:
            return values.mean(axis=2).transpose(2, 0, 1)[: self.count]
        if values.ndim != 2:
            raise ValueError(
                f"{name} has a kernel of shape {values.shape}; expected (rows, columns, channels, "
                "filters) or (pixels, units)"
            )
        side = math.isqrt(len(values))
        rows, columns = self.shape or (side, side)
        if rows * columns != len(values):
            raise ValueError(
                f"{name} has {len(values)} inputs, which is no image of {rows} x {columns}; give "
                "shape=(rows, columns)"
            )
        return values.T.reshape(-1, rows, columns)[: self.count]

    def mosaics(self) -> list[np.ndarray]:
        """Of each frame one image of all images beside each other, from -1 to 1, NaN between."""
        largest = max((float(np.abs(frame).max()) for frame in self.frames), default=1.0) or 1.0
        return [_mosaic(frame / largest) for frame in self.frames]

    def _title(self) -> str:
        return f"Weights of {getattr(self._layer(), 'name', 'the layer')}"

    def stage(self) -> Any:
        """What draws the frames."""
        from cornu.plot.film import ImageStage

        return ImageStage(self.mosaics(), self.epochs, self.curves, self._title())

    def movie(self) -> dict:
        """The film as the dictionary that `cornu.plot.player` plays, of JSON's types only.

        `kind` is `"images"`; a frame is gray, base64 of uint8: 128 is a weight of 0, brighter a
        positive one.
        """
        self._require_frames("movie")
        mosaics = self.mosaics()
        movie = self._description("images", self._title(), mosaics[0].shape)
        movie["series"][0]["frames"] = [
            as_base64(np.where(np.isnan(image), 255, 128 + 127 * image)) for image in mosaics
        ]
        return movie

    def plot(self, epoch: int | None = None, **options: Any) -> Any:
        """Draws the weights as they were after an epoch.

        Args:
            epoch: counted from 1; where no frame of it was kept, the one before. Default None: the
                last one.
            **options: `figsize` and `ax`.

        Returns:
            The matplotlib `Figure`.

        Raises:
            ValueError: nothing was recorded, or not that epoch.
        """
        from cornu.plot.figures import figure_for
        from cornu.plot.film import around_zero

        place = self._place_of(epoch)
        figure, axes = figure_for(options.get("ax"), options.get("figsize"), (4.6, 4.6))
        colors = around_zero().with_extremes(bad="white")
        axes.imshow(self.mosaics()[place], cmap=colors, vmin=-1, vmax=1, interpolation="nearest")
        axes.set_title(f"{self._title()}, {self._title_of(place)}", fontsize=11)
        axes.set_axis_off()
        return figure


class ConfusionMovie(Movie):
    """Films which class a classifier takes for which: a confusion matrix after every epoch.

    After an epoch it predicts the classes of `x`, which costs as much as `predict` does.

    Args:
        x: the data to predict, such as the test data.
        y: their classes, integers `(rows,)` or one-hot `(rows, classes)`.
        frames: the most that are kept, evenly over all epochs; None to keep all. Default 120.
        class_names: of the classes. Default None: their indices.
        batch_size: rows predicted at a time. Default 256.

    Raises:
        ValueError: `frames` is less than 2; in training, fewer names than classes.

    >>> import cornu
    >>> x, y = np.random.randn(20, 3), np.arange(20) % 4
    >>> film = ConfusionMovie(x, y)
    >>> model = cornu.Sequential([cornu.layers.Dense(4, activation="softmax")])
    >>> model.compile(loss="sparse_categorical_crossentropy")
    >>> _ = model.fit(x, y, epochs=2, verbose=0, callbacks=[film])
    >>> film.frames[-1].shape, int(film.frames[-1].sum())
    ((4, 4), 20)
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        frames: int | None = 120,
        class_names: Sequence[Any] | None = None,
        batch_size: int = 256,
    ):
        from cornu.plot.classes import as_classes

        super().__init__(frames)
        self.x = x
        self.labels = as_classes(y)
        self.class_names = None if class_names is None else list(class_names)
        self.batch_size = batch_size

    def take(self) -> np.ndarray:
        """The confusion matrix, int `(classes, classes)`; row: true class, column: predicted."""
        from cornu.plot.boundary import class_probabilities, says_logits
        from cornu.plot.classes import count_confusions

        outputs = self.model.predict(self.x, batch_size=self.batch_size, verbose=0)
        known = class_probabilities(outputs, says_logits(self.model))
        names = self.class_names or []
        matrix = count_confusions(self.labels, known.reshape(len(known), -1), max(2, len(names)))
        if names and len(matrix) > len(names):
            raise ValueError(
                f"ConfusionMovie(class_names=...): received {len(names)} names for {len(matrix)} "
                "classes"
            )
        return matrix

    def _names(self) -> list:
        return self.class_names or list(range(len(self.frames[-1])))

    def stage(self) -> Any:
        """What draws the frames."""
        from cornu.plot.film import CountsStage

        return CountsStage(self.frames, self.epochs, self.curves, self._names())

    def movie(self) -> dict:
        """The film as the dictionary that `cornu.plot.player` plays, of JSON's types only.

        `kind` is `"images"`; a frame is gray, base64 of uint8: the darker, the larger the share of
        the true class; each count is a square of eight pixels.
        """
        from cornu.plot.classes import shares_of

        self._require_frames("movie")
        side = 8 * len(self.frames[-1])
        title = "Confusion matrix (row: true class, column: predicted)"
        movie = self._description("images", title, (side, side))
        movie["series"][0]["frames"] = [
            as_base64(255 - 255 * np.sqrt(shares_of(matrix)).repeat(8, axis=0).repeat(8, axis=1))
            for matrix in self.frames
        ]
        return movie

    def plot(self, epoch: int | None = None, **options: Any) -> Any:
        """Draws the confusion matrix as it was after an epoch.

        Args:
            epoch: counted from 1; where no frame of it was kept, the one before. Default None: the
                last one.
            **options: `figsize` and `ax`, as for `cornu.plot.confusion_matrix`.

        Returns:
            The matplotlib `Figure`.

        Raises:
            ValueError: nothing was recorded, or not that epoch.
        """
        from cornu.plot import confusion_matrix

        place = self._place_of(epoch)
        options = {"title": self._title_of(place), **options}
        return confusion_matrix(self.frames[place], class_names=self._names(), **options)


def _mosaic(images: np.ndarray) -> np.ndarray:
    """Images `(images, rows, columns)` beside each other in a near square, NaN between them.

    Small ones are enlarged, so that what is between them stays narrow.
    """
    count, rows, columns = images.shape
    scale = max(1, round(14 / max(rows, columns)))
    images = images.repeat(scale, axis=1).repeat(scale, axis=2)
    rows, columns = scale * rows, scale * columns
    across = math.ceil(math.sqrt(count))
    down = math.ceil(count / across)
    picture = np.full((down * (rows + 2) - 2, across * (columns + 2) - 2), np.nan, images.dtype)
    for index, image in enumerate(images):
        top, left = index // across * (rows + 2), index % across * (columns + 2)
        picture[top : top + rows, left : left + columns] = image
    return picture
