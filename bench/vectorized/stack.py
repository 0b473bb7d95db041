"""R slots in which ordinary models of one kind train side by side, by their own methods.

A model in a slot stays what it was: its parameters and buffers are views of the stack's rows, its
optimizer is torch's, made by its own settings for its own row, its random streams are its own.
Nothing is summed over replicas, so none of them reaches another.
"""

import copy
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from bench.data.batches import shuffled
from bench.models.base import GenerativeModel
from bench.models.differentiable import SETTINGS, ParamState
from bench.vectorized.compatibility import why_not_packable
from bench.vectorized.vmapped_model import Named, VmappedModel


class ReplicaStack:
    """Models that differ in seed, rates and the numbers of their `own`, and in nothing else.

    Args:
        models: one for each slot, at least one of them; None leaves a slot empty.
        samples: [N, ...], uint8 images or floats, on the device that trains.
        batch_size: B.

    Attributes:
        models: in their slots; their counters, streams, losses and weights are always true.

    Raises:
        ValueError: a model cannot be packed, or is of another shape than the rest.
    """

    def __init__(
        self, models: Sequence[GenerativeModel | None], samples: Tensor, batch_size: int
    ) -> None:
        first = next((model for model in models if model is not None), None)
        if first is None:
            raise ValueError("a stack of no models: give one or more")
        if len(samples) == 0 or batch_size < 1:
            raise ValueError(f"{len(samples)} samples in batches of {batch_size}: need 1 or more")
        self.samples, self.batch_size = samples, batch_size
        self.models: list[GenerativeModel | None] = [None] * len(models)
        self.template = copy.deepcopy(first).to(samples.device)
        named = {id(p): (name, p) for name, p in self.template.named_parameters()}
        players = [[named[id(p)] for p in one.parameters()] for one in self.template.players()]
        self.names = [[name for name, _ in player] for player in players]
        shapes = [[p.shape for _, p in player] for player in players]
        self.vmapped = VmappedModel(self.template, self.names, shapes)
        self.layout = layout(self.template)
        # an empty slot computes with the first model's weights: nobody reads it, nothing is odd
        self.rows = [
            torch.cat([p.detach().flatten() for _, p in player]).repeat(len(models), 1)
            for player in players
        ]
        buffers = {n: b for n, b in self.template.named_buffers() if not n.startswith("average.")}
        self.buffers: Named = {
            name: b.expand(len(models), *b.shape).clone() for name, b in buffers.items()
        }
        numbers = {
            path: get_number(self.template, path) for path in self.template.replica_hyperparameters
        }
        kind = next(self.template.parameters()).dtype
        self.hyperparameters: Named = {
            path: torch.full((len(models),), value, dtype=kind, device=samples.device)
            for path, value in numbers.items()
        }
        self.losses: Named = {}
        self.optimizers: list[list[torch.optim.Optimizer]] = [[] for _ in models]
        self.orders: list[Iterator[Tensor]] = [self._order(first) for _ in models]
        for slot, model in enumerate(models):
            if model is not None:
                self.insert(slot, model)

    @property
    def occupied(self) -> list[int]:
        """The slots that hold a model."""
        return [slot for slot, model in enumerate(self.models) if model is not None]

    @property
    def vmap_inputs(self) -> tuple[list[Tensor], Named, Named]:
        """Weights, buffers and numbers of all replicas, as `VmappedModel` takes them."""
        return self.rows, self.buffers, self.hyperparameters

    def model(self, slot: int) -> GenerativeModel:
        """The model in a slot that holds one."""
        model = self.models[slot]
        assert model is not None
        return model

    def insert(
        self,
        slot: int,
        model: GenerativeModel,
        optimizer_states: Sequence[dict[str, Any]] | None = None,
    ) -> None:
        """Let a model train in an empty slot, from the state and the step that it stands at.

        Args:
            optimizer_states: of `checkpoint`, where it goes on.

        Raises:
            ValueError: the slot is taken; or the model cannot be packed, or not with the others.
        """
        if self.models[slot] is not None:
            raise ValueError(f"slot {slot} is taken: take its model out first")
        if why := why_not_packable(model):
            raise ValueError(f"a model that cannot be packed: {why}")
        model.to(self.samples.device)
        if layout(model) != self.layout:
            raise ValueError("the models of a stack have one architecture, and these differ")
        named = dict(model.named_parameters())
        for rows, names in zip(self.rows, self.names, strict=True):
            parameters = [named[name] for name in names]
            row = rows[slot]
            row.copy_(torch.cat([p.detach().flatten() for p in parameters]))
            parts = row.split([p.numel() for p in parameters])
            for parameter, part in zip(parameters, parts, strict=True):
                parameter.data = part.view(parameter.shape)
        for name, buffer in self.buffers.items():
            owner, _, short = name.rpartition(".")
            buffer[slot].copy_(model.get_buffer(name))
            model.get_submodule(owner)._buffers[short] = buffer[slot]
        for path, numbers in self.hyperparameters.items():
            numbers[slot] = get_number(model, path)
        made = [model.training_settings.optimizer([nn.Parameter(rows[slot])]) for rows in self.rows]
        if optimizer_states is not None:
            for optimizer, state in zip(made, optimizer_states, strict=True):
                optimizer.load_state_dict(copy.deepcopy(state))
        self.optimizers[slot], self.models[slot] = made, model
        model.on_fit_start()
        self.orders[slot] = self._order(model)
        kept, model.losses = model.losses, {}
        for name, value in kept.items():
            self.loss_values(name, value.expand(len(self.models)))[slot] = value
        model.losses = {name: losses[slot] for name, losses in self.losses.items() if name in kept}

    def remove(self, slot: int) -> GenerativeModel:
        """Free a slot; the model has weights of its own from then on."""
        model = self.model(slot)
        for parameter in model.parameters():
            parameter.data = parameter.data.clone()
        for name in self.buffers:
            owner, _, short = name.rpartition(".")
            model.get_submodule(owner)._buffers[short] = model.get_buffer(name).clone()
        model.losses = {name: value.clone() for name, value in model.losses.items()}
        self.models[slot], self.optimizers[slot] = None, []
        return model

    def optimizer_step(self, player: int, slot: int, gradient: Tensor) -> None:
        """One step of a replica's own optimizer down its gradient [P]."""
        optimizer = self.optimizers[slot][player]
        optimizer.param_groups[0]["params"][0].grad = gradient
        optimizer.step()

    def loss_values(self, name: str, like: Tensor) -> Tensor:
        """The readings [R] of that name, of which each model has its own as a view."""
        if name not in self.losses:
            self.losses[name] = torch.full_like(like, torch.nan).contiguous()
        for slot in self.occupied:
            if name not in (losses := self.model(slot).losses):
                losses[name] = self.losses[name][slot]
        return self.losses[name]

    def optimizer_state(self, player: int) -> list[ParamState]:
        """What the optimizers of a player know of each of its parameters; tensors [R, ...]."""
        spare = self.optimizers[self.occupied[0]][player]
        each = [made[player] if made else spare for made in self.optimizers]
        groups = [one.param_groups[0] for one in each]
        states = [one.state[group["params"][0]] for one, group in zip(each, groups, strict=True)]
        device = self.samples.device
        settings = {
            n: stack_values([g[n] for g in groups], device) for n in SETTINGS if n in groups[0]
        }
        state = {name: stack_values([one[name] for one in states], device) for name in states[0]}
        held = []
        places = zip(self.vmapped.shapes[player], self.vmapped.parts(player, state), strict=True)
        for shape, part in places:
            of_one = {n: v.view(len(v), *shape) if v.ndim > 1 else v for n, v in part.items()}
            held.append(ParamState(of_one, settings))
        return held

    def checkpoint(self, slot: int) -> dict[str, Any]:
        """Tensors, ints and strings, with which `insert` goes on to the same bits."""
        model = self.model(slot)
        content: dict[str, Any] = {
            "state_dict": model.state_dict(),
            "optimizer_states": [one.state_dict() for one in self.optimizers[slot]],
        }
        model.on_save_checkpoint(content)
        return clone_tensors(content)

    def _order(self, model: GenerativeModel) -> Iterator[Tensor]:
        """The batches that a model sees from its step on, endless."""
        seed = model.training_settings.seed
        return shuffled(len(self.samples), self.batch_size, seed, model.d_steps, sys.maxsize)


