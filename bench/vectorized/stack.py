"""Hold R ordinary models of one class in slots, in which they train side by side.

A model in a slot remains usable: its parameters and buffers are views of the stack's tensors, its
optimizer is torch's, made with its own settings for its own row, its random streams are its own.
Nothing is summed over replicas, so none of them affects another.
"""

import copy
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from bench.core.batch import Batch
from bench.core.schedules import at
from bench.data.batches import FRESH_STREAM, STREAM, iter_batch_indices
from bench.models.base import GenerativeModel, usable_data
from bench.models.differentiable import SETTINGS, ParamState
from bench.models.optimizers import build_optimizer, set_numbers
from bench.vectorized.compatibility import why_not_packable
from bench.vectorized.vmapped_model import NamedTensors, VmapInputs, VmappedModel


class ReplicaStack:
    """R slots for models that differ only in seed, rates and `replica_hyperparameters`.

    Args:
        models: R entries, at least one of them a model; None leaves a slot empty.
        data: training samples [N, ...], uint8 images or floats, on the training device, with
            their labels for conditional models.
        batch_size: B.

    Attributes:
        models: R entries; counters, streams, losses and weights of the models are up to date.
        rows: for each player the weights of all replicas, [R, P].
        buffers: buffers by name, [R, ...].
        hyperparameters: the replicas' own numbers by "attribute.name", [R].
        losses: logged losses by name, [R].
        optimizers: for each slot its optimizers, one for each player.
        orders, fresh_orders: for each slot endless iterators of its batches: indices [B].

    Raises:
        ValueError: a model cannot be packed, or differs in architecture from the others.
    """

    def __init__(
        self, models: Sequence[GenerativeModel | None], data: Tensor | Batch, batch_size: int
    ) -> None:
        first = next((model for model in models if model is not None), None)
        if first is None:
            raise ValueError("a stack needs at least one model, and there is none")
        self.data, self.batch_size = usable_data(data, first), batch_size
        self.samples = samples = self.data.samples
        if len(samples) == 0 or batch_size < 1:
            raise ValueError(
                f"{len(samples)} samples in batches of {batch_size}: both must be 1 or more"
            )
        self.models: list[GenerativeModel | None] = [None] * len(models)
        self.template = copy.deepcopy(first).to(samples.device)
        named = {id(p): (name, p) for name, p in self.template.named_parameters()}
        modules = self.template.players()
        players = [[named[id(p)] for p in module.parameters()] for module in modules]
        self.names = [[name for name, _ in player] for player in players]
        shapes = [[p.shape for _, p in player] for player in players]
        self.vmapped = VmappedModel(self.template, self.names, shapes)
        self.layout = model_layout(self.template)
        # empty slots compute with the first model's weights: the results are discarded
        self.rows = [
            torch.cat([p.detach().flatten() for _, p in player]).repeat(len(models), 1)
            for player in players
        ]
        buffers = {n: b for n, b in self.template.named_buffers() if not n.startswith("average.")}
        self.buffers: NamedTensors = {
            name: b.expand(len(models), *b.shape).clone() for name, b in buffers.items()
        }
        size, dtype = (len(models),), next(first.parameters()).dtype
        self.hyperparameters: NamedTensors = {
            path: torch.full(size, at(number, 0), dtype=dtype, device=samples.device)
            for path, number in first.replica_numbers().items()
        }
        self.losses: NamedTensors = {}
        self.optimizers: list[list[torch.optim.Optimizer]] = [[] for _ in models]
        self.orders: list[Iterator[Tensor]] = [self._order(first) for _ in models]
        self.fresh_orders = list(self.orders)
        self.schedules: list[dict[str, Callable[[float], float]]] = [{} for _ in models]
        for slot, model in enumerate(models):
            if model is not None:
                self.insert(slot, model)

    @property
    def occupied(self) -> list[int]:
        """The slots that hold a model."""
        return [slot for slot, model in enumerate(self.models) if model is not None]

    @property
    def vmap_inputs(self) -> VmapInputs:
        """The replicas' tensors, as `VmappedModel` takes them."""
        return VmapInputs(self.rows, self.buffers, self.hyperparameters)

    def model(self, slot: int) -> GenerativeModel:
        """Return the model in an occupied slot."""
        model = self.models[slot]
        assert model is not None
        return model

    def insert(
        self,
        slot: int,
        model: GenerativeModel,
        optimizer_states: Sequence[dict[str, Any]] | None = None,
    ) -> None:
        """Put a model into an empty slot, to train on from its present state and step.

        Args:
            slot: in [0, R).
            model: of the architecture of the others.
            optimizer_states: those of `checkpoint` if the model resumes from one.

        Raises:
            ValueError: the slot is occupied, the model cannot be packed, or it does not fit the
                others.
        """
        if self.models[slot] is not None:
            raise ValueError(f"slot {slot} is occupied: remove its model first")
        if why := why_not_packable(model):
            raise ValueError(f"a model cannot be packed: {why}")
        model.to(self.samples.device)
        model.learn_classes(self.data.labels)
        if model_layout(model) != self.layout:
            raise ValueError("the models of a stack must have one architecture, and these differ")
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
        numbers = model.replica_numbers()
        self.schedules[slot] = {path: n for path, n in numbers.items() if callable(n)}
        for path, number in numbers.items():
            self.hyperparameters[path][slot] = at(number, model.images)
        pairs = zip(model.optimizer_makers(), self.rows, strict=True)
        optimizers = [
            build_optimizer(make, [nn.Parameter(rows[slot])], model.images) for make, rows in pairs
        ]
        if optimizer_states is not None:
            for optimizer, state in zip(optimizers, optimizer_states, strict=True):
                optimizer.load_state_dict(copy.deepcopy(state))
        self.optimizers[slot], self.models[slot] = optimizers, model
        model.on_fit_start()
        self.orders[slot] = self._order(model)
        self.fresh_orders[slot] = self._order(model, FRESH_STREAM)
        own_losses, model.losses = model.losses, {}
        for name, value in own_losses.items():
            self.loss_values(name, value.expand(len(self.models)))[slot] = value
        model.losses = {n: losses[slot] for n, losses in self.losses.items() if n in own_losses}

    def remove(self, slot: int) -> GenerativeModel:
        """Free a slot; return its model, whose weights are its own from then on."""
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
        """Make one step of a replica's optimizer with its gradient [P]."""
        optimizer, model = self.optimizers[slot][player], self.model(slot)
        if scheduled := model.scheduled[player]:
            set_numbers(optimizer, scheduled, model.images)
        optimizer.param_groups[0]["params"][0].grad = gradient
        optimizer.step()

    def set_scheduled_numbers(self) -> None:
        """Set the replicas' own numbers that are functions of the images that each has seen."""
        for slot in self.occupied:
            for path, number in self.schedules[slot].items():
                self.hyperparameters[path][slot] = number(self.model(slot).images)

    def loss_values(self, name: str, like: Tensor) -> Tensor:
        """Return the losses [R] of a name, allocated `like` [R]; each model holds its own view."""
        if name not in self.losses:
            self.losses[name] = torch.full_like(like, torch.nan).contiguous()
        for slot in self.occupied:
            if name not in (losses := self.model(slot).losses):
                losses[name] = self.losses[name][slot]
        return self.losses[name]

    def optimizer_state(self, player: int) -> list[ParamState]:
        """Return moments and settings of a player's optimizers for each parameter, [R, ...]."""
        spare = self.optimizers[self.occupied[0]][player]
        optimizers = [slot[player] if slot else spare for slot in self.optimizers]
        groups = [optimizer.param_groups[0] for optimizer in optimizers]
        states = [o.state[g["params"][0]] for o, g in zip(optimizers, groups, strict=True)]
        device = self.samples.device
        settings = {
            n: stack_values([g[n] for g in groups], device) for n in SETTINGS if n in groups[0]
        }
        # a replica whose player has not moved yet begins with moments of 0, as torch's own do
        first: dict[str, Any] = next((state for state in states if state), {})
        states = [state or {n: torch.zeros_like(v) for n, v in first.items()} for state in states]
        rows = {name: stack_values([state[name] for state in states], device) for name in first}
        parts = zip(self.vmapped.shapes[player], self.vmapped.parts(player, rows), strict=True)
        return [
            ParamState(
                {n: v.view(len(v), *shape) if v.ndim > 1 else v for n, v in part.items()}, settings
            )
            for shape, part in parts
        ]

    def checkpoint(self, slot: int) -> dict[str, Any]:
        """Return tensors, not views, ints and strings from which `insert` resumes to equal bits."""
        model = self.model(slot)
        content: dict[str, Any] = {
            "state_dict": model.state_dict(),
            "optimizer_states": [o.state_dict() for o in self.optimizers[slot]],
        }
        model.on_save_checkpoint(content)
        return tree_map_only(Tensor, lambda view: view.detach().clone(), content)

    def _order(self, model: GenerativeModel, stream: str = STREAM) -> Iterator[Tensor]:
        """Iterate over a model's batches from its present step on, without end."""
        seed = model.training_settings.seed
        return iter_batch_indices(
            *(len(self.samples), self.batch_size, seed, model.d_steps, sys.maxsize, stream),
            device=self.samples.device,
        )


def stack_values(values: Sequence[Any], device: torch.device) -> Any:
    """Stack a number or tensor of each replica as one tensor [R, ...]; tuples entry by entry."""
    if isinstance(values[0], tuple | list):
        return tuple(stack_values(entries, device) for entries in zip(*values, strict=True))
    if isinstance(values[0], Tensor):  # counts of steps stay where they are: nothing is read
        stacked = torch.stack(list(values))
        return stacked if values[0].ndim else stacked.to(device, torch.float64, non_blocking=True)
    numbers = torch.tensor([float(v) for v in values], dtype=torch.float64)
    return numbers.to(device, non_blocking=True)


def model_layout(model: GenerativeModel) -> tuple:
    """Return a model's class and the shapes of its state, which replicas have in common."""
    return type(model), {name: t.shape for name, t in model.state_dict().items()}


def state_bytes(model: GenerativeModel) -> bytes:
    """Return the bytes of a model's weights, averages, other buffers and losses."""
    state = {**model.state_dict(), **{f"loss {n}": v for n, v in model.losses.items()}}
    return b"".join(state[name].cpu().numpy().tobytes() for name in sorted(state))
