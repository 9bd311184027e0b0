"""Facts: what will be trained, on what and how, in the same words for every framework.

A reader (`read_model`, `read_keras`, `read_torch`) fills them in; rules read nothing else. Whatever
a reader does not know is None or empty, and a rule that needs it then finds nothing.

Terms are Keras': a `torch.nn.Linear` is an operation of the kind "Dense" with `units`, a
`CrossEntropyLoss` is a loss that applies softmax itself.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np

from cornu.check.source import Source
from cornu.check.statistics import ArrayFacts
from cornu.core.places import Place


@dataclasses.dataclass(eq=False)
class Parameter:
    """An array that belongs to an operation.

    Attributes:
        name: as the framework calls it: "kernel", "weight".
        role: "kernel" (or embedding table), "bias", "scale" (gamma), "offset" (beta),
            "moving mean", "moving variance", "recurrent kernel", or "other".
        shape: sizes; a kernel in the layout of its framework.
        trainable: whether the optimizer may change it.
        read: gives the values now, as a NumPy array.
        fan: (inputs, outputs) of one unit of a kernel, or None.
        loaded: whether its values come from a file or another network, and are no initial ones.
    """

    name: str
    role: str
    shape: tuple[int, ...]
    trainable: bool = True
    read: Callable[[], np.ndarray] | None = None
    fan: tuple[int, int] | None = None
    loaded: bool = False


@dataclasses.dataclass(eq=False)
class Operation:
    """One application of a layer or function, with a fused activation split off.

    `Dense(10, activation="softmax")` is two operations: "Dense", and behind it "activation" with
    the setting `function="softmax"`. A linear activation is none.

    Attributes:
        kind: Keras' class name of a layer ("Dense", "Conv2D", "BatchNormalization", "Dropout",
            "Flatten", "MaxPooling2D", "Embedding", "LSTM"), "Input", "activation", or the name of
            a plain function ("add", "reshape", "mean"); a layer of the user's own class has the
            name of that.
        name: of the layer, as it stands in a summary; of a torch module its path ("features.3").
        settings: Keras' argument names and meanings: `units`, `filters`, `kernel_size`, `strides`,
            `padding`, `rate` (share dropped), `use_bias`, `function` and `axis` (activation),
            `return_sequences`, `epsilon`, `momentum` (share kept of the old), `kernel_regularizer`
            (`{"l1": , "l2": }`), `pool_size`.
        inputs: operations whose outputs it takes, in order.
        shape: of its (first) output with the batch axis first, None where open.
        dtype: of its output: "float32".
        parameters: its own.
        place: the line that made the layer, or that called the function.
        channels_first: whether the axis of channels is 1 (PyTorch's images) rather than the last.
        fused: whether it is an activation given as an argument of the layer before it.
        trainable: whether the layer is to be trained (False for a frozen one).
        consumers: operations that take its output. Filled in by `Facts`.
        index: position in computing order. Filled in by `Facts`.
        call: how many times its layer had been called before: 0 for the first application.
    """

    kind: str
    name: str
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    inputs: list[Operation] = dataclasses.field(default_factory=list)
    shape: tuple[int | None, ...] = ()
    dtype: str = "float32"
    parameters: list[Parameter] = dataclasses.field(default_factory=list)
    place: Place | None = None
    channels_first: bool = False
    fused: bool = False
    trainable: bool = True
    consumers: list[Operation] = dataclasses.field(default_factory=list)
    index: int = -1
    call: int = 0

    @property
    def function(self) -> str | None:
        """The name of the activation function, for an operation of the kind "activation"."""
        return self.settings.get("function") if self.kind == "activation" else None

    @property
    def channel_axis(self) -> int:
        """The axis of its output that holds features or channels."""
        return 1 if self.channels_first and len(self.shape) > 2 else len(self.shape) - 1

    @property
    def width(self) -> int | None:
        """Features or channels of its output: the size of the channel axis."""
        return self.shape[self.channel_axis] if len(self.shape) > 1 else None

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of its first input; () for an input."""
        return self.inputs[0].shape if self.inputs else ()

    def parameter(self, role: str) -> Parameter | None:
        """Its first parameter of a role, or None."""
        return next((p for p in self.parameters if p.role == role), None)

    def __repr__(self) -> str:
        what = f"{self.kind}:{self.function}" if self.function else self.kind
        return f"<{what} {self.name} {self.shape}>"


# Kinds, for rules to ask about.
LINEAR = frozenset(
    {"Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose"}
    | {"Conv3DTranspose", "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D"}
    | {"SeparableConv2D"}
)
CONVOLUTIONS = frozenset(kind for kind in LINEAR if "Conv" in kind)
RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "ConvLSTM2D"})
POOLING = frozenset(f"{what}Pooling{rank}D" for what in ("Max", "Average") for rank in (1, 2, 3))
DROPOUT = frozenset(
    {"Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout"}
    | {"GaussianDropout"}
)
NORMALIZATION = frozenset(
    {"BatchNormalization", "LayerNormalization", "GroupNormalization", "UnitNormalization"}
)
# Operations that pass values on as they are, in another shape or (while predicting) untouched.
TRANSPARENT = frozenset(
    {"Flatten", "Reshape", "Permute", "Identity", "reshape", "squeeze", "expand_dims", "flatten"}
    | {"transpose", "cast", "ActivityRegularization", "InputLayer"}
    | DROPOUT
)
SATURATING = frozenset({"sigmoid", "tanh", "hard_sigmoid", "softsign"})
# Activations that are lines, in part or whole, for positive inputs: they hold nothing back.
RECTIFIED = frozenset({"relu", "leaky_relu", "elu", "selu", "prelu", "relu6"})


