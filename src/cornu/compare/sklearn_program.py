"""The program that trains a network with scikit-learn: its MLPClassifier or MLPRegressor."""

from __future__ import annotations

from typing import Any

from cornu.compare.sklearn_chain import (
    ACTIVATIONS,
    SETTINGS,
    chain_of,
    checked_optimizer,
    require_loss,
)
from cornu.port.heads import logits_out
from cornu.port.network import Network, PortError
from cornu.port.source_text import chosen, literal

_NAMES = {"nesterov": "nesterovs_momentum"}
_FOR_TWO = (
    "with two classes scikit-learn has one sigmoid unit where the network has a softmax of two"
)


def sklearn_source(network: Network, own: bool = True) -> tuple[str, list[str]]:
    """A program that builds, trains and evaluates a network with scikit-learn alone.

    Args:
        network: in any layout: Dense layers one after another, behind a Flatten or not, with a
            training.
        own: whether scikit-learn's own defaults stand where the network has Keras' defaults
            (the momentum of SGD, epsilon, alpha). Default True; otherwise every setting that
            scikit-learn has is written as the network has it.

    Returns:
        `(source, notes)`: the program, with `build(seed=None)`, `train`, `evaluate` and `predict`;
        and a sentence on each thing that it does otherwise than the network.

    Raises:
        PortError: what scikit-learn's networks cannot have.

    >>> import numpy as np
    >>> from cornu.port.network import Operation, apply, entrance
    >>> from cornu.port.training import Loss, Optimizer, Training
    >>> x = entrance("x", (None, 2))
    >>> dense = Operation("Dense", "dense", {"units": 1}, {"kernel": np.ones((2, 1)), "bias": 0})
    >>> training = Training([Loss("mean_squared_error")], Optimizer("Adam"))
    >>> net = Network([x], [apply(dense, x, shape=(None, 1))], training=training)
    >>> "MLPRegressor(" in sklearn_source(net)[0]
    True
    """
    program = _Program(network, own)
    return program.source(), program.notes


def sklearn_habits(network: Network) -> list[str]:
    """What the program of `sklearn_source(network)` does by scikit-learn's own defaults.

    Raises:
        PortError: as `sklearn_source`.
    """
    return _Program(network, own=True).habits()


