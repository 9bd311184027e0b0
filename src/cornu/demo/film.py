"""A film of a network learning to tell two classes of points in the plane apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cornu.callbacks import Callback
from cornu.demo.pictures import (
    BLUE,
    INK,
    LIGHT_BLUE,
    LIGHT_ORANGE,
    ORANGE,
    PALE,
    new_figure,
    tidy,
)
from cornu.utils import Progbar

# Bands of probability: enough to look smooth, few enough for a GIF's 256 colours; odd, so that
# the palest lies about the boundary.
_BANDS = 17
_SECONDS_AT_THE_END = 2.0


def middles(low: float, high: float, count: int) -> np.ndarray:
    """The middles of `count` equal parts of an interval: where the pixels of an image stand.

    >>> middles(0, 1, 4)
    array([0.125, 0.375, 0.625, 0.875])
    """
    return low + (np.arange(count) + 0.5) * (high - low) / count


class BoundaryFilm(Callback):
    """Takes a picture of the decision boundary, the loss and the accuracy after every epoch.

    While the network trains, only its predictions on a grid are kept, which costs less than the
    training; `save` draws them all afterwards, in one pass.

    Args:
        points: `(rows, 2)`, the points to show, such as the test data.
        labels: 0 or 1 `(rows,)`.
        resolution: grid points along the first axis. Default 48.
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
        self, points: np.ndarray, labels: np.ndarray, resolution: int = 48, margin: float = 0.4
    ):
        super().__init__()
        self.points = np.asarray(points, dtype=float)
        self.labels = np.asarray(labels).ravel()
        (left, bottom), (right, top) = self.points.min(0) - margin, self.points.max(0) + margin
        self.extent = (left, right, bottom, top)
        across = middles(left, right, resolution)
        up = middles(bottom, top, max(2, round(resolution * (top - bottom) / (right - left))))
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

    def save(self, path: str | Path, seconds: float = 10.0, verbose: int = 0) -> Path:
        """Draws the film.

        Args:
            path: the GIF to write; the last picture goes beside it as a PNG.
            seconds: how long the film is, without the rest on the last picture. Default 10.
            verbose: 1 shows a progress bar. Default 0.

        Returns:
            The path.

        Raises:
            ValueError: nothing was filmed yet.
        """
        from PIL import Image

        if not self.predictions:
            raise ValueError(
                "BoundaryFilm.save: nothing was filmed; give it to fit(callbacks=[...])"
            )
        path = Path(path)
        stage = _Stage(self)
        count = len(self.predictions)
        last = stage.picture(count - 1)
        last.save(path.with_suffix(".png"))
        # one palette for all pictures, from one that shows everything
        palette = last.quantize(128)
        bar = Progbar(count, verbose=verbose, unit_name="picture")
        pictures = []
        for epoch in range(count):
            drawn = stage.picture(epoch)
            pictures.append(drawn.quantize(palette=palette, dither=Image.Dither.NONE))
            bar.update(epoch + 1)
        # GIF counts hundredths of a second, and viewers slow down what is faster than two of them
        each = max(20, round(100 * seconds / count) * 10)
        pause = [each] * (count - 1) + [each + round(1000 * _SECONDS_AT_THE_END)]
        pictures[0].save(
            path, save_all=True, append_images=pictures[1:], duration=pause, loop=0, optimize=False
        )
        return path


