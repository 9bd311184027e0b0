"""Layer: a callable that owns variables. The base of every layer and of every model."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from cornu import constraints, initializers, regularizers
from cornu.core import dtypes, naming
from cornu.core.context import CallContext, call_context, current_context
from cornu.core.dtypes import is_float
from cornu.core.errors import TRACING_ERRORS, needs_values
from cornu.core.initialized import SetByInit, not_initialized
from cornu.core.names import arguments_of, unknown_arguments
from cornu.core.random import SeedGenerator
from cornu.core.reporting import shortened
from cornu.core.serialization import Serializable, serialize
from cornu.core.variable import Variable, autocast, bind, path_scope
from cornu.graph.node import Node, infer, open_shape
from cornu.graph.tensor import KerasTensor, has_symbolic
from cornu.layers.construction import construct
from cornu.layers.input_spec import InputSpec, check_inputs
from cornu.metrics import Metric


class Layer(Serializable):
    """A callable that owns variables: `build` makes them, `call` computes with them.

    Write a layer by defining `call(self, inputs)` and, where it has weights whose shapes depend on
    the inputs, `build(self, input_shape)`. Output shapes are found by tracing `call`; a
    `compute_output_shape` is needed only where the shape depends on values.

    Args:
        activity_regularizer: a callable (or its name) from the output to a scalar that is added to
            the loss.
        trainable: whether an optimizer may change its trainable weights.
        dtype: name of a dtype or policy; by default the global policy.
        autocast: whether float inputs are cast to the dtype computed in.
        name: by default made from the class: `dense`, `dense_1`, ...

    >>> import numpy as np
    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones")
    ...     def call(self, inputs):
    ...         return inputs * self.factor
    >>> Scale()(np.ones((2, 3), "float32")).shape
    (2, 3)
    """

    supports_masking = False
    # what `__setattr__` must not take for weights or layers of this one
    _untracked = frozenset({"_nodes", "_arguments", "_weights_cache", "_place"})

    name: Any = SetByInit()
    built: Any = SetByInit()
    _trainable: Any = SetByInit()
    _policy: Any = SetByInit()
    _declared_input_shape: Any = SetByInit()

    def __new__(cls, *args, **kwargs):
        layer = super().__new__(cls)
        object.__setattr__(layer, "_arguments", (args, kwargs))
        return layer

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _recorded_build(cls.__dict__["build"])

    def __init__(
        self,
        *,
        activity_regularizer=None,
        trainable: bool = True,
        dtype=None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs,
    ):
        input_shape = kwargs.pop("input_shape", None)
        input_dim = kwargs.pop("input_dim", None)
        batch_input_shape = kwargs.pop("batch_input_shape", None)
        if input_dim is not None:
            input_shape = (input_dim,)
        if input_shape is not None:
            shape = (input_shape,) if isinstance(input_shape, int) else tuple(input_shape)
            batch_input_shape = (kwargs.pop("batch_size", None), *shape)
        if kwargs:
            known = [*arguments_of(type(self)), "input_shape"]
            raise ValueError(unknown_arguments(type(self).__name__, kwargs, known))
        if name is not None and not isinstance(name, str):
            raise TypeError(f"{type(self).__name__}(name={name!r}): name must be a string")
        if name is not None and "/" in name:
            raise ValueError(f"{type(self).__name__}(name={name!r}): a name cannot contain '/'")
        self.name = name or naming.auto_name(self)
        self.built = False
        self.autocast = autocast
        self.input_spec: InputSpec | None = None
        self._trainable = bool(trainable)
        self._policy = dtypes.get_policy(dtype)
        self._declared_input_shape = batch_input_shape
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._nodes: list[Node] = []
        self._weights: list[Variable] = []
        self._build_shapes: dict | None = None

    # -- weights ---------------------------------------------------------------------------------

    def build(self, input_shape) -> None:
        """Makes the weights; called once, before the first call, with the shape of the inputs."""

    def add_weight(
        self,
        shape=None,
        initializer=None,
        dtype=None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer=None,
        constraint=None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """A new variable of this layer.

        Args:
            shape: tuple of sizes; `()` by default.
            initializer: name, object or callable; by default GlorotUniform for floats, zeros else.
            dtype: by default the dtype that the layer stores its weights in.
            trainable: whether an optimizer may change it.
            regularizer: added to the loss, or None.
            constraint: applied after each update, or None.
            name: by default `variable`.
        """
        self._require_init()
        dtype = dtypes.standardize_dtype(dtype) if dtype is not None else self.variable_dtype
        if initializer is None:
            initializer = "glorot_uniform" if is_float(dtype) else "zeros"
        with path_scope(self.name):
            variable = Variable(
                initializers.get(initializer),
                shape=() if shape is None else shape,
                dtype=dtype,
                trainable=trainable,
                autocast=autocast,
                aggregation=aggregation,
                name=name,
                regularizer=regularizers.get(regularizer),
                constraint=constraints.get(constraint),
            )
        self._weights.append(variable)
        return variable

    def _tracked(self) -> list:
        """What training is about among its attributes: layers, variables, metrics, generators."""
        found: dict[int, Any] = {}
        # a copy: a thread that traces the network for the compiler may set attributes meanwhile
        for name, value in list(self.__dict__.items()):
            # most attributes are plain: this walk is done for every call of fit and predict
            if type(value) not in _PLAIN and name not in self._untracked:
                _collect(value, found)
        return list(found.values())

    def _own(self, kind) -> list:
        """The objects of a kind held by attributes of this layer, in lists and dicts too."""
        return [item for item in self._tracked() if isinstance(item, kind)]

    def _sublayers(self) -> list[Layer]:
        return self._own(Layer)

    def _walk(self, seen: set[int] | None = None) -> Iterator[Layer]:
        """This layer and all below it, each once."""
        seen = set() if seen is None else seen
        if id(self) not in seen:
            seen.add(id(self))
            yield self
            for layer in self._sublayers():
                yield from layer._walk(seen)

    def _own_weights(self) -> list[Variable]:
        """Its own variables: the trainable ones first, each kind in the order of their making."""
        own = self._own(Variable)
        return [v for v in own if v.trainable] + [v for v in own if not v.trainable]

    def _signature(self) -> dict[int, tuple]:
        """Of each layer, itself and those below, what it holds and whether that is trained.

        Equal as long as training has the same variables to change and the same to leave alone.
        """
        found: dict[int, tuple] = {}
        rest: list[Layer] = [self]
        while rest:
            layer = rest.pop()
            if id(layer) not in found:
                held = layer._tracked()
                trained = [id(item) for item in held if getattr(item, "trainable", False)]
                found[id(layer)] = layer._trainable, [id(item) for item in held], trained
                rest += [item for item in held if isinstance(item, Layer)]
        return found

    @property
    def weights(self) -> list[Variable]:
        """All weights, this layer's own and those of the layers inside it."""
        return _unique(w for layer in self._walk() for w in layer._own_weights())

    @property
    def trainable_weights(self) -> list[Variable]:
        """Those that training changes."""
        return self.trainable_variables

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """Those that training leaves to the layer, such as moving averages, or that are frozen."""
        trained = {id(w) for w in self.trainable_weights}
        return [w for w in self.weights if id(w) not in trained]

    @property
    def variables(self) -> list[Variable]:
        """The weights, and the states of random generators."""
        found = []
        for layer in self._walk():
            found += layer._own_weights()
            found += [generator.state for generator in layer._own(SeedGenerator)]
        return _unique(found)

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that an optimizer may change."""
        if not self._trainable:
            return []
        own = [v for v in self._own(Variable) if v.trainable]
        below = (v for layer in self._sublayers() for v in layer.trainable_variables)
        return _unique([*own, *below])

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that an optimizer leaves alone."""
        trained = {id(v) for v in self.trainable_variables}
        return [v for v in self.variables if id(v) not in trained]

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that this layer and the layers inside it hold."""
        return _unique(m for layer in self._walk() for m in layer._own(Metric))

    @property
    def trainable(self) -> bool:
        """Whether an optimizer may change its weights; setting it sets the layers inside too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for layer in self._sublayers():
            layer.trainable = value

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights as NumPy arrays, in the order of `weights`."""
        return [weight.numpy() for weight in self.weights]

    def set_weights(self, weights: list) -> None:
        """Sets all weights, in the order of `weights`.

        Raises ValueError where their number or a shape differs.
        """
        own = self.weights
        if len(weights) != len(own):
            raise ValueError(
                f"{self.name}.set_weights: the {type(self).__name__} has {len(own)} weights, "
                f"received {len(weights)}"
            )
        for variable, value in zip(own, weights, strict=True):
            if np.shape(value) != variable.shape:
                raise ValueError(
                    f"{self.name}.set_weights: {variable.path} has shape {variable.shape}, "
                    f"received {np.shape(value)}"
                )
        for variable, value in zip(own, weights, strict=True):
            variable.assign(value)

    def count_params(self) -> int:
        """The number of elements of all weights.

        Raises ValueError where the layer is not built yet.
        """
        if not self.built:
            raise ValueError(
                f"{self.name}.count_params(): the layer has no weights yet; "
                "call it on data or build(input_shape) it first"
            )
        return sum(math.prod(weight.shape) for weight in self.weights)

    # -- losses ----------------------------------------------------------------------------------

    def add_loss(self, loss) -> None:
        """Adds a scalar (or a nest of them) to what training minimizes; for use inside `call`."""
        context = current_context()
        for scalar in jax.tree_util.tree_leaves(loss):
            if context is not None:
                context.losses.append(scalar)

    def _regularization(self) -> list:
        """The regularization terms of all trainable weights."""
        return [w.regularizer(w.value) for w in self.trainable_variables if w.regularizer]

    @property
    def losses(self) -> list:
        """The regularization terms of the weights, and what `add_loss` added in a running call."""
        context = current_context()
        return [*(context.losses if context is not None else ()), *self._regularization()]

    # -- dtype -----------------------------------------------------------------------------------

    @property
    def dtype_policy(self) -> dtypes.DTypePolicy:
        """What it computes in and what it stores its weights in."""
        return self._policy

    @property
    def dtype(self) -> str:
        """The dtype of its weights."""
        return self._policy.variable_dtype

    variable_dtype = dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype that it computes in."""
        return self._policy.compute_dtype

    # -- calling ---------------------------------------------------------------------------------

    def call(self, *args, **kwargs):
        """What the layer computes."""
        raise NotImplementedError(
            f"{type(self).__name__} defines no call(self, inputs): that is what a layer computes"
        )

    def __call__(self, *args, **kwargs):
        """Applies the layer to arrays, or to symbolic tensors of a network under construction."""
        self._require_init()
        context, symbolic = current_context(), has_symbolic(args, kwargs)
        if context is not None and not symbolic:
            return self._call_on_arrays(context, args, kwargs)
        try:
            if symbolic:
                return self._symbolic_call(args, kwargs)
            with call_context(CallContext()) as context:
                return self._call_on_arrays(context, args, kwargs)
        except Exception as error:
            # the same error, not one that it causes
            raise shortened(error)  # noqa: B904

    def _call_on_arrays(self, context: CallContext, args: tuple, kwargs: dict):
        args, kwargs = self._converted(args), self._converted(kwargs)
        if args:
            check_inputs(self, args[0])
        self._ensure_built(args, kwargs)
        return self._run(context, args, kwargs)

    def _symbolic_call(self, args: tuple, kwargs: dict):
        if args:
            check_inputs(self, args[0])
        self._ensure_built(args, kwargs)
        # a layer may say itself what it returns, as in Keras
        with _named_errors(self, args):
            outputs = self.compute_output_spec(*args, **kwargs)
        node = Node(
            type(self).__name__, self.name, self, args, kwargs, outputs, None, len(self._nodes)
        )
        self._nodes.append(node)
        return outputs

    def _infer(self, args: tuple, kwargs: dict):
        if type(self).compute_output_shape is not Layer.compute_output_shape and len(args) == 1:
            # written only where tracing cannot know the shape
            shapes = self.compute_output_shape(_shapes(args[0]))
            return jax.tree_util.tree_map(
                lambda shape: KerasTensor(shape, self.compute_dtype), shapes, is_leaf=is_shape
            )
        return infer(self._traced_call, args, kwargs)

    def _traced_call(self, *args, **kwargs):
        with call_context(CallContext()):
            return self(*args, **kwargs)

    def _run(self, context: CallContext, args: tuple, kwargs: dict):
        signature = _call_signature(_class_of(self))
        if signature.training:
            given = kwargs.get("training")
            if given is None and len(args) < signature.positional_training:
                given = context.training
                if given is None:
                    given = signature.training_default
                kwargs = {**kwargs, "training": given}
        else:
            given = kwargs.pop("training", None) if "training" in kwargs else None
        masks = None
        if context.has_masks and args:
            masks = context.masks_of(args[0])
            if signature.mask and masks is not None and kwargs.get("mask") is None:
                kwargs = {**kwargs, "mask": masks}
        outer = context.training
        if given is not None:
            context.training = given
        try:
            with autocast(self.compute_dtype if self._mixed else None):
                outputs = self.call(*args, **kwargs)
        except Exception as error:
            raise _explained(self, args, error) from None
        finally:
            context.training = outer
        if context.watcher is not None:
            context.watcher(self, outputs)
        if self.activity_regularizer is not None:
            for output in jax.tree_util.tree_leaves(outputs):
                # the mean over the batch, so that the term does not grow with the batch
                context.losses.append(self.activity_regularizer(output) / output.shape[0])
        if masks is not None or type(self).compute_mask is not Layer.compute_mask:
            self._propagate_masks(context, args, masks, outputs)
        return outputs

    @property
    def _mixed(self) -> bool:
        return self._policy.compute_dtype != self._policy.variable_dtype

    def _propagate_masks(self, context, args, masks, outputs) -> None:
        new = self.compute_mask(args[0] if args else None, masks)
        if new is None:
            return
        leaves = jax.tree_util.tree_leaves(outputs)
        new_masks = new if isinstance(new, (list, tuple)) else [new]
        for output, mask in zip(leaves, new_masks, strict=False):
            context.set_mask(output, mask)

    def compute_mask(self, inputs, previous_mask):
        """The mask of the outputs; by default that of the inputs where masks pass through."""
        return previous_mask if self.supports_masking else None

    def compute_output_shape(self, input_shape):
        """The shape of the outputs for a shape (or a nest of shapes) of inputs."""
        outputs = self.compute_output_spec(
            jax.tree_util.tree_map(
                lambda shape: KerasTensor(shape, self.compute_dtype), input_shape, is_leaf=is_shape
            )
        )
        return _shapes(outputs)

    def compute_output_spec(self, *args, **kwargs):
        """The symbolic outputs for symbolic inputs."""
        self._ensure_built(args, kwargs)
        return self._infer(args, kwargs)

    def stateless_call(
        self, trainable_variables, non_trainable_variables, *args, return_losses=False, **kwargs
    ):
        """The call as a pure function of the variables' values.

        Args:
            trainable_variables: one array for each of `trainable_variables`, in their order; or
                Variables, which stand for their values.
            non_trainable_variables: the same for `non_trainable_variables`.
            *args, **kwargs: as for a call.
            return_losses: whether to return the losses added in the call too. Default False.

        Returns:
            `(outputs, new non-trainable values)`, with a list of losses as the third where
            `return_losses` is set.

        Raises:
            ValueError: the layer is not built; another number of values, or another shape.
        """
        self._require_init()
        if not self.built:
            raise ValueError(
                f"{self.name}.stateless_call: the {type(self).__name__} has no variables yet; call "
                "it on data or build(input_shape) it first"
            )
        trained, others = self.trainable_variables, self.non_trainable_variables
        for argument, values, variables in (
            ("trainable_variables", trainable_variables, trained),
            ("non_trainable_variables", non_trainable_variables, others),
        ):
            self._check_values(argument, values, variables)

        def run():
            with call_context(CallContext()) as context:
                return self(*args, **kwargs), [*context.losses, *self._regularization()]

        (outputs, losses), values = bind(run, [*trained, *others])(
            [*trainable_variables, *non_trainable_variables]
        )
        rest = values[len(trained) :]
        return (outputs, rest, losses) if return_losses else (outputs, rest)

    def _check_values(self, argument: str, values: Sequence, variables: list[Variable]) -> None:
        if len(values) != len(variables):
            raise ValueError(
                f"{self.name}.stateless_call: the {type(self).__name__} has {len(variables)} "
                f"{argument}, received {len(values)} values for them"
            )
        for value, variable in zip(values, variables, strict=True):
            if np.shape(value) != variable.shape:
                raise ValueError(
                    f"{self.name}.stateless_call({argument}=...): {variable.path} has shape "
                    f"{variable.shape}, received {np.shape(value)}"
                )

    def _converted(self, structure):
        """Arrays on the device, floats in the dtype computed in."""
        compute = self.compute_dtype

        def convert(leaf):
            if isinstance(leaf, Variable):
                leaf = leaf.value
            if isinstance(leaf, (np.ndarray, np.generic)):
                if self.autocast and np.issubdtype(leaf.dtype, np.floating):
                    leaf = leaf.astype(dtypes.to_numpy_dtype(compute))
                return jax.device_put(leaf)
            if (
                self.autocast
                and isinstance(leaf, jax.Array)
                and leaf.dtype != compute
                and is_float(leaf.dtype)
            ):
                return leaf.astype(compute)
            return leaf

        return jax.tree_util.tree_map(convert, structure)

    # -- building --------------------------------------------------------------------------------

    def _ensure_built(self, args: tuple, kwargs: dict) -> None:
        if self.built:
            return
        arguments = _build_arguments(self, args, kwargs)
        with _named_errors(self, args):
            self.build(**arguments) if arguments else self.build(None)
        self.built = True
        if self._build_shapes is None and len(arguments) == 1:
            # the base's `build` notes nothing; a file and the summary tell these shapes too
            self._build_shapes = {"input_shape": next(iter(arguments.values()))}

    def get_build_config(self) -> dict | None:
        """The shapes that it was built for: what makes its weights again when a file is read."""
        shapes = self._build_shapes
        if shapes is None or set(shapes) == {"input_shape"}:
            return shapes
        return {"shapes_dict": shapes}

    def build_from_config(self, config: dict) -> None:
        """Builds it for the shapes of a file."""
        shapes = {key: _tuples(value) for key, value in config.items()}
        if self.built or not shapes:
            return
        if set(shapes) == {"input_shape"}:
            self.build(shapes["input_shape"])
        else:
            self.build(**shapes.get("shapes_dict", shapes))
        self.built = True
        self._build_shapes = shapes.get("shapes_dict", shapes)

    # -- configuration ---------------------------------------------------------------------------

    def get_config(self) -> dict:
        """The arguments that make an equal layer.

        A subclass whose arguments are plain data need not define it.
        """
        config = {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": serialize(self._policy),
        }
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = serialize(self.activity_regularizer)
        if type(self).get_config is Layer.get_config and type(self).__init__ is not Layer.__init__:
            # name, trainable and dtype as they are now, not as they were given
            config = {**_init_arguments(self), **config}
        return config

    @classmethod
    def from_config(cls, config: dict):
        """A new layer from what `get_config` returned."""
        return construct(cls, config)

    def save_own_variables(self, store) -> None:
        """Writes its own variables into a mapping, under "0", "1", ..."""
        for index, variable in enumerate(self._own_weights()):
            store[f"{index}"] = variable.numpy()

    def load_own_variables(self, store) -> None:
        """Reads its own variables from a mapping written by `save_own_variables`."""
        own = self._own_weights()
        if len(store.keys()) != len(own):
            raise ValueError(
                f"layer {self.name!r} ({type(self).__name__}) has {len(own)} variables, "
                f"the file holds {len(store.keys())} for it"
                + ("" if self.built else "; the layer is not built yet")
            )
        for index, variable in enumerate(own):
            variable.assign(np.asarray(store[f"{index}"]))

    # -- the rest --------------------------------------------------------------------------------

    @property
    def input(self):
        """The symbolic input of its only call."""
        node = self._only_node("input")
        return node.inputs[0] if len(node.inputs) == 1 else node.inputs

    @property
    def output(self):
        """The symbolic output of its only call."""
        node = self._only_node("output")
        return node.outputs[0] if len(node.outputs) == 1 else node.outputs

    def _only_node(self, what: str) -> Node:
        if len(self._nodes) != 1:
            raise AttributeError(
                f"layer {self.name!r} has no single {what}: it was called on "
                f"{len(self._nodes)} symbolic tensors"
            )
        return self._nodes[0]

    def _require_init(self) -> None:
        if "_build_shapes" not in self.__dict__:
            raise not_initialized(self)

    def __repr__(self) -> str:
        attributes = self.__dict__
        name, built = attributes.get("name"), attributes.get("built")
        return f"<{type(self).__name__} name={name}, built={built}>"