@dataclasses.dataclass(eq=False)
class Loss:
    """The loss of one output.

    Attributes:
        kind: Keras' function name: "categorical_crossentropy", "sparse_categorical_crossentropy",
            "binary_crossentropy", "mean_squared_error", "negative_log_likelihood" (PyTorch's
            NLLLoss), ...; "custom" for a function of the user's own.
        written: as the program has it: "CrossEntropyLoss", "categorical_crossentropy".
        expects: what it takes the output for: "probabilities", "logits", "log probabilities",
            "values", or None where that isn't known.
        labels: what it takes the labels for: "one-hot", "classes" (integers), "one-hot or classes",
            "binary" (0 or 1 in each place), "signs" (-1 or 1), "values", or None.
        class_axis: the axis of the output that it takes for the classes.
        place: the line that names it.
        settings: arguments beside: label_smoothing, reduction, ...
        prediction_shape, target_shape: as it was called, where that was observed.
        requires_gradient: False where the loss was observed not to depend on any parameter.
        gradient_lost: the line where the gradient was lost on the way from the output, then.
    """

    kind: str
    written: str
    expects: Literal["probabilities", "logits", "log probabilities", "values"] | None = None
    labels: str | None = None
    class_axis: int = -1
    place: Place | None = None
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    prediction_shape: tuple | None = None
    target_shape: tuple | None = None
    requires_gradient: bool = True
    gradient_lost: Place | None = None

    @property
    def is_crossentropy(self) -> bool:
        """Whether it is a cross-entropy, or the negative log-likelihood."""
        return "crossentropy" in self.kind or self.kind == "negative_log_likelihood"

    @property
    def applies(self) -> str | None:
        """ "softmax" or "sigmoid" where it takes logits through one itself."""
        if self.expects != "logits":
            return None
        return "sigmoid" if "binary" in self.kind else "softmax"


@dataclasses.dataclass(eq=False)
class Metric:
    """A metric of one output: Keras' function name, and as the program has it."""

    kind: str
    written: str
    place: Place | None = None


