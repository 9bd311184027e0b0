"""Weights from files of other frameworks, put into a model that has been built."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from cornu.port.keras.read_model import read_model
from cornu.port.kinds import WEIGHTS
from cornu.port.layout import change_layout
from cornu.port.network import Network, Operation, PortError
from cornu.port.weight_files import read_arrays

# PyTorch's names of weights.
_TORCH_NAMES = frozenset({"weight", "bias", "running_mean", "running_var", "num_batches_tracked"})
_KERAS_NAMES = frozenset(name for names in WEIGHTS.values() for name in names) - {"bias"}
_NORMALIZED = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


@dataclasses.dataclass(frozen=True)
class Row:
    """Where one array of a file went.

    Attributes:
        key, shape: of the array in the file.
        variable, new_shape: the variable of the model that has it now.
        change: what was done to it, in words.
    """

    key: str
    shape: tuple[int, ...]
    variable: str
    new_shape: tuple[int, ...]
    change: str = ""


@dataclasses.dataclass(frozen=True)
class Loaded:
    """What went where: a table to be printed."""

    rows: list[Row]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        cells = [("in the file", "shape", "in the model", "shape", "")]
        cells += [
            (row.key, str(row.shape), row.variable, str(row.new_shape), row.change)
            for row in self.rows
        ]
        widths = [max(len(line[i]) for line in cells) for i in range(5)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in cells
        )


def load_weights_into(model: Any, path: str | os.PathLike) -> Loaded:
    """Puts the weights of a file into a Cornu model.

    Arrays are found by the names of their layers, those whose names fit none by their shapes, in
    the order of the file and of the model. Kernels are transposed as the model has them; behind an
    image that is flattened, a kernel of PyTorch's takes its inputs channels first and is rearranged
    for a model whose images have their channels last.

    Args:
        model: a built model.
        path: a `.weights.h5` or `.keras` file (of Keras or Cornu), a state_dict of PyTorch
            (`.pt`, `.pth`; also in a checkpoint), a `.safetensors` or `.npz` file.

    Returns:
        What went where; it can be printed.

    Raises:
        PortError: arrays that do not fit, by name and shape; no weight is changed then.
        ValueError: as `model.load_weights`, for a file of Keras.
        FileNotFoundError: no such file.
        ModuleNotFoundError: a file of PyTorch's, and PyTorch is not installed.

    >>> import tempfile
    >>> import cornu
    >>> path = os.path.join(tempfile.mkdtemp(), "weights.npz")
    >>> np.savez(path, **{"fc.weight": np.ones((2, 3)), "fc.bias": np.zeros(2)})
    >>> model = cornu.Sequential([cornu.Input((3,)), cornu.layers.Dense(2, name="fc")])
    >>> print(load_weights_into(model, path))
    in the file  shape   in the model  shape
    fc.weight    (2, 3)  fc/kernel     (3, 2)  transposed
    fc.bias      (2,)    fc/bias       (2,)
    """
    path = os.fspath(path)
    if path.endswith((".keras", ".h5")):
        model.load_weights(path)
        rows = [Row(v.path, tuple(v.shape), v.path, tuple(v.shape)) for v in model.weights]
        return Loaded(rows)
    arrays = read_arrays(path)
    if all(re.fullmatch(r"arr_\d+", key) for key in arrays):
        return _put(_in_order(model, arrays, path))
    groups = _grouped(arrays, path)
    is_torch = all(group.is_torch for group in groups)
    network = change_layout(read_model(model), "channels_first" if is_torch else "channels_last")
    return _put(_Matching(network, groups, path).assignments())


@dataclasses.dataclass
class _Assignment:
    key: str
    array: np.ndarray
    variable: Any
    value: np.ndarray
    change: str = ""


def _put(assignments: list[_Assignment]) -> Loaded:
    rows = []
    for one in assignments:
        one.variable.assign(one.value)
        variable = one.variable
        shapes = tuple(one.array.shape), tuple(variable.shape)
        rows.append(Row(one.key, shapes[0], variable.path, shapes[1], one.change))
    return Loaded(rows)


def _in_order(model: Any, arrays: dict[str, np.ndarray], path: str) -> list[_Assignment]:
    """What `np.savez(path, *model.get_weights())` wrote."""
    variables = model.weights
    keys = sorted(arrays, key=lambda key: int(key.removeprefix("arr_")))
    if len(keys) != len(variables):
        raise PortError(
            f"{path} holds {len(keys)} arrays, and the model has {len(variables)} weights"
        )
    found = []
    for key, variable in zip(keys, variables, strict=True):
        if arrays[key].shape != tuple(variable.shape):
            raise PortError(
                f"{path}: {key} has shape {arrays[key].shape}, and {variable.path} has "
                f"{tuple(variable.shape)}"
            )
        found.append(_Assignment(key, arrays[key], variable, arrays[key]))
    return found


# -- what is in the file ---------------------------------------------------------------------------


@dataclasses.dataclass
class _Group:
    """The arrays of one layer in a file.

    Attributes:
        name: what their names begin with.
        arrays: by the rest of their names.
        keys: their whole names.
    """

    name: str
    arrays: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    keys: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def is_torch(self) -> bool:
        """Whether the names of the arrays are PyTorch's."""
        return not _KERAS_NAMES & set(self.arrays)

    def __str__(self) -> str:
        return ", ".join(f"{self.keys[n]} {tuple(a.shape)}" for n, a in self.arrays.items())


