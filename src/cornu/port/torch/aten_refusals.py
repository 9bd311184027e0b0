"""What is said of operations of PyTorch that are not carried over, and what to do about them."""

from __future__ import annotations

from typing import Any

from cornu.port.torch.aten import Call, is_inside_torch, modules_of

Refusal = tuple[str, str]  # what it is, advice


def about_unknown(call: Call) -> Refusal:
    """Of an operation that no reader knows."""
    target = call.node.target
    for names, about in _KNOWN:
        if call.operation in names:
            return about(call)
    if target._schema.is_mutable:
        return (
            f"the operation {target} changes a part of a tensor in place, which has no counterpart",
            "Make the whole tensor anew, as with torch.cat or torch.where",
        )
    if call.operation.startswith(_RANDOM) and _is_random(target):
        return (
            f"{_named(call)} draws random numbers",
            "Use nn.Dropout for noise, or draw the numbers outside and give them as an input",
        )
    return (
        f"{_named(call)} has no counterpart",
        "Write it with arithmetic and layers that have one, or apply it outside the module",
    )


def about_module(call: Call) -> Refusal | None:
    """Of a module of torch.nn that is not carried over as a whole; None of every other.

    What PyTorch computes in steps there mixes the batch with other axes (attention) or makes the
    numbers of the rows from the size of the batch (EmbeddingBag).
    """
    leaf = _leaf(call)
    if leaf == "MultiheadAttention":
        return _about_attention(call)
    if leaf == "EmbeddingBag":
        return (
            "nn.EmbeddingBag is not carried over yet",
            "Use nn.Embedding and reduce what it gives: embedding(x).mean(1) of ids of the shape "
            "(batch, length)",
        )
    return None


def about_rows(call: Call) -> Refusal:
    """Of a mask, which picks as many entries as it is true for."""
    return (
        f"{_named(call)} picks as many entries as a mask is true for, so that the shape depends "
        "on the values",
        "Keep the shape: torch.where(mask, x, 0), x * mask or x.masked_fill(~mask, 0); a mean over "
        "the picked ones is (x * mask).sum(1) / mask.sum(1)",
    )


def about_picking(call: Call) -> Refusal:
    """Of an index that the network computes."""
    return (
        f"{_named(call)} picks entries by numbers that the network computes",
        "Use nn.Embedding for a table of weights, or sum what is multiplied by "
        "F.one_hot(index, number)",
    )


def _about_recurrence(call: Call) -> Refusal:
    leaf = _leaf(call)
    name = f"nn.{leaf}" if leaf else _named(call)
    return (
        f"{name}: recurrent layers are not carried over yet",
        "Use convolutions over time (nn.Conv1d) in its place",
    )


def _about_attention(call: Call) -> Refusal:
    around = [kind.rpartition(".")[2] for _, kind in modules_of(call.node) if _is_own(kind)]
    whole = next((kind for kind in around if kind.startswith("Transformer")), None)
    name = f"nn.{whole or around[-1]}" if around else _named(call)
    advice = (
        "Write it out: torch.softmax(q @ k.transpose(-2, -1) / q.size(-1) ** 0.5, -1) @ v, with "
        "nn.Linear layers for q, k and v"
    )
    return f"{name}: attention layers are not carried over yet", advice


_KNOWN = (
    (
        frozenset({"lstm", "gru", "rnn_tanh", "rnn_relu", "quantized_lstm", "quantized_gru"})
        | {"lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"},
        _about_recurrence,
    ),
    (
        frozenset({"scaled_dot_product_attention", "_native_multi_head_attention"})
        | {"_transformer_encoder_layer_fwd"},
        _about_attention,
    ),
    (frozenset({"masked_select", "nonzero", "nonzero_numpy", "argwhere"}), about_rows),
    (frozenset({"gather", "take", "take_along_dim", "index_put"}), about_picking),
)
_RANDOM = ("rand", "normal", "bernoulli", "multinomial", "poisson", "exponential", "feature_alpha")


def _is_random(target: Any) -> bool:
    import torch

    return torch.Tag.nondeterministic_seeded in target.tags


def _is_own(kind: str) -> bool:
    return kind.startswith("torch.nn.modules.")


def _leaf(call: Call) -> str:
    """The class of the module of torch.nn that computes this, as "Fold"; else nothing."""
    modules = modules_of(call.node)
    kind = modules[-1][1] if modules else ""
    return kind.rpartition(".")[2] if _is_own(kind) and not _holds_others(kind) else ""


def _holds_others(kind: str) -> bool:
    return ".container." in kind


def _named(call: Call) -> str:
    """An operation by its module of torch.nn, or by the line of code that calls it."""
    operation = f"the operation {call.node.target}"
    leaf = _leaf(call)
    if leaf:
        return f"nn.{leaf} ({operation})"
    line = _line(call)
    return f"{operation} in `{line}`" if line else operation


def _line(call: Call) -> str:
    """The line of the user's code in which a node was made, where PyTorch knows it."""
    text, frames = call.node.meta.get("stack_trace") or "", []
    lines = text.splitlines()
    for number, line in enumerate(lines[:-1]):
        file = line.strip().removeprefix('File "').partition('"')[0]
        if line.strip().startswith('File "') and not is_inside_torch(file):
            frames.append(lines[number + 1].strip())
    found = frames[-1] if frames else ""
    return "" if found.startswith('File "') else found[:100]
