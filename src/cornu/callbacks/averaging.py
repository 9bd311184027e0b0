"""SwapEMAWeights: evaluation with the weights that the optimizer averages."""

from __future__ import annotations

from typing import Any

from cornu.callbacks.callback import Callback


class SwapEMAWeights(Callback):
    """Evaluates and predicts with the optimizer's averaged weights instead of the latest.

    For an optimizer with `use_ema=True`: the two are swapped before evaluation, validation or
    prediction and swapped back afterwards (Polyak averaging, as in `keras.callbacks`).

    Args:
        swap_on_epoch: whether the averaged weights are also in the model from the end of an epoch
            to the beginning of the next, so that a `ModelCheckpoint` that comes after this
            callback saves them. Default False.

    Raises:
        ValueError: in training, where the optimizer keeps no averaged weights.

    >>> SwapEMAWeights(swap_on_epoch=True).swap_on_epoch
    True
    """

    def __init__(self, swap_on_epoch: bool = False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def _pairs(self) -> list[tuple[Any, Any]]:
        """The model's weights that are trained, each with its average."""
        outer = self.model.optimizer
        optimizer = getattr(outer, "inner_optimizer", outer)  # the one that loss scaling wraps
        pairs = []
        for each in getattr(optimizer, "optimizers", [optimizer]):
            if getattr(each, "use_ema", False):
                averages = each._model_variables_moving_average
                both = zip(each._trainable_variables, averages, strict=True)
                pairs += [(weight, average) for weight, average in both if average is not None]
        if not pairs:
            raise ValueError(
                "SwapEMAWeights: the optimizer keeps no averaged weights; make it with "
                f"use_ema=True. Received: {type(optimizer).__name__} with use_ema="
                f"{getattr(optimizer, 'use_ema', None)}"
            )
        return pairs

    def _swap(self, wanted: bool) -> None:
        if self._swapped != wanted:
            for weight, average in self._pairs():
                latest = weight.value
                weight.assign(average.value)
                average.assign(latest)
            self._swapped = wanted

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if self.swap_on_epoch:
            self._swap(False)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if not self.swap_on_epoch:
            return
        self._swap(True)
        epochs = (self.params or {}).get("epochs")
        if getattr(self.model, "stop_training", False) or epoch + 1 == epochs:
            # fit ends by putting the averages into the weights: they must be the averages again
            for weight, average in self._pairs():
                average.assign(weight.value)
            self._swapped = False

    def on_test_begin(self, logs: dict | None = None) -> None:
        self._swap(True)

    def on_test_end(self, logs: dict | None = None) -> None:
        self._swap(False)

    def on_predict_begin(self, logs: dict | None = None) -> None:
        self._swap(True)

    def on_predict_end(self, logs: dict | None = None) -> None:
        self._swap(False)
