"""What the names `keras` and `tensorflow` mean to a program that runs on Cornu.

`keras`, `keras.layers`, `tensorflow.keras`, `tensorflow.keras.layers`, ... are Cornu's own modules
under another name: `keras.layers.Dense is cornu.layers.Dense`. Nothing is copied, so a new layer
needs no entry here. What earlier years called otherwise is in `older_modules`, `older_names` and
`older_arguments`.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from types import ModuleType

import cornu
from cornu.core.keras_names import MISSING
from cornu.dialects import older_arguments, tensorflow_names
from cornu.dialects.older_modules import PREFIXES, OlderModule, older_module

# The packages that are Cornu's as long as its names are installed.
_OURS = ("keras", "tf_keras", "tensorflow")


def cornu_name(name: str) -> str | None:
    """Cornu's name of a module of Keras: `keras.layers` is `cornu.layers`; None for others."""
    for prefix in PREFIXES:
        if name == prefix or name.startswith(prefix + "."):
            return "cornu" + name[len(prefix) :]
    return None


class _Loader(importlib.abc.Loader):
    """Hands over a module that exists already, unchanged."""

    def __init__(self, module: ModuleType):
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        # the import system has just written the other name into the module
        module.__spec__ = self._spec


class _Finder(importlib.abc.MetaPathFinder):
    """Finds `keras...` and `tensorflow...` before any installed package of these names."""

    def find_spec(self, name, path=None, target=None):
        if name == "tensorflow" or name.startswith("tensorflow."):
            known = tensorflow_names.modules().get(name)
            if known is not None:
                return self._spec(name, known)
        own = cornu_name(name)
        if own is not None:
            return self._spec(name, _cornu_module(own, name))
        if name.startswith("tensorflow."):
            # without the module's name in it: `from tensorflow import io` would swallow the error
            raise ModuleNotFoundError(tensorflow_names.complaint(name))
        return None

    @staticmethod
    def _spec(name: str, module: ModuleType):
        return importlib.machinery.ModuleSpec(
            name, _Loader(module), is_package=hasattr(module, "__path__")
        )


def _cornu_module(own: str, asked: str) -> ModuleType:
    older = older_module(own.partition(".")[2])
    if older is not None:
        return older
    if own in sys.modules:
        return sys.modules[own]
    parent = own.rpartition(".")[0]
    if older_module(parent.partition(".")[2]) is not None:
        raise ModuleNotFoundError(f"{asked}: Cornu has no such module", name=asked)
    top = own.split(".")[1]
    if top in MISSING[""].split():
        raise ModuleNotFoundError(
            f"keras.{top}: Keras 3 has it, Cornu does not have it yet", name=asked
        )
    if importlib.util.find_spec(own) is not None:
        return importlib.import_module(own)
    # a module of Keras that is an attribute here, such as keras.optimizers.schedules
    parent, _, last = own.rpartition(".")
    if parent:
        found = getattr(_cornu_module(parent, asked), last, None)
        if isinstance(found, ModuleType):
            return found
    known = [
        f"keras.{name}" for name in cornu.__all__ if isinstance(getattr(cornu, name), ModuleType)
    ]
    near = difflib.get_close_matches("keras" + own.removeprefix("cornu"), known, n=1, cutoff=0.8)
    advice = f" Did you mean {near[0]}?" if near else ""
    raise ModuleNotFoundError(
        f"{asked}: Cornu has no such module (yet).{advice} It has {', '.join(known)}", name=asked
    )


_finder = _Finder()


def install() -> None:
    """From now on `import keras` and `import tensorflow` in this process mean Cornu.

    Raises RuntimeError where the real ones have been imported already.
    """
    for name in _OURS:
        module = sys.modules.get(name)
        if module is not None and not _is_ours(module):
            raise RuntimeError(
                f"{name} is imported already (from {getattr(module, '__file__', None)}); "
                "install() must come before it"
            )
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    older_arguments.install()


def uninstall() -> None:
    """Takes `install` back: the names mean what is installed under them again."""
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    older_arguments.uninstall()
    for name in list(sys.modules):
        if name.split(".")[0] in _OURS and _is_ours(sys.modules[name]):
            _forget(name, sys.modules.pop(name))


def _forget(name: str, module: ModuleType) -> None:
    """Takes a module of an earlier year away from the package that importing it has put it in."""
    package, _, last = (cornu_name(name) or "").rpartition(".")
    owner = sys.modules.get(package)
    if owner is not None and isinstance(module, OlderModule) and vars(owner).get(last) is module:
        delattr(owner, last)


def _is_ours(module: ModuleType) -> bool:
    """Whether a module is Cornu's, under whatever name."""
    return isinstance(
        module, (OlderModule, tensorflow_names.TensorFlowModule)
    ) or module.__name__.startswith("cornu")