@dataclasses.dataclass(eq=False)
class Output:
    """One output of the network, and what is done with it.

    Attributes:
        name: of the output.
        operation: the last operation before the loss.
        loss: or None where it is not trained on.
        metrics: those measured on it.
        labels: of the training data, or None where none were seen.
        validation_labels: the same of the validation data.
    """

    name: str
    operation: Operation
    loss: Loss | None = None
    metrics: list[Metric] = dataclasses.field(default_factory=list)
    labels: ArrayFacts | None = None
    validation_labels: ArrayFacts | None = None

    @property
    def classes(self) -> int | None:
        """How many classes the labels have, if they are classes."""
        return self.labels.classes if self.labels is not None else None

    @property
    def activation(self) -> str | None:
        """The function that is applied last, "linear" for none; None where that isn't known.

        Operations that only reshape, and dropout, are looked through.
        """
        operation = through(self.operation)
        if operation.function is not None:
            return operation.function
        return "linear" if operation.kind in LINEAR | {"Input", "add", "Add"} else None


@dataclasses.dataclass(eq=False)
class OptimizerFacts:
    """The optimizer.

    Attributes:
        kind: Keras' class name in lower case: "sgd", "adam", "adamw", "rmsprop", "adadelta", ...
        written: as the program has it: "optim.SGD".
        settings: Keras' names: learning_rate (the first one, a float), momentum, nesterov,
            weight_decay, beta_1, clipnorm, ...
        schedule: from a step to its learning rate, or None where it stays the same.
        place: the line that makes it.
        schedule_place: the line that makes the schedule, where that is another one.
        given: names of the arguments that the program writes.
        foreign: how many of its parameters are none of the network's, where that was observed.
        missing: names of the network's trainable parameters that it does not have.
    """

    kind: str
    written: str
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    schedule: Callable[[int], float] | None = None
    place: Place | None = None
    given: frozenset[str] = frozenset()
    schedule_place: Place | None = None
    foreign: int = 0
    missing: list[str] = dataclasses.field(default_factory=list)

    @property
    def learning_rate(self) -> float | None:
        """The learning rate of the first step."""
        return self.settings.get("learning_rate")


@dataclasses.dataclass(eq=False)
class Training:
    """How the network is trained.

    Attributes:
        rows: of the training data, or None for a stream.
        batch_size: rows in a batch.
        given_batch_size: as written, before it was cut to the number of rows; None if not written.
        epochs: passes over the data; steps: batches in each.
        shuffle: whether rows come in another order in each epoch.
        validation_split: the share cut from the end, or 0.
        has_validation: whether validation data is given in any way.
        class_weight: whether classes (or rows) are weighted.
        callbacks: class names.
        place: the line of `fit`, or of the loss's `backward`.
        step_place: the line of the optimizer's step, where it was observed.
        loader_place: the line that makes what gives the batches, such as a PyTorch `DataLoader`.
        compile_place: the line of `compile`.
        training_mode: False where a PyTorch network was observed to train while in `eval()`.
        gradients_cleared: False where gradients were observed to add up from step to step.
        gradients_at_step: False where they were observed to be missing or all zero at `step()`.
        steps_taken: False where `backward` was observed and no optimizer step after it.
        frozen: whether every layer with weights was frozen as early as `compile`, of a Keras
            program; None where that isn't known.
    """

    rows: int | None = None
    batch_size: int | None = None
    given_batch_size: int | None = None
    epochs: int | None = None
    steps: int | None = None
    shuffle: bool | None = None
    validation_split: float = 0.0
    has_validation: bool = False
    class_weight: bool = False
    callbacks: list[str] = dataclasses.field(default_factory=list)
    place: Place | None = None
    step_place: Place | None = None
    loader_place: Place | None = None
    compile_place: Place | None = None
    training_mode: bool | None = None
    gradients_cleared: bool | None = None
    gradients_at_step: bool | None = None
    steps_taken: bool | None = None
    frozen: bool | None = None