class _Program:
    def __init__(self, network: Network, own: bool):
        self.own, self.name = own, network.name
        self.notes: list[str] = []
        if network.training is None or not any(network.training.losses):
            raise PortError(
                "a network without a loss", None, "Compile it: scikit-learn's networks are trained"
            )
        if len(network.inputs) > 1 or len(network.outputs) > 1:
            raise PortError("scikit-learn's networks have one input and one output")
        self.network = logits_out(network)
        training = self.network.training
        assert training is not None
        loss = training.losses[0]
        assert loss is not None
        self.loss, self.metrics = loss, training.metrics
        self.chain = chain_of(self.network)
        require_loss(self.loss, self.chain)
        self.kind = self._kind()
        self.optimizer = checked_optimizer(training)
        self.batch_size = training.batch_size or 32
        self.epochs = training.epochs or 10

    def _kind(self) -> str:
        if self.loss.kind == "mean_squared_error":
            return "regression"
        if self.loss.kind == "binary_crossentropy":
            return "binary" if self.chain.units == 1 else "several"
        if self.chain.units < 2:
            raise PortError("a softmax of one unit is always 1", None, "Use sigmoid, or two units")
        if self.chain.units == 2:
            self.notes.append(_FOR_TWO)
        return "one-hot" if self.loss.kind == "categorical_crossentropy" else "classes"

    @property
    def _factor(self) -> float:
        """How many times the gradients of the network's loss scikit-learn's are.

        It sums over the outputs where Keras takes their mean, and halves a squared error.
        """
        if self.kind == "regression":
            return self.chain.units / 2
        return float(self.chain.units) if self.kind == "several" else 1.0

    # -- arguments ---------------------------------------------------------------------------------

    def arguments(self) -> dict[str, Any]:
        """Those of MLPClassifier or MLPRegressor, in order."""
        chain, factor = self.chain, self._factor
        kind, given = self.optimizer.kind, self.optimizer.settings
        function = chain.functions[0] if chain.functions else "relu"
        rate = given.get("learning_rate", 0.01 if kind == "SGD" else 0.001)
        found: dict[str, Any] = {
            "hidden_layer_sizes": tuple(chain.hidden),
            "activation": ACTIVATIONS[function],
            "solver": kind.lower(),
            "learning_rate_init": rate,
        }
        if kind == "SGD" and factor != 1:
            found["learning_rate_init"] = rate / factor
            self._note(
                f"scikit-learn's gradients are {factor:g} times those of the network's loss, "
                f"so its learning rate is {rate:g} / {factor:g}"
            )
        for name, (default, _) in SETTINGS[kind].items():
            value = given.get(name, default)
            if not self.own or self._is_stated(name, value):
                found[_NAMES.get(name, name)] = value * factor if name == "epsilon" else value
        if chain.l2 or not self.own:
            # scikit-learn divides alpha / 2 by the rows of the batch
            found["alpha"] = float(f"{2 * chain.l2 * self.batch_size * factor:.12g}")
        if chain.l2:
            self._note(
                "scikit-learn divides its penalty by the rows of each batch, so that of a smaller "
                "last batch is larger"
            )
        found["batch_size"] = self.batch_size
        return found

    def _is_stated(self, name: str, value: Any) -> bool:
        """Whether the network has a setting that is not Keras' default."""
        settings = SETTINGS[self.optimizer.kind]
        if name == "nesterov":
            return self._is_stated("momentum", self.optimizer.settings.get("momentum", 0.0))
        return value != settings[name][0]

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def habits(self) -> list[str]:
        """What is as scikit-learn has it by default."""
        given, kind = self.arguments(), self.optimizer.kind
        bound = 2 if given["activation"] == "logistic" else 6
        found = [
            f"weights and biases: uniform within sqrt({bound} / (inputs + outputs)) of each layer"
        ]
        for name, (keras_default, default) in SETTINGS[kind].items():
            is_own = _NAMES.get(name, name) not in given and default != keras_default
            if is_own and name != "nesterov":
                what = " with Nesterov's correction" if name == "momentum" else ""
                found.append(f"{name.replace('_', ' ')} of {kind}: {default:g}{what}")
        if "alpha" not in given:
            found.append(
                "L2 penalty of the kernels: alpha 0.0001, that is 0.00005 / rows of the batch"
            )
        found.append("accuracy in training: of all rows, after each epoch")
        return found

    # -- the program -------------------------------------------------------------------------------

    def source(self) -> str:
        """The program."""
        lines = []
        for name, value in self.arguments().items():
            if isinstance(value, float):
                value = float(f"{value:.12g}")
            lines.append(f"        {name}={literal(value)},")
        units = self.chain.units
        words = {
            "NAME": self.name,
            "ARGUMENTS": "\n".join(lines),
            "EPOCHS": str(self.epochs),
            "BATCH_SIZE": str(self.batch_size),
            "UNITS": str(units),
            "CLASSES": "2" if self.kind == "binary" else str(units),
        }
        flags = {self.kind, "one"} if units == 1 else {self.kind}
        if self.kind not in ("several", "regression"):
            flags.add("plain")
        # "accuracy" of several outputs is the share of largest ones for Keras
        if self.kind == "binary" or (self.kind == "several" and "accuracy" not in self.metrics):
            flags.add("halves")
        text = chosen(_TEMPLATE, flags)
        for word, value in words.items():
            text = text.replace(f"<{word}>", value)
        return text.rstrip("\n") + "\n"


