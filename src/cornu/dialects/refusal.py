"""What stands for a name of Keras that Cornu will not have: it may be imported, not used."""

from __future__ import annotations

from typing import Any, NoReturn


class _Refusing(type):
    sentence: str

    def __call__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(cls.sentence)


def refusing(name: str, sentence: str) -> type:
    """A class that says why it is not there when it is called.

    >>> refusing("Graph", "Keras' Graph went in 2016")()
    Traceback (most recent call last):
    NotImplementedError: Keras' Graph went in 2016
    """
    return _Refusing(name, (), {"sentence": sentence, "__doc__": sentence})
