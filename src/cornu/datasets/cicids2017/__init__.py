"""CICIDS2017: network flows, benign and of twelve kinds of attack, with 78 measurements each."""

from cornu.datasets.cicids2017.columns import CLASSES, FEATURES, LABELS
from cornu.datasets.cicids2017.loading import IntrusionData, load_data, load_heartbleed

__all__ = ["load_data", "load_heartbleed", "IntrusionData", "CLASSES", "FEATURES", "LABELS"]
