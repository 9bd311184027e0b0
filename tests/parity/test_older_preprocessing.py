"""Sequences, text and images against those that Keras keeps for older programs."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from keras.src.legacy.preprocessing import image as their_image  # noqa: E402
from keras.src.legacy.preprocessing import sequence as their_sequence  # noqa: E402
from keras.src.legacy.preprocessing import text as their_text  # noqa: E402

import cornu.utils  # noqa: E402
from cornu.dialects.preprocessing import image, sequence, text  # noqa: E402

SEQUENCES = [[1], [2, 3], [], [4, 5, 6, 7]]


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize("maxlen", [None, 2, 6])
def test_pad_sequences(padding, truncating, maxlen):
    arguments = {"maxlen": maxlen, "padding": padding, "truncating": truncating, "value": -1}
    ours = cornu.utils.pad_sequences(SEQUENCES, **arguments)
    theirs = keras.utils.pad_sequences(SEQUENCES, **arguments)
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype


@pytest.mark.parametrize(
    ("sequences", "arguments"),
    [
        ([[1.7], [2.2, 3.9]], {}),
        ([[1.5], [2.5, 3.5]], {"dtype": "float32"}),
        ([[[1, 2]], [[3, 4], [5, 6]]], {}),
        ([["a"], ["b", "c"]], {"dtype": object, "value": ""}),
        (np.arange(6).reshape(2, 3), {"maxlen": 2}),
    ],
)
def test_pad_sequences_of_other_kinds(sequences, arguments):
    ours = cornu.utils.pad_sequences(sequences, **arguments)
    theirs = keras.utils.pad_sequences(sequences, **arguments)
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype


@pytest.mark.parametrize(
    ("sequences", "arguments"),
    [
        (3, {}),
        ([1, 2], {}),
        ([[1]], {"value": "a"}),
        ([[[1, 2]], [[3]]], {}),
        ([[1]], {"padding": "before"}),
        ([[1]], {"truncating": "before"}),
    ],
)
def test_pad_sequences_raises_the_same_error(sequences, arguments):
    for pad in (cornu.utils.pad_sequences, keras.utils.pad_sequences):
        with pytest.raises(ValueError):
            pad(sequences, **arguments)


TEXTS = ["The cat, the dog!", "A dog\tand a Cat", "dog dog, bird."]
NEW = ["the bird saw a cat", ""]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"num_words": 4},
        {"oov_token": "<OOV>"},
        {"num_words": 4, "oov_token": "<OOV>"},
        {"char_level": True},
        {"lower": False, "filters": ""},
    ],
)
def test_tokenizer(arguments):
    ours, theirs = text.Tokenizer(**arguments), their_text.Tokenizer(**arguments)
    for one in (ours, theirs):
        one.fit_on_texts(TEXTS)
    assert ours.word_index == theirs.word_index
    assert dict(ours.word_counts) == dict(theirs.word_counts)
    assert dict(ours.word_docs) == dict(theirs.word_docs)
    numbers = ours.texts_to_sequences(NEW)
    assert numbers == theirs.texts_to_sequences(NEW)
    assert ours.sequences_to_texts(numbers) == theirs.sequences_to_texts(numbers)
    assert ours.sequences_to_texts([[1, 99, 5]]) == theirs.sequences_to_texts([[1, 99, 5]])
    for mode in ("binary", "count", "freq", "tfidf"):
        np.testing.assert_allclose(
            ours.texts_to_matrix(TEXTS, mode), theirs.texts_to_matrix(TEXTS, mode)
        )
    again = text.tokenizer_from_json(theirs.to_json())
    assert again.texts_to_sequences(NEW) == numbers
    assert their_text.tokenizer_from_json(ours.to_json()).texts_to_sequences(NEW) == numbers


def test_words():
    for line in (*TEXTS, *NEW):
        assert text.text_to_word_sequence(line) == their_text.text_to_word_sequence(line)
        assert text.one_hot(line, 7) == their_text.one_hot(line, 7)
        assert text.hashing_trick(line, 7, "md5") == their_text.hashing_trick(line, 7, "md5")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"sampling_rate": 2, "stride": 3},
        {"reverse": True, "start_index": 2, "end_index": 15},
        {"batch_size": 128},
    ],
)
def test_time_series(arguments):
    arguments = {"batch_size": 4, **arguments}
    data, targets = np.arange(40).reshape(20, 2), np.arange(20)
    ours = sequence.TimeseriesGenerator(data, targets, 4, **arguments)
    theirs = their_sequence.TimeseriesGenerator(data, targets, 4, **arguments)
    assert len(ours) == len(theirs)
    for index in range(len(ours)):
        for one, other in zip(ours[index], theirs[index], strict=True):
            np.testing.assert_array_equal(one, other)


def test_words_near_each_other():
    np.testing.assert_allclose(
        sequence.make_sampling_table(50), their_sequence.make_sampling_table(50)
    )
    arguments = {"vocabulary_size": 6, "window_size": 2, "negative_samples": 0, "shuffle": False}
    words = [1, 2, 0, 3, 4, 5]
    assert sequence.skipgrams(words, **arguments) == their_sequence.skipgrams(words, **arguments)


IMAGE = np.random.default_rng(0).uniform(0, 255, (8, 6, 3)).astype("float32")


@pytest.mark.parametrize(
    "change",
    [
        {"channel_shift_intensity": 20.0},
        {"flip_horizontal": True},
        {"flip_vertical": True, "flip_horizontal": True},
        {"brightness": 0.5},
    ],
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_changes_of_images(change, data_format):
    picture = IMAGE if data_format == "channels_last" else IMAGE.transpose(2, 0, 1)
    if "brightness" in change and data_format == "channels_first":
        pytest.skip("Keras reads the image with the global order of axes there")
    ours = image.ImageDataGenerator(data_format=data_format).apply_transform(picture, change)
    theirs = their_image.ImageDataGenerator(data_format=data_format).apply_transform(
        picture, change
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        {"theta": 30},
        {"tx": 2, "ty": -1},
        {"shear": 20},
        {"zx": 1.2, "zy": 0.7},
        {"theta": 10, "tx": 1.5, "ty": 0.5, "shear": 5, "zx": 0.9, "zy": 1.1},
    ],
)
def test_moved_images(change, monkeypatch):
    import scipy.ndimage

    # Keras calls it by a name that SciPy warns of
    monkeypatch.setattr(scipy.ndimage, "interpolation", scipy.ndimage, raising=False)
    ours = image.ImageDataGenerator().apply_transform(IMAGE, change)
    theirs = their_image.ImageDataGenerator().apply_transform(IMAGE, change)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-3)


def test_one_image_at_a_time():
    arguments = {"rescale": 0.5, "samplewise_std_normalization": True}
    ours = image.ImageDataGenerator(samplewise_center=True, **arguments)
    theirs = their_image.ImageDataGenerator(samplewise_center=True, **arguments)
    np.testing.assert_allclose(
        ours.standardize(IMAGE), theirs.standardize(IMAGE.copy()), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("scale", [True, False])
def test_files_of_images(tmp_path, channels, scale):
    array = np.random.default_rng(1).uniform(0, 200, (7, 5, channels))
    ours, theirs = tmp_path / "ours.png", tmp_path / "theirs.png"
    cornu.utils.save_img(ours, array, scale=scale)
    keras.utils.save_img(theirs, array, scale=scale)
    mode = {1: "grayscale", 3: "rgb", 4: "rgba"}[channels]
    for size, keep in ((None, False), ((4, 9), False), ((4, 9), True)):
        arguments = {"color_mode": mode, "target_size": size, "keep_aspect_ratio": keep}
        found = cornu.utils.img_to_array(
            cornu.utils.load_img(ours, interpolation="bilinear", **arguments)
        )
        expected = keras.utils.img_to_array(
            keras.utils.load_img(theirs, interpolation="bilinear", **arguments)
        )
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype
