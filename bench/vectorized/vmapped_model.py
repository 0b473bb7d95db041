"""Call a model's methods, and take their gradients, with the weights of many replicas at once."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call

from bench.models.base import GenerativeModel
from bench.vectorized.fx_trace import TracedFunction

NamedTensors = dict[str, Tensor]


class VmapInputs(NamedTuple):
    """Tensors in which replicas differ; [R] first, except inside vmap.

    Args:
        rows: all weights of each player, [R, P].
        buffers: by name, [R, ...].
        numbers: `replica_hyperparameters` by path, [R].
    """

    rows: Sequence[Tensor]
    buffers: NamedTensors
    numbers: NamedTensors


class MethodCaller(nn.Module):
    """Call methods of a model by name in `forward`, so that `functional_call` reaches them."""

    def __init__(self, model: GenerativeModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, method: str, inputs: tuple) -> Any:
        """Call a method of the model."""
        return getattr(self.model, method)(*inputs)


class VmappedModel:
    """Call methods of a model as each replica of it would.

    Each method is traced once for each shape of its inputs: its operations must not depend on
    values. Inputs and results have the replicas' axis [R] first.

    Args:
        model: any of the replicas; its own weights are not read.
        names: of each player's parameters, in the order of a row of weights [P].
        shapes: of the same parameters.
    """

    def __init__(
        self,
        model: GenerativeModel,
        names: Sequence[Sequence[str]],
        shapes: Sequence[Sequence[torch.Size]],
    ) -> None:
        self.model, self.names, self.shapes = model, names, shapes
        self.sizes = [[shape.numel() for shape in player] for player in shapes]
        self.traced: dict[tuple[str, int | None], TracedFunction] = {}

    def call(self, method: str, replicas: VmapInputs, inputs: tuple) -> tuple[Any, NamedTensors]:
        """Call a method by name with arguments; return its result and the buffers after it."""
        key = method, None
        if key not in self.traced:
            self.traced[key] = TracedFunction(torch.vmap(self._function(method)))
        return self.traced[key](replicas, inputs)

    def gradient(
        self, method: str, player: int, replicas: VmapInputs, inputs: tuple
    ) -> tuple[Tensor, tuple[Tensor, ...], NamedTensors]:
        """Differentiate a method's first result, a loss, by a player's weights.

        Return gradients [R, P], what the method returned, and the buffers after it.
        """
        key = method, player
        if key not in self.traced:
            function = self._function(method)

            def loss(row: Tensor, replica: VmapInputs, inputs: tuple) -> tuple[Tensor, Any]:
                rows = [row if i == player else other for i, other in enumerate(replica.rows)]
                result, after = function(replica._replace(rows=rows), inputs)
                return result[0], (result, after)

            def slope(replica: VmapInputs, inputs: tuple) -> tuple[Tensor, Any]:
                return torch.func.grad(loss, has_aux=True)(replica.rows[player], replica, inputs)

            self.traced[key] = TracedFunction(torch.vmap(slope))
        gradient, (result, after) = self.traced[key](replicas, inputs)
        return gradient, result, after

    def parts(self, player: int, rows: NamedTensors) -> list[NamedTensors]:
        """Split rows [R, P] into one [R, p] for each parameter; numbers [R] are repeated."""
        split = {n: row.split(self.sizes[player], 1) for n, row in rows.items() if row.ndim == 2}
        return [
            {n: split[n][i] if n in split else row for n, row in rows.items()}
            for i in range(len(self.sizes[player]))
        ]

    def _function(self, method: str) -> Callable[..., tuple[Any, NamedTensors]]:
        """Return a method as a function of one replica's tensors and inputs."""
        caller = MethodCaller(self.model)

        def function(replica: VmapInputs, inputs: tuple) -> tuple[Any, NamedTensors]:
            after = {name: b.clone() for name, b in replica.buffers.items()}  # written in place
            state = {f"model.{name}": buffer for name, buffer in after.items()}
            players = zip(replica.rows, self.names, self.shapes, self.sizes, strict=True)
            for row, names, shapes, sizes in players:
                parts = zip(names, row.split(sizes), shapes, strict=True)
                state |= {f"model.{name}": part.view(shape) for name, part, shape in parts}
            with override_hyperparameters(self.model, replica.numbers):
                return functional_call(caller, state, (method, inputs)), after

        return function


@contextmanager
def override_hyperparameters(model: GenerativeModel, numbers: Mapping[str, Any]) -> Iterator[None]:
    """Replace numbers of a model, given by path "attribute.name ...", within the block."""
    before: dict[str, Any] = {}
    for path, number in numbers.items():
        attribute, *names = path.split(".")
        part = getattr(model, attribute)
        before.setdefault(attribute, part)
        setattr(model, attribute, replace_number(part, names, number))
    try:
        yield
    finally:
        for attribute, part in before.items():
            setattr(model, attribute, part)


def replace_number(part: Any, names: Sequence[str], number: Any) -> Any:
    """Return a copy of a part with another number at a path of attributes and keys."""
    if not names:
        return number
    first, *rest = names
    if isinstance(part, Mapping):
        return {**part, first: replace_number(part[first], rest, number)}
    changed = copy.copy(part)  # was checked when the replica was built
    object.__setattr__(changed, first, replace_number(getattr(part, first), rest, number))
    return changed
