"""Trains a scikit-learn program as `cornu compare` writes them: run as a file with a job."""

from __future__ import annotations

from recording import Epochs, Job

job = Job()
with job.importing():
    import sklearn.neural_network  # noqa: F401

program = job.program_module()


def own_habits() -> None:
    """As a user of the program would."""
    x, y = job.rows("train")
    epochs = Epochs(job)
    of_program = getattr(program, "accuracy", None)
    right: list[float | None] = [None]  # a regression has none

    def accuracy(model, x, y):
        epochs.stop()  # the epoch's training is done: this is a prediction for all rows
        right.append(float(of_program(model, x, y)))
        return right[-1]

    if of_program is not None:
        program.accuracy = accuracy
    for seed in job.seeds:
        model = program.build(seed)
        # of a regression it is half the mean squared error
        times = 2 if job.task == "regression" else 1
        program.print = lambda *_, model=model, times=times: epochs.epoch_end(
            times * model.loss_, right[-1]
        )
        epochs.begin(seed, lambda x, model=model: program.predict(model, x))
        program.train(model, x, y, epochs=job.epochs, batch_size=job.batch_size)
        epochs.end()
    epochs.finish()


own_habits()
