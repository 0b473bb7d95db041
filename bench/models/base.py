"""What every model shares: streams, counters, precision, the moving average, checkpoint contents.

One batch is one discriminator step. Losses stay on the device in `losses`; whoever wants them reads
them there when it is time, so that no step waits for the host.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from bench.core import distributed
from bench.core.objective import RandomInput, UpdateSchedule
from bench.core.seeds import generator as stream
from bench.data.split import Split
from bench.models.differentiable import ParamState, param_states
from bench.models.executor import ReplicaMask, StepExecutor, frozen

DRAW = {"uniform": torch.rand, "normal": torch.randn}
PRECISIONS = ("32", "tf32", "bf16")


@dataclass(frozen=True)
class TrainingConfig:
    """What a run chooses for any model.

    Args:
        prior: a function of `bench.models.priors`.
        latent_dim: L, the width of the latents.
        optimizer: parameters -> torch optimizer; called once for each player.
        seed: of all streams.
        precision: "32"; "tf32", float32 with TF32 products on the GPU; "bf16", autocast of the
            networks to bfloat16, never around a gradient penalty.
        ema_decay: of the generator's moving average, in (0, 1), or None for none.

    Raises:
        ValueError: a setting is outside its range.
    """

    prior: Callable[[int, int, torch.Generator], Tensor]
    latent_dim: int
    optimizer: Callable[[Iterable[Tensor]], torch.optim.Optimizer]
    seed: int
    precision: str
    ema_decay: float | None

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is {self.precision!r}; choose {', '.join(PRECISIONS)}")
        if self.ema_decay is not None and not 0 < self.ema_decay < 1:
            raise ValueError(f"ema_decay is {self.ema_decay}; it lies between 0 and 1, or is null")
        if self.latent_dim < 1:
            raise ValueError(f"latent_dim is {self.latent_dim}; it must be 1 or more")
        self.optimizer([torch.zeros(1, requires_grad=True)])  # refuses bad rates now, not in step 1


def check_objective_type(part: Any, kind: type, model: str) -> None:
    """Refuse a loss that was written for another model.

    Raises:
        ValueError: `part` is not of that kind.
    """
    if not isinstance(part, kind):
        raise ValueError(
            f"model {model!r} plays by a loss of type {kind.__name__}, "
            f"the chosen one is of type {type(part).__name__}: choose another loss="
        )


class GenerativeModel(pl.LightningModule):
    """Train a generator, against or with other networks where the model has any.

    Args:
        players: networks by attribute name, the generator (latents [B, L] -> samples [B, ...])
            first; each is initialised from a stream of its own.
        training: see `TrainingConfig`.

    Attributes:
        own: numbers that a turn computes with and that replicas side by side may each have of
            their own, as "attribute.name".
    """

    replica_hyperparameters: ClassVar[tuple[str, ...]] = ()

    generator: nn.Module

    def __init__(self, players: Mapping[str, nn.Module], training: TrainingConfig) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.training_settings = training
        self.player_names = tuple(players)
        for index, (name, player) in enumerate(players.items()):
            self.add_module(name, player)
            player.reset(stream(training.seed, "init", index))
        self.average: AveragedModel | None = None
        if training.ema_decay is not None:
            rule = get_ema_multi_avg_fn(training.ema_decay)
            self.average = AveragedModel(self.generator, multi_avg_fn=rule, use_buffers=True)
        self.d_steps, self.g_steps = 0, 0
        self.losses: dict[str, Tensor] = {}
        self.streams: dict[str, torch.Generator] = {}
        self._stream_states: dict[str, Tensor] = {}

    def players(self) -> tuple[nn.Module, ...]:
        """The modules that have an optimizer each, in order."""
        return tuple(getattr(self, name) for name in self.player_names)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """One optimizer for each player, with the same settings."""
        return [self.training_settings.optimizer(p.parameters()) for p in self.players()]

    def on_fit_start(self) -> None:
        """Open the random streams on the device, where a checkpoint left them if there was one."""
        for name in ("latent", "draws"):
            opened = stream(self.training_settings.seed, name, device=self.device)
            if name in self._stream_states:
                opened.set_state(self._stream_states[name].cpu())
            self.streams[name] = opened

    def training_step(self, real: Tensor, batch_idx: int) -> None:
        """One turn with real samples [B, ...]; it counts as a discriminator step."""
        self.training_round(SingleExecutor(self, real))
        self.d_steps += 1

    def training_round(self, ex: StepExecutor) -> None:
        """What is computed in a step, in order, for whoever carries it out."""
        raise NotImplementedError(f"{type(self).__name__} says neither a turn nor a training step")

    def constrain(self, parameters: Iterable[Tensor]) -> None:
        """Project the discriminator's parameters onto the allowed set, in place; here, any set."""

    def fit_to_data(self, train: Split) -> None:
        """What trains, with its labels, before the first step; batches carry samples alone."""

    def draw_latent(self, count: int) -> Tensor:
        """The stream's next latents, [count, L]: this process's share of the whole batch's."""
        settings = self.training_settings
        count *= distributed.world_size()
        return distributed.shard(settings.prior(count, settings.latent_dim, self.streams["latent"]))

    def draw(self, wanted: Mapping[str, RandomInput], real: Tensor) -> dict[str, Tensor]:
        """The stream's next numbers for a pure function that asks for them."""
        draws = self.streams["draws"]
        return {
            name: DRAW[ask.distribution](
                ask.shape(real), generator=draws, device=draws.device, dtype=real.dtype
            )
            for name, ask in wanted.items()
        }

    def autocast(self) -> AbstractContextManager:
        """Around passes through the networks; nothing where precision is not bf16."""
        if self.training_settings.precision != "bf16":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def generate(self, latent: Tensor) -> Tensor:
        """Samples [B, ...] in at least float32 from latents [B, L]."""
        with self.autocast():
            fake = self.generator(latent)
        return fake.float() if fake.dtype == torch.bfloat16 else fake

    def step(self, optimizer: torch.optim.Optimizer, loss: Tensor) -> Tensor:
        """One step of one player, by the mean gradient over the processes of the run.

        torch's own optimizer and backward, not Lightning's wrappers: the streams, counters and
        precision are ours, and the wrappers cost a fifth of a small network's step.

        Returns:
            The loss without its graph, of the whole batch.
        """
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for parameter in parameters:
            parameter.grad = None  # as zero_grad does, which first tells a profiler
        loss.backward()
        loss = loss.detach()
        if distributed.world_size() > 1:
            distributed.all_reduce_mean_(
                [loss, *(p.grad for p in parameters if p.grad is not None)]
            )
        optimizer.step()
        return loss

    def generator_moved(self) -> None:
        """Count a generator step and fold it into the moving average."""
        self.g_steps += 1
        if self.average is not None:
            self.average.update_parameters(self.generator)

    def sampled_generator(self) -> nn.Module:
        """What is kept and scored: the moving average where there is one."""
        return self.generator if self.average is None else self.average.module

    def discriminator_diagnostics(self, samples: Mapping[str, Tensor]) -> dict[str, float]:
        """Return statistics of what D says of samples "train", "test" and "fake"; here, none."""
        return {}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Counters, streams, last losses: ints and tensors only, as `weights_only` wants them."""
        checkpoint["d_steps"], checkpoint["g_steps"] = self.d_steps, self.g_steps
        checkpoint["streams"] = {name: s.get_state() for name, s in self.streams.items()}
        checkpoint["losses"] = dict(self.losses)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take counters, streams and last losses back."""
        self.d_steps, self.g_steps = checkpoint["d_steps"], checkpoint["g_steps"]
        self._stream_states, self.losses = checkpoint["streams"], checkpoint["losses"]


