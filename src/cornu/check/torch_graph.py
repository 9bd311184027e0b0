"""The operations of a network, out of what was recorded of a PyTorch program."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from cornu.check import torch_names as names
from cornu.check.facts import Operation, Parameter
from cornu.check.torch_data import to_numpy
from cornu.check.torch_recorder import Recorder
from cornu.check.torch_records import Record

_IMAGES = ("Conv", "Pool", "BatchNorm", "InstanceNorm", "GroupNorm", "Spatial", "UpSampling")
_KEEP_LAYOUT = frozenset({"activation", "add", "multiply", "subtract", "concatenate", "Dropout"})


class Graph:
    """What the given records depend on, as operations.

    Args:
        recorder: what was recorded.
        ends: the records whose outputs are wanted.
        all_of_it: whether to go on through `detach()` and `no_grad()`, behind which nothing is
            trained.
        titles: names of modules in the program, by id.

    Attributes:
        operations: in computing order.
        of: the operation whose output a record's output is.
        inputs: of each operation of the kind "Input": the edge that it stands for.
        record: of each other operation its record.
        tops: the outermost modules that take part.
    """

    def __init__(
        self, recorder: Recorder, ends: Iterable[Record], all_of_it: bool, titles: dict[int, str]
    ):
        self.recorder, self.all_of_it, self.titles = recorder, all_of_it, titles
        self.operations: list[Operation] = []
        self.of: dict[Record, Operation | None] = {}
        self.inputs: dict[Operation, tuple] = {}
        self.record: dict[Operation, Record] = {}
        self._input_of: dict[int, Operation] = {}
        # of each operation which of its outputs are taken, and their shapes
        self._taken: dict[Operation, dict[int, tuple]] = {}
        self._counts: dict[str, int] = {}
        self._calls: dict[int, int] = {}
        self._owner = {id(p): m for m in recorder.modules for p in m.parameters(recurse=False)}
        self._buffers = {id(b) for m in recorder.modules for b in m.buffers(recurse=False)}
        self._is_parameter = functools.cache(recorder.is_parameter)
        self.tops: list[Any] = []
        self.paths = self._find_paths()
        self.records = sorted(self._closure(ends), key=lambda record: record.number)
        self._is_network: set[Record] = set()
        # single rows, without an axis for the batch
        self.one_by_one = any(_is_of_one_row(record) for record in self.records)
        for record in self.records:
            if self._belongs(record):
                self._is_network.add(record)
                self._add(record)
        self._set_layouts()

    # -- which records -------------------------------------------------------------------------

    def _closure(self, ends: Iterable[Record]) -> set[Record]:
        found: set[Record] = set()
        waiting = list(ends)
        while waiting:
            record = waiting.pop()
            if record in found or self._is_border(record):
                continue
            found.add(record)
            waiting += [made for made, _, _ in record.edges if made is not None]
        return found

    def _is_border(self, record: Record) -> bool:
        return not self.all_of_it and (record.name in names.DETACHES or not record.grad)

    def _belongs(self, record: Record) -> bool:
        if not record.edges or record.name in names.MAKERS:
            return False
        if any(made in self._is_network for made, _, _ in record.edges):
            return True
        if any(self._is_parameter(tensor) for _, _, tensor in record.edges):
            return True
        if record.module is not None and next(record.module.parameters(), None) is not None:
            return True
        return record.inside and any(self._is_given(edge, record) for edge in record.edges)

    def _is_given(self, edge: tuple, record: Record) -> bool:
        """Whether a tensor came from outside of the network."""
        made, _, tensor = edge
        if tensor is not None and id(tensor) in self._buffers:
            return False
        if not record.inside:
            return made is not None or not self._is_parameter(tensor)
        given = self.recorder.given.get(id(tensor)) if tensor is not None else None
        if given is not None and given() is tensor:
            return True
        # a module may hold tensors of its own; what it was given may have been let go since
        return made is not None and not made.inside and tensor is None

    # -- operations ----------------------------------------------------------------------------

    def _add(self, record: Record) -> None:
        inputs = [one for one in (self._source(edge, record) for edge in record.edges) if one]
        loose = [t for _, _, t in record.edges if self._is_parameter(t)]
        if record.module is not None:
            operation: Operation | None = self._module(record, inputs)
        else:
            operation = self._function(record, inputs, loose)
        if operation is None:
            self.of[record] = inputs[0] if inputs else None
            return
        self.of[record] = operation
        self.record[operation] = record
        self.operations.append(operation)

    def _source(self, edge: tuple, record: Record) -> Operation | None:
        made, which, tensor = edge
        if made in self._is_network:
            source = self.of[made]
            if source is not None:
                self._taken.setdefault(source, {})[which] = made.specs[which][0]
            return source
        if self._is_parameter(tensor) or id(tensor) in self._buffers:
            return None
        if not self._is_given(edge, record) and not (made is not None and self._is_border(made)):
            return None
        shape = made.specs[which][0] if made is not None and made.specs else tuple(tensor.shape)
        if not shape and not self.one_by_one:
            return None
        key = id(tensor) if tensor is not None else id(made)
        if key not in self._input_of:
            dtype = made.specs[which][1] if made is not None and made.specs else tensor.dtype
            given = Operation(
                "Input", self._title("input"), shape=self._open(shape), dtype=_dtype(dtype)
            )
            self._input_of[key] = given
            self.inputs[given] = edge
            self.operations.append(given)
        return self._input_of[key]

    def _new(self, record: Record, kind: str, name: str, settings: dict, inputs: list) -> Operation:
        shape, dtype = ((), "float32")
        if record.specs:
            shape, dtype = record.specs[0][0], _dtype(record.specs[0][1])
        if record.specs:
            shape = self._open(shape)
        return Operation(
            kind, name, settings, inputs=inputs, shape=shape, dtype=dtype, place=record.place
        )

    def _open(self, shape: tuple) -> tuple:
        """A shape with the axis of the batch open."""
        if self.one_by_one:
            return (None, *shape)
        rows = self._rows
        return (None, *shape[1:]) if shape and (rows is None or shape[0] == rows) else shape

    @property
    def _rows(self) -> int | None:
        """Rows of the batch."""
        for edge in self.inputs.values():
            made, which, tensor = edge
            shape = made.specs[which][0] if made is not None and made.specs else tensor.shape
            return shape[0] if shape else None
        return None

    def _module(self, record: Record, inputs: list) -> Operation:
        module = record.module
        kind, settings = names.module_operation(record.name, module, _dims(record))
        operation = self._new(record, kind, self.path(module), settings, inputs)
        operation.call = self._calls.get(id(module), 0)
        self._calls[id(module)] = operation.call + 1
        for name, parameter in module.named_parameters():
            operation.parameters.append(self._parameter(operation, name, parameter))
        for name, buffer in module.named_buffers():
            if name.startswith("running_") and buffer is not None:
                operation.parameters.append(self._parameter(operation, name, buffer, False))
        trained = [p.requires_grad for p in module.parameters()]
        operation.trainable = any(trained) or not trained
        self._note_top(module)
        return operation

    def _parameter(
        self, operation: Operation, name: str, tensor: Any, trained: bool = True
    ) -> Parameter:
        shape = tuple(getattr(tensor, "shape", ()))
        role = names.parameter_role(operation.kind, name)
        return Parameter(
            name,
            role,
            shape,
            trainable=trained and tensor.requires_grad,
            read=lambda: to_numpy(tensor).copy(),
            fan=names.parameter_fan(operation.kind, shape, operation.settings)
            if "kernel" in role
            else None,
            loaded=id(tensor) in self.recorder.loaded,
        )

    def _function(self, record: Record, inputs: list, loose: list) -> Operation | None:
        name = record.name
        if name in names.SAME and inputs:
            same = inputs[0].dtype == _dtype(record.specs[0][1]) if record.specs else True
            return None if same else self._new(record, "cast", self._title("cast"), {}, inputs)
        kind, settings = self._function_kind(record, loose)
        if kind == "add" and loose and len(inputs) == 1 and inputs[0].kind == "Dense":
            inputs[0].settings["use_bias"] = True
            inputs[0].parameters += [self._parameter(inputs[0], "bias", p) for p in loose]
            return None
        owner = next((self._owner[id(p)] for p in loose if id(p) in self._owner), None)
        title = self._title(settings.get("function") or name.strip("_"))
        path = self.path(owner) if owner is not None else title
        operation = self._new(record, kind, path, settings, inputs)
        if owner is not None:
            self._note_top(owner)
        for parameter in loose:
            role = "bias" if parameter.ndim == 1 else "weight"
            operation.parameters.append(self._parameter(operation, role, parameter))
        operation.trainable = not loose or any(p.requires_grad for p in loose)
        return operation

    def _function_kind(self, record: Record, loose: list) -> tuple[str, dict[str, Any]]:
        name = record.name if record.name.startswith("__") else record.name.rstrip("_")
        args, given = record.args[1:], record.kwargs

        def arg(key: str, place: int, default: Any = None) -> Any:
            """An argument behind the tensor, by name or place."""
            return given.get(key, args[place] if place < len(args) else default)

        if name in names.ACTIVATIONS:
            settings: dict[str, Any] = {"function": names.ACTIVATIONS[name]}
            if "softm" in name:
                settings["axis"] = names.softmax_axis(arg("dim", 0), _dims(record))
            return "activation", settings
        if name in ("clamp", "clip", "clamp_min"):
            low, high = arg("min", 0), arg("max", 1)
            if low == 0 and high is None:
                return "activation", {"function": "relu"}
        if name in names.RESHAPES:
            before, after = self._shapes(record)
            flat = len(before) > 2 and len(after) == 2 and before[:1] == after[:1]
            return ("flatten" if flat else "reshape"), {"function_name": name}
        if "dropout" in name:
            settings = {"rate": arg("p", 0, 0.5), "functional": True}
            if record.ungiven and record.inside:
                settings["always_on"] = True
            return names.dropout(name.removeprefix("feature_")), settings
        if name in names.PRODUCTS and any(p.ndim == 2 for p in loose):
            units = record.specs[0][0][-1] if record.specs and record.specs[0][0] else None
            return "Dense", {"units": units, "use_bias": any(p.ndim == 1 for p in loose)}
        if name.startswith("conv") and name[-2:] in ("1d", "2d", "3d") and loose:
            return _functional_convolution(name, loose, arg)
        if name.startswith(("max_pool", "avg_pool")):
            rank = int(name[-2])
            kind = ("Max" if name[0] == "m" else "Average") + f"Pooling{rank}D"
            size = arg("kernel_size", 0, 2)
            return kind, names.pooling(rank, size, arg("stride", 1), arg("padding", 2, 0))
        if name.startswith("adaptive_"):
            what = "Max" if "max" in name else "Average"
            return names.adaptive_pooling(int(name[-2]), what, arg("output_size", 0, 1))
        return self._other_function(name, record, arg, loose)

    def _other_function(
        self, name: str, record: Record, arg: Any, loose: list
    ) -> tuple[str, dict[str, Any]]:
        match name:
            case "mean":
                dims, axes = arg("dim", 0), _dims(record)
                spatial = {one % axes for one in dims} if isinstance(dims, (tuple, list)) else None
                if axes == 4 and spatial == {2, 3}:
                    return "GlobalAveragePooling2D", {}
                return "mean", {"axis": dims}
            case "batch_norm":
                kept = arg("momentum", 5, 0.1)
                return "BatchNormalization", {"momentum": 1 - kept, "epsilon": arg("eps", 6, 1e-5)}
            case "layer_norm":
                return "LayerNormalization", {"epsilon": arg("eps", 3, 1e-5)}
            case "embedding" if loose:
                rows, columns = loose[0].shape
                return "Embedding", {"input_dim": rows, "output_dim": columns}
            case "interpolate" | "upsample":
                return "UpSampling2D", {"size": arg("scale_factor", 1)}
            case "cat" | "concat" | "concatenate":
                return "concatenate", {"axis": record.kwargs.get("dim", arg("dim", 0, 0))}
            case "__getitem__":
                return "getitem", {"index": record.args[1] if len(record.args) > 1 else None}
        if name in ("permute", "transpose"):
            return "transpose", {"axes": record.args[1:] or record.kwargs.get("dims")}
        return names.plain_name(record.name), {}

    @staticmethod
    def _shapes(record: Record) -> tuple[tuple, tuple]:
        made, which, tensor = record.edges[0]
        before = made.specs[which][0] if made is not None and made.specs else tuple(tensor.shape)
        return before, record.specs[0][0] if record.specs else ()

    def _set_layouts(self) -> None:
        for operation in self.operations:
            if operation.kind == "Input":
                continue
            own = any(part in operation.kind for part in _IMAGES)
            if own and len(operation.shape) > 2:
                operation.channels_first = True
                for source in operation.inputs:
                    source.channels_first = source.channels_first or source.kind == "Input"
            elif operation.kind in _KEEP_LAYOUT and operation.inputs:
                operation.channels_first = operation.inputs[0].channels_first
        for operation, taken in self._taken.items():
            # a recurrent layer of which only the last state is used gives no sequence
            if operation.settings.get("return_sequences") and 0 not in taken:
                operation.settings["return_sequences"] = False
                operation.shape = (None, *min(taken.items())[1][2:])

    # -- names ---------------------------------------------------------------------------------

    def _title(self, name: str) -> str:
        count = self._counts.get(name, 0)
        self._counts[name] = count + 1
        return f"{name}_{count}" if count else name

    def _find_paths(self) -> dict[int, tuple[Any, str]]:
        """Of each module the outermost module around it, and its path in that."""
        modules = list(self.recorder.modules)
        children = {id(child) for module in modules for child in module.children()}
        paths: dict[int, tuple[Any, str]] = {}
        for top in modules:
            if id(top) not in children:
                for path, module in top.named_modules():
                    paths.setdefault(id(module), (top, path))
        for holder in modules:
            for name, value in list(vars(holder).items()):
                for key, module in held(value):
                    if paths.get(id(module), (None, ""))[0] is module:
                        paths[id(module)] = (paths[id(holder)][0], f"{name}.{key}")
        return paths

    def path(self, module: Any) -> str:
        """The name of a module in its network: "features.3"."""
        top, path = self.paths.get(id(module), (module, ""))
        title = self.titles.get(id(top), type(top).__name__.lower())
        if not path:
            return title
        several = len({id(self.paths[id(m)][0]) for m in self._used() if id(m) in self.paths}) > 1
        return f"{title}.{path}" if several else path

    def _used(self) -> list[Any]:
        return [record.module for record in self.records if record.module is not None]

    def _note_top(self, module: Any) -> None:
        top = self.paths.get(id(module), (module, ""))[0]
        if not any(top is one for one in self.tops):
            self.tops.append(top)


def held(value: Any) -> list[tuple[Any, Any]]:
    """Modules in a plain list, tuple or dictionary."""
    import torch

    pairs: Any = []
    if isinstance(value, (list, tuple)):
        pairs = enumerate(value)
    elif isinstance(value, dict):
        pairs = value.items()
    return [(key, one) for key, one in pairs if isinstance(one, torch.nn.Module)]


def _functional_convolution(name: str, loose: list, arg: Any) -> tuple[str, dict[str, Any]]:
    weight = next((p for p in loose if p.ndim > 2), loose[0])
    transposed = "transpose" in name
    groups = arg("groups", 5, 1)
    filters = weight.shape[1] * groups if transposed else weight.shape[0]
    inputs = weight.shape[0] if transposed else weight.shape[1] * groups
    given = {
        "stride": arg("stride", 2, 1),
        "padding": arg("padding", 3, 0),
        "dilation": arg("dilation", 6 if transposed else 4, 1),
        "groups": groups,
        "use_bias": arg("bias", 1) is not None,
    }
    window = tuple(weight.shape[2:])
    return names.convolution(name[-2], transposed, inputs, filters, window, given)


def _is_of_one_row(record: Record) -> bool:
    is_dense = record.name in ("Linear", "linear") and bool(record.edges)
    return is_dense and bool(record.specs) and len(record.specs[0][0]) == 1 == _dims(record)


def _dims(record: Record) -> int:
    made, which, tensor = record.edges[0]
    if made is not None and made.specs:
        return len(made.specs[which][0])
    return tensor.ndim if tensor is not None else 0


def _dtype(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")
