"""Errors that frameworks stop with, and the rule whose subject each is."""

from __future__ import annotations

import re

# What the message says, the code of the rule, how to mend it.
_KNOWN: tuple[tuple[str, str, str], ...] = (
    # Cornu's own sentences (Keras' networks)
    (
        r"the labels go from .* but the output",
        "C108",
        "give the last layer a unit for each class, and count classes from 0",
    ),
    (
        r"^y: (?:an array of Python objects .* is not numbers|holds text)",
        "C110",
        "number the classes: y = LabelEncoder().fit_transform(y), or pandas' factorize",
    ),
    (
        r"\((?:LSTM|GRU|SimpleRNN|Bidirectional|ConvLSTM2D)\) expects an input with 3 axes",
        "C213",
        "set return_sequences=True in the recurrent layer before it, or give it (batch, steps, "
        "features)",
    ),
    (
        r"larger than|negative dimension|window .* does not fit",
        "C210",
        "use a smaller window, fewer poolings, or padding='same'",
    ),
    (
        r"\(Dense\) expects an input with",
        "C203",
        "put a Flatten layer before it",
    ),
    # PyTorch's
    (
        r"[Kk]ernel size can't be greater than actual input size|Output size is too small",
        "C210",
        "use a smaller window, fewer poolings, or more padding",
    ),
    (
        r"expected input\[\d+, \d+, \d+, (\d+)\] to have \1 channels",
        "C511",
        "give it x.permute(0, 3, 1, 2): PyTorch's convolutions take the channels from axis 1",
    ),
    (
        r"Expected input batch_size \(\d+\) to match target batch_size",
        "C204",
        "keep the rows: x.view(x.size(0), -1) or torch.flatten(x, 1), and give nn.Linear "
        "in_features for as many columns",
    ),
    (
        r"index out of range in self",
        "C516",
        "give nn.Embedding a row for each id: num_embeddings is the largest id + 1",
    ),
    (
        r"mat1 and mat2 shapes cannot be multiplied",
        "C203",
        "flatten with torch.flatten(x, 1), and give nn.Linear in_features for as many columns",
    ),
    (
        r"Target -?\d+ is out of bounds|index .* out of (?:bounds|range).*target",
        "C108",
        "give the last layer an output for each class, and count classes from 0",
    ),
    (
        r"0D or 1D target tensor expected, multi-target not supported",
        "C107",
        "give the loss class numbers of shape (batch,): targets.argmax(dim=1), or squeeze them",
    ),
    (
        r"expected target dtype to be Long|Expected floating point type for target with class"
        r"|expected scalar type Long|not implemented for '(?:Int|Float|Double|Char|Byte)'"
        r"|result type Float can't be cast to",
        "C110",
        "give class numbers as int64 (y.long()) and values as float32 (y.float())",
    ),
    (
        r"Using a target size \(.*\) that is different to the input size",
        "C117",
        "give outputs and targets the same shape: outputs.squeeze(1), or targets.unsqueeze(1)",
    ),
    (
        r"does not require grad and does not have a grad_fn",
        "C412",
        "compute the loss from the network's outputs without detach(), .data, argmax() or .item()",
    ),
    (
        r"all elements of (?:input|target) should be between 0 and 1",
        "C103",
        "use nn.BCEWithLogitsLoss, or apply a sigmoid first",
    ),
    (
        r"optimizer got an empty parameter list",
        "C411",
        "keep layers in attributes, nn.ModuleList or nn.Sequential, not in a plain list",
    ),
)


def explanation(message: str) -> tuple[str, str] | None:
    """Code and fix for an error message, or None for one that is not known."""
    for pattern, code, fix in _KNOWN:
        if re.search(pattern, message):
            return code, fix
    return None
