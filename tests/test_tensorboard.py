"""Event files, read back with TensorBoard's own readers."""

import io
import json
import os
import types
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cornu.callbacks import CallbackList, LearningRateScheduler, TensorBoard
from cornu.callbacks import event_file as event_files
from cornu.callbacks.event_file import EventWriter, crc32c, encode_png, histogram_buckets
from cornu.callbacks.tensorboard import weight_images
from cornu.core.variable import Variable, path_scope

pytest.importorskip("tensorboard")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of TensorBoard's imports
    from tensorboard.backend.event_processing import (
        data_provider,
        event_accumulator,
        plugin_event_multiplexer,
    )
    from tensorboard.compat.proto import event_pb2
    from tensorboard.compat.tensorflow_stub import pywrap_tensorflow
    from tensorboard.context import RequestContext
    from tensorboard.util import tensor_util


def read(folder):
    """What TensorBoard finds in a run's folder."""
    found = event_accumulator.EventAccumulator(str(folder))
    found.Reload()
    return found


def scalars(folder):
    """Tags to lists of (step, value)."""
    found = read(folder)
    return {
        tag: [(event.step, tensor_util.make_ndarray(event.tensor_proto).item()) for event in events]
        for tag in found.Tags()["tensors"]
        if found.SummaryMetadata(tag).plugin_data.plugin_name == "scalars"
        for events in [found.Tensors(tag)]
    }


def provider(folder):
    """What TensorBoard's dashboards ask for their data."""
    multiplexer = plugin_event_multiplexer.EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(folder))
    multiplexer.Reload()
    return data_provider.MultiplexerDataProvider(multiplexer, str(folder))


class FakeLayer:
    def __init__(self, name, **weights):
        self.name = name
        with path_scope(name):
            self.weights = [Variable(value, name=key) for key, value in weights.items()]


class FakeModel:
    def __init__(self, *layers):
        self.layers = list(layers)
        self.stop_training = False
        self.optimizer = types.SimpleNamespace(
            learning_rate=Variable(np.float32(0.25)), iterations=Variable(np.int32(0))
        )


class Sequential(FakeModel):
    def to_json(self):
        layers = [{"class_name": "Dense", "config": {"name": layer.name}} for layer in self.layers]
        config = {"name": "sequential", "layers": layers}
        return json.dumps({"class_name": "Sequential", "config": config})


def fit(model, callbacks, epochs=2, batches=3, validate=True):
    """What the training loop does with callbacks; the loss is the number of the batch."""
    callbacks = CallbackList(callbacks, model=model, epochs=epochs, steps=batches)
    callbacks.on_train_begin()
    for epoch in range(epochs):
        callbacks.on_epoch_begin(epoch)
        for batch in range(batches):
            callbacks.on_train_batch_begin(batch)
            model.optimizer.iterations.assign_add(1)
            logs = {"loss": float(int(model.optimizer.iterations)), "accuracy": 0.5}
            callbacks.on_train_batch_end(batch, logs)
        if validate:
            callbacks.on_test_begin()
            callbacks.on_test_end({"loss": 10.0 + epoch})
            logs["val_loss"] = 10.0 + epoch
        callbacks.on_epoch_end(epoch, logs)
    callbacks.on_train_end(logs)


# --- the callback --------------------------------------------------------------------------------


def test_epochs(tmp_path):
    fit(FakeModel(), [TensorBoard(tmp_path)])
    assert sorted(os.listdir(tmp_path)) == ["train", "validation"]
    assert scalars(tmp_path / "train") == {
        "epoch_accuracy": [(0, 0.5), (1, 0.5)],
        "epoch_loss": [(0, 3.0), (1, 6.0)],
        "epoch_learning_rate": [(0, 0.25), (1, 0.25)],
    }
    assert scalars(tmp_path / "validation") == {
        "evaluation_loss_vs_iterations": [(3, 10.0), (6, 11.0)],
        "epoch_loss": [(0, 10.0), (1, 11.0)],
    }


