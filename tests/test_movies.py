"""The callbacks that film training: which epochs they keep, and what their films show."""

import base64
import json

import numpy as np
import pytest

import cornu
from cornu.callbacks import ConfusionMovie, DecisionBoundary, EarlyStopping, LayerImages

pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")


@pytest.fixture(autouse=True)
def seeded():
    """The same networks in every run."""
    cornu.utils.set_random_seed(0)


class Network:
    """Predicts 1 to the right of a line that each epoch moves on."""

    name = "line"

    def __init__(self):
        self.line = -1.0

    def predict(self, points, batch_size, verbose):
        assert batch_size == len(points)
        self.line += 0.5
        return 1 / (1 + np.exp(-8 * (points[:, :1] - self.line)))


POINTS = np.array([[-2.0, -1.0], [2.0, 1.0], [-2.0, 1.0], [2.0, -1.0]])


@pytest.fixture
def film():
    """Three epochs of a boundary that moves from -0.5 to 0.5 across points in [-2, 2]."""
    film = DecisionBoundary(POINTS, [0, 1, 0, 1], margin=0.0)
    film.set_model(Network())
    for epoch in range(3):
        film.on_epoch_end(epoch, {"loss": 1.5 - epoch / 2, "accuracy": 0.5 + epoch / 5})
    return film


def decoded(text: str, shape) -> np.ndarray:
    """A frame of a movie."""
    return np.frombuffer(base64.b64decode(text), "uint8").reshape(shape)


# -- which epochs --------------------------------------------------------------------------------


class Numbers(cornu.callbacks.Movie):
    """Keeps the number of the call."""

    calls = 0

    def take(self):
        self.calls += 1
        return np.array(self.calls)


def train(movie, first, last, known=True, stop_at=None):
    movie.set_params({"epochs": last} if known else {})
    model = type("Model", (), {"stop_training": False})()
    movie.set_model(model)
    movie.on_train_begin()
    for epoch in range(first, last):
        model.stop_training = epoch + 1 == stop_at
        movie.on_epoch_end(epoch, {"loss": float(epoch + 1)})
        if model.stop_training:
            break
    movie.on_train_end()
    return movie


def test_short_trainings_are_kept_whole():
    assert train(Numbers(), 0, 120).epochs == list(range(1, 121))
    assert train(Numbers(frames=None), 0, 500).epochs == list(range(1, 501))


@pytest.mark.parametrize("epochs", [121, 200, 1000, 1001])
@pytest.mark.parametrize("frames", [2, 3, 7, 120])
def test_long_trainings_are_thinned_evenly(epochs, frames):
    movie = train(Numbers(frames=frames), 0, epochs)
    assert len(movie.epochs) == frames == movie.calls
    assert (movie.epochs[0], movie.epochs[-1]) == (1, epochs)
    steps = np.diff(movie.epochs)
    assert steps.max() - steps.min() <= 1
    assert movie.curves["loss"] == movie.epochs


@pytest.mark.parametrize("epochs", [1, 2, 5, 9, 64, 100, 1000])
def test_where_the_end_is_unknown(epochs):
    movie = train(Numbers(frames=8), 0, epochs, known=False)
    assert len(movie.epochs) <= 8
    assert (movie.epochs[0], movie.epochs[-1]) == (1, epochs)
    assert movie.curves["loss"] == movie.epochs
    if epochs > 8:
        assert len(movie.epochs) >= 4
        steps = np.diff(movie.epochs)
        assert len(set(steps[:-1])) == 1
        assert steps[-1] <= 2 * steps[0]


def test_the_last_epoch_is_kept_where_training_stops_early():
    movie = train(Numbers(frames=10), 0, 1000, stop_at=345)
    assert movie.epochs == [1, 112, 223, 334, 345]


def test_the_end_of_an_early_stopping_is_not_the_restored_network():
    """Whichever of the two callbacks comes first."""
    x = np.random.default_rng(0).normal(size=(20, 2))
    y = (x[:, 0] > 0).astype(int)
    for order in (1, -1):
        film = DecisionBoundary(x, y, frames=3, resolution=4)
        stop = EarlyStopping("loss", mode="max", patience=2, restore_best_weights=True)
        model = cornu.Sequential([cornu.layers.Dense(1, activation="sigmoid")])
        model.compile(cornu.optimizers.SGD(1.0), loss="binary_crossentropy")
        model.fit(x, y, epochs=50, verbose=0, callbacks=[film, stop][::order])
        assert film.epochs == [1, 3]
        restored = model.predict(film._grid, batch_size=len(film._grid), verbose=0)
        np.testing.assert_array_equal(film.frames[0], restored)
        assert np.abs(film.frames[1] - restored).max() > 0.01


