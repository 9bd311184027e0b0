"""The pictures of `cornu.plot`: what is drawn is what was given."""

import builtins
import io
import pickle
import subprocess
import sys

import numpy as np
import pytest

import cornu
from cornu import plot
from cornu.plot import boundary, classes, colors, curves, figures

pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")


def pixels(figure) -> np.ndarray:
    """The figure as it is saved, `(height, width, 3)`."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return np.asarray(Image.open(file).convert("RGB")).astype(int)


def lines_of(axes) -> dict:
    """The drawn lines by label, `(x, y)` each."""
    return {line.get_label(): line.get_xydata().T for line in axes.lines if len(line.get_xdata())}


# -- history -------------------------------------------------------------------------------------


def trained(epochs=3, **options):
    x = np.random.default_rng(0).normal(size=(40, 2))
    y = (x[:, 0] > 0).astype(int)
    model = cornu.Sequential([cornu.layers.Dense(1, activation="sigmoid")])
    model.compile(loss="binary_crossentropy", metrics=["accuracy"])
    return model.fit(x, y, epochs=epochs, verbose=0, **options)


def test_history_draws_what_fit_returned():
    history = trained(validation_split=0.25)
    figure = history.plot()
    assert [axes.get_title() for axes in figure.axes] == ["loss", "accuracy"]
    drawn = lines_of(figure.axes[0])
    np.testing.assert_array_equal(drawn["training"], [[1, 2, 3], history.history["loss"]])
    np.testing.assert_array_equal(drawn["validation"][1], history.history["val_loss"])
    np.testing.assert_array_equal(
        lines_of(figure.axes[1])["training"][1], history.history["accuracy"]
    )
    styles = [line.get_linestyle() for line in figure.axes[0].lines]
    assert styles == ["-", "--"]


def test_history_counts_epochs_from_where_they_began():
    history = trained(epochs=5, initial_epoch=2)
    assert lines_of(history.plot().axes[0])["training"][0].tolist() == [3, 4, 5]


def test_history_of_rarer_validation():
    history = trained(epochs=6, validation_split=0.25, validation_freq=3)
    drawn = lines_of(history.plot("loss").axes[0])
    assert drawn["training"][0].tolist() == [1, 2, 3, 4, 5, 6]
    assert drawn["validation"][0].tolist() == [3, 6]


def test_several_histories_on_the_same_axes():
    figure = plot.history(
        {"adam": {"loss": [3.0, 2.0]}, "torch": {"loss": [2.0, 1.0], "val_loss": [2.5, 1.5]}}
    )
    (axes,) = figure.axes
    named = {line.get_label(): line for line in axes.lines}
    assert named["torch"].get_color() == colors.FRAMEWORK_COLORS["torch"]
    assert named["adam"].get_color() != named["torch"].get_color()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "adam",
        "torch",
        "validation",
    ]


@pytest.mark.parametrize("as_list", [False, True])
def test_replicas_are_a_mean_with_a_band(as_list):
    values = np.array([[4.0, 6.0], [1.0, 3.0]])
    figure = plot.history({"loss": list(values) if as_list else values}, band="range")
    (axes,) = figure.axes
    np.testing.assert_array_equal(lines_of(axes)["training"], [[1, 2], [5, 2]])
    (band,) = axes.collections
    corners = {tuple(point) for point in band.get_paths()[0].vertices}
    assert {(1, 4), (1, 6), (2, 1), (2, 3)} <= corners


def test_the_confidence_interval_is_students():
    values = np.array([[1.0, 2.0, 4.0], [5.0, np.nan, np.nan]])
    mean, low, high = curves.mean_and_band(values)
    # t(0.975, 2 degrees of freedom) = 4.3027; the standard deviation is sqrt(7/3)
    reach = 4.302653 * np.sqrt(7 / 3) / np.sqrt(3)
    np.testing.assert_allclose(mean, [7 / 3, 5])
    np.testing.assert_allclose([low[0], high[0]], [7 / 3 - reach, 7 / 3 + reach], rtol=1e-6)
    assert np.isnan(low[1])
    assert curves.mean_and_band(values[:, :1])[1] is None


def test_metrics_are_chosen():
    history = {"loss": [1.0], "mae": [2.0], "val_mae": [3.0], "learning_rate": [0.1]}
    assert [axes.get_title() for axes in plot.history(history).axes] == ["loss", "mae"]
    chosen = plot.history(history, metrics=["learning_rate", "mae"]).axes
    assert [axes.get_title() for axes in chosen] == ["learning_rate", "mae"]
    with pytest.raises(ValueError, match=r"no history has 'acc'; there are .*loss, mae"):
        plot.history(history, metrics="acc")


def test_axes_of_ones_own():
    figure, axes = figures.new_figure(4, 2, columns=2)
    history = {"loss": [1.0, 0.5], "accuracy": [0.5, 0.7]}
    assert plot.history(history, ax=axes) is figure
    assert axes[1].get_title() == "accuracy"
    with pytest.raises(ValueError, match="2 metrics are to be drawn on 1 axes"):
        plot.history(history, ax=axes[0])
    assert plot.history(history, "loss", ax=axes[0], log_scale=True) is figure
    assert axes[0].get_yscale() == "log"


def test_no_history():
    with pytest.raises(TypeError, match="received a list; expected what fit returned"):
        plot.history([1.0, 2.0])
    with pytest.raises(ValueError, match="nothing in the history"):
        plot.history(cornu.callbacks.History())
    with pytest.raises(ValueError, match="band='std'"):
        plot.history({"loss": [1.0]}, band="std")


@pytest.mark.parametrize("count", range(1, 8))
def test_any_number_of_metrics(count):
    figure = plot.history({f"m{index}": [1.0, 2.0] for index in range(count)})
    titles = [axes.get_title() for axes in figure.axes if axes.axison]
    assert titles == [f"m{index}" for index in range(count)]


# -- figures -------------------------------------------------------------------------------------


def test_a_figure_shows_itself_in_a_notebook():
    figure = plot.history({"loss": [1.0, 0.5]}, figsize=(3, 2))
    with Image.open(io.BytesIO(figure._repr_png_())) as shown:
        assert shown.size == (300, 200)
        assert len(shown.convert("RGB").getcolors(100_000)) > 10
    with pytest.raises(RuntimeError, match="save it with savefig"):
        figure.show()
    assert pickle.loads(pickle.dumps(figure)).axes[0].get_title() == "loss"


def test_no_backend_is_chosen_and_nothing_imported_early():
    code = (
        "import sys, cornu\n"
        "assert 'cornu.plot' not in sys.modules\n"
        "cornu.plot\n"
        "cornu.callbacks.DecisionBoundary([[0, 0], [1, 1]], [0, 1])\n"
        "assert not {'matplotlib', 'PIL'} & set(sys.modules)\n"
        "cornu.plot.history({'loss': [1.0]})\n"
        "assert 'matplotlib.figure' in sys.modules\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_missing_is_said(monkeypatch):
    real = builtins.__import__

    def refuse(name, *arguments, **more):
        if name.split(".")[0] == "matplotlib":
            raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
        return real(name, *arguments, **more)

    monkeypatch.setattr(
        figures.importlib, "import_module", lambda name: refuse(name, fromlist=["x"])
    )
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'cornu\[matplotlib\]'"):
        plot.history({"loss": [1.0]})


def test_colors():
    from cornu.compare.comparison import FRAMEWORKS

    assert set(colors.FRAMEWORK_COLORS) == set(FRAMEWORKS)
    assert colors.color_of("keras", 7) == "#c53030"
    own = set(colors.FRAMEWORK_COLORS.values())
    further = {colors.color_of("other", place) for place in range(3)}
    assert len(own) == len(FRAMEWORKS)
    assert len(own | further) == len(own) + 3
    lines = colors.line_colors(["a", "cornu", "b", "c", "keras"])
    assert len(set(lines.values())) == 5


# -- classes -------------------------------------------------------------------------------------


def test_confusion_of_named_classes():
    matrix = np.array([[50, 2, 0], [0, 0, 0], [1, 0, 1200]])
    figure = plot.confusion_matrix(matrix, class_names=["BENIGN", "none", "DDoS"])
    (axes,) = figure.axes
    shown = {tuple(text.get_position()): text.get_text() for text in axes.texts}
    # a text's position: column, row
    assert shown == {(0, 0): "50", (1, 0): "2", (0, 2): "1", (2, 2): "1200"}
    assert [text.get_text() for text in axes.get_yticklabels()] == ["BENIGN", "none", "DDoS"]
    picture = pixels(figure)
    assert picture.shape[0] == picture.shape[1]
    shares = axes.images[0].get_array()
    np.testing.assert_allclose(shares[0], np.sqrt([50 / 52, 2 / 52, 0]))
    assert shares[1].max() == 0  # a class without rows


@pytest.mark.parametrize(
    "predicted",
    [
        [0, 1, 1, 1],
        [[0.9, 0.1], [0.4, 0.6], [0.1, 0.9], [0.2, 0.8]],
        [[0.1], [0.6], [0.9], [0.8]],
        np.array([0.0, 1.0, 1.0, 1.0]),
    ],
)
def test_confusions_are_counted(predicted):
    for true in ([0, 0, 1, 1], [[1, 0], [1, 0], [0, 1], [0, 1]]):
        assert classes.count_confusions(true, predicted).tolist() == [[1, 1], [0, 2]]


def test_confusion_errors():
    with pytest.raises(ValueError, match=r"matrix of shape \(2, 3\)"):
        plot.confusion_matrix(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="3 names for 2 classes"):
        plot.confusion_matrix(np.eye(2), class_names="abc")
    with pytest.raises(ValueError, match="3 true classes and 2 predictions"):
        plot.confusion_matrix([0, 1, 1], [0, 1])


def test_most_confidently_wrong():
    labels = np.array([0, 1, 1, 0])
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.3, 0.7]])
    assert classes.most_confidently_wrong(labels, probabilities, 9).tolist() == [2, 3, 1]
    assert classes.most_confidently_wrong(labels, probabilities, 1).tolist() == [2]


def test_wrong_examples_are_the_images_themselves():
    images = np.arange(4 * 9.0).reshape(4, 3, 3)
    probabilities = [[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.3, 0.7]]
    for given in (images, images[..., None], images.reshape(4, 9)):
        figure = plot.wrong_examples(given, [0, 1, 1, 0], probabilities, class_names="ab")
        shown = [axes for axes in figure.axes if axes.images]
        assert [axes.get_title() for axes in shown] == [
            "b taken for a\n80.0% sure",
            "a taken for b\n70.0% sure",
            "b taken for a\n60.0% sure",
        ]
        np.testing.assert_array_equal(shown[0].images[0].get_array(), images[2])


def test_wrong_examples_in_colour():
    images = np.zeros((2, 4, 4, 3), "uint8")
    images[..., 0] = 255
    figure = plot.wrong_examples(images, [1, 0], [[0.1], [0.2]])
    assert figure.axes[0].images[0].get_array()[0, 0].tolist() == [1, 0, 0]
    picture = pixels(figure)
    assert np.all(picture == [255, 0, 0], axis=-1).sum() > 1000


def test_pictures_of_a_network_that_is_never_wrong():
    figure = plot.wrong_examples(np.zeros((3, 8, 8)), np.arange(3), np.eye(3))
    assert figure.get_suptitle() == "Not one is wrong"
    assert not any(axes.images for axes in figure.axes)


def test_wrong_examples_errors():
    with pytest.raises(ValueError, match=r"x of shape \(2, 7\)"):
        plot.wrong_examples(np.zeros((2, 7)), [0, 1], np.eye(2))
    with pytest.raises(ValueError, match="3 images, 2 true classes and 2 predictions"):
        plot.wrong_examples(np.zeros((3, 2, 2)), [0, 1], np.eye(2))


# -- decision boundary ---------------------------------------------------------------------------


class Line:
    """Class 1 right of x1 = 0.5: a network with one sigmoid."""

    def predict(self, points, batch_size, verbose):
        assert batch_size == len(points)
        return 1 / (1 + np.exp(-20 * (points[:, :1] - 0.5)))


class Logits(Line):
    """The same without the sigmoid."""

    def predict(self, points, batch_size, verbose):
        return 20 * (points[:, :1] - 0.5)


class Softmax(Line):
    """The same with two units."""

    def predict(self, points, batch_size, verbose):
        second = super().predict(points, batch_size, verbose)
        return np.hstack([1 - second, second])


class Sklearn:
    """As scikit-learn's: `predict` gives classes."""

    def predict(self, points):
        raise AssertionError("predict_proba is to be asked")

    def predict_proba(self, points):
        return Softmax().predict(points, len(points), 0)


