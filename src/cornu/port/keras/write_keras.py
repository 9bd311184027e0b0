"""Writing a `Network` as a program for Keras, or for Cornu, and as a `.keras` file."""

from __future__ import annotations

import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from cornu import optimizers
from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.port.keras import torch_optimizers
from cornu.port.keras.form import keras_form
from cornu.port.keras.source_functions import Variables, function_text
from cornu.port.keras.source_layers import layer_text
from cornu.port.keras.write_model import _is_chain, write_model
from cornu.port.keras.write_training import (
    loss_arguments,
    loss_class,
    make_optimizer,
    optimizer_class,
    penalized,
)
from cornu.port.network import Names, Network, PortError
from cornu.port.numpy.write import keys_in_file
from cornu.port.source_text import Code, call, fitted, literal
from cornu.port.training import Loss, Optimizer, Schedule, Training

# Constants up to this size are written into the program; larger ones into a file beside it.
_WRITTEN = 16


def keras_source(network: Network, module: str = "keras", name: str | None = None) -> str:
    """A Keras program that builds, compiles, trains and evaluates a network.

    Args:
        network: in any layout; the layers are made for it.
        module: "keras" or "cornu": what the program imports.
        name: of its files of weights. Default the network's.

    Returns:
        The program. Its `build` makes the model, its `load` reads the weights beside it.

    Raises:
        PortError: what Keras cannot do, by name and place.
    """
    return _Program(network, module, name).source()


def write_keras(network: Network, path: str | Path) -> Path:
    """Writes a network as a `.keras` file, with its weights and its training; returns the path.

    Raises:
        PortError: what Keras cannot do.
        ValueError: a path that does not end in `.keras`.
    """
    write_model(network).save(path)
    return Path(path)


