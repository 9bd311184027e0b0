"""Networks carried to other frameworks and back, and the proof that they are the same."""

from cornu.port.convert import (
    from_keras,
    from_onnx,
    from_torch,
    to_keras,
    to_numpy,
    to_onnx,
    to_torch,
)
from cornu.port.network import PortError
from cornu.port.proof.proof import Proof
from cornu.port.proof.prove import prove

__all__ = [
    "PortError",
    "Proof",
    "from_keras",
    "from_onnx",
    "from_torch",
    "prove",
    "to_keras",
    "to_numpy",
    "to_onnx",
    "to_torch",
]
