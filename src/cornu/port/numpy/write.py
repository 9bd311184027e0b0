"""Writing a `Network` as a program that needs nothing but NumPy."""

from __future__ import annotations

import re
import types
from pathlib import Path
from typing import Any

import numpy as np

from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.port.heads import logits_out, moved_activations
from cornu.port.layout import change_layout
from cornu.port.network import Names, Network, Operation, PortError
from cornu.port.numpy import losses as numpy_losses
from cornu.port.numpy import program as templates
from cornu.port.numpy.classes import LAYERS, Layer, NetworkClass, classes_of
from cornu.port.numpy.kinds import use_of
from cornu.port.numpy.optimizers import optimizer_source
from cornu.port.source_text import Code, chosen, fitted, literal

_WITH_SIGMOID = frozenset({"Sigmoid", "LogSigmoid", "Softplus", "SiLU", "Mish", "GLU"})
# Constants up to this size are written into the program; larger ones go beside the weights.
_WRITTEN = 16


def numpy_source(network: Network, weights: str = "weights.npz") -> str:
    """A NumPy program that computes a network, and trains it where the network has a training.

    Args:
        network: in any layout; the program takes images with their channels last.
        weights: the name of the file with the weights, beside the program.

    Returns:
        Source of a module with a class `Network` and functions that load, train and use it.

    Raises:
        PortError: what NumPy programs cannot do, by name and place.

    >>> from cornu.port.network import Network, Operation, apply, entrance
    >>> x = entrance("x", (None, 2))
    >>> dense = Operation("Dense", "dense", {"units": 1}, {"kernel": np.ones((2, 1), "float32")})
    >>> "class Dense:" in numpy_source(Network([x], [apply(dense, x, shape=(None, 1))]))
    True
    """
    return _Program(network, weights).source()


def write_numpy(network: Network, dtype: str | None = None) -> types.ModuleType:
    """The program of `numpy_source` as a module, with the network's weights in it.

    Args:
        network: in any layout.
        dtype: of the weights, and so of all that is computed. Default that of the network's.

    Returns:
        A module; besides what the program defines, its `network` is the `Network` object with its
        weights, and `optimizer` the optimizer of these weights, or None.
    """
    program = _Program(network, "weights.npz")
    module = types.ModuleType(f"{program.network.name}_numpy")
    module.__file__ = f"{program.network.name}.py"
    exec(compile(program.source(), module.__file__, "exec"), module.__dict__)
    arrays = program.arrays()
    if dtype is not None:
        arrays = {key: value.astype(dtype) for key, value in arrays.items()}
    module.network = module.Network(arrays)  # type: ignore[attr-defined]
    module.optimizer = None  # type: ignore[attr-defined]
    if program.optimizer is not None:
        optimizer = getattr(module, program.optimizer)
        module.optimizer = optimizer(module.network.parameters)  # type: ignore[attr-defined]
    return module


