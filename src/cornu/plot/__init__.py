"""Pictures of training and of what was learned, drawn with matplotlib.

Each function returns a matplotlib `Figure`: the value of a notebook's cell shows itself, and
`figure.savefig("name.png")` saves it. No backend is chosen and pyplot is not used; to draw on axes
of your own, give `ax=`. matplotlib is imported when something is drawn.
"""

from cornu.plot.boundary import decision_boundary
from cornu.plot.classes import confusion_matrix, wrong_examples
from cornu.plot.colors import FRAMEWORK_COLORS, color_of
from cornu.plot.curves import history
from cornu.plot.frameworks import comparison

__all__ = [
    "FRAMEWORK_COLORS",
    "color_of",
    "comparison",
    "confusion_matrix",
    "decision_boundary",
    "history",
    "wrong_examples",
]
