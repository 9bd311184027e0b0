"""What layers and models bring into training - state, masks, added losses, frozen parts, overridden
steps - beside Keras."""

import numpy as np
import pytest

from .training_pairs import (
    cornu,
    keras,
    mlp,
    one_hot,
    pair,
    rows,
    same_evaluation,
    same_numbers,
    same_training,
)

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SPARSE = {"optimizer": "sgd", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
X, Y = rows()
FIT = {"x": X, "y": Y, "epochs": 3, "batch_size": 8}
WORDS = np.random.default_rng(3).integers(0, 6, size=(53, 5))
WORDS[:, 0] = np.maximum(WORDS[:, 0], 1)


def softmax(k):
    return k.layers.Dense(3, activation="softmax")


# -- layers ---------------------------------------------------------------------------------------


def normalized(k):
    return k.Sequential(
        [
            k.Input((4,)),
            k.layers.Dense(8),
            k.layers.BatchNormalization(momentum=0.8),
            k.layers.ReLU(),
            k.layers.LayerNormalization(),
            softmax(k),
        ]
    )


def regularized(k):
    return k.Sequential(
        [
            k.Input((4,)),
            k.layers.Dense(
                8,
                activation="relu",
                kernel_regularizer=k.regularizers.L1L2(0.01, 0.02),
                bias_regularizer="l2",
                activity_regularizer=k.regularizers.L2(0.05),
            ),
            k.layers.ActivityRegularization(l1=0.01),
            k.layers.Dense(3, activation="softmax", kernel_regularizer="l1"),
        ]
    )


def constrained(k):
    return k.Sequential(
        [
            k.Input((4,)),
            k.layers.Dense(8, kernel_constraint="max_norm", bias_constraint="non_neg"),
            k.layers.Dense(3, "softmax", kernel_constraint=k.constraints.UnitNorm()),
        ]
    )


def own_layer(k):
    class Scaled(k.layers.Layer):
        def __init__(self, factor=2.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def build(self, input_shape):
            self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")
            self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, inputs, training=None):
            if training:
                self.count.assign_add(1.0)
                self.add_loss(0.1 * k.ops.sum(k.ops.square(self.scale)))
            return inputs * self.scale * self.factor

    return k.Sequential([k.Input((4,)), Scaled(), k.layers.Dense(8, "relu"), softmax(k)])


def frozen_layer(k):
    model = k.Sequential(
        [
            k.Input((4,)),
            k.layers.Dense(8, activation="relu", trainable=False, kernel_regularizer="l2"),
            k.layers.BatchNormalization(),
            softmax(k),
        ]
    )
    model.layers[1].trainable = False
    return model


def nested(k):
    inner = k.Sequential([k.Input((8,)), k.layers.Dense(6, "relu"), k.layers.BatchNormalization()])
    inputs = k.Input((4,))
    hidden = inner(k.layers.Dense(8, "tanh")(inputs))
    return k.Model(inputs, softmax(k)(hidden))


def shared(k):
    inputs = k.Input((4,))
    layer = k.layers.Dense(4, activation="tanh", kernel_regularizer="l2")
    return k.Model(inputs, softmax(k)(k.layers.add([layer(layer(inputs)), layer(inputs)])))


def functions(k):
    """Operations called on symbolic tensors without a layer."""
    inputs = k.Input((4,))
    hidden = k.layers.Dense(8)(inputs)
    hidden = k.ops.tanh(hidden) * 2.0 + k.ops.mean(hidden, axis=-1, keepdims=True)
    return k.Model(inputs, softmax(k)(hidden))


def subclassed(k):
    class Net(k.Model):
        def __init__(self):
            super().__init__()
            self.first = k.layers.Dense(8, activation="relu")
            self.norm = k.layers.BatchNormalization()
            self.last = [softmax(k)]

        def call(self, inputs, training=False):
            hidden = self.first(inputs)
            if training:
                hidden = hidden * 0.5
            return self.last[0](self.norm(hidden, training=training))

    return Net()


MODELS = [
    normalized,
    regularized,
    constrained,
    own_layer,
    frozen_layer,
    nested,
    shared,
    functions,
    subclassed,
]


@pytest.mark.parametrize("build", MODELS, ids=lambda build: build.__name__)
def test_trains_as_in_keras(build):
    theirs, ours = pair(build, SPARSE, example=X[:2])
    same_training(theirs, ours, {**FIT, "validation_split": 0.2}, evaluate=(X, Y))
    same_numbers(ours.predict(X, verbose=0), theirs.predict(X, verbose=0), rtol=1e-4, atol=2e-5)


def test_deferred_sequential():
    """Without an Input, the weights are made when fit meets the data."""
    made = []
    for k in (keras, cornu):
        model = k.Sequential([k.layers.Dense(8, "relu", kernel_initializer="ones"), softmax(k)])
        model.layers[1].kernel_initializer = k.initializers.Constant(0.1)
        model.compile(**SPARSE)
        made.append(model)
    same_training(*made, FIT, evaluate=(X, Y))


def test_freezing_between_fits():
    theirs, ours = pair(mlp, SPARSE)
    same_training(theirs, ours, FIT)
    for model in (theirs, ours):
        model.layers[0].trainable = False
        model.compile(**SPARSE)
    before = ours.get_weights()[0].copy()
    same_training(theirs, ours, FIT)
    np.testing.assert_array_equal(ours.get_weights()[0], before)


def test_whole_model_frozen():
    theirs, ours = pair(normalized, SPARSE)
    for model in (theirs, ours):
        model.trainable = False
        model.compile(**SPARSE)
    before = ours.get_weights()
    same_numbers(ours.evaluate(X, Y, verbose=0), theirs.evaluate(X, Y, verbose=0))
    same_numbers(ours.get_weights(), before, rtol=0, atol=0)


# -- masks ----------------------------------------------------------------------------------------


def tagger(k):
    """A class for each word; the padding, word 0, is masked."""
    inputs = k.Input((5,), dtype="int32")
    hidden = k.layers.Embedding(6, 4, mask_zero=True)(inputs)
    return k.Model(inputs, k.layers.Dense(3, activation="softmax")(hidden))


def test_masks_in_the_loss():
    """Metrics are compared in `evaluate`: in training, Keras on JAX loses the masks before them."""
    y = np.random.default_rng(4).integers(0, 3, size=WORDS.shape)
    theirs, ours = pair(tagger, {**SPARSE, "weighted_metrics": ["acc"]})
    weights = np.linspace(0.1, 2, WORDS.size).reshape(WORDS.shape).astype("float32")
    for more in ({}, {"sample_weight": weights}):
        histories = [
            model.fit(WORDS, y, epochs=2, batch_size=16, shuffle=False, verbose=0, **more).history
            for model in (theirs, ours)
        ]
        same_numbers(histories[1]["loss"], histories[0]["loss"])
        same_numbers(ours.get_weights(), theirs.get_weights())
        same_evaluation(theirs, ours, WORDS, y)
        same_evaluation(theirs, ours, WORDS, y, **more)


def test_masking_layer_and_pooling():
    def build(k):
        return k.Sequential(
            [
                k.Input((5, 2)),
                k.layers.Masking(),
                k.layers.Dense(4, "relu"),
                k.layers.GlobalAveragePooling1D(),
                softmax(k),
            ]
        )

    x = np.random.default_rng(6).normal(size=(53, 5, 2)).astype("float32")
    x[::2, 3:] = 0
    theirs, ours = pair(build, SPARSE)
    same_training(theirs, ours, {"x": x, "y": Y, "epochs": 2}, evaluate=(x, Y))


# -- optimizers' settings -------------------------------------------------------------------------

OPTIMIZERS = {
    "EMA": lambda k: k.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9),
    "EMA overwriting": lambda k: k.optimizers.Adam(
        0.01, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=3
    ),
    "accumulation": lambda k: k.optimizers.Adam(0.01, gradient_accumulation_steps=3),
    "accumulation with weight decay": lambda k: k.optimizers.AdamW(
        0.01, weight_decay=0.1, gradient_accumulation_steps=2
    ),
    "clipnorm": lambda k: k.optimizers.SGD(0.5, clipnorm=0.1),
    "global_clipnorm": lambda k: k.optimizers.Adam(0.05, global_clipnorm=0.1),
    "schedule": lambda k: k.optimizers.SGD(
        k.optimizers.schedules.PiecewiseConstantDecay([4, 12], [0.5, 0.1, 0.01])
    ),
    "loss scale": lambda k: k.optimizers.LossScaleOptimizer(
        k.optimizers.SGD(0.1), initial_scale=1024.0
    ),
}