def _grouped(arrays: dict[str, np.ndarray], path: str) -> list[_Group]:
    groups: dict[str, _Group] = {}
    for key, array in arrays.items():
        name, _, last = key.replace("/", ".").rpartition(".")
        last = last.removesuffix(":0")
        if last == "num_batches_tracked" or key.endswith(".constant"):
            continue
        if last not in _TORCH_NAMES | _KERAS_NAMES:
            raise PortError(
                f"{path}: {key} of shape {tuple(array.shape)} is no weight of a layer that is "
                "known; names end in .weight, .bias, .running_mean, .kernel and the like"
            )
        group = groups.setdefault(name, _Group(name))
        group.arrays[last], group.keys[last] = array, key
    return list(groups.values())


# -- which layer has it ----------------------------------------------------------------------------


class _Matching:
    def __init__(self, network: Network, groups: list[_Group], path: str):
        self.operations = [one for one in network.operations if one.parameters]
        self.groups, self.path = groups, path

    def assignments(self) -> list[_Assignment]:
        """What is to be put where, for every weight of the model.

        Raises PortError where something is left over, in the file or in the model.
        """
        pairs = self._by_name()
        named = {id(group) for _, group in pairs}
        done = {id(operation) for operation, _ in pairs}
        operations = [one for one in self.operations if id(one) not in done]
        groups = [group for group in self.groups if id(group) not in named]
        left = list(groups)
        missing = []
        for operation in operations:
            group = next((g for g in left if _fitted(operation, g) is not None), None)
            if group is None:
                missing.append(operation)
            else:
                left.remove(group)
                pairs.append((operation, group))
        if missing or left:
            raise self._refusal(missing, left)
        order = {id(operation): number for number, operation in enumerate(self.operations)}
        pairs.sort(key=lambda pair: order[id(pair[0])])
        return [one for pair in pairs for one in self._of(*pair)]

    def _by_name(self) -> list[tuple[Operation, _Group]]:
        """Layers and groups that have the same name; all of them, or names say nothing."""
        best: list[tuple[Operation, _Group]] = []
        prefixes = {""} | {group.name.split(".")[0] + "." for group in self.groups}
        for prefix in sorted(prefixes, key=len):
            named = {_plain(group.name.removeprefix(prefix)): group for group in self.groups}
            pairs = [
                (operation, named[name])
                for operation in self.operations
                for name in [_plain(operation.name)]
                if name in named and _fitted(operation, named[name]) is not None
            ]
            if len(pairs) > len(best):
                best = pairs
        return best

    def _refusal(self, missing: list[Operation], left: list[_Group]) -> PortError:
        parts = []
        for operation, group in zip(missing, left, strict=False):
            parts.append(
                f"{group} does not fit {operation.kind} {operation.name!r}, which takes "
                f"{_wanted(operation, group.is_torch)}"
            )
        is_torch = all(group.is_torch for group in self.groups)
        for operation in missing[len(left) :]:
            takes = _wanted(operation, is_torch)
            parts.append(f"nothing for {operation.kind} {operation.name!r}, which takes {takes}")
        for group in left[len(missing) :]:
            parts.append(f"no layer for {group}")
        shown = "; ".join(parts[:3]) + (f"; and {len(parts) - 3} more" if len(parts) > 3 else "")
        return PortError(
            f"{self.path} does not fit the model: {shown}", None, "No weight was changed"
        )

    def _of(self, operation: Operation, group: _Group) -> Iterator[_Assignment]:
        fitted = _fitted(operation, group)
        assert fitted is not None
        for name, (given, value) in fitted.items():
            origin = operation.origins[name]
            variable = origin.key
            # where each entry of the variable stands in the array
            numbers = np.arange(int(np.prod(variable.shape))).reshape(tuple(variable.shape))
            places = origin(numbers)
            array = np.empty(numbers.size, value.dtype)
            array[places.ravel()] = value.ravel()
            change = "transposed" if value is not given else ""
            if operation.kind == "PReLU":
                change = "reshaped" if given.shape != value.shape else ""
            if not np.array_equal(places, numbers):
                change += ", rearranged" if change else "rearranged"
                if operation.kind == "Dense":
                    change += " for channels last"
            array = array.reshape(tuple(variable.shape)).astype(str(variable.dtype))
            key = group.keys[_name_in(group, operation, name)]
            yield _Assignment(key, given, variable, array, change)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _name_in(group: _Group, operation: Operation, name: str) -> str:
    """What a weight of an operation is called in a group."""
    if not group.is_torch or name == "bias":
        return name
    return _NORMALIZED.get(name, "weight")