def write_numpy_files(network: Network, folder: str | Path) -> list[Path]:
    """Writes the program and its weights into a folder; returns their paths."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    program = _Program(network, f"{network.name}.npz")
    source = folder / f"{network.name}.py"
    source.write_text(program.source(), encoding="utf-8")
    np.savez(folder / program.weights, **program.arrays())  # type: ignore[arg-type]
    return [source, folder / program.weights]


def numpy_network(network: Network) -> Network:
    """The network that a NumPy program computes: channels last, and logits in front of a loss."""
    network = logits_out(change_layout(network, "channels_last"))
    return _without_idle(network)


def _without_idle(network: Network) -> Network:
    """The network without nodes that do nothing."""

    def make(node: Node, args: tuple) -> KerasTensor:
        from cornu.port.network import apply

        idle = node.operation == "Identity" or (
            node.operation == "activation" and node.attributes["function"] == "linear"
        )
        if idle and args[0].node.operation != "InputLayer":
            return args[0]
        out = node.outputs[0]
        return apply(node.target, *args, shape=out.shape, dtype=out.dtype)

    for operation in network.operations:
        if hasattr(operation, "_calls"):
            operation._calls = 0
    return network.rebuild(make)


class _Program:
    def __init__(self, network: Network, weights: str):
        self.weights = weights
        self.moved = moved_activations(network)
        self.network = network = numpy_network(network)
        self.constants: dict[str, np.ndarray] = {}
        dtypes = [value.dtype for _, _, value in network.weights() if value.dtype.kind == "f"]
        self.dtype = dtypes[0] if dtypes else np.dtype("float32")
        self.optimizer: str | None = None
        self.layers = self._layers()
        names = Names([self.names[tensor] for tensor in network.inputs])
        self.output_names = [names(name) for name in network.output_names]
        self.is_chain = self._is_chain()
        training = network.training
        given = training.losses if training is not None else []
        self.losses = [loss for loss in given if loss is not None]
        self.has_loss = bool(self.losses)
        if self.losses and len(self.losses) < len(self.network.outputs):
            raise PortError(
                "an output of the network has no loss",
                None,
                "Port the network of the outputs that have one",
            )

    def arrays(self) -> dict[str, np.ndarray]:
        """What belongs into the file of weights, by key."""
        found = {
            f"{operation.name}.{name}": np.array(value)
            for operation, name, value in self.network.weights()
        }
        return {**found, **self.constants}

    # -- layers ------------------------------------------------------------------------------------

    def _layers(self) -> list[Layer]:
        names: dict[KerasTensor, str] = {}
        taken = {operation.name for operation in self.network.operations}
        layers = []
        for node in self.network.nodes:
            name = node.name
            if node.call_index:
                number = node.call_index + 1
                while f"{name}_{number}" in taken:
                    number += 1
                name = f"{name}_{number}"
                taken.add(name)
            names[node.outputs[0]] = name
            if node.operation == "InputLayer":
                continue
            use = use_of(node)
            arguments = node.args if use.arguments is None else use.arguments
            sources = [
                names[arg] if isinstance(arg, KerasTensor) else self._constant(name, arg)
                for arg in arguments
            ]
            layers.append(Layer(name, node, use, sources))
        self.names = names
        return layers

    def _constant(self, name: str, value: Any) -> Any:
        """How a constant among the arguments of a node is written."""
        array = np.asarray(value)
        if array.ndim == 0:
            return Code(literal(array.item()))
        if array.dtype.kind == "f":
            array = array.astype(self.dtype)
        if array.size <= _WRITTEN:
            dtype = f', "{array.dtype}"' if array.dtype.kind == "f" else ""
            return Code(f"np.array({literal(array)}{dtype})")
        key = f"{name}.constant"
        self.constants[key] = array
        return Code(f'weights["{key}"]')

    def _is_chain(self) -> bool:
        """Whether each layer takes what the one before gives."""
        if len(self.network.inputs) != 1 or len(self.network.outputs) != 1 or not self.layers:
            return False
        before = self.names[self.network.inputs[0]]
        for layer in self.layers:
            if layer.sources != [before] or isinstance(layer.sources[0], Code):
                return False
            if layer.use.template in ("StopGradient", "NoGradient"):
                return False  # nothing goes back beyond them
            before = layer.name
        return self.names[self.network.outputs[0]] == before

    # -- the program -------------------------------------------------------------------------------

    def source(self) -> str:
        helpers, classes = classes_of(self.layers)
        parts = [*helpers, *classes, self._network_class()]
        if self.has_loss:
            parts += self._loss_parts()
        parts += self._use_parts()
        body = "\n\n\n".join(part.strip("\n") for part in parts)
        rng = chosen(LAYERS["rng"]) if "rng." in body else ""
        main = self._main()
        head = [f'"""{self._title()}"""', "", *self._imports(body + rng + main), ""]
        if rng:
            head += [rng.strip("\n"), ""]
        return "\n".join(head) + "\n\n" + body + "\n\n\n" + main

    def _title(self) -> str:
        what = f"{self.network.name} in NumPy"
        training = self.network.training
        if training is None or not self.has_loss:
            return f"{what}: forward and backward."
        optimizer = training.optimizer.kind if training.optimizer else None
        return f"{what}: forward, backward and {optimizer}." if optimizer else f"{what}."

    def _imports(self, text: str) -> list[str]:
        lines = [
            f"import {name}"
            for name in ("argparse", "functools", "math", "re")
            if re.search(rf"\b{name}\.", text)
        ]
        lines.append("from pathlib import Path")
        lines += ["", "import numpy as np"]
        if "sliding_window_view" in text:
            lines.append("from numpy.lib.stride_tricks import sliding_window_view")
        return lines

    def _network_class(self) -> str:
        return NetworkClass(self).text()

    def _loss_parts(self) -> list[str]:
        network, training = self.network, self.network.training
        assert training is not None
        parts = []
        names = ["loss"] if len(self.losses) == 1 else [f"{n}_loss" for n in self.output_names]
        for name, loss, tensor in zip(names, self.losses, network.outputs, strict=True):
            parts.append(numpy_losses.loss_source(loss, name, tensor.ndim))
        if "sigmoid(" in "".join(parts) and not any(
            "sigmoid(" in layer.use.template.lower() or layer.use.template in _WITH_SIGMOID
            for layer in self.layers
        ):
            parts.insert(0, chosen(LAYERS["sigmoid"]))
        if len(names) > 1:
            lines = [f"{name}(outputs[{i}], y[{i}])," for i, name in enumerate(names)]
            parts.append(
                "def loss(outputs, y):\n"
                '    """The sum of the losses of all outputs, and the gradient of each."""\n'
                "    values, gradients = zip(\n"
                + "".join(f"        {line}\n" for line in lines)
                + "    )\n    return sum(values), gradients"
            )
        self.accuracy = None
        if training.metrics and len(self.losses) == 1:
            for metric in training.metrics:
                if "accuracy" in metric and self.accuracy is None:
                    loss, tensor = self.losses[0], network.outputs[0]
                    logits = bool(loss.settings.get("from_logits"))
                    self.accuracy = numpy_losses.accuracy_source(
                        loss, metric, tensor.shape[-1], logits
                    )
        if self.accuracy:
            parts.append(self.accuracy)
        l1: dict[str, float] = {}
        l2: dict[str, float] = {}
        for operation in network.operations:
            mine = numpy_losses.regularizers(operation)
            for factors, found in zip((l1, l2), mine, strict=True):
                factors.update({f"{operation.name}.{name}": one for name, one in found.items()})
            _refuse_constraints(operation)
        self.penalized = bool(l1 or l2)
        if self.penalized:
            parts.append(numpy_losses.penalty_source(l1, l2))
        flags = {"penalty"} if self.penalized else set()
        flags |= {"inputs"} if len(network.inputs) > 1 else set()
        parts.append(chosen(templates.GRADIENTS_OF_LOSS, flags))
        if training.optimizer is not None:
            text, self.optimizer = optimizer_source(training.optimizer)
            parts += text.strip("\n").split("\n\n\n")
        return parts

    def _flags(self) -> set[str]:
        flags = set()
        if len(self.network.inputs) > 1:
            flags.add("inputs")
        if len(self.network.outputs) > 1:
            flags.add("outputs")
        if self.has_loss:
            flags.add("loss")
            flags |= {"accuracy"} if self.accuracy else set()
            flags |= {"penalty"} if self.penalized else set()
        if self.optimizer:
            flags.add("optimizer")
        head = self.moved[0] if len(self.moved) == 1 else None
        if head:
            flags |= {head, "head"}
        return flags

    def _use_parts(self) -> list[str]:
        flags = self._flags()
        parts = []
        if "softmax" in flags:
            parts.append(chosen(LAYERS["softmax"]))
        elif "sigmoid" in flags and not self.has_loss:
            parts.append(chosen(LAYERS["sigmoid"]))
        if self.optimizer:
            parts.append(self._filled(chosen(templates.TRAIN, flags)))
        parts.append(chosen(templates.PREDICT, flags))
        if self.has_loss:
            parts.append(chosen(templates.EVALUATE, flags))
        parts.append(self._filled(chosen(templates.LOAD, flags)))
        return parts

    def _filled(self, text: str) -> str:
        training = self.network.training
        epochs = (training.epochs if training else None) or 10
        batch = (training.batch_size if training else None) or 32
        inputs = [self.names[tensor] for tensor in self.network.inputs]
        words = {
            "EPOCHS": str(epochs),
            "BATCH_SIZE": str(batch),
            "WEIGHTS": self.weights,
            "OPTIMIZER": self.optimizer or "",
            "INPUTS": literal(inputs),
            "OUTPUTS": literal(self.output_names),
            "KEYS": keys_in_file(inputs, self.output_names if self.has_loss else None),
        }
        for word, value in words.items():
            text = re.sub(rf"\b{word}\b", value, text)
        return text

    def _main(self) -> str:
        text = self._filled(chosen(templates.MAIN, self._flags()))
        return "\n".join(fitted(line) for line in text.split("\n")) + "\n"


def keys_in_file(inputs: list[str], outputs: list[str] | None) -> str:
    """What a program says that its file of data has to hold.

    >>> keys_in_file(["x_0"], ["output"]), keys_in_file(["a", "b"], None)
    ('x and y', 'a, b')
    """
    parts = [inputs if len(inputs) > 1 else ["x"]]
    if outputs is not None:
        parts.append(outputs if len(outputs) > 1 else ["y"])
    keys = " and ".join(", ".join(part) for part in parts)
    # too long for a line: the code below says it
    return keys if len(keys) <= 40 else "inputs and targets"


def _refuse_constraints(operation: Operation) -> None:
    for name, value in operation.attributes.items():
        if name.endswith("_constraint") and value is not None:
            raise operation.refuse(f"has a {name}, which NumPy programs cannot have")
    if operation.kind == "ActivityRegularization":
        raise operation.refuse("adds to the loss what depends on activations")
