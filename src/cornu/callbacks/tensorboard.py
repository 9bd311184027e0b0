"""TensorBoard: the logs of training as event files that TensorBoard shows."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from cornu.callbacks.callback import Callback, only_if
from cornu.callbacks.event_file import EventWriter
from cornu.callbacks.learning_rate import read_learning_rates
from cornu.core.reporting import warn

# While batches are logged, a dashboard that is open should not lag far behind.
_SECONDS_BETWEEN_FLUSHES = 5.0


class TensorBoard(Callback):
    """Logs losses, metrics, weights and profiles for TensorBoard, in the files that Keras writes.

    Neither TensorFlow nor TensorBoard is needed to write them; `tensorboard --logdir logs` shows
    them. In `log_dir/train` and `log_dir/validation` are, as scalars, `epoch_loss`,
    `epoch_accuracy`, ... and `epoch_learning_rate` (step: the epoch, from 0),
    `evaluation_loss_vs_iterations`, ... (step: the optimizer's iterations) and, with `update_freq`,
    `batch_loss`, ... (step: the batch, from 1).

    Args:
        log_dir: the folder, used for nothing else. Default `"logs"`.
        histogram_freq: number of epochs between two histograms of every weight; 0 for none.
            Default 0.
        write_graph: whether to write the layers of a Sequential or functional model for the graphs
            dashboard ("conceptual graph"). The compiled program is not written. Default True.
        write_images: whether to write every weight as a picture too, where it has the shape of one;
            with `histogram_freq`. Default False.
        write_steps_per_second: whether to log the number of training steps per second, per epoch
            and, with `update_freq`, per batch. Default False.
        update_freq: `"epoch"`; or `"batch"` or a number of batches after which losses and metrics
            are logged as well. Training then stops at every batch, which slows that of small
            networks. Default `"epoch"`.
        profile_batch: the batch, or the first and last batch of a range (`(10, 20)` or `"10,20"`),
            counted from 1, to profile with `jax.profiler`; 0 for none. Training then stops at every
            batch. Default 0.
        embeddings_freq: number of epochs between two pictures of the embedding layers for the
            projector; 0 for none. Default 0.
        embeddings_metadata: file with a label for each row of the embedding, or a dict of such by
            the layer's name. Default None.

    Raises:
        ValueError: an unknown `update_freq` or `profile_batch`, or in training names in
            `embeddings_metadata` that no embedding layer has.
        OSError: in training, where a file cannot be written; the message names it and the cause.

    >>> TensorBoard("logs").needs_batches, TensorBoard("logs", update_freq=100).needs_batches
    (False, True)
    """

    def __init__(
        self,
        log_dir: str | os.PathLike = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: int | str | tuple[int, int] = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: str | dict[str, str] | None = None,
    ):
        super().__init__()
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        if self.update_freq != "epoch" and not (
            isinstance(self.update_freq, int) and self.update_freq > 0
        ):
            raise ValueError(
                f"TensorBoard(update_freq={update_freq!r}): expected 'epoch', 'batch' or a "
                "positive number of batches"
            )
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self._profile_range = _profile_range(profile_batch)
        self._writers: dict[str, EventWriter] = {}
        self._reset()

    def _reset(self) -> None:
        self._in_fit = False
        self._profiling = False
        self._batches_done = 0  # since training began
        self._epoch_first_batch = 0
        self._epoch_began = self._batch_began = (0, 0.0)

    def _writer(self, run: str) -> EventWriter:
        # Made when there is something to write, so that no empty run appears.
        if run not in self._writers:
            self._writers[run] = EventWriter(os.path.join(self.log_dir, run))
        return self._writers[run]

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        self._close()
        self._reset()

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._reset()
        self._in_fit = True
        if self.write_graph and type(self.model).__name__ in ("Sequential", "Functional"):
            self._write_graph()
        if self.embeddings_freq:
            self._check_metadata()

    def on_train_end(self, logs: dict | None = None) -> None:
        self._in_fit = False
        if self._profiling:
            self._stop_profile()
        self._close()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch_first_batch = self._batches_done
        if self.write_steps_per_second:
            self._epoch_began = (self._iterations() or 0, time.monotonic())

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if logs:
            self._write_epoch(epoch, logs)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings()
        for writer in self._writers.values():
            writer.flush()

    def _write_epoch(self, epoch: int, logs: dict) -> None:
        train = {name: value for name, value in logs.items() if not name.startswith("val_")}
        if hasattr(self.model.optimizer, "learning_rate"):
            train.update(read_learning_rates(self.model))
        if self.write_steps_per_second:
            iterations, began = self._epoch_began
            seconds = max(time.monotonic() - began, 1e-9)
            train["steps_per_second"] = ((self._iterations() or 0) - iterations) / seconds
        for name, value in train.items():
            self._writer("train").scalar(f"epoch_{name}", value, epoch)
        for name, value in logs.items():
            if name.startswith("val_"):
                tag = f"epoch_{name.removeprefix('val_')}"
                self._writer("validation").scalar(tag, value, epoch)

    def on_test_end(self, logs: dict | None = None) -> None:
        iterations = self._iterations()
        if iterations is None or not logs:
            return
        writer = self._writer("validation")
        for name, value in logs.items():
            writer.scalar(f"evaluation_{name}_vs_iterations", value, iterations)
        if not self._in_fit:
            self._close()

    def _iterations(self) -> int | None:
        iterations = getattr(getattr(self.model, "optimizer", None), "iterations", None)
        return None if iterations is None else int(np.asarray(iterations))

    @only_if(lambda self: self._watches_batches())
    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        first, last = self._profile_range
        number = self._epoch_first_batch + batch + 1
        # With several steps at once, the profile begins with the ones that hold the first batch.
        if not self._profiling and first and self._batches_done < last and number >= first:
            self._start_profile()
        self._batch_began = (number - 1, time.monotonic())

    @only_if(lambda self: self._watches_batches())
    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        before = self._batches_done
        done = self._batches_done = self._epoch_first_batch + batch + 1
        if isinstance(self.update_freq, int) and (
            done // self.update_freq > before // self.update_freq
        ):
            writer = self._writer("train")
            if self.write_steps_per_second:
                first, began = self._batch_began
                rate = (done - first) / max(time.monotonic() - began, 1e-9)
                writer.scalar("batch_steps_per_second", rate, done)
            for name, value in (logs or {}).items():
                writer.scalar(f"batch_{name}", value, done)
            writer.flush_if_older_than(_SECONDS_BETWEEN_FLUSHES)
        if self._profiling and done >= self._profile_range[1]:
            self._stop_profile()

    def _watches_batches(self) -> bool:
        return self.update_freq != "epoch" or self._profile_range != (0, 0)

    def _start_profile(self) -> None:
        import jax

        try:
            jax.profiler.start_trace(os.path.join(self.log_dir, "train"))
        except Exception as error:  # a profile that cannot be had should not end the training
            warn(f"TensorBoard: no profile, the profiler said: {error}")
            self._profile_range = (0, 0)
        else:
            self._profiling = True

    def _stop_profile(self) -> None:
        import jax

        self._profiling = False
        try:
            jax.profiler.stop_trace()
        except Exception as error:
            warn(f"TensorBoard: no profile, the profiler said: {error}")

    def _write_graph(self) -> None:
        try:
            text = self.model.to_json()
        except Exception as error:  # such as a layer of the user's without get_config
            warn(
                f"TensorBoard(write_graph=True): the model cannot be written as JSON: {error}",
            )
        else:
            self._writer("train").keras_model("keras", text, 0)

    def _write_weights(self, epoch: int) -> None:
        writer = self._writer("train")
        for layer in self.model.layers:
            for weight in layer.weights:
                name, value = weight.path.replace(":", "_"), weight.numpy()
                writer.histogram(f"{name}/histogram", value, epoch)
                images = weight_images(value) if self.write_images else None
                if images is not None:
                    writer.image(f"{name}/image", images, epoch)

    def _embedding_layers(self) -> list:
        return [layer for layer in self.model.layers if type(layer).__name__ == "Embedding"]

    def _check_metadata(self) -> None:
        if isinstance(self.embeddings_metadata, dict):
            known = {layer.name for layer in self._embedding_layers()}
            unknown = [name for name in self.embeddings_metadata if name not in known]
            if unknown:
                raise ValueError(
                    f"TensorBoard(embeddings_metadata=...): the model has no Embedding layer named "
                    f"{', '.join(map(repr, unknown))}; it has {sorted(known)}"
                )

    def _write_embeddings(self) -> None:
        """The embeddings as tab-separated text, and the projector's list of them."""
        os.makedirs(self.log_dir, exist_ok=True)
        entries = []
        for layer in self._embedding_layers():
            table = np.asarray(layer.embeddings, dtype=np.float32)
            path = f"{layer.name}_embeddings.tsv"
            np.savetxt(os.path.join(self.log_dir, path), table, fmt="%.8g", delimiter="\t")
            fields = {"tensor_name": layer.name, "tensor_path": path}
            if isinstance(self.embeddings_metadata, dict):
                metadata = self.embeddings_metadata.get(layer.name)
            else:
                metadata = self.embeddings_metadata
            if metadata:
                fields["metadata_path"] = metadata
            lines = "".join(f'  {name}: "{_escaped(text)}"\n' for name, text in fields.items())
            entries.append(f"embeddings {{\n{lines}}}\n")
        path = os.path.join(self.log_dir, "projector_config.pbtxt")
        with open(path, "w", encoding="utf-8") as file:
            file.write("".join(entries))


def _escaped(text: str) -> str:
    return str(text).replace("\\", "\\\\").replace('"', '\\"')


def _profile_range(profile_batch: Any) -> tuple[int, int]:
    """The first and the last batch to profile, (0, 0) for none."""
    given = profile_batch
    if isinstance(given, str):
        try:
            given = tuple(int(part) for part in given.split(","))
        except ValueError:
            given = ()
    if isinstance(given, int):
        given = (given, given)
    if isinstance(given, (tuple, list)) and len(given) == 1:
        given = (given[0], given[0])
    valid = isinstance(given, (tuple, list)) and len(given) == 2
    if not valid or not 0 <= given[0] <= given[1]:
        raise ValueError(
            f"TensorBoard(profile_batch={profile_batch!r}): expected the number of a batch, or two "
            "for the first and the last of a range, or 0"
        )
    return int(given[0]), int(given[1])


def weight_images(weight: np.ndarray) -> np.ndarray | None:
    """A weight as images of shape (count, height, width, channels); None where it is not one.

    A vector is a column, a matrix an image with its longer side across, a convolution's kernel with
    one input or output channel an image per channel.

    >>> weight_images(np.zeros((8, 3))).shape
    (1, 3, 8, 1)
    """
    image = np.squeeze(weight)
    if image.ndim == 1:
        image = image.reshape(1, -1, 1, 1)
    elif image.ndim == 2:
        image = image.T if image.shape[0] > image.shape[1] else image
        image = image[None, :, :, None]
    elif image.ndim == 3:
        image = np.moveaxis(image, -1, 0)[..., None]
    return image if image.ndim == 4 and image.shape[-1] in (1, 3, 4) else None