# Layer is Keras' public class too, but `build` of the base must not count as somebody's own.
class _Signature:
    """What a layer's `call` accepts."""

    def __init__(self, call: Callable):
        parameters = inspect.signature(call).parameters
        names = list(parameters)[1:]
        self.training = "training" in names
        self.mask = "mask" in names
        self.positional_training = names.index("training") + 1 if self.training else 0
        default = parameters["training"].default if self.training else None
        self.training_default = None if default is inspect.Parameter.empty else default


def accepts_training(layer: Any) -> bool:
    """Whether a layer's `call` takes a `training` argument."""
    return _call_signature(_class_of(layer)).training


def _class_of(layer: Any) -> Any:
    return type(layer)


@functools.cache
def _call_signature(cls: Any) -> _Signature:
    return _Signature(cls.call)


@functools.cache
def _build_parameters(cls: Any) -> tuple[str, ...]:
    build = inspect.unwrap(cls.build)
    return tuple(list(inspect.signature(build).parameters)[1:])


@functools.cache
def _call_parameters(cls: Any) -> tuple[str, ...]:
    return tuple(list(inspect.signature(cls.call).parameters)[1:])


def _build_arguments(layer: Layer, args: tuple, kwargs: dict) -> dict:
    """The shapes that `build` asks for: one, or several named after the arguments of `call`."""
    names = _build_parameters(_class_of(layer))
    if not names:
        return {}
    if len(names) == 1:
        given = args[0] if args else next(iter(kwargs.values()), None)
        return {names[0]: _shapes(given)}
    named = dict(zip(_call_parameters(_class_of(layer)), args, strict=False)) | kwargs
    return {
        name: _shapes(named[name.removesuffix("_shape")])
        for name in names
        if named.get(name.removesuffix("_shape")) is not None
    }


