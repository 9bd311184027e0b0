"""Where batches come from: arrays on the device, or a stream read ahead in the background."""

from cornu.data.arrays import (
    class_weights_of,
    standardize,
    train_validation_split,
    unpack_x_y_sample_weight,
)
from cornu.data.source import ArraySource, Block, Source, StreamSource, make_source

__all__ = [
    "ArraySource",
    "Block",
    "Source",
    "StreamSource",
    "class_weights_of",
    "make_source",
    "standardize",
    "train_validation_split",
    "unpack_x_y_sample_weight",
]
