"""Dialects: programs written for Keras, as they are, on Cornu."""

from cornu.dialects.names import install, uninstall
from cornu.dialects.program import run_program

__all__ = ["install", "run_program", "uninstall"]
