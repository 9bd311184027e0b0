"""A film of a network learning to tell two classes of points in the plane apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cornu.callbacks import Callback
from cornu.demo.pictures import BLUE, INK, ORANGE, PALE, new_figure, tidy

# Bands of probability: enough to look smooth, few enough for a GIF's 256 colours.
_BANDS = 25
_SECONDS_AT_THE_END = 2.0


class BoundaryFilm(Callback):
    """Takes a picture of the decision boundary, the loss and the accuracy after every epoch.

    While the network trains, only its predictions on a grid are kept, which costs less than the
    training; `save` draws them all afterwards, in one pass.

    Args:
        points: `(rows, 2)`, the points to show, such as the test data.
        labels: 0 or 1 `(rows,)`.
        resolution: grid points along the first axis. Default 64.
        margin: how far the picture reaches beyond the points, in their unit. Default 0.4.

    >>> import cornu
    >>> points, labels = np.random.randn(20, 2), np.arange(20) % 2
    >>> film = BoundaryFilm(points, labels)
    >>> model = cornu.Sequential([cornu.layers.Dense(1, activation="sigmoid")])
    >>> model.compile(loss="binary_crossentropy", metrics=["accuracy"])
    >>> _ = model.fit(points, labels, epochs=3, verbose=0, callbacks=[film])
    >>> len(film.predictions)
    3
    """

    def __init__(
        self, points: np.ndarray, labels: np.ndarray, resolution: int = 64, margin: float = 0.4
    ):
        super().__init__()
        self.points = np.asarray(points, dtype=float)
        self.labels = np.asarray(labels).ravel()
        (left, bottom), (right, top) = self.points.min(0) - margin, self.points.max(0) + margin
        self.extent = (left, right, bottom, top)
        across = np.linspace(left, right, resolution)
        up = np.linspace(bottom, top, max(2, round(resolution * (top - bottom) / (right - left))))
        self._shape = (len(up), len(across))
        self._grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2).astype("float32")
        self.predictions: list[np.ndarray] = []
        self.history: dict[str, list[float]] = {"loss": [], "accuracy": []}

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Keeps the predictions on the grid and the logs."""
        # the whole grid as one batch: a call, not a hundred
        grid = self.model.predict(self._grid, batch_size=len(self._grid), verbose=0)
        self.predictions.append(grid.reshape(self._shape))
        for name, values in self.history.items():
            values.append(float((logs or {}).get(name, np.nan)))

    def save(self, path: str | Path, seconds: float = 10.0) -> Path:
        """Draws the film.

        Args:
            path: the GIF to write; the last picture goes beside it as a PNG.
            seconds: how long the film is, without the rest on the last picture. Default 10.

        Returns:
            The path.

        Raises:
            ValueError: nothing was filmed yet.
        """
        from PIL import Image

        if not self.predictions:
            raise ValueError("BoundaryFilm.save: no epoch was filmed; give it to fit(callbacks=[...])")
        path = Path(path)
        stage = _Stage(self)
        count = len(self.predictions)
        last = stage.picture(count - 1)
        last.save(path.with_suffix(".png"))
        # one palette for all pictures, from one that shows everything
        palette = last.quantize(192)
        pictures = [
            stage.picture(epoch).quantize(palette=palette, dither=Image.Dither.NONE)
            for epoch in range(count)
        ]
        # GIF counts hundredths of a second, and viewers slow down what is faster than two of them
        each = max(20, round(100 * seconds / count) * 10)
        pause = [each] * (count - 1) + [each + round(1000 * _SECONDS_AT_THE_END)]
        pictures[0].save(
            path, save_all=True, append_images=pictures[1:], duration=pause, loop=0, optimize=False
        )
        return path