def stack_values(values: Sequence[Any], device: torch.device) -> Any:
    """Numbers or tensors of each replica as one tensor [R, ...]; of tuples, a tuple of them."""
    if isinstance(values[0], tuple | list):
        return tuple(stack_values(one, device) for one in zip(*values, strict=True))
    if isinstance(values[0], Tensor) and values[0].ndim:
        return torch.stack(list(values))
    return torch.tensor([float(v) for v in values], dtype=torch.float64, device=device)


def get_number(model: GenerativeModel, path: str) -> float:
    """What stands at "attribute.name"."""
    attribute, name = path.split(".")
    return getattr(getattr(model, attribute), name)


def layout(model: GenerativeModel) -> tuple:
    """What replicas have in common: their type, and the shapes of all that they hold."""
    return type(model), {name: t.shape for name, t in model.state_dict().items()}


def clone_tensors(content: Any) -> Any:
    """The same with tensors of its own, none of them a view of more."""
    if isinstance(content, Tensor):
        return content.detach().clone()
    if isinstance(content, dict):
        return {name: clone_tensors(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return type(content)(clone_tensors(value) for value in content)
    return content


def state_bytes(model: GenerativeModel) -> bytes:
    """All that a model holds: weights, averages, other buffers, losses."""
    held = {**model.state_dict(), **{f"loss {n}": v for n, v in model.losses.items()}}
    return b"".join(held[name].cpu().numpy().tobytes() for name in sorted(held))
