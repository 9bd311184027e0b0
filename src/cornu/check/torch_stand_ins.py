"""Packages that PyTorch programs import beside PyTorch, while they are read and not installed.

An installed package is always used. Of one that isn't, a program finds what is needed to come to
its training: torchvision with real data (`torch_vision`), and progress bars, logs and plots that do
nothing (`torch_harmless`).
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

from cornu.check.torch_harmless import HARMLESS, PACKAGES, Nothing, NotStoodIn

# Of a package: what to import -> the names in it.
Contents = dict[str, dict[str, Any]]


class StandIn(ModuleType):
    """A module in the place of one that isn't installed."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        package = self.__name__.split(".")[0]
        raise NotStoodIn(
            f"{package} is not installed, and cornu check has no {self.__name__}.{name}; "
            f"pip install {package}"
        )


class HarmlessStandIn(StandIn):
    """A module of which every other name does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds stand-ins; asked last, so that what is installed is found before.

    Args:
        makers: of each package the function that gives its contents.
        harmless: packages of which whatever is asked for does nothing.
    """

    def __init__(self, makers: dict[str, Callable[[], Contents]], harmless: frozenset[str]):
        self.makers, self.harmless = makers, harmless
        self.modules: dict[str, ModuleType] = {}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of a package's stand-in, or None."""
        package, _, inner = fullname.partition(".")
        if inner and self.modules.get(package) is not sys.modules.get(package, self):
            return None  # a package that is installed, and has no such module
        known = fullname in self.makers or (bool(inner) and package in self.harmless)
        return self._spec(fullname) if known else None

    def _spec(self, fullname: str) -> importlib.machinery.ModuleSpec:
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """A stand-in, empty yet."""
        kind = HarmlessStandIn if spec.name.split(".")[0] in self.harmless else StandIn
        self.modules[spec.name] = module = kind(spec.name)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Fills a stand-in, and makes the modules in it."""
        name = module.__name__
        if name not in self.makers:
            return
        for inner, members in self.makers[name]().items():
            one = module
            if inner != name and inner in sys.modules:
                one = sys.modules[inner]
            elif inner != name:
                spec = self._spec(inner)
                one = self.create_module(spec)
                one.__spec__, one.__loader__, one.__path__ = spec, self, []
                one.__package__ = inner
                sys.modules[inner] = one
                parent, _, leaf = inner.rpartition(".")
                # a function of the same name goes before, as in torchvision.models.alexnet
                vars(sys.modules[parent]).setdefault(leaf, one)
            vars(one).update(members)

    def remove(self) -> None:
        """Takes out of `sys.modules` what was put there."""
        for name, module in self.modules.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
            parent, _, leaf = name.rpartition(".")
            owner = vars(sys.modules[parent]) if parent in sys.modules else {}
            if owner.get(leaf) is module:
                del owner[leaf]


class _TensorBoard(importlib.abc.MetaPathFinder):
    """Finds `torch.utils.tensorboard`, which is there without what it needs; asked first.

    Args:
        finder: of the other stand-ins.
    """

    def __init__(self, finder: _Finder):
        self.finder = finder

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of its stand-in, if TensorBoard isn't installed."""
        if fullname != "torch.utils.tensorboard" or _is_installed("tensorboard"):
            return None
        return self.finder._spec(fullname)


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return package in sys.modules


@contextlib.contextmanager
def missing_packages(pretrained: Callable[[Any], None]) -> Iterator[None]:
    """Within the block, packages that are not installed have stand-ins.

    Args:
        pretrained: called with each network that a program asks for with trained weights, and gets
            with initial ones.
    """
    from cornu.check import torch_vision

    makers: dict[str, Callable[[], Contents]] = dict(PACKAGES)
    makers["torchvision"] = lambda: torch_vision.contents(pretrained)
    finder = _Finder(makers, HARMLESS)
    first = _TensorBoard(finder)
    sys.meta_path.append(finder)
    sys.meta_path.insert(0, first)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        sys.meta_path.remove(first)
        finder.remove()


def as_import_error(error: BaseException | None) -> BaseException | None:
    """The error that a program ended with; ImportError where a stand-in lacked something."""
    if not isinstance(error, NotStoodIn):
        return error
    return ImportError(str(error)).with_traceback(error.__traceback__)
