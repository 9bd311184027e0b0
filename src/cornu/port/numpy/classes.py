"""The classes of a NumPy program: those of the layers it needs, and its `Network`."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from cornu.graph.node import Node
from cornu.port.numpy import activations as numpy_activations
from cornu.port.numpy import functions as numpy_functions
from cornu.port.numpy import layers as numpy_layers
from cornu.port.numpy import program as numpy_program
from cornu.port.numpy import shapes as numpy_shapes
from cornu.port.numpy import spatial as numpy_spatial
from cornu.port.numpy.uses import Use
from cornu.port.source_text import WIDTH, Code, call, chosen, fitted, literal

LAYERS = {
    **numpy_layers.TEMPLATES,
    **numpy_shapes.TEMPLATES,
    **numpy_activations.TEMPLATES,
    **numpy_functions.TEMPLATES,
    **numpy_spatial.TEMPLATES,
}
# Functions that classes call, in the order in which they are written.
_HELPERS = ("sigmoid", "normal_below", "unbroadcast", "windows_of", "add_windows", "parts", "unpad")


@dataclasses.dataclass
class Layer:
    """A node of the program: its name there, the use of a class, and its sources."""

    name: str
    node: Node
    use: Use
    sources: list[Any]
    class_name: str = ""


def classes_of(layers: list[Layer]) -> tuple[list[str], list[str]]:
    """The helpers and the classes that the layers need, each once."""
    groups: dict[tuple[str, int, str], set[str]] = {}
    variants: dict[tuple[str, int], list[str]] = {}
    ranks = sorted({layer.use.rank for layer in layers if layer.use.rank})
    for layer in layers:
        use = layer.use
        groups.setdefault((use.template, use.rank, use.variant), set()).update(use.flags)
        known = variants.setdefault((use.template, use.rank), [])
        if use.variant not in known:
            known.append(use.variant)
    classes: dict[tuple, str] = {}
    for (template, rank, variant), flags in groups.items():
        text = _chosen_class(template, rank, flags)
        if len(ranks) > 1 and rank:
            for helper in ("windows_of", "add_windows"):
                text = text.replace(f"{helper}(", f"{helper}_{rank}d(")
        name = re.search(r"^class (\w+):", text, re.M).group(1)  # type: ignore[union-attr]
        # the first kind has the plain name
        new = name if variants[template, rank][0] == variant else f"{name}{variant}"
        if new == name and variant != variants[template, rank][0]:
            new = f"{name}Whole"
        classes[template, rank, variant] = text.replace(f"class {name}:", f"class {new}:")
        for layer in layers:
            use = layer.use
            if (use.template, use.rank, use.variant) == (template, rank, variant):
                layer.class_name = new
    text = "\n".join(classes.values())
    helpers = []
    flags = {"dilation"} if "self.dilation" in text else set()
    if not any(
        layer.use.template in _WINDOWED and {"strides", "dilation"} & layer.use.flags
        for layer in layers
    ):
        flags.add("unstrided")
        pattern = r"((?:windows_of|add_windows)(?:_\dd)?\(.*), \((?:1, ?)+1?\)\)"
        classes = {key: re.sub(pattern, r"\1)", one) for key, one in classes.items()}
    for helper in _HELPERS:
        for rank in ranks or [0]:
            mine = f"{helper}_{rank}d" if len(ranks) > 1 else helper
            body = chosen(LAYERS[helper], flags).strip("\n")
            if helper in ("windows_of", "add_windows"):
                body = numpy_spatial.for_rank(body, rank) if rank else body
                body = body.replace(f"def {helper}(", f"def {mine}(")
            else:
                mine = helper
            if re.search(rf"\b{mine}\(", text) and body not in helpers:
                helpers.append(body)
                text += "\n" + body
    return helpers, list(classes.values())


_WINDOWED = frozenset({"Conv", "DepthwiseConv", "ConvTranspose"})


def _chosen_class(template: str, rank: int, flags: set[str]) -> str:
    """The source of a class, for a network's needs."""
    flags = set(flags)
    if flags & {"strides", "padding", "dilation", "groups", "cropping"}:
        flags.add("init")
    text = chosen(LAYERS[template], flags).strip("\n")
    if rank:
        text = _with_signature(text, template, rank, flags)
        pooled = template in ("MaxPooling", "AveragePooling")
        strides = "self.size" if pooled else literal((1,) * rank)
        text = text.replace("STRIDES", "self.strides" if "strides" in flags else strides)
        text = numpy_spatial.for_rank(text, rank)
    text = "\n".join(fitted(line) if _is_plain(line) else line for line in text.split("\n"))
    return re.sub(r"\n\n\n+", "\n\n", text)


