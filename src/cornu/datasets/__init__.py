"""Published data sets: found on this machine or fetched once, checked, and read into arrays."""

from cornu.datasets import cicids2017, cifar10, cifar100, fashion_mnist, mnist, readers

__all__ = ["mnist", "fashion_mnist", "cifar10", "cifar100", "cicids2017", "readers"]
