"""Names that Keras 1, Keras 2 and tf.keras had and Keras 3 has not, in today's words.

Only what has another name today, or none, is here; names that are there need no entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

import cornu
from cornu.core.names import missing
from cornu.dialects import older_backend
from cornu.dialects.older_modules import older_module
from cornu.dialects.refusal import refusing

_GONE_LAYERS = (
    "Highway LocallyConnected1D LocallyConnected2D MaxoutDense ParametricSoftplus SReLU "
    "TimeDistributedDense"
)


def find(module: ModuleType, name: str) -> Any:
    """What a public module of Cornu gives a program for a name that it lacks.

    Raises AttributeError where no year's Keras had it there.
    """
    path = module.__name__.partition(".")[2]
    today = _RENAMED.get(path, {}).get(name)
    if today is not None:
        if today not in vars(module):  # it is still to come
            raise AttributeError(missing(module, today))
        return getattr(module, today)
    if name in _WRITTEN_HERE.get(path, {}):
        return _WRITTEN_HERE[path][name]
    if path == "backend":
        try:
            return older_backend.find(name)
        except AttributeError:
            pass
    older = older_module(f"{path}.{name}" if path else name)
    if older is not None:
        return older
    raise AttributeError


def merge(
    inputs: Sequence[Any],
    mode: str = "sum",
    dot_axes: Any = -1,
    concat_axis: int = -1,
    name: str | None = None,
    **kwargs: Any,
) -> Any:
    """Keras 1: one tensor of several.

    Args:
        inputs: symbolic tensors.
        mode: "sum", "mul", "concat", "ave", "max", "dot" or "cos".
        dot_axes: the axes of the products of "dot" and "cos".
        concat_axis: the axis of "concat".
        name: of the layer.

    Raises:
        ValueError: another mode, or a function, which Lambda does.
    """
    layers = cornu.layers
    if mode == "concat":
        return layers.Concatenate(axis=concat_axis, name=name)(inputs)
    if mode in ("dot", "cos"):
        axes = (
            tuple(one[0] if isinstance(one, (list, tuple)) else one for one in dot_axes)
            if (isinstance(dot_axes, (list, tuple)))
            else dot_axes
        )
        return layers.Dot(axes, normalize=mode == "cos", name=name)(inputs)
    known = {
        "sum": layers.Add,
        "mul": layers.Multiply,
        "ave": layers.Average,
        "max": layers.Maximum,
    }
    if mode not in known:
        raise ValueError(
            f"merge(mode={mode!r}): expected one of {', '.join(known)}, concat, dot, cos; "
            "keras.layers.Lambda computes a function of your own"
        )
    return known[mode](name=name)(inputs)


def probas_to_classes(y_pred: Any) -> np.ndarray:
    """Keras 1: the classes (rows,) of outputs (rows, classes), or (rows, 1) or (rows,)."""
    y_pred = np.asarray(y_pred)
    if y_pred.ndim > 1 and y_pred.shape[1] > 1:
        return y_pred.argmax(axis=1)
    return (y_pred.reshape(-1) > 0.5).astype(int)


def one_device_model(model: Any, gpus: Any = None, **kwargs: Any) -> Any:
    """Keras 2's `multi_gpu_model`: the model itself, which one device trains to the same end."""
    return model


_RENAMED: dict[str, dict[str, str]] = {
    "": {"objectives": "losses", "initializations": "initializers"},
    "layers": {
        "AtrousConv1D": "Conv1D",
        "AtrousConv2D": "Conv2D",
        "AtrousConvolution1D": "Conv1D",
        "AtrousConvolution2D": "Conv2D",
        "CuDNNGRU": "GRU",
        "CuDNNLSTM": "LSTM",
        "Deconv2D": "Conv2DTranspose",
        "Deconv3D": "Conv3DTranspose",
        "Deconvolution2D": "Conv2DTranspose",
        "Deconvolution3D": "Conv3DTranspose",
        "BatchNormalizationV1": "BatchNormalization",
        "BatchNormalizationV2": "BatchNormalization",
        "SyncBatchNormalization": "BatchNormalization",
    },
    "constraints": {
        "maxnorm": "max_norm",
        "nonneg": "non_neg",
        "unitnorm": "unit_norm",
    },
    "regularizers": {
        "ActivityRegularizer": "L1L2",
        "WeightRegularizer": "L1L2",
        "activity_l1": "l1",
        "activity_l1l2": "l1_l2",
        "activity_l2": "l2",
        "l1l2": "l1_l2",
    },
    "initializers": {
        "normal": "RandomNormal",
        "one": "Ones",
        "uniform": "RandomUniform",
        "zero": "Zeros",
    },
    "losses": {
        "cosine": "cosine_similarity",
        "cosine_proximity": "cosine_similarity",
    },
    "metrics": {
        "KLD": "kl_divergence",
        "MAE": "mean_absolute_error",
        "MAPE": "mean_absolute_percentage_error",
        "MSE": "mean_squared_error",
        "MSLE": "mean_squared_logarithmic_error",
        "kld": "kl_divergence",
        "kullback_leibler_divergence": "kl_divergence",
        "mae": "mean_absolute_error",
        "mape": "mean_absolute_percentage_error",
        "mse": "mean_squared_error",
        "msle": "mean_squared_logarithmic_error",
    },
}

_WRITTEN_HERE: dict[str, dict[str, Any]] = {
    "layers": {
        "merge": merge,
        "Merge": refusing(
            "Merge",
            "keras.layers.Merge joined whole networks inside a Sequential; write the network with "
            "Input and merge or Concatenate: concatenate([left.output, right.output]), "
            "Model([left.input, right.input], ...)",
        ),
        **{
            name: refusing(name, f"keras.layers.{name}: no year's Keras since 3 has it, nor Cornu")
            for name in _GONE_LAYERS.split()
        },
    },
    "models": {
        "Graph": refusing("Graph", "keras.models.Graph: use Input and Model(inputs, outputs)"),
    },
    "utils": {
        "HDF5Matrix": refusing(
            "HDF5Matrix", "HDF5Matrix: read the file with h5py: h5py.File(path)['name'][:]"
        ),
        "categorical_probas_to_classes": probas_to_classes,
        "multi_gpu_model": one_device_model,
        "plot_model": refusing(
            "plot_model", "plot_model: Cornu draws no networks yet; model.summary() prints it"
        ),
        "probas_to_classes": probas_to_classes,
    },
}
_WRITTEN_HERE["models"] |= {"Input": cornu.Input, "Merge": _WRITTEN_HERE["layers"]["Merge"]}
_WRITTEN_HERE["utils"]["plot"] = _WRITTEN_HERE["utils"]["plot_model"]
