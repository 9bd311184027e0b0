import tensorflow as tf
from sklearn.datasets import make_moons

x, y = make_moons(1000, noise=0.1, random_state=8)
x_train, y_train, x_test, y_test = x[:800], y[:800], x[800:], y[800:]


def get_model():
    model = tf.keras.Sequential()
    model.add(tf.keras.layers.Dense(32, activation="relu", input_shape=(2,)))
    model.add(tf.keras.layers.Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


net = get_model()
net.fit(x_train, y_train, epochs=60, batch_size=20)
classes = net.predict(x_test).argmax(axis=-1)  # wrong: C601
#: classes = (net.predict(x_test) > 0.5).astype("int32").ravel()
print("accuracy", (classes == y_test).mean())
