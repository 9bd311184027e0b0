"""What is wrong with a network and its training, told before it trains."""

from cornu.check.checking import Findings, all_rules, check_model
from cornu.check.diagnostic import Diagnostic, Edit
from cornu.core.check_settings import is_check_enabled, set_check

__all__ = [
    "Diagnostic",
    "Edit",
    "Findings",
    "check_model",
    "is_check_enabled",
    "all_rules",
    "set_check",
]