class _Stage:
    """A figure whose fixed parts are drawn once; a picture adds only what changes.

    It writes into the canvas' own pixels: a figure drawn anew takes twenty times as long, and
    `imshow` most of that for resampling.
    """

    def __init__(self, film: BoundaryFilm):
        from matplotlib import font_manager
        from matplotlib.colors import LinearSegmentedColormap
        from PIL import Image, ImageFont

        self._film = film
        bands = LinearSegmentedColormap.from_list(
            "classes", [LIGHT_BLUE, PALE, LIGHT_ORANGE], N=_BANDS
        )
        # four bytes of colour as one number: one look-up for each pixel
        self._band_colors = (bands(np.arange(_BANDS)) * 255).astype("uint8").view("uint32")[:, 0]
        self._figure, (plane, curves) = new_figure(8.4, 3.8, columns=2)
        over_the_colors = self._draw_plane(plane)
        self._draw_curves(curves)
        # matplotlib takes longer for a line of text than for the rest of a picture
        font = font_manager.findfont("DejaVu Sans")
        self._font = ImageFont.truetype(font, size=15)
        changing = (self._boundary, *self._curves)
        for artist in (*over_the_colors, *changing):
            artist.set_animated(True)
        canvas = self._figure.canvas
        canvas.draw()
        self._pixels = np.asarray(canvas.buffer_rgba())
        self._fixed = self._pixels.copy()
        box = plane.get_window_extent()
        height = len(self._pixels)
        self._place = (
            slice(height - round(box.y1), height - round(box.y0)),
            slice(round(box.x0), round(box.x1)),
        )
        beside = curves.get_window_extent()
        self._text_place = ((beside.x0 + beside.x1) / 2, height - beside.y1 - 7)
        self._changing = changing
        canvas.get_renderer().clear()
        for artist in over_the_colors:
            self._figure.draw_artist(artist)
        self._overlay = Image.fromarray(self._pixels[self._place].copy())

    def _draw_plane(self, plane) -> list:
        film = self._film
        left, right, bottom, top = film.extent
        plane.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[])
        plane.spines[:].set_visible(False)
        (self._boundary,) = plane.plot([], [], "--", color=INK, linewidth=1.8, label="boundary 0.5")
        points = [
            plane.plot(
                *film.points[film.labels == label].T,
                "o",
                color=color,
                markeredgecolor="white",
                markeredgewidth=0.9,
                markersize=6.5,
                label=f"class {label}",
            )[0]
            for label, color in ((0, BLUE), (1, ORANGE))
        ]
        plane.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.03), ncols=3, frameon=False, fontsize=10
        )
        return points

    def _draw_curves(self, axes) -> None:
        history = self._film.history
        losses = [value for value in history["loss"] if np.isfinite(value)]
        axes.set(xlim=(0, max(len(history["loss"]), 2)), ylim=(0, 1.02 * max([1.0, *losses])))
        axes.set_xlabel("epoch")
        self._curves = [
            axes.plot([], [], color=color, linewidth=2, label=name)[0]
            for name, color in (("accuracy", BLUE), ("loss", ORANGE))
        ]
        axes.legend(loc="center right", frameon=False)
        axes.set_title(" ")  # room for the text
        tidy(axes)

    def _text(self, epoch: int) -> str:
        accuracy, loss = (self._film.history[name][epoch] for name in ("accuracy", "loss"))
        return f"epoch {epoch + 1}:  accuracy {accuracy:.3f},  loss {loss:.3f}"

    def picture(self, epoch: int):
        """The picture after an epoch, a `PIL.Image` in RGB."""
        from PIL import Image, ImageDraw

        values = Image.fromarray(self._film.predictions[epoch].astype("float32"))
        size = self._overlay.size
        fine = np.asarray(values.resize(size, Image.Resampling.BICUBIC))[::-1]
        bands = np.clip(fine * _BANDS, 0, _BANDS - 1).astype("uint8")
        colors = Image.fromarray(self._band_colors[bands].view("uint8").reshape(*bands.shape, 4))
        self._pixels[:] = self._fixed
        self._pixels[self._place] = Image.alpha_composite(colors, self._overlay)
        self._boundary.set_data(*self._line(values))
        reached = np.arange(1, epoch + 2)
        for curve, name in zip(self._curves, ("accuracy", "loss"), strict=True):
            curve.set_data(reached, self._film.history[name][: epoch + 1])
        for artist in self._changing:
            self._figure.draw_artist(artist)
        picture = Image.fromarray(self._pixels).convert("RGB")
        ImageDraw.Draw(picture).text(
            self._text_place, self._text(epoch), INK, self._font, anchor="ms"
        )
        return picture

    def _line(self, values) -> tuple[np.ndarray, np.ndarray]:
        """The points where the probability is one half; NaN between two pieces of the line."""
        import contourpy
        from PIL import Image

        left, right, bottom, top = self._film.extent
        width, height = 2 * values.width, 2 * values.height
        fine = np.asarray(values.resize((width, height), Image.Resampling.BICUBIC))
        across, up = middles(left, right, width), middles(bottom, top, height)
        pieces = contourpy.contour_generator(across, up, fine).lines(0.5)
        gap = np.full((1, 2), np.nan)
        points = np.concatenate([part for piece in pieces for part in (piece, gap)] or [gap])
        return points[:, 0], points[:, 1]