def test_no_validation_makes_no_run_of_it(tmp_path):
    fit(FakeModel(), [TensorBoard(tmp_path)], validate=False)
    assert os.listdir(tmp_path) == ["train"]


def test_the_scalars_dashboard_has_them(tmp_path):
    fit(FakeModel(), [TensorBoard(tmp_path)])
    found = provider(tmp_path).read_scalars(
        RequestContext(), experiment_id="", plugin_name="scalars", downsample=100
    )
    assert {run: set(tags) for run, tags in found.items()} == {
        "train": {"epoch_accuracy", "epoch_loss", "epoch_learning_rate"},
        "validation": {"evaluation_loss_vs_iterations", "epoch_loss"},
    }
    assert [(point.step, point.value) for point in found["train"]["epoch_loss"]] == [(0, 3), (1, 6)]


def test_several_fits_do_not_mix(tmp_path):
    model, callback = FakeModel(), TensorBoard(tmp_path)
    for _ in range(2):
        fit(model, [callback], epochs=1)
    assert len(os.listdir(tmp_path / "train")) == 2


def test_evaluation_alone(tmp_path):
    model = FakeModel()
    model.optimizer.iterations.assign(7)
    callbacks = CallbackList(TensorBoard(tmp_path), model=model)
    callbacks.on_test_begin()
    callbacks.on_test_end({"loss": 0.5, "accuracy": 0.75})
    assert scalars(tmp_path / "validation") == {
        "evaluation_accuracy_vs_iterations": [(7, 0.75)],
        "evaluation_loss_vs_iterations": [(7, 0.5)],
    }


@pytest.mark.parametrize(("update_freq", "steps"), [("batch", [1, 2, 3, 4, 5, 6]), (4, [4])])
def test_batches(tmp_path, update_freq, steps):
    fit(FakeModel(), [TensorBoard(tmp_path, update_freq=update_freq)])
    found = scalars(tmp_path / "train")
    assert found["batch_loss"] == [(step, float(step)) for step in steps]
    assert found["batch_accuracy"] == [(step, 0.5) for step in steps]


def test_batches_that_come_several_at_once(tmp_path):
    callbacks = CallbackList(TensorBoard(tmp_path, update_freq=5), model=FakeModel())
    callbacks.on_train_begin()
    for epoch in range(2):
        callbacks.on_epoch_begin(epoch)
        for first, last in ((0, 2), (3, 5), (6, 6)):
            callbacks.on_train_batch_begin(first)
            callbacks.on_train_batch_end(last, {"loss": 1.0})
        callbacks.on_epoch_end(epoch, {"loss": 1.0})
    callbacks.on_train_end()
    assert [step for step, _ in scalars(tmp_path / "train")["batch_loss"]] == [6, 10]


def test_steps_per_second(tmp_path):
    fit(FakeModel(), [TensorBoard(tmp_path, write_steps_per_second=True, update_freq=1)])
    found = scalars(tmp_path / "train")
    assert [step for step, _ in found["epoch_steps_per_second"]] == [0, 1]
    assert [step for step, _ in found["batch_steps_per_second"]] == [1, 2, 3, 4, 5, 6]
    assert all(value > 0 for tag in found if "per_second" in tag for _, value in found[tag])


def test_the_learning_rate_of_the_epoch(tmp_path):
    model = FakeModel()
    schedule = LearningRateScheduler(lambda epoch: 0.5 ** (epoch + 1))

    class Optimizer:
        iterations = model.optimizer.iterations
        learning_rate = 1.0

    model.optimizer = Optimizer()
    fit(model, [schedule, TensorBoard(tmp_path)])
    assert scalars(tmp_path / "train")["epoch_learning_rate"] == [(0, 0.5), (1, 0.25)]


