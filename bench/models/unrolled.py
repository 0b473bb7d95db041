"""Unrolled GAN: Metz et al. 2016 (arXiv:1611.02163), section 2.2, for any Objective."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from bench.core import distributed
from bench.core.batch import Batch, Critic, Outputs
from bench.core.number_checks import require_whole_number
from bench.core.objective import Objective
from bench.core.parts import Draws, State
from bench.models.base import TrainingConfig
from bench.models.differentiable import ParamState, differentiable_step
from bench.models.executor import DISCRIMINATOR, ReplicaMask, StepExecutor
from bench.models.gan import GAN, draw_terms
from bench.models.optimizers import build_optimizer


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
        if unroll_steps and (lazy := objective.player_terms("discriminator", lazy=True)):
            raise ValueError(
                f"the term {min(lazy)!r} has interval {objective.terms[min(lazy)].interval}, and a "
                "step that is looked ahead has no place for a lazy term: set its interval to 1"
            )
        if unroll_steps and any(term.reads_weights for term in objective.terms.values()):
            raise ValueError(
                "steps that are looked ahead have no term on the weights: choose another penalty="
            )
        if unroll_steps and objective.loss.constraint is not None:
            raise ValueError(
                "a loss with a constraint cannot be unrolled, since clipping writes weights in "
                "place: choose another loss="
            )
        if unroll_steps:
            make = training.optimizers["discriminator"]
            optimizer = build_optimizer(make, [torch.zeros(1, requires_grad=True)], 0)
            self.differentiable_step = differentiable_step(optimizer)
        self.unroll_steps = unroll_steps

    def lookahead_args(self, ex: StepExecutor, due: ReplicaMask) -> tuple[Any, ...]:
        """Return the state of the discriminator's optimizer, and random numbers for k steps."""
        inputs = self.objective.random_inputs("discriminator")
        draws = [draw_terms(ex, inputs, due) for _ in range(self.unroll_steps)]
        return ex.optimizer_state(DISCRIMINATOR), draws

    def generator_loss(
        self,
        real: Batch,
        fake: Batch,
        states: Sequence[ParamState] = (),
        draws: Sequence[Draws] = (),
    ) -> tuple[Tensor, State]:
        """f_G(G, D_k(G, D)), section 2.2, a scalar, and the next state; k = len(draws)."""
        if not draws:
            return super().generator_loss(real, fake)
        state, setting = self.part_state.read(), self.setting()
        weights = self.unroll(real, fake, states, draws, state)  # whose slopes are in float32
        with setting.context():
            critic = self.objective.transformed(self.critic_with(weights), state)
            return self.objective.loss_on_outputs("generator", critic, real, fake, state, setting)

    def unroll(
        self,
        real: Batch,
        fake: Batch,
        states: Sequence[ParamState],
        draws: Sequence[Draws],
        part_state: State,
    ) -> Mapping[str, Tensor]:
        """Return the weights of D_k by name: D_0 = D, D_(i+1) is D_i after a step on f_D(G, D_i).

        Args:
            real, fake: samples [B, ...].
            states: of the discriminator's optimizer, one for each parameter.
            draws: random numbers of each step; k of them.
            part_state: of the objective's parts; steps that are looked ahead do not move it.
        """
        weights = {name: p.detach() for name, p in self.discriminator.named_parameters()}
        for step_draws in draws:

            def loss(weights: Mapping[str, Tensor], draws: Draws = step_draws) -> Tensor:
                critic = self.objective.transformed(self.critic_with(weights), part_state)
                return self.objective.discriminator_loss(
                    critic, real, fake, draws, part_state, self.setting()
                )[0]

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
        return weights

    def critic_with(self, weights: Mapping[str, Tensor]) -> Critic:
        """Return the discriminator with other weights, by name."""

        def critic(batch: Batch) -> Outputs:
            samples, labels = self.discriminator_inputs(batch)
            return functional_call(self.discriminator, dict(weights), (samples,), dict(labels))

        return critic
