"""What tests of PyTorch programs share: a Cornu model beside the module that is written for it."""

import numpy as np
import torch

import cornu
from cornu import layers as L
from cornu.port.heads import logits_out
from cornu.port.keras.read_model import read_model
from cornu.port.layout import change_layout
from cornu.port.proof.run_model import ModelRunner
from cornu.port.torch.source_modules import in_torch
from cornu.port.torch.write import weight_names, write_torch

from ..port.networks import batch, filled

TOLERANCE = {"float32": 1e-5, "float64": 1e-10}


def network_of(model):
    return logits_out(change_layout(read_model(model), "channels_first"))


def module_in(network, dtype):
    """The module without dropout, as the runner of a Cornu model is."""
    module = write_torch(network).to(getattr(torch, dtype))
    for part in module.modules():
        if isinstance(part, torch.nn.modules.dropout._DropoutNd):
            part.p = 0.0
    return module


def held(layouts, arrays, dtype):
    return [
        torch.from_numpy(np.array(layout.hold(np.asarray(array)))).to(
            getattr(torch, dtype) if array.dtype.kind == "f" else torch.int64
        )
        for layout, array in zip(layouts, arrays, strict=True)
    ]


def assert_close(found, wanted, tolerance, what, floor=1e-6):
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.shape == wanted.shape, what
    largest = max(float(np.abs(wanted).max(initial=0)), floor)
    gap = float(np.abs(found - wanted).max(initial=0)) / largest
    assert gap <= tolerance, f"{what}: {gap:.2e}"


def outputs_of(module, network, arrays, dtype):
    with torch.no_grad():
        made = module(*held(network.input_layouts, arrays, dtype))
    made = made if isinstance(made, tuple) else (made,)
    return [
        layout.give_back(one.numpy())
        for one, layout in zip(made, network.output_layouts, strict=True)
    ]


def in_module(network, weights):
    """Arrays by operation and weight, as the Cornu model has them, by entry of the state_dict."""
    return {
        entry: in_torch(
            operation.kind, name, operation.origins[name](weights[operation.name, name])
        )
        for entry, (operation, name) in weight_names(network).items()
        if (operation.name, name) in weights
    }


def check_outputs(model, dtypes=("float32", "float64"), rows=3):
    network = change_layout(read_model(model), "channels_first")
    network.training = None
    runner = ModelRunner(model)
    arrays = batch(model, rows)
    for dtype in dtypes:
        values = runner.values(arrays, dtype)
        if not all(tensor in values for tensor in runner.network.outputs):
            if dtype == "float64":
                continue
            made = model(arrays if len(arrays) > 1 else arrays[0])
            values = {runner.network.outputs[0]: np.asarray(made)}
        wanted = [values[tensor] for tensor in runner.network.outputs]
        found = outputs_of(module_in(network, dtype), network, arrays, dtype)
        for one, other in zip(found, wanted, strict=True):
            assert_close(one, other, TOLERANCE[dtype], dtype)
    return network


def batches_for(model, steps, rows=16, seed=3):
    """Inputs and targets that fit the outputs' losses: classes, one-hot or values."""
    generator = np.random.default_rng(seed)
    network = read_model(model)
    made = []
    for step in range(steps):
        targets = []
        for loss, tensor in zip(network.training.losses, network.outputs, strict=True):
            shape = (rows, *tensor.shape[1:])
            if loss is None:
                targets.append(None)
            elif loss.kind.startswith("sparse"):
                targets.append(generator.integers(0, shape[-1], shape[:-1]).astype("int32"))
            elif loss.kind.startswith("categorical") or loss.kind == "kl_divergence":
                classes = generator.integers(0, shape[-1], shape[:-1])
                targets.append(np.eye(shape[-1], dtype="float32")[classes])
            elif loss.kind.startswith("binary") or "hinge" in loss.kind:
                targets.append(generator.integers(0, 2, shape).astype("float32"))
            else:
                targets.append(generator.uniform(0.5, 2.0, shape).astype("float32"))
        made.append((batch(model, rows, 100 + step), targets))
    return made


def target_tensors(network, targets, dtype):
    made = []
    for target, layout in zip(targets, network.output_layouts, strict=True):
        if target is None:
            continue
        if target.dtype.kind == "f":
            made += held([layout], [target], dtype)
        else:
            made.append(torch.from_numpy(target).long())
    return made[0] if len(made) == 1 else made


def check_gradients(model, dtypes=("float32", "float64")):
    network, runner = network_of(model), ModelRunner(model)
    ((arrays, targets),) = batches_for(model, 1)
    # both in float64: in float32 either side rounds
    loss, gradients = runner.gradients(arrays, targets, "float64")
    for dtype in dtypes:
        module = module_in(network, dtype).train()
        program = module.program
        output = module(*held(network.input_layouts, arrays, dtype))
        found = program.loss_function(output, target_tensors(network, targets, dtype))
        if hasattr(program, "penalty"):
            found = found + program.penalty(module)
        found.backward()
        assert_close(found.item(), loss, 10 * TOLERANCE[dtype], f"loss in {dtype}")
        parameters = dict(module.named_parameters())
        wanted = in_module(network, gradients)
        # some gradients are 0 but for rounding, as of an offset before a normalization
        floor = 1e-3 * max(float(np.abs(one).max()) for one in wanted.values())
        for entry, gradient in wanted.items():
            tolerance = {"float32": 1e-4, "float64": 1e-9}[dtype]
            what = f"{entry} in {dtype}"
            assert_close(parameters[entry].grad, gradient, tolerance, what, floor)


def check_training(model, dtype="float64", steps=20, tolerance=None):
    """The weights after some steps of the program's own `train`."""
    network, runner = network_of(model), ModelRunner(model)
    batches = batches_for(model, steps)
    trained = runner.train(batches, dtype, batches[0][0])
    module = module_in(network, dtype)
    inputs, targets = [], []
    for arrays, wanted in batches:
        inputs.append(held(network.input_layouts, arrays, dtype))
        target = target_tensors(network, wanted, dtype)
        targets.append(target if isinstance(target, list) else [target])
    x = [torch.cat(parts) for parts in zip(*inputs, strict=True)]
    y = [torch.cat(parts) for parts in zip(*targets, strict=True)]
    x, y = (x[0] if len(x) == 1 else x), (y[0] if len(y) == 1 else y)
    module.program.train(module, x, y, epochs=1, batch_size=16, shuffle=False)
    tolerance = tolerance or {"float32": 1e-4, "float64": 1e-7}[dtype]
    state = module.state_dict()
    for entry, weight in in_module(network, trained.weights[steps]).items():
        if entry.endswith("running_var"):
            continue  # PyTorch's is the unbiased one
        assert_close(state[entry], weight, tolerance, entry)


def small(last=None, units=3, **options):
    layers = [L.Input((6,)), L.Dense(8, activation="tanh", **options), L.Dense(units, last)]
    return filled(cornu.Sequential(layers))


def functional(shape, make, dtype="float32"):
    inputs = L.Input(shape, dtype=dtype)
    return filled(cornu.Model(inputs, make(inputs)))


def image(make, shape=(7, 6, 3)):
    return functional(shape, make)
