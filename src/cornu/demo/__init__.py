"""`cornu demo`: two small networks trained on data made on the spot, and pictures of them."""

from cornu.demo.program import EpochBar, run_demo

__all__ = ["EpochBar", "run_demo"]
