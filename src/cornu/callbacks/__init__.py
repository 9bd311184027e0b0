"""Callbacks: code that runs along with `fit`, `evaluate` and `predict`."""

from cornu.callbacks.averaging import SwapEMAWeights
from cornu.callbacks.boundary_movie import DecisionBoundary
from cornu.callbacks.callback import Callback, LambdaCallback
from cornu.callbacks.callback_list import CallbackList
from cornu.callbacks.checkpoints import BackupAndRestore, ModelCheckpoint
from cornu.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from cornu.callbacks.loggers import CSVLogger, History, ProgbarLogger
from cornu.callbacks.monitor import EarlyStopping, TerminateOnNaN
from cornu.callbacks.movies import Movie
from cornu.callbacks.picture_movies import ConfusionMovie, LayerImages
from cornu.callbacks.tensorboard import TensorBoard

__all__ = [
    "Callback",
    "CallbackList",
    "LambdaCallback",
    "History",
    "CSVLogger",
    "ProgbarLogger",
    "EarlyStopping",
    "TerminateOnNaN",
    "LearningRateScheduler",
    "ReduceLROnPlateau",
    "ModelCheckpoint",
    "BackupAndRestore",
    "SwapEMAWeights",
    "TensorBoard",
    "Movie",
    "DecisionBoundary",
    "LayerImages",
    "ConfusionMovie",
]