@dataclasses.dataclass(eq=False)
class Measured:
    """What an operation did with a batch, in one forward and backward pass from initial values.

    What was not measured is NaN, which no comparison is true of; of a layer with a fused activation
    only gradient and weight are its own, its output being that of the activation.

    Attributes:
        mean, std: over all values of its output.
        feature_std: the median over features of the standard deviation over rows; 0 where every row
            gives the same.
        zeros: the share of its output's values that are exactly 0.
        dead: the share of its units that are 0 for every row of the batch.
        saturated: the share of values within 1 % of a bound of the activation.
        gradient: the root mean square of the loss's gradient by its kernel; None without a kernel.
        weight: the root mean square of its kernel.
    """

    mean: float = math.nan
    std: float = math.nan
    feature_std: float = math.nan
    zeros: float = math.nan
    dead: float = math.nan
    saturated: float = math.nan
    gradient: float | None = None
    weight: float | None = None
    finite: bool = True


@dataclasses.dataclass(eq=False)
class Probe:
    """What one forward and backward pass, and a few training steps on copies, have shown.

    Attributes:
        operations: what each operation did.
        loss: of the batch, at the initial values; penalty: the part of it that regularizers add.
        rates: from a learning rate to `(loss before, loss after)` a few steps with it, on copies.
        rate_steps: how many steps those were.
    """

    operations: dict[Operation, Measured] = dataclasses.field(default_factory=dict)
    loss: float | None = None
    penalty: float = 0.0
    rates: dict[float, tuple[float, float]] = dataclasses.field(default_factory=dict)
    rate_steps: int = 0


@dataclasses.dataclass(eq=False)
class Facts:
    """All that is known of a network about to be trained.

    Attributes:
        framework: "cornu", "keras" (a Keras program) or "torch".
        operations: in computing order.
        outputs: those of the network.
        inputs: of the training data, in the order of the network's inputs.
        validation_inputs: the same of the validation data.
        optimizer, training: how it is trained.
        parameters: numbers of all trainable values.
        unused: layers that were made by the program (or are held by the model) and never called:
            (name, kind, place).
        probe: measurements, or None where none were made.
        source: the program's text, or None.
    """

    framework: Literal["cornu", "keras", "torch"]
    operations: list[Operation] = dataclasses.field(default_factory=list)
    outputs: list[Output] = dataclasses.field(default_factory=list)
    inputs: list[ArrayFacts] = dataclasses.field(default_factory=list)
    validation_inputs: list[ArrayFacts] = dataclasses.field(default_factory=list)
    optimizer: OptimizerFacts | None = None
    training: Training = dataclasses.field(default_factory=Training)
    parameters: int = 0
    unused: list[tuple[str, str, Place | None]] = dataclasses.field(default_factory=list)
    probe: Probe | None = None
    source: Source | None = None

    def __post_init__(self) -> None:
        for index, operation in enumerate(self.operations):
            operation.index = index
            operation.consumers = []
        for operation in self.operations:
            for source in operation.inputs:
                source.consumers.append(operation)

    def of_kind(self, *kinds: str) -> Iterator[Operation]:
        """The operations of some kinds, in computing order."""
        return (operation for operation in self.operations if operation.kind in kinds)

    def output_of(self, operation: Operation) -> Output | None:
        """The output that an operation makes, if it makes one."""
        return next((out for out in self.outputs if out.operation is operation), None)


def through(operation: Operation, kinds: frozenset[str] = TRANSPARENT) -> Operation:
    """The operation that made the values, looking back through those that pass them on."""
    while operation.kind in kinds and len(operation.inputs) == 1:
        operation = operation.inputs[0]
    return operation


def before(operation: Operation) -> Iterator[Operation]:
    """All operations that an operation depends on, nearest first."""
    seen: set[int] = set()
    waiting = list(operation.inputs)
    while waiting:
        current = waiting.pop(0)
        if id(current) not in seen:
            seen.add(id(current))
            yield current
            waiting += current.inputs
