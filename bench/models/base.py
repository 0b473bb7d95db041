"""Base class of all models: streams, counters, precision, moving average, checkpoint contents.

One batch is one discriminator step. Losses stay on the device, in `losses`, until the monitor reads
them, so that no step waits for the host.
"""

import copy
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from bench.core import distributed, seeds
from bench.core.batch import Batch, Labels, Latent, as_batch, as_latent
from bench.core.contracts import require_method, require_shape
from bench.core.number_checks import require_whole_number
from bench.core.outputs import upcast
from bench.core.parts import PLAYERS, RandomInput
from bench.core.pixels import UNIT, pixel_range
from bench.core.schedules import Number
from bench.core.seeds import generator as stream
from bench.data.lightning import pl
from bench.data.split import Split
from bench.models.differentiable import ParamState, param_states
from bench.models.executor import GENERATOR, IsDue, LossFn, ReplicaMask, StepExecutor, frozen
from bench.models.moving_average import MovingAverage
from bench.models.optimizers import MakeOptimizer, build_optimizer, scheduled_numbers, set_numbers
from bench.networks.sampler import Sampler, draw_labels, generate, takes_labels

DISTRIBUTIONS = {"uniform": torch.rand, "normal": torch.randn}
PRECISIONS = ("32", "tf32", "bf16")
CLIP_SAMPLES = 64  # of which the share of values outside the range is taken


@dataclass(frozen=True)
class TrainingConfig:
    """Settings that every model has.

    Args:
        prior: a function of `bench.models.priors`.
        latent_dim: L, the width of the latents.
        optimizers: "generator" and "discriminator" -> (parameters -> torch optimizer); arguments
            bound by a partial may be functions of the images seen. Networks that train by one
            loss have the generator's.
        batch_size: B over all processes, by which images seen are counted.
        seed: seed of all random streams.
        precision: "32"; "tf32", float32 with TF32 products on the GPU; "bf16", autocast of the
            networks to bfloat16, never around a gradient penalty.
        ema: the generator's moving average, or None for no average.

    Raises:
        ValueError: a setting is outside its range.
    """

    prior: Callable[[int, int, torch.Generator], Tensor]
    latent_dim: int
    optimizers: Mapping[str, MakeOptimizer]
    batch_size: int
    seed: int
    precision: str
    ema: MovingAverage | None

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is {self.precision!r}; choose {', '.join(PRECISIONS)}")
        if self.latent_dim < 1:
            raise ValueError(f"latent_dim is {self.latent_dim}; set it to 1 or more")
        require_whole_number("batch_size", self.batch_size, 1)
        for player, make in self.optimizers.items():  # a bad learning rate raises now
            try:
                build_optimizer(make, [torch.zeros(1, requires_grad=True)], 0)
            except ValueError as error:
                raise ValueError(f"optimizer.{player}: {error}") from error


def check_objective_type(loss: Any, expected: type, model: str) -> None:
    """Refuse, with a ValueError, a loss of another type, written for another model."""
    if not isinstance(loss, expected):
        raise ValueError(
            f"model {model!r} cannot use this loss, which is written for another model: leave out "
            "loss=, or choose one that a variant of this model has"
        )


