import tensorflow as tf
from sklearn.datasets import load_digits

digits = load_digits()
images, labels = digits.images / 16.0, digits.target
BATCH_SIZE = 64

train_ds = tf.data.Dataset.from_tensor_slices((images[:1500], labels[:1500]))
train_ds = train_ds.shuffle(1500).batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE)
test_ds = tf.data.Dataset.from_tensor_slices((images[1500:], labels[1500:])).batch(BATCH_SIZE)


def scale(image, label):
    return tf.cast(image, tf.float32) * 2.0 - 1.0, label


train_ds = train_ds.map(scale)
test_ds = test_ds.map(scale)

model = tf.keras.Sequential([
    tf.keras.layers.Flatten(input_shape=(8, 8)),
    tf.keras.layers.Dense(128, activation=tf.nn.relu),
    tf.keras.layers.Dense(10, activation=tf.nn.softmax),  # wrong:
    #: tf.keras.layers.Dense(10),
])
loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)  # found: C101
model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
model.fit(train_ds, epochs=10, validation_data=test_ds)
