"""The variables that an optimizer owns: how they are made, found, saved and loaded."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

import numpy as np

from cornu.core import serialization
from cornu.core.dtypes import floatx, standardize_dtype, to_numpy_dtype
from cornu.core.reporting import warn
from cornu.core.serialization import Serializable
from cornu.core.variable import Variable, path_scope


class _State(Serializable):
    """The part of an optimizer that keeps its variables, in the order in which Keras saves them."""

    name: str
    built: bool
    # Dictionaries because a Variable's == compares values, and a list would use it.
    _variables: dict[Variable, None]
    _trainable_variables_indices: dict[Variable, int]

    def _start_tracking(self) -> None:
        """To be called first: from here on a variable set as an attribute belongs to the state."""
        vars(self)["_variables"] = {}
        vars(self)["_trainable_variables_indices"] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        if "_variables" not in vars(self):
            raise RuntimeError(
                f"{type(self).__name__}: call super().__init__() first in __init__, before setting "
                f"{name!r}"
            )
        super().__setattr__(name, value)
        if isinstance(value, Variable):
            self._track_variable(value)

    def _track_variable(self, variable: Variable) -> None:
        if variable not in self._trainable_variables_indices:
            self._variables[variable] = None

    def _untrack_variable(self, variable: Variable) -> None:
        del self._variables[variable]

    @property
    def variables(self) -> list[Variable]:
        """All of its state: iteration, learning rate, then the variables that `build` made."""
        if not serialization.is_builtin(type(self)):
            # a user's optimizer may make variables by itself and keep them in lists
            for value in list(vars(self).values()):
                for item in value if isinstance(value, list) else ():
                    if isinstance(item, Variable):
                        self._track_variable(item)
        return list(self._variables)

    def _set_trainable_variables(self, variables: Sequence[Variable]) -> None:
        self._trainable_variables_indices = {
            variable: index for index, variable in enumerate(variables)
        }
        self._trainable_variables = list(variables)

    def _get_variable_index(self, variable: Variable) -> int:
        return self._trainable_variables_indices[variable]

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """A new variable of the optimizer's state.

        Args:
            shape: tuple of integers.
            initializer: a number, the name of an initializer, or a callable `(shape, dtype)`.
                "zeros" by default.
            dtype: the default float type by default.
            aggregation: kept as in Keras; "none" by default.
            layout: taken as in Keras; None by default.
            name: by default `variable`.
        """
        if isinstance(initializer, str):
            initializer = _initializer_named(initializer)
        dtype = standardize_dtype(dtype or floatx())
        shape = tuple(shape)
        if not callable(initializer):
            # by NumPy: an array made by JAX would have to be compiled first
            initializer = np.full(shape, initializer, to_numpy_dtype(dtype))
        with path_scope(self.name):
            variable = Variable(
                initializer,
                shape=shape,
                dtype=dtype,
                trainable=False,
                autocast=False,
                aggregation=aggregation,
                name=name,
            )
        self._track_variable(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A new variable of the state, of the shape and dtype of a variable of the model.

        Args:
            reference_variable: the model's variable.
            name: what it is, such as "momentum"; "var" by default. The path of the model's
                variable comes before it: `dense_kernel_momentum`.
            initializer: as in `add_variable`.
        """
        prefix = reference_variable.path.replace("/", "_")
        return self.add_variable(
            reference_variable.shape,
            initializer,
            dtype=reference_variable.dtype,
            name=f"{prefix}_{name or 'var'}",
        )

    def add_optimizer_variables(
        self,
        trainable_variables: Sequence[Variable],
        name: str | Sequence[str],
        initializer: Any = "zeros",
    ) -> Any:
        """`add_variable_from_reference` for each variable of the model.

        Args:
            trainable_variables: the model's variables.
            name: one name, or a list of names.
            initializer: one, or a list of as many as there are names. "zeros" by default.

        Returns:
            A list of one variable for each of `trainable_variables`; a tuple of such lists where
            `name` is a list. None stands where the model's variable takes its gradient as its
            value.

        Raises:
            ValueError: not as many initializers as names.
        """
        names = [name] if isinstance(name, str) else list(name)
        initializers = (
            list(initializer)
            if isinstance(initializer, (list, tuple))
            else [initializer] * len(names)
        )
        if len(names) != len(initializers):
            raise ValueError(
                f"add_optimizer_variables: {len(names)} names need as many initializers, received "
                f"name={name!r}, initializer={initializer!r}"
            )
        made: tuple[list, ...] = tuple([] for _ in names)
        # variable by variable, not name by name: the order in which Keras saves them
        for variable in trainable_variables:
            for slots, one_name, one_initializer in zip(made, names, initializers, strict=True):
                slots.append(
                    None
                    if variable.overwrite_with_gradient
                    else self.add_variable_from_reference(variable, one_name, one_initializer)
                )
        return made[0] if isinstance(name, str) else made

    def assign(self, variable: Variable, value: Any) -> None:
        """Puts another value in a variable's place."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Adds to a variable."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtracts from a variable."""
        variable.assign_sub(value)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets all variables, in the order of `variables`.

        Raises ValueError before `build`, or where a number or a shape does not fit.
        """
        if not self.built:
            raise ValueError(
                f"{self.name}.set_weights: the optimizer has no variables yet; call "
                "build(trainable_variables) first"
            )
        variables = self.variables
        if len(weights) != len(variables):
            raise ValueError(
                f"{self.name}.set_weights: expected {len(variables)} arrays, received "
                f"{len(weights)}"
            )
        for variable, weight in zip(variables, weights, strict=True):
            variable.assign(weight)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Writes the variables into a mapping (or HDF5 group) under "0", "1", ..."""
        for index, variable in enumerate(self.variables):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Reads what `save_own_variables` wrote; warns and does nothing if the number differs."""
        variables = self.variables
        if set(store.keys()) == {"0", "1"} and self.built:
            # saved before its first step: there are its step count and learning rate only
            variables = variables[:2]
        elif len(store.keys()) != len(variables):
            warn(
                f"Skipping variable loading for optimizer '{self.name}': it has {len(variables)} "
                f"variables, the saved one has {len(store.keys())}."
                + ("" if self.built else " It is not built yet: call build() first."),
            )
            return
        for index, variable in enumerate(variables):
            variable.assign(np.asarray(store[str(index)]))


def _initializer_named(name: str) -> Any:
    """0, 1 or an initializer object, which its own package has made known by then."""
    if name in ("zeros", "ones"):
        return 0 if name == "zeros" else 1
    class_name = "".join(part.title() for part in name.split("_")) if name.islower() else name
    return serialization.deserialize(
        {"module": "keras.initializers", "class_name": class_name, "config": {}}
    )
