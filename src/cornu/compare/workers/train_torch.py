"""Trains a program of PyTorch as `cornu port` writes them: run as a file with a job."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
from recording import Batches, Epochs, Job, Steps

job = Job()
with job.importing():
    import torch

torch.set_default_dtype(getattr(torch, job.dtype))
program = job.program_module()
if job.weights:  # in the form that the program itself loads
    with np.load(job.weights) as file:
        start = {key: torch.from_numpy(file[key]) for key in file.files}
    torch.save(start, Path(job.program).with_name("weights.pt"))


def module_class():
    """The network's class: the one named, or the last module that the program defines."""
    if job.class_name and hasattr(program, job.class_name):
        return getattr(program, job.class_name)
    own = [
        value
        for value in vars(program).values()
        if isinstance(value, type)
        and issubclass(value, torch.nn.Module)
        and value.__module__ == program.__name__
    ]
    if not own:
        raise RuntimeError(f"{job.program} defines no torch.nn.Module")
    return own[-1]


def tensors(x: np.ndarray, y: np.ndarray | None = None):
    """Rows as the program takes them."""
    if job.axes:
        x = np.ascontiguousarray(x.transpose(job.axes))
    x = torch.from_numpy(x)
    if y is None:
        return x
    return x, torch.from_numpy(y.astype("int64") if job.task == "classes" else y)


def predicting(model):
    """A function from rows to probabilities."""
    function = getattr(program, "predict", None)
    if function is None:
        raise RuntimeError(f"{job.program} has no predict(model, x), which gives probabilities")

    def predict(x):
        outputs = function(model, tensors(x), batch_size=job.predict_rows)
        model.train()
        return outputs.detach().cpu().numpy()

    return predict


def load_weights(model) -> None:
    """Puts the weights of the start in, by name or else by order."""
    given = start
    state = model.state_dict()
    if set(given) != set(state):
        if [v.shape for v in given.values()] != [v.shape for v in state.values()]:
            raise RuntimeError(
                f"the weights of {job.program} are {[tuple(v.shape) for v in state.values()]}; "
                f"those of the experiment are {[tuple(v.shape) for v in given.values()]}"
            )
        given = dict(zip(state, given.values(), strict=True))
    model.load_state_dict(given)


@contextlib.contextmanager
def watched(on_loss, on_penalty, on_accuracy, on_print):
    """Within the block the program's own training tells of each batch and each epoch."""
    original = dict(vars(program))

    def loss_function(output, target):
        value = original["loss_function"](output, target)
        if torch.is_grad_enabled():
            on_loss(value.item(), len(target))
        return value

    def penalty(*args):
        value = original["penalty"](*args)
        if torch.is_grad_enabled():
            on_penalty(value.item())
        return value

    def accuracy(output, target):
        value = original["accuracy"](output, target)
        on_accuracy(value, len(target))
        return value

    for name, function in (
        ("loss_function", loss_function),
        ("penalty", penalty),
        ("accuracy", accuracy),
    ):
        if name in original:
            setattr(program, name, function)
    program.print = lambda *args, **kwargs: on_print()
    try:
        yield
    finally:
        del program.print
        for name in ("loss_function", "penalty", "accuracy"):
            if name in original:
                setattr(program, name, original[name])


def same_start() -> None:
    """The same weights, the same batches, by the program's own loop."""
    # no time is taken here, and threads that wait for each other suffer from whatever else runs
    torch.set_num_threads(1)
    x, y = tensors(*job.rows("train"))
    model = module_class()()
    load_weights(model)
    for module in model.modules():
        if isinstance(module, torch.nn.modules.dropout._DropoutNd):
            module.p = 0.0
    keys = [name for name, _ in model.named_parameters()]
    if job.weight_order and set(job.weight_order) == set(keys):
        keys = job.weight_order

    def arrays():
        now = model.state_dict()
        return [now[key].numpy() for key in keys]

    steps = Steps(job, arrays, predicting(model))
    epochs = iter(range(job.epochs))
    drawn = torch.randperm

    def next_order(n, **_):
        if n != job.train_rows:
            return drawn(n)
        return torch.from_numpy(job.order(next(epochs)))

    def on_print():
        if steps.is_epoch_over():
            steps.epoch_end()

    torch.randperm = next_order
    with watched(steps.before, steps.add, lambda *_: None, on_print):
        program.train(model, x, y, epochs=job.epochs, batch_size=job.batch_size)
    torch.randperm = drawn
    steps.finish()


def own_habits() -> None:
    """As a user of the program would: its own initial weights, its own order."""
    x, y = tensors(*job.rows("train"))
    epochs = Epochs(job)
    for seed in job.seeds:
        torch.manual_seed(seed)
        model = module_class()()
        batches = Batches()

        def on_penalty(value, batches=batches):
            loss, rows = batches.losses[-1]
            batches.losses[-1] = loss + value, rows

        def on_print(batches=batches):
            if batches.rows >= job.train_rows:
                epochs.epoch_end(*batches.take())

        epochs.begin(seed, predicting(model))
        with watched(
            lambda loss, rows, batches=batches: batches.losses.append((loss, rows)),
            on_penalty,
            lambda value, rows, batches=batches: batches.right.append((value, rows)),
            on_print,
        ):
            program.train(model, x, y, epochs=job.epochs, batch_size=job.batch_size)
        epochs.end()
    epochs.finish()


{"same_start": same_start, "own_habits": own_habits}[job.mode]()
