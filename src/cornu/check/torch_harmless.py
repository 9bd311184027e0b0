"""Progress bars, logs, plots and summaries that do nothing, for programs that are only read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

# Packages of which any module and any name does nothing.
HARMLESS = frozenset({"matplotlib", "mpl_toolkits", "seaborn", "wandb", "tensorboardX", "torchviz"})


class NotStoodIn(AttributeError):
    """A program asks a stand-in for something that only the package itself has."""


class Nothing:
    """Takes whatever is done with it, and does nothing."""

    def __init__(self, *args: Any, **kwargs: Any):
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return Nothing()

    def __getitem__(self, key: Any) -> Any:
        return Nothing()

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *args: Any) -> None:
        pass

    def __str__(self) -> str:
        return ""

    def __format__(self, spec: str) -> str:
        return ""


# -- tqdm ----------------------------------------------------------------------------------------


class Bar:
    """An iterator that shows no progress."""

    def __init__(
        self, iterable: Iterable | None = None, desc: str | None = None, total=None, *args, **kwargs
    ):
        self.iterable, self.desc = iterable, desc or ""
        self.total = total
        if total is None and hasattr(iterable, "__len__"):
            self.total = len(iterable)  # type: ignore[arg-type]
        self.n = kwargs.get("initial", 0)
        self.disable, self.leave = True, kwargs.get("leave", True)
        self.postfix = ""
        self.format_dict = {"elapsed": 0.0, "n": self.n, "total": self.total, "rate": None}

    def __iter__(self) -> Iterator[Any]:
        for one in self.iterable or ():
            yield one
            self.n += 1

    def __len__(self) -> int:
        if self.total is None and self.iterable is not None:
            return len(self.iterable)  # type: ignore[arg-type]
        return int(self.total or 0)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *args: Any) -> None:
        pass

    def __bool__(self) -> bool:
        return self.iterable is not None or bool(self.total)

    def update(self, n: float = 1) -> bool:
        """Counts on."""
        self.n += n
        return False

    def reset(self, total: Any = None) -> None:
        """Counts from 0 again."""
        self.n, self.total = 0, total or self.total

    def set_description(self, *args: Any, **kwargs: Any) -> None:
        """Does nothing; so do the others below."""

    set_description_str = set_postfix = set_postfix_str = set_description
    close = clear = refresh = display = unpause = moveto = set_description

    @classmethod
    def write(cls, *args: Any, **kwargs: Any) -> None:
        """Does nothing."""

    @classmethod
    def pandas(cls, *args: Any, **kwargs: Any) -> None:
        """Does nothing."""


def _range(*args: int, **kwargs: Any) -> Bar:
    return Bar(range(*args), **kwargs)


def _tqdm() -> dict[str, dict[str, Any]]:
    names = {"tqdm": Bar, "trange": _range, "tqdm_notebook": Bar, "tnrange": _range}
    inner = ("tqdm.auto", "tqdm.notebook", "tqdm.autonotebook", "tqdm.std")
    return {"tqdm": {**names, "__version__": "4.66.0"}, **dict.fromkeys(inner, names)}


# -- logs ----------------------------------------------------------------------------------------


class SummaryWriter(Nothing):
    """Writes nothing."""

    def __init__(self, log_dir: Any = None, *args: Any, **kwargs: Any):
        self.log_dir = self.logdir = str(log_dir or "runs")

    def get_logdir(self) -> str:
        """The folder where it would write."""
        return self.log_dir


class Config(dict):
    """What `wandb.config` is: settings as attributes and as items."""

    def __getattr__(self, name: str) -> Any:
        if name not in self:
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Takes settings over from a dictionary, or what `argparse` gives."""
        kwargs.pop("allow_val_change", None)
        for one in args:
            super().update(one if isinstance(one, dict) else vars(one))
        super().update(kwargs)

    setdefaults = update


def _wandb() -> dict[str, dict[str, Any]]:
    config = Config()

    class Run(Nothing):
        """What `wandb.init` gives."""

        name = id = dir = project = "stand-in"

        def __init__(self, *args: Any, **kwargs: Any):
            self.config, self.summary = config, Config()

    run = Run()

    def init(*args: Any, config: Any = None, **kwargs: Any) -> Run:
        if config is not None and not isinstance(config, str):
            run.config.update(config)
        return run

    return {"wandb": {"init": init, "config": config, "run": run, "Settings": dict}}


