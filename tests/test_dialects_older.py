"""Programs of Keras 1, Keras 2 and tf.keras run as they are: names and arguments of their years."""

import importlib
import sys
import textwrap
import warnings

import numpy as np
import pytest

import cornu
from cornu import dialects


@pytest.fixture(autouse=True)
def _names_given_back():
    """Takes the names `keras` and `tensorflow` back, and hides real ones from the test."""
    ours = ("keras", "tf_keras", "tensorflow")
    real = {name: module for name, module in sys.modules.items() if name.split(".")[0] in ours}
    for name in real:
        del sys.modules[name]
    yield
    cornu.config.set_image_data_format("channels_last")
    dialects.uninstall()
    sys.modules.update(real)


@pytest.fixture
def program(tmp_path, capsys):
    """Runs source text as a program that must end well; returns what it prints."""

    def run(source: str) -> str:
        path = tmp_path / "program.py"
        path.write_text(textwrap.dedent(source))
        status = dialects.run_program(path)
        printed = capsys.readouterr()
        assert status == 0, printed.err
        return printed.out

    return run


@pytest.fixture
def refused(tmp_path, capsys):
    """Runs source text as a program that must end with an error; returns its last line."""

    def run(source: str) -> str:
        path = tmp_path / "program.py"
        path.write_text(textwrap.dedent(source))
        assert dialects.run_program(path) == 1
        return capsys.readouterr().err.splitlines()[-1]

    return run


# -- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("from keras.layers.core import Dense as found", "layers.Dense"),
        ("from keras.layers.core import Activation as found", "layers.Activation"),
        ("import keras; found = keras.layers.core.Flatten", "layers.Flatten"),
        ("import keras.layers.core as core; found = core.Flatten", "layers.Flatten"),
        ("from keras.layers.convolutional import MaxPooling2D as found", "layers.MaxPooling2D"),
        (
            "from keras.layers.normalization import BatchNormalization as found",
            "layers.BatchNormalization",
        ),
        (
            "from keras.layers.merging.concatenate import Concatenate as found",
            "layers.Concatenate",
        ),
        ("from keras.layers.core.dense import Dense as found", "layers.Dense"),
        ("from keras.layers.embeddings import Embedding as found", "layers.Embedding"),
        ("from keras.layers.advanced_activations import LeakyReLU as found", "layers.LeakyReLU"),
        ("from keras.layers.pooling import MaxPooling2D as found", "layers.MaxPooling2D"),
        ("from keras.layers.noise import GaussianNoise as found", "layers.GaussianNoise"),
        ("from keras.layers.merge import concatenate as found", "layers.concatenate"),
        (
            "from keras.layers.experimental.preprocessing import Rescaling as found",
            "layers.Rescaling",
        ),
        ("from keras.engine.topology import Layer as found", "layers.Layer"),
        ("from keras.engine import Input as found", "layers.Input"),
        ("from keras.engine.training import Model as found", "Model"),
        ("from keras.models import Input as found", "Input"),
        ("from keras.objectives import mse as found", "losses.mse"),
        ("from keras import objectives as found", "losses"),
        ("from keras.utils.np_utils import normalize as found", "utils.normalize"),
        ("from keras.utils import np_utils; found = np_utils.normalize", "utils.normalize"),
        ("from keras.utils.data_utils import get_file as found", "utils.get_file"),
        (
            "from keras.utils.generic_utils import CustomObjectScope as found",
            "utils.CustomObjectScope",
        ),
        ("from keras.preprocessing.sequence import pad_sequences as found", "utils.pad_sequences"),
        ("import keras; found = keras.preprocessing.sequence.pad_sequences", "utils.pad_sequences"),
        ("from keras.constraints import maxnorm as found", "constraints.MaxNorm"),
        ("from keras.regularizers import l1l2 as found", "regularizers.L1L2"),
        ("from keras.regularizers import activity_l2 as found", "regularizers.L2"),
        ("from keras.initializers import normal as found", "initializers.RandomNormal"),
        ("from keras.losses import cosine_proximity as found", "losses.cosine_similarity"),
        ("from keras.metrics import mae as found", "metrics.mean_absolute_error"),
        ("from keras.optimizers import adam as found", "optimizers.Adam"),
        ("from keras.optimizers import sgd as found", "optimizers.SGD"),
        ("from keras.optimizers.legacy import Adam as found", "optimizers.Adam"),
        ("from keras.optimizer_v2.adam import Adam as found", "optimizers.Adam"),
        ("from keras.callbacks.callbacks import EarlyStopping as found", "callbacks.EarlyStopping"),
        ("from keras.layers import AtrousConvolution2D as found", "layers.Conv2D"),
        ("from tensorflow.python.keras.layers import Dense as found", "layers.Dense"),
        ("from tensorflow.python.keras.layers.core import Dense as found", "layers.Dense"),
        ("from tensorflow.python.keras import backend as found", "backend"),
        ("from tensorflow.contrib.keras import layers as found", "layers"),
        ("import tensorflow.compat.v1 as tf; found = tf.keras.layers.Dense", "layers.Dense"),
        ("import tensorflow.compat.v1.keras.layers as found", "layers"),
        ("import tensorflow as tf; found = tf.compat.v1.keras.layers.Dense", "layers.Dense"),
        ("import tf_keras; found = tf_keras.layers.Dense", "layers.Dense"),
        ("from keras.src.layers import Dense as found", "layers.Dense"),
        ("import tensorflow as tf; found = tf.optimizers.Adam", "optimizers.Adam"),
        ("import tensorflow as tf; found = tf.losses.MeanSquaredError", "losses.MeanSquaredError"),
    ],
)
def test_older_places(line, meant):
    dialects.install()
    names: dict = {}
    exec(line, names)
    expected = cornu
    for part in meant.split("."):
        expected = getattr(expected, part)
    assert names["found"] is expected


