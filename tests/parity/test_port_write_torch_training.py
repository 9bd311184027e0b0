"""PyTorch programs: how they train, beside the Cornu model they come from."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import cornu  # noqa: E402
from cornu import layers as L  # noqa: E402
from cornu import losses as costs  # noqa: E402
from cornu import optimizers as opt  # noqa: E402
from cornu.optimizers import schedules  # noqa: E402
from cornu.port.torch.source_losses import loss_source  # noqa: E402
from cornu.port.torch.write import torch_weights, write_torch  # noqa: E402
from cornu.port.training import Loss  # noqa: E402

from ..port.networks import NETWORKS, filled, two_inputs  # noqa: E402
from .torch_programs import (  # noqa: E402
    check_gradients,
    check_training,
    functional,
    image,
    module_in,
    network_of,
    small,
)


def compiled(build):
    model = filled(build())
    loss = "mean_squared_error"
    if len(model.outputs) > 1:
        loss = ["mean_squared_error"] * len(model.outputs)
    elif isinstance(model.layers[-1], L.Dense) or hasattr(model.layers[-1], "activation"):
        name = getattr(model.layers[-1].activation, "__name__", "linear")
        loss = {"softmax": "categorical_crossentropy", "sigmoid": "binary_crossentropy"}.get(
            name, loss
        )
    model.compile(cornu.optimizers.SGD(0.01, momentum=0.9), loss)
    return model


@pytest.mark.parametrize("build", NETWORKS, ids=lambda build: build.__name__)
def test_gradients(build):
    check_gradients(compiled(build))


@pytest.mark.parametrize("build", NETWORKS, ids=lambda build: build.__name__)
def test_training(build):
    check_training(compiled(build))


# -- training --------------------------------------------------------------------------------------


OPTIMIZERS = {
    "sgd": lambda: opt.SGD(0.1),
    "momentum": lambda: opt.SGD(0.05, momentum=0.9),
    "nesterov": lambda: opt.SGD(0.05, momentum=0.9, nesterov=True),
    "sgd, decay": lambda: opt.SGD(0.1, weight_decay=0.05),
    "momentum, decay": lambda: opt.SGD(0.1, momentum=0.9, weight_decay=0.05),
    "momentum, schedule": lambda: opt.SGD(schedules.CosineDecay(0.1, 15), momentum=0.9),
    "nesterov, schedule": lambda: opt.SGD(
        schedules.ExponentialDecay(0.1, 5, 0.5), momentum=0.9, nesterov=True, weight_decay=0.01
    ),
    "adam": lambda: opt.Adam(0.01),
    "adam, large epsilon": lambda: opt.Adam(0.01, epsilon=1e-2),
    "adam, amsgrad": lambda: opt.Adam(0.01, amsgrad=True, beta_2=0.9),
    "adam, decay": lambda: opt.Adam(0.01, weight_decay=0.05),
    "adamw": lambda: opt.AdamW(0.01, weight_decay=0.05),
    "nadam": lambda: opt.Nadam(0.01, epsilon=1e-4),
    "nadam, decay": lambda: opt.Nadam(0.01, weight_decay=0.05),
    "adamax": lambda: opt.Adamax(0.01, epsilon=1e-3),
    "adamax, decay": lambda: opt.Adamax(0.01, weight_decay=0.05),
    "rmsprop": lambda: opt.RMSprop(0.01, epsilon=1e-3),
    "rmsprop, all": lambda: opt.RMSprop(0.01, momentum=0.5, centered=True, weight_decay=0.05),
    "adagrad": lambda: opt.Adagrad(0.05, epsilon=1e-2),
    "adadelta": lambda: opt.Adadelta(1.0, weight_decay=0.05),
    "lion": lambda: opt.Lion(0.001, weight_decay=0.05),
    "clipnorm": lambda: opt.SGD(0.1, clipnorm=0.1),
    "global clipnorm": lambda: opt.SGD(0.1, global_clipnorm=0.2),
    "clipvalue": lambda: opt.Adam(0.01, clipvalue=0.01),
}
SCHEDULES = {
    "exponential": lambda: schedules.ExponentialDecay(0.1, 7, 0.5),
    "staircase": lambda: schedules.ExponentialDecay(0.1, 7, 0.5, staircase=True),
    "inverse": lambda: schedules.InverseTimeDecay(0.1, 7, 0.5),
    "inverse staircase": lambda: schedules.InverseTimeDecay(0.1, 7, 0.5, staircase=True),
    "polynomial": lambda: schedules.PolynomialDecay(0.1, 12, 0.01, power=2.0),
    "cycle": lambda: schedules.PolynomialDecay(0.1, 6, 0.01, power=0.5, cycle=True),
    "cosine": lambda: schedules.CosineDecay(0.1, 12, alpha=0.1),
    "warmup": lambda: schedules.CosineDecay(0.0, 12, warmup_target=0.1, warmup_steps=5),
    "restarts": lambda: schedules.CosineDecayRestarts(0.1, 4, t_mul=2.0, m_mul=0.9, alpha=0.1),
    "restarts, equal": lambda: schedules.CosineDecayRestarts(0.1, 4, t_mul=1.0),
    "piecewise": lambda: schedules.PiecewiseConstantDecay([3, 10], [0.1, 0.05, 0.01]),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name):
    model = small("softmax")
    model.compile(OPTIMIZERS[name](), "sparse_categorical_crossentropy")
    check_training(model)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name):
    model = small()
    model.compile(opt.SGD(SCHEDULES[name]()), "mean_squared_error")
    check_training(model)


COSTS = {
    "sparse": ("softmax", lambda: costs.SparseCategoricalCrossentropy()),
    "sparse of logits": (None, lambda: costs.SparseCategoricalCrossentropy(from_logits=True)),
    "sparse, ignored": (None, lambda: costs.SparseCategoricalCrossentropy(True, ignore_class=1)),
    "sparse of others": ("sigmoid", lambda: costs.SparseCategoricalCrossentropy()),
    "sparse, sum": ("softmax", lambda: costs.SparseCategoricalCrossentropy(reduction="sum")),
    "categorical": ("softmax", lambda: costs.CategoricalCrossentropy(label_smoothing=0.1)),
    "categorical of others": (
        "sigmoid",
        lambda: costs.CategoricalCrossentropy(label_smoothing=0.1),
    ),
    "binary": ("sigmoid", lambda: costs.BinaryCrossentropy()),
    "binary, smooth": ("sigmoid", lambda: costs.BinaryCrossentropy(label_smoothing=0.1)),
    "binary, sum": ("sigmoid", lambda: costs.BinaryCrossentropy(reduction="sum")),
    "binary of others": ("softmax", lambda: costs.BinaryCrossentropy()),
    "binary focal": ("sigmoid", lambda: costs.BinaryFocalCrossentropy(True, label_smoothing=0.1)),
    "categorical focal": (
        "softmax",
        lambda: costs.CategoricalFocalCrossentropy(label_smoothing=0.1),
    ),
    "squared": (None, lambda: costs.MeanSquaredError()),
    "squared, sum": (None, lambda: costs.MeanSquaredError(reduction="sum")),
    "absolute": (None, lambda: costs.MeanAbsoluteError()),
    "percentage": (None, lambda: costs.MeanAbsolutePercentageError()),
    "logarithmic": ("softplus", lambda: costs.MeanSquaredLogarithmicError()),
    "huber": (None, lambda: costs.Huber(0.5)),
    "log cosh": (None, lambda: costs.LogCosh()),
    "poisson": ("softplus", lambda: costs.Poisson()),
    "divergence": ("softmax", lambda: costs.KLDivergence()),
    "cosine": (None, lambda: costs.CosineSimilarity()),
    "hinge": (None, lambda: costs.Hinge()),
    "squared hinge": (None, lambda: costs.SquaredHinge(reduction="sum")),
    "categorical hinge": (None, lambda: costs.CategoricalHinge()),
}


@pytest.mark.parametrize("name", COSTS)
def test_losses(name):
    last, make = COSTS[name]
    model = small(last)
    model.compile("sgd", make())
    check_gradients(model)


def test_loss_of_places():
    inputs = L.Input((4, 5))
    model = filled(cornu.Model(inputs, L.Dense(3, activation="softmax")(inputs)))
    for loss in ("sparse_categorical_crossentropy", "categorical_crossentropy"):
        model.compile("sgd", loss)
        check_gradients(model)


def test_several_losses():
    model = filled(two_inputs())
    inputs = model.inputs
    other = cornu.Model(inputs, [model.outputs[0], L.Dense(3, activation="softmax")(inputs[1])])
    filled(other)
    other.compile(
        opt.Adam(0.01),
        [costs.BinaryCrossentropy(label_smoothing=0.1), "sparse_categorical_crossentropy"],
        loss_weights=[1.0, 0.3],
    )
    check_gradients(other)
    check_training(other)


def test_penalties_and_constraints():
    model = small(
        "softmax",
        kernel_regularizer=cornu.regularizers.L1L2(0.01, 0.02),
        bias_regularizer="l2",
        kernel_constraint=cornu.constraints.MaxNorm(0.5),
        activity_regularizer=None,
    )
    model.compile(opt.Adam(0.05), "sparse_categorical_crossentropy")
    check_gradients(model)
    check_training(model)


@pytest.mark.parametrize(
    "constraint",
    [
        cornu.constraints.NonNeg(),
        cornu.constraints.UnitNorm(axis=(0, 1, 2)),
        cornu.constraints.MinMaxNorm(0.2, 0.6, rate=0.7, axis=3),
    ],
)
def test_constraints_of_convolutions(constraint):
    model = image(
        lambda x: L.Dense(2)(L.Flatten()(L.Conv2D(3, 2, kernel_constraint=constraint)(x)))
    )
    model.compile(opt.SGD(0.1), "mean_squared_error")
    check_training(model)


def test_activity_regularization():
    model = functional(
        (6,),
        lambda x: L.Dense(6)(L.ActivityRegularization(l1=0.01, l2=0.1)(L.Dense(4)(x))),
    )
    model.compile(opt.SGD(0.1), "mean_squared_error")
    check_gradients(model)
    check_training(model)


def test_layers_that_are_not_trained():
    model = filled(
        cornu.Sequential(
            [L.Input((5,)), L.Dense(4), L.BatchNormalization(), L.Dense(3, trainable=False)]
        )
    )
    model.layers[1].trainable = False
    model.compile(opt.SGD(0.1), "mean_squared_error")
    before = torch_weights(network_of(model))
    check_training(model)
    module = module_in(network_of(model), "float32")
    x = torch.randn(32, 5)
    module.program.train(module, x, torch.randn(32, 3), epochs=2)
    after = module.state_dict()
    assert not module.batch_normalization.training or module.eval()
    for entry in before:
        name = entry.rpartition(".")[0]
        trained = name not in (model.layers[1].name, model.layers[2].name)
        assert np.array_equal(before[entry], after[entry].numpy()) != trained, entry


def test_momentum_of_batch_normalization():
    """The running mean moves as Keras'; the variance by the unbiased one."""
    model = filled(cornu.Sequential([L.Input((5,)), L.BatchNormalization(momentum=0.8)]))
    model.compile(opt.SGD(0.0), "mean_squared_error")
    x = np.random.default_rng(0).normal(2, 3, (10, 5)).astype("float32")
    module = write_torch(network_of(model))
    before = model.layers[0].moving_variance.numpy()
    module.program.train(module, torch.from_numpy(x), torch.from_numpy(x), 1, 10)
    model.fit(x, x, batch_size=10, epochs=1, verbose=0)
    (norm,) = [one for one in module.modules() if isinstance(one, torch.nn.BatchNorm1d)]
    np.testing.assert_allclose(norm.running_mean, model.layers[0].moving_mean.numpy(), rtol=1e-5)
    np.testing.assert_allclose(norm.running_var, 0.8 * before + 0.2 * x.var(0, ddof=1), rtol=1e-5)


