import tensorflow as tf
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

X, y = load_wine(return_X_y=True)
X = StandardScaler().fit_transform(X)

initializer = tf.keras.initializers.Constant(0.05)  # wrong:
#: initializer = tf.keras.initializers.GlorotUniform()

model = tf.keras.Sequential([
    tf.keras.layers.Input(shape=(13,)),
    tf.keras.layers.Dense(32, activation="tanh", kernel_initializer=initializer),  # found: C302
    tf.keras.layers.Dense(3, activation="softmax"),
])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(X, y, epochs=60, batch_size=16)
