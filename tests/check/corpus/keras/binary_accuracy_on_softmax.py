import tensorflow as tf
from sklearn.datasets import load_wine
from sklearn.preprocessing import scale

x, y = load_wine(return_X_y=True)
x = scale(x)
y = tf.keras.utils.to_categorical(y, num_classes=3)

model = tf.keras.Sequential()
model.add(tf.keras.layers.Dense(24, activation="relu", input_shape=(13,)))
model.add(tf.keras.layers.Dense(3, activation="softmax"))
model.compile(
    optimizer="adam",
    loss="categorical_crossentropy",
    metrics=[tf.keras.metrics.BinaryAccuracy()],  # wrong: C114
    #: metrics=[tf.keras.metrics.CategoricalAccuracy()],
)
model.fit(x, y, epochs=40, batch_size=16)
