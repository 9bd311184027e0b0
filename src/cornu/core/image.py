"""Where images keep their channels: the `data_format` that layers get when none is given."""

from __future__ import annotations

_FORMATS = ("channels_last", "channels_first")
_settings = {"image_data_format": "channels_last"}


def image_data_format() -> str:
    """The order of axes that layers assume: `"channels_last"` unless it was set otherwise.

    >>> image_data_format()
    'channels_last'
    """
    return _settings["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    """Sets the order of axes that layers made from now on assume.

    Args:
        data_format: `"channels_last"`, (batch, rows, columns, channels), or `"channels_first"`,
            (batch, channels, rows, columns).

    Raises ValueError for anything else.

    >>> set_image_data_format("channels_last")
    """
    _settings["image_data_format"] = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """The order of axes meant by a layer's `data_format`; `None` is the one set for all layers.

    Raises ValueError for anything but the two known orders.

    >>> standardize_data_format("Channels_First")
    'channels_first'
    """
    if data_format is None:
        return image_data_format()
    known = str(data_format).lower()
    if known not in _FORMATS:
        raise ValueError(
            f"data_format={data_format!r}: expected 'channels_last' or 'channels_first'"
        )
    return known
