"""Losses, optimizers and learning-rate schedulers of PyTorch, read as Keras has them."""

from __future__ import annotations

import functools

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

from cornu.port.keras.write_model import write_model  # noqa: E402
from cornu.port.network import PortError  # noqa: E402
from cornu.port.torch.read import read_torch  # noqa: E402

from .torch_networks import (  # noqa: E402
    ResNet,
)


def trained(module=None, loss=None, optimizer=None, example=None, **more):
    module = module or nn.Sequential(nn.Linear(4, 3))
    if optimizer is not None:
        optimizer = optimizer(module.parameters())
    return read_torch(
        module, torch.zeros(2, 4) if example is None else example, loss, optimizer, **more
    )


LOSSES = [
    (nn.CrossEntropyLoss(), "sparse_categorical_crossentropy", {"from_logits": True, "axis": 1}),
    (F.cross_entropy, "sparse_categorical_crossentropy", {"reduction": "sum_over_batch_size"}),
    (
        nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 4.0])),
        "sparse_categorical_crossentropy",
        {"class_weight": [1, 2, 4], "reduction": "mean_with_sample_weight"},
    ),
    (
        nn.CrossEntropyLoss(ignore_index=255),
        "sparse_categorical_crossentropy",
        {"ignore_class": 255},
    ),
    (
        nn.CrossEntropyLoss(label_smoothing=0.1),
        "categorical_crossentropy",
        {"label_smoothing": 0.1, "from_logits": True},
    ),
    (nn.CrossEntropyLoss(reduction="sum"), "sparse_categorical_crossentropy", {"reduction": "sum"}),
    (nn.BCELoss(), "binary_crossentropy", {"from_logits": False}),
    (nn.BCEWithLogitsLoss(), "binary_crossentropy", {"from_logits": True}),
    (
        nn.BCEWithLogitsLoss(pos_weight=torch.tensor([3.0])),
        "binary_crossentropy",
        {"pos_weight": 3.0},
    ),
    (nn.MSELoss(), "mean_squared_error", {"reduction": "sum_over_batch_size"}),
    (nn.L1Loss(), "mean_absolute_error", {}),
    (nn.HuberLoss(delta=0.5), "huber", {"delta": 0.5}),
    (functools.partial(F.huber_loss, delta=2.0), "huber", {"delta": 2.0}),
]


@pytest.mark.parametrize(("loss", "kind", "settings"), LOSSES)
def test_losses(loss, kind, settings):
    (found,) = trained(loss=loss).training.losses
    assert (found.kind, found.weight) == (kind, 1.0)
    assert {key: found.settings[key] for key in settings} == settings


@pytest.mark.parametrize(
    "loss",
    [
        *(nn.MSELoss(reduction="sum"), nn.SmoothL1Loss(beta=0.5), nn.SmoothL1Loss(reduction="sum")),
        *(nn.HuberLoss(delta=0.3), nn.L1Loss(), nn.CrossEntropyLoss(), nn.BCEWithLogitsLoss()),
        *(nn.CrossEntropyLoss(label_smoothing=0.2), nn.CrossEntropyLoss(reduction="sum")),
        nn.CrossEntropyLoss(ignore_index=1),
    ],
    ids=str,
)
def test_losses_have_the_same_value(loss):
    from cornu.port.keras.write_training import make_loss

    (found,) = trained(loss=loss).training.losses
    generator = np.random.default_rng(0)
    outputs = generator.normal(size=(6, 3)).astype("float32")
    y = generator.random((6, 3)).astype("float32")
    ours = y
    if isinstance(loss, nn.CrossEntropyLoss):
        y = np.array([0, 1, 2, 1, 0, 2])
        ours = np.eye(3, dtype="float32")[y] if "sparse" not in found.kind else y
    want = float(loss(torch.tensor(outputs), torch.tensor(y)))
    got = found.weight * float(make_loss(found)(ours, outputs))
    assert got == pytest.approx(want, rel=1e-5)


