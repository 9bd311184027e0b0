"""Fifteen networks to PyTorch, Keras, ONNX and NumPy and back: proven the same, step by step."""

import numpy as np
import pytest

from cornu import losses, optimizers, port

from ..port.networks import NETWORKS, batch, filled

# Keras reads its learning rate in a way that NumPy 2 warns of
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# One of the common optimizers for each network, in turn.
_OPTIMIZERS = (
    lambda: optimizers.Adam(0.003),
    lambda: optimizers.SGD(0.02, momentum=0.9, nesterov=True),
    lambda: optimizers.RMSprop(0.001),
    lambda: optimizers.AdamW(0.002, weight_decay=0.01),
    lambda: optimizers.SGD(0.05),
)


def trained(build):
    """A network, filled and compiled as its outputs ask for."""
    model = filled(build())
    last = model.layers[-1]
    activation = getattr(getattr(last, "activation", None), "__name__", "linear")
    loss = {
        "softmax": losses.SparseCategoricalCrossentropy(),
        "sigmoid": losses.BinaryCrossentropy(),
        "linear": losses.SparseCategoricalCrossentropy(from_logits=True),
    }[activation]
    model.compile(_OPTIMIZERS[NETWORKS.index(build) % len(_OPTIMIZERS)](), loss)
    return model


def outputs(model, arrays):
    return np.asarray(model(arrays if len(arrays) > 1 else arrays[0]))


def same_outputs(one, two):
    arrays = batch(one)
    np.testing.assert_allclose(outputs(one, arrays), outputs(two, arrays), rtol=1e-5, atol=1e-5)


each = pytest.mark.parametrize("build", NETWORKS, ids=lambda build: build.__name__)


@each
def test_to_torch_and_back(build):
    torch = pytest.importorskip("torch")
    model = trained(build)
    module = port.to_torch(model)
    proof = port.prove(model, module)
    assert proof, str(proof)
    assert proof.steps == 20
    # images have their channels first there
    example = [
        torch.from_numpy(np.moveaxis(array, -1, 1) if array.ndim > 2 else array)
        for array in batch(model)
    ]
    again = port.from_torch(module, tuple(example))
    assert [weight.shape for weight in again.weights] == [weight.shape for weight in model.weights]
    back = port.prove(again, module, dtypes=["float32"])
    assert back, str(back)


@each
def test_to_keras_and_back(build):
    pytest.importorskip("keras")
    model = trained(build)
    theirs = port.to_keras(model)
    proof = port.prove(model, theirs)
    assert proof, str(proof)
    same_outputs(model, port.from_keras(theirs))


@each
def test_to_onnx_and_back(build, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    model = trained(build)
    file = tmp_path / "network.onnx"
    model.export(file, format="onnx", verbose=False)
    proof = port.prove(model, str(file), dtypes=["float32"])
    assert proof, str(proof)
    same_outputs(model, port.from_onnx(file))


@each
def test_to_numpy(build):
    model = trained(build)
    proof = port.prove(model, port.to_numpy(model))
    assert proof, str(proof)
    assert proof.steps == 20