_TEMPLATE = '''
"""<NAME> in scikit-learn."""

import argparse

import numpy as np
from sklearn.metrics import log_loss  #? !regression
from sklearn.neural_network import MLPClassifier  #? !regression
from sklearn.neural_network import MLPRegressor  #? regression


def build(seed=None):
    """The network and its optimizer; its weights are drawn when training begins."""
    return MLPClassifier(  #? !regression
    return MLPRegressor(  #? regression
<ARGUMENTS>
        # a number would give the rows the same order in each epoch
        random_state=np.random.RandomState(seed),
    )


def targets(x, y):
    """x as rows of numbers, and y as scikit-learn takes it."""
    return x.reshape(len(x), -1), y.ravel().astype(int)  #? classes|binary
    return x.reshape(len(x), -1), y.argmax(axis=1)  #? one-hot
    return x.reshape(len(x), -1), y.astype(int)  #? several
    return x.reshape(len(x), -1), y.ravel()  #? regression one
    return x.reshape(len(x), -1), y  #? regression !one


def train(model, x, y, epochs=<EPOCHS>, batch_size=<BATCH_SIZE>):
    """Trains on all samples, in another order in each epoch."""
    rows, wanted = targets(x, y)
    model.batch_size = min(batch_size, len(rows))
    for epoch in range(epochs):
        model.partial_fit(rows, wanted, classes=np.arange(<CLASSES>))  #? !regression
        right = accuracy(model, x, y)  #? !regression
        print(f"epoch {epoch + 1}: loss {model.loss_:.4f}, accuracy {right:.4f}")  #? plain
        loss = model.loss_ / <UNITS>  # which is the sum over the outputs  #? several
        print(f"epoch {epoch + 1}: loss {loss:.4f}, accuracy {right:.4f}")  #? several
        model.partial_fit(rows, wanted)  #? regression
        loss = 2 * model.loss_  # which is half the mean squared error  #? regression
        print(f"epoch {epoch + 1}: loss {loss:.4f}")  #? regression


def predict(model, x):
    """The probability of each class."""  #? classes|one-hot
    """The probability of each output to be 1."""  #? binary|several
    """The outputs."""  #? regression
    return model.predict_proba(x.reshape(len(x), -1))  #? classes|one-hot|several
    return model.predict_proba(x.reshape(len(x), -1))[:, 1:]  #? binary
    return model.predict(x.reshape(len(x), -1)).reshape(len(x), -1)  #? regression


def accuracy(model, x, y):  #? !regression
    """The share of samples whose class is right."""  #? !halves
    """The share of outputs on the right side of one half."""  #? halves
    return (predict(model, x).argmax(axis=1) == targets(x, y)[1]).mean()  #? classes|one-hot
    return (predict(model, x).argmax(axis=1) == y.argmax(axis=1)).mean()  #? several !halves
    return ((predict(model, x) > 0.5) == (y.reshape(len(x), -1) > 0.5)).mean()  #? halves
  #? !regression
  #? !regression
def evaluate(model, x, y):
    """The loss and the accuracy."""  #? !regression
    """The mean squared error."""  #? regression
    probabilities, wanted = predict(model, x), targets(x, y)[1]  #? !regression
    loss = log_loss(wanted, probabilities, labels=np.arange(<CLASSES>))  #? classes|one-hot
    loss = log_loss(wanted.ravel(), probabilities.ravel(), labels=[0, 1])  #? binary|several
    return loss, accuracy(model, x, y)  #? !regression
    return np.square(predict(model, x) - y.reshape(len(y), -1)).mean()  #? regression


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="an .npz file with x and y")
    parser.add_argument("--epochs", type=int, default=<EPOCHS>)
    parser.add_argument("--batch-size", type=int, default=<BATCH_SIZE>)
    parser.add_argument("--seed", type=int)
    arguments = parser.parse_args()
    data = np.load(arguments.data)
    x, y = data["x"], data["y"]
    model = build(arguments.seed)
    train(model, x, y, arguments.epochs, arguments.batch_size)
    print("loss {:.4f}, accuracy {:.4f}".format(*evaluate(model, x, y)))  #? !regression
    print(f"loss {evaluate(model, x, y):.4f}")  #? regression
'''
