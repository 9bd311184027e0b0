"""Which losses a PyTorch program's backward pass started from."""

from __future__ import annotations

import dataclasses
from typing import Any

from cornu.check.facts import Loss
from cornu.check.torch_records import Backward, Record

_LOSS_CLASSES = {
    "CrossEntropyLoss": "cross_entropy",
    "NLLLoss": "nll_loss",
    "NLLLoss2d": "nll_loss",
    "BCELoss": "binary_cross_entropy",
    "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
    "MSELoss": "mse_loss",
    "L1Loss": "l1_loss",
    "SmoothL1Loss": "smooth_l1_loss",
    "HuberLoss": "huber_loss",
    "KLDivLoss": "kl_div",
    "PoissonNLLLoss": "poisson_nll_loss",
    "GaussianNLLLoss": "gaussian_nll_loss",
    "HingeEmbeddingLoss": "hinge_embedding_loss",
    "MultiLabelMarginLoss": "multilabel_margin_loss",
    "MultiLabelSoftMarginLoss": "multilabel_soft_margin_loss",
    "SoftMarginLoss": "soft_margin_loss",
    "CosineEmbeddingLoss": "cosine_embedding_loss",
    "MarginRankingLoss": "margin_ranking_loss",
    "MultiMarginLoss": "multi_margin_loss",
    "TripletMarginLoss": "triplet_margin_loss",
    "TripletMarginWithDistanceLoss": "triplet_margin_with_distance_loss",
    "CTCLoss": "ctc_loss",
}
# function -> (kind, expects, labels)
LOSSES: dict[str, tuple[str, str | None, str | None]] = {
    "cross_entropy": ("sparse_categorical_crossentropy", "logits", "classes"),
    "nll_loss": ("negative_log_likelihood", "log probabilities", "classes"),
    "binary_cross_entropy": ("binary_crossentropy", "probabilities", "binary"),
    "binary_cross_entropy_with_logits": ("binary_crossentropy", "logits", "binary"),
    "mse_loss": ("mean_squared_error", "values", "values"),
    "l1_loss": ("mean_absolute_error", "values", "values"),
    "smooth_l1_loss": ("huber", "values", "values"),
    "huber_loss": ("huber", "values", "values"),
    "kl_div": ("kl_divergence", "log probabilities", None),
    "poisson_nll_loss": ("poisson", None, "values"),
    "gaussian_nll_loss": ("gaussian_negative_log_likelihood", "values", "values"),
    "hinge_embedding_loss": ("hinge_embedding", "values", "signs"),
    "multilabel_margin_loss": ("multilabel_margin", "values", None),
    "multilabel_soft_margin_loss": ("binary_crossentropy", "logits", "binary"),
    "soft_margin_loss": ("soft_margin", "values", "signs"),
    "cosine_embedding_loss": ("cosine_embedding", "values", "signs"),
    "margin_ranking_loss": ("margin_ranking", "values", "signs"),
    "multi_margin_loss": ("categorical_hinge", "values", "classes"),
    "triplet_margin_loss": ("triplet_margin", "values", None),
    "triplet_margin_with_distance_loss": ("triplet_margin", "values", None),
    "ctc_loss": ("ctc", "log probabilities", None),
}
# Losses that take three tensors, of which the labels (if any) come last or are none.
PAIRS = frozenset({"cosine_embedding_loss", "margin_ranking_loss", "triplet_margin_loss"})

# Functions through which a loss may pass before `backward`: sums and means, and scaling.
_MEANS = frozenset({"mean", "sum", "mul", "__mul__", "__rmul__", "div", "__truediv__", "truediv"})
_SQUARES = frozenset({"pow", "__pow__", "square"})
_DIFFERENCES = frozenset({"sub", "__sub__", "__rsub__", "rsub", "subtract"})


def loss_function(class_name: str | None) -> str | None:
    """The loss function that a module of torch.nn applies, or None."""
    return _LOSS_CLASSES.get(class_name or "")


@dataclasses.dataclass(eq=False)
class FoundLoss:
    """A loss as it was called.

    Attributes:
        loss: what is known of it.
        prediction, target: the edges of the tensors it was given; None where that isn't known.
        record: its record, or None for one written out.
    """

    loss: Loss
    prediction: tuple | None
    target: tuple | None
    record: Record | None = None


def find_losses(backward: Backward) -> list[FoundLoss]:
    """The losses of a backward pass, in the order in which they were computed."""
    ends = [made for made in backward.made if made is not None]
    known = _known(ends)
    if known:
        return [described(record, backward.requires_grad) for record in known]
    found = [_written_out(record) for record in ends]
    written = [one for one in found if one is not None]
    if not ends and backward.latest_loss is not None:
        # the loss went through something that PyTorch does not tell of, such as NumPy
        return [described(backward.latest_loss, False)]
    for one in written:
        one.loss.requires_gradient = backward.requires_grad
    return written


