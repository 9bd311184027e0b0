"""Films of training, drawn picture by picture and saved as GIF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cornu.plot.boundary import (
    Extent,
    Shades,
    draw_legend,
    draw_points,
    line_at_half,
    names_of,
)
from cornu.plot.classes import name_classes, shares_of
from cornu.plot.colors import BLUE, INK, ORANGE, PALE
from cornu.plot.figures import new_figure, require, tidy
from cornu.utils import Progbar

_SECONDS_AT_THE_END = 2.0


def save_gif(stage: Stage, path: str | Path, seconds: float = 10.0, verbose: int = 0) -> Path:
    """Draws all pictures and writes them as an animated GIF.

    Args:
        stage: what draws them.
        path: the file.
        seconds: how long the film is, without the rest on the last picture. Default 10.
        verbose: 1 shows a progress bar. Default 0.

    Returns:
        The path.
    """
    from PIL import Image

    count = stage.count
    palette = _palette([stage.picture(index) for index in sorted({0, count // 2, count - 1})])
    bar = Progbar(count, verbose=verbose, unit_name="picture")
    pictures = []
    for index in range(count):
        drawn = stage.picture(index)
        pictures.append(drawn.quantize(palette=palette, dither=Image.Dither.NONE))
        bar.update(index + 1)
    # GIF counts hundredths of a second, and viewers slow down what is faster than two of them
    each = max(20, round(100 * seconds / count) * 10)
    pause = [each] * (count - 1) + [each + round(1000 * _SECONDS_AT_THE_END)]
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], duration=pause, loop=0, optimize=False
    )
    return Path(path)


def _palette(pictures: Sequence[Any]) -> Any:
    """One palette for all pictures, from some that show everything; its white is white."""
    from PIL import Image

    together = Image.fromarray(np.concatenate([np.asarray(picture) for picture in pictures]))
    palette = together.quantize(128)
    colors = np.array(palette.getpalette()).reshape(-1, 3)
    # Pillow finds a colour's place by its first six bits only
    colors[colors.min(axis=1) >= 246] = 255
    palette.putpalette(colors.ravel().tolist())
    return palette


class Stage:
    """A figure whose fixed parts are drawn once; a picture adds only what changes.

    It writes into the canvas' own pixels: a figure drawn anew takes twenty times as long, and
    `imshow` most of that for resampling. On its left is what the subclass shows, on its right loss
    and accuracy.

    Args:
        frames: what the subclass draws, one for each picture.
        epochs: the epoch of each, from 1.
        curves: the logs by name, one value for each.
    """

    def __init__(
        self,
        frames: Sequence[np.ndarray],
        epochs: Sequence[int],
        curves: Mapping[str, Sequence[float]],
    ):
        require("matplotlib", "PIL")
        from matplotlib import font_manager
        from PIL import Image, ImageFont

        self.frames, self.epochs = frames, np.asarray(epochs)
        self.curves = {name: np.asarray(values, float) for name, values in curves.items()}
        self._shown = _shown_curves(self.curves)
        self._figure, (left, right) = new_figure(8.4, 3.8, columns=2)
        over = self.draw_fixed(left)
        self._lines = self._draw_curves(right)
        # matplotlib takes longer for a line of text than for the rest of a picture
        self._font_file = font_manager.findfont("DejaVu Sans")
        self._font = ImageFont.truetype(self._font_file, size=15)
        changing = [*self.changing_artists(), *(line for line, _ in self._lines)]
        for artist in (*over, *changing):
            artist.set_animated(True)
        canvas = self._figure.canvas
        canvas.draw()
        self._pixels = np.asarray(canvas.buffer_rgba())
        self._fixed = self._pixels.copy()
        box = left.get_window_extent()
        height = len(self._pixels)
        self._place = (
            slice(height - round(box.y1), height - round(box.y0)),
            slice(round(box.x0), round(box.x1)),
        )
        beside = right.get_window_extent()
        self._text_place = ((beside.x0 + beside.x1) / 2, height - beside.y1 - 7)
        self._changing = changing
        canvas.get_renderer().clear()
        for artist in over:
            self._figure.draw_artist(artist)
        self._overlay = Image.fromarray(self._pixels[self._place].copy())

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return len(self.frames)

    def draw_fixed(self, axes: Any) -> list:
        """Prepares the left side; returns the artists that lie over what changes, drawn once."""
        raise NotImplementedError

    def changing_artists(self) -> list:
        """The artists of the left side that are drawn anew for each picture."""
        return []

    def paint(self, index: int, size: tuple[int, int]) -> np.ndarray:
        """What changes on the left side: uint8 `(height, width, 4)`, the top row first."""
        raise NotImplementedError

    def _draw_curves(self, axes: Any) -> list[tuple[Any, str]]:
        losses = [
            value
            for name, values in self.curves.items()
            if name in ("loss", "val_loss")
            for value in values[np.isfinite(values)]
        ]
        last = int(self.epochs[-1]) if len(self.epochs) else 2
        axes.set(xlim=(0, max(last, 2)), ylim=(0, 1.02 * max([1.0, *losses])))
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        lines = []
        for name, color in self._shown.items():
            (line,) = axes.plot([], [], color=color, linewidth=2, label=name)
            lines.append((line, name))
            if f"val_{name}" in self.curves:
                (line,) = axes.plot([], [], "--", color=color, linewidth=1.5, label=f"val_{name}")
                lines.append((line, f"val_{name}"))
        if lines:
            axes.legend(loc="center right", frameon=False)
        axes.set_title(" ")  # room for the text
        tidy(axes)
        return lines

    def _text(self, index: int) -> str:
        logs = [f"{name} {self.curves[name][index]:.3f}" for name in self._shown]
        return (
            f"epoch {self.epochs[index]}:  " + ",  ".join(logs)
            if logs
            else (f"epoch {self.epochs[index]}")
        )

    def picture(self, index: int) -> Any:
        """The picture of one frame, a `PIL.Image` in RGB."""
        from PIL import Image, ImageDraw

        left = Image.fromarray(self.paint(index, self._overlay.size))
        self._pixels[:] = self._fixed
        self._pixels[self._place] = Image.alpha_composite(left, self._overlay)
        for line, name in self._lines:
            line.set_data(self.epochs[: index + 1], self.curves[name][: index + 1])
        for artist in self._changing:
            self._figure.draw_artist(artist)
        picture = Image.fromarray(self._pixels).convert("RGB")
        ImageDraw.Draw(picture).text(
            self._text_place, self._text(index), INK, self._font, anchor="ms"
        )
        return picture


def _shown_curves(curves: Mapping[str, np.ndarray]) -> dict[str, str]:
    """The names of the curves to draw, those of validation left out, with their colours."""
    accuracies = [n for n in curves if "acc" in n and not n.startswith("val_")]
    shown = {accuracies[0]: BLUE} if accuracies else {}
    if "loss" in curves:
        shown["loss"] = ORANGE
    return shown


class PlaneStage(Stage):
    """Pictures of the plane of two features: colours of probability, boundary and points.

    Args:
        frames: probabilities, each as for `cornu.plot.boundary.Shades`.
        epochs, curves: as for `Stage`.
        extent: left, right, bottom and top of the plane.
        points, labels: `(rows, 2)` and integers `(rows,)`.
        class_names: or None.
    """

    def __init__(
        self,
        frames: Sequence[np.ndarray],
        epochs: Sequence[int],
        curves: Mapping[str, Sequence[float]],
        extent: Extent,
        points: np.ndarray,
        labels: np.ndarray | None,
        class_names: Sequence[Any] | None = None,
    ):
        self._classes = max(2, frames[0].shape[2])
        self._extent, self._points, self._labels = extent, points, labels
        self._names = names_of(self._classes, labels, class_names)
        self._shades = Shades(self._classes)
        super().__init__(frames, epochs, curves)

    def draw_fixed(self, axes: Any) -> list:
        left, right, bottom, top = self._extent
        axes.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        self._boundary = []
        if self._classes == 2:
            self._boundary = axes.plot([], [], "--", color=INK, linewidth=1.8, label="boundary 0.5")
        points = draw_points(axes, self._points, self._labels, self._names)
        draw_legend(axes)
        return points

    def changing_artists(self) -> list:
        return self._boundary

    def paint(self, index: int, size: tuple[int, int]) -> np.ndarray:
        frame = self.frames[index]
        for line in self._boundary:
            line.set_data(*line_at_half(frame, self._extent))
        return self._shades(frame, size)


class ImageStage(Stage):
    """Pictures of numbers around 0: negative ones blue, positive ones orange, 0 pale.

    Args:
        frames: `(height, width)` from -1 to 1, NaN where there is nothing; the top row first.
        epochs, curves: as for `Stage`.
        title: of the left side.
    """

    def __init__(
        self,
        frames: Sequence[np.ndarray],
        epochs: Sequence[int],
        curves: Mapping[str, Sequence[float]],
        title: str,
    ):
        self._title = title
        self._colors = (around_zero()(np.arange(64)) * 255).astype("uint8")
        super().__init__(frames, epochs, curves)

    def draw_fixed(self, axes: Any) -> list:
        height, width = self.frames[0].shape
        axes.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[], aspect="equal")
        axes.set_title(self._title, fontsize=11)
        axes.spines[:].set_visible(False)
        return []

    def paint(self, index: int, size: tuple[int, int]) -> np.ndarray:
        return nearest(color_numbers(self.frames[index], self._colors), size)


class CountsStage(Stage):
    """Pictures of confusion matrices: counts, coloured by their share of the true class.

    Args:
        frames: int `(classes, classes)`; row: true class, column: predicted class.
        epochs, curves: as for `Stage`.
        class_names: of the classes.
    """

    def __init__(
        self,
        frames: Sequence[np.ndarray],
        epochs: Sequence[int],
        curves: Mapping[str, Sequence[float]],
        class_names: Sequence[Any],
    ):
        import matplotlib

        self._names = class_names
        self._colors = (matplotlib.colormaps["Blues"](np.arange(256)) * 255).astype("uint8")
        super().__init__(frames, epochs, curves)

    def draw_fixed(self, axes: Any) -> list:
        count = len(self._names)
        axes.set(xlim=(-0.5, count - 0.5), ylim=(count - 0.5, -0.5), aspect="equal")
        name_classes(axes, self._names)
        return []

    def paint(self, index: int, size: tuple[int, int]) -> np.ndarray:
        from PIL import Image, ImageDraw, ImageFont

        matrix = self.frames[index]
        shares = shares_of(matrix)
        places = np.clip(np.sqrt(shares) / 1.15 * 255, 0, 255).astype(int)
        picture = Image.fromarray(nearest(self._colors[places], size))
        across, down = size[0] / len(matrix), size[1] / len(matrix)
        longest = len(str(matrix.max()))
        height = min(13.0, 0.55 * down, 1.4 * across / longest)
        if height >= 5:  # smaller ones can't be read
            font = ImageFont.truetype(self._font_file, size=height)
            draw = ImageDraw.Draw(picture)
            for row, column in np.argwhere(matrix):
                draw.text(
                    ((column + 0.5) * across, (row + 0.5) * down),
                    str(matrix[row, column]),
                    "white" if shares[row, column] > 0.4 else INK,
                    font,
                    anchor="mm",
                )
        return np.asarray(picture)


def around_zero() -> Any:
    """The matplotlib colours for numbers from -1 to 1: blue, pale, orange."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("around zero", [BLUE, PALE, ORANGE], N=64)


def color_numbers(numbers: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Numbers from -1 to 1 as colours, uint8 `(height, width, 4)`; white where there is none."""
    places = np.clip((np.nan_to_num(numbers) + 1) / 2 * len(colors), 0, len(colors) - 1)
    picture = colors[places.astype(int)]
    picture[np.isnan(numbers)] = 255
    return picture


def nearest(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A picture in another size `(width, height)`, its pixels with sharp edges."""
    from PIL import Image

    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.NEAREST))
