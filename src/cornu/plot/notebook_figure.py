"""The figures that `cornu.plot` returns.

The one module that imports matplotlib at its top: it is itself imported only where a figure is
made, and a class of its own here, unlike one made inside a function, can be pickled.
"""

from __future__ import annotations

import io
import sys
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


class NotebookFigure(Figure):
    """A matplotlib figure that needs no display and shows itself as the value of a notebook's cell.

    pyplot doesn't know of it: no backend is chosen, nothing has to be closed, and a notebook
    doesn't show it a second time at the end of the cell.

    Args:
        *args, **kwargs: as for `matplotlib.figure.Figure`.

    >>> figure = NotebookFigure(figsize=(2, 1))
    >>> figure._repr_png_()[1:4]
    b'PNG'
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        FigureCanvasAgg(self)

    def _repr_png_(self) -> bytes:
        """What a notebook shows."""
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()

    def show(self, warn: bool = True) -> None:
        """Shows the figure in a notebook, as `display(figure)` does.

        Args:
            warn: has no use here. Default True, as in matplotlib.

        Raises:
            RuntimeError: this is no notebook.
        """
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython is not None else None
        if not hasattr(shell, "kernel"):
            raise RuntimeError(
                "Figure.show: this figure shows itself in notebooks only; save it with savefig, or "
                "for a window give ax= the axes of plt.subplots() and call plt.show()"
            )
        from IPython.display import display

        display(self)
