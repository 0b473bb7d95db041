"""Two players and any Objective: Goodfellow et al. 2014, by the turns of compare_gan v1."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from bench.core import distributed
from bench.core.objective import Critic, Objective, RandomInput, RandomInputs
from bench.models.base import GenerativeModel, TrainingConfig, check_objective_type
from bench.models.executor import ReplicaMask, StepExecutor
from bench.networks.layers import BatchNorm


def check_no_batch_statistics(discriminator: nn.Module) -> None:
    """Refuse layers that let samples of a batch depend on one another.

    Raises:
        ValueError: the discriminator has one.
    """
    for layer in discriminator.modules():
        if isinstance(layer, BatchNorm | nn.modules.batchnorm._BatchNorm):
            what, mend = "batch norm", "set hyperparameters.d_batch_norm=false"
        elif getattr(layer, "mixes_samples", False):
            what, mend = type(layer).__name__, "choose a loss= without one"
        else:
            continue
        raise ValueError(
            f"{what} in a discriminator under a gradient penalty, whose gradients then depend on "
            f"the other samples of the batch: {mend}, or model.batch_norm_under_penalty=true if "
            "you mean it"
        )


class GAN(GenerativeModel):
    """Generator against discriminator.

    Args:
        generator: latents [B, L] -> samples [B, ...].
        discriminator: samples [B, ...] -> logits [B].
        objective: losses, penalty, constraint, turns.
        reuse_samples: the generator's step uses the samples that the discriminator saw, where the
            latents are the same. The study passes them through the generator again: the same
            samples, but batch norm's running averages move twice.
        batch_norm_under_penalty: allow batch norm in a discriminator under a gradient penalty.
            The penalty is meant for each sample's own gradient (Gulrajani et al. 2017, section
            4); batch norm makes it depend on the others, and so does minibatch discrimination.
        training: see `TrainingConfig`.

    Raises:
        ValueError: batch norm under a penalty without saying so.
    """

    replica_hyperparameters: ClassVar[tuple[str, ...]] = ("objective.penalty_weight",)

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        objective: Objective,
        reuse_samples: bool,
        batch_norm_under_penalty: bool,
        training: TrainingConfig,
    ) -> None:
        check_objective_type(objective, Objective, "gan")
        if objective.penalty is not None and not batch_norm_under_penalty:
            check_no_batch_statistics(discriminator)
        super().__init__({"generator": generator, "discriminator": discriminator}, training)
        self.objective = objective
        self.reuse_samples = reuse_samples and not objective.fresh_latent

    def training_round(self, ex: StepExecutor) -> None:
        """One discriminator step and, where due, one generator step."""
        due = ex.due(self.objective)
        latent = ex.latents()
        fake = ex.forward(self.generate, latent, with_grad=bool(due) and self.reuse_samples)

        draws = ex.draws(self.wanted_draws)
        (d_loss,) = ex.optimizer_step(1, self.discriminator_step, ex.real, fake.detach(), draws)
        ex.log("d_loss", d_loss)
        ex.constrain(1)

        if due:
            if self.objective.fresh_latent:
                latent = ex.latents(mask=due)
            lookahead = self.lookahead_args(ex, due)
            if self.reuse_samples:
                found = ex.optimizer_step(
                    0, self.generator_step_on, ex.real, fake, *lookahead, mask=due
                )
            else:
                found = ex.optimizer_step(
                    0, self.generator_step, ex.real, latent, *lookahead, mask=due
                )
            (g_loss,) = found
            ex.log("g_loss", g_loss, due)
            ex.generator_moved(due)

    @property
    def wanted_draws(self) -> Mapping[str, RandomInput]:
        """The numbers that a discriminator's loss asks for."""
        return {} if self.objective.penalty is None else self.objective.penalty.draws

    def discriminator_step(self, real: Tensor, fake: Tensor, draws: RandomInputs) -> tuple[Tensor]:
        """What the discriminator descends."""
        return (self.discriminator_loss(self.discriminator, real, fake, draws),)

    def generator_step(self, real: Tensor, latent: Tensor, *lookahead: Any) -> tuple[Tensor]:
        """What the generator descends, from latents [B, L]."""
        return self.generator_step_on(real, self.generate(latent), *lookahead)

    def generator_step_on(self, real: Tensor, fake: Tensor, *lookahead: Any) -> tuple[Tensor]:
        """The same from samples [B, ...] that have their graph."""
        return (self.generator_loss(real, fake, *lookahead),)

    def lookahead_args(self, ex: StepExecutor, due: ReplicaMask) -> tuple[Any, ...]:
        """What the generator's loss needs beside samples; nothing here."""
        return ()

    def constrain(self, parameters: Iterable[Tensor]) -> None:
        """As the objective says."""
        if self.objective.constraint is not None:
            self.objective.constraint(parameters)

    def generator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """The objective's loss, a scalar, from samples [B, ...]; the real ones are not used."""
        with self.autocast():
            return self.objective.generator_loss(self.discriminator, fake)

    def discriminator_loss(
        self, critic: Critic, real: Tensor, fake: Tensor, draws: RandomInputs
    ) -> Tensor:
        """The objective's loss; its penalty stands outside autocast.

        Where the penalty is taken is known from the whole batch: this process takes its share.
        """
        with self.autocast():
            loss = self.objective.adversarial_loss(critic, real, fake)
        if self.objective.penalty is None:
            return loss
        real, fake = distributed.all_gather(real), distributed.all_gather(fake)
        return loss + self.objective.penalty_term(critic, real, fake, draws, distributed.shard)

    def discriminator_scores(self, samples: Tensor) -> Tensor:
        """The discriminator's logits [B], to be shown over the plane."""
        return self.discriminator(samples)

    def discriminator_diagnostics(self, samples: Mapping[str, Tensor]) -> dict[str, float]:
        """Mean logits of train, test and fake samples, and shares judged rightly at logit 0.

        As compare_gan reports them. The differences of the means are a critic's gaps; the shares
        mean something only where the loss makes sigmoid(logit) a probability. Training against
        test tells whether the discriminator has learnt its images by heart.
        """
        logits = {name: self.discriminator_scores(part).double() for name, part in samples.items()}
        found = {f"mean_{name}": float(part.mean()) for name, part in logits.items()}
        rightly = {n: (part < 0 if n == "fake" else part > 0) for n, part in logits.items()}
        shares = {f"accuracy_{name}": float(part.double().mean()) for name, part in rightly.items()}
        return found | shares
