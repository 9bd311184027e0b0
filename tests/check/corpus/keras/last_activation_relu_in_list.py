from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler
import tensorflow as tf

iris = load_iris()
X = iris["data"]
y = iris["target"]

enc = OneHotEncoder()
Y = enc.fit_transform(y[:, None]).toarray()
X_scaled = StandardScaler().fit_transform(X)
X_train, X_test, Y_train, Y_test = train_test_split(X_scaled, Y, test_size=0.5, random_state=2)


def create_custom_model(input_dim, output_dim, nodes, n=1, name="model"):
    model = tf.keras.Sequential(name=name)
    for _ in range(n):
        model.add(tf.keras.layers.Dense(nodes, activation="relu"))
    model.add(tf.keras.layers.Dense(output_dim, activation="relu"))  # wrong: C103
    #: model.add(tf.keras.layers.Dense(output_dim, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


for depth in range(1, 4):
    model = create_custom_model(4, 3, 8, depth, f"model_{depth}")
    model.fit(X_train, Y_train, epochs=50, batch_size=5, verbose=0, validation_data=(X_test, Y_test))
    print(depth, model.evaluate(X_test, Y_test, verbose=0))