def _fitted(operation: Operation, group: _Group) -> dict[str, tuple[np.ndarray, np.ndarray]] | None:
    """The arrays of a group, as they are and as an operation has them; None if they do not fit."""
    names = {name: _name_in(group, operation, name) for name in operation.parameters}
    if sorted(names.values()) != sorted(group.arrays):
        return None
    found = {}
    for name, theirs in names.items():
        given, wanted = group.arrays[theirs], operation.parameters[name]
        value = _as_keras(operation, name, given) if group.is_torch else given
        if value is None or value.shape != wanted.shape:
            return None
        found[name] = given, value
    return found


def _as_keras(operation: Operation, name: str, array: np.ndarray) -> np.ndarray | None:
    """An array of PyTorch's in Keras' layout; None where it has another number of axes."""
    wanted = operation.parameters[name]
    kind = operation.kind
    if kind == "PReLU" and array.size == wanted.size:
        return array.reshape(wanted.shape)
    if kind.startswith("DepthwiseConv") and name == "kernel":
        if array.ndim != wanted.ndim or array.shape[1] != 1:
            return None
        # its channels are those of the input, each as often as it has filters
        channels, multiplier = wanted.shape[-2:]
        if array.shape[0] != channels * multiplier:
            return None
        split = array.reshape(channels, multiplier, *array.shape[2:])
        return np.moveaxis(split, (0, 1), (-2, -1))
    if array.ndim != wanted.ndim:
        return None
    if name == "kernel":
        # (filters, channels, *window), or the other way round: in both the last two axes swapped
        return np.moveaxis(array, (1, 0), (-2, -1)) if array.ndim > 2 else array.T
    return array


def _wanted(operation: Operation, is_torch: bool) -> str:
    shapes = []
    for name, array in operation.parameters.items():
        shape = array.shape
        if is_torch and name == "kernel":
            shape = (shape[-1], shape[-2], *shape[:-2])
            if operation.kind.startswith("DepthwiseConv"):
                shape = (shape[0] * shape[1], 1, *shape[2:])
        called = _NORMALIZED.get(name, "bias" if name == "bias" else "weight")
        shapes.append(f"{called if is_torch else name} {tuple(shape)}")
    return ", ".join(shapes)
