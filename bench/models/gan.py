"""Generator against discriminator, with any Objective: Goodfellow et al. 2014 (arXiv:1406.2661).

The schedule of updates is compare_gan v1's.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from bench.core import distributed
from bench.core.contracts import require_shape
from bench.core.objective import Critic, Objective, RandomInputs
from bench.models.base import GenerativeModel, TrainingConfig, check_objective_type
from bench.models.executor import DISCRIMINATOR, GENERATOR, LossFn, ReplicaMask, StepExecutor
from bench.networks.layers import BatchNorm


def check_no_batch_statistics(discriminator: nn.Module) -> None:
    """Refuse, with a ValueError, a discriminator whose logits depend on the rest of the batch."""
    for layer in discriminator.modules():
        if isinstance(layer, BatchNorm | nn.modules.batchnorm._BatchNorm):
            what, fix = "batch norm", "set hyperparameters.d_batch_norm=false"
        elif getattr(layer, "mixes_samples", False):
            what, fix = type(layer).__name__, "choose a loss= without a penalty"
        else:
            continue
        raise ValueError(
            f"{what} in a discriminator under a gradient penalty, whose gradients then depend on "
            f"the other samples of the batch: {fix}, or model.batch_norm_under_penalty=true if "
            "you mean it"
        )


class GAN(GenerativeModel):
    """Generator against discriminator.

    Args:
        generator: latents [B, L] -> samples [B, ...].
        discriminator: samples [B, ...] -> logits [B].
        objective: losses, penalty, constraint, schedule of updates.
        reuse_samples: the generator's step uses the samples that the discriminator's step used,
            where the latents are the same. The study passes them through the generator again:
            the samples are equal, but batch norm's running averages move twice.
        batch_norm_under_penalty: allow batch norm in a discriminator under a gradient penalty.
            The penalty is meant for each sample's own gradient (Gulrajani et al. 2017, section
            4); batch norm makes it depend on the others, and so does minibatch discrimination.

    Raises:
        ValueError: batch norm under a penalty without `batch_norm_under_penalty`.
    """

    adversarial = True
    replica_hyperparameters: ClassVar[tuple[str, ...]] = ("objective.penalty_weight",)

    discriminator: Any

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

    def check_parts(self, real: Tensor) -> None:
        """Check the shapes of samples, logits, losses and penalty on real samples [B, ...]."""
        super().check_parts(real)
        fake = self.generate(self.draw_latent(len(real))).detach()
        logits = self.discriminator(real)
        require_shape(logits, (len(real),), self.discriminator, "a batch of logits")
        draws = self.draw_random(self.objective.random_inputs, real)
        self.objective.discriminator_loss(self.discriminator, real, fake, draws)
        self.objective.generator_loss(self.discriminator, fake)

    def training_round(self, ex: StepExecutor) -> None:
        """Make one discriminator step and, where due, one generator step."""
        due = ex.generator_due(self.objective)
        latent = ex.draw_latents()
        fake = ex.forward(self.generate, latent, with_grad=bool(due) and self.reuse_samples)

        draws = ex.draw_random(self.objective.random_inputs)
        (d_loss,) = ex.optimizer_step(
            DISCRIMINATOR, self.discriminator_step_loss, ex.real, fake.detach(), draws
        )
        ex.log("d_loss", d_loss)
        ex.constrain(DISCRIMINATOR)

        if due:
            if self.objective.fresh_latent:
                latent = ex.draw_latents(mask=due)
            lookahead = self.lookahead_args(ex, due)
            loss_fn: LossFn = self.generator_step_loss
            if self.reuse_samples:
                loss_fn = self.generator_step_loss_on_fake
            source = fake if self.reuse_samples else latent
            (g_loss,) = ex.optimizer_step(GENERATOR, loss_fn, ex.real, source, *lookahead, mask=due)
            ex.log("g_loss", g_loss, due)
            ex.count_generator_step(due)

    def discriminator_step_loss(
        self, real: Tensor, fake: Tensor, draws: RandomInputs
    ) -> tuple[Tensor]:
        """Return the loss of a discriminator step, a scalar, from samples [B, ...]."""
        return (self.discriminator_loss(self.discriminator, real, fake, draws),)

    def generator_step_loss(self, real: Tensor, latent: Tensor, *lookahead: Any) -> tuple[Tensor]:
        """Return the loss of a generator step, a scalar, from latents [B, L]."""
        return self.generator_step_loss_on_fake(real, self.generate(latent), *lookahead)

    def generator_step_loss_on_fake(
        self, real: Tensor, fake: Tensor, *lookahead: Any
    ) -> tuple[Tensor]:
        """Return the loss of a generator step, a scalar, from samples [B, ...] with their graph."""
        return (self.generator_loss(real, fake, *lookahead),)

    def lookahead_args(self, ex: StepExecutor, due: ReplicaMask) -> tuple[Any, ...]:
        """Return what `generator_loss` needs beside samples; here, nothing."""
        return ()

    def constrain(self, parameters: Iterable[Tensor]) -> None:
        """Apply the objective's constraint to the discriminator's parameters, in place."""
        if self.objective.constraint is not None:
            self.objective.constraint(parameters)

    def generator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the generator's loss, a scalar, from samples [B, ...]; `real` is not used."""
        with self.autocast():
            return self.objective.generator_loss(self.discriminator, fake)

    def discriminator_loss(
        self, critic: Critic, real: Tensor, fake: Tensor, draws: RandomInputs
    ) -> Tensor:
        """Return `Objective.discriminator_loss`, a scalar, of this process's samples [B, ...].

        The points of the penalty are made from the samples of all processes, and each process
        takes its part of them.
        """
        gather, shard = distributed.all_gather, distributed.shard
        return self.objective.discriminator_loss(
            critic, real, fake, draws, autocast=self.autocast, gather=gather, shard=shard
        )

    def discriminator_scores(self, samples: Tensor) -> Tensor:
        """Return the discriminator's logits [B], to be drawn over the plane."""
        return self.discriminator(samples)

    def discriminator_diagnostics(self, samples: Mapping[str, Tensor]) -> dict[str, float]:
        """Return mean logits of train, test and fake samples, and accuracies at threshold 0.

        As compare_gan reports them. The differences of the means are a critic's gaps; the
        accuracies mean something only where the loss makes sigmoid(logit) a probability. A gap
        between train and test shows that the discriminator has memorised training images.
        """
        logits = {name: self.discriminator_scores(part).double() for name, part in samples.items()}
        means = {f"mean_{name}": float(part.mean()) for name, part in logits.items()}
        correct = {n: (part < 0 if n == "fake" else part > 0) for n, part in logits.items()}
        accuracies = {f"accuracy_{n}": float(part.double().mean()) for n, part in correct.items()}
        return means | accuracies