@pytest.mark.parametrize("case", OPTIMIZERS)
def test_optimizer_settings(case):
    theirs, ours = pair(mlp, lambda k: {**SPARSE, "optimizer": OPTIMIZERS[case](k)})
    same_training(theirs, ours, {**FIT, "validation_split": 0.2}, evaluate=(X, Y), rtol=5e-5)


def test_callbacks_that_change_the_learning_rate():
    theirs, ours = pair(mlp, {**SPARSE, "optimizer": "adam"})

    def fit(k):
        return {
            **FIT,
            "epochs": 5,
            "validation_split": 0.2,
            "callbacks": [
                k.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
                k.callbacks.ReduceLROnPlateau(monitor="val_accuracy", patience=1, min_delta=0.2),
            ],
        }

    history = same_training(theirs, ours, fit)
    assert "learning_rate" in history


def test_early_stopping_restores_the_best_weights():
    """The best epoch is taken to be the one with the most loss: the first."""
    theirs, ours = pair(mlp, SPARSE)

    def fit(k):
        stop = k.callbacks.EarlyStopping(
            monitor="val_loss", mode="max", patience=2, restore_best_weights=True
        )
        return {**FIT, "epochs": 30, "validation_split": 0.2, "callbacks": [stop]}

    history = same_training(theirs, ours, fit)
    assert len(history["loss"]) == 3


