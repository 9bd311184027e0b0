"""Optimizers of Keras with PyTorch's formulas, where the two differ in more than a default.

A network that PyTorch trains, and its port to Keras, only take the same steps if small numbers
stand in the same places. Programs that are written for Keras have these classes in their own text.
"""

from __future__ import annotations

import inspect
import math
import sys
from typing import Any

import cornu as keras


@keras.saving.register_keras_serializable(package="cornu.port")
class TorchAdam(keras.optimizers.Adam):
    """Adam as PyTorch computes it: epsilon is added after the correction of the second moment.

    Keras corrects the learning rate instead, so that its epsilon counts for more in the first
    steps. Source: the formulas of `torch.optim.Adam`.

    >>> TorchAdam(0.001, epsilon=1e-8).epsilon
    1e-08
    """

    def update_step(self, gradient, variable, learning_rate):
        """One step: `rate * m / (1 - b1**t) / (sqrt(v / (1 - b2**t)) + epsilon)`."""
        ops = keras.ops
        dtype = variable.dtype
        rate, gradient = ops.cast(learning_rate, dtype), ops.cast(gradient, dtype)
        step = ops.cast(self.iterations + 1, dtype)
        index = self._get_variable_index(variable)
        first, second = self._momentums[index], self._velocities[index]
        self.assign_add(first, (gradient - first) * (1 - self.beta_1))
        self.assign_add(second, (ops.square(gradient) - second) * (1 - self.beta_2))
        size = second
        if self.amsgrad:
            largest = self._velocity_hats[index]
            self.assign(largest, ops.maximum(largest, second))
            size = largest
        # 1 - beta**step, which float32 would round to a few digits in the first steps
        size = ops.sqrt(size / -ops.expm1(step * math.log(self.beta_2)))
        mean = first / -ops.expm1(step * math.log(self.beta_1))
        self.assign_sub(variable, rate * mean / (size + self.epsilon))


@keras.saving.register_keras_serializable(package="cornu.port")
class TorchAdamW(TorchAdam):
    """AdamW as PyTorch computes it; see `TorchAdam`. Source: `torch.optim.AdamW`."""


@keras.saving.register_keras_serializable(package="cornu.port")
class TorchRMSprop(keras.optimizers.RMSprop):
    """RMSprop as PyTorch computes it: epsilon is added to the root, not under it.

    Source: the formulas of `torch.optim.RMSprop`.

    >>> TorchRMSprop(0.01, rho=0.99, epsilon=1e-8).rho
    0.99
    """

    def update_step(self, gradient, variable, learning_rate):
        """One step: `rate * g / (sqrt(v) + epsilon)`, or with momentum the sum of such."""
        ops = keras.ops
        dtype = variable.dtype
        rate, gradient = ops.cast(learning_rate, dtype), ops.cast(gradient, dtype)
        index = self._get_variable_index(variable)
        square = self._velocities[index]
        self.assign_add(square, (ops.square(gradient) - square) * (1 - self.rho))
        size = square
        if self.centered:
            mean = self._average_gradients[index]
            self.assign_add(mean, (gradient - mean) * (1 - self.rho))
            size = square - ops.square(mean)
        change = gradient / (ops.sqrt(size) + self.epsilon)
        if self.momentum > 0:
            sum_of_changes = self._momentums[index]
            self.assign(sum_of_changes, self.momentum * sum_of_changes + change)
            change = sum_of_changes
        self.assign_sub(variable, rate * change)


@keras.saving.register_keras_serializable(package="cornu.port")
class TorchAdagrad(keras.optimizers.Adagrad):
    """Adagrad as PyTorch computes it: epsilon is added to the root, not under it.

    Source: the formulas of `torch.optim.Adagrad`.

    >>> TorchAdagrad(0.01, initial_accumulator_value=0.0, epsilon=1e-10).epsilon
    1e-10
    """

    def update_step(self, gradient, variable, learning_rate):
        """One step: `rate * g / (sqrt(sum of squares) + epsilon)`."""
        ops = keras.ops
        dtype = variable.dtype
        rate, gradient = ops.cast(learning_rate, dtype), ops.cast(gradient, dtype)
        total = self._accumulators[self._get_variable_index(variable)]
        self.assign_add(total, ops.square(gradient))
        self.assign_sub(variable, rate * gradient / (ops.sqrt(total) + self.epsilon))


@keras.saving.register_keras_serializable(package="cornu.port")
class TorchAdamax(keras.optimizers.Adamax):
    """Adamax as PyTorch computes it: epsilon is added before the maximum is taken.

    Source: the formulas of `torch.optim.Adamax`.

    >>> TorchAdamax(0.002, epsilon=1e-8).beta_2
    0.999
    """

    def update_step(self, gradient, variable, learning_rate):
        """One step: `rate / (1 - b1**t) * m / u`, u the decaying maximum of `|g| + epsilon`."""
        ops = keras.ops
        dtype = variable.dtype
        rate, gradient = ops.cast(learning_rate, dtype), ops.cast(gradient, dtype)
        step = ops.cast(self.iterations + 1, dtype)
        index = self._get_variable_index(variable)
        mean, largest = self._m[index], self._u[index]
        self.assign_add(mean, (gradient - mean) * (1 - self.beta_1))
        size = ops.absolute(gradient) + self.epsilon
        self.assign(largest, ops.maximum(self.beta_2 * largest, size))
        correction = -ops.expm1(step * math.log(self.beta_1))
        self.assign_sub(variable, rate / correction * mean / largest)


@keras.saving.register_keras_serializable(package="cornu.port")
class TorchSGD(keras.optimizers.SGD):
    """SGD with momentum as PyTorch computes it: the learning rate is not part of the momentum.

    The two are the same as long as the learning rate is. Source: `torch.optim.SGD`.

    >>> TorchSGD(0.1, momentum=0.9).momentum
    0.9
    """

    def update_step(self, gradient, variable, learning_rate):
        """One step: `rate * (sum of past gradients, each fading by the momentum)`."""
        ops = keras.ops
        dtype = variable.dtype
        rate, gradient = ops.cast(learning_rate, dtype), ops.cast(gradient, dtype)
        if self.momentum != 0:
            past = self.momentums[self._get_variable_index(variable)]
            self.assign(past, self.momentum * past + gradient)
            gradient = gradient + self.momentum * past if self.nesterov else past
        self.assign_sub(variable, rate * gradient)


CLASSES = {
    "Adam": TorchAdam,
    "AdamW": TorchAdamW,
    "RMSprop": TorchRMSprop,
    "Adagrad": TorchAdagrad,
    "Adamax": TorchAdamax,
    "SGD": TorchSGD,
}


def register_with(library: Any) -> None:
    """Makes the classes known to Keras itself, so that it can read models that have them."""
    for cls in CLASSES.values():
        known = library.saving.get_registered_object(f"cornu.port>{cls.__name__}")
        if known is None:
            text = inspect.getsource(sys.modules[__name__])
            text = text.replace("import cornu as keras", "import keras")
            exec(
                compile(text, "<optimizers with PyTorch's formulas>", "exec"), {"__name__": "port"}
            )
            return
