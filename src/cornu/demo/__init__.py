"""`cornu demo`: two small networks trained on data made on the spot, and pictures of them.

`film` and `pictures` are what the programs under `examples/` draw with as well.
"""

from cornu.demo.film import BoundaryFilm
from cornu.demo.program import EpochBar, run_demo

__all__ = ["BoundaryFilm", "EpochBar", "run_demo"]
