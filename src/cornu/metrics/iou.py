"""Intersection over union, for labels of pixels: iou = tp / (tp + fp + fn) of each class."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.dtypes import epsilon, is_float
from cornu.core.reporting import warn
from cornu.metrics._shapes import spread
from cornu.metrics.base import Metric


class IoU(Metric):
    """The mean intersection over union of chosen classes.

    `update_state(y_true, y_pred, sample_weight=None)` takes class numbers of any one shape, such as
    `(batch, height, width)`, or scores with a class axis as well; weights have the shape of the
    class numbers. Numbers that are no class are left out. What is kept is a confusion matrix of
    shape `(classes, classes)`, label by prediction.

    Args:
        num_classes: the number of classes.
        target_class_ids: the classes in the mean; those that never occur do not count.
        name: the name in the logs; by default made from the class's name.
        dtype: name of the dtype of the confusion matrix, "int32" by default. Weights that are not
            whole numbers need "float32".
        ignore_class: a label to leave out, such as 255 for "void"; none by default.
        sparse_y_true: whether labels are class numbers (the default) or have a class axis.
        sparse_y_pred: whether predictions are class numbers (the default) or have a class axis.
        axis: the class axis, the last by default.

    Raises:
        ValueError: a class outside [0, num_classes).

    Source: https://en.wikipedia.org/wiki/Jaccard_index

    >>> metric = IoU(num_classes=2, target_class_ids=[0])
    >>> metric.update_state(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))
    >>> round(float(metric.result()), 4)
    0.3333
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype=None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        super().__init__(name=name, dtype=dtype or "int32")
        targets = [int(number) for number in target_class_ids]
        if not targets or max(targets) >= num_classes or min(targets) < 0:
            raise ValueError(
                f"{type(self).__name__}(target_class_ids={targets}): expected at least one class "
                f"number in [0, {num_classes})"
            )
        self.num_classes = num_classes
        self.target_class_ids = targets
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_variable(
            (num_classes, num_classes), dtype=self.dtype, name="total_confusion_matrix"
        )

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        """Adds a batch to the confusion matrix."""
        y_true, y_pred = jnp.asarray(y_true), jnp.asarray(y_pred)
        label = y_true if self.sparse_y_true else jnp.argmax(y_true, axis=self.axis)
        prediction = y_pred if self.sparse_y_pred else jnp.argmax(y_pred, axis=self.axis)
        if label.size != prediction.size:
            raise ValueError(
                f"{self.name}: labels of shape {label.shape} do not fit predictions of shape "
                f"{prediction.shape} (from y_true of shape {y_true.shape} and y_pred of shape "
                f"{y_pred.shape}); set sparse_y_true and sparse_y_pred to False where they have a "
                "class axis"
            )
        label = label.reshape(-1).astype(self.dtype)
        prediction = prediction.reshape(-1).astype(self.dtype)
        counted = (label >= 0) & (label < self.num_classes)
        counted &= (prediction >= 0) & (prediction < self.num_classes)
        if self.ignore_class is not None:
            counted &= label != self.ignore_class
        cell = label.astype(jnp.int32) * self.num_classes + prediction.astype(jnp.int32)
        # a cell past the end is dropped
        cell = jnp.where(counted, cell, self.num_classes**2)
        matrix = (
            self.total_cm.value.reshape(-1)
            .at[cell]
            .add(self._weight(sample_weight, label.shape), mode="drop")
        )
        self.total_cm.assign(matrix.reshape(self.num_classes, self.num_classes))

    def _weight(self, sample_weight, shape: tuple[int, ...]):
        if sample_weight is None:
            return 1
        given = getattr(sample_weight, "dtype", None)
        if given is not None and is_float(given) and not is_float(self.dtype):
            warn(
                f"{self.name}: sample_weight of dtype {given} is rounded down to whole numbers, as "
                f"the metric computes in {self.dtype}; pass dtype='float32' to the metric",
            )
        weight = jnp.asarray(sample_weight).astype(self.dtype)
        return spread(self.name, weight.reshape(-1) if weight.ndim > 1 else weight, shape)

    def result(self) -> jax.Array:
        """The mean over the chosen classes that occurred, a scalar; 0 where none did."""
        matrix = self.total_cm.value
        chosen = np.array(self.target_class_ids)
        right = jnp.diagonal(matrix)[chosen]
        union = matrix.sum(axis=0)[chosen] + matrix.sum(axis=1)[chosen] - right
        right, union = right.astype("float32"), union.astype("float32")
        occurred = union > 1e-9
        shares = jnp.where(occurred, right / (union + epsilon()), 0.0)
        return jnp.sum(shares) / (jnp.sum(occurred, dtype="float32") + epsilon())

    def get_config(self) -> dict:
        """The arguments that make an equal metric."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }

    def _config_without(self, *names: str) -> dict:
        return {key: value for key, value in IoU.get_config(self).items() if key not in names}


class BinaryIoU(IoU):
    """The mean intersection over union of class 0, class 1 or both, from scores of class 1.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels 0 or 1 and scores of one shape;
    weights have that shape too.

    Args:
        target_class_ids: `[0]`, `[1]` or `(0, 1)`, the default.
        threshold: scores from this on mean class 1; 0.5 by default.
        name: the name in the logs; by default made from the class's name.
        dtype: name of the dtype of the confusion matrix, "int32" by default.

    Raises:
        ValueError: a class other than 0 and 1.

    Source: https://en.wikipedia.org/wiki/Jaccard_index

    >>> metric = BinaryIoU(target_class_ids=[0, 1], threshold=0.3)
    >>> metric.update_state(np.array([0, 1, 0, 1]), np.array([0.1, 0.2, 0.4, 0.7]))
    >>> round(float(metric.result()), 4)
    0.3333
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype=None,
    ):
        super().__init__(num_classes=2, target_class_ids=target_class_ids, name=name, dtype=dtype)
        self.threshold = threshold

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        """Adds a batch to the confusion matrix."""
        y_pred = jnp.asarray(y_pred, "float32") >= self.threshold
        super().update_state(y_true, y_pred, sample_weight)

    def get_config(self) -> dict:
        """The arguments that make an equal metric."""
        return {
            **Metric.get_config(self),
            "target_class_ids": self.target_class_ids,
            "threshold": self.threshold,
        }