def _recorded_build(build: Callable) -> Callable:
    """A layer's `build` that also notes the shapes and that it ran."""
    names = list(inspect.signature(build).parameters)[1:]

    @functools.wraps(build)
    def wrapper(self, *args, **kwargs):
        self._require_init()
        result = build(self, *args, **kwargs)
        shapes = dict(zip(names, args, strict=False)) | kwargs
        if len(shapes) == 1:
            shapes = {"input_shape": next(iter(shapes.values()))}
        if any(shape is not None for shape in shapes.values()):
            self._build_shapes = shapes
        self.built = True
        return result

    return wrapper


def _init_arguments(layer: Layer) -> dict:
    """The constructor's arguments of a layer that defines no `get_config`, defaults included."""
    args, kwargs = layer._arguments  # type: ignore[attr-defined]
    bound = inspect.signature(type(layer).__init__).bind(layer, *args, **kwargs)
    bound.apply_defaults()
    arguments = dict(bound.arguments)
    arguments.pop(next(iter(arguments)))
    for parameter in bound.signature.parameters.values():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            arguments.update(arguments.pop(parameter.name, {}))
        elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            arguments.pop(parameter.name, None)
    return {key: value for key, value in arguments.items() if key != "name"}


class _named_errors:
    def __init__(self, layer: Layer, args: tuple):
        self.layer, self.args = layer, args

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, Exception):
            raise _explained(self.layer, self.args, error) from None