def test_log_probabilities_are_logits():
    module = nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax(1))
    (loss,) = trained(module, nn.NLLLoss()).training.losses
    assert loss.kind == "sparse_categorical_crossentropy"
    assert loss.settings["from_logits"] is True
    with pytest.raises(PortError, match="expects log-probabilities"):
        trained(loss=nn.NLLLoss())


def test_softmax_twice_is_told():
    network = trained(nn.Sequential(nn.Linear(4, 3), nn.Softmax(1)), nn.CrossEntropyLoss())
    assert "applies softmax again" in network.notes[0]
    assert network.training.losses[0].settings["from_logits"] is True


@pytest.mark.parametrize(
    ("loss", "sentence"),
    [
        (nn.CTCLoss(), "the loss CTCLoss has no counterpart"),
        (nn.KLDivLoss(reduction="batchmean"), "KLDivLoss"),
        (nn.PoissonNLLLoss(), "PoissonNLLLoss"),
        (nn.MSELoss(reduction="none"), "gives no single number"),
        (nn.BCELoss(weight=torch.ones(3)), "of each element"),
        (lambda a, b: (a - b).mean(), "a function of your own"),
        (nn.MSELoss, "Give an object of it"),
        ([nn.MSELoss(), nn.MSELoss()], "2 loss for 1 outputs"),
    ],
)
def test_losses_refused(loss, sentence):
    with pytest.raises(PortError, match=sentence):
        trained(loss=loss)


