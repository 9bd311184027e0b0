"""The networks that are carried to other frameworks and back, small enough for a test.

Each builder makes a built, uncompiled model of the kind that its name says; `INPUTS` of shapes that
suit it are in the model itself. The first five are those of the articles.
"""

import numpy as np

import cornu
from cornu import layers as L


def moons():
    hidden = [L.Dense(units, activation="relu") for units in (25, 50, 50, 25)]
    return cornu.Sequential([L.Input((2,)), *hidden, L.Dense(1, activation="sigmoid")])


def mnist_mlp():
    return cornu.Sequential(
        [L.Input((784,)), L.Dense(128, "relu"), L.Dense(20, "relu"), L.Dense(10, "softmax")]
    )


def mnist_cnn():
    return cornu.Sequential(
        [
            L.Input((28, 28, 1)),
            L.Conv2D(8, 3, activation="relu"),
            L.Conv2D(16, 3, activation="relu"),
            L.MaxPooling2D(2),
            L.Dropout(0.25),
            L.Flatten(),
            L.Dense(32, activation="relu"),
            L.Dropout(0.5),
            L.Dense(10, activation="softmax"),
        ]
    )


def digits():
    return cornu.Sequential(
        [
            L.Input((28, 28, 1)),
            L.Conv2D(8, 5, padding="same", activation="relu"),
            L.BatchNormalization(),
            L.MaxPooling2D(2),
            L.Conv2D(8, 3, padding="same", activation="relu"),
            L.BatchNormalization(momentum=0.9, epsilon=1e-5),
            L.MaxPooling2D(2, strides=2),
            L.Dropout(0.25),
            L.Flatten(),
            L.Dense(32, activation="relu"),
            L.Dense(10, activation="softmax"),
        ]
    )


def intrusion():
    return cornu.Sequential(
        [
            L.Input((77,)),
            L.Dense(64, activation="relu"),
            L.Dense(32, activation="relu"),
            L.Dense(6, activation="softmax"),
        ]
    )


def lenet():
    return cornu.Sequential(
        [
            L.Input((28, 28, 1)),
            L.Conv2D(6, 5, padding="same", activation="tanh"),
            L.AveragePooling2D(),
            L.Conv2D(16, 5, activation="tanh"),
            L.AveragePooling2D(),
            L.Flatten(),
            L.Dense(120, activation="tanh"),
            L.Dense(84, activation="tanh"),
            L.Dense(10, activation="softmax"),
        ]
    )


def vgg_block():
    return cornu.Sequential(
        [
            L.Input((16, 16, 3)),
            *[L.Conv2D(8, 3, padding="same", activation="relu") for _ in range(2)],
            L.MaxPooling2D(2, strides=2),
            *[L.Conv2D(12, 3, padding="same", activation="relu") for _ in range(2)],
            L.MaxPooling2D(2, strides=2),
            L.Flatten(),
            L.Dense(20, activation="relu"),
            L.Dropout(0.5),
            L.Dense(5),
        ]
    )


def _residual(x, filters, strides=1):
    identity = x
    y = L.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
    y = L.BatchNormalization()(y)
    y = L.ReLU()(y)
    y = L.Conv2D(filters, 3, padding="same", use_bias=False)(y)
    y = L.BatchNormalization()(y)
    if strides != 1 or identity.shape[-1] != filters:
        identity = L.Conv2D(filters, 1, strides=strides, use_bias=False)(identity)
        identity = L.BatchNormalization()(identity)
    return L.ReLU()(L.Add()([y, identity]))


def resnet18():
    """ResNet-18 with a quarter of its smallest width, and its padded stem."""
    inputs = x = L.Input((32, 32, 3))
    x = L.ZeroPadding2D(3)(x)
    x = L.Conv2D(8, 7, strides=2, use_bias=False)(x)
    x = L.ReLU()(L.BatchNormalization()(x))
    x = L.MaxPooling2D(3, strides=2, padding="same")(x)
    for filters, strides in ((8, 1), (16, 2), (32, 2), (64, 2)):
        x = _residual(x, filters, strides)
        x = _residual(x, filters)
    x = L.GlobalAveragePooling2D()(x)
    return cornu.Model(inputs, L.Dense(10)(x))


def mobilenet_block():
    inputs = x = L.Input((12, 12, 3))
    x = L.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
    x = L.ReLU(6.0)(L.BatchNormalization()(x))
    for filters, strides in ((8, 1), (12, 2)):
        before = x
        x = L.Conv2D(24, 1, use_bias=False)(x)
        x = L.ReLU(6.0)(L.BatchNormalization()(x))
        x = L.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(x)
        x = L.ReLU(6.0)(L.BatchNormalization()(x))
        x = L.Conv2D(filters, 1, use_bias=False)(x)
        x = L.BatchNormalization()(x)
        if strides == 1 and before.shape[-1] == filters:
            x = L.Add()([before, x])
    x = L.SeparableConv2D(6, 3, padding="same", activation="relu")(x)
    return cornu.Model(inputs, L.Dense(4)(L.GlobalAveragePooling2D()(x)))


