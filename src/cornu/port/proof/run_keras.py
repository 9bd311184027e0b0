"""A live Keras model as one side of a comparison, on any of Keras' backends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any
from unittest import mock

import numpy as np

from cornu.port.convert import from_keras
from cornu.port.keras.read_model import read_model
from cornu.port.kinds import DROPOUT
from cornu.port.proof.runner import Runner, Trained, Weights, in_dtype, looked_at

_IN_FLOAT32 = frozenset({"BatchNormalization", "GroupNormalization"})


class KerasRunner(Runner):
    """A built `keras.Model`; trained by Keras' own `train_on_batch`."""

    def __init__(self, model: Any):
        made = from_keras(model)
        network = read_model(made)
        super().__init__(f"Keras model {model.name!r}", network)
        self.model = model
        self.has_loss = bool(model.compiled and model.loss is not None)
        self.has_optimizer = self.has_loss and model.optimizer is not None
        self._numbers = {id(variable): place for place, variable in enumerate(made.weights)}
        self._made = made
        if _IN_FLOAT32 & {one.kind for one in network.operations}:
            self.notes.append(
                "Keras computes batch and group normalization in float32 also where its layers are "
                "float64; to be compared in float64, they were computed in that"
            )
        self._twins: dict[str, Any] = {}
        self._starts: dict[str, list] = {}

    def _forget_loss(self):
        self._twins, self._starts = {}, {}

    # -- copies ------------------------------------------------------------------------------------

    def _twin(self, dtype: str) -> Any:
        """A copy in a dtype without dropout."""
        if dtype not in self._twins:
            config = _in_dtype(self.model.get_config(), dtype)
            self._twins[dtype] = type(self.model).from_config(config)
        twin = self._twins[dtype]
        twin.set_weights(self.model.get_weights())
        return twin

    def _compiled(self, dtype: str) -> Any:
        """The copy, with a fresh optimizer that also keeps gradients."""
        import keras

        twin = self._twin(dtype)
        if dtype in self._starts:
            for variable, value in zip(twin.optimizer.variables, self._starts[dtype], strict=True):
                variable.assign(value)
            return twin
        settings: dict[str, Any] = {"loss": [_product() for _ in twin.outputs]}
        if self.has_loss:
            given = keras.saving.deserialize_keras_object(self.model.get_compile_config())
            settings = {key: given.get(key) for key in ("loss", "loss_weights")}
            for loss in _nested(settings["loss"]):
                if isinstance(loss, keras.losses.Loss):
                    loss._dtype = dtype
                    loss._dtype_policy = keras.dtype_policies.DTypePolicy(dtype)
        optimizer = _keeping(self.model.optimizer if self.has_optimizer else None)
        twin.compile(optimizer=optimizer, auto_scale_loss=False, **settings)
        optimizer.build(twin.trainable_variables)
        self._starts[dtype] = [np.array(_array(one)) for one in optimizer.variables]
        return twin

    # -- values ------------------------------------------------------------------------------------

    def values(self, inputs, dtype, training=False):
        import keras

        with _precision(dtype):
            twin = self._twin(dtype)
            places = dict.fromkeys(self._seen().items())
            tensors = [_tensor(twin, path) for path, _ in places]
            known = [(place, t) for place, t in zip(places, tensors, strict=True) if t is not None]
            wanted = [*(tensor for _, tensor in known), *twin.outputs]
            watched = keras.Model(_one_or_all(twin.inputs), wanted)
            found = watched(self._inputs(inputs, dtype), training=training)
            arrays = [_array(one) for one in _nested(found)]
        seen = {key: [array] for ((_, key), _), array in zip(known, arrays, strict=False)}
        made = self._tensors(seen)
        outputs = self._outputs(arrays[len(known) :])
        made.update(zip(self.network.outputs, outputs, strict=True))
        made.update(zip(self.network.inputs, map(np.asarray, inputs), strict=True))
        return made

    def _seen(self) -> dict[tuple[str, int, int], Any]:
        """The tensors of the model that can be seen: by layer, call and place among its outputs."""
        graph = getattr(self._made, "graph", None)
        return {
            (node.name, node.call_index, tensor.index): tensor
            for node in (graph.nodes if graph is not None else ())
            for tensor in node.outputs
            if not node.is_input
        }

    def _inputs(self, inputs: Sequence, dtype: str) -> Any:
        return _one_or_all([in_dtype(array, dtype) for array in self._given(inputs)])

    # -- training ----------------------------------------------------------------------------------

    def _batch(self, inputs: Sequence, targets: Sequence, dtype: str) -> tuple[Any, Any]:
        y = [None if array is None else in_dtype(array, dtype) for array in self._targets(targets)]
        return self._inputs(inputs, dtype), _one_or_all(y)

    def gradients(self, inputs, targets, dtype):
        with _precision(dtype):
            twin = self._compiled(dtype)
            loss = _step(twin, *self._batch(inputs, targets, dtype))
            trained = {id(variable): i for i, variable in enumerate(twin.trainable_variables)}
            kept = [_array(one) for one in twin.optimizer.kept_gradients]
            numbers = [trained.get(id(variable)) for variable in twin.weights]
        return loss, self._of([None if n is None else kept[n] for n in numbers])

    def _of(self, arrays: Sequence) -> Weights:
        return self._weights(lambda key: arrays[self._numbers[id(key)]])

    def train(self, batches, dtype, inputs):
        losses: list[float] = []
        weights: dict[int, Weights] = {}
        with _precision(dtype):
            twin = self._compiled(dtype)
            for number, (x, y) in enumerate(batches, 1):
                losses.append(_step(twin, *self._batch(x, y, dtype)))
                if number in looked_at(len(batches)):
                    weights[number] = self._of([np.array(one) for one in twin.get_weights()])
            outputs = twin(self._inputs(inputs, dtype), training=False)
            arrays = [_array(one) for one in _nested(outputs)]
        return Trained(losses, weights, self._outputs(arrays))


