"""Unrolled GAN: Metz et al. 2016 (arXiv:1611.02163), section 2.2, for any Objective."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from bench.core import distributed
from bench.core.objective import Critic, Objective, RandomInputs
from bench.models.base import TrainingConfig
from bench.models.differentiable import ParamState, differentiable_step
from bench.models.executor import ReplicaMask, StepExecutor
from bench.models.gan import GAN


class UnrolledGAN(GAN):
    """The generator minimises its loss under D_k, the discriminator after k further steps.

    The k steps are taken on the generator's batch, from the weights and the moments that the
    discriminator has then, by its own optimizer's rule, and forgotten afterwards. The
    generator's gradient flows through them: D_k depends on G. The discriminator itself learns as
    in `bench.models.gan.GAN`, and k = 0 is that model.

    Args:
        unroll_steps: k, at least 0; the rest as there.

    Raises:
        ValueError: k is not a whole number from 0 on; the optimizer has no differentiable step;
            or the objective has a constraint, which writes weights in place.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        objective: Objective,
        reuse_samples: bool,
        batch_norm_under_penalty: bool,
        training: TrainingConfig,
        unroll_steps: int,
    ) -> None:
        if isinstance(unroll_steps, bool) or not isinstance(unroll_steps, int) or unroll_steps < 0:
            raise ValueError(f"unroll_steps is {unroll_steps!r}; it counts steps: 0 or more")
        super().__init__(
            generator, discriminator, objective, reuse_samples, batch_norm_under_penalty, training
        )
        if unroll_steps and objective.constraint is not None:
            raise ValueError(
                "a loss with a constraint cannot be unrolled, since clipping writes weights in "
                "place: choose another loss="
            )
        if unroll_steps:
            self.differentiable_step = differentiable_step(
                training.optimizer([torch.zeros(1, requires_grad=True)])
            )
        self.unroll_steps = unroll_steps

    def lookahead_args(self, ex: StepExecutor, due: ReplicaMask) -> tuple[Any, ...]:
        """What the discriminator's optimizer remembers, and the draws of each step ahead."""
        draws = [ex.draws(self.wanted_draws, due) for _ in range(self.unroll_steps)]
        return ex.optimizer_state(1), draws

    def generator_loss(
        self,
        real: Tensor,
        fake: Tensor,
        memory: Sequence[ParamState] = (),
        draws: Sequence[RandomInputs] = (),
    ) -> Tensor:
        """f_G(G, D_k(G, D)), section 2.2, a scalar, from samples [B, ...]; k = len(draws)."""
        if not draws:
            return super().generator_loss(real, fake)
        with self.autocast():
            return self.objective.generator_loss(self.unrolled(real, fake, memory, draws), fake)

    def unrolled(
        self,
        real: Tensor,
        fake: Tensor,
        memory: Sequence[ParamState],
        draws: Sequence[RandomInputs],
    ) -> Critic:
        """D_k as a function of samples: D_0 = D, D_(i+1) = D_i less a step on f_D(G, D_i)."""
        weights = {name: p.detach() for name, p in self.discriminator.named_parameters()}
        for drawn in draws:

            def loss(given: Mapping[str, Tensor], drawn: RandomInputs = drawn) -> Tensor:
                return self.discriminator_loss(self.critic_with(given), real, fake, drawn)

            gradients = torch.func.grad(loss)(weights)
            steps = [
                self.differentiable_step(
                    p, distributed.all_reduce_sum(g) / distributed.world_size(), *held
                )
                for p, g, held in zip(weights.values(), gradients.values(), memory, strict=True)
            ]
            weights = {name: p for name, (p, _) in zip(weights, steps, strict=True)}
            memory = [
                ParamState(state, held.settings)
                for (_, state), held in zip(steps, memory, strict=True)
            ]
        return self.critic_with(weights)

    def critic_with(self, weights: Mapping[str, Tensor]) -> Critic:
        """The discriminator with other weights, by name."""
        return lambda samples: functional_call(self.discriminator, dict(weights), (samples,))