def test_histograms(tmp_path):
    kernel = np.random.default_rng(0).normal(size=(50, 40)).astype("float32")
    model = FakeModel(FakeLayer("dense", kernel=kernel, bias=np.zeros(40)))
    fit(model, [TensorBoard(tmp_path, histogram_freq=2)], epochs=3)
    found = read(tmp_path / "train")
    assert found.SummaryMetadata("dense/kernel/histogram").plugin_data.plugin_name == "histograms"
    events = found.Tensors("dense/kernel/histogram")
    assert [event.step for event in events] == [0, 2]
    rows = tensor_util.make_ndarray(events[0].tensor_proto)
    assert rows.shape == (30, 3)
    numbers, edges = np.histogram(kernel.astype(np.float64), bins=30)
    np.testing.assert_array_equal(rows, np.stack([edges[:-1], edges[1:], numbers], axis=1))
    bias = tensor_util.make_ndarray(found.Tensors("dense/bias/histogram")[0].tensor_proto)
    assert bias[:, 2].tolist() == [0] * 29 + [40]


def test_the_histograms_dashboard_has_them(tmp_path):
    model = FakeModel(FakeLayer("dense", kernel=np.arange(6.0).reshape(2, 3)))
    fit(model, [TensorBoard(tmp_path, histogram_freq=1)])
    found = provider(tmp_path).read_tensors(
        RequestContext(), experiment_id="", plugin_name="histograms", downsample=100
    )
    points = found["train"]["dense/kernel/histogram"]
    assert [point.step for point in points] == [0, 1]
    assert points[0].numpy.shape == (30, 3)


def test_weights_as_images(tmp_path):
    matplotlib = pytest.importorskip("matplotlib.image")
    kernel = np.array([[0.0, 0.25, 0.5], [0.75, 1.0, 2.0]])
    model = FakeModel(FakeLayer("dense", kernel=kernel, bias=np.zeros(3)))
    fit(model, [TensorBoard(tmp_path, histogram_freq=1, write_images=True)])
    found = read(tmp_path / "train")
    assert found.SummaryMetadata("dense/kernel/image").plugin_data.plugin_name == "images"
    texts = tensor_util.make_ndarray(found.Tensors("dense/kernel/image")[0].tensor_proto)
    width, height, png = texts
    assert (width, height) == (b"3", b"2")
    shown = matplotlib.imread(io.BytesIO(png))
    np.testing.assert_allclose(shown, np.clip(kernel, 0, 1), atol=1 / 255)
    blobs = provider(tmp_path).read_blob_sequences(
        RequestContext(), experiment_id="", plugin_name="images", downsample=100
    )
    assert set(blobs["train"]) == {"dense/kernel/image", "dense/bias/image"}


def test_the_layers_as_a_graph(tmp_path):
    from tensorboard.plugins.graph import keras_util

    model = Sequential(FakeLayer("first"), FakeLayer("second"))
    fit(model, [TensorBoard(tmp_path)])
    found = read(tmp_path / "train")
    metadata = found.SummaryMetadata("keras").plugin_data
    assert (metadata.plugin_name, metadata.content) == ("graph_keras_model", b"1")
    text = found.Tensors("keras")[0].tensor_proto.string_val[0]
    graph = keras_util.keras_model_to_graph_def(json.loads(text))
    assert [(node.name, list(node.input)) for node in graph.node] == [
        ("sequential/first", []),
        ("sequential/second", ["sequential/first"]),
    ]


def test_no_graph_where_it_is_not_wanted_or_not_possible(tmp_path):
    model = Sequential()
    fit(model, [TensorBoard(tmp_path / "unwanted", write_graph=False)])
    assert "keras" not in read(tmp_path / "unwanted" / "train").Tags()["tensors"]
    model.to_json = lambda: 1 / 0
    with pytest.warns(UserWarning, match="cannot be written as JSON: division by zero"):
        fit(model, [TensorBoard(tmp_path / "impossible")])
    assert "epoch_loss" in scalars(tmp_path / "impossible" / "train")