# -- overridden steps -----------------------------------------------------------------------------


def test_own_compute_loss():
    def build(k):
        class Net(k.Model):
            def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
                loss = k.ops.mean(k.ops.square(y_pred - y))
                return loss + 0.01 * k.ops.sum(self.trainable_variables[0] ** 2)

        inputs = k.Input((4,))
        return Net(inputs, softmax(k)(k.layers.Dense(8, "relu")(inputs)))

    theirs, ours = pair(build, {"optimizer": "sgd", "metrics": ["mae"]})
    same_training(theirs, ours, {**FIT, "y": one_hot(Y)}, evaluate=(X, one_hot(Y)))


def test_own_compute_loss_without_training():
    """The signature of before Keras 3.3."""

    def build(k):
        class Net(k.Model):
            def compute_loss(self, x, y, y_pred, sample_weight):
                return 2 * super().compute_loss(x, y, y_pred, sample_weight)

        inputs = k.Input((4,))
        return Net(inputs, softmax(k)(inputs))

    theirs, ours = pair(build, SPARSE)
    same_training(theirs, ours, FIT)


def test_own_compute_metrics():
    def build(k):
        class Net(k.Model):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self.largest = k.metrics.Mean(name="largest")

            def compute_metrics(self, x, y, y_pred, sample_weight=None):
                results = super().compute_metrics(x, y, y_pred, sample_weight)
                self.largest.update_state(k.ops.max(y_pred, axis=-1))
                results["largest"] = self.largest.result()
                results["twice"] = 2 * self.largest.result()
                return results

        inputs = k.Input((4,))
        return Net(inputs, softmax(k)(inputs))

    theirs, ours = pair(build, SPARSE)
    same_training(theirs, ours, {**FIT, "validation_split": 0.2})


def test_autoencoder_of_an_own_loss_in_call():
    """No loss in compile: what layers add is all there is."""

    def build(k):
        class Net(k.Model):
            def __init__(self):
                super().__init__()
                self.narrow = k.layers.Dense(2)
                self.wide = k.layers.Dense(4)

            def call(self, inputs):
                outputs = self.wide(self.narrow(inputs))
                self.add_loss(k.ops.mean((outputs - inputs) ** 2))
                return outputs

        return Net()

    theirs, ours = pair(build, {"optimizer": "sgd"}, example=X[:2])
    same_training(theirs, ours, {"x": X, "epochs": 3, "batch_size": 8})


# -- the ways to run ------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [normalized, regularized, own_layer], ids=lambda b: b.__name__)
def test_eager_and_compiled_are_equal(build):
    compiled, eager = build(cornu), build(cornu)
    compiled.compile(**SPARSE)
    eager.compile(**SPARSE, run_eagerly=True)
    eager.set_weights(compiled.get_weights())
    same_training(compiled, eager, {**FIT, "validation_split": 0.2}, evaluate=(X, Y))
    same_numbers(eager.predict(X, verbose=0), compiled.predict(X, verbose=0), rtol=1e-4)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(policy):
    def build(k):
        return k.Sequential(
            [
                k.Input((4,)),
                k.layers.Dense(8, "tanh", dtype=policy),
                k.layers.BatchNormalization(dtype=policy),
                k.layers.Dense(3, "softmax", dtype=policy),
            ]
        )

    theirs, ours = pair(build, SPARSE)
    assert all(w.dtype == np.float32 for w in ours.get_weights())
    # eight bits of mantissa: the order of additions shows
    same_training(theirs, ours, FIT, rtol=0.05, atol=0.02)
    assert str(np.asarray(ours(X[:2])).dtype) == policy.removeprefix("mixed_")