class GenerativeModel(pl.LightningModule):
    """Train a generator, alone or together with other networks.

    A subclass writes its algorithm in `training_round`, in terms of `bench.models.executor`.

    Args:
        players: networks with `reset(torch.Generator)`, by attribute name, the generator (latents
            [B, L] -> samples [B, ...]) first; each is initialised from a stream of its own.

    Attributes:
        adversarial: the generator is trained against another network.
        replica_hyperparameters: paths "attribute.name ..." of numbers that may differ between
            replicas that train side by side; "*" stands for any name.
        reads_labels: its algorithm hands labels to its networks.
        conditional: its generator asks for the classes of its samples.
        class_counts: number of training samples of each class, [K]; None without labels.
        stream_names: the random streams that training draws from.
        reads_fresh_real: a step takes a second batch of real samples, for the generator.
    """

    adversarial: ClassVar[bool]
    replica_hyperparameters: ClassVar[tuple[str, ...]] = ()
    reads_labels: ClassVar[bool] = False
    stream_names: tuple[str, ...] = ("latent", "draws")
    reads_fresh_real: bool = False

    generator: nn.Module

    def __init__(self, players: Mapping[str, Any], training: TrainingConfig) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.training_settings = training
        self.player_names = tuple(players)
        for index, (name, player) in enumerate(players.items()):
            require_method(player, "reset", "generator", "draws its initial weights")
            self.add_module(name, player)
            player.reset(stream(training.seed, "init", index))
        self.ranges = {name: pixel_range(player) for name, player in players.items()}
        self.conditional = takes_labels(self.generator)
        self.class_counts: list[int] | None = None
        self.draws_images = False  # until the data are known
        if self.conditional and not self.reads_labels:
            raise ValueError(
                f"the generator asks for labels, and {type(self).__name__} does not hand them on: "
                "choose conditioning=none, or another variant="
            )
        self.average: nn.Module | None = None
        if training.ema is not None:
            self.average = nn.Module()
            self.average.module = copy.deepcopy(self.generator).requires_grad_(False)
        self.d_steps, self.g_steps = 0, 0
        self.averaged_images = 0  # images seen at the last update of the average
        self.scheduled = [scheduled_numbers(make) for make in self.optimizer_makers()]
        self.losses: dict[str, Tensor] = {}
        self.streams: dict[str, torch.Generator] = {}
        self._stream_states: dict[str, Tensor] = {}
        self._global_states: Mapping[str, Tensor] | None = None  # to be set before the next step

    def players(self) -> tuple[nn.Module, ...]:
        """Return the modules that have an optimizer each, in order."""
        return tuple(getattr(self, name) for name in self.player_names)

    def optimizer_makers(self) -> list[MakeOptimizer]:
        """Return what makes each player's optimizer, in the order of `players`."""
        optimizers = self.training_settings.optimizers
        return [optimizers[PLAYERS[i]] for i, _ in enumerate(self.players())]

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Make one optimizer for each player."""
        pairs = zip(self.optimizer_makers(), self.players(), strict=True)
        return [build_optimizer(make, p.parameters(), self.images) for make, p in pairs]

    @property
    def images(self) -> int:
        """Real images seen before this step, over all processes."""
        return self.d_steps * self.training_settings.batch_size

    def replica_numbers(self) -> dict[str, Number]:
        """Return the numbers that `replica_hyperparameters` names, by path."""
        found: dict[str, Number] = {}
        for path in self.replica_hyperparameters:
            found |= find_numbers(self, path.split("."))
        return found

    def on_fit_start(self) -> None:
        """Open the random streams on the device, at the states of a loaded checkpoint if any."""
        for name in self.stream_names:
            opened = stream(self.training_settings.seed, name, device=self.device)
            if name in self._stream_states:
                opened.set_state(self._stream_states[name].cpu())
            self.streams[name] = opened
        if self._global_states is None:
            with seeds.global_stream(self.training_settings.seed, 1 + distributed.rank()):
                self._global_states = seeds.global_states()

    def training_step(self, batch: Any, batch_idx: int) -> None:
        """Run one training round; it counts as a discriminator step.

        Args:
            batch: a batch of real samples, or (batch, fresh batch) where `reads_fresh_real`.
        """
        if self._global_states is not None:  # now, since Lightning draws before its first step
            seeds.set_global_states(self._global_states)
            self._global_states = None
        real, fresh = batch if self.reads_fresh_real else (batch, batch)
        self.training_round(SingleExecutor(self, as_batch(real), as_batch(fresh)))
        self.d_steps += 1

    def check_parts(self, real: Batch) -> None:
        """Refuse, with a ContractError, parts whose outputs have another shape than they should.

        To be called on a copy: networks may have state.

        Args:
            real: a few real samples.
        """
        for name in self.stream_names:
            self.streams[name] = stream(self.training_settings.seed, name)
        fake = self.generate(self.draw_latent(len(real.samples)))
        shape = tuple(real.samples.shape)
        require_shape(fake, shape, self.generator, "a batch of generated samples")

    def training_round(self, ex: StepExecutor) -> None:
        """Make the optimizer steps of one round, in order: the algorithm."""
        raise NotImplementedError(
            f"{type(self).__name__} defines neither training_round nor training_step"
        )

    def constrain(self, parameters: Iterable[Tensor]) -> None:
        """Project the discriminator's parameters onto the allowed set, in place; here, any set."""

    def fit_to_data(self, train: Split) -> None:
        """Receive the training split before the first step, and count its classes.

        Raises:
            ValueError: it has no labels, and the model is conditional; it has a class that the
                generator was not built for; it holds points, and a network works in a range of
                pixels.
        """
        self.draws_images = train.samples.ndim == 4
        for name, pixels in self.ranges.items():
            if pixels != UNIT and not self.draws_images:
                raise ValueError(
                    f"the {name} works with pixels from {pixels[0]:g} to {pixels[1]:g}, and this "
                    "data set holds points, which have no black and white: choose another network="
                )
        labels = {} if train.labels is None else {"labels": torch.from_numpy(train.labels)}
        self.learn_classes(labels)

    def learn_classes(self, labels: Labels) -> None:
        """Count the classes of training samples, by whose shares a conditional model draws labels.

        Raises:
            ValueError: there are no labels, or more classes than the generator was built for.
        """
        if not self.conditional:
            return
        if not labels:
            raise ValueError(
                "the generator asks for labels, and this data set has none: choose "
                "conditioning=none, or data with labels"
            )
        found = int(labels["labels"].max()) + 1
        built = {name: getattr(getattr(self, name), "classes", found) for name in self.player_names}
        for name, classes in built.items():
            if found > classes:
                raise ValueError(
                    f"the {name} was built for {classes} classes, and the data have labels up to "
                    f"{found - 1}: set its classes to {found}"
                )
        counts = torch.bincount(labels["labels"].cpu(), minlength=max(built.values()))
        self.class_counts = counts.tolist()

    def draw_latent(self, count: int) -> Latent:
        """Draw the next latents and labels: this process's part of the whole batch's."""
        settings, latents = self.training_settings, self.streams["latent"]
        count *= distributed.world_size()
        z = distributed.shard(settings.prior(count, settings.latent_dim, latents))
        labels = draw_labels(self.class_counts, count, latents)
        return Latent(z, {name: distributed.shard(each) for name, each in labels.items()})

    def draw_random(
        self, inputs: Mapping[str, RandomInput], real: Tensor, source: str = "draws"
    ) -> dict[str, Tensor]:
        """Draw the next random numbers that a pure function needs for samples like `real`."""
        if not inputs:
            return {}
        draws = self.streams[source]
        return {
            name: DISTRIBUTIONS[wanted.distribution](
                wanted.shape(real), generator=draws, device=draws.device, dtype=real.dtype
            )
            for name, wanted in inputs.items()
        }

    def autocast(self) -> AbstractContextManager:
        """Return the context for passes through the networks: autocast where precision is bf16."""
        if self.training_settings.precision != "bf16":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def generate(self, latent: Tensor | Latent) -> Tensor:
        """G(z): samples [B, ...] in at least float32, images in the suite's range."""
        with self.autocast():
            fake = generate(self.generator, as_latent(latent))
        return upcast(fake)

    def step(self, optimizer: torch.optim.Optimizer, loss: Tensor) -> Tensor:
        """Make one step of one player by the gradient's mean over the processes of the run.

        Calls torch's own optimizer and backward, not Lightning's wrappers, which take a fifth of
        a small network's step: the streams, counters and precision are handled here. Returns the
        loss of the whole batch, detached.
        """
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for parameter in parameters:
            parameter.grad = None  # as zero_grad does, without its call of the profiler
        loss.backward()
        for parameter in parameters:
            if parameter.grad is None:  # in a term that it does not enter: its moments decay
                parameter.grad = torch.zeros_like(parameter)
        loss = loss.detach()
        if distributed.world_size() > 1:
            gradients = [p.grad for p in parameters if p.grad is not None]
            distributed.all_reduce_mean_([loss, *gradients])
        optimizer.step()
        return loss

    def count_generator_step(self) -> None:
        """Count a generator step and update the moving average, which begins as a copy."""
        self.g_steps += 1
        ema = self.training_settings.ema
        if self.average is not None and ema is not None:
            images = self.images + self.training_settings.batch_size
            decay = ema.rule.decay(images, images - self.averaged_images)
            ema.update(self.average, self.generator, decay if self.g_steps > 1 else 0)
            self.averaged_images = images

    def sampled_generator(self) -> nn.Module:
        """Return the generator that is saved and scored: the moving average where there is one."""
        return self.generator if self.average is None else self.average.get_submodule("module")

    def sampler(self) -> Sampler:
        """Return the sampler of the generator that is saved and scored, with the model's prior."""
        settings = self.training_settings
        latents = settings.prior, settings.latent_dim
        return Sampler(self.sampled_generator(), *latents, self.class_counts)

    def clipped_share(self) -> float | None:
        """Return the share of generated pixel values outside [0, 1], which only scoring clips.

        From latents that are equal for all runs; None for points, and for a generator that says
        by `bounded` that it cannot leave its range.
        """
        if not self.draws_images or getattr(self.generator, "bounded", False):
            return None
        latents = torch.Generator().manual_seed(0)
        samples = self.sampler().samples(CLIP_SAMPLES, latents, CLIP_SAMPLES)
        return ((samples < 0) | (samples > 1)).double().mean().item()

    def discriminator_diagnostics(self, samples: Mapping[str, Batch]) -> dict[str, float]:
        """Return statistics of D's outputs on samples "train", "test" and "fake"; here, none."""
        return {}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add counters, streams and last losses: ints and tensors only, for `weights_only`."""
        checkpoint["d_steps"], checkpoint["g_steps"] = self.d_steps, self.g_steps
        checkpoint["averaged_images"] = self.averaged_images
        checkpoint["streams"] = {name: s.get_state() for name, s in self.streams.items()}
        checkpoint["global_states"] = dict(self._global_states or seeds.global_states())
        checkpoint["losses"] = dict(self.losses)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore counters, streams and last losses."""
        self.d_steps, self.g_steps = checkpoint["d_steps"], checkpoint["g_steps"]
        self.averaged_images = checkpoint["averaged_images"]
        self._stream_states, self.losses = checkpoint["streams"], checkpoint["losses"]
        if distributed.rank() == 0:  # which wrote them; the other processes begin theirs anew
            self._global_states = checkpoint["global_states"]