def test_star_imports():
    dialects.install()
    names: dict = {}
    exec("from keras.layers.core import *", names)
    assert names["Activation"] is cornu.layers.Activation


def test_a_new_layer_is_found_in_the_older_places(monkeypatch):
    dialects.install()
    monkeypatch.setattr(cornu.layers, "Newest", object(), raising=False)
    import keras.layers.core

    assert keras.layers.core.Newest is cornu.layers.Newest


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("from keras.layers.core import Dens", "keras.layers has no Dens; did you mean 'Dense'?"),
        ("from keras.layers.core import nothing_at_all", "keras.layers has no nothing_at_all"),
        ("from keras.layers.recurrent import LSTM", "keras.layers has no LSTM: Keras 3 has it"),
        ("from keras.layers import CuDNNLSTM", "keras.layers has no LSTM: Keras 3 has it"),
        ("from keras.applications.vgg16 import VGG16", "keras.applications: Keras 3 has it"),
        ("import keras.layers.nothing", "keras.layers.nothing: Cornu has no such module"),
        ("import keras.utils.nothing", "keras.utils.nothing: Cornu has no such module"),
    ],
)
def test_what_is_still_to_come_is_said(line, sentence):
    dialects.install()
    with pytest.raises(ImportError) as error:
        exec(line, {})
    assert str(error.value).startswith(sentence)


@pytest.mark.parametrize(
    ("line", "use"),
    [
        ("from keras.layers import Merge as found", "keras.layers.Merge joined whole networks"),
        ("from keras.utils.vis_utils import plot_model as found", "model.summary"),
        ("from keras.layers.core import MaxoutDense as found", "keras.layers.MaxoutDense"),
        ("from keras import backend as K; found = K.function", "graphs and sessions"),
    ],
)
def test_what_is_gone_may_be_imported_not_used(line, use):
    dialects.install()
    names: dict = {}
    exec(line, names)
    with pytest.raises(NotImplementedError, match=use):
        names["found"]()


def test_nothing_is_left_behind():
    before = {
        name: dict(vars(module))
        for name, module in sys.modules.items()
        if name in ("cornu", "cornu.layers", "cornu.optimizers", "cornu.utils", "cornu.backend")
    }
    classes = (cornu.layers.Dense, cornu.layers.Conv2D, cornu.Model, cornu.optimizers.Optimizer)
    members = [dict(vars(cls)) for cls in classes]
    dialects.install()
    importlib.import_module("keras.layers.core")
    importlib.import_module("keras.layers.embeddings")
    importlib.import_module("keras.preprocessing.text")
    importlib.import_module("tensorflow.python.keras.layers.merge")
    dialects.uninstall()
    for name, found in before.items():
        assert vars(sys.modules[name]) == found
    assert members == [dict(vars(cls)) for cls in classes]
    for line in ("Dense(output_dim=2)", "Dropout(p=0.5)"):
        with pytest.raises((TypeError, ValueError)):
            eval(line, vars(cornu.layers))
    with pytest.raises(ValueError, match="learning_rate"):
        cornu.optimizers.SGD(lr=0.1)
    assert not hasattr(cornu.backend, "mean")
    assert not hasattr(cornu.Sequential(), "predict_classes")


