"""Trains a NumPy program as `cornu port` writes them: run as a file with a job."""

from __future__ import annotations

import contextlib

from recording import Batches, Epochs, Job, Steps, headed

import numpy as np  # isort: skip  (recording takes the time of its import)

job = Job()
program = job.program_module()


def load(weights: str):
    """The network with the weights of a file, in the job's dtype."""
    with np.load(weights) as file:
        arrays = {key: file[key] for key in file.files}
    return program.Network(
        {k: v.astype(job.dtype) if v.dtype.kind == "f" else v for k, v in arrays.items()}
    )


def predicting(network):
    """A function from rows to probabilities."""
    return lambda x: headed(program.predict(network, x, job.predict_rows), job.head)


@contextlib.contextmanager
def watched(on_batch, on_accuracy, on_print):
    """Within the block the program's own training tells of each batch and each epoch."""
    gradients_of_loss, accuracy = program.gradients_of_loss, getattr(program, "accuracy", None)

    def noted(network, x, y):
        value, outputs, gradients = gradients_of_loss(network, x, y)
        on_batch(float(value), len(y))
        return value, outputs, gradients

    def noted_accuracy(outputs, y):
        value = accuracy(outputs, y)
        on_accuracy(float(value), len(y))
        return value

    program.gradients_of_loss = noted
    if accuracy is not None:
        program.accuracy = noted_accuracy
    program.print = lambda *args, **kwargs: on_print()
    try:
        yield
    finally:
        program.gradients_of_loss = gradients_of_loss
        if accuracy is not None:
            program.accuracy = accuracy
        del program.print


def same_start() -> None:
    """The same weights, the same batches, by the program's own loop."""
    x, y = job.rows("train")
    network = load(job.weights)
    keys = job.weight_order or list(network.parameters)
    steps = Steps(job, lambda: [network.parameters[key] for key in keys], predicting(network))
    default_rng = np.random.default_rng

    class Order:
        """In the place of the program's generator."""

        def __init__(self):
            self.epoch = 0

        def permutation(self, n):
            self.epoch += 1
            return orders(self.epoch - 1)

    def orders(epoch):
        np.random.default_rng = default_rng  # which draws the order itself
        try:
            return job.order(epoch)
        finally:
            np.random.default_rng = replaced

    def replaced(seed=None):
        return Order()

    def on_print():
        if steps.is_epoch_over():
            steps.epoch_end()

    np.random.default_rng = replaced
    with watched(steps.before, lambda *_: None, on_print):
        program.train(network, x, y, epochs=job.epochs, batch_size=job.batch_size)
    np.random.default_rng = default_rng
    steps.finish()


def own_habits() -> None:
    """The program's own order; initial weights from a file for each seed."""
    x, y = job.rows("train")
    epochs = Epochs(job)
    for seed in job.seeds:
        network = load(job.seed_weights[str(seed)])
        batches = Batches()

        def on_print(batches=batches):
            if batches.rows >= job.train_rows:
                epochs.epoch_end(*batches.take())

        epochs.begin(seed, predicting(network))
        with watched(
            lambda loss, rows, batches=batches: batches.losses.append((loss, rows)),
            lambda value, rows, batches=batches: batches.right.append((value, rows)),
            on_print,
        ):
            program.train(network, x, y, epochs=job.epochs, batch_size=job.batch_size, seed=seed)
        epochs.end()
    epochs.finish()


{"same_start": same_start, "own_habits": own_habits}[job.mode]()