def _keeping(optimizer: Any) -> Any:
    """A fresh optimizer of the same settings that keeps the gradients that it is given."""
    import keras

    base = keras.optimizers.SGD if optimizer is None else type(optimizer)

    class Keeping(base):  # type: ignore[misc, valid-type]
        def build(self, variables: Any) -> None:
            if not self.built:
                super().build(variables)
                self.kept_gradients = self.add_optimizer_variables(variables, "kept_gradient")

        def apply(self, grads: Any, trainable_variables: Any = None) -> Any:
            grads = list(grads)
            for kept, gradient in zip(self.kept_gradients, grads, strict=True):
                if gradient is not None:
                    kept.assign(gradient)
            return super().apply(grads, trainable_variables)

    config = {} if optimizer is None else dict(optimizer.get_config())
    if isinstance(config.get("learning_rate"), float):
        # without the digits that float32 adds: 0.001
        config["learning_rate"] = float(f"{config['learning_rate']:.6g}")
    return Keeping.from_config(config)


def _step(model: Any, x: Any, y: Any) -> float:
    """Trains on one batch; returns its loss."""
    model.reset_metrics()
    return float(model.train_on_batch(x, y, return_dict=True)["loss"])


def _product() -> Any:
    """A loss for a model without: the sum of the outputs times given factors."""
    import keras

    class Product(keras.losses.Loss):
        def __init__(self) -> None:
            super().__init__(name="product", reduction="sum")

        def call(self, y_true: Any, y_pred: Any) -> Any:
            return keras.ops.sum(y_true * y_pred, axis=tuple(range(1, len(y_pred.shape))))

    return Product()


def _tensor(model: Any, place: tuple[str, int, int]) -> Any:
    """The symbolic tensor of a Keras model that a layer gives at one of its calls."""
    name, call, index = place
    functional = getattr(model, "_functional", None) or model
    known = {one.name: one for one in getattr(functional, "operations", functional.layers)}
    operation = known.get(name)
    if operation is None:
        return None
    # a layer may be applied in other models too
    inside = [
        node
        for number, node in enumerate(operation._inbound_nodes)
        if f"{id(operation)}_ib-{number}" in functional._nodes
    ]
    return inside[call].output_tensors[index] if call < len(inside) else None


def _in_dtype(config: Any, dtype: str) -> Any:
    """A configuration with a dtype in the place of float32, and without dropout and noise."""
    if isinstance(config, (list, tuple)):
        return type(config)(_in_dtype(one, dtype) for one in config)
    if not isinstance(config, dict):
        return config
    made = {}
    for key, value in config.items():
        if key == "dtype" and value == "float32":
            value = dtype
        elif key == "name" and value == "float32" and len(config) == 1:
            value = dtype  # of a dtype policy
        made[key] = _in_dtype(value, dtype)
    if config.get("class_name") in DROPOUT and isinstance(made.get("config"), dict):
        made["config"] |= {key: 0.0 for key in ("rate", "stddev") if key in made["config"]}
    return made


def _array(value: Any) -> np.ndarray:
    import keras

    return keras.ops.convert_to_numpy(value)


def _one_or_all(values: Sequence) -> Any:
    return values[0] if len(values) == 1 else list(values)


def _nested(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [one for key in value for one in _nested(value[key])]
    if isinstance(value, (list, tuple)):
        return [one for item in value for one in _nested(item)]
    return [value]


@contextlib.contextmanager
def _precision(dtype: str) -> Iterator[None]:
    """Within the block, Keras computes in a dtype by default.

    Where Keras looks for the type of a result (in normalizations, all over its PyTorch backend), it
    makes float32 of float64: within the block it stays float64.
    """
    import keras
    from keras.src import backend
    from keras.src.backend.common import dtypes

    before = keras.config.floatx()
    with contextlib.ExitStack() as stack:
        if keras.backend.backend() == "jax" and dtype == "float64":
            import jax

            stack.enter_context(jax.enable_x64(True))
        keras.config.set_floatx(dtype)
        promoted = backend.result_type

        def result_type(*given: Any) -> str:
            is_wide = any(str(one).endswith("float64") for one in given)
            return "float64" if is_wide else promoted(*given)

        for module in (backend, dtypes):
            stack.enter_context(mock.patch.object(module, "result_type", result_type))
        try:
            yield
        finally:
            keras.config.set_floatx(before)