def _known(ends: list[Record]) -> list[Record]:
    found: list[Record] = []
    seen: set[Record] = set()
    waiting = list(ends)
    while waiting:
        record = waiting.pop()
        if record in seen:
            continue
        seen.add(record)
        if as_loss(record):
            found.append(record)
        else:
            waiting += [made for made, _, _ in record.edges if made is not None]
    return sorted(found, key=lambda record: record.number)


def as_loss(record: Record) -> str | None:
    """The loss function that a record applied, or None."""
    if record.loss:
        return record.loss
    return record.name if record.module is None and record.name in LOSSES else None


def described(record: Record, requires_gradient: bool = True) -> FoundLoss:
    """What is known of a loss by its record."""
    function = as_loss(record) or record.name
    kind, expects, labels = LOSSES[function]
    prediction, target = _arguments(record, function)
    shapes = [_shape(edge) for edge in (prediction, target)]
    settings = _settings(record)
    if function == "cross_entropy" and target is not None and _is_floating(target):
        same = shapes[0] is not None and shapes[1] is not None and len(shapes[0]) == len(shapes[1])
        if same:
            kind, labels = "categorical_crossentropy", "one-hot or classes"
    rank = len(shapes[0]) if shapes[0] is not None else 2
    over_classes = function in ("cross_entropy", "nll_loss", "multi_margin_loss")
    loss = Loss(
        kind,
        type(record.module).__name__ if record.module is not None else record.name,
        expects=expects,  # type: ignore[arg-type]
        labels=labels,
        class_axis=1 if over_classes and rank > 1 else (0 if over_classes else -1),
        place=record.place,
        settings=settings,
        prediction_shape=shapes[0],
        target_shape=shapes[1],
        requires_gradient=requires_gradient,
    )
    return FoundLoss(loss, prediction, target, record)


def _arguments(record: Record, function: str) -> tuple[tuple | None, tuple | None]:
    """The edges of the prediction and the target."""
    import torch

    edges = list(record.edges)
    by_name = {
        key: next((edge for edge in edges if edge[2] is value), None)
        for key, value in record.kwargs.items()
        if isinstance(value, torch.Tensor)
    }
    prediction = by_name.get("input") or (edges[0] if edges else None)
    if function in PAIRS:
        return prediction, by_name.get("target") or (edges[2] if len(edges) > 2 else None)
    positional = [e for e in edges if e not in by_name.values()]
    second = 1 if "input" not in by_name else 0
    target = by_name.get("target") or (positional[second] if len(positional) > second else None)
    return prediction, target


def _settings(record: Record) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name in ("reduction", "label_smoothing", "ignore_index", "weight", "pos_weight"):
        value = getattr(record.module, name, None) if record.module is not None else None
        value = record.kwargs.get(name) if value is None else value
        if value is not None:
            given[name] = value if isinstance(value, (str, int, float)) else True
    return given


def _written_out(end: Record) -> FoundLoss | None:
    """A mean squared or absolute error written as `((out - y) ** 2).mean()`; else None."""
    record: Record | None = end
    while record is not None and record.name in _MEANS:
        sources = [made for made, _, _ in record.edges if made is not None]
        if record.name in ("mul", "__mul__") and len(record.edges) == 2:
            first, second = (edge[0] for edge in record.edges)
            if first is second and first is not None and first.name in _DIFFERENCES:
                return _error(first, "mean_squared_error", end)
        if len(sources) != 1:
            return None
        record = sources[0]
    if record is None or not record.edges:
        return None
    inner = record.edges[0][0]
    if inner is None or inner.name not in _DIFFERENCES or len(inner.edges) != 2:
        return None
    exponent = record.args[1] if len(record.args) > 1 else record.kwargs.get("exponent", 2)
    if record.name in _SQUARES and exponent == 2:
        return _error(inner, "mean_squared_error", end)
    if record.name in ("abs", "absolute", "__abs__"):
        return _error(inner, "mean_absolute_error", end)
    return None


def _error(difference: Record, kind: str, end: Record) -> FoundLoss | None:
    first, second = difference.edges

    def computed(edge: tuple) -> bool:
        made, which, tensor = edge
        if made is not None and made.specs:
            return bool(made.specs[which][2])
        return bool(tensor is not None and tensor.requires_grad)

    if computed(first) == computed(second):
        return None
    prediction, target = (first, second) if computed(first) else (second, first)
    loss = Loss(
        kind,
        "custom",
        expects="values",
        labels="values",
        place=end.place,
        settings={"written_out": True},
        prediction_shape=_shape(prediction),
        target_shape=_shape(target),
    )
    return FoundLoss(loss, prediction, target)


def _shape(edge: tuple | None) -> tuple | None:
    if edge is None:
        return None
    made, which, tensor = edge
    if made is not None and made.specs:
        return made.specs[which][0]
    return tuple(tensor.shape) if tensor is not None else None


def _is_floating(edge: tuple) -> bool:
    made, which, tensor = edge
    dtype = made.specs[which][1] if made is not None and made.specs else tensor.dtype
    return bool(dtype.is_floating_point)