# -- layers --------------------------------------------------------------------------------------


def same_layer(older, newer):
    older, newer = older.get_config(), newer.get_config()
    older.pop("name"), newer.pop("name")
    assert older == newer


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (
            "Dense(output_dim=3, init='uniform', bias=False)",
            "Dense(3, kernel_initializer='uniform', use_bias=False)",
        ),
        (
            "Dense(3, W_regularizer=R.l2(.1), b_regularizer=R.l1(.1), W_constraint=C.maxnorm(3))",
            "Dense(3, kernel_regularizer=R.L2(.1), bias_regularizer=R.L1(.1), "
            "kernel_constraint=C.MaxNorm(3))",
        ),
        ("Dense(4, 3, 'normal', 'relu')", "Dense(3, 'relu', kernel_initializer='normal')"),
        ("Dense(3, 'he_normal')", "Dense(3, kernel_initializer='he_normal')"),
        ("Dropout(p=0.25)", "Dropout(0.25)"),
        ("SpatialDropout2D(p=0.25)", "SpatialDropout2D(0.25)"),
        ("GaussianNoise(sigma=0.5)", "GaussianNoise(0.5)"),
        (
            "Convolution2D(8, 3, 5, border_mode='same', subsample=(2, 2))",
            "Conv2D(8, (3, 5), padding='same', strides=2)",
        ),
        (
            "Convolution2D(nb_filter=8, nb_row=3, nb_col=5, dim_ordering='th')",
            "Conv2D(8, (3, 5), data_format='channels_first')",
        ),
        ("Convolution2D(8, 3, nb_col=5, dim_ordering='tf')", "Conv2D(8, (3, 5))"),
        ("AtrousConvolution2D(8, 3, 3, atrous_rate=(2, 2))", "Conv2D(8, (3, 3), dilation_rate=2)"),
        ("Conv2D(8, 3, 3, padding='same')", "Conv2D(8, 3, strides=3, padding='same')"),
        ("Conv2D(8, 3, 3)", "Conv2D(8, 3, strides=3)"),
        ("Conv2D(8, 3, 3, init='normal')", "Conv2D(8, 3, kernel_initializer='normal')"),
        ("Conv2D(8, (3, 3), (2, 2))", "Conv2D(8, 3, strides=2)"),
        ("Convolution3D(8, 3, 4, 5, border_mode='same')", "Conv3D(8, (3, 4, 5), padding='same')"),
        (
            "Convolution1D(nb_filter=8, filter_length=3, subsample_length=2, input_dim=4)",
            "Conv1D(8, 3, strides=2)",
        ),
        ("MaxPooling1D(pool_length=3, stride=2)", "MaxPooling1D(3, 2)"),
        (
            "MaxPooling2D((2, 2), border_mode='same', dim_ordering='tf')",
            "MaxPooling2D(2, padding='same')",
        ),
        (
            "GlobalAveragePooling2D(dim_ordering='th')",
            "GlobalAveragePooling2D(data_format='channels_first')",
        ),
        ("BatchNormalization(mode=0, axis=1, gamma_init='one')", "BatchNormalization(axis=1)"),
        (
            "Embedding(9, 3, init='normal', input_length=5, dropout=0)",
            "Embedding(9, 3, embeddings_initializer='normal')",
        ),
        (
            "ZeroPadding2D((1, 1), dim_ordering='th')",
            "ZeroPadding2D(1, data_format='channels_first')",
        ),
        ("LeakyReLU(alpha=0.1)", "LeakyReLU(0.1)"),
    ],
)
def test_older_arguments_of_layers(older, newer):
    dialects.install()
    from keras import layers

    names = {name: getattr(layers, name) for name in layers.__all__}
    names |= {"AtrousConvolution2D": layers.AtrousConvolution2D}
    names |= {"R": cornu.regularizers, "C": cornu.constraints}
    same_layer(eval(older, names), eval(newer, names))


def test_two_integers_are_sizes_in_a_program_of_keras_1(program):
    printed = program(
        """
        from keras.models import Sequential
        from keras.layers import Convolution2D, Conv2D

        model = Sequential()
        model.add(Convolution2D(4, 3, 3, input_shape=(8, 8, 1)))
        model.add(Conv2D(4, 3, 2))
        print([(layer.kernel_size, layer.strides) for layer in model.layers])
        """
    )
    assert printed == "[((3, 3), (1, 1)), ((3, 2), (1, 1))]\n"