def write_keras_files(network: Network, folder: str | Path, module: str = "keras") -> list[Path]:
    """Writes a program, the weights that it loads, and a `.keras` file; returns their paths."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    program = _Program(network, module)
    source = folder / f"{program.name}.py"
    source.write_text(program.source(), encoding="utf-8")
    model = write_model(network)
    weights, whole = folder / f"{program.name}.weights.h5", folder / f"{program.name}.keras"
    model.save_weights(weights)
    model.save(whole)
    paths = [source, weights, whole]
    if program.constants:
        paths.append(folder / f"{program.name}.constants.npz")
        np.savez(paths[-1], **program.constants)  # type: ignore[arg-type]
    return paths


class _Program:
    def __init__(self, network: Network, module: str, name: str | None = None):
        if module not in ("keras", "cornu"):
            raise ValueError(f"module={module!r}: must be 'keras' or 'cornu'")
        self.module, self.name = module, name or network.name
        self.given = network
        self.network = keras_form(penalized(network))
        self.training = self.network.training
        self.constants: dict[str, np.ndarray] = {}
        self.classes: list[str] = []

    def source(self) -> str:
        build = self._build()
        parts = [*self.classes, build, self._load(), self._main()]
        body = "\n\n\n".join(part.strip("\n") for part in parts)
        framework = "Cornu" if self.module == "cornu" else "Keras"
        head = [f'"""{self.name} in {framework}."""', "", *self._imports(body), ""]
        dtype = self._dtype()
        if dtype != "float32":
            head += [f"{self.module}.config.set_floatx({literal(dtype)})", ""]
        if self.constants:
            file = f"{self.name}.constants.npz"
            head += [
                f"with np.load(Path(__file__).with_name({literal(file)})) as file:",
                "    constants = dict(file)",
                "",
            ]
        return "\n".join(head) + "\n\n" + body + "\n"

    def _dtype(self) -> str:
        for _, _, value in self.network.weights():
            if value.dtype.kind == "f":
                return str(value.dtype)
        return "float32"

    def _imports(self, body: str) -> list[str]:
        third = ["import numpy as np"] if re.search(r"\bnp\.", body) else []
        own = [f"import {self.module}"]
        names = [n for n in ("layers", "ops") if re.search(rf"(?<!\.)\b{n}\.", body)]
        if names:
            own.append(f"from {self.module} import {', '.join(names)}")
        imports = [line for line in (*own, *third) if line.startswith("import")]
        imports += [line for line in own if line.startswith("from")]
        first = [f"import {n}" for n in ("argparse", "math") if re.search(rf"\b{n}\.", body)]
        return [*first, "from pathlib import Path", "", *imports]

    # -- the network -------------------------------------------------------------------------------

    def _build(self) -> str:
        says = "The network, compiled." if self._is_compiled() else "The network."
        head = ["def build():", f'    """{says}"""']
        if _is_chain(self.network):
            lines = self._sequential()
        else:
            lines = self._functional()
        if not self._is_compiled():
            return "\n".join([*head, *lines]).replace("    model = ", "    return ", 1)
        return "\n".join([*head, *lines, *self._compile(), "    return model"])

    def _is_compiled(self) -> bool:
        training = self.training
        return training is not None and any(loss is not None for loss in training.losses)

    def _sequential(self) -> list[str]:
        lines = [f"    model = {self.module}.Sequential(", "        ["]
        lines.append(fitted(f"            {self._input(self.network.nodes[0])},"))
        for node in self.network.nodes[1:]:
            lines.append(fitted(f"            {layer_text(node.target, self.module)},"))
        return [*lines, "        ],", f"        name={literal(self.network.name)},", "    )"]

    def _input(self, node: Node) -> Code:
        out = node.outputs[0]
        settings = {} if str(out.dtype).startswith("float") else {"dtype": str(out.dtype)}
        if len(self.network.inputs) > 1 or settings:
            settings["name"] = node.name
        return call(f"{self.module}.Input", [tuple(out.shape[1:])], settings)

    def _functional(self) -> list[str]:
        network = self.network
        nodes = network.nodes
        several = len(network.outputs) > 1
        ends: dict[KerasTensor, str] = {}
        if len(network.inputs) == 1:
            ends[network.inputs[0]] = "inputs"
        else:
            ends.update({tensor: tensor.node.name for tensor in network.inputs})
        if not several and network.outputs[0] not in ends:
            ends[network.outputs[0]] = "outputs"
        elif several:
            for tensor, name in zip(network.outputs, network.output_names, strict=True):
                ends.setdefault(tensor, name if name.isidentifier() else tensor.node.name)
        taken = {"build", "layers", "ops", "np", self.module, "model", "constants", *ends.values()}
        counts: dict[int, int] = {}
        for node in nodes:
            counts[id(node.target)] = counts.get(id(node.target), 0) + 1
        shared = {id(n.target): n.name for n in nodes if counts[id(n.target)] > 1}
        names = Variables(nodes, ends, taken | set(shared.values()))
        lines, defined = [], set()
        for node in nodes:
            out = names[node.outputs[0]]
            if node.operation == "InputLayer":
                lines.append(f"    {out} = {self._input(node)}")
                continue
            if not node.operation[0].isupper():
                lines.append(f"    {out} = {function_text(node, names, self._constant)}")
                continue
            layer: Any = layer_text(node.target, self.module)
            if id(node.target) in shared:
                if node.name not in defined:
                    defined.add(node.name)
                    lines.append(f"    {node.name} = {layer}")
                layer = Code(node.name)
            lines.append(f"    {out} = {layer}({self._arguments(node, names)})")
        given = _several([ends[tensor] for tensor in network.inputs])
        wanted = _several([names[tensor] for tensor in network.outputs])
        lines.append(
            f"    model = {call(f'{self.module}.Model', [given, wanted], {'name': network.name})}"
        )
        return [fitted(line) for line in lines]

    def _arguments(self, node: Node, names: Variables) -> str:
        args = [
            names[arg] if isinstance(arg, KerasTensor) else str(self._constant(node, arg))
            for arg in node.args
        ]
        text = args[0] if len(args) == 1 else f"[{', '.join(args)}]"
        return f"{text}, training=True" if node.attributes.get("training") else text

    def _constant(self, node: Node, value: Any) -> Code:
        array = np.asarray(value)
        if array.ndim == 0:
            number = array.item()
            return Code(f"({literal(number)})" if number < 0 else literal(number))
        if array.dtype.kind == "f":
            array = array.astype(self._dtype())
        if array.size <= _WRITTEN:
            dtype = f', "{array.dtype}"' if array.dtype.kind == "f" else ""
            return Code(f"np.array({literal(array)}{dtype})")
        self.constants[node.name] = array
        return Code(f"constants[{literal(node.name)}]")

    # -- training ----------------------------------------------------------------------------------

    def _compile(self) -> list[str]:
        training = self.training
        assert training is not None
        losses = [Code("None") if loss is None else self._loss(loss) for loss in training.losses]
        settings: dict[str, Any] = {}
        if training.optimizer is not None:
            settings["optimizer"] = self._optimizer(training.optimizer)
        settings["loss"] = losses[0] if len(losses) == 1 else losses
        weights = [1.0 if loss is None else loss.weight for loss in training.losses]
        if any(weight != 1 for weight in weights):
            settings["loss_weights"] = weights
        metrics = _known_metrics(training)
        if metrics:
            settings["metrics"] = metrics
        return [fitted(f"    {call('model.compile', (), settings)}")]

    def _loss(self, loss: Loss) -> Code:
        cls = loss_class(loss.kind)
        if cls is None:
            raise PortError(f"the loss {loss.kind!r} has no counterpart in Keras")
        settings = _not_default(loss_arguments(loss), cls)
        axis = settings.get("axis")
        if axis is not None and axis == self.network.outputs[0].ndim - 1:
            settings.pop("axis")
        if not settings:
            return Code(literal(loss.kind))
        return call(f"{self.module}.losses.{cls.__name__}", (), settings)

    def _optimizer(self, optimizer: Optimizer) -> Code:
        make_optimizer(optimizer)  # refuses what cannot be
        cls = optimizer_class(optimizer)
        given = dict(optimizer.settings)
        is_torch = given.get("formula") == "torch"
        if cls is torch_optimizers.TorchSGD and (
            not given.get("momentum") or not isinstance(given["learning_rate"], Schedule)
        ):
            cls = optimizers.SGD  # the same as long as the rate is
        known = _arguments_of(cls)
        settings = {name: value for name, value in given.items() if name in known}
        always = {"learning_rate", "rho", "beta_1", "beta_2", "epsilon"} if is_torch else {
            "learning_rate"
        }  # fmt: skip
        settings = {
            name: value
            for name, value in settings.items()
            if name in always or value != known[name]
        }
        rate = settings["learning_rate"]
        if isinstance(rate, Schedule):
            settings["learning_rate"] = self._schedule(rate)
        if cls.__module__ != torch_optimizers.__name__:
            return call(f"{self.module}.optimizers.{cls.__name__}", (), settings)
        self._define(cls)
        return call(cls.__name__, (), settings)

    def _schedule(self, schedule: Schedule) -> Code:
        cls = getattr(optimizers.schedules, schedule.kind)
        settings = _not_default(schedule.settings, cls)
        return call(f"{self.module}.optimizers.schedules.{schedule.kind}", (), settings)

    def _define(self, cls: type) -> None:
        """Puts a class of PyTorch's formulas into the program."""
        for base in reversed(cls.__mro__):
            if base.__module__ == torch_optimizers.__name__:
                text = without_examples(inspect.getsource(base)).strip("\n")
                text = text.replace("keras.", f"{self.module}.")
                if text not in self.classes:
                    self.classes.append(text)

    # -- what uses it ------------------------------------------------------------------------------

    def _load(self) -> str:
        return textwrap.dedent(f'''
            def load():
                """The network with its weights."""
                model = build()
                model.load_weights(Path(__file__).with_name("{self.name}.weights.h5"))
                return model
        ''')

    def _main(self) -> str:
        network, training = self.network, self.training
        names_in = [tensor.node.name for tensor in network.inputs]
        unique = Names(names_in)
        names_out = [unique(name) for name in network.output_names]
        x = 'data["x"]' if len(names_in) == 1 else f"[data[name] for name in {literal(names_in)}]"
        y = 'data["y"]' if len(names_out) == 1 else f"[data[name] for name in {literal(names_out)}]"
        compiled = self._is_compiled()
        what = keys_in_file(names_in, names_out if compiled else None)
        lines = ['if __name__ == "__main__":']
        lines.append("    parser = argparse.ArgumentParser(description=__doc__)")
        lines.append(f'    parser.add_argument("data", help="an .npz file with {what}")')
        epochs = (training.epochs if training else None) or 10
        batch = (training.batch_size if training else None) or 32
        if compiled:
            lines.append(f'    parser.add_argument("--epochs", type=int, default={epochs})')
            lines.append(f'    parser.add_argument("--batch-size", type=int, default={batch})')
        lines += ["    arguments = parser.parse_args()", "    data = np.load(arguments.data)"]
        if not compiled:
            lines.append(fitted(f"    print(load().predict({x}))"))
            return "\n".join(lines)
        if len(names_in) == 1 and len(names_out) == 1:
            lines.append(f"    x, y, model = {x}, {y}, load()")
        else:
            lines += [fitted(f"    x = {x}"), fitted(f"    y = {y}"), "    model = load()"]
        lines += [
            "    if arguments.epochs:",
            "        model.fit(x, y, arguments.batch_size, arguments.epochs)",
            "    print(model.evaluate(x, y, return_dict=True))",
        ]
        return "\n".join(lines)


