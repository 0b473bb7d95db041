"""R replicas of a GAN, each equal to `bench.models.gan.GAN` trained alone with its settings."""

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from bench.core.number_checks import require_whole_number
from bench.core.objective import Objective, RandomInputs
from bench.core.seeds import generator as stream
from bench.data.batches import as_float, iter_batch_indices
from bench.theory.replicas.player import Factory, Player
from bench.theory.replicas.replica import Replica
from bench.theory.replicas.side import Buffers, Side
from bench.vectorized.fx_trace import TracedFunction


class Pack:
    """Generators against discriminators, R pairs that never meet.

    A replica that diverges stands still at its last finite weights (at those of the look that
    found it, where `check_every` is more than 1); the others' bits do not depend on it.

    Args:
        generator: makes a generator, latents [B, L] -> samples [B, ...].
        discriminator: makes a discriminator, samples [B, ...] -> logits [B].
        objective: losses, penalty, turns; the replicas may set its weight and clipping bound.
        replicas: R of them.
        optimizer: "adam", "rmsprop" (whose alpha is beta2) or "sgd".
        prior, latent_dim: as in `bench.models.base.TrainingConfig`.
        samples: [N, ...], on the device that trains; each replica shuffles them by its seed.
        batch_size: B.
        unroll_steps: k of `bench.models.unrolled.UnrolledGAN`; 0 is the plain GAN.
        dtype: of weights and samples. Initial weights are drawn as the factory makes them, then
            converted.
        check_every: steps between two looks for divergence; each waits for the device.

    Raises:
        ValueError: see `Side`; or steps that cannot be unrolled, no samples, no batch.
    """

    def __init__(
        self,
        generator: Factory,
        discriminator: Factory,
        objective: Objective,
        replicas: Sequence[Replica],
        *,
        optimizer: str,
        prior: Callable[[int, int, torch.Generator], Tensor],
        latent_dim: int,
        samples: Tensor,
        batch_size: int,
        unroll_steps: int = 0,
        dtype: torch.dtype = torch.float32,
        check_every: int = 1,
    ) -> None:
        if len(samples) == 0 or batch_size < 1:
            raise ValueError(f"{len(samples)} samples in batches of {batch_size}: need 1 or more")
        where: dict[str, Any] = {"dtype": dtype, "device": samples.device}
        self.discriminator = Side(
            discriminator,
            objective,
            replicas,
            optimizer=optimizer,
            check_every=check_every,
            **where,
        )
        self.refuse_unrolling(unroll_steps)
        rule, standing = self.discriminator.rule, self.discriminator.standing
        self.generator = Player(generator, replicas, 0, rule, standing, **where)
        self.objective, self.replicas = objective, tuple(replicas)
        self.prior, self.latent_dim, self.batch_size = prior, latent_dim, batch_size
        self.samples = as_float(samples).to(dtype)
        self.unroll_steps = unroll_steps
        self.g_losses = torch.full_like(self.discriminator.losses, torch.nan)
        self.forward = TracedFunction(torch.vmap(self.generator.of))
        self.slope = TracedFunction(torch.vmap(torch.func.grad_and_value(self.generator_loss)))
        self.latents = [stream(r.seed, "latent", device=samples.device) for r in replicas]
        self.orders = self.orders_from(0)

    def refuse_unrolling(self, steps: int) -> None:
        """Refuse what `bench.models.unrolled.UnrolledGAN` would."""
        require_whole_number("unroll_steps", steps, 0)
        if steps and self.discriminator.bound is not None:
            raise ValueError("a discriminator whose weights are clipped cannot be unrolled")
        if steps and self.discriminator.rule.ahead is None:
            raise ValueError("steps of this optimizer cannot be unrolled: choose adam or sgd")

    @property
    def d_steps(self) -> int:
        """Discriminator steps of each replica."""
        return self.discriminator.steps

    @property
    def g_steps(self) -> int:
        """Generator steps of each replica."""
        return self.generator.steps

    @property
    def losses(self) -> dict[str, Tensor]:
        """d_loss and g_loss, [R] each, of each player's last step; a diverged replica's stay."""
        return {"d_loss": self.discriminator.losses, "g_loss": self.g_losses}

    @property
    def diverged(self) -> Tensor:
        """The d_steps at which a loss or weight was found not finite, int64 [R]; -1: none."""
        return self.discriminator.diverged

    def step(self) -> None:
        """One discriminator step and, where due, one generator step of all replicas."""
        due = self.objective.generator_is_due(self.d_steps, self.g_steps)
        real = self.samples[torch.stack([next(order) for order in self.orders])]
        latent, known = self.draw_latent(), (self.generator.weights, self.generator.buffers)
        self.discriminator.step(real, self.forward(*known, latent))
        if due:
            if self.objective.fresh_latent:
                latent = self.draw_latent()
            draws = [self.discriminator.draw(real) for _ in range(self.unroll_steps)]
            gradient, losses = self.slope(*known, latent, real, draws, *self.discriminator.given())
            self.g_losses = self.generator.descend(self.g_losses, gradient, losses, self.d_steps)

    def generator_loss(
        self,
        weights: Tensor,
        buffers: Buffers,
        latent: Tensor,
        real: Tensor,
        draws: Sequence[RandomInputs],
        *discriminator: Any,
    ) -> Tensor:
        """What one replica's generator minimises, under D or under D some steps ahead."""
        fake = self.generator.of(weights, buffers, latent)
        critic = self.discriminator.ahead(real, fake, draws, *discriminator)
        return self.objective.generator_loss(critic, fake)

    def draw_latent(self) -> Tensor:
        """The streams' next latents, [R, B, L]."""
        drawn = [self.prior(self.batch_size, self.latent_dim, own) for own in self.latents]
        return torch.stack(drawn).to(self.samples.dtype)

    def orders_from(self, step: int) -> list[Iterator[Tensor]]:
        """Each replica's batches from step `step` on, endless."""
        fixed = len(self.samples), self.batch_size
        return [iter_batch_indices(*fixed, r.seed, step, sys.maxsize) for r in self.replicas]

    def train(
        self, d_steps: int, *, every: int = 0, watch: Callable[["Pack"], None] | None = None
    ) -> None:
        """Take `d_steps` further steps; call `watch` where the count divides by `every`."""
        for _ in range(d_steps):
            self.step()
            if watch is not None and self.d_steps % every == 0:
                watch(self)

    def generate(self, latent: Tensor) -> Tensor:
        """Samples [R, B, ...] from latents [R, B, L], or [B, L] for all."""
        return self.generator(self.discriminator.of_each(latent))

    def opinion(self, points: Tensor) -> Tensor:
        """Logits [R, B] of points [B, D], the same for all, or of samples [R, B, ...]."""
        return self.discriminator.opinion(points)

    def replica(self, r: int) -> tuple[nn.Module, nn.Module]:
        """Generator and discriminator of replica r as ordinary modules."""
        return self.generator.module(r), self.discriminator.module(r)

    def state(self) -> dict[str, Any]:
        """Tensors and ints, with which `load` goes on to the same bits."""
        return {
            "generator": self.generator.state(),
            "discriminator": self.discriminator.state(),
            "g_losses": self.g_losses.clone(),
            "latents": torch.stack([own.get_state() for own in self.latents]),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take a state back, in a pack of the same arguments."""
        self.generator.load(state["generator"])
        self.discriminator.load(state["discriminator"])
        self.g_losses = state["g_losses"].to(self.g_losses).clone()
        for own, one in zip(self.latents, state["latents"], strict=True):
            own.set_state(one.cpu().clone())
        self.orders = self.orders_from(self.d_steps)
