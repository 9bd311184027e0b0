"""`keras.preprocessing.text`: text as numbers.

Source of the behaviour: `keras.preprocessing.text` of Keras 2.
"""

from __future__ import annotations

import collections
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

__all__ = [
    "Tokenizer",
    "hashing_trick",
    "one_hot",
    "text_to_word_sequence",
    "tokenizer_from_json",
]

_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


def text_to_word_sequence(
    input_text: str,
    filters: str = _FILTERS,
    lower: bool = True,
    split: str = " ",
    text: str | None = None,
) -> list[str]:
    """The words of a text.

    Args:
        input_text: the text; `text` is its older name.
        filters: characters that separate words too.
        lower: whether to take capitals for small letters. Default True.
        split: what separates words.

    >>> text_to_word_sequence("Let it be, let it be!")
    ['let', 'it', 'be', 'let', 'it', 'be']
    """
    words = input_text if text is None else text
    if lower:
        words = words.lower()
    words = words.translate({ord(character): split for character in filters})
    return [word for word in words.split(split) if word]


def hashing_trick(
    text: str,
    n: int,
    hash_function: Callable | str | None = None,
    filters: str = _FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable | None = None,
) -> list[int]:
    """The words of a text as numbers from 1 to `n - 1`, which several words may share.

    Args:
        text: the text.
        n: how many numbers there are, 0 included.
        hash_function: `None`, Python's own, which differs from run to run; "md5", the same in each
            run; or a function.
        filters, lower, split: as for `text_to_word_sequence`.
        analyzer: a function from a text to its words.

    >>> hashing_trick("one two one", 10, "md5")
    [3, 6, 3]
    """
    number: Callable = hash_function if callable(hash_function) else hash
    if hash_function == "md5":

        def number(word: str) -> int:
            return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)

    words = analyzer(text) if analyzer else text_to_word_sequence(text, filters, lower, split)
    return [number(word) % (n - 1) + 1 for word in words]


def one_hot(
    input_text: str,
    n: int,
    filters: str = _FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable | None = None,
) -> list[int]:
    """`hashing_trick` by Python's own hash function: numbers, in spite of the name."""
    return hashing_trick(input_text, n, hash, filters, lower, split, analyzer)


class Tokenizer:
    """Numbers the words of texts, the most frequent one 1.

    Args:
        num_words: only words with a number below this one are used. Default `None`, all.
        filters, lower, split: as for `text_to_word_sequence`.
        char_level: whether each character is a word. Default False.
        oov_token: what stands for a word that is not known; its number is 1. Default `None`: such
            words are left out.
        analyzer: a function from a text to its words.

    Attributes:
        word_index, index_word: from a word to its number, and back.
        word_counts: how often a word was seen; word_docs: in how many texts.

    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(["a b b", "b c"])
    >>> tokenizer.texts_to_sequences(["c b", "d"])
    [[3, 1], []]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = _FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable | None = None,
        nb_words: int | None = None,
        document_count: int = 0,
    ):
        self.num_words = num_words if nb_words is None else nb_words
        self.filters, self.lower, self.split = filters, lower, split
        self.char_level, self.oov_token, self.analyzer = char_level, oov_token, analyzer
        self.document_count = document_count
        self.word_counts: dict[str, int] = collections.OrderedDict()
        self.word_docs: dict[str, int] = collections.defaultdict(int)
        self.index_docs: dict[int, int] = collections.defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def _words(self, text: Any) -> list[str]:
        if isinstance(text, list):
            return [word.lower() for word in text] if self.lower else text
        if self.char_level:
            return list(text.lower() if self.lower else text)
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Counts the words of texts (strings, or lists of words) and numbers them."""
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in set(words):
                self.word_docs[word] += 1
        # equally frequent words stay in the order in which they came
        by_count = sorted(self.word_counts, key=lambda word: -self.word_counts[word])
        vocabulary = by_count if self.oov_token is None else [self.oov_token, *by_count]
        self.word_index = {word: number for number, word in enumerate(vocabulary, 1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Iterable[Any]) -> None:
        """Counts numbers instead of words; for `sequences_to_matrix` without texts."""
        for sequence in sequences:
            self.document_count += 1
            for number in set(sequence):
                self.index_docs[number] += 1

    def _is_used(self, number: int | None) -> bool:
        return number is not None and not (self.num_words and number >= self.num_words)

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """Lists of the words' numbers."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Any]) -> Iterator[list[int]]:
        """The same one by one."""
        unknown = self.word_index.get(self.oov_token) if self.oov_token is not None else None
        for text in texts:
            numbers = [self.word_index.get(word) for word in self._words(text)]
            found = [number if self._is_used(number) else unknown for number in numbers]
            yield [number for number in found if number is not None]

    def sequences_to_texts(self, sequences: Iterable[Any]) -> list[str]:
        """The words of numbers, with spaces between."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Any]) -> Iterator[str]:
        """The same one by one."""
        for sequence in sequences:
            known = [number in self.index_word and self._is_used(number) for number in sequence]
            words = [
                self.index_word[number] if is_known else self.oov_token
                for number, is_known in zip(sequence, known, strict=True)
            ]
            yield " ".join(word for word in words if word is not None)

    def texts_to_matrix(self, texts: Iterable[Any], mode: str = "binary") -> np.ndarray:
        """`sequences_to_matrix` of texts."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: list, mode: str = "binary") -> np.ndarray:
        """A row for each sequence, a column for each number.

        Args:
            sequences: lists of numbers.
            mode: "binary", whether the number is there; "count", how often; "freq", in which
                share; "tfidf", how often, less for what is in many texts.

        Returns:
            A float64 array (sequences, num_words).

        Raises ValueError for another mode, and where nothing says how many columns there are.
        """
        modes = ("binary", "count", "freq", "tfidf")
        if mode not in modes:
            raise ValueError(f"sequences_to_matrix(mode={mode!r}): expected one of {modes}")
        if not self.num_words and not self.word_index:
            raise ValueError("sequences_to_matrix: pass num_words, or call fit_on_texts first")
        if mode == "tfidf" and not self.document_count:
            raise ValueError("sequences_to_matrix(mode='tfidf'): call fit_on_texts first")
        columns = self.num_words or len(self.word_index) + 1
        matrix = np.zeros((len(sequences), columns))
        for row, sequence in enumerate(sequences):
            for number, count in collections.Counter(sequence).items():
                if number >= columns:
                    continue
                matrix[row, number] = {
                    "binary": 1.0,
                    "count": count,
                    "freq": count / len(sequence),
                    "tfidf": (1 + np.log(count))
                    * np.log(1 + self.document_count / (1 + self.index_docs.get(number, 0))),
                }[mode]
        return matrix

    def get_config(self) -> dict:
        """What it knows, its tables as JSON."""
        plain = ("num_words", "filters", "lower", "split", "char_level", "oov_token")
        tables = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
        return {
            **{name: getattr(self, name) for name in (*plain, "document_count")},
            **{name: json.dumps(getattr(self, name)) for name in tables},
        }

    def to_json(self, **kwargs: Any) -> str:
        """What it knows as JSON; `kwargs` are for `json.dumps`."""
        return json.dumps({"class_name": "Tokenizer", "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The tokenizer that `to_json` wrote, here or in Keras."""
    config = json.loads(json_string)["config"]
    tables = {
        name: json.loads(config.pop(name))
        for name in ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
    }
    tokenizer = Tokenizer(**config)
    for name, table in tables.items():
        if name.startswith("index_"):  # the keys of JSON are strings
            table = {int(key): value for key, value in table.items()}
        getattr(tokenizer, name).update(table)
    return tokenizer
