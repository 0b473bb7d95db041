"""A model's methods over the weights of many replicas at once, and their gradients."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from bench.models.base import GenerativeModel
from bench.vectorized.fx_trace import TracedFunction

Named = dict[str, Tensor]


class MethodCaller(nn.Module):
    """A model whose methods are called by name, so that `functional_call` reaches them."""

    def __init__(self, model: GenerativeModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, method: str, inputs: tuple) -> Any:
        """What the method returns."""
        return getattr(self.model, method)(*inputs)


class VmappedModel:
    """Calls methods of a model as each replica of it would.

    Each method is traced once for each shape of its inputs: what it does must not depend on values.

    Args:
        model: any of the replicas; its own weights are not read.
        names: of the parameters in a row of weights, for each player.
        shapes: theirs.
    """

    def __init__(
        self,
        model: GenerativeModel,
        names: Sequence[Sequence[str]],
        shapes: Sequence[Sequence[torch.Size]],
    ) -> None:
        self.model, self.names, self.shapes = model, names, shapes
        self.sizes = [[shape.numel() for shape in one] for one in shapes]
        self.traced: dict[tuple[str, int | None], TracedFunction] = {}

    def call(
        self, method: str, rows: Sequence[Tensor], buffers: Named, own: Named, inputs: tuple
    ) -> tuple[Any, Named]:
        """What a method returns, and the buffers after it; all with the replicas' axis first."""
        known = method, None
        if known not in self.traced:
            self.traced[known] = TracedFunction(torch.vmap(self._function(method)))
        return self.traced[known](rows, buffers, own, inputs)

    def gradient(
        self,
        method: str,
        player: int,
        rows: Sequence[Tensor],
        buffers: Named,
        own: Named,
        inputs: tuple,
    ) -> tuple[Tensor, tuple[Tensor, ...], Named]:
        """Gradients [R, P] of a loss in the player's weights, what the method returns, buffers."""
        known = method, player
        if known not in self.traced:
            function = self._function(method)

            def loss(row: Tensor, rows: Sequence[Tensor], *others: Any) -> tuple[Tensor, Any]:
                with_row = [row if i == player else one for i, one in enumerate(rows)]
                found, after = function(with_row, *others)
                return found[0], (found, after)

            def slope(rows: Sequence[Tensor], *others: Any) -> tuple[Tensor, Any]:
                return torch.func.grad(loss, has_aux=True)(rows[player], rows, *others)

            self.traced[known] = TracedFunction(torch.vmap(slope))
        gradient, (found, after) = self.traced[known](rows, buffers, own, inputs)
        return gradient, found, after

    def parts(self, player: int, rows: Named) -> list[Named]:
        """Rows [R, P] cut into those of each parameter, [R, p]; numbers [R] stay as they are."""
        cut = {n: row.split(self.sizes[player], 1) for n, row in rows.items() if row.ndim == 2}
        return [
            {n: cut[n][i] if n in cut else row for n, row in rows.items()}
            for i in range(len(self.sizes[player]))
        ]

    def _function(self, method: str) -> Callable[..., tuple[Any, Named]]:
        """One replica's: rows [P] of each player, its buffers, numbers and inputs."""
        shell = MethodCaller(self.model)

        def function(
            rows: Sequence[Tensor], buffers: Named, own: Named, inputs: tuple
        ) -> tuple[Any, Named]:
            held = {name: buffer.clone() for name, buffer in buffers.items()}  # written in place
            given = {f"model.{name}": value for name, value in held.items()}
            for row, names, shapes, sizes in zip(
                rows, self.names, self.shapes, self.sizes, strict=True
            ):
                parts = zip(names, row.split(sizes), shapes, strict=True)
                given |= {f"model.{name}": part.view(shape) for name, part, shape in parts}
            with override_numbers(self.model, own):
                return functional_call(shell, given, (method, inputs)), held

        return function


@contextmanager
def override_numbers(model: GenerativeModel, own: Mapping[str, Any]) -> Iterator[None]:
    """The model with other numbers at "attribute.name", in place of those that it was made with."""
    before: dict[str, Any] = {}
    for path, number in own.items():
        attribute, name = path.split(".")
        part = getattr(model, attribute)
        before.setdefault(attribute, part)
        changed = copy.copy(part)
        object.__setattr__(changed, name, number)  # checked where the replica's own was made
        setattr(model, attribute, changed)
    try:
        yield
    finally:
        for attribute, part in before.items():
            setattr(model, attribute, part)