def test_two_integers_are_window_and_strides_in_a_program_of_tf_keras(program):
    printed = program(
        """
        from tensorflow.keras.layers import Convolution2D
        layer = Convolution2D(4, 3, 2)
        print(layer.kernel_size, layer.strides)
        """
    )
    assert printed == "(3, 3) (2, 2)\n"


def test_layers_that_are_derived_in_the_program():
    dialects.install()

    class Twice(cornu.layers.Dense):
        def __init__(self, n, **kwargs):
            super().__init__(output_dim=2 * n, **kwargs)

    layer = Twice(3, W_regularizer="l2", input_shape=(4,))
    assert layer.units == 6
    assert layer.kernel_regularizer is not None

    class Own(cornu.layers.Layer):
        def __init__(self, p, **kwargs):
            super().__init__(**kwargs)
            self.p = p

    assert Own(p=3).p == 3


def test_initial_weights():
    dialects.install()
    kernel, bias = np.ones((2, 3), "float32"), np.zeros(3, "float32")
    model = cornu.Sequential([cornu.layers.Dense(3, weights=[kernel, bias], input_shape=(2,))])
    np.testing.assert_array_equal(model.get_weights()[0], kernel)
    assert model.predict(np.ones((1, 2)), verbose=0).tolist() == [[2, 2, 2]]
    table = np.arange(6.0).reshape(3, 2)
    layer = cornu.layers.Embedding(3, 2, weights=[table], trainable=False)
    np.testing.assert_array_equal(layer.get_weights()[0], table)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("BatchNormalization(mode=2)", "only mode 0"),
        ("Embedding(3, 2, dropout=0.2)", "SpatialDropout1D"),
        ("Dense(output_dim=3, units=3)", "older name of units"),
        ("Dense(3, weigths=3)", "unknown argument 'weigths'"),
        ("Dense(3, foo=3)", "unknown argument 'foo'"),
    ],
)
def test_what_cannot_be_honoured_is_refused(line, sentence):
    dialects.install()
    with pytest.raises((TypeError, ValueError), match=sentence):
        eval(line, vars(cornu.layers))


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("sum", [3.0, 5.0]),
        ("mul", [2.0, 6.0]),
        ("ave", [1.5, 2.5]),
        ("max", [2.0, 3.0]),
        ("concat", [1.0, 2.0, 2.0, 3.0]),
        ("dot", [8.0]),
    ],
)
def test_merge(mode, expected):
    dialects.install()
    from keras.layers import Input, merge
    from keras.models import Model

    left, right = Input((2,)), Input((2,))
    model = Model(input=[left, right], output=merge([left, right], mode=mode))
    found = model.predict([np.array([[1.0, 2.0]]), np.array([[2.0, 3.0]])], verbose=0)
    assert found.tolist() == [expected]


# -- training ------------------------------------------------------------------------------------


def test_learning_rate_and_decay():
    dialects.install()
    from keras.optimizers import SGD, Adam, Nadam

    assert float(SGD(lr=0.1).lr) == pytest.approx(0.1)
    optimizer = SGD(lr=0.1, decay=0.5, momentum=0.9, nesterov=True)
    rates = []
    weight = cornu.Variable(np.ones(1))
    for _ in range(3):
        rates.append(float(optimizer.lr))
        optimizer.apply([np.ones(1)], [weight])
    np.testing.assert_allclose(rates, [0.1, 0.1 / 1.5, 0.1 / 2], rtol=1e-6)
    assert float(Adam(0.01, epsilon=None, decay=0.0).learning_rate) == pytest.approx(0.01)
    assert Adam(epsilon=None).epsilon == 1e-7
    # the default rate where none is given
    assert float(Adam(decay=0.1).lr) == pytest.approx(0.001)
    assert Adam(clipnorm=0.0).clipnorm is None
    with pytest.raises(ValueError, match="schedule_decay"):
        Nadam(schedule_decay=0.1)
    optimizer = Adam()
    optimizer.lr = 0.5
    assert float(optimizer.learning_rate) == 0.5


