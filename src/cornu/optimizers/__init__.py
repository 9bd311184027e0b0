"""Optimizers: how weights change by their gradients."""

from cornu.optimizers import schedules
from cornu.optimizers.adafactor import Adafactor
from cornu.optimizers.adagrad import Adadelta, Adagrad, RMSprop
from cornu.optimizers.adam import Adam, Adamax, AdamW
from cornu.optimizers.find import deserialize, get, serialize
from cornu.optimizers.ftrl import Ftrl
from cornu.optimizers.lamb import Lamb
from cornu.optimizers.loss_scale import LossScaleOptimizer
from cornu.optimizers.multi import MultiOptimizer, OptimizerMap
from cornu.optimizers.muon import Muon
from cornu.optimizers.nadam import Nadam
from cornu.optimizers.optax_optimizer import OptaxOptimizer
from cornu.optimizers.optimizer import Optimizer
from cornu.optimizers.schedule_free import ScheduleFreeAdamW
from cornu.optimizers.sgd import SGD, Lion

__all__ = [
    "Optimizer",
    "SGD",
    "RMSprop",
    "Adam",
    "AdamW",
    "Adamax",
    "Nadam",
    "Adadelta",
    "Adagrad",
    "Adafactor",
    "Ftrl",
    "Lion",
    "Lamb",
    "Muon",
    "ScheduleFreeAdamW",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "OptimizerMap",
    "OptaxOptimizer",
    "schedules",
    "get",
    "serialize",
    "deserialize",
]