class Embedding(FakeLayer):
    def __init__(self, name, table):
        super().__init__(name, embeddings=table)
        self.embeddings = self.weights[0]


@pytest.mark.parametrize("metadata", [None, "words.tsv", {"words": "words.tsv"}])
def test_embeddings(tmp_path, metadata):
    from google.protobuf import text_format
    from tensorboard.plugins.projector import projector_plugin

    table = np.arange(6, dtype="float32").reshape(3, 2) / 7
    model = FakeModel(FakeLayer("dense", kernel=np.zeros(2)), Embedding("words", table))
    fit(model, [TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata=metadata)])
    config = projector_plugin.ProjectorConfig()
    text_format.Parse((tmp_path / "projector_config.pbtxt").read_text(), config)
    (entry,) = config.embeddings
    assert entry.metadata_path == ("words.tsv" if metadata else "")
    read_back = projector_plugin._read_tensor_tsv_file(str(tmp_path / entry.tensor_path))
    np.testing.assert_allclose(read_back, table, rtol=1e-7)


def test_embeddings_with_unknown_names(tmp_path):
    callback = TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"word": "words.tsv"})
    with pytest.raises(ValueError, match=r"no Embedding layer named 'word'; it has \['words'\]"):
        fit(FakeModel(Embedding("words", np.zeros((1, 1)))), [callback])


@pytest.mark.parametrize(
    ("profile_batch", "expected"),
    [(0, []), (2, ["start 1", "stop 2"]), ((2, 5), ["start 1", "stop 5"]), ("4,4", None)],
)
def test_profile(tmp_path, monkeypatch, profile_batch, expected):
    import jax

    model, calls = FakeModel(), []

    def note(what):
        calls.append(f"{what} {int(model.optimizer.iterations)}")

    monkeypatch.setattr(jax.profiler, "start_trace", lambda folder: note("start"))
    monkeypatch.setattr(jax.profiler, "stop_trace", lambda: note("stop"))
    fit(model, [TensorBoard(tmp_path, profile_batch=profile_batch)])
    assert calls == (["start 3", "stop 4"] if expected is None else expected)


def test_a_profile_that_training_ends_before(tmp_path, monkeypatch):
    import jax

    calls = []
    monkeypatch.setattr(jax.profiler, "start_trace", lambda folder: calls.append(folder))
    monkeypatch.setattr(jax.profiler, "stop_trace", lambda: calls.append("stop"))
    fit(FakeModel(), [TensorBoard(tmp_path, profile_batch=(5, 100))])
    assert calls == [str(tmp_path / "train"), "stop"]


def test_a_profiler_that_fails_does_not_end_training(tmp_path, monkeypatch):
    import jax

    monkeypatch.setattr(jax.profiler, "start_trace", lambda folder: 1 / 0)
    with pytest.warns(UserWarning, match="no profile, the profiler said: division by zero"):
        fit(FakeModel(), [TensorBoard(tmp_path, profile_batch=(1, 6))])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"update_freq": "step"}, "update_freq='step'"),
        ({"update_freq": 0}, "update_freq=0"),
        ({"profile_batch": -1}, "profile_batch=-1"),
        ({"profile_batch": (3, 2)}, r"profile_batch=\(3, 2\)"),
        ({"profile_batch": "a,b"}, "profile_batch='a,b'"),
    ],
)
def test_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        TensorBoard(**arguments)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "logs").write_text("a file")
    with pytest.raises(OSError, match=r"cannot write the event file '.*validation.*': Not a dir"):
        fit(FakeModel(), [TensorBoard(tmp_path / "logs")])


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((7,), (1, 7, 1, 1)),
        ((8, 3), (1, 3, 8, 1)),
        ((3, 8), (1, 3, 8, 1)),
        ((3, 5, 1, 6), (6, 3, 5, 1)),
        ((3, 3, 2, 4), (3, 3, 2, 4)),
        ((3, 3, 2, 6), None),
        ((), None),
    ],
)
def test_which_weights_are_images(shape, expected):
    images = weight_images(np.zeros(shape))
    assert (None if images is None else images.shape) == expected


