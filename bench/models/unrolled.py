"""Unrolled GAN: Metz et al. 2016 (arXiv:1611.02163), section 2.2, for any Objective."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from bench.core import distributed
from bench.core.number_checks import require_whole_number
from bench.core.objective import Critic, Objective, RandomInputs
from bench.models.base import TrainingConfig
from bench.models.differentiable import ParamState, differentiable_step
from bench.models.executor import DISCRIMINATOR, ReplicaMask, StepExecutor
from bench.models.gan import GAN


class UnrolledGAN(GAN):
    """Train the generator against D_k, the discriminator after k further steps.

    The k steps are made on the generator's batch, from the discriminator's present weights and
    moments, by its own optimizer's rule, and discarded afterwards. The generator's gradient flows
    through them: D_k depends on G. The discriminator itself learns as in `bench.models.gan.GAN`,
    and k = 0 is that model.

    Args:
        unroll_steps: k, at least 0; for the others see `bench.models.gan.GAN`.

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
        require_whole_number("unroll_steps", unroll_steps, 0)
        super().__init__(
            generator, discriminator, objective, reuse_samples, batch_norm_under_penalty, training
        )
        if unroll_steps and objective.constraint is not None:
            raise ValueError(
                "a loss with a constraint cannot be unrolled, since clipping writes weights in "
                "place: choose another loss="
            )
        if unroll_steps:
            optimizer = training.optimizer([torch.zeros(1, requires_grad=True)])
            self.differentiable_step = differentiable_step(optimizer)
        self.unroll_steps = unroll_steps

    def lookahead_args(self, ex: StepExecutor, due: ReplicaMask) -> tuple[Any, ...]:
        """Return the state of the discriminator's optimizer, and random numbers for k steps."""
        inputs = self.objective.random_inputs
        draws = [ex.draw_random(inputs, due) for _ in range(self.unroll_steps)]
        return ex.optimizer_state(DISCRIMINATOR), draws

    def generator_loss(
        self,
        real: Tensor,
        fake: Tensor,
        states: Sequence[ParamState] = (),
        draws: Sequence[RandomInputs] = (),
    ) -> Tensor:
        """f_G(G, D_k(G, D)), section 2.2, a scalar, from samples [B, ...]; k = len(draws)."""
        if not draws:
            return super().generator_loss(real, fake)
        with self.autocast():
            return self.objective.generator_loss(self.unroll(real, fake, states, draws), fake)

    def unroll(
        self,
        real: Tensor,
        fake: Tensor,
        states: Sequence[ParamState],
        draws: Sequence[RandomInputs],
    ) -> Critic:
        """D_k, samples -> logits: D_0 = D, D_(i+1) is D_i after a step on f_D(G, D_i).

        Args:
            real, fake: samples [B, ...].
            states: of the discriminator's optimizer, one for each parameter.
            draws: random numbers of each step; k of them.
        """
        weights = {name: p.detach() for name, p in self.discriminator.named_parameters()}
        for step_draws in draws:

            def loss(weights: Mapping[str, Tensor], draws: RandomInputs = step_draws) -> Tensor:
                return self.discriminator_loss(self.critic_with(weights), real, fake, draws)

            gradients = torch.func.grad(loss)(weights)
            steps = [
                self.differentiable_step(
                    p, distributed.all_reduce_sum(g) / distributed.world_size(), *state
                )
                for p, g, state in zip(weights.values(), gradients.values(), states, strict=True)
            ]
            weights = {name: p for name, (p, _) in zip(weights, steps, strict=True)}
            states = [
                ParamState(moments, before.settings)
                for (_, moments), before in zip(steps, states, strict=True)
            ]
        return self.critic_with(weights)

    def critic_with(self, weights: Mapping[str, Tensor]) -> Critic:
        """Return the discriminator with other weights, by name: samples [B, ...] -> logits [B]."""
        return lambda samples: functional_call(self.discriminator, dict(weights), (samples,))