def _is_plain(line: str) -> bool:
    return '"""' not in line and "#" not in line


def _with_signature(text: str, template: str, rank: int, flags: set[str]) -> str:
    ones, zeros = literal((1,) * rank), literal(((0, 0),) * rank)
    pooled = template in ("MaxPooling", "AveragePooling")
    arguments = ["self", *(["size"] if pooled else [])]
    if "strides" in flags:
        arguments.append("strides=None" if pooled else f"strides={ones}")
        if pooled:
            text = text.replace("self.strides = strides", "self.strides = strides or size")
    for name, default in (("padding", zeros), ("dilation", ones), ("groups", "1")):
        if name in flags:
            arguments.append(f"{name}={default}")
    if "cropping" in flags:
        arguments.append(f"cropping={zeros}")
    if "count" in flags:
        arguments.append("count_padding=False")
    return text.replace("SIGNATURE", ", ".join(arguments))


class NetworkClass:
    """The source of the class `Network`."""

    def __init__(self, program: Any):
        self.program, self.network = program, program.network
        self.is_chain = program.is_chain
        self.layers = program.layers

    def text(self) -> str:
        shared = {
            layer.name: layer.node.name
            for layer in self.layers
            if layer.name != layer.node.name and layer.node.target.parameters
        }
        frozen = {
            layer.node.name
            for layer in self.layers
            if layer.node.target.parameters and not layer.node.target.trainable
        }
        flags = {"chain"} if self.is_chain else {"graph"}
        flags |= {"shared"} if shared else set()
        flags |= {"frozen"} if frozen else set()
        flags |= {"outputs"} if len(self.network.outputs) > 1 else set()
        flags |= {"weights"} if any(True for _ in self.network.weights()) else set()
        flags |= {"constants"} if self.program.constants else set()
        constant = any(isinstance(s, Code) for layer in self.layers for s in layer.sources)
        flags |= {"mixed"} if constant else set()
        flags |= {"shared_or_frozen"} if shared or frozen else set()
        inputs = [self.program.names[tensor] for tensor in self.network.inputs]
        floats = [str(t.dtype).startswith("float") for t in self.network.inputs]
        flags |= {"cast"} if any(floats) else set()
        flags |= {"inputs"} if len(inputs) > 1 else set()
        flags |= {"some"} if any(floats) and not all(floats) else set()
        text = chosen(numpy_program.NETWORK, flags)
        words = {
            "LAYERS": "\n".join(self._entry(layer) for layer in self.layers),
            "SHARED": literal(shared),
            "FROZEN": literal(frozenset(sorted(frozen))),
            "INPUTS": ", ".join(inputs),
            "INPUT_NAMES": literal(inputs),
            "OUTPUT": literal(self.program.names[self.network.outputs[0]]),
            "NAMES_OUT": literal([self.program.names[t] for t in self.network.outputs]),
            "CAST_NAMES": literal([n for n, f in zip(inputs, floats, strict=True) if f]),
        }
        for word in sorted(words, key=len, reverse=True):
            text = text.replace(f"<{word}>", words[word])
        return "\n".join(fitted(line) if _is_plain(line) else line for line in text.split("\n"))

    def _entry(self, layer: Layer) -> str:
        made = call(layer.class_name, (), layer.use.settings)
        start = f'            "{layer.name}": '
        if self.is_chain:
            line = f"{start}{made},"
        else:
            line = f"{start}({', '.join([made, *map(self._source, layer.sources)])}),"
        if len(line) > WIDTH:
            return fitted(line)
        if layer.node.target.parameters:
            size = literal(tuple(layer.node.outputs[0].shape[1:]))
            size = size.removesuffix(",)").removeprefix("(") if size.endswith(",)") else size
            commented = f"{line}  # {size}"
            line = commented if len(commented) <= WIDTH else line
        return line

    @staticmethod
    def _source(source: Any) -> str:
        return literal(source)
