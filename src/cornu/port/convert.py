"""From one framework to another: the functions that people call."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from cornu.port.heads import logits_out
from cornu.port.keras import torch_optimizers
from cornu.port.keras.read_model import read_model
from cornu.port.keras.write_model import write_model
from cornu.port.layout import change_layout, ends_as_read
from cornu.port.network import Network


def from_torch(
    module: Any,
    example: Any = None,
    *,
    loss: Any = None,
    optimizer: Any = None,
    scheduler: Any = None,
    steps_per_epoch: int | None = None,
    data_format: str = "channels_last",
    name: str | None = None,
) -> Any:
    """A Cornu model that computes what a PyTorch module computes.

    Args:
        module: `torch.nn.Module`, `torch.fx.GraphModule` or `torch.export.ExportedProgram`. It is
            read as it predicts (as after `eval()`), and not changed.
        example: what its `forward` takes: a tensor (batch, ...), a tuple of them, or a dictionary.
            An exported program needs none.
        loss: of `torch.nn` or `torch.nn.functional`, or None.
        optimizer: of `torch.optim`, made of the module's parameters, or None.
        scheduler: of `torch.optim.lr_scheduler`, or None; `steps_per_epoch` says how many optimizer
            steps there are between two of its steps.
        data_format: "channels_last": images (N, C, H, W) become (N, H, W, C), inputs and outputs;
            "channels_first": they stay, with layers for channels first.
        name: of the model. Default: the module's class.

    Returns:
        A built `cornu.Model`; compiled where a loss was given.

    Raises:
        PortError: what cannot be carried over, by name and place.
        ModuleNotFoundError: PyTorch is not installed.
        ValueError: an unknown `data_format`.
    """
    network = torch_network(
        module, example, loss, optimizer, scheduler, steps_per_epoch, data_format, name
    )
    return write_model(network)


def torch_network(
    module: Any,
    example: Any = None,
    loss: Any = None,
    optimizer: Any = None,
    scheduler: Any = None,
    steps_per_epoch: int | None = None,
    data_format: str = "channels_last",
    name: str | None = None,
) -> Network:
    """The `Network` that `from_torch` makes a model of."""
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(
            f"from_torch(data_format={data_format!r}): data_format must be 'channels_last' or "
            "'channels_first'"
        )
    from cornu.port.torch.read import read_torch

    network = read_torch(module, example, loss, optimizer, scheduler, name, steps_per_epoch)
    return change_layout(network, "channels_last") if data_format == "channels_last" else network


def to_torch(model: Any) -> Any:
    """A `torch.nn.Module` that computes what a model computes, channels first.

    Its class is written as a program, as `cornu port` writes it, and executed: `inspect.getsource`
    shows it. A model compiled with a cross-entropy on a softmax or sigmoid gives a module that
    returns logits, as PyTorch's losses take them; `module.program.predict` gives probabilities.

    Args:
        model: a built Cornu model (or a Keras model, where Keras is installed).

    Returns:
        The module, with the weights; `module.program` is the program's namespace: with a compiled
        model its `loss_function`, `make_optimizer` and `train` too.

    Raises:
        PortError: what cannot be carried over, by name.
        ModuleNotFoundError: PyTorch is not installed.
    """
    from cornu.port.torch.write import write_torch

    return write_torch(torch_form_of(read(model)))


def torch_form_of(network: Network) -> Network:
    """A network as the PyTorch writer takes it."""
    return logits_out(change_layout(network, "channels_first"))


def from_onnx(model: Any, *, data_format: str = "channels_last") -> Any:
    """A Cornu model that computes what an ONNX model computes.

    Args:
        model: name of a file, its bytes, or an `onnx.ModelProto`.
        data_format: of images, as for `from_torch`.

    Raises:
        PortError: an operator that has no counterpart, by type and name.
        ModuleNotFoundError: onnx is not installed.
    """
    from cornu.port.onnx.read import read_onnx

    network = read_onnx(model)
    network.data_format = "channels_first"
    if data_format == "channels_last":
        network = change_layout(network, "channels_last")
    return write_model(network)


def to_onnx(
    model: Any, path: str | os.PathLike | None = None, *, data_format: str = "channels_last"
) -> Any:
    """An `onnx.ModelProto` that computes what a model predicts, with an open batch axis.

    It has passed ONNX' own checker, shapes included.

    Args:
        model: a built Cornu model (or a Keras model, where Keras is installed).
        path: where to write it, or None.
        data_format: "channels_last": it takes and gives images as the model does, with a Transpose
            at each end, because ONNX' convolutions have channels first; "channels_first": it takes
            and gives them so, without.

    Raises:
        PortError: what cannot be carried over, by name.
        ModuleNotFoundError: onnx is not installed.
    """
    from cornu.port.onnx.write import write_onnx

    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(
            f"to_onnx(data_format={data_format!r}): data_format must be 'channels_last' or "
            "'channels_first'"
        )
    network = change_layout(read(model), "channels_first")
    if data_format == "channels_last":
        network = ends_as_read(network)
    proto = write_onnx(network)
    if path is not None:
        with open(path, "wb") as file:
            file.write(proto.SerializeToString())
    return proto


def to_numpy(model: Any) -> Any:
    """A module of plain NumPy with the network's forward and backward pass, and its training.

    Args:
        model: a built Cornu model (or a Keras model, where Keras is installed).

    Returns:
        The executed program, with the weights: `Network`, and with a compiled model `train`,
        `predict` and the loss.

    Raises:
        PortError: what cannot be carried over, by name.
    """
    from cornu.port.numpy.write import write_numpy

    return write_numpy(read(model))


def to_keras(model: Any, path: str | os.PathLike | None = None) -> Any:
    """A Keras model that computes what a Cornu model computes.

    Args:
        model: a built Cornu model.
        path: where to write it as a `.keras` file, for which Keras need not be installed; or None.

    Returns:
        A live `keras.Model` with the same weights and compiled the same way; where a path is given,
        the path.

    Raises:
        ModuleNotFoundError: no path is given, and Keras is not installed.
        ValueError: a path that does not end in `.keras`.
    """
    if path is not None:
        model.save(path)
        return path
    try:
        import keras
    except ImportError:
        raise ModuleNotFoundError(
            'to_keras without a path needs Keras; install it with `pip install "cornu[keras]"`'
        ) from None
    torch_optimizers.register_with(keras)
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and not optimizer.built:
        optimizer.build(model.trainable_variables)  # Keras warns of a file without its state
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "model.keras")
        model.save(file)
        return keras.saving.load_model(file)


def from_keras(model: Any) -> Any:
    """A Cornu model with the layers, weights and training of a Keras model.

    Args:
        model: a live `keras.Model`, or the name of a `.keras` or `.h5` file, for which Keras need
            not be installed.

    Raises:
        ValueError: a layer that Cornu does not have, by name.
    """
    from cornu.saving import load_model

    if isinstance(model, (str, os.PathLike)):
        return load_model(model)
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "model.keras")
        model.save(file)
        return load_model(file)


def read(model: Any) -> Network:
    """The network of a Cornu model, or of a live Keras model."""
    families = {base.__module__.partition(".")[0] for base in type(model).__mro__}
    if "keras" in families and "cornu" not in families:
        model = from_keras(model)
    return read_model(model)
