"""Constraints: what is done to a weight after each update."""

from cornu.constraints.constraint import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from cornu.constraints.lookup import deserialize, get, serialize

max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]