class SingleExecutor:
    """The hands of one model.

    Args:
        model: whose turn it is.
        real: samples [B, ...]: this process's share of the whole batch.
    """

    def __init__(self, model: GenerativeModel, real: Tensor) -> None:
        self.model, self.real = model, real
        optimizers: Any = model.optimizers(use_pl_optimizer=False)
        self.optimizers = optimizers if isinstance(optimizers, list) else [optimizers]

    def due(self, turns: UpdateSchedule) -> ReplicaMask:
        """One, or nobody."""
        is_due = turns.generator_is_due(self.model.d_steps, self.model.g_steps)
        return (0,) if is_due else ()

    def latents(self, count: int = 1, mask: ReplicaMask | None = None) -> Tensor:
        """[count B, L]."""
        return self.model.draw_latent(count * len(self.real))

    def draws(
        self, wanted: Mapping[str, RandomInput], mask: ReplicaMask | None = None
    ) -> dict[str, Tensor]:
        """For the whole batch, of which each process has its share."""
        real = self.real
        if distributed.world_size() > 1:
            real = real[:1].expand(distributed.world_size() * len(real), *real.shape[1:])
        return self.model.draw(wanted, real)

    def noise(self, width: int) -> Tensor:
        """[B, width]: this process's share."""
        draws, shape = (
            self.model.streams["draws"],
            (len(self.real) * distributed.world_size(), width),
        )
        drawn = torch.randn(shape, generator=draws, device=draws.device, dtype=self.real.dtype)
        return distributed.shard(drawn)

    def forward(self, method: Callable[..., Any], *inputs: Any, with_grad: bool = False) -> Any:
        """Called, with or without a graph."""
        with torch.set_grad_enabled(with_grad):
            return method(*inputs)

    def optimizer_state(self, player: int) -> list[ParamState]:
        """Those of the player's optimizer."""
        return param_states(self.optimizers[player])

    def optimizer_step(
        self, player: int, loss: Callable[..., Any], *inputs: Any, mask: ReplicaMask | None = None
    ) -> tuple[Tensor, ...]:
        """By the player's optimizer; the others' weights have no gradients meanwhile."""
        with ExitStack() as stack:
            for other in self.model.players()[1:] if player == 0 else ():
                stack.enter_context(frozen(other))
            value, *rest = loss(*inputs)
            value = self.model.step(self.optimizers[player], value)
        return value, *(one.detach() for one in rest)

    def constrain(self, player: int) -> None:
        """In place."""
        self.model.constrain(self.model.players()[player].parameters())

    def log(self, name: str, value: Tensor, mask: ReplicaMask | None = None) -> None:
        """Among the model's losses."""
        self.model.losses[name] = value

    def generator_moved(self, mask: ReplicaMask | None = None) -> None:
        """And fold it into the moving average."""
        self.model.generator_moved()
