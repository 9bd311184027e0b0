"""Networks as people write them in PyTorch, read, proved to be the same, run and trained."""

import functools
import warnings
from typing import Any, NamedTuple

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import cornu  # noqa: E402

from . import port_modules  # noqa: E402

# Where an axis of three is (N, C, L) in PyTorch, and so (N, L, C) in Cornu.
SEQUENCES_CHANNELS_FIRST = ("wavenet", "pointnet")


# What Keras has no layer for, and what is said of it.
REFUSED = {
    "unet_bilinear": r"port_modules\.py:\d+\): .*align_corners=True.*ConvTranspose2d",
    "fpn": r"port_modules\.py:\d+.*whole multiple.*ConvTranspose2d",
}
CARRIED = [name for name in port_modules.CASES if name not in REFUSED]


class Port(NamedTuple):
    module: Any
    example: Any
    loss: Any
    optimizer: Any
    model: Any


@functools.cache
def port(name: str) -> Port:
    case = port_modules.CASES[name]
    module, example = port_modules.build(name)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    optimizer = case.optimizer(module.parameters())
    with warnings.catch_warnings():
        # what PyTorch's own export says about itself is none of the networks' business
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="torch")
        model = cornu.port.from_torch(module, example, loss=case.loss, optimizer=optimizer)
    assert not module.training, "reading a module left it in another mode"
    for key, value in module.state_dict().items():
        assert torch.equal(value, before[key]), f"reading a module changed its {key}"
    return Port(module, example, case.loss, optimizer, model)


def channels_last(array: np.ndarray, name: str) -> np.ndarray:
    first = array.ndim == 4 or (array.ndim == 3 and name in SEQUENCES_CHANNELS_FIRST)
    return np.moveaxis(array, 1, -1) if first else array


def as_tuple(value: Any) -> tuple:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def batch_for(name: str, example: Any) -> tuple[tuple, Any]:
    """Another batch as the module and as the model take it."""
    tensors = as_tuple(port_modules.another_batch(example))
    arrays = [channels_last(tensor.numpy(), name) for tensor in tensors]
    return tensors, arrays if len(arrays) > 1 else arrays[0]


@pytest.mark.parametrize("name", CARRIED)
def test_gives_the_same_on_another_batch(name):
    ported = port(name)
    tensors, x = batch_for(name, ported.example)
    with torch.no_grad():
        expected = as_tuple(ported.module(*tensors))
    for call in (ported.model.predict(x, verbose=0), ported.model(x)):
        got = as_tuple(call)
        assert len(got) == len(expected)
        for ours, theirs in zip(got, expected, strict=True):
            theirs = channels_last(theirs.numpy(), name)
            assert ours.shape == theirs.shape
            scale = max(1.0, float(np.abs(theirs).max()))
            np.testing.assert_allclose(np.asarray(ours), theirs, rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize("name", CARRIED)
def test_is_proved_the_same(name):
    ported = port(name)
    before = {key: value.clone() for key, value in ported.module.state_dict().items()}
    proof = cornu.port.prove(
        ported.model, ported.module, loss=ported.loss, optimizer=ported.optimizer, steps=5
    )
    assert bool(proof), f"{proof.first}\n{proof}"
    for key, value in ported.module.state_dict().items():
        assert torch.equal(value, before[key]), f"the proof changed {key} of the module"


@pytest.mark.parametrize("name", CARRIED)
def test_trains_on(name):
    ported = port(name)
    _, x = batch_for(name, ported.example)
    n = len(x[0] if isinstance(x, list) else x)
    y = port_modules.CASES[name].target(np.random.default_rng(0), n)
    before = ported.model.get_weights()
    try:
        history = ported.model.fit(x, y, epochs=1, batch_size=n, verbose=0)
        after = ported.model.get_weights()
    finally:
        ported.model.set_weights(before)
    assert np.isfinite(history.history["loss"][0])
    assert any(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_by_place(name):
    with pytest.raises(cornu.port.PortError, match=REFUSED[name]):
        port(name)
