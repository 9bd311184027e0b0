"""Where a tensor of a batch comes from, and all of the data behind it."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np

from cornu.check.statistics import ArrayFacts
from cornu.check.torch_recorder import Recorder
from cornu.check.torch_records import Record, overwrites

# Rows asked of a dataset one by one, the seconds that may take, and the bytes it may fill.
_MOST_ROWS, _SECONDS, _MOST_BYTES = 4096, 1.5, 2**28
_ROWS_OF = frozenset({"__getitem__", "index_select", "narrow"})
_ONE_OF = frozenset({"__getitem__", "select", "unbind", "__iter__"})


@dataclasses.dataclass(eq=False)
class Origin:
    """Where a tensor comes from.

    Attributes:
        kind: "loader" (a batch of a DataLoader), "rows" (rows taken of a tensor), "all" (the same
            tensor in every step), or "batch".
        tensor: what the chain begins with.
        chain: what was done to it then, in order.
        loader, position: of a batch: what gave it, and the place of the tensor in it.
    """

    kind: str
    tensor: Any
    chain: list[Record] = dataclasses.field(default_factory=list)
    loader: Any = None
    position: int = 0


def origin(recorder: Recorder, edge: tuple, later: set[int], one_by_one: bool = False) -> Origin:
    """Follows a tensor back to where it comes from.

    Args:
        recorder: what was recorded.
        edge: (the record that made it or None, which output, tensor).
        later: ids of the tensors that took the same place in later steps.
        one_by_one: whether the network is given single rows, without an axis for the batch.
    """
    made, _, tensor = edge
    first = tensor
    chain: list[Record] = []
    while True:
        entry = recorder.batches.get(id(tensor)) if tensor is not None else None
        if entry is not None and entry[0]() is tensor:
            return Origin("loader", tensor, chain[::-1], entry[1], entry[2])
        if made is None:
            break
        if not made.edges:
            break
        source = made.edges[0][2]
        takes_rows = id(first) not in later and _takes_rows(made, source, tensor, one_by_one)
        if takes_rows and not _is_of_batch(recorder, source):
            return Origin("rows", source, chain[::-1])
        if len(made.edges) > 1 and made.edges[1][0] is not None:
            break
        chain.append(made)
        made, _, tensor = made.edges[0]
    if id(first) in later:
        return Origin("all", first)
    return Origin("batch", first)


def _takes_rows(made: Record, source: Any, tensor: Any, one_by_one: bool) -> bool:
    """Whether a tensor is made of some rows of another."""
    if source is None or tensor is None or not source.ndim:
        return False
    if one_by_one:
        return made.name in _ONE_OF and tensor.ndim == source.ndim - 1
    index = made.args[1] if len(made.args) > 1 else None
    first = index[0] if isinstance(index, tuple) and index else index
    has_axis = made.name != "__getitem__" or not isinstance(first, int)
    return bool(made.name in _ROWS_OF and has_axis and tensor.ndim and len(source) > len(tensor))


def _is_of_batch(recorder: Recorder, tensor: Any) -> bool:
    entry = recorder.batches.get(id(tensor))
    return entry is not None and entry[0]() is tensor


class Data:
    """All of the data behind the tensors of a batch.

    Args:
        recorder: what was recorded.
    """

    def __init__(self, recorder: Recorder):
        self.recorder = recorder
        self._sampled: dict[int, tuple[list, bool]] = {}

    def facts(self, origin: Origin, tensor: Any, name: str, one_by_one: bool = False) -> ArrayFacts:
        """What is known of the data that a tensor is a batch of.

        Args:
            origin: of the tensor.
            tensor: as it was handed to the network or the loss.
            name: "x" or "y".
            one_by_one: whether it is a single row, without an axis for the batch.
        """
        if one_by_one:
            whole = origin.tensor if origin.kind == "rows" else tensor[None]
            return ArrayFacts(to_numpy(whole), name, complete=origin.kind == "rows")
        facts = self._all(origin, tensor, name)
        facts.place, facts.reshaped_from = self._made(origin)
        return facts

    def of_other_loader(self, origin: Origin, tensor: Any, loader: Any, name: str) -> Any:
        """The same data of another loader, or None where it isn't of the same kind.

        Args:
            origin: of a tensor of the training data.
            tensor: as it was handed to the network or the loss.
            loader: the other loader.
            name: "x" or "y".
        """
        if origin.kind != "loader" or type(_dataset(loader)) is not type(_dataset(origin.loader)):
            return None
        try:
            whole, complete = self._of_loader(loader, origin.position)
            changed = _replay(origin.chain, origin.tensor, whole, tensor)
        except Exception:
            return None  # somebody's dataset
        if changed is None or changed.shape[1:] != tensor.shape[1:]:
            return None
        facts = ArrayFacts(to_numpy(changed), name, complete=complete)
        facts.place = self.recorder.places.get(loader)
        return facts

    def _made(self, origin: Origin) -> tuple[Any, tuple[int, ...] | None]:
        """The line that made the data, and the shape it had before a last reshape of it."""
        import torch

        tensor = origin.tensor
        if origin.kind == "loader":
            dataset = _dataset(origin.loader)
            if not isinstance(dataset, torch.utils.data.TensorDataset):
                frames = self.recorder.frames
                return frames.last_return(getattr(type(dataset), "__getitem__", None)), None
            tensor = dataset.tensors[origin.position]
        made, _ = self.recorder.producer(tensor) if tensor is not None else (None, 0)
        if made is None:
            entry = self.recorder.taken.get(id(tensor))
            return (entry[1] if entry is not None and entry[0]() is tensor else None), None
        source = made.edges[0][2] if made.edges else None
        if source is None or made.name not in ("view", "reshape"):
            return made.place, None
        return made.place, tuple(source.shape)

    def _all(self, origin: Origin, tensor: Any, name: str) -> ArrayFacts:
        whole, complete = None, False
        try:
            if origin.kind == "loader" and origin.loader is not None:
                whole, complete = self._of_loader(origin.loader, origin.position)
            elif origin.kind == "rows":
                whole, complete = origin.tensor, True
            elif origin.kind == "all":
                return ArrayFacts(to_numpy(tensor), name, complete=True)
            if whole is not None:
                changed = _replay(origin.chain, origin.tensor, whole, tensor)
                if changed is not None:
                    return ArrayFacts(to_numpy(changed), name, complete=complete)
        except Exception:
            # somebody's dataset: whatever it raises, the batch is there
            pass
        return ArrayFacts(to_numpy(tensor), name, complete=False)

    def _of_loader(self, loader: Any, position: int) -> tuple[Any, bool]:
        """A tensor of the data that a loader gives, and whether it is all of it."""
        import torch

        dataset, rows = loader.dataset, getattr(loader.sampler, "indices", None)
        while isinstance(dataset, torch.utils.data.Subset):
            chosen = dataset.indices
            rows = list(chosen) if rows is None else [chosen[row] for row in rows]
            dataset = dataset.dataset
        index = slice(None) if rows is None else torch.as_tensor(list(rows))
        if isinstance(dataset, torch.utils.data.TensorDataset):
            return dataset.tensors[position][index], True
        targets = getattr(dataset, "targets", None)
        if position == 1 and targets is not None and not getattr(dataset, "target_transform", 0):
            return torch.as_tensor(np.asarray(targets))[index], True
        key = id(loader)
        if key not in self._sampled:
            self._sampled[key] = _sample(dataset, rows)
        columns, complete = self._sampled[key]
        return columns[position], complete


def _dataset(loader: Any) -> Any:
    """The dataset of a loader, of which it may give only a part."""
    import torch

    dataset = getattr(loader, "dataset", None)
    while isinstance(dataset, torch.utils.data.Subset):
        dataset = dataset.dataset
    return dataset


def _sample(dataset: Any, rows: Any) -> tuple[list, bool]:
    """Rows of a dataset asked one by one, as one tensor for each place of a row."""
    import torch

    rows = list(range(len(dataset))) if rows is None else rows
    step = max(1, -(-len(rows) // _MOST_ROWS))
    chosen = list(rows[::step])
    # in an order in which the time may end at any row with rows from everywhere seen
    order = np.random.Generator(np.random.PCG64(0)).permutation(len(chosen))
    found: dict[int, list] = {}
    began, size = time.monotonic(), 0
    for place in order:
        found[int(place)] = list(_plain(dataset[int(chosen[place])]))
        size += sum(one.numel() * one.element_size() for one in found[int(place)])
        if time.monotonic() - began > _SECONDS or size > _MOST_BYTES:
            break
    inorder = [found[place] for place in sorted(found)]
    columns = [torch.stack(column) for column in zip(*inorder, strict=True)]
    return columns, len(found) == len(rows)


def _plain(item: Any) -> Any:
    """The tensors that collating makes of a row: numbers and arrays are tensors too."""
    import torch

    if isinstance(item, torch.Tensor):
        yield item
    elif isinstance(item, (np.ndarray, np.generic, int, float, bool)):
        yield torch.as_tensor(item)
    elif isinstance(item, dict):
        for one in item.values():
            yield from _plain(one)
    elif isinstance(item, (tuple, list)):
        for one in item:
            yield from _plain(one)


def _replay(chain: list[Record], begin: Any, whole: Any, batch: Any) -> Any:
    """Does to all of the data what was done to a batch of it."""
    import torch

    value = whole
    inner = tuple(batch.shape[1:])
    try:
        for record in chain:
            source = record.edges[0][2] if record.edges[0][2] is not None else begin
            args = tuple(value if one is source else one for one in record.args)
            if not any(one is value for one in args) or overwrites(record.name):
                raise ValueError("the tensor is not among the arguments")
            value = record.function(*args, **record.kwargs)
    except Exception:
        value = whole
    if tuple(value.shape) != (len(whole), *inner):
        if value[:1].numel() != int(np.prod(inner)):
            return None
        value = value.reshape(len(whole), *inner)
        if any(one.is_floating_point() != batch.is_floating_point() for one in (value,)):
            value = value.to(batch.dtype)
    if not chain or value.dtype == batch.dtype:
        return value
    return value.to(batch.dtype) if isinstance(value, torch.Tensor) else None


def to_numpy(tensor: Any) -> np.ndarray:
    """A tensor's values as a NumPy array."""
    import torch

    tensor = tensor.detach().cpu()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.float()
    return tensor.resolve_conj().resolve_neg().numpy()


def loader_rows(loader: Any) -> tuple[int | None, int | None, bool | None]:
    """(rows in a pass, batches in a pass, whether they are shuffled) of a DataLoader."""
    import torch.utils.data as data

    try:
        rows, steps = len(loader.sampler), len(loader)
    except TypeError:
        return None, None, None
    sampler = loader.sampler
    if isinstance(sampler, data.SequentialSampler):
        return rows, steps, False
    known = (data.RandomSampler, data.SubsetRandomSampler, data.WeightedRandomSampler)
    return rows, steps, True if isinstance(sampler, known) else None