def _explained(layer: Layer, args: tuple, error: Exception) -> Exception:
    """The same error, with a sentence that names the layer and the shapes it was called on."""
    if getattr(error, "names_layer", False):
        return error
    shapes = ", ".join(str(_shapes(arg)) for arg in args if jax.tree_util.tree_leaves(arg))
    where = f"layer {layer.name!r} ({type(layer).__name__}), called on inputs of shape {shapes}"
    explained: Exception
    if isinstance(error, TRACING_ERRORS):
        explained = needs_values(where, "its call()")
    elif type(error) in (ValueError, TypeError, IndexError, KeyError, RuntimeError):
        explained = type(error)(f"{where}: {error.args[0] if error.args else error}")
    else:
        error.add_note(f"in {where}")
        explained = error
    explained.names_layer = True  # type: ignore[attr-defined]
    explained.is_sentence = explained is not error  # type: ignore[attr-defined]
    return explained.with_traceback(error.__traceback__)


_PLAIN = frozenset({str, int, float, bool, type(None)})


_TRACKED = (Layer, Variable, SeedGenerator, Metric)


def _collect(value, found: dict[int, Any]) -> None:
    if isinstance(value, _TRACKED):
        found.setdefault(id(value), value)
    elif type(value) in (list, tuple):
        for item in value:
            if type(item) not in _PLAIN:
                _collect(item, found)
    elif type(value) is dict:
        for item in list(value.values()):
            _collect(item, found)


def _unique(items) -> list:
    return list({id(item): item for item in items}.values())


def is_shape(value: Any) -> bool:
    """Whether a value is a shape: a list or tuple of sizes, None where open."""
    return isinstance(value, (list, tuple)) and all(
        item is None or isinstance(item, (int, np.integer)) for item in value
    )


def _shapes(structure):
    """The same nest with shapes in the place of arrays."""
    return jax.tree_util.tree_map(open_shape, structure)


def _tuples(value):
    """JSON's lists as the tuples that shapes are, nests kept."""
    if is_shape(value):
        return tuple(value)
    if isinstance(value, list):
        return [_tuples(item) for item in value]
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return value
