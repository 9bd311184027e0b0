"""What holds a port of a PyTorch module against the module."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from cornu.port.keras.write_model import write_model  # noqa: E402
from cornu.port.layout import change_layout  # noqa: E402
from cornu.port.network import PortError  # noqa: E402
from cornu.port.torch.read import read_torch  # noqa: E402


def filled(module):
    """The module with statistics as after some training."""
    torch.manual_seed(0)
    with torch.no_grad():
        for one in module.modules():
            if getattr(one, "running_mean", None) is not None:
                one.running_mean.normal_()
                one.running_var.uniform_(0.5, 2)
            if isinstance(one, (nn.PReLU, nn.LayerNorm, nn.GroupNorm)) and one.weight is not None:
                one.weight.uniform_(0.1, 2)
    return module


def like(tensor, rows, generator):
    """Values of a tensor's kind for another number of rows."""
    shape = (rows, *tensor.shape[1:])
    if tensor.is_floating_point():
        return torch.randn(shape, generator=generator, dtype=tensor.dtype)
    return torch.randint(0, 4, shape, generator=generator)


def interpreted(program, *inputs):
    """The value of every node of an exported program; in-place changes come after."""
    values = {}

    class Watch(torch.fx.Interpreter):
        def run_node(self, node):
            value = super().run_node(node)
            if isinstance(value, torch.Tensor):
                values[node.name] = value.detach().clone()
            return value

    signature = program.graph_signature
    held = {**program.state_dict, **program.constants}
    targets = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    waiting, args = list(inputs), []
    for node in program.graph.nodes:
        if node.op == "placeholder":
            name = targets.get(node.name)
            args.append(waiting.pop(0).clone() if name is None else held[name])
    with torch.no_grad():
        Watch(program.graph_module).run(*args)
    return values


def agrees(module, *example, rows=3, tolerance=1e-5):
    """Reads a module, writes a Cornu model of it, and compares all values that can be observed."""
    filled(module)
    network = read_torch(module, example if len(example) > 1 else example[0])
    turned = change_layout(network, "channels_last")
    model = write_model(turned)
    generator = torch.Generator().manual_seed(1)
    inputs = [like(one, rows, generator) for one in example]
    held = [
        layout.hold(one.numpy().copy())
        for layout, one in zip(turned.input_layouts, inputs, strict=True)
    ]
    module.eval()
    with torch.no_grad():
        wanted = torch.utils._pytree.tree_leaves(module(*[one.clone() for one in inputs]))
    got = model.predict(held if len(held) > 1 else held[0], verbose=0)
    got = got if isinstance(got, (list, tuple)) else [got]
    assert len(got) == len(wanted)
    for layout, one, other in zip(turned.output_layouts, got, wanted, strict=True):
        one, other = layout.give_back(np.asarray(one)), other.numpy()
        assert one.shape == other.shape
        scale = max(1.0, float(np.abs(other).max()))
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * scale)
    check_weights(network, module)
    check_observed(network, turned, inputs, held)
    return network


def check_weights(network, module):
    """Every weight is what its origin makes of the module's."""
    state = module.state_dict()
    for operation, name, value in network.weights():
        if name not in operation.origins:
            assert not operation.trainable  # a constant of the code
            continue
        origin = operation.origins[name]
        np.testing.assert_array_equal(value, origin(state[origin.key].numpy()))


def check_observed(network, turned, inputs, held):
    """Every tensor of the port is what the exported graph has there."""
    values = interpreted(network.source, *inputs)
    for tensor, seen in network.observed.items():
        assert seen.key in values
        assert values[seen.key].ndim == tensor.ndim
    tensors = [
        tensor
        for tensor in turned.observed
        if tensor.ndim and tensor.node is not None and tensor.node.operation != "InputLayer"
    ]
    if not tensors:
        return
    part = turned.like(turned.inputs, tensors)
    part.output_names = [f"out_{number}" for number in range(len(tensors))]
    model = write_model(part)
    got = model.predict(held if len(held) > 1 else held[0], verbose=0)
    got = got if isinstance(got, (list, tuple)) else [got]
    for tensor, one in zip(tensors, got, strict=True):
        seen = turned.observed[tensor]
        want = seen.layout.hold(values[seen.key].numpy())
        assert one.shape == want.shape, seen.key
        scale = max(1.0, float(np.abs(want).max()))
        np.testing.assert_allclose(one, want, rtol=0, atol=1e-5 * scale, err_msg=seen.key)


def kinds(network):
    return [node.operation for node in network.nodes if node.operation != "InputLayer"]


def names(network):
    return [node.name for node in network.nodes if node.operation != "InputLayer"]


def refused(module, *example, **more):
    with pytest.raises(PortError) as caught:
        read_torch(module, example if len(example) > 1 else example[0], **more)
    return str(caught.value)


def function(forward):
    """A module of a function."""

    class Function(nn.Module):
        def forward(self, x):
            return forward(x)

    return Function()
