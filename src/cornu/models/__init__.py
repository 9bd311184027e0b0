"""Models: networks that can be compiled, trained, evaluated and asked for predictions."""

from cornu.models.cloning import clone_model, model_from_config, model_from_json
from cornu.models.functional import Functional
from cornu.models.model import Model
from cornu.models.sequential import Sequential
from cornu.saving import load_model, save_model

__all__ = [
    "Functional",
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_config",
    "model_from_json",
    "save_model",
]