# -- plots ---------------------------------------------------------------------------------------


def _matplotlib() -> dict[str, dict[str, Any]]:
    def several(count: int) -> Callable[..., tuple]:
        return lambda *args, **kwargs: tuple(Nothing() for _ in range(count))

    def subplots(nrows: int = 1, ncols: int = 1, *args: Any, **kwargs: Any) -> tuple:
        axes: Any = np.empty((nrows, ncols), object)
        axes[...] = Nothing()
        if kwargs.get("squeeze", True):
            axes = axes.squeeze()
        return Nothing(), axes.item() if axes.ndim == 0 else axes

    plots: dict[str, Any] = {"subplots": subplots, "hist": several(3), "plot": several(1)}
    plots |= dict.fromkeys(("xticks", "yticks", "xlim", "ylim", "pie"), several(2))
    whole = {"__version__": "3.9.0", "rcParams": {}}
    return {"matplotlib": whole, "matplotlib.pyplot": plots, "matplotlib.pylab": plots}


# -- summaries and metrics -----------------------------------------------------------------------


def _summary(*args: Any, **kwargs: Any) -> Nothing:
    return Nothing()


def _torchmetrics() -> dict[str, dict[str, Any]]:
    def accuracy(preds: Any, target: Any, *args: Any, **kwargs: Any) -> Any:
        if preds.ndim == target.ndim + 1:
            preds = preds.argmax(1)
        elif preds.is_floating_point():
            # as there: what is no probability is taken for a logit
            inside = bool(((preds >= 0) & (preds <= 1)).all())
            preds = (preds if inside else preds.sigmoid()) > kwargs.get("threshold", 0.5)
        return (preds == target).float().mean()

    import torch

    class Accuracy(torch.nn.Module):
        """The share of rows that are right, over all batches since the last `reset`."""

        def __init__(self, *args: Any, **kwargs: Any):
            super().__init__()
            self.settings = {"threshold": kwargs.get("threshold", 0.5)}
            self.reset()

        def reset(self) -> None:
            """Forgets all batches."""
            self.right, self.rows = 0.0, 0

        def update(self, preds: Any, target: Any) -> None:
            """Counts a batch."""
            self(preds, target)

        def forward(self, preds: Any, target: Any) -> Any:
            """The accuracy of a batch, which is counted."""
            with torch.no_grad():
                value = accuracy(preds, target, **self.settings)
            self.right += float(value) * len(target)
            self.rows += len(target)
            return value

        def compute(self) -> Any:
            """The accuracy of all batches."""
            return torch.tensor(self.right / self.rows if self.rows else math.nan)

    for name in ("Accuracy", "accuracy"):
        (Accuracy if name == "Accuracy" else accuracy).__module__ = "torchmetrics"
    Accuracy.__qualname__ = "Accuracy"
    kinds = dict.fromkeys(("Accuracy", "MulticlassAccuracy", "BinaryAccuracy"), Accuracy)
    return {
        "torchmetrics": {"Accuracy": Accuracy, "Metric": torch.nn.Module},
        "torchmetrics.classification": kinds,
        "torchmetrics.functional": {"accuracy": accuracy},
    }


PACKAGES: dict[str, Callable[[], dict[str, dict[str, Any]]]] = {
    "tqdm": _tqdm,
    "wandb": _wandb,
    "matplotlib": _matplotlib,
    "mpl_toolkits": dict,
    "seaborn": dict,
    "torchviz": dict,
    "tensorboardX": lambda: {"tensorboardX": {"SummaryWriter": SummaryWriter}},
    "torch.utils.tensorboard": lambda: {
        "torch.utils.tensorboard": {"SummaryWriter": SummaryWriter},
        "torch.utils.tensorboard.writer": {"SummaryWriter": SummaryWriter},
    },
    "torchsummary": lambda: {
        "torchsummary": {"summary": _summary, "summary_string": lambda *a, **k: ("", (0, 0))},
        "torchsummary.torchsummary": {"summary": _summary},
    },
    "torchinfo": lambda: {"torchinfo": {"summary": _summary, "ModelStatistics": SimpleNamespace}},
    "torchmetrics": _torchmetrics,
}
