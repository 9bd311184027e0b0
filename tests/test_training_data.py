"""Where training data may come from: the same rows in another form train to the same numbers."""

import threading

import numpy as np
import pytest

import cornu as keras
from cornu import layers
from cornu.data.source import ArraySource

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4)).astype("float32")
Y = (X @ RNG.normal(size=(4, 3))).argmax(-1)
START = [RNG.normal(size=(4, 3)).astype("float32"), np.zeros(3, "float32")]


def network():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.set_weights(START)
    return model


def trained(*data, **arguments):
    model = network()
    arguments = {"epochs": 3, "batch_size": 16, "shuffle": False, "verbose": 0, **arguments}
    return model.fit(*data, **arguments).history, model.get_weights()


@pytest.fixture(scope="module")
def expected():
    return trained(X, Y)


def same(found, expected):
    assert found[0] == expected[0]
    for one, other in zip(found[1], expected[1], strict=True):
        np.testing.assert_array_equal(one, other)


def batches(size=16):
    for start in range(0, len(X), size):
        yield X[start : start + size], Y[start : start + size]


class Batches:
    """A sequence of batches, as keras.utils.PyDataset is one."""

    ends = 0

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return X[16 * index : 16 * index + 16], Y[16 * index : 16 * index + 16]

    def on_epoch_end(self):
        self.ends += 1


class Iterable:
    """Batches again and again, their number unknown."""

    def __iter__(self):
        return batches()


FORMS = {
    "float64": lambda: (X.astype("float64"), Y),
    "int64 labels": lambda: (X, Y.astype("int64")),
    "uint8 labels": lambda: (X, Y.astype("uint8")),
    "column of labels": lambda: (X, Y[:, None]),
    "lists": lambda: (X.tolist(), Y.tolist()),
    "Fortran order": lambda: (np.asfortranarray(X), Y),
    "a view": lambda: (np.concatenate([X, X], axis=1)[:, :4], Y),
    "streamed arrays": lambda: (ArraySource(X, Y, None, 16, False, resident=False),),
    "sequence": lambda: (Batches(),),
    "iterable": lambda: (Iterable(),),
    "keras.utils.PyDataset": lambda: (type("Data", (Batches, keras.utils.PyDataset), {})(),),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(form, expected):
    data = FORMS[form]()
    arguments = {} if len(data) == 2 else {"batch_size": None}
    same(trained(*data, **arguments), expected)


def test_device_arrays(expected):
    import jax

    same(trained(jax.device_put(X), jax.device_put(Y.astype("int32"))), expected)


def test_pandas(expected):
    pandas = pytest.importorskip("pandas")
    same(trained(pandas.DataFrame(X), pandas.Series(Y)), expected)
    shuffled_index = pandas.DataFrame(X, index=range(100, 50, -1))
    same(trained(shuffled_index, pandas.Series(Y, index=range(50))), expected)


def test_memory_mapped_file(expected, tmp_path):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    same(trained(mapped, Y), expected)
    same(
        trained(ArraySource(mapped, Y, None, 16, False, resident=False), batch_size=None), expected
    )


def test_data_is_not_changed():
    x, y = X.copy(), Y.copy()
    trained(x, y, shuffle=True)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)


def test_changed_data_is_seen_by_the_next_fit():
    x = X.copy()
    model = network()
    first = model.evaluate(x, Y, verbose=0)
    x *= 3
    assert model.evaluate(x, Y, verbose=0) != first


def test_shuffling_draws_every_epoch_from_numpy():
    def losses(seed):
        np.random.seed(seed)
        return trained(X, Y, shuffle=True)[0]["loss"]

    assert losses(1) == losses(1)
    assert losses(1) != losses(2)


def test_every_row_is_taken_once_in_an_epoch():
    seen = []

    class Watched(layers.Layer):
        def call(self, inputs):
            seen.append(np.asarray(inputs))
            return inputs

        def compute_output_shape(self, input_shape):
            return input_shape

    rows = np.arange(50, dtype="float32")[:, None]
    model = keras.Sequential([Watched(trainable=False), layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    model.build((None, 1))
    for shuffle in (True, "batch", False):
        seen.clear()
        model.fit(rows, rows, batch_size=16, shuffle=shuffle, verbose=0)
        assert [len(part) for part in seen] == [16, 16, 16, 2]
        order = np.concatenate(seen)[:, 0]
        assert sorted(order) == list(range(50))
        assert (order.tolist() == list(range(50))) == (shuffle is False)


def test_class_weight_for_a_generator():
    weights = {0: 3.0, 1: 0.5}

    def forever():
        while True:
            yield from batches()

    found = trained(
        forever(), batch_size=None, shuffle=True, steps_per_epoch=4, class_weight=weights
    )
    same(found, trained(X, Y, class_weight=weights))


def test_a_sequence_is_told_of_each_epoch():
    data = Batches()
    trained(data, batch_size=None)
    assert data.ends == 3


def test_a_sequence_is_shuffled_by_whole_batches():
    class Numbered(Batches):
        def __init__(self):
            self.order = []

        def __getitem__(self, index):
            self.order.append(index)
            return super().__getitem__(index)

    data = Numbered()
    np.random.seed(0)
    trained(data, batch_size=None, shuffle=True, epochs=6)
    epochs = np.array(data.order[-24:]).reshape(6, 4)
    assert (np.sort(epochs, axis=1) == np.arange(4)).all()
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_a_generator_is_read_only_as_far_as_needed():
    """Reading ahead must not read what training will not take from the next fit."""
    taken = []

    def counted():
        for number in range(1000):
            taken.append(number)
            yield X[:16], Y[:16]

    data = counted()
    trained(data, batch_size=None, epochs=2, steps_per_epoch=3)
    # read ahead, but not the whole of it
    assert 6 <= len(taken) < 200


def test_nothing_runs_on_after_fit():
    def forever():
        while True:
            yield X[:16], Y[:16]

    before = set(threading.enumerate())
    trained(forever(), batch_size=None, steps_per_epoch=3)
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive(), thread.name


def test_batches_of_changing_shape():
    """Sentences of other lengths: each shape is a program of its own."""

    def sentences():
        for length in (3, 5, 3, 7):
            words = np.arange(4 * length).reshape(4, length) % 9
            yield words, words

    class Data:
        def __iter__(self):
            return sentences()

    model = keras.Sequential(
        [keras.Input((None,)), layers.Embedding(9, 4), layers.Dense(9, activation="softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    losses = model.fit(Data(), epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_more_rows_in_a_batch_than_there_are():
    same(trained(X, Y, batch_size=500), trained(X, Y, batch_size=50))


def test_predictions_come_in_the_order_of_the_rows():
    model = network()
    whole = model.predict(X, verbose=0, batch_size=50)
    np.testing.assert_allclose(model.predict(X, verbose=0, batch_size=7), whole, rtol=1e-6)
    np.testing.assert_allclose(model.predict(Batches(), verbose=0), whole, rtol=1e-6)
    np.testing.assert_allclose(model.predict_on_batch(X), whole, rtol=1e-6)
    np.testing.assert_allclose(np.asarray(model(X)), whole, rtol=1e-6)
    whole[:] = 0  # an array of one's own