def test_a_program_of_keras_1(program):
    printed = program(
        """
        import numpy as np
        from keras.models import Sequential
        from keras.layers.core import Dense, Activation, Dropout
        from keras.optimizers import SGD
        from keras.utils import np_utils

        np.random.seed(0)
        x = np.random.rand(40, 3)
        y = np_utils.to_categorical((x[:, 0] > 0.5).astype(int), nb_classes=2)
        model = Sequential()
        model.add(Dense(output_dim=8, input_dim=3, init='uniform'))
        model.add(Activation('relu'))
        model.add(Dropout(p=0.1))
        model.add(Dense(2, init='normal', activation='softmax'))
        model.compile(loss='categorical_crossentropy', optimizer=SGD(lr=0.1, decay=1e-6),
                      class_mode='categorical', metrics=['accuracy'])
        history = model.fit(x, y, nb_epoch=2, batch_size=8, verbose=0, validation_split=0.2)
        print(sorted(history.history))
        print(len(history.history['val_acc']))
        print(model.predict_classes(x, verbose=0).shape, model.predict_proba(x, verbose=0).shape)
        print(len(model.evaluate(x, y, show_accuracy=True, verbose=0)))
        """
    )
    assert printed.splitlines() == [
        "['acc', 'loss', 'val_acc', 'val_loss']",
        "2",
        "(40,) (40, 2)",
        "2",
    ]


@pytest.mark.parametrize(
    ("metric", "reads", "name"),
    [
        ("accuracy", "h.history['acc']", "acc"),
        ("accuracy", "h.history['accuracy']", "accuracy"),
        ("accuracy", "h.history.get('acc') or h.history['accuracy']", "accuracy"),
        ("accuracy", "EarlyStopping(monitor='val_acc', mode='max')", "acc"),
        ("accuracy", "'{epoch}-{val_acc:.2f}'", "acc"),
        ("acc", "h.history['acc']", "acc"),
        ("mae", "h.history['val_mean_absolute_error']", "mean_absolute_error"),
        ("mae", "h.history['mae']", "mae"),
        ("accuracy", "h.history['loss']", "accuracy"),
    ],
)
def test_logs_have_the_names_that_the_program_reads(program, metric, reads, name):
    printed = program(
        f"""
        import numpy as np
        from keras.layers import Dense
        from keras.models import Sequential
        from keras.callbacks import EarlyStopping

        model = Sequential([Dense(1, activation='sigmoid', input_shape=(2,))])
        model.compile('sgd', 'binary_crossentropy', metrics=['{metric}'])
        h = model.fit(np.ones((4, 2)), np.ones(4), verbose=0, validation_split=0.5)
        print(*h.history)
        {reads}
        """
    )
    assert set(printed.split()) == {"loss", name, "val_loss", f"val_{name}"}


