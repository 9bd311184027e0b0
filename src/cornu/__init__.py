"""Cornu: the Keras workflow - define, compile, fit, evaluate, predict - on JAX.

`import cornu as keras` is enough to run a program written for Keras 3.
"""

from typing import TYPE_CHECKING

from cornu import (
    activations,
    backend,
    callbacks,
    check,
    config,
    constraints,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    random,
    regularizers,
    saving,
    utils,
)
from cornu.core import hooks
from cornu.core.dtypes import DTypePolicy
from cornu.core.names import explain_missing_names
from cornu.core.random import SeedGenerator
from cornu.core.variable import Variable
from cornu.graph import KerasTensor
from cornu.initializers import Initializer
from cornu.layers import Input, InputSpec, Layer
from cornu.losses import Loss
from cornu.metrics import Metric
from cornu.models import Functional, Model, Sequential
from cornu.models.sweep import sweep
from cornu.optimizers import Optimizer
from cornu.regularizers import Regularizer

if TYPE_CHECKING:
    from cornu import compare, plot, port

__version__ = "0.1.0"

__all__ = [
    "DTypePolicy",
    "Functional",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Regularizer",
    "SeedGenerator",
    "Sequential",
    "Variable",
    "__version__",
    "activations",
    "backend",
    "callbacks",
    "check",
    "compare",
    "config",
    "constraints",
    "datasets",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "plot",
    "port",
    "random",
    "regularizers",
    "saving",
    "sweep",
    "utils",
]


def _to_onnx(model, path) -> None:
    from cornu.port import to_onnx

    to_onnx(model, path)


hooks.to_onnx = _to_onnx
# these are imported when they are first asked for: most programs never do
explain_missing_names(__name__, later=("compare", "plot", "port"))