class _Stage:
    """A figure whose fixed parts are drawn once; a picture draws only what changes over them."""

    def __init__(self, film: BoundaryFilm):
        from matplotlib.colors import LinearSegmentedColormap

        self._film = film
        colors = LinearSegmentedColormap.from_list("classes", [BLUE, PALE, ORANGE], N=_BANDS)
        self._band_colors = (colors(np.arange(_BANDS)) * 255).astype("uint8")
        self._figure, (plane, curves) = new_figure(9.6, 4.2, columns=2)
        self._canvas = self._figure.canvas
        left, right, bottom, top = film.extent
        plane.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[])
        plane.set(xlabel="$x_1$", ylabel="$x_2$")
        (self._boundary,) = plane.plot(
            [], [], "--", color=INK, linewidth=1.8, animated=True, label="boundary at 0.5"
        )
        self._classes = [
            plane.plot(
                *film.points[film.labels == label].T,
                "o",
                color=color,
                markeredgecolor="white",
                markeredgewidth=0.8,
                markersize=6,
                animated=True,
                label=f"class {label}",
            )[0]
            for label, color in ((0, BLUE), (1, ORANGE))
        ]
        self._legend = plane.legend(loc="upper right", fontsize=9, framealpha=0.9)
        self._legend.set_animated(True)
        epochs = len(film.predictions)
        losses = [value for value in film.history["loss"] if np.isfinite(value)]
        curves.set(xlim=(0, max(epochs, 2)), ylim=(0, max(1.0, *losses, 1.0) * 1.02))
        curves.set(xlabel="epoch")
        tidy(curves)
        self._curves = []
        for name, color in (("accuracy", BLUE), ("loss", ORANGE)):
            self._curves += curves.plot(
                [], [], color=color, linewidth=2, label=name, animated=True
            )
        curves.legend(loc="center right", frameon=False)
        plane.set_title("Epoch 0")
        curves.set_title(" ")
        self._titles = (plane.title, curves.title)
        for title in self._titles:
            title.set_animated(True)
        self._canvas.draw()
        self._fixed = self._canvas.copy_from_bbox(self._figure.bbox)
        # layout is settled now: the colours are laid under the axes pixel by pixel
        box = plane.get_window_extent()
        self._corner = (round(box.x0) + 1, round(box.y0) + 1)
        self._size = (round(box.x1) - self._corner[0], round(box.y1) - self._corner[1])
        self._colors = self._figure.figimage(
            np.zeros((*self._size[::-1], 4), "uint8"), *self._corner, origin="lower"
        )
        self._colors.set_animated(True)

    def picture(self, epoch: int):
        """The picture after an epoch, a `PIL.Image` in RGB."""
        from PIL import Image

        film, canvas = self._film, self._canvas
        canvas.restore_region(self._fixed)
        values = Image.fromarray(film.predictions[epoch].astype("float32"))
        # resampled here, not by imshow, which takes most of a picture's time for it
        fine = np.asarray(values.resize(self._size, Image.Resampling.BICUBIC))
        bands = np.clip(fine * _BANDS, 0, _BANDS - 1).astype("uint8")
        self._colors.set_data(self._band_colors[bands])
        self._boundary.set_data(*self._line(values))
        reached = np.arange(1, epoch + 2)
        for curve, name in zip(self._curves, ("accuracy", "loss"), strict=True):
            curve.set_data(reached, film.history[name][: epoch + 1])
        accuracy, loss = (film.history[name][epoch] for name in ("accuracy", "loss"))
        self._titles[0].set_text(f"Epoch {epoch + 1}")
        self._titles[1].set_text(f"accuracy {accuracy:.3f}    loss {loss:.3f}")
        drawn = (
            self._colors,
            self._boundary,
            *self._classes,
            self._legend,
            *self._curves,
            *self._titles,
        )
        for artist in drawn:
            self._figure.draw_artist(artist)
        size = canvas.get_width_height()
        return Image.frombuffer("RGBA", size, canvas.buffer_rgba(), "raw", "RGBA", 0, 1).convert(
            "RGB"
        )

    def _line(self, values) -> tuple[np.ndarray, np.ndarray]:
        """The points where the probability is one half; NaN between two pieces of the line."""
        import contourpy

        left, right, bottom, top = self._film.extent
        fine = values.resize((2 * values.width, 2 * values.height), 3)  # bicubic
        # a pixel's value stands at its middle, the grid's outermost points at the very edge
        across = _middles(left, right, values.width)
        up = _middles(bottom, top, values.height)
        pieces = contourpy.contour_generator(across, up, np.asarray(fine)).lines(0.5)
        gap = np.full((1, 2), np.nan)
        points = np.concatenate([part for piece in pieces for part in (piece, gap)] or [gap])
        return points[:, 0], points[:, 1]


def _middles(low: float, high: float, count: int) -> np.ndarray:
    """Where the pixels of an axis lie after it was resampled to twice as many."""
    step = (high - low) / count
    return low + step / 4 + np.arange(2 * count) * step / 2