def test_the_third_argument_of_compile_is_the_metrics():
    dialects.install()
    model = cornu.Sequential([cornu.layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse", ["mae"])
    found = model.evaluate(np.ones((4, 2)), np.ones(4), verbose=0, workers=4)
    assert len(found) == 2
    model.compile("sgd", "mse", [0.5])  # as in Keras 3, weights of losses
    assert np.ndim(model.evaluate(np.ones((4, 2)), np.ones(4), verbose=0)) == 0
    with pytest.raises(ValueError, match="sample_weight_mode"):
        model.compile("sgd", "mse", sample_weight_mode="temporal")


def endless(rows):
    while True:
        yield np.ones((rows, 2), "float32"), np.ones((rows, 1), "float32")


def test_generators():
    dialects.install()
    model = cornu.Sequential([cornu.layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    seen = []
    watch = cornu.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(batch)
    )
    # Keras 2: batches; Keras 1: rows
    model.fit_generator(endless(4), 3, 2, verbose=0, callbacks=[watch], workers=2)
    assert seen == [0, 1, 2] * 2
    seen.clear()
    model.fit_generator(
        endless(4),
        samples_per_epoch=10,
        nb_epoch=1,
        verbose=0,
        callbacks=[watch],
        validation_data=endless(4),
        nb_val_samples=8,
    )
    assert seen == [0, 1, 2]
    assert np.ndim(model.evaluate_generator(endless(4), steps=2)) == 0
    assert model.predict_generator(endless(4), steps=2).shape == (8, 1)
    assert model.evaluate_generator(endless(4), val_samples=8) >= 0


def test_a_sequence_goes_round_where_more_steps_are_asked_for():
    dialects.install()
    from keras.preprocessing.image import ImageDataGenerator

    model = cornu.Sequential([cornu.layers.Flatten(), cornu.layers.Dense(1)])
    model.compile("sgd", "mse")
    batches = ImageDataGenerator(rescale=1 / 255).flow(
        np.ones((6, 4, 4, 1)), np.ones(6), batch_size=2
    )
    seen = []
    watch = cornu.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(batch)
    )
    model.fit_generator(batches, steps_per_epoch=5, epochs=1, verbose=0, callbacks=[watch])
    assert seen == [0, 1, 2, 3, 4]


def test_predict_classes_of_one_output():
    dialects.install()
    model = cornu.Sequential([cornu.layers.Dense(1, activation="sigmoid", input_shape=(2,))])
    found = model.predict_classes(np.ones((3, 2)), verbose=0)
    assert found.shape == (3, 1)
    assert found.dtype == "int32"


def test_fit_binds_older_arguments():
    """What reads a program looks at the arguments of `fit` through its signature."""
    import inspect

    dialects.install()
    model = cornu.Sequential()
    bound = inspect.signature(type(model).fit).bind(model, 1, 2, nb_epoch=3, workers=4)
    assert bound.arguments == {"self": model, "x": 1, "y": 2, "epochs": 3}
    assert "epochs" in inspect.signature(type(model).fit).parameters


def test_misspelt_arguments_are_still_answered():
    dialects.install()
    model = cornu.Sequential()
    with pytest.raises(TypeError, match="did you mean 'epochs'"):
        model.fit(np.ones((2, 2)), epoch=3)


def test_callbacks():
    dialects.install()
    from keras.callbacks import ModelCheckpoint, ReduceLROnPlateau, TensorBoard

    assert ReduceLROnPlateau(epsilon=0.5).min_delta == 0.5
    TensorBoard(log_dir="nowhere", write_grads=False, batch_size=32)
    ModelCheckpoint("best.keras", period=1)
    with pytest.raises(ValueError, match="save_freq"):
        ModelCheckpoint("best.keras", period=5)


def test_to_categorical():
    dialects.install()
    from keras.utils import np_utils, to_categorical

    assert np_utils.to_categorical([0, 1], nb_classes=3).shape == (2, 3)
    assert to_categorical(y=[0, 1], num_classes=3, dtype="float32").dtype == "float32"
    assert np_utils.probas_to_classes(np.array([[0.1, 0.9], [0.8, 0.2]])).tolist() == [1, 0]


# -- keras.backend and tensorflow ------------------------------------------------------------------


def test_backend():
    dialects.install()
    from keras import backend as K

    x = np.array([[1.0, -2.0], [3.0, 4.0]], "float32")
    assert float(K.mean(K.square(x))) == 7.5
    assert K.sum(x, axis=-1, keepdims=True).shape == (2, 1)
    np.testing.assert_array_equal(K.relu(x, max_value=3), [[1, 0], [3, 3]])
    np.testing.assert_allclose(K.l2_normalize(x, axis=1)[1], [0.6, 0.8], rtol=1e-6)
    assert K.int_shape(K.permute_dimensions(x, (1, 0))) == (2, 2)
    assert K.batch_flatten(np.ones((2, 3, 4))).shape == (2, 12)
    np.testing.assert_array_equal(K.switch(x > 0, x, -x), np.abs(x))
    variable = K.variable([1.0, 2.0])
    K.set_value(variable, [3.0, 4.0])
    assert K.get_value(variable).tolist() == [3.0, 4.0]
    assert K.eval(K.constant(3.0)) == 3.0
    assert K.epsilon() == 1e-7
    assert K.learning_phase() == 0
    K.set_session(K.get_session())
    K.clear_session()
    K.set_image_dim_ordering("th")
    assert K.image_data_format() == "channels_first"
    assert K.image_dim_ordering() == "th"
    with pytest.raises(AttributeError, match="has no nothing_at_all"):
        _ = K.nothing_at_all


def test_a_loss_and_a_lambda_of_the_program(program):
    printed = program(
        """
        import numpy as np
        from keras import backend as K
        from keras.layers import Dense, Lambda
        from keras.models import Sequential

        def rmse(y_true, y_pred):
            return K.sqrt(K.mean(K.square(y_pred - y_true), axis=-1))

        model = Sequential()
        model.add(Dense(2, input_dim=2))
        model.add(Lambda(lambda x: K.in_train_phase(x, K.abs(x) * 0) + K.l2_normalize(x, axis=-1)))
        model.compile('rmsprop', rmse, metrics=[rmse])
        history = model.fit(np.ones((4, 2)), np.ones((4, 2)), epochs=1, verbose=0)
        print(*history.history)
        K.set_value(model.optimizer.lr, 0.5)
        print(K.get_value(model.optimizer.lr))
        """
    )
    assert set(printed.split()) == {"loss", "rmse", "0.5"}


def test_tensorflow_functions():
    dialects.install()
    import tensorflow as tf

    x = tf.constant([[1.0, -2.0], [3.0, 4.0]])
    assert float(tf.reduce_mean(tf.square(x))) == 7.5
    assert tf.argmax(x).tolist() == [1, 1]
    assert tf.argmax(x, axis=1).tolist() == [0, 1]
    assert tf.cast(x, tf.int32).dtype == "int32"
    np.testing.assert_array_equal(tf.nn.relu(x), np.maximum(x, 0))
    np.testing.assert_allclose(tf.nn.softmax(x).sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(tf.nn.leaky_relu(x)[0, 1], -0.4, rtol=1e-6)
    assert [one.shape for one in tf.split(x, 2, axis=1)] == [(2, 1), (2, 1)]
    assert [one.shape for one in tf.split(tf.zeros(5), [2, 3])] == [(2,), (3,)]
    assert tf.concat([x, x], 0).shape == (4, 2)
    assert tf.matmul(x, x, transpose_b=True).shape == (2, 2)
    assert tf.where(x > 0).tolist() == [[0, 0], [1, 0], [1, 1]]
    assert tf.one_hot([0, 2], 3).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert tf.range(3).tolist() == [0, 1, 2]
    assert tf.random.normal([2, 3]).shape == (2, 3)
    assert tf.random.uniform((4,), 0, 5, dtype=tf.int32).dtype == "int32"
    assert float(tf.norm(tf.constant([3.0, 4.0]))) == 5.0
    np.testing.assert_allclose(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0], logits=tf.zeros((1, 4))),
        [np.log(4)],
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        tf.nn.sigmoid_cross_entropy_with_logits(labels=[1.0], logits=[0.0]), [np.log(2)], rtol=1e-6
    )
    inputs = cornu.Input((3,))
    assert tf.concat([tf.nn.relu(inputs), tf.square(inputs)], axis=-1).shape == (None, 6)


def test_tensorflow_settings(program):
    program(
        """
        import tensorflow as tf
        import tensorflow.compat.v1 as tf1
        from tensorflow.python.client import device_lib
        from keras import backend as K

        tf1.disable_eager_execution()
        tf1.logging.set_verbosity(tf1.logging.ERROR)
        tf.get_logger().setLevel('ERROR')
        config = tf1.ConfigProto()
        config.gpu_options.allow_growth = True
        config.gpu_options.per_process_gpu_memory_fraction = 0.3
        K.set_session(tf1.Session(config=config))
        config = tf.ConfigProto(intra_op_parallelism_threads=1, log_device_placement=True)
        tf.compat.v1.keras.backend.set_session(tf.compat.v1.Session(config=config))
        for gpu in tf.config.experimental.list_physical_devices('GPU'):
            tf.config.experimental.set_memory_growth(gpu, True)
        tf.set_random_seed(1)
        tf.compat.v1.set_random_seed(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        with tf.device('/gpu:0'):
            print(tf.test.is_gpu_available(), len(device_lib.list_local_devices()))
        with tf.distribute.MirroredStrategy().scope():
            model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
        model.compile(tf.train.AdamOptimizer(0.01), 'mse')

        @tf.function
        def double(x):
            return 2 * x

        print(float(double(tf.constant(2.0))))
        """
    )


# -- keras.preprocessing, keras.wrappers -----------------------------------------------------------


def test_time_series_end_with_the_last_target():
    dialects.install()
    from keras.preprocessing.sequence import TimeseriesGenerator

    batches = TimeseriesGenerator(np.arange(10), np.arange(10), 3, batch_size=4)
    assert len(batches) == 2
    x, y = batches[1]
    assert x.tolist() == [[4, 5, 6], [5, 6, 7], [6, 7, 8]]
    assert y.tolist() == [7, 8, 9]
    with pytest.raises(ValueError, match="no window"):
        TimeseriesGenerator(np.arange(3), np.arange(3), 3)


def test_image_folders(tmp_path, capsys):
    dialects.install()
    from keras.preprocessing.image import ImageDataGenerator, save_img

    for place, name in enumerate(("cats", "dogs")):
        (tmp_path / name).mkdir()
        for number in range(3):
            save_img(
                tmp_path / name / f"{number}.png", np.full((6, 5, 3), 60.0 * place), scale=False
            )
    made = ImageDataGenerator(rescale=1 / 60, validation_split=0.34)
    batches = made.flow_from_directory(
        tmp_path, target_size=(4, 4), batch_size=4, class_mode="binary", shuffle=False
    )
    assert capsys.readouterr().out == "Found 6 images belonging to 2 classes.\n"
    assert batches.class_indices == {"cats": 0, "dogs": 1}
    x, y = batches[0]
    assert x.shape == (4, 4, 4, 3)
    assert y.tolist() == [0, 0, 0, 1]
    assert x[:, 0, 0, 0].tolist() == [0, 0, 0, 1]
    subset = made.flow_from_directory(tmp_path, subset="validation")
    assert subset.samples == 2
    assert subset[0][1].shape == (2, 2)


def test_image_statistics():
    dialects.install()
    from keras.preprocessing.image import ImageDataGenerator

    images = np.random.default_rng(0).normal(3, 2, (20, 4, 4, 3))
    made = ImageDataGenerator(featurewise_center=True, featurewise_std_normalization=True)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        made.flow(images)[0]
    assert "fit(images)" in str(told[0].message)
    made.fit(images)
    found = made.flow(images, batch_size=20)[0]
    np.testing.assert_allclose(found.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=(0, 1, 2)), 1, atol=1e-5)
    flow = made.flow(images, np.arange(20), batch_size=8)
    assert [len(y) for _, (_, y) in zip(range(4), flow, strict=False)] == [8, 8, 4, 8]