def test_a_second_fit_goes_on():
    movie = train(train(Numbers(), 0, 3), 0, 2)
    assert movie.epochs == [1, 2, 3, 4, 5]
    assert movie.calls == 5
    movie = train(train(Numbers(), 0, 3), 3, 5)
    assert movie.epochs == [1, 2, 3, 4, 5]
    movie = train(train(Numbers(frames=6), 0, 6), 0, 60)
    assert len(movie.epochs) <= 6
    assert (movie.epochs[0], movie.epochs[-1]) == (1, 66)


@pytest.mark.parametrize("frames", [5, 6, 20])
@pytest.mark.parametrize("lengths", [(100, 100, 100), (50, 500, 50), (10, 30, 200)])
def test_frames_stay_even_over_several_fits(lengths, frames):
    movie = Numbers(frames=frames)
    for length in lengths:
        train(movie, 0, length)
        assert len(movie.epochs) <= frames
    assert len(movie.epochs) >= frames - 2
    assert (movie.epochs[0], movie.epochs[-1]) == (1, sum(lengths))
    # a frame that was dropped does not come back, so a gap can be twice as long as it would be
    steps = np.diff(movie.epochs)
    even = (sum(lengths) - 1) / (frames - 1)
    assert steps.max() <= 2 * even
    assert steps.min() >= even / 2
    # each frame goes on with its own epoch and logs
    assert (np.diff(movie.frames) > 0).all()
    own = np.concatenate([np.arange(length) + 1 for length in lengths])
    assert movie.curves["loss"] == own[np.array(movie.epochs) - 1].tolist()


def test_the_film_of_replicas_is_that_of_the_first():
    x = np.random.default_rng(0).normal(size=(20, 2)).astype("float32")
    y = (x[:, 0] > 0).astype(int)
    model = cornu.Sequential([cornu.Input((2,)), cornu.layers.Dense(1, activation="sigmoid")])
    model.compile("adam", loss="binary_crossentropy")
    film = DecisionBoundary(x, y, resolution=4)
    history = model.fit(x, y, epochs=2, verbose=0, replicas=3, callbacks=[film])
    first = model.replicas[0].predict(film._grid, verbose=0)
    np.testing.assert_allclose(film.frames[-1], first, atol=1e-6)
    means = np.mean(history.history["loss"], axis=1)
    np.testing.assert_allclose(film.curves["loss"], means, rtol=1e-6)
    drawn = history.plot().axes[0]
    np.testing.assert_allclose(drawn.lines[0].get_ydata(), means, rtol=1e-6)
    assert len(drawn.collections) == 1


def test_logs_that_come_late_or_not_at_all():
    movie = Numbers()
    movie.set_model(None)
    movie.on_epoch_end(0, {"loss": 1.0})
    movie.on_epoch_end(1, {"loss": np.array([1.0, 3.0]), "val_loss": 4.0})
    movie.on_epoch_end(2, {"val_loss": 5.0})
    np.testing.assert_array_equal(movie.curves["loss"], [1, 2, np.nan])
    np.testing.assert_array_equal(movie.curves["val_loss"], [np.nan, 4, 5])


@pytest.mark.parametrize("frames", [1, 0, 2.5])
def test_too_few_frames(frames):
    with pytest.raises(ValueError, match=r"expected an integer from 2 on"):
        DecisionBoundary(POINTS, [0, 1, 0, 1], frames=frames)


# -- the film of a boundary ----------------------------------------------------------------------


def test_film_has_a_picture_for_each_epoch(film, tmp_path):
    path = film.save(tmp_path / "film.gif", seconds=0.3)
    with Image.open(path) as gif:
        assert gif.n_frames == 3
        durations = []
        for frame in range(3):
            gif.seek(frame)
            durations.append(gif.info["duration"])
    assert durations == [100, 100, 2100]
    with Image.open(film.save(tmp_path / "film.png")) as last:
        assert last.size == (840, 380)


