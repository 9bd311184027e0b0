"""Movie: what callbacks that film training, to save as GIF or HTML, have in common."""

from __future__ import annotations

import base64
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from cornu.callbacks.callback import Callback


class Movie(Callback):
    """Base class for callbacks that keep a frame after an epoch and save a film of them.

    While the network trains only numbers are kept; everything is drawn afterwards. Of long
    trainings frames are kept evenly: those of the first and of the last epoch always, and between
    them as many as `frames` leaves room for. A second `fit` goes on with the film: of the frames
    that there are, those stay that are nearest to an even spacing over all epochs. Where several
    replicas train at once, the film is of the first one; its curves are their means.

    A subclass overrides `take` (the frame now), `stage` (what draws the frames) and `movie`, and
    where it wants `plot`.

    Args:
        frames: the most that are kept. Default 120; None to keep all.

    Attributes:
        frames: the frames kept so far, a list.
        epochs: the epoch of each, from 1.
        curves: dict from the logs' names to lists, a value for each frame; NaN where there was
            none.

    Raises:
        ValueError: `frames` is less than 2.
    """

    def __init__(self, frames: int | None = 120):
        super().__init__()
        if frames is not None and (not isinstance(frames, int) or frames < 2):
            raise ValueError(
                f"{type(self).__name__}(frames={frames!r}): expected an integer from 2 on, the "
                "first and the last epoch, or None to keep every epoch"
            )
        self.most_frames = frames
        self.frames: list[np.ndarray] = []
        self.epochs: list[int] = []
        self.curves: dict[str, list[float]] = {}
        self._begin()

    # -- recording -------------------------------------------------------------------------------

    def take(self) -> np.ndarray:
        """The frame that the network gives now."""
        raise NotImplementedError

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Forgets which epochs were due."""
        self._begin()

    def _begin(self) -> None:
        self._due: set[int] | None = None
        self._even: np.ndarray | None = None  # where frames were best, in the film's epochs
        self._every = 1  # where nobody knows the end
        self._first: int | None = None
        self._before = self.epochs[-1] if self.epochs else 0
        self._last: tuple[int, dict] | None = None

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Keeps a frame, if one is due."""
        if self._first is None:
            self._first = epoch
            # a second fit that counts from 0 again goes on behind the first one
            self._before = max(0, self._before - epoch)
            self._plan(epoch)
        number = epoch + 1 + self._before
        stops = bool(getattr(self.model, "stop_training", False))
        if self._due is not None:
            due = epoch in self._due
        else:
            due = (epoch - self._first) % self._every == 0
        if due or stops:
            self._keep(number, logs or {})
        else:
            self._last = (number, dict(logs or {}))

    def on_train_end(self, logs: dict | None = None) -> None:
        """Keeps the last frame, if the training ended at an epoch that was not due."""
        if self._last is not None:
            self._keep(*self._last)

    def _plan(self, first: int) -> None:
        """Chooses the epochs to keep, where their number is known."""
        last = (self.params or {}).get("epochs")
        if not isinstance(last, int) or last <= first:
            return
        begin, end = first + 1 + self._before, last + self._before
        start = self.epochs[0] if self.epochs else begin
        if self.most_frames is None or end - start < self.most_frames:
            self._due = set(range(first, last))
        else:
            self._even = np.linspace(start, end, self.most_frames)
            numbers = self._even.round().astype(int)
            self._due = {int(number) - begin + first for number in numbers if number >= begin}

    def _keep(self, number: int, logs: dict) -> None:
        self._last = None
        self.frames.append(self.take())
        self.epochs.append(number)
        have = len(self.frames)
        for name in {**self.curves, **logs}:
            values = self.curves.setdefault(name, [])
            values.extend([math.nan] * (have - 1 - len(values)))
            values.append(_number(logs.get(name)))
        if self.most_frames is not None and have > self.most_frames:
            self._thin()

    def _thin(self) -> None:
        """Drops the frames that are too many; the first and the last stay.

        Where the end is known, the frames nearest to an even spacing stay, else every other one.
        """
        count = len(self.frames)
        if self._even is not None:
            distances = np.abs(np.array(self.epochs)[None, :] - self._even[:, None])
            stay = sorted(set(distances.argmin(axis=1).tolist()))
        else:
            stay = [index for index in range(count) if index % 2 == 0 or index == count - 1]
            if count % 2 == 0 and len(stay) > 2:
                del stay[-2]  # else the last two would be neighbours
            self._every *= 2
        self.frames = [self.frames[index] for index in stay]
        self.epochs = [self.epochs[index] for index in stay]
        self.curves = {name: [v[index] for index in stay] for name, v in self.curves.items()}

    # -- showing ---------------------------------------------------------------------------------

    def stage(self) -> Any:
        """What draws the frames, a `cornu.plot.film.Stage`."""
        raise NotImplementedError

    def movie(self) -> dict:
        """The film as the dictionary that `cornu.plot.player` plays, of JSON's types only."""
        raise NotImplementedError

    def save(self, path: str | os.PathLike, seconds: float = 10.0, verbose: int = 0) -> Path:
        """Saves the film.

        Args:
            path: `name.gif` for an animated GIF, `name.html` for one page with a slider and a play
                button that needs nothing else, `name.png` for the last picture.
            seconds: how long the GIF is, without the rest on its last picture. Default 10.
            verbose: 1 shows a progress bar while a GIF is drawn. Default 0.

        Returns:
            The path.

        Raises:
            ValueError: nothing was recorded yet, or another kind of file.
        """
        self._require_frames("save")
        path = Path(path)
        kind = path.suffix.lower()
        if kind == ".html":
            from cornu.plot.player import save_player

            return save_player(self.movie(), path)
        if kind not in (".gif", ".png"):
            raise ValueError(
                f"{type(self).__name__}.save({str(path)!r}): expected a name that ends in .gif, "
                ".html or .png"
            )
        from cornu.plot.film import save_gif

        stage = self.stage()
        if kind == ".gif":
            return save_gif(stage, path, seconds, verbose)
        stage.picture(stage.count - 1).save(path)
        return path

    def plot(self, epoch: int | None = None, **options: Any) -> Any:
        """Draws one frame, as a matplotlib `Figure`; see the subclass."""
        raise NotImplementedError

    def _repr_html_(self) -> str | None:
        """What a notebook shows: the player, as soon as there is something to play."""
        if not self.frames:
            return None
        import html

        from cornu.plot.player import player_html

        page = html.escape(player_html(self.movie()), quote=True)
        return (
            f'<iframe srcdoc="{page}" sandbox="allow-scripts" title="movie" '
            'style="width:100%;max-width:60rem;height:44rem;border:0"></iframe>'
        )

    def _require_frames(self, method: str) -> None:
        if not self.frames:
            name = type(self).__name__
            raise ValueError(
                f"{name}.{method}: nothing was recorded; give it to fit(callbacks=[...]) first"
            )

    def _place_of(self, epoch: int | None) -> int:
        """The frame of an epoch, or the last one before it; of None the last frame."""
        self._require_frames("plot")
        if epoch is None:
            return len(self.frames) - 1
        if not self.epochs[0] <= epoch <= self.epochs[-1]:
            raise ValueError(
                f"{type(self).__name__}.plot(epoch={epoch!r}): recorded were the epochs "
                f"{self.epochs[0]} to {self.epochs[-1]}"
            )
        return int(np.searchsorted(self.epochs, epoch, side="right")) - 1

    def _title_of(self, place: int) -> str:
        return f"epoch {self.epochs[place]}"

    def _description(self, kind: str, title: str, shape: tuple[int, int], **more: Any) -> dict:
        """The movie but for its frames."""
        return {
            "kind": kind,
            "title": title,
            "shape": list(shape),
            "epochs": list(self.epochs),
            **more,
            "series": [
                {
                    "name": "cornu",
                    "title": str(getattr(self.model, "name", None) or "model"),
                    "curves": {
                        name: [v if math.isfinite(v) else None for v in values]
                        for name, values in self.curves.items()
                    },
                }
            ],
        }


def _number(value: Any) -> float:
    """A log as a float: of several replicas their mean, NaN where there is none."""
    if value is None:
        return math.nan
    try:
        return float(np.mean(value))
    except (TypeError, ValueError):
        return math.nan


def as_base64(values: np.ndarray) -> str:
    """Numbers from 0 to 255 as base64 of uint8."""
    whole = np.clip(np.rint(values), 0, 255).astype("uint8")
    return base64.b64encode(whole.tobytes()).decode()