# --- event files ---------------------------------------------------------------------------------


def records(path):
    """The events of a file; checks lengths and checksums as the format has them."""
    data, events = path.read_bytes(), []
    while data:
        length = int.from_bytes(data[:8], "little")
        body, rest = data[12 : 12 + length], data[12 + length :]
        for part, crc in ((data[:8], data[8:12]), (body, rest[:4])):
            assert pywrap_tensorflow.masked_crc32c(part) == int.from_bytes(crc, "little")
        events.append(event_pb2.Event.FromString(body))
        data = rest[4:]
    return events


def test_records(tmp_path):
    writer = EventWriter(str(tmp_path))
    writer.scalar("näme", 0.5, 3_000_000_000)
    writer.scalar("below", -1.0, -1)
    writer.close()
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("events.out.tfevents.")
    version, first, second = records(path)
    assert version.file_version == "brain.Event:2"
    assert abs(first.wall_time - version.wall_time) < 60
    assert first.step == 3_000_000_000
    assert second.step == -1
    (value,) = first.summary.value
    assert value.tag == "näme"
    assert tensor_util.make_ndarray(value.tensor) == 0.5
    assert value.metadata.plugin_data.plugin_name == "scalars"


def test_what_is_flushed_can_be_read(tmp_path):
    writer = EventWriter(str(tmp_path))
    writer.scalar("loss", 0.5, 1)
    writer.flush_if_older_than(3600)
    (path,) = tmp_path.iterdir()
    assert records(path) == []
    writer.flush_if_older_than(-1)
    assert len(records(path)) == 2
    writer.close()


def test_two_writers_in_one_folder_write_two_files(tmp_path):
    writers = [EventWriter(str(tmp_path)) for _ in range(2)]
    for writer in writers:
        writer.close()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_full_disk(tmp_path):
    writer = EventWriter(str(tmp_path))
    writer.close()
    writer._file = open("/dev/full", "wb", buffering=0)  # noqa: SIM115
    with pytest.raises(OSError, match=r"cannot write the event file '.*': No space left"):
        writer.scalar("loss", 0.5, 1)
    writer.close()


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_crc32c_of_short_data(data):
    assert crc32c(data) == pywrap_tensorflow.crc32c(data)


@settings(deadline=None)
@given(st.integers(4, 3000), st.integers(0, 2**32 - 1))
def test_crc32c_of_long_data(length, seed):
    data = np.random.default_rng(seed).bytes(length)
    assert event_files._crc_of_many(data) == pywrap_tensorflow.crc32c(data)


@pytest.mark.parametrize("length", [4095, 4096, 4097, 65536, 100_003])
def test_crc32c_where_the_method_changes(length):
    data = np.random.default_rng(length).bytes(length)
    assert crc32c(data) == pywrap_tensorflow.crc32c(data)


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=True, width=32), max_size=50), st.integers(1, 40))
def test_histograms_count_every_finite_value(values, count):
    rows = histogram_buckets(np.array(values, np.float32), count)
    finite = [value for value in values if np.isfinite(value)]
    assert rows.shape == (count, 3)
    assert rows[:, 2].sum() == len(finite)
    assert np.isfinite(rows).all()
    if finite:
        assert rows[0, 0] == min(finite)
        assert np.all(rows[:, 0] <= rows[:, 1])


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png(channels):
    matplotlib = pytest.importorskip("matplotlib.image")
    image = np.random.default_rng(channels).random((5, 7, channels))
    shown = matplotlib.imread(io.BytesIO(encode_png(image)))
    expected = image[:, :, 0] if channels == 1 else image
    np.testing.assert_allclose(shown, expected, atol=0.51 / 255)
