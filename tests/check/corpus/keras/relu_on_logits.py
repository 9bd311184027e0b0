import tensorflow as tf
from sklearn.datasets import make_blobs
from sklearn.model_selection import train_test_split

x, y = make_blobs(600, n_features=8, centers=5, random_state=6)
x = (x - x.mean(0)) / x.std(0)
x_train, x_test, y_train, y_test = train_test_split(x, y)


class Classifier(tf.keras.Model):
    def __init__(self):
        super(Classifier, self).__init__()
        self.d1 = tf.keras.layers.Dense(32, activation="relu")
        self.d2 = tf.keras.layers.Dense(5, activation="relu")  # wrong: C120
        #: self.d2 = tf.keras.layers.Dense(5)

    def call(self, inputs):
        return self.d2(self.d1(inputs))


model = Classifier()
model.compile(
    optimizer=tf.keras.optimizers.Adam(),
    loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(x_train, y_train, epochs=20)
model.evaluate(x_test, y_test)
