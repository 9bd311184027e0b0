"""Where the modules of earlier years' Keras are now.

A module that Keras once had is a view of the modules that have its names today: it asks them for
each name when the name is asked for, so nothing is copied.
"""

from __future__ import annotations

import importlib
import re
import sys
from types import ModuleType
from typing import Any

from cornu.core.keras_names import MISSING
from cornu.core.names import imports_from, missing

# What `keras` was called: the package that this name stands for is the same under all of these.
PREFIXES = (
    "tensorflow.contrib.keras.python.keras",
    "tensorflow.contrib.keras.api.keras",
    "tensorflow.contrib.keras",
    "tensorflow.compat.v1.keras",
    "tensorflow.compat.v2.keras",
    "tensorflow._api.v2.keras",
    "tensorflow.python.keras",
    "tensorflow.keras",
    "keras.api._v2.keras",
    "keras.api._v1.keras",
    "keras._tf_keras.keras",
    "keras.api",
    "keras.src",
    "tf_keras",
    "keras",
)

_LAYER_FILES = (
    "activation|advanced_activations|attention|convolutional|convolutional_recurrent|core|"
    "cudnn_recurrent|dense_attention|embeddings|experimental|local|locally_connected|merge|merging|"
    "noise|normalization|normalization_v2|pooling|preprocessing|recurrent|recurrent_v2|"
    "regularization|reshaping|rnn|wrappers"
)
_UTILS_FILES = (
    "all_utils|conv_utils|data_utils|generic_utils|io_utils|layer_utils|losses_utils|"
    "multi_gpu_utils|np_utils|tf_utils|training_utils|vis_utils|visualize_util"
)

# A module's path below `keras`, and the modules of Cornu that have its names; "dialects.x" are
# modules written here for programs of earlier years only.
_PLACES: tuple[tuple[re.Pattern, tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), targets)
    for pattern, targets in (
        (rf"layers\.(?:{_LAYER_FILES})(?:\.(?P<file>[a-z_0-9]+))*", ("layers",)),
        (r"engine(?:\.\w+)*", ("layers", "models", "")),
        (r"legacy(?:\.(?:layers|models|interfaces))?", ("layers", "models")),
        (r"models\.\w+", ("models",)),
        (r"objectives", ("losses",)),
        (r"initializations|initializers\.initializers(?:_v\d)?", ("initializers",)),
        (r"optimizers\.schedules\.\w+", ("optimizers.schedules",)),
        (r"(?:optimizers\.)?optimizer_(?:v1|v2|experimental)(?:\.\w+)*", ("optimizers",)),
        (r"optimizers\.(?:legacy|experimental|optimizers)(?:\.\w+)*", ("optimizers",)),
        (rf"utils\.(?:{_UTILS_FILES})", ("utils",)),
        (r"backend\.(?:tensorflow_backend|common|theano_backend|load_backend)", ("backend",)),
        (r"backend_config", ("backend",)),
        (r"callbacks\.(?:callbacks|tensorboard_v\d)|callbacks_v1", ("callbacks",)),
        (r"saving\.(?:save|hdf5_format|saved_model(?:\.\w+)*)", ("models", "saving")),
        (r"preprocessing", ("dialects.preprocessing",)),
        (r"preprocessing\.sequence", ("dialects.preprocessing.sequence",)),
        (r"preprocessing\.text", ("dialects.preprocessing.text",)),
        (r"preprocessing\.image", ("dialects.preprocessing.image",)),
        (r"wrappers", ("dialects.wrappers",)),
        (r"wrappers\.scikit_learn", ("dialects.wrappers",)),
    )
)


class OlderModule(ModuleType):
    """A module of an earlier year: each name is that of the first target that has it."""

    def __init__(self, name: str, targets: tuple[str, ...]):
        super().__init__(name, f"Names that are in {', '.join(targets)} today.")
        self.__path__: list[str] = []
        self._targets = targets

    def __getattr__(self, name: str) -> Any:
        modules = [importlib.import_module(f"cornu.{t}" if t else "cornu") for t in self._targets]
        if name == "__all__":
            return [one for module in modules for one in module.__all__]
        if name.startswith("__"):
            raise AttributeError(name)
        for module in modules:
            # what a public package keeps to itself is not what is meant: only its public names
            if name in module.__all__:
                return getattr(module, name)
        sentence = ""
        for module in modules:
            if isinstance(vars(module).get(name), ModuleType):
                continue
            try:
                return getattr(module, name)
            except AttributeError as error:
                sentence = sentence or str(error)
        sentence = sentence or missing(modules[0], name)
        if imports_from(sys._getframe(1)):
            raise ImportError(sentence, name=self.__name__)
        raise AttributeError(sentence, name=name, obj=None)

    def __dir__(self) -> list[str]:
        return sorted(self.__getattr__("__all__"))


def _is_file(name: str | None) -> bool:
    """Whether Keras may have had a file of this name for a layer, such as `core/dense.py`."""
    if name is None or name in ("preprocessing", "image_preprocessing", "base_rnn"):
        return True
    layers = {*importlib.import_module("cornu.layers").__all__, *MISSING["layers"].split()}
    return name.replace("_", "") in {one.lower() for one in layers}


_made: dict[str, OlderModule] = {}


def older_module(path: str) -> OlderModule | None:
    """The module that was at a path below `keras`, such as `layers.core`; None for others."""
    if path not in _made:
        for pattern, targets in _PLACES:
            match = pattern.fullmatch(path)
            if match and _is_file(match.groupdict().get("file")):
                _made[path] = OlderModule(f"keras.{path}", targets)
                break
        else:
            return None
    return _made[path]
