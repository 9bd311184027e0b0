"""What the text of a program tells of the year that it was written for.

Some calls mean one thing in one year's Keras and another in the next. What the rest of the program
is written like then decides.
"""

from __future__ import annotations

import functools
import linecache
import re

from cornu.core.places import caller_place

# Names and arguments of Keras 1 that Keras 2 renamed (keras/legacy/interfaces.py of Keras 2.0).
_KERAS_1 = re.compile(
    r"\b(?:nb_epoch|border_mode|subsample|dim_ordering|nb_filter|nb_row|nb_col|W_regularizer|"
    r"b_regularizer|samples_per_epoch|show_accuracy|nb_val_samples|inner_activation)\s*=|"
    r"\bConvolution[123]D\b|\bset_image_dim_ordering\b|\bnb_classes\b"
)
_TENSORFLOW = re.compile(r"\btensorflow\.(?:python\.)?keras\b|\btf\.keras\b")
_KERAS = re.compile(r"^\s*(?:from|import)\s+keras\b", re.MULTILINE)


def program_text() -> str:
    """The text of the file that the running call came from; empty where it cannot be read."""
    place = caller_place()
    return "".join(linecache.getlines(place.file)) if place is not None else ""


@functools.lru_cache(maxsize=8)
def is_keras_1(text: str) -> bool:
    """Whether a program uses names that Keras 1 had, and the package that had them.

    >>> is_keras_1("import keras\\nmodel.fit(x, y, nb_epoch=3)")
    True
    >>> is_keras_1("import keras\\nmodel.fit(x, y, epochs=3)")
    False
    """
    if _TENSORFLOW.search(text) and not _KERAS.search(text):
        return False
    return _KERAS_1.search(text) is not None


@functools.lru_cache(maxsize=64)
def reads_log(text: str, name: str) -> bool:
    """Whether a program reads a value of the logs by this name, or its value in validation.

    >>> reads_log("plt.plot(history.history['acc'])", "acc")
    True
    >>> reads_log("model.compile('sgd', 'mse', metrics=['acc'])", "acc")
    False
    >>> reads_log("EarlyStopping('val_acc')", "acc")
    True
    """
    word = re.escape(name)
    return (
        re.search(
            rf"""['"]val_{word}['"]|[\w\])]\s*\[\s*['"]{word}['"]\s*\]|\.get\(\s*['"]{word}['"]|"""
            rf"""monitor\s*=\s*['"]{word}['"]|\{{(?:val_)?{word}[:}}]""",
            text,
        )
        is not None
    )
