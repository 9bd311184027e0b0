"""DecisionBoundary: a film of how a classifier of two features divides the plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.callbacks.movies import Movie, as_base64


class DecisionBoundary(Movie):
    """Films how a classifier of two features comes to divide the plane.

    After an epoch it predicts on a grid, as one batch, which costs less than the training of even a
    small network.

    Args:
        x: the points to show, such as the test data, `(rows, 2)`.
        y: their classes, integers `(rows,)` or one-hot `(rows, classes)`. The network gives
            `(rows, 1)` (a sigmoid, or with `from_logits` none) or `(rows, classes)`.
        frames: the most that are kept, evenly over all epochs; None to keep all. Default 120.
        resolution: points of the grid along the first axis. Default 48.
        margin: how far the picture reaches beyond the points, as a share of their range.
            Default 0.15.
        class_names: of the classes. Default None: `"class 0"`, ...
        axis_names: of the two features. Default `("x1", "x2")`.

    Raises:
        ValueError: `x` has not two features, `y` has another number of rows, or `frames` is less
            than 2.

    >>> import cornu
    >>> points, labels = np.random.randn(20, 2), np.arange(20) % 2
    >>> film = DecisionBoundary(points, labels)
    >>> model = cornu.Sequential([cornu.layers.Dense(1, activation="sigmoid")])
    >>> model.compile(loss="binary_crossentropy", metrics=["accuracy"])
    >>> _ = model.fit(points, labels, epochs=3, verbose=0, callbacks=[film])
    >>> film.epochs, sorted(film.curves)
    ([1, 2, 3], ['accuracy', 'loss'])
    >>> film.movie()["kind"]
    'boundary'
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        frames: int | None = 120,
        resolution: int = 48,
        margin: float = 0.15,
        class_names: Sequence[Any] | None = None,
        axis_names: Sequence[str] = ("x1", "x2"),
    ):
        from cornu.plot import boundary

        super().__init__(frames)
        self.points = boundary.as_points("DecisionBoundary", x)
        self.labels, given = boundary.labels_of("DecisionBoundary", y, len(self.points))
        self.class_names = given if class_names is None else list(class_names)
        self.axis_names = list(axis_names)
        self.extent = boundary.extent_of(self.points, margin)
        self._grid, self.shape = boundary.grid_over(self.extent, resolution)
        self._from_logits: bool | None = None

    def take(self) -> np.ndarray:
        """The network's outputs on the grid, `(rows * columns, outputs)`, bottom row first."""
        from cornu.plot.boundary import says_logits

        self._from_logits = says_logits(self.model)
        # the whole grid as one batch: a call, not a hundred
        outputs = self.model.predict(self._grid, batch_size=len(self._grid), verbose=0)
        if not isinstance(outputs, np.ndarray) or outputs.shape[0] != len(self._grid):
            raise ValueError(
                f"DecisionBoundary: the network gives a {type(outputs).__name__} of outputs; "
                "expected one output, (rows, 1) or (rows, classes)"
            )
        return outputs.reshape(len(self._grid), -1)

    def probabilities(self) -> list[np.ndarray]:
        """Of each frame the probabilities on the grid, from its bottom row up.

        Returns:
            List of float arrays `(rows, columns, 1)`, of the second of two classes, or
            `(rows, columns, classes)`.
        """
        from cornu.plot.boundary import class_probabilities

        from_logits = self._from_logits
        if from_logits is None and self.frames:
            # of all frames together: one of them alone may happen to look like probabilities
            from_logits = any(
                bool(np.any((frame < -1e-6) | (frame > 1 + 1e-6))) for frame in self.frames
            )
        return [
            class_probabilities(frame, from_logits).reshape(*self.shape, -1)
            for frame in self.frames
        ]

    def stage(self) -> Any:
        """What draws the frames."""
        from cornu.plot.film import PlaneStage

        return PlaneStage(
            self.probabilities(),
            self.epochs,
            self.curves,
            self.extent,
            self.points,
            self.labels,
            self.class_names,
        )

    def movie(self) -> dict:
        """The film as the dictionary that `cornu.plot.player` plays, of JSON's types only.

        Of two classes `kind` is `"boundary"` and a frame holds the probability of the second, times
        255; of more it is `"classes"`, a frame holds the most probable class and `confidence` its
        probability times 255, on a grid twice as fine. Frames are base64 of uint8, the bottom row
        first.
        """
        from cornu.plot.boundary import refined

        self._require_frames("movie")
        frames = self.probabilities()
        classes = max(2, frames[0].shape[2])
        if self.labels is not None:
            classes = max(classes, int(self.labels.max()) + 1)
        names = [str(name) for name in self.class_names or []][:classes]
        several = frames[0].shape[2] > 2
        if several:  # which class wins can't be drawn between the points of a grid
            rows, columns = self.shape
            frames = [refined(frame, (2 * columns, 2 * rows)) for frame in frames]
        labels = np.zeros(len(self.points), int) if self.labels is None else self.labels
        movie = self._description(
            "classes" if several else "boundary",
            "Decision boundary",
            frames[0].shape[:2],
            extent=list(self.extent),
            classes=[*names, *map(str, range(len(names), classes))],
            axes=self.axis_names,
            points=[
                [float(x), float(y), int(label)]
                for (x, y), label in zip(self.points, labels, strict=True)
            ],
        )
        series = movie["series"][0]
        if several:
            series["frames"] = [as_base64(frame.argmax(axis=-1)) for frame in frames]
            series["confidence"] = [as_base64(frame.max(axis=-1) * 255) for frame in frames]
        else:
            series["frames"] = [as_base64(frame * 255) for frame in frames]
        return movie

    def plot(self, epoch: int | None = None, **options: Any) -> Any:
        """Draws the plane as it was after an epoch.

        Args:
            epoch: counted from 1; where no frame of it was kept, the one before. Default None: the
                last one.
            **options: `figsize` and `ax`, as for `cornu.plot.decision_boundary`.

        Returns:
            The matplotlib `Figure`.

        Raises:
            ValueError: nothing was recorded, or not that epoch.
        """
        from cornu.plot.boundary import draw_plane
        from cornu.plot.figures import figure_for

        place = self._place_of(epoch)
        figure, axes = figure_for(options.get("ax"), options.get("figsize"), (5.2, 4.2))
        frame = self.probabilities()[place]
        draw_plane(axes, frame, self.extent, self.points, self.labels, self.class_names)
        axes.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1], title=self._title_of(place))
        return figure
