"""Model: a layer that can be trained, saved and summed up."""

from __future__ import annotations

from typing import Any

import jax

from cornu import saving
from cornu.core import hooks
from cornu.core.serialization import is_builtin, serialize, to_json
from cornu.graph.node import infer
from cornu.graph.tensor import KerasTensor
from cornu.layers.layer import Layer, _init_arguments, _shapes, is_shape
from cornu.models.graph_config import read_graph, takes_graph
from cornu.models.summary import print_summary
from cornu.models.training import Trainer


class Model(Trainer, Layer):
    """A network: layers put together, with `compile`, `fit`, `evaluate`, `predict` and `save`.

    There are three ways to make one: `Model(inputs, outputs)` from symbolic tensors, a subclass
    with layers as attributes and a `call(self, inputs)`, or `Sequential`.

    Args:
        inputs: symbolic tensor, or a list or dict of them, from `Input`.
        outputs: symbolic tensor, or a list or dict of them.
        name: by default `functional`, `functional_1`, ... or made from the class.

    Raises:
        ValueError: outputs that the inputs do not lead to.

    >>> from cornu import Input, layers
    >>> inputs = Input((4,))
    >>> model = Model(inputs, layers.Dense(2)(inputs))
    >>> model.count_params()
    10
    """

    public_module = ""
    _untracked = Trainer._untracked

    def __new__(cls, *args, **kwargs):
        if cls is Model and _is_functional(args, kwargs):
            from cornu.models.functional import Functional

            return super().__new__(Functional)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args, **kwargs):
        if _is_functional(args, kwargs):
            # a subclass that builds a graph in its constructor is a Functional from here on
            from cornu.models.functional import Functional

            if not isinstance(self, Functional):
                cls = type(self)
                self.__class__ = type(
                    cls.__name__, (cls, Functional), {"__module__": cls.__module__}
                )
            Functional.__init__(self, *args, **kwargs)
            return
        Trainer.__init__(self)
        Layer.__init__(self, *args, **kwargs)

    @property
    def layers(self) -> list[Layer]:
        """The layers directly inside it, in order."""
        return self._sublayers()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of a name, or at a place in `layers`.

        Raises ValueError where there is none, naming those there are.
        """
        layers = self.layers
        if (name is None) == (index is None):
            raise ValueError("get_layer: give either a name or an index")
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(f"get_layer(index={index}): the model has {len(layers)} layers")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(
            f"get_layer({name!r}): the layers are {', '.join(repr(one.name) for one in layers)}"
        )

    def build(self, input_shape) -> None:
        """Makes the weights for inputs of a shape (or a nest of shapes), without data."""
        if self.built or input_shape is None or self._builds_itself:
            return
        tensors = jax.tree_util.tree_map(
            lambda shape: KerasTensor(shape), input_shape, is_leaf=is_shape
        )
        self._output_specs(tensors)

    def _output_specs(self, inputs: Any) -> Any:
        """The symbolic outputs for symbolic inputs; builds the layers inside."""
        return infer(self._traced_call, (inputs,), {})

    @property
    def _builds_itself(self) -> bool:
        """Whether a subclass has a `build` of its own; otherwise the first call builds it."""
        return type(self).build is not Model.build

    def _ensure_built(self, args: tuple, kwargs: dict) -> None:
        if self._builds_itself:
            super()._ensure_built(args, kwargs)

    def _run(self, context, args: tuple, kwargs: dict) -> Any:
        outputs = super()._run(context, args, kwargs)
        if not self.built:
            self.built = True
            self._build_shapes = {"input_shape": _shapes(args[0])} if args else None
        return outputs

    def summary(
        self,
        line_length: int | None = None,
        positions=None,
        print_fn=None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range=None,
    ) -> None:
        """Prints the layers, their output shapes and their numbers of parameters, as Keras does.

        Args:
            line_length: width in characters; by default that of the terminal, at most 80.
            positions: relative places of the column ends.
            print_fn: called with the text instead of printing it.
            expand_nested: whether the layers of models inside are listed too.
            show_trainable: whether to add a column that says what is trained.
            layer_range: first and last layer name (regular expressions) to list.
        """
        print_summary(
            self,
            line_length=line_length,
            positions=positions,
            print_fn=print_fn,
            expand_nested=expand_nested,
            show_trainable=show_trainable,
            layer_range=layer_range,
        )

    def save(self, filepath, overwrite: bool = True, zipped: bool | None = None, **kwargs) -> None:
        """Writes configuration, weights, optimizer state and compile settings to a `.keras` file.

        Keras 3 opens it. The file is written beside the target and moved into its place, so that
        a full disk leaves the last good one.

        Raises ValueError where the name does not end in `.keras`, OSError where it cannot be
        written.
        """
        saving.save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(self, filepath, overwrite: bool = True) -> None:
        """Writes the weights to a `.weights.h5` file."""
        saving.save_weights(self, filepath, overwrite=overwrite)

    def load_weights(self, filepath, skip_mismatch: bool = False, **kwargs) -> None:
        """Reads the weights from a `.weights.h5` or `.keras` file written here or by Keras 3.

        Raises ValueError where the file's layers or shapes differ from the model's.
        """
        saving.load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def export(
        self,
        filepath,
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature=None,
        **kwargs,
    ) -> None:
        """Writes the model for another program to predict with.

        Args:
            filepath: string or path of the file.
            format: "onnx": an ONNX model that takes what `predict` takes, with an open batch axis.
                Keras' default, TensorFlow's format, is not to be had without TensorFlow.
            verbose: whether to print where it was written. Default `None`: True, as in Keras.
            input_signature: accepted as `None`: shapes are the model's.
            **kwargs: none.

        Raises:
            ValueError: another format; a layer that ONNX has no counterpart for, by name.
            ModuleNotFoundError: onnx is not installed.
        """
        if format != "onnx":
            raise ValueError(
                f"export(format={format!r}): only 'onnx' is supported; cornu.port.to_torch makes "
                "a PyTorch module"
            )
        if kwargs or input_signature is not None:
            names = [*kwargs, *(["input_signature"] if input_signature is not None else [])]
            raise ValueError(f"export(format='onnx') does not take {', '.join(names)}")
        if hooks.to_onnx is None:
            raise RuntimeError("export() needs the package cornu.port, which `import cornu` offers")
        hooks.to_onnx(self, filepath)
        if verbose is None or verbose:
            print(f"Saved artifact at '{filepath}'.")

    def to_json(self, **kwargs) -> str:
        """The configuration as JSON, for `model_from_json` here and in Keras 3.

        `kwargs` go to `json.dumps`. Raises ValueError where the network holds a lambda.
        """
        return to_json(serialize(self), **kwargs)

    def get_config(self) -> dict:
        """The arguments that make an equal model.

        A subclass whose arguments are plain data, or layers, need not define it.
        """
        config = super().get_config()
        owner = next(base for base in type(self).__mro__ if "get_config" in base.__dict__)
        if is_builtin(owner) and not is_builtin(type(self)):
            # name, trainable and dtype as they are now, not as they were given
            config = {**_init_arguments(self), **config}
        return config

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None):
        """A new model, with fresh weights, from what `get_config` gave here or in Keras 3."""
        if not {"layers", "input_layers", "output_layers"} <= config.keys() or not takes_graph(cls):
            return super().from_config(config)
        inputs, outputs = read_graph(config, custom_objects)
        rest = {
            key: value
            for key, value in config.items()
            if key not in ("layers", "input_layers", "output_layers")
        }
        if rest.get("trainable") is None:
            rest.pop("trainable", None)
        return cls(inputs, outputs, **rest)

    def get_build_config(self) -> dict | None:
        """The shapes of the inputs that it was built for."""
        return self._build_shapes

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _is_functional(args: tuple, kwargs: dict) -> bool:
    return (
        (len(args) >= 2)
        or (len(args) == 1 and "outputs" in kwargs)
        or ("inputs" in kwargs and "outputs" in kwargs)
    )