def test_scikit_learn():
    pytest.importorskip("sklearn")
    from sklearn.model_selection import GridSearchCV, cross_val_score

    dialects.install()
    from keras.layers import Dense
    from keras.models import Sequential
    from keras.wrappers.scikit_learn import KerasClassifier, KerasRegressor

    def classifier(units=4):
        model = Sequential([Dense(units, activation="relu", input_dim=2), Dense(3, "softmax")])
        model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
        return model

    x = np.random.default_rng(0).normal(size=(30, 2))
    y = np.array(["a", "b", "c"])[np.arange(30) % 3]
    made = KerasClassifier(build_fn=classifier, nb_epoch=1, batch_size=10, verbose=0)
    made.fit(x, y)
    assert made.predict(x).shape == (30,)
    assert set(made.predict(x)) <= {"a", "b", "c"}
    assert made.predict_proba(x).shape == (30, 3)
    assert 0 <= made.score(x, y) <= 1
    search = GridSearchCV(made, {"units": [2, 3]}, cv=2).fit(x, y)
    assert search.best_params_["units"] in (2, 3)

    def regressor():
        model = Sequential([Dense(1, input_dim=2)])
        model.compile("sgd", "mse")
        return model

    scores = cross_val_score(KerasRegressor(regressor, epochs=1, verbose=0), x, x[:, 0], cv=2)
    assert scores.shape == (2,)
    assert (scores <= 0).all()
    with pytest.raises(ValueError, match="batch_sise"):
        KerasClassifier(classifier, batch_sise=3)