def test_film_shows_the_boundary_where_it_is(film, tmp_path):
    """The two classes' colours meet at the line, in the first picture and in the last."""
    film.save(tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as gif:
        for frame, line in ((0, -0.5), (2, 0.5)):
            gif.seek(frame)
            picture = np.asarray(gif.convert("RGB")).astype(int)
            assert picture[-1, -1].tolist() == [255, 255, 255]
            row = picture[100]
            is_colored = (row[:, 0] - row[:, 2]) * np.ones(len(row))
            blue, orange = np.flatnonzero(is_colored < -60), np.flatnonzero(is_colored > 60)
            plane = blue.min(), orange[orange < 400].max()
            edge = (blue[blue < 400].max() + orange.min()) / 2
            place = (edge - plane[0]) / (plane[1] - plane[0]) * 4 - 2
            assert place == pytest.approx(line, abs=0.06)


def test_movie_is_plain_data(film):
    movie = film.movie()
    assert json.loads(json.dumps(movie, allow_nan=False)) == movie
    assert movie["kind"] == "boundary"
    assert movie["extent"] == [-2, 2, -1, 1]
    assert movie["shape"] == [24, 48]
    assert movie["classes"] == ["0", "1"]
    assert movie["epochs"] == [1, 2, 3]
    assert movie["points"][1] == [2, 1, 1]
    (series,) = movie["series"]
    assert series["curves"] == {"loss": [1.5, 1.0, 0.5], "accuracy": [0.5, 0.7, 0.9]}
    for text, line in zip(series["frames"], (-0.5, 0.0, 0.5), strict=True):
        row = decoded(text, (24, 48))[0]
        across = -2 + (np.arange(48) + 0.5) / 12
        np.testing.assert_allclose(row / 255, 1 / (1 + np.exp(-8 * (across - line))), atol=0.003)


def test_row_0_of_a_frame_is_the_bottom():
    class Up(Network):
        def predict(self, points, batch_size, verbose):
            return (points[:, 1:] > 0).astype("float32")

    film = DecisionBoundary(POINTS, [0, 1, 0, 1])
    film.set_model(Up())
    film.on_epoch_end(0, {"loss": 1.0})
    frame = decoded(film.movie()["series"][0]["frames"][0], film.shape)
    assert (frame[0].max(), frame[-1].min()) == (0, 255)
    shown = film.plot().axes[0].images[0].get_array()
    assert shown[0, 0, 0] > shown[0, 0, 2]  # above: orange
    picture = np.asarray(film.stage().picture(0)).astype(int)
    assert picture[40, 40, 0] > picture[40, 40, 2]


def test_film_as_a_page(film, tmp_path):
    page = film.save(tmp_path / "film.html").read_text()
    assert film.movie()["series"][0]["frames"][0] in page
    shown = film._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert "<!doctype" not in shown  # escaped


def test_stills(film):
    figure = film.plot(epoch=1)
    assert figure.axes[0].get_title() == "epoch 1"
    line = figure.axes[0].lines[0].get_xdata()
    np.testing.assert_allclose(line[np.isfinite(line)], -0.5, atol=0.02)
    line = film.plot().axes[0].lines[0].get_xdata()
    np.testing.assert_allclose(line[np.isfinite(line)], 0.5, atol=0.02)
    with pytest.raises(ValueError, match=r"recorded were the epochs 1 to 3"):
        film.plot(epoch=4)


def test_film_of_nothing(tmp_path):
    film = DecisionBoundary(np.zeros((2, 2)), [0, 1])
    assert film._repr_html_() is None
    with pytest.raises(ValueError, match="nothing was recorded"):
        film.save(tmp_path / "film.gif")
    with pytest.raises(ValueError, match="nothing was recorded"):
        film.movie()


def test_another_kind_of_file(film, tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.gif, \.html or \.png"):
        film.save(tmp_path / "film.mp4")


def test_film_of_a_network_without_metrics(tmp_path):
    points = np.random.default_rng(0).normal(size=(20, 2))
    film = DecisionBoundary(points, np.arange(20) % 2, resolution=8)
    model = cornu.Sequential([cornu.layers.Dense(1, activation="sigmoid")])
    model.compile(loss="mse")
    model.fit(points, np.arange(20) % 2, epochs=2, verbose=0, callbacks=[film])
    film.save(tmp_path / "film.gif")
    assert list(film.curves) == ["loss"]
    assert (tmp_path / "film.gif").is_file()


@pytest.mark.parametrize("outputs", [1, 2, 3])
@pytest.mark.parametrize("from_logits", [False, True])
def test_films_of_any_classifier(outputs, from_logits, tmp_path):
    """What the film holds is what the network says of the grid at the end."""
    x = np.random.default_rng(0).normal(size=(60, 2)).astype("float32")
    y = (x[:, 0] > 0).astype(int) + (outputs == 3) * (x[:, 1] > 0)
    losses = cornu.losses
    kind = losses.BinaryCrossentropy if outputs == 1 else losses.SparseCategoricalCrossentropy
    final = "sigmoid" if outputs == 1 else "softmax"
    model = cornu.Sequential(
        [cornu.layers.Dense(outputs, activation=None if from_logits else final)]
    )
    model.compile("adam", loss=kind(from_logits=from_logits))
    film = DecisionBoundary(x, y, resolution=10)
    model.fit(x, y, epochs=2, verbose=0, callbacks=[film], check=False)
    said = model.predict(film._grid, verbose=0)
    if from_logits:
        said = 1 / (1 + np.exp(-said)) if outputs == 1 else np.exp(said)
        said = said / said.sum(axis=1, keepdims=True) if outputs > 1 else said
    said = said[:, -1:] if outputs < 3 else said
    np.testing.assert_allclose(film.probabilities()[-1].reshape(said.shape), said, atol=1e-5)
    movie = film.movie()
    (series,) = movie["series"]
    shape = film.shape
    if outputs < 3:
        assert movie["kind"] == "boundary"
        frame = decoded(series["frames"][-1], shape)
        np.testing.assert_allclose(frame.ravel() / 255, said[:, 0], atol=0.003)
    else:
        assert movie["kind"] == "classes"
        assert movie["shape"] == [2 * shape[0], 2 * shape[1]]
        assert movie["classes"] == ["0", "1", "2"]
        winners = decoded(series["frames"][-1], movie["shape"])[::2, ::2]
        assert (winners.ravel() == said.argmax(axis=1)).mean() > 0.9
        assert decoded(series["confidence"][-1], movie["shape"]).min() >= 255 // 3
    with Image.open(film.save(tmp_path / "film.png")) as last:
        assert last.size == (840, 380)


def test_labels_of_other_kinds():
    film = DecisionBoundary(POINTS, [[1, 0], [0, 1], [1, 0], [0, 1]])
    assert film.labels.tolist() == [0, 1, 0, 1]
    film = DecisionBoundary(POINTS, ["no", "yes", "no", "no"])
    assert (film.labels.tolist(), film.class_names) == ([0, 1, 0, 0], ["no", "yes"])


def test_a_network_of_two_outputs_is_told():
    a = cornu.Input((2,))
    model = cornu.Model(a, [cornu.layers.Dense(1)(a), cornu.layers.Dense(1)(a)])
    model.compile(loss="mse")
    film = DecisionBoundary(POINTS, [0, 1, 0, 1])
    with pytest.raises(ValueError, match="expected one output"):
        model.fit(POINTS, [POINTS[:, :1], POINTS[:, 1:]], verbose=0, callbacks=[film])


# -- the film of a layer -------------------------------------------------------------------------


def filmed_layer(layers, shape, film):
    model = cornu.Sequential([cornu.Input(shape), *layers, cornu.layers.Flatten()])
    model.compile(loss="mse")
    x = np.ones((2, *shape), "float32")
    model.fit(x, np.zeros((2, *model.output_shape[1:])), epochs=2, verbose=0, callbacks=[film])
    return model


def test_kernels_of_a_convolution(tmp_path):
    film = LayerImages("conv")
    conv = cornu.layers.Conv2D(5, (3, 2), name="conv")
    filmed_layer([conv], (4, 4, 2), film)
    kernel = np.asarray(conv.kernel)
    np.testing.assert_allclose(film.frames[-1][4], kernel[:, :, :, 4].mean(axis=2), rtol=1e-6)
    mosaic = film.mosaics()[-1]
    # five images enlarged five times, in rows of three, two pixels between them
    assert mosaic.shape == (32, 34)
    largest = max(np.abs(frame).max() for frame in film.frames)
    np.testing.assert_allclose(mosaic[17:32:5, 12:22:5], film.frames[-1][4] / largest, rtol=1e-6)
    assert np.isnan(mosaic[:, 10:12]).all()
    assert np.isnan(mosaic[17:, 24:]).all()
    movie = film.movie()
    json.dumps(movie, allow_nan=False)
    assert (movie["kind"], movie["shape"]) == ("images", [32, 34])
    gray = decoded(movie["series"][0]["frames"][-1], (32, 34))
    shown = gray[17, 12] / 127 - 128 / 127
    assert shown == pytest.approx(mosaic[17, 12], abs=0.01)
    with Image.open(film.save(tmp_path / "film.gif")) as gif:
        assert gif.n_frames == 2
    np.testing.assert_allclose(film.plot().axes[0].images[0].get_array(), mosaic, atol=1e-6)


def test_units_of_a_dense_layer():
    dense = cornu.layers.Dense(70)
    film = LayerImages(dense, shape=(2, 3))
    filmed_layer([dense], (6,), film)
    assert film.frames[-1].shape == (64, 2, 3)
    np.testing.assert_array_equal(film.frames[-1][7].ravel(), np.asarray(dense.kernel)[:, 7])


def test_positive_weights_are_orange_and_negative_ones_blue():
    dense = cornu.layers.Dense(2, kernel_initializer=lambda shape, dtype: np.eye(4, 2) - 0.5)
    film = LayerImages(0)
    model = cornu.Sequential([cornu.Input((4,)), dense])
    film.set_model(model)
    film.on_epoch_end(0, {})
    height, width = film.mosaics()[0].shape
    picture = film.stage().paint(0, (width, height)).astype(int)
    assert picture[0, 0, 0] - picture[0, 0, 2] > 100  # the weight that is 0.5
    assert picture[0, 13, 2] - picture[0, 13, 0] > 100  # its right neighbour, -0.5
    assert picture[0, 14].tolist() == [255] * 4  # between two images


def test_layers_that_are_no_images():
    film = LayerImages(cornu.layers.Flatten(name="flat"))
    with pytest.raises(ValueError, match="layer 'flat' has no kernel"):
        film.on_epoch_end(0, {})
    with pytest.raises(ValueError, match=r"6 inputs, which is no image of 2 x 2; give shape="):
        filmed_layer([cornu.layers.Dense(2, name="d")], (6,), LayerImages("d"))


# -- the film of a confusion matrix --------------------------------------------------------------


class Guesser:
    """Takes everything for class 0 at first, then everything for what it is."""

    name = "guesser"

    def __init__(self, outputs):
        self.outputs = outputs

    def predict(self, x, batch_size, verbose):
        outputs, self.outputs = self.outputs[0], self.outputs[1:]
        return np.asarray(outputs, "float32")


@pytest.mark.parametrize("columns", [1, 3])
def test_confusion_movie(columns, tmp_path):
    y = np.array([0, 1, 1, 0]) if columns == 1 else np.array([0, 1, 2, 2])
    right = y[:, None] if columns == 1 else np.eye(3)[y]
    first = 0.1 * right if columns == 1 else np.eye(3)[[0, 0, 0, 0]]
    film = ConfusionMovie(np.zeros((4, 2)), y)
    film.set_model(Guesser([first, right]))
    for epoch in range(2):
        film.on_epoch_end(epoch, {"loss": 1.0})
    if columns == 1:
        assert film.frames[0].tolist() == [[2, 0], [2, 0]]
        assert film.frames[1].tolist() == [[2, 0], [0, 2]]
    else:
        assert film.frames[0].tolist() == [[1, 0, 0], [1, 0, 0], [2, 0, 0]]
        assert film.frames[1].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 2]]
    movie = film.movie()
    json.dumps(movie, allow_nan=False)
    gray = decoded(movie["series"][0]["frames"][1], movie["shape"])[4::8, 4::8]
    np.testing.assert_array_equal(gray, 255 - 255 * np.eye(len(gray)))
    texts = [text.get_text() for text in film.plot(epoch=1).axes[0].texts]
    assert texts == [str(count) for count in film.frames[0][:, 0]]
    stage = film.stage()
    picture = stage.paint(1, (300, 300)).astype(int)
    side = 300 // len(gray)
    assert picture[5, 5, 2] - picture[5, 5, 0] > 100  # a full cell is blue
    assert picture[5, side + 5].min() > 230  # an empty one pale
    assert (picture[:side, :side].min(axis=-1) > 240).any()  # its count is written in white
    with Image.open(film.save(tmp_path / "film.gif")) as gif:
        assert gif.n_frames == 2


def test_confusion_movie_of_logits():
    film = ConfusionMovie(np.zeros((2, 2)), [0, 1], class_names=["no", "yes"])
    film.set_model(Guesser([[[-2.0], [0.2]], [[2.0], [0.2]]]))
    for epoch in range(2):
        film.on_epoch_end(epoch, {})
    assert film.frames[0].tolist() == [[1, 0], [0, 1]]
    film = ConfusionMovie(np.zeros((2, 2)), [0, 2], class_names=["no", "yes"])
    film.set_model(Guesser([np.eye(3)[:2]]))
    with pytest.raises(ValueError, match="2 names for 3 classes"):
        film.on_epoch_end(0, {})