SQUARE = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])


@pytest.mark.parametrize("model", [Line(), Logits(), Softmax(), Sklearn()])
def test_decision_boundary_is_where_the_model_has_it(model):
    figure = plot.decision_boundary(model, SQUARE, [0, 1, 0, 1], margin=0.5, axis_names="ab")
    (axes,) = figure.axes
    line = lines_of(axes)["boundary 0.5"]
    np.testing.assert_allclose(line[0][np.isfinite(line[0])], 0.5, atol=0.01)
    np.testing.assert_array_equal(lines_of(axes)["class 1"], [[1, 1], [1, 0]])
    assert axes.get_xlim() == (-0.5, 1.5)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("a", "b")
    picture = pixels(figure)
    box = axes.get_window_extent()
    row = picture[len(picture) - int((box.y0 + box.y1) / 2)]
    left, right = row[int(box.x0) + 20], row[int(box.x1) - 20]
    assert left[2] - left[0] > 50  # blue
    assert right[0] - right[2] > 50  # orange


class Thirds:
    """Three classes: below 1/3 in x2, above 2/3, and between."""

    def predict(self, points, batch_size, verbose):
        up = points[:, 1]
        return 30 * np.stack([1 / 3 - up, 0 * up, up - 2 / 3], axis=1)


def test_decision_boundary_of_several_classes():
    figure = plot.decision_boundary(Thirds(), SQUARE, ["low", "up", "up", "low"], margin=0.0)
    (axes,) = figure.axes
    assert [line.get_label() for line in axes.lines] == ["low", "up", "class 2"]
    shown = axes.images[0].get_array()
    column = shown[:, shown.shape[1] // 2, :3].astype(int)
    third = len(column) // 3
    # the top row first: green, orange, blue; a dark line between two
    assert column[third // 2].argmax() == 1
    assert column[third + third // 2].argmax() == 0
    assert column[-third // 2].argmax() == 2
    dark = np.flatnonzero(column.sum(axis=1) < 200)
    np.testing.assert_allclose(dark[[0, -1]] / len(column), [1 / 3, 2 / 3], atol=0.02)


def test_decision_boundary_without_classes_and_with_a_flat_range():
    figure = plot.decision_boundary(Line(), [[0.0, 3.0], [1.0, 3.0]])
    assert figure.axes[0].get_ylim() == (2, 4)
    assert figure.axes[0].lines[1].get_color() == "#718096"


def test_decision_boundary_errors():
    with pytest.raises(ValueError, match=r"x of shape \(2, 3\); expected \(rows, 2\)"):
        plot.decision_boundary(Line(), np.zeros((2, 3)), [0, 1])
    with pytest.raises(ValueError, match="3 labels for 4 points"):
        plot.decision_boundary(Line(), SQUARE, [0, 1, 1])


def test_probabilities():
    ask = boundary.class_probabilities
    np.testing.assert_allclose(ask([[0.2], [0.7]]), [0.2, 0.7])
    np.testing.assert_allclose(ask([[0.0], [0.7]], True)[0], 0.5)
    np.testing.assert_allclose(ask([[1.0, 1.0, 1.0]]), [[1 / 3] * 3])
    np.testing.assert_allclose(ask([[1000.0, 0.0, 0.0]]), [[1, 0, 0]])
    assert ask([[np.nan]]).tolist() == [0.5]


def test_middles():
    np.testing.assert_allclose(boundary.middles(-1, 1, 4), [-0.75, -0.25, 0.25, 0.75])


# -- comparison ----------------------------------------------------------------------------------


def results(**parts):
    def run(offset):
        return {"history": {"loss": [1.0 + offset, 0.5]}, "test": {"loss": 0.4 + offset}}

    same = {
        "tolerance": 1e-8,
        "step": [1, 2, 4],
        "frameworks": {
            "cornu": {"loss": [1, 1, 1], "epochs": {"loss": [1.0, 0.5], "val_loss": [1.0, None]}},
            "torch": {
                "difference": [0.0, 1e-15, 2e-15],
                "epochs": {"loss": [1.0, 0.5], "val_loss": [1.0, 0.6]},
            },
        },
    }
    own = {
        "cornu": {"runs": [run(0), run(0.2)]},
        "torch": {"runs": [run(1), run(2)]},
        "keras": {"runs": []},
    }
    return {
        "experiment": {"title": "Two moons"},
        "frameworks": [
            {"name": "cornu", "title": "Cornu"},
            {"name": "torch", "title": "PyTorch"},
            {"name": "keras", "title": "Keras", "status": "failed"},
        ],
        "same_start": {"dtypes": {"float64": same}},
        "own_habits": {"frameworks": own},
        **parts,
    }


def test_comparison_draws_both_modes():
    figure = plot.comparison(results())
    assert figure.get_suptitle() == "Two moons"
    assert [axes.get_title() for axes in figure.axes] == [
        "same start, float64: loss",
        "difference of the loss from Cornu's",
        "own habits: loss",
        "test loss",
    ]
    same, difference, own, test = figure.axes
    np.testing.assert_array_equal(lines_of(same)["PyTorch"], [[1, 2], [1.0, 0.5]])
    np.testing.assert_allclose(lines_of(own)["Cornu"][1], [1.1, 0.5])
    assert len(own.collections) == 2  # bands
    (steps,) = [line for line in difference.lines if len(line.get_xdata()) == 3]
    np.testing.assert_array_equal(steps.get_ydata(), [np.nan, 1e-15, 2e-15])
    assert steps.get_color() == colors.FRAMEWORK_COLORS["torch"]
    assert [text.get_text() for text in test.get_xticklabels()] == ["Cornu", "PyTorch"]
    assert pixels(figure).shape == (680, 840, 3)


def test_comparison_of_one_mode():
    figure = plot.comparison(results(own_habits=None))
    assert len(figure.axes) == 2
    figure = plot.comparison(results(same_start=None, frameworks=[]))
    assert [axes.get_title() for axes in figure.axes] == ["own habits: loss", "test loss"]
    with pytest.raises(ValueError, match="no framework in the results has curves"):
        plot.comparison(results(same_start=None, own_habits=None))
