"""The text of a PyTorch program: its module class, imports, and what is run from a shell."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.port.network import Layout, Names, Network, Operation
from cornu.port.source_text import comment, fitted, literal
from cornu.port.torch.source_calls import expression_of
from cornu.port.torch.source_expressions import Expression
from cornu.port.torch.source_form import torch_form
from cornu.port.torch.source_forward import Body
from cornu.port.torch.source_modules import (
    HELPERS,
    TAKEN,
    Module,
    constant,
    module_of,
    momentum_in_torch,
)
from cornu.port.torch.write_training import TrainingSource, training_source

# Names that frameworks give to networks without a name.
_NAMELESS = ("sequential", "functional", "model", "network", "module", "graph", "main_graph")


class Program:
    """A network as a PyTorch program.

    Args:
        network: with its channels first.

    Attributes:
        class_name, file_name: made from the network's name.
        dtype: of the weights.
    """

    def __init__(self, network: Network):
        self.given = network
        self.network = torch_form(network)
        output_names = Names()
        self.network.output_names = [output_names(name) for name in network.output_names]
        base = network.name.rstrip("0123456789_")
        words = "Net" if base.lower() in _NAMELESS else network.name
        self.class_name = "".join(word[:1].upper() + word[1:] for word in words.split("_")) or "Net"
        self.file_name = "net" if words == "Net" else network.name.lower()
        if self.file_name in {*sys.stdlib_module_names, "torch", "numpy", "safetensors"}:
            self.file_name += "_net"  # or it would be imported in their place
        self.modules: dict[str, Module] = {}
        self.attributes: dict[int, str] = {}
        self.constants: dict[tuple[int, bytes], str] = {}
        self.names = Names(sorted(TAKEN))
        self.expressions: dict[Node, Expression | None] = {}
        for operation in self.network.operations:
            if operation.kind != "InputLayer":
                self.attributes[id(operation)] = self.names(operation.name)
        for node in self.network.nodes:
            if node.operation != "InputLayer":
                self.expressions[node] = self._expression(node)
        self.dtype = self._dtype()
        self.training: TrainingSource | None = None
        if network.training is not None and any(network.training.losses):
            activities = [
                f"model.{name}"
                for name, module in self.modules.items()
                if module.helper == "ActivityRegularization"
            ]
            self.training = training_source(self.network, self._weight_texts(), activities)

    def _dtype(self) -> str:
        found = {
            str(array.dtype)
            for module in self.modules.values()
            for array in module.state.values()
            if array.dtype.kind == "f"
        }
        return found.pop() if len(found) == 1 else "float32"

    # -- modules -----------------------------------------------------------------------------------

    def _expression(self, node: Node) -> Expression | None:
        """What computes a node; None where its output is its input."""
        kind, settings = node.operation, node.attributes
        if kind == "Identity" or (kind == "activation" and settings["function"] == "linear"):
            return None
        if kind.startswith("ActivityRegularization") and self.given.training is None:
            return None
        module = module_of(node)
        if module is None:
            return expression_of(node, self._buffer)
        name = self.attributes[id(node.target)]
        known = self.modules.setdefault(name, module)
        if known.text != module.text:
            raise node.target.refuse(
                f"is applied to tensors that need different modules: {known.text} and {module.text}"
            )
        if "" in module.state:
            return Expression(f"torch.where({{0:1}} > 0, {{0}}, self.{name} * {{0:4}})")
        if kind == "Embedding" and "int" not in node.inputs[0].dtype:
            return Expression(f"self.{name}({{0:4}}.long())")
        return Expression(f"self.{name}({{0}})")

    def _buffer(self, node: Node, array: np.ndarray) -> str:
        key = (id(node.target), array.tobytes())
        if key not in self.constants:
            name = self.names(f"{node.name}_constant")
            self.constants[key] = name
            self.modules[name] = constant(name, np.array(array))
        return f"self.{self.constants[key]}"

    def state(self) -> dict[str, np.ndarray]:
        """The state_dict."""
        found = {}
        # parameters and buffers of the network's own come first, as PyTorch has them
        for direct in (True, False):
            for name, module in self.modules.items():
                for key, array in module.state.items():
                    if (key == "") == direct:
                        found[f"{name}.{key}" if key else name] = np.array(array, order="C")
        return found

    def weight_names(self) -> dict[str, tuple[Operation, str]]:
        """Operation and weight of the given network for each entry of the state_dict."""
        named = {operation.name: operation for operation in self.given.operations}
        found = {}
        for operation in self.network.operations:
            name = self.attributes.get(id(operation))
            module = self.modules.get(name or "")
            for key, parameter in (module.origins if module else {}).items():
                entry = f"{name}.{key}" if key else str(name)
                found[entry] = (named[operation.name], parameter)
        return found

    def _weight_texts(self) -> dict[tuple[int, str], str]:
        found = {}
        for operation in self.network.operations:
            name = self.attributes.get(id(operation))
            module = self.modules.get(name or "")
            for key, parameter in (module.origins if module else {}).items():
                found[id(operation), parameter] = f"model.{name}.{key}" if key else f"model.{name}"
        return found

    # -- source ------------------------------------------------------------------------------------

    def source(self, weights: str, live: bool = False) -> str:
        """The program; `live` without what is run from a shell."""
        helpers = sorted({m.helper for m in self.modules.values() if m.helper})
        blocks = [HELPERS[name].strip("\n") for name in helpers]
        blocks.append(self._class())
        if self.training is not None:
            blocks += self.training.blocks
        if not live:
            blocks.append(self._main(weights))
        text = "\n\n\n".join(blocks)
        return f'"""{self._title()}"""\n\n{self._imports(text)}\n\n\n{text}\n'

    def _title(self) -> str:
        takes, gives = [], []
        for tensor in self.network.inputs:
            name = "x" if len(self.network.inputs) == 1 else tensor.node.name
            takes.append(f"{name}: {_shape(tensor.shape)} {tensor.dtype}")
        for number, tensor in enumerate(self.network.outputs):
            loss = self.training.losses[number] if self.training else None
            words = {"softmax": "logits", "sigmoid": "logits"}
            what = words.get((loss.classes if loss else None) or "", "output")
            if len(self.network.outputs) > 1:
                what = f"{self.network.output_names[number]}" + (" (logits)" * (what == "logits"))
            gives.append(f"{what}: {_shape(tensor.shape)}")
        lines = [f"{self.class_name} in PyTorch.", ""]
        lines += [f"Takes {', '.join(takes)}.", f"Returns {', '.join(gives)}."]
        return "\n".join(lines) + "\n"

    def _class(self) -> str:
        lines = [f"class {self.class_name}(nn.Module):"]
        if self.modules:
            lines += ["    def __init__(self):", "        super().__init__()"]
        commented = False
        for name, module in self.modules.items():
            if module.text.startswith("nn.BatchNorm") and not commented:
                commented = True
                lines += self._about_batch_normalization()
            is_statement = module.is_buffer
            text = module.text if is_statement else f"self.{name} = {module.text}"
            lines.append(fitted(f"        {text}"))
        lines += self._frozen()
        body = Body(self.network, self.expressions)
        lines += [""] * bool(self.modules)
        lines.append(f"    def forward({', '.join(['self', *body.arguments])}):")
        lines += [fitted(f"        {line}") for line in body.lines]
        still = self._kept_still()
        if still:
            lines += ["", "    def train(self, mode=True):", "        super().train(mode)"]
            lines.append("        # not trained: they keep their statistics too")
            lines += [f"        self.{name}.eval()" for name in still]
            lines.append("        return self")
        return "\n".join(lines)

    def _about_batch_normalization(self) -> list[str]:
        momentums = {
            operation.attributes["momentum"]
            for operation in self.network.operations
            if operation.kind == "BatchNormalization"
        }
        if self.training is None or momentums == {0.9}:
            return []
        each = " and ".join(
            f"{literal(kept)} is {literal(momentum_in_torch(kept))}" for kept in sorted(momentums)
        )
        text = f"Keras' momentum {each} in PyTorch, whose running variance is unbiased"
        return [comment(text, "        ")]

    def _frozen(self) -> list[str]:
        lines = []
        for operation in self.network.operations:
            name = self.attributes.get(id(operation))
            module = self.modules.get(name or "")
            if module is None or not module.state or module.is_buffer:
                continue
            if not operation.trainable:
                if "" in module.state or module.state.keys() - {
                    "running_mean",
                    "running_var",
                    "num_batches_tracked",
                }:
                    lines.append(f"self.{name}.requires_grad_(False)")
            else:
                lines += [f"self.{name}.{key}.requires_grad_(False)" for key in module.frozen]
        return [f"        {line}" for line in lines]

    def _kept_still(self) -> list[str]:
        return [
            self.attributes[id(operation)]
            for operation in self.network.operations
            if operation.kind == "BatchNormalization" and not operation.trainable
        ]

    # -- what is run from a shell ------------------------------------------------------------------

    def _imports(self, text: str) -> str:
        standard, others = [], []
        for name in ("argparse", "math"):
            if f"{name}." in text:
                standard.append(f"import {name}")
        if "bisect_left(" in text:
            standard.append("from bisect import bisect_left")
        if "Path(" in text:
            standard.append("from pathlib import Path")
        if "np." in text:
            others.append("import numpy as np")
        others.append("import torch")
        if "F." in text:
            others.append("import torch.nn.functional as F")
        loaded = [name for name in ("load_file", "save_file") if f"{name}(" in text]
        if loaded:
            others.append(f"from safetensors.torch import {', '.join(loaded)}")
        others.append("from torch import nn")
        return "\n\n".join("\n".join(part) for part in (standard, others) if part)

    def _main(self, weights: str) -> str:
        is_torch = weights.endswith((".pt", ".pth"))
        trains = self.training is not None and len(self.training.blocks) > 2
        lines = ["parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])"]
        lines.append(
            fitted(f'parser.add_argument("data", nargs="?", help={literal(self._help())})')
        )
        if trains:
            lines += [
                'parser.add_argument("--epochs", type=int, default=0, help="0: only evaluate")',
                f'parser.add_argument("--batch-size", type=int, default={self._batch_size()})',
                'parser.add_argument("--save", help="file for the trained weights")',
            ]
        else:
            lines.append('parser.add_argument("--save", help=".npz file for the outputs")')
        lines.append("args = parser.parse_args()\n")
        double = {"float64": ".double()", "float16": ".half()"}.get(self.dtype, "")
        lines.append(f"model = {self.class_name}(){double}.eval()")
        lines.append(f"file = Path(__file__).with_name({literal(weights)})")
        loaded = "torch.load(file, weights_only=True)" if is_torch else "load_file(file)"
        lines.append(f"model.load_state_dict({loaded})")
        lines.append("if args.data is None:")
        lines.append("    print(model)")
        lines.append("    raise SystemExit\n")
        lines.append("data = np.load(args.data)")
        lines += self._load_inputs()
        if trains:
            lines += self._load_targets()
            lines += _RUN.strip("\n").split("\n")
            save = "torch.save(model.state_dict(), args.save)"
            lines += [
                "if args.save:",
                f"    {save if is_torch else save.replace('torch.save', 'save_file')}",
            ]
            lines += self._evaluation()
        else:
            lines += self._outputs()
        indented = [f"    {line}" if line else "" for one in lines for line in one.split("\n")]
        return "\n".join(['if __name__ == "__main__":', *(fitted(line) for line in indented)])

    def _batch_size(self) -> int:
        return (self.given.training.batch_size if self.given.training else None) or 32

    def _inputs(self) -> list[tuple[str, KerasTensor, Layout]]:
        inputs = self.network.inputs
        names = ["x"] if len(inputs) == 1 else [tensor.node.name for tensor in inputs]
        return list(zip(names, inputs, self.network.input_layouts, strict=True))

    def _targets(self) -> list[tuple[str, int]]:
        losses = self.training.losses if self.training else []
        numbers = [number for number, loss in enumerate(losses) if loss is not None]
        if len(numbers) == 1:
            return [("y", numbers[0])]
        return [(self.network.output_names[number], number) for number in numbers]

    def _help(self) -> str:
        parts = [
            f"{name} {_shape(_given_back(tensor.shape, layout), 'rows')}"
            for name, tensor, layout in self._inputs()
        ]
        parts += [name for name, _ in self._targets()]
        return (
            f".npz file with {' and '.join(parts)}"
            if len(parts) < 3
            else (f".npz file with {', '.join(parts)}")
        )

    def _load_inputs(self) -> list[str]:
        values = []
        for name, tensor, layout in self._inputs():
            cast = self._float() if "float" in tensor.dtype else ".long()"
            moved = _moved(layout)
            values.append(f'torch.from_numpy(data["{name}"]){cast}{moved}')
        if len(values) == 1:
            return [f"x = {values[0]}"]
        return ["x = (\n" + "".join(f"    {value},\n" for value in values) + ")"]

    def _float(self) -> str:
        return {"float64": ".double()", "float16": ".half()"}.get(self.dtype, ".float()")

    def _load_targets(self) -> list[str]:
        values = []
        assert self.training is not None
        for name, number in self._targets():
            loss, tensor = self.training.losses[number], self.network.outputs[number]
            text = f'torch.from_numpy(data["{name}"])'
            if loss is not None and loss.sparse:
                text += ".long()" + (".flatten()" if tensor.ndim == 2 else "")
            else:
                text += self._float() + _moved(self.network.output_layouts[number])
                if tuple(tensor.shape[1:]) == (1,):
                    text += ".reshape(-1, 1)"
            values.append(text)
        if len(values) == 1:
            return [f"y = {values[0]}"]
        return ["y = (\n" + "".join(f"    {value},\n" for value in values) + ")"]

    def _evaluation(self) -> list[str]:
        has_accuracy = self.training is not None and any(
            block.startswith("def accuracy") for block in self.training.blocks
        )
        if has_accuracy:
            return [
                "loss, right = evaluate(model, x, y, device=device)",
                'print(f"loss {loss:.4f}, accuracy {right:.4f}")',
            ]
        return ['print(f"loss {evaluate(model, x, y, device=device):.4f}")']

    def _outputs(self) -> list[str]:
        given = "x" if len(self.network.inputs) == 1 else "*x"
        lines = ["with torch.no_grad():", f"    outputs = model({given})"]
        names = self.network.output_names
        if len(names) == 1:
            saved = f"{names[0]}=outputs.numpy()"
            lines.append("print(tuple(outputs.shape))")
        else:
            parts = ", ".join(f"{name}=outputs[{i}].numpy()" for i, name in enumerate(names))
            saved = parts
            lines.append("print([tuple(output.shape) for output in outputs])")
        return [*lines, "if args.save:", f"    np.savez(args.save, {saved})"]


_RUN = """
if torch.cuda.is_available():
    device = "cuda"
else:
    device = "mps" if torch.backends.mps.is_available() else "cpu"
if args.epochs:
    train(model, x, y, args.epochs, args.batch_size, device)
"""


def _shape(shape: Any, batch: str = "batch") -> str:
    """A shape as text, open sizes by a word.

    >>> _shape((None, 3, None))
    '(batch, 3, any)'
    """
    first = [batch if size is None else str(size) for size in shape[:1]]
    rest = ["any" if size is None else str(size) for size in shape[1:]]
    return f"({', '.join(first + rest)}{',' * (len(shape) == 1)})"


def _given_back(shape: Any, layout: Layout) -> list:
    if layout.axes is None:
        return list(shape)
    return [shape[layout.axes.index(axis)] for axis in range(len(shape))]


def _moved(layout: Layout) -> str:
    return "" if layout.axes is None else f".permute({', '.join(map(str, layout.axes))})"