OPTIMIZERS = [
    (
        functools.partial(torch.optim.SGD, lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True),
        "SGD",
        {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "l2": 1e-4, "dampening": 0.0},
    ),
    (
        torch.optim.Adam,
        "Adam",
        {"learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8, "l2": 0.0},
    ),
    (torch.optim.AdamW, "AdamW", {"weight_decay": 0.01}),
    (torch.optim.RMSprop, "RMSprop", {"rho": 0.99, "learning_rate": 0.01, "epsilon": 1e-8}),
    (torch.optim.Adagrad, "Adagrad", {"initial_accumulator_value": 0.0, "epsilon": 1e-10}),
    (torch.optim.Adadelta, "Adadelta", {"learning_rate": 1.0, "rho": 0.9, "epsilon": 1e-6}),
    (torch.optim.Adamax, "Adamax", {"learning_rate": 0.002}),
    (functools.partial(torch.optim.NAdam, momentum_decay=1.0), "Nadam", {"learning_rate": 0.002}),
]


@pytest.mark.parametrize(("optimizer", "kind", "settings"), OPTIMIZERS)
def test_optimizers(optimizer, kind, settings):
    found = trained(loss=nn.MSELoss(), optimizer=optimizer).training.optimizer
    assert found.kind == kind
    is_keras = kind in ("Nadam", "Adadelta")
    assert found.settings.get("formula") == (None if is_keras else "torch")
    assert {key: found.settings[key] for key in settings} == settings


@pytest.mark.parametrize(("optimizer", "kind", "settings"), OPTIMIZERS)
def test_optimizers_take_the_same_steps(optimizer, kind, settings):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    made = optimizer(module.parameters())
    network = read_torch(module, torch.zeros(2, 4), nn.MSELoss(), made)
    model = write_model(network)
    generator = np.random.default_rng(0)
    x = generator.normal(size=(8, 4)).astype("float32")
    y = generator.normal(size=(8, 3)).astype("float32")
    for _ in range(20):
        made.zero_grad()
        nn.functional.mse_loss(module(torch.tensor(x)), torch.tensor(y)).backward()
        made.step()
    model.fit(x, y, batch_size=8, epochs=20, shuffle=False, verbose=0)
    after = read_torch(module, torch.zeros(2, 4))
    want = [value for _, _, value in after.weights()]
    for got, one in zip(model.get_weights(), want, strict=True):
        np.testing.assert_allclose(got, one, rtol=1e-4, atol=1e-5)


def test_optimizers_refused():
    for optimizer, sentence in (
        (torch.optim.LBFGS, "LBFGS has no counterpart"),
        (torch.optim.NAdam, "momentum_decay"),
        (functools.partial(torch.optim.SGD, lr=0.1, maximize=True), "maximize"),
    ):
        with pytest.raises(PortError, match=sentence):
            trained(optimizer=optimizer)
    module = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    groups = [
        {"params": module[0].parameters(), "lr": 0.1},
        {"params": module[1].parameters(), "lr": 0.2},
    ]
    with pytest.raises(PortError, match="differ in lr"):
        read_torch(module, torch.zeros(2, 4), optimizer=torch.optim.SGD(groups))
    with pytest.raises(PortError, match="none of the module's parameters"):
        read_torch(
            module, torch.zeros(2, 4), optimizer=torch.optim.SGD(nn.Linear(2, 2).parameters())
        )


def test_what_the_optimizer_does_not_hold_is_not_trained():
    module = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    network = read_torch(
        module, torch.zeros(2, 4), optimizer=torch.optim.SGD(module[1].parameters())
    )
    assert [one.trainable for one in network.operations[1:]] == [False, True]


def test_what_only_training_computes_is_refused():
    class Noisy(nn.Module):
        def forward(self, x):
            return x + 0.1 * torch.randn_like(x) if self.training else x * 1

    read_torch(Noisy(), torch.zeros(2, 4))
    with pytest.raises(PortError, match="computes otherwise while it trains"):
        read_torch(Noisy(), torch.zeros(2, 4), nn.MSELoss())
    trained(ResNet(), nn.CrossEntropyLoss(), torch.optim.SGD, torch.zeros(2, 3, 16, 16))


def test_partly_frozen_layers_do_not_train():
    module = nn.Sequential(nn.Linear(4, 3))
    module[0].bias.requires_grad_(False)
    read_torch(module, torch.zeros(2, 4))
    with pytest.raises(PortError, match="trained and others that are not"):
        read_torch(module, torch.zeros(2, 4), nn.MSELoss())


SCHEDULES = [
    (lambda o: torch.optim.lr_scheduler.StepLR(o, 2, 0.5), "ExponentialDecay"),
    (lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.9), "ExponentialDecay"),
    (lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [2, 3, 5], 0.1), "PiecewiseConstantDecay"),
    (lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 6, 0.01), "PiecewiseConstantDecay"),
    (lambda o: torch.optim.lr_scheduler.LinearLR(o, 0.2, 1.0, 4), "PiecewiseConstantDecay"),
    (lambda o: torch.optim.lr_scheduler.ConstantLR(o, 0.2, 3), "PiecewiseConstantDecay"),
    (lambda o: torch.optim.lr_scheduler.PolynomialLR(o, 5, 2.0), "PiecewiseConstantDecay"),
]


@pytest.mark.parametrize(("make", "kind"), SCHEDULES)
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler")
def test_schedules(make, kind, steps):
    from cornu.port.keras.write_training import make_schedule

    module = nn.Sequential(nn.Linear(4, 3))
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    scheduler = make(optimizer)
    network = read_torch(
        module, torch.zeros(2, 4), nn.MSELoss(), optimizer, scheduler, steps_per_epoch=steps
    )
    found = network.training.optimizer.settings["learning_rate"]
    assert found.kind == kind or steps == 1
    ours = make_schedule(found)
    for step in range(6 * steps):
        assert float(ours(step)) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-5)
        if (step + 1) % steps == 0:
            optimizer.step()
            scheduler.step()


