"""Trains a program of Keras or of Cornu: run as a file with a job."""

from __future__ import annotations

import contextlib
import os

from recording import Epochs, Job, Steps, headed

job = Job()
if job.backend:
    os.environ["KERAS_BACKEND"] = job.backend
if job.dtype == "float64":
    os.environ["JAX_ENABLE_X64"] = "1"

with job.importing():
    if job.framework == "cornu":
        import cornu as keras
    else:
        import keras

keras.config.set_floatx(job.dtype)
if job.dtype == "float64" and job.framework != "cornu":
    # Keras takes means in float32 whatever it is given, losses' too: that would hide what is
    # compared. A Keras that is built otherwise is left as it is.
    with contextlib.suppress(ImportError, AttributeError):
        from keras.src.backend.common import dtypes

        promoted = dtypes.result_type

        def result_type(*given):
            wide = any(str(getattr(one, "__name__", one)) == "float64" for one in given)
            return "float64" if wide else promoted(*given)

        dtypes.result_type = result_type
program = job.program_module()


def probabilities(model):
    """A function from rows to probabilities, many rows at a time."""

    def predict(x):
        outputs = model.predict(x, batch_size=min(len(x), 4096), verbose=0)
        return headed(outputs, job.head)

    return predict


def same_start() -> None:
    """The same weights, the same batches: step by step, to see each step's own loss."""
    x, y = job.rows("train")
    model = program.build()
    # of the file only the weights: it holds the learning rate too, in float32
    model.set_weights(program.load().get_weights())
    # the state of generators is no weight of the network
    weights = [weight for weight in model.weights if "seed" not in weight.path]

    def arrays():
        return [keras.ops.convert_to_numpy(weight.value) for weight in weights]

    steps = Steps(job, arrays, probabilities(model))
    for epoch in range(job.epochs):
        order = job.order(epoch)
        for start in range(0, len(order), job.batch_size):
            rows = order[start : start + job.batch_size]
            # fetched before the step, which changes them
            before = arrays()
            steps.weights = lambda before=before: before
            model.reset_metrics()
            logs = model.train_on_batch(x[rows], y[rows], return_dict=True)
            steps.before(float(logs["loss"]), len(rows))
        steps.epoch_end()
    steps.weights = arrays
    steps.finish()


def own_habits() -> None:
    """As a user would: build, fit."""
    x, y = job.rows("train")
    epochs = Epochs(job)

    class Record(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs = logs or {}
            epochs.epoch_end(logs.get("loss"), logs.get("accuracy"))

    for seed in job.seeds:
        keras.utils.set_random_seed(seed)
        model = program.build()
        epochs.begin(seed, probabilities(model))
        model.fit(x, y, job.batch_size, job.epochs, verbose=0, callbacks=[Record()])
        epochs.end()
    epochs.finish()


{"same_start": same_start, "own_habits": own_habits}[job.mode]()