# -- losses of networks that come from PyTorch -----------------------------------------------------


def computed(loss, output, target):
    source = loss_source(loss, tuple(output.shape))
    names = {"torch": torch, "F": torch.nn.functional}
    exec("\n".join(f"{name} = {value}" for name, value in source.constants.items()), names)
    lines = [*source.lines, f"return {source.value}"]
    exec("def loss(output, target):\n" + "\n".join(f"    {line}" for line in lines), names)
    return names["loss"](output, target).item()


@pytest.mark.parametrize("reduction", ["mean_with_sample_weight", "sum"])
def test_class_weights(reduction):
    weights = [0.5, 1.0, 3.0]
    output, target = torch.randn(8, 3), torch.tensor([0, 1, 2, 2, 1, 0, 0, 2])
    settings = {"from_logits": True, "class_weight": weights, "reduction": reduction}
    wanted = torch.nn.CrossEntropyLoss(
        torch.tensor(weights), reduction="sum" if reduction == "sum" else "mean"
    )(output, target)
    found = computed(Loss("sparse_categorical_crossentropy", settings), output, target)
    assert found == pytest.approx(wanted.item(), rel=1e-5)
    one_hot = torch.nn.functional.one_hot(target, 3).float()
    found = computed(Loss("categorical_crossentropy", settings), output, one_hot)
    assert found == pytest.approx(wanted.item(), rel=1e-5)


def test_class_weights_of_keras_divide_by_the_rows():
    weights = torch.tensor([0.5, 1.0, 3.0])
    output, target = torch.randn(8, 3), torch.tensor([0, 1, 2, 2, 1, 0, 0, 2])
    settings = {"from_logits": True, "class_weight": [0.5, 1.0, 3.0], "reduction": "mean"}
    each = torch.nn.functional.cross_entropy(output, target, reduction="none")
    wanted = (weights[target] * each).mean().item()
    found = computed(Loss("sparse_categorical_crossentropy", settings), output, target)
    assert found == pytest.approx(wanted, rel=1e-5)


def test_weight_of_the_positive_class():
    output, target = torch.randn(8, 2), (torch.rand(8, 2) > 0.5).float()
    wanted = torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor([2.0, 3.0]))(output, target)
    settings = {"from_logits": True, "pos_weight": [2.0, 3.0], "reduction": "mean"}
    found = computed(Loss("binary_crossentropy", settings), output, target)
    assert found == pytest.approx(wanted.item(), rel=1e-5)