def test_schedules_refused():
    module = nn.Sequential(nn.Linear(4, 3))
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    rates = torch.optim.lr_scheduler
    for scheduler, steps, sentence in (
        (rates.LambdaLR(optimizer, lambda epoch: 0.9**epoch), 1, "LambdaLR has no counterpart"),
        (rates.ReduceLROnPlateau(optimizer), 1, "callback ReduceLROnPlateau"),
        (rates.StepLR(optimizer, 2), None, "Give steps_per_epoch"),
    ):
        with pytest.raises(PortError, match=sentence):
            read_torch(
                module,
                torch.zeros(2, 4),
                nn.MSELoss(),
                optimizer,
                scheduler,
                steps_per_epoch=steps,
            )


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU())

    def forward(self, a, b):
        return (self.block(a) - self.block(b)).abs()


def test_batch_normalization_may_be_applied_twice():
    import cornu

    torch.manual_seed(0)
    module, loss = Twice(), nn.MSELoss()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    example = (torch.randn(6, 4), torch.randn(6, 4))
    model = cornu.port.from_torch(module, example, loss=loss, optimizer=optimizer)
    proof = cornu.port.prove(model, module, loss=loss, optimizer=optimizer, steps=3)
    assert bool(proof), f"{proof.first}"


def test_a_count_that_is_used_is_refused():
    class Counted(nn.BatchNorm1d):
        def forward(self, x):
            if self.training:
                return super().forward(x) / self.num_batches_tracked
            return super().forward(x)

    with pytest.raises(PortError, match="computes otherwise while it trains"):
        trained(nn.Sequential(Counted(4)), nn.MSELoss())


# Rows of zeros, and rows shorter than eps: where the gradients of a root are infinite.
FIRST = [[1.0, 2, 3], [0, 0, 0], [1e-9, 0, 0], [0, 0, 0], [0.5, -1, 2]]
SECOND = [[1.0, -2, 3], [0, 0, 0], [1, 0, 0], [0, 2, 0], [0.5, -1, 2]]

DISTANCES = {
    "pairwise": lambda a, b: F.pairwise_distance(a, b, keepdim=True),
    "pairwise_sum": lambda a, b: F.pairwise_distance(a, b, p=1, eps=1e-3, keepdim=True),
    "pairwise_bare": lambda a, b: F.pairwise_distance(a, b, eps=0.0).unsqueeze(1),
    "pairwise_module": lambda a, b: nn.PairwiseDistance()(a, b).unsqueeze(1),
    "cosine": lambda a, b: F.cosine_similarity(a, b).unsqueeze(1),
    "cosine_bounded": lambda a, b: F.cosine_similarity(a, b, dim=-1, eps=2.0).unsqueeze(1),
    "cosine_constant": lambda a, b: (
        F.cosine_similarity(a, torch.ones(1, 4))[:, None] + 0 * b.sum(1, keepdim=True)
    ),
    "normalize": lambda a, b: F.normalize(a, dim=1) - F.normalize(b, dim=1, eps=0.5),
    "norm": lambda a, b: (a - b).norm(dim=1, keepdim=True),
}


@pytest.mark.parametrize("name", DISTANCES)
def test_distances_have_the_same_gradients(name):
    import cornu

    class Distance(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Linear(3, 4, bias=False)

        def forward(self, a, b):
            return DISTANCES[name](self.encoder(a), self.encoder(b))

    torch.manual_seed(0)
    module, loss = Distance(), nn.MSELoss()
    pair = (torch.tensor(FIRST), torch.tensor(SECOND))
    optimizer = torch.optim.SGD(module.parameters(), lr=0.5)
    model = cornu.port.from_torch(module, pair, loss=loss, optimizer=optimizer)
    outputs = module(*pair)
    x = [one.numpy() for one in pair]
    np.testing.assert_allclose(model.predict(x, verbose=0), outputs.detach().numpy(), atol=1e-6)
    loss(outputs, torch.full_like(outputs, 0.3)).backward()
    y = np.full(outputs.shape, 0.3, "float32")
    (before,) = model.get_weights()
    model.fit(x, y, batch_size=len(y), verbose=0)
    gradient = (before - model.get_weights()[0]) / 0.5
    np.testing.assert_allclose(gradient.T, module.encoder.weight.grad.numpy(), atol=2e-6, rtol=1e-5)