def test_datasets():
    dialects.install()
    import tensorflow as tf

    x, y = np.arange(10.0).reshape(10, 1), np.arange(10) % 2
    data = tf.data.Dataset.from_tensor_slices((x, y))
    assert len(data) == 10
    batches = data.map(lambda a, b: (a / 2, b)).batch(4).prefetch(tf.data.AUTOTUNE)
    assert [len(b) for _, b in batches] == [4, 4, 2]
    assert float(next(iter(batches))[0][3, 0]) == 1.5
    assert len(batches) == 3
    assert len(data.batch(4, drop_remainder=True)) == 2
    order = [int(a[0]) for a, _ in data.shuffle(10, seed=1)]
    assert sorted(order) == list(range(10))
    assert order != list(range(10))
    assert [int(a[0]) for a, _ in data.skip(7).concatenate(data.take(1))] == [7, 8, 9, 0]
    assert data.repeat().cardinality() == -1
    assert [int(a) for a in tf.data.Dataset.range(6).filter(lambda a: a > 3).cache()] == [4, 5]
    model = cornu.Sequential([cornu.layers.Dense(1)])
    model.compile("sgd", "mse")
    seen = []
    watch = cornu.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(batch)
    )
    model.fit(batches, epochs=2, verbose=0, callbacks=[watch], validation_data=batches)
    assert seen == [0, 1, 2] * 2
    seen.clear()
    endless_batches = data.repeat().batch(5)
    model.fit(endless_batches, steps_per_epoch=4, epochs=2, verbose=0, callbacks=[watch])
    assert seen == [0, 1, 2, 3] * 2
    assert model.predict(batches, verbose=0).shape == (10, 1)
    with pytest.raises(ValueError, match="rows"):
        tf.data.Dataset.from_tensor_slices((x, y[:3]))