class MeanIoU(IoU):
    """The mean intersection over union of all classes that occur.

    `update_state(y_true, y_pred, sample_weight=None)`: see `IoU`.

    Args:
        num_classes: the number of classes.
        name: the name in the logs; by default made from the class's name.
        dtype: name of the dtype of the confusion matrix, "int32" by default.
        ignore_class: a label to leave out, such as 255 for "void"; none by default.
        sparse_y_true: whether labels are class numbers (the default) or have a class axis.
        sparse_y_pred: whether predictions are class numbers (the default) or have a class axis.
        axis: the class axis, the last by default.

    Source: https://en.wikipedia.org/wiki/Jaccard_index

    >>> metric = MeanIoU(num_classes=2)
    >>> metric.update_state(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))
    >>> round(float(metric.result()), 4)
    0.3333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype=None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        super().__init__(
            num_classes,
            range(num_classes),
            name=name,
            dtype=dtype,
            ignore_class=ignore_class,
            sparse_y_true=sparse_y_true,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )

    def get_config(self) -> dict:
        """The arguments that make an equal metric."""
        return self._config_without("target_class_ids")


class OneHotIoU(IoU):
    """The mean intersection over union of chosen classes, from one-hot labels.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels and scores of a shape such as
    `(batch, height, width, classes)`, and weights of that shape without the class axis.

    Args:
        num_classes: the number of classes.
        target_class_ids: the classes in the mean; those that never occur do not count.
        name: the name in the logs; by default made from the class's name.
        dtype: name of the dtype of the confusion matrix, "int32" by default.
        ignore_class: a label to leave out, such as 255 for "void"; none by default.
        sparse_y_pred: whether predictions are class numbers; by default they have a class axis.
        axis: the class axis, the last by default.

    Raises:
        ValueError: a class outside [0, num_classes).

    Source: https://en.wikipedia.org/wiki/Jaccard_index

    >>> metric = OneHotIoU(num_classes=2, target_class_ids=[1])
    >>> metric.update_state(np.eye(2), np.array([[0.9, 0.1], [0.2, 0.8]]))
    >>> round(float(metric.result()), 4)
    1.0
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype=None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(
            num_classes,
            target_class_ids,
            name=name,
            dtype=dtype,
            ignore_class=ignore_class,
            sparse_y_true=False,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )

    def get_config(self) -> dict:
        """The arguments that make an equal metric."""
        return self._config_without("sparse_y_true")


class OneHotMeanIoU(MeanIoU):
    """The mean intersection over union of all classes that occur, from one-hot labels.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels and scores of a shape such as
    `(batch, height, width, classes)`, and weights of that shape without the class axis.

    Args:
        num_classes: the number of classes.
        name: the name in the logs; by default made from the class's name.
        dtype: name of the dtype of the confusion matrix, "int32" by default.
        ignore_class: a label to leave out, such as 255 for "void"; none by default.
        sparse_y_pred: whether predictions are class numbers; by default they have a class axis.
        axis: the class axis, the last by default.

    Source: https://en.wikipedia.org/wiki/Jaccard_index

    >>> metric = OneHotMeanIoU(num_classes=2)
    >>> metric.update_state(np.eye(2), np.array([[0.9, 0.1], [0.2, 0.8]]))
    >>> round(float(metric.result()), 4)
    1.0
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype=None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(
            num_classes,
            name=name,
            dtype=dtype,
            ignore_class=ignore_class,
            sparse_y_true=False,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )

    def get_config(self) -> dict:
        """The arguments that make an equal metric."""
        return self._config_without("target_class_ids", "sparse_y_true")