def _several(names: list[str]) -> Code:
    return Code(names[0] if len(names) == 1 else f"[{', '.join(names)}]")


def _known_metrics(training: Training) -> list[str]:
    from cornu.port.keras.write_training import _is_metric

    if len(training.losses) > 1:
        return []
    return [name for name in training.metrics if _is_metric(name)]


def _arguments_of(cls: type) -> dict[str, Any]:
    """The arguments of a class and their defaults."""
    for base in cls.__mro__:
        if "__init__" in vars(base):
            parameters = inspect.signature(base.__init__).parameters.values()  # type: ignore[misc]
            return {one.name: one.default for one in parameters}
    return {}


def _not_default(settings: dict[str, Any], cls: type) -> dict[str, Any]:
    known = _arguments_of(cls)
    return {
        name: value
        for name, value in settings.items()
        if name in known and value is not None and value != known[name]
    }


def without_examples(source: str) -> str:
    """Source of classes without the examples in their docstrings.

    >>> print(without_examples('def f():\\n    "Says.\\n\\n    >>> f()\\n    1\\n    "'))
    def f():
        "Says.
        "
    """
    return re.sub(r"\n\n( *)>>> .*?(?=\n *\"\"\"|\n *\"$)", "", source, flags=re.DOTALL)


__all__ = ["keras_source", "write_keras", "write_keras_files"]
