"""`keras.wrappers.scikit_learn`: a network that scikit-learn trains and searches with.

Source of the behaviour: `keras.wrappers.scikit_learn` of Keras 2.
"""

from __future__ import annotations

import copy
import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.models import Model

__all__ = ["KerasClassifier", "KerasRegressor", "scikit_learn"]

_METHODS = ("fit", "predict", "evaluate")


class _Wrapper:
    """What both share: arguments for the function that makes the model, and for its methods."""

    _estimator_type = ""
    model: Any

    def __init__(self, build_fn: Callable | None = None, **sk_params: Any):
        self.build_fn = build_fn
        self.sk_params = sk_params
        known = {"nb_epoch", *self._parameters(self._build)}
        for method in _METHODS:
            known |= self._parameters(getattr(Model, method))
        unknown = [name for name in sk_params if name not in known]
        if unknown:
            raise ValueError(
                f"{type(self).__name__}({unknown[0]}=...): neither the function that makes the "
                "model takes that, nor fit, predict or evaluate"
            )

    @property
    def _build(self) -> Callable:
        if self.build_fn is None:
            return self.__call__  # type: ignore[operator]
        return self.build_fn

    @staticmethod
    def _parameters(function: Callable) -> set[str]:
        return set(inspect.signature(function).parameters)

    def _for(self, function: Callable, given: dict) -> dict:
        names = self._parameters(function) | {"nb_epoch"} & set(self.sk_params)
        wanted = {key: value for key, value in self.sk_params.items() if key in names}
        return {**wanted, **given}

    def get_params(self, deep: bool = True) -> dict:
        """The arguments, as scikit-learn asks for them."""
        # scikit-learn's clone holds what it gets here against what it gave
        return {**self.sk_params, "build_fn": self.build_fn}

    def set_params(self, **params: Any) -> _Wrapper:
        """Changes arguments, as scikit-learn does."""
        self.build_fn = params.pop("build_fn", self.build_fn)
        self.sk_params.update(params)
        return self

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, RegressorTags, Tags, TargetTags

        is_classifier = self._estimator_type == "classifier"
        return Tags(
            estimator_type=self._estimator_type,
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags() if is_classifier else None,
            regressor_tags=None if is_classifier else RegressorTags(),
        )

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Makes the model and trains it; returns the history."""
        build = self._build
        names = self._parameters(build)
        given = {key: value for key, value in self.sk_params.items() if key in names}
        self.model = build(**copy.deepcopy(given))
        y = np.asarray(y)
        loss = self.model.loss
        if getattr(loss, "__name__", loss) == "categorical_crossentropy" and y.ndim != 2:
            y = np.eye(int(y.max()) + 1)[y.astype(int)]
        training = self._for(self.model.fit, kwargs)
        training = {key: value for key, value in training.items() if key not in names}
        return self.model.fit(x, y, **{**training, **kwargs})

    def _outputs(self, x: Any, kwargs: dict) -> np.ndarray:
        wanted = ("batch_size", "verbose", "steps")
        given = {key: self.sk_params[key] for key in wanted if key in self.sk_params}
        return self.model.predict(x, **{**given, **kwargs})

    def _measured(self, x: Any, y: Any, kwargs: dict) -> dict:
        wanted = ("batch_size", "verbose", "sample_weight", "steps")
        given = {key: self.sk_params[key] for key in wanted if key in self.sk_params}
        return self.model.evaluate(x, y, **{**given, **kwargs, "return_dict": True})


class KerasClassifier(_Wrapper):
    """A network as a classifier of scikit-learn's.

    Args:
        build_fn: a function that returns a compiled model.
        **sk_params: arguments for it, and for `fit`, `predict` and `evaluate`.

    Attributes:
        model: the model, once it is trained; classes_: the labels.

    Raises ValueError for an argument that none of them takes.
    """

    _estimator_type = "classifier"

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Makes the model and trains it on labels (rows,), or one-hot (rows, classes)."""
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        else:
            self.classes_ = np.unique(y)
            y = np.searchsorted(self.classes_, y)
        self.n_classes_ = len(self.classes_)
        return super().fit(x, y, **kwargs)

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The label of each row."""
        outputs = self._outputs(x, kwargs)
        if outputs.shape[-1] > 1:
            return self.classes_[outputs.argmax(axis=-1)]
        return self.classes_[(outputs > 0.5).astype("int32")]

    def predict_proba(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The probabilities (rows, classes)."""
        outputs = self._outputs(x, kwargs)
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """The accuracy, which the model must have among its metrics."""
        y = np.asarray(y)
        if y.ndim == 1 or y.shape[1] == 1:
            y = np.searchsorted(self.classes_, y)
            loss = self.model.loss
            if getattr(loss, "__name__", loss) == "categorical_crossentropy":
                y = np.eye(self.n_classes_)[y.reshape(-1)]
        measured = self._measured(x, y, kwargs)
        for name in ("acc", "accuracy"):
            if name in measured:
                return measured[name]
        raise ValueError(
            "KerasClassifier.score: the model measures no accuracy; compile it with "
            "metrics=['accuracy']"
        )


class KerasRegressor(_Wrapper):
    """A network as a regressor of scikit-learn's.

    Args:
        build_fn: a function that returns a compiled model.
        **sk_params: arguments for it, and for `fit`, `predict` and `evaluate`.

    Attributes:
        model: the model, once it is trained.

    Raises ValueError for an argument that none of them takes.
    """

    _estimator_type = "regressor"

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The outputs, (rows,) where there is one."""
        return np.squeeze(self._outputs(x, kwargs))

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """Minus the loss, so that more is better."""
        return -self._measured(x, y, kwargs)["loss"]


scikit_learn = sys.modules[__name__]
