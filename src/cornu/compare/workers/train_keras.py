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
    # Keras takes means in float32 whatever it is given, and normalizes in it: that would hide what
    # is compared. A Keras that is built otherwise is left as it is.
    with contextlib.suppress(ImportError, AttributeError):
        from keras.src import backend
        from keras.src.backend.common import dtypes

        promoted = backend.result_type

        def result_type(*given):
            wide = any(str(getattr(one, "__name__", one)) == "float64" for one in given)
            return "float64" if wide else promoted(*given)

        backend.result_type = dtypes.result_type = result_type
program = job.program_module()


def probabilities(model):
    """A function from rows to probabilities."""
    # where the loss takes logits, it applies what is missing
    settings = model.loss.get_config() if hasattr(model.loss, "get_config") else {}
    head = {"binary": "sigmoid", "classes": "softmax"}.get(job.task)
    head = head if settings.get("from_logits") else None

    def predict(x):
        return headed(model.predict(x, batch_size=job.predict_rows, verbose=0), head)

    return predict


def switch_off_noise(model) -> None:
    """Sets the rates of dropout and noise to nothing, in a program of somebody's own too."""
    for layer in model._flatten_layers() if hasattr(model, "_flatten_layers") else model._walk():
        for name in ("rate", "stddev"):
            if isinstance(getattr(layer, name, None), float):
                setattr(layer, name, 0.0)
        if hasattr(layer, "_active"):
            layer._active = False


def same_start() -> None:
    """The same weights, the same batches: step by step, to see each step's own loss."""
    x, y = job.rows("train")
    model = program.build()
    # of the file only the weights: it holds the learning rate too, in float32
    model.set_weights(program.load().get_weights())
    switch_off_noise(model)
    # not the state of a generator, nor averages, which change before the loss is known
    left_out = ("generator_state", "moving_mean", "moving_variance")
    weights = [weight for weight in model.weights if not weight.path.endswith(left_out)]

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