def densenet_block():
    inputs = x = L.Input((8, 8, 3))
    for _ in range(3):
        y = L.ReLU()(L.BatchNormalization()(x))
        y = L.Conv2D(12, 1, use_bias=False)(y)
        y = L.ReLU()(L.BatchNormalization()(y))
        y = L.Conv2D(4, 3, padding="same", use_bias=False)(y)
        x = L.Concatenate()([x, y])
    x = L.AveragePooling2D(2)(L.Conv2D(8, 1)(x))
    return cornu.Model(inputs, L.Dense(3, activation="softmax")(L.Flatten()(x)))


def unet():
    """Skip connections, upsampling and transposed convolutions; an image comes out."""
    inputs = L.Input((16, 16, 1))
    one = L.Conv2D(6, 3, padding="same", activation="relu")(inputs)
    two = L.Conv2D(8, 3, padding="same", activation="relu")(L.MaxPooling2D()(one))
    three = L.Conv2D(10, 3, padding="same", activation="relu")(L.MaxPooling2D()(two))
    up = L.Conv2DTranspose(8, 2, strides=2)(three)
    x = L.Conv2D(8, 3, padding="same", activation="relu")(L.Concatenate()([up, two]))
    up = L.UpSampling2D(2)(x)
    x = L.Conv2D(6, 3, padding="same", activation="relu")(L.Concatenate()([up, one]))
    return cornu.Model(inputs, L.Conv2D(2, 1, activation="softmax")(x))


def inception_block():
    inputs = L.Input((10, 10, 4))
    one = L.Conv2D(4, 1, activation="relu")(inputs)
    three = L.Conv2D(3, 1, activation="relu")(inputs)
    three = L.Conv2D(5, 3, padding="same", activation="relu")(three)
    five = L.Conv2D(3, 1, activation="relu")(inputs)
    five = L.Conv2D(4, 5, padding="same", activation="relu")(five)
    pooled = L.MaxPooling2D(3, strides=1, padding="same")(inputs)
    pooled = L.Conv2D(3, 1, activation="relu")(pooled)
    x = L.Concatenate()([one, three, five, pooled])
    return cornu.Model(inputs, L.Dense(3)(L.GlobalMaxPooling2D()(x)))


def autoencoder():
    return cornu.Sequential(
        [
            L.Input((12, 12, 1)),
            L.Conv2D(6, 3, strides=2, padding="same", activation="relu"),
            L.Flatten(),
            L.Dense(10, activation="relu"),
            L.Dense(6 * 6 * 4, activation="relu"),
            L.Reshape((6, 6, 4)),
            L.Conv2DTranspose(3, 3, strides=2, padding="same", activation="relu"),
            L.Conv2D(1, 3, padding="same", activation="sigmoid"),
        ]
    )


def conv1d():
    return cornu.Sequential(
        [
            L.Input((20, 3)),
            L.Conv1D(8, 5, padding="causal", activation="relu"),
            L.MaxPooling1D(2),
            L.Conv1D(6, 3, strides=2, padding="same"),
            L.LayerNormalization(),
            L.LeakyReLU(),
            L.Flatten(),
            L.Dense(4),
        ]
    )


def two_inputs():
    """Ids through an embedding, and features beside them."""
    ids = L.Input((6,), dtype="int32", name="ids")
    features = L.Input((3,), name="features")
    x = L.Embedding(11, 4)(ids)
    x = L.GlobalAveragePooling1D()(x)
    y = L.Dense(5, activation="gelu")(features)
    x = L.Concatenate()([x, y])
    x = L.Dense(6, activation="silu")(x)
    return cornu.Model([ids, features], L.Dense(1, activation="sigmoid")(x))


NETWORKS = (
    *(moons, mnist_mlp, mnist_cnn, digits, intrusion),
    *(lenet, vgg_block, resnet18, mobilenet_block, densenet_block),
    *(unet, inception_block, autoencoder, conv1d, two_inputs),
)


def filled(model, seed=0):
    """The model with every weight drawn anew: no bias 0, no variance 1, nothing alike."""
    generator = np.random.default_rng(seed)
    for variable in model.weights:
        values = generator.normal(0, 0.3, variable.shape)
        if variable.name in ("moving_variance", "gamma"):
            values = generator.uniform(0.5, 1.5, variable.shape)
        elif variable.name in ("kernel", "depthwise_kernel", "pointwise_kernel"):
            fan = max(1, int(np.prod(variable.shape[:-1])))
            values = generator.normal(0, fan**-0.5, variable.shape)
        variable.assign(values)
    return model


def batch(model, rows=3, seed=1):
    """Inputs that fit a model: a list of arrays, one for each input."""
    generator = np.random.default_rng(seed)
    return [
        generator.integers(0, 11, (rows, *tensor.shape[1:])).astype("int32")
        if str(tensor.dtype).startswith("int")
        else generator.normal(size=(rows, *tensor.shape[1:])).astype("float32")
        for tensor in model.inputs
    ]
