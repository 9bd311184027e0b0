"""Reading an exported PyTorch program, node by node."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Sequence
from typing import Any

from cornu.graph.tensor import KerasTensor
from cornu.port.network import Names, Observed, Operation, PortError, entrance
from cornu.port.torch import (
    aten_activations,
    aten_distances,
    aten_layers,
    aten_math,
    aten_pooling,
    aten_shapes,
)
from cornu.port.torch.aten import Call, Filled, known_size, place_of, reader_of
from cornu.port.torch.aten_export import computing, exported
from cornu.port.torch.aten_memory import Memory
from cornu.port.torch.aten_refusals import about_module, about_unknown
from cornu.port.torch.aten_weights import Owners, Weight

# importing them fills the table of readers
_TABLES = (*(aten_activations, aten_distances, aten_layers, aten_math, aten_pooling, aten_shapes),)


class Reading:
    """Walks through an exported program and applies an operation for each of its nodes.

    Args:
        program: torch.export.ExportedProgram.
        live: the module it was exported from, where that is known.

    Attributes:
        names: of operations.
        values: what each node of the graph is: a tensor of the network, a Weight, a constant, a
            number, or a tuple of these.
        notes: what a user should know.
        partly_frozen: layers of which some weights are trained and some are not.
    """

    def __init__(self, program: Any, live: Any = None):
        self.program, self.live = program, live
        self.names = Names()
        self.values: dict[Any, Any] = {}
        self.memory = Memory(self.values)
        self.memory.number(program.graph)
        self.owners = Owners()
        self.absorbed: dict[Any, Any] = {}
        self.observed: dict[KerasTensor, Observed] = {}
        self.notes: list[str] = []
        self.partly_frozen: list[Operation] = []
        self.frozen = False  # whether what is read stands under torch.no_grad()
        self.batch = self._fixed_batch()

    def note(self, sentence: str) -> None:
        """Keeps what a user should know, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    # -- shapes ----------------------------------------------------------------------------------

    def _fixed_batch(self) -> int | None:
        """The size of the batch, where the program is for that one only."""
        names = set(self.program.graph_signature.user_inputs)
        shapes = [
            tuple(node.meta["val"].shape)
            for node in self.program.graph.nodes
            if node.op == "placeholder"
            and node.name in names
            and hasattr(node.meta["val"], "shape")
        ]
        sizes = {known_size(shape[0]) for shape in shapes if shape}
        return sizes.pop() if len(sizes) == 1 else None

    def open_shape(self, sizes: Sequence[Any]) -> tuple[int | None, ...]:
        """Sizes with None in the place of open ones; the first is, where it is the batch's."""
        shape = [known_size(size) for size in sizes]
        if shape and self.batch is not None and shape[0] == self.batch:
            shape[0] = None
        return tuple(shape)

    # -- the walk --------------------------------------------------------------------------------

    def read(self) -> tuple[list[KerasTensor], list[KerasTensor]]:
        """The network's inputs and outputs."""
        inputs: list[KerasTensor] = []
        outputs: list[Any] = []
        held = self._held()
        for node in self.program.graph.nodes:
            if node.op == "placeholder":
                self.memory.own(node)
                if node.name in held:
                    self.values[node] = held[node.name]
                elif hasattr(node.meta.get("val"), "shape"):
                    inputs.append(self._input(node))
                else:
                    self.values[node] = node.meta.get("val")
            elif node.op == "output":
                outputs = self._outputs(node)
            else:
                self._node(node)
        if self.batch is not None:
            self.note(
                f"the module's code fixes the size of the batch at {self.batch}; the port takes "
                "that size for the batch axis"
            )
        return inputs, outputs

    def _held(self) -> dict[str, Any]:
        """Parameters, buffers and constants by the names of their placeholders."""
        signature, program = self.program.graph_signature, self.program
        first: dict[tuple, str] = {}  # of several names of one weight
        found: dict[str, Any] = {}
        self.parameters: list[str] = []
        for names, is_parameter in (
            (signature.inputs_to_parameters, True),
            (signature.inputs_to_buffers, False),
        ):
            for placeholder, key in names.items():
                tensor = program.state_dict.get(key)
                tensor = program.constants[key] if tensor is None else tensor
                where = tensor.data_ptr() if tensor.numel() else id(tensor)
                same = (where, tuple(tensor.shape), tensor.stride(), tensor.dtype)
                key = first.setdefault(same, key)
                if is_parameter and key not in self.parameters:
                    self.parameters.append(key)
                found[placeholder] = Weight(key, tensor, is_parameter, tensor.requires_grad)
        for placeholder, key in signature.inputs_to_lifted_tensor_constants.items():
            found[placeholder] = program.constants[key]
        return found

    def _input(self, node: Any) -> KerasTensor:
        value = node.meta["val"]
        name = self.names(node.name)
        tensor = entrance(name, self.open_shape(value.shape), str(value.dtype).split(".")[-1])
        self.values[node] = tensor
        self.observed[tensor] = Observed(node.name)
        return tensor

    def _outputs(self, node: Any) -> list[KerasTensor]:
        import torch

        found = []
        for one in torch.utils._pytree.tree_leaves(node.args):
            value = self.values.get(one) if isinstance(one, torch.fx.Node) else one
            if not isinstance(value, KerasTensor):
                raise PortError(
                    "an output of the module does not depend on its inputs",
                    None,
                    "Return tensors that are computed from the inputs",
                )
            found.append(value)
        mutations = getattr(self.program.graph_signature, "buffers_to_mutate", {})
        if mutations:
            raise PortError(f"forward() changes the buffer {next(iter(mutations.values()))!r}")
        return found

    def output_names(self, outputs: list) -> list[str] | None:
        """The keys of a dictionary that the module returns."""
        structure = self.program.call_spec.out_spec
        keys = structure.context if structure is not None and structure.type is dict else None
        if not keys or len(keys) != len(outputs):
            return None
        names = Names()
        return [names(str(key)) for key in keys]

    def _node(self, node: Any) -> None:
        """Reads one node."""
        import torch

        target = node.target
        if node.op == "get_attr":
            self.values[node] = self._attribute(node)
            return
        if node in self.absorbed:
            self._set(node, self.absorbed[node])
            return
        if target is operator.getitem:
            self._pick(node)
            return
        if isinstance(target, torch._ops.HigherOrderOperator):
            self._inner(node)
            return
        value = node.meta.get("val")
        if isinstance(value, (int, float, bool, torch.SymInt, torch.SymFloat, torch.SymBool)):
            if "item" in str(target) or "_local_scalar" in str(target):
                raise PortError(
                    "data-dependent: a number is taken out of a tensor (.item())", place_of(node)
                )
            self.values[node] = value
            return
        if not isinstance(target, torch._ops.OpOverload):
            raise PortError(f"the function {target} has no counterpart", place_of(node))
        if value is None or target._schema.name.split("::")[-1] in _ASSERTIONS:
            return
        self._operation(node)

    def _attribute(self, node: Any) -> Any:
        import torch

        found = operator.attrgetter(node.target)(node.graph.owning_module)
        if isinstance(found, torch.nn.Parameter):
            return Weight(node.target, found, True, found.requires_grad)
        return found

    def _operation(self, node: Any) -> None:
        """An ATen operation: computed here where it is of constants, read by the table else."""
        import torch

        target = node.target
        arguments = self._arguments(node)
        leaves = torch.utils._pytree.tree_leaves(arguments)
        is_random = torch.Tag.nondeterministic_seeded in target.tags
        is_open = any(
            isinstance(one, (KerasTensor, Filled, torch.SymInt)) or self._is_learned(one)
            for one in leaves
        )
        weight = self._rearranged(node, leaves)
        if weight is not None:
            self.values[node] = weight
            self.memory.own(node)
            return
        if target._schema.is_mutable:
            self.memory.check_held(node)
        if not is_open and not is_random:
            self._set(node, self._computed(target, arguments))
            return
        call = Call(self, node)
        known = about_module(call)
        if known is not None:
            raise call.refuse(*known)
        result = self._read_by_table(call, arguments, leaves)
        if target._schema.is_mutable:
            self.memory.overwrite(node, result)
        absorbing = [user for user in node.users if user in self.absorbed]
        if absorbing:  # its own value is nowhere in the network
            self.absorbed[absorbing[0]] = self.values[node] = result
        else:
            self._set(node, result)

    def _read_by_table(self, call: Call, arguments: dict, leaves: list) -> Any:
        """What the reader of an operation makes of it; refused where there is none."""
        node = call.node
        reader = reader_of(node.target)
        if reader is None:
            learned = [one.key for one in leaves if self._is_learned(one)]
            has_tensor = any(isinstance(one, KerasTensor) for one in leaves)
            if learned and not has_tensor:
                raise call.refuse(
                    f"the weight {learned[0]!r} is computed ({node.target}) before it is used",
                    "Make it a plain weight, as with torch.nn.utils.parametrize."
                    "remove_parametrizations",
                )
            raise call.refuse(*about_unknown(call))
        if node.target._schema.is_mutable:
            self.memory.check_in_place(call, node)
        return reader(call, **arguments)

    def _arguments(self, node: Any) -> dict[str, Any]:
        """The arguments of a node by the names of its schema, values in the place of nodes."""
        import torch

        schema = node.target._schema.arguments
        given = {one.name: value for one, value in zip(schema, node.args, strict=False)}
        given.update(node.kwargs)
        for one in schema:
            if one.name not in given:
                given[one.name] = one.default_value
        for ignored in ("memory_format", "pin_memory", "device", "layout", "non_blocking", "copy"):
            given.pop(ignored, None)
        return {
            name: torch.fx.node.map_arg(value, lambda one: self.values.get(one))
            for name, value in given.items()
        }

    @staticmethod
    def _is_learned(value: Any) -> bool:
        return isinstance(value, Weight) and value.is_parameter and value.requires_grad

    def _rearranged(self, node: Any, leaves: list) -> Weight | None:
        """A view of a weight, as a weight."""
        weights = [one for one in leaves if isinstance(one, Weight)]
        if len(weights) != 1 or any(isinstance(one, KerasTensor) for one in leaves):
            return None
        name = node.target._schema.name.split("::")[-1]
        if name in _SAME_WEIGHT:
            return weights[0]
        if name not in _VIEWS:
            return None
        import torch

        args, kwargs = torch.fx.node.map_arg((node.args, node.kwargs), lambda n: self.values[n])
        return weights[0].rearranged(node.target, args, kwargs)

    @staticmethod
    def _computed(target: Any, arguments: dict) -> Any:
        """The result of an operation of constants."""
        import torch

        def plain(value: Any) -> Any:
            return value.tensor.detach() if isinstance(value, Weight) else value

        schema = [one for one in target._schema.arguments if one.name in arguments]
        values = torch.utils._pytree.tree_map_only(Weight, plain, arguments)
        args = [values[one.name] for one in schema if not one.kwarg_only]
        kwargs = {one.name: values[one.name] for one in schema if one.kwarg_only}
        with torch.no_grad():
            return target(*args, **kwargs)

    def _set(self, node: Any, value: Any) -> None:
        """Takes down what a node is, what observes it, and whose memory it shares."""
        self.values[node] = value
        self.memory.take(node)
        if isinstance(value, KerasTensor):
            self.observed.setdefault(value, Observed(node.name))

    def _pick(self, node: Any) -> None:
        source, number = node.args
        whole = self.values[source]
        if not isinstance(whole, (tuple, list)):
            raise PortError(f"the part {number!r} of {source.name} is not known", place_of(node))
        self.values[node] = whole[number]
        self.memory.follow(node, source)
        if isinstance(whole[number], KerasTensor):
            self.observed.setdefault(whole[number], Observed(node.name))
        elif whole[number] is None and node.users:
            raise PortError(
                f"output {number} of {source.target} has no counterpart", place_of(node)
            )

    def _inner(self, node: Any) -> None:
        """A stretch under torch.no_grad(): its nodes stand in the network, without gradients."""
        if "set_grad_enabled" not in str(node.target):
            raise PortError(f"{node.target} has no counterpart", place_of(node))
        enabled, graph, *given = node.args
        module = self.values[graph]
        outer, self.frozen = self.frozen, not enabled or self.frozen
        values = [self.values[one] for one in given]
        placeholders = [one for one in module.graph.nodes if one.op == "placeholder"]
        for placeholder, value in zip(placeholders, values, strict=True):
            if isinstance(value, Weight) and self.frozen:
                value = dataclasses.replace(value, requires_grad=False)
            self.values[placeholder] = value
            self.memory.own(placeholder)
        results: list[Any] = []
        self.memory.number(module.graph)
        for inside in module.graph.nodes:
            if inside.op == "output":
                results = [self._stopped(one) for one in inside.args[0]]
            elif inside.op != "placeholder":
                before = len(self.observed)
                self._node(inside)
                for tensor in list(self.observed)[before:]:  # nobody sees the inner graph's nodes
                    del self.observed[tensor]
        self.frozen = outer
        self.values[node] = tuple(results)

    def _stopped(self, node: Any) -> Any:
        value = self.values[node]
        if not self.frozen or not isinstance(value, KerasTensor):
            return value
        return Call(self, node).make("stop_gradient", value, called="stop_gradient")

    # -- what readers of operations ask ------------------------------------------------------------

    def used_parts(self, node: Any) -> set[int]:
        """The numbers of the outputs of a node that are used."""
        return {
            user.args[1] for user in node.users if user.target is operator.getitem and user.users
        }

    def module_at(self, path: str) -> Any:
        """The live module at a path, where there is one."""
        if self.live is None:
            return None
        try:
            return self.live.get_submodule(path)
        except AttributeError:
            return None

    def bias_behind(self, node: Any, units: int) -> Weight | None:
        """A parameter that is added to what a node gives, and to nothing else: its bias."""
        users = list(node.users)
        if len(users) != 1 or str(users[0].target) not in ("aten.add.Tensor", "aten.add_.Tensor"):
            return None
        if users[0].kwargs or len(users[0].args) != 2:
            return None
        others = [one for one in users[0].args if one is not node]
        value = (
            self.values.get(others[0]) if len(others) == 1 and hasattr(others[0], "op") else None
        )
        if not self._is_learned(value) or value.shape != (units,):  # type: ignore[union-attr]
            return None
        self.absorbed[users[0]] = None
        return value

    # -- training ----------------------------------------------------------------------------------

    def unused(self) -> list[str]:
        """Names of parameters that no layer holds."""
        return [key for key in self.parameters if key not in self.owners.layers]

    def check_trainable(self, example: Any) -> None:
        """Refuses what would train otherwise."""
        for operation in self.partly_frozen:
            raise operation.refuse(
                "has weights that are trained and others that are not", "Freeze all of them or none"
            )
        if self.live is None:
            return
        here = computing(self.program)
        there = computing(exported(self.live, example, training=True))
        if here != there:
            more = [name for name in there if there.count(name) > here.count(name)]
            less = [name for name in here if here.count(name) > there.count(name)]
            raise PortError(
                "forward() computes otherwise while it trains (self.training): "
                f"{(more or less or ['another order'])[0]}",
                None,
                "Port it without loss and optimizer, or train what it computes in eval mode",
            )


_ASSERTIONS = frozenset({"_assert_tensor_metadata", "_assert_scalar", "_assert_async"})
_SAME_WEIGHT = frozenset({"detach", "alias", "contiguous", "clone", "to", "lift_fresh_copy"})
_VIEWS = frozenset(
    {"t", "transpose", "permute", "view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze"}
    | {"mT", "numpy_T", "movedim", "swapaxes", "swapdims", "ravel", "flip"}
)