def usable_data(data: Tensor | Batch, model: GenerativeModel) -> Batch:
    """Return training data as one batch, whose labels only a conditional model keeps."""
    batch = as_batch(data)
    return batch if model.conditional else batch._replace(labels={})


def find_numbers(part: Any, names: list[str]) -> dict[str, Number]:
    """Return the numbers below a part at a path of attributes and keys, by path; "*" is any."""
    if not names:
        return {"": part}
    first, *rest = names
    if isinstance(part, Mapping):
        inner = {name: each for name, each in part.items() if first in (name, "*")}
    else:
        inner = {first: getattr(part, first)}
    return {
        f"{name}.{path}" if path else name: number
        for name, each in inner.items()
        for path, number in find_numbers(each, rest).items()
    }


class SingleExecutor:
    """Execute steps of one model, the `StepExecutor` of ordinary runs.

    Args:
        real: real samples of the round, [B, ...].
        fresh_real: those of the generator's step where it has its own, else `real`.
    """

    def __init__(self, model: GenerativeModel, real: Batch, fresh_real: Batch) -> None:
        self.model, self.real, self.fresh_real = model, real, fresh_real
        self.latent, self.fake = Latent(real.samples), real.samples  # until the first move
        optimizers: Any = model.optimizers(use_pl_optimizer=False)
        self.optimizers = optimizers if isinstance(optimizers, list) else [optimizers]

    def due(self, is_due: IsDue) -> ReplicaMask:
        """Return (0,) if it is due in this round, else ()."""
        return (0,) if is_due(self.model.d_steps, self.model.g_steps) else ()

    def draw_latents(self, count: int = 1, mask: ReplicaMask | None = None) -> Latent:
        """Draw latents for `count` batches, [count B, L]."""
        return self.model.draw_latent(count * len(self.real.samples))

    def draw_random(
        self, inputs: Mapping[str, RandomInput], mask: ReplicaMask | None = None
    ) -> dict[str, Tensor]:
        """Draw random numbers by name, for the batch of all processes."""
        return self.model.draw_random(inputs, self._whole_batch(1)) if inputs else {}

    def draw_for_samples(
        self,
        inputs: Mapping[str, RandomInput],
        count: int = 1,
        mask: ReplicaMask | None = None,
        source: str = "transforms",
    ) -> dict[str, Tensor]:
        """Draw random numbers that ride with `count` batches: this process's share."""
        if not inputs:
            return {}
        draws = self.model.draw_random(inputs, self._whole_batch(count), source)
        return {name: distributed.shard(numbers) for name, numbers in draws.items()}

    def _whole_batch(self, count: int) -> Tensor:
        """Return samples of the shape of `count` batches of all processes."""
        real, processes = self.real.samples, distributed.world_size()
        if processes * count > 1:
            real = real[:1].expand(processes * count * len(real), *real.shape[1:])
        return real

    def draw_noise(self, width: int) -> Tensor:
        """Draw N(0, 1) for every sample, [B, width]: this process's part."""
        draws, real = self.model.streams["draws"], self.real.samples
        shape = len(real) * distributed.world_size(), width
        noise = torch.randn(shape, generator=draws, device=draws.device, dtype=real.dtype)
        return distributed.shard(noise)

    def forward(self, method: Callable[..., Any], *inputs: Any, with_grad: bool = False) -> Any:
        """Call a method of the model, with or without a graph of autograd."""
        with torch.set_grad_enabled(with_grad):
            return method(*inputs)

    def optimizer_step(
        self, player: int, loss_fn: LossFn, *inputs: Any, mask: ReplicaMask | None = None
    ) -> tuple[Tensor, ...]:
        """Update a player's weights by `GenerativeModel.step`, down the loss of its method.

        The discriminator is frozen during the generator's step; the generator need not be, since
        the samples that the discriminator learns from are detached.
        """
        others = self.model.players()[1:] if player == GENERATOR else ()
        with ExitStack() as stack:
            for other in others:
                stack.enter_context(frozen(other))
            loss, *rest = loss_fn(*inputs)
            if scheduled := self.model.scheduled[player]:
                set_numbers(self.optimizers[player], scheduled, self.model.images)
            loss = self.model.step(self.optimizers[player], loss)
        return loss, *(value.detach() for value in rest)

    def optimizer_state(self, player: int) -> list[ParamState]:
        """Return moments and settings of a player's optimizer, for each of its parameters."""
        return param_states(self.optimizers[player])

    def constrain(self, player: int) -> None:
        """Project a player's weights onto the allowed set, in place."""
        self.model.constrain(self.model.players()[player].parameters())

    def log(self, name: str, value: Tensor, mask: ReplicaMask | None = None) -> None:
        """Store a scalar among the model's losses."""
        self.model.losses[name] = value

    def count_generator_step(self, mask: ReplicaMask | None = None) -> None:
        """Count a generator step and update the moving average."""
        self.model.count_generator_step()
