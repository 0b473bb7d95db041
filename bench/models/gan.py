"""Two players and any Objective: Goodfellow et al. 2014, by the turns of compare_gan v1."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from bench import together
from bench.models.base import GenerativeModel, Training, frozen, require
from bench.networks.layers import BatchNorm
from bench.objective import Critic, Objective


def refuse_mixing(discriminator: nn.Module) -> None:
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
        training: see `Training`.

    Raises:
        ValueError: batch norm under a penalty without saying so.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        objective: Objective,
        reuse_samples: bool,
        batch_norm_under_penalty: bool,
        training: Training,
    ) -> None:
        require(objective, Objective, "gan")
        if objective.penalty is not None and not batch_norm_under_penalty:
            refuse_mixing(discriminator)
        super().__init__(generator, discriminator, training)
        self.objective = objective
        self.reuse_samples = reuse_samples and not objective.fresh_latent

    def training_step(self, real: Tensor, batch_idx: int) -> None:
        """One discriminator step and, where due, one generator step; real is [B, ...]."""
        g_optimizer, d_optimizer = self.optimizers(use_pl_optimizer=False)
        due = self.objective.generator_is_due(self.d_steps, self.g_steps)
        latent = self.draw_latent(len(real))
        with torch.set_grad_enabled(due and self.reuse_samples):
            fake = self.generate(latent)

        d_loss = self.discriminator_loss(self.opponent, real, fake.detach())
        self.losses["d_loss"] = self.step(d_optimizer, d_loss)
        if self.objective.constraint is not None:
            self.objective.constraint(self.opponent.parameters())

        if due:
            if self.objective.fresh_latent:
                latent = self.draw_latent(len(real))
            if not self.reuse_samples:
                fake = self.generate(latent)
            with frozen(self.opponent):
                g_loss = self.generator_loss(real, fake)
                self.losses["g_loss"] = self.step(g_optimizer, g_loss)
            self.generator_moved()
        self.d_steps += 1

    def generator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """The objective's loss, a scalar, from samples [B, ...]; the real ones are not used."""
        with self.autocast():
            return self.objective.generator_loss(self.opponent, fake)

    def discriminator_loss(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """The objective's loss; its penalty stands outside autocast.

        Where the penalty is taken is known from the whole batch: this process takes its share.
        """
        with self.autocast():
            loss = self.objective.adversarial_loss(critic, real, fake)
        if self.objective.penalty is None:
            return loss
        real, fake = together.gathered(real), together.gathered(fake)
        draws = self.draw(self.objective.penalty.draws, real)
        return loss + self.objective.penalty_term(critic, real, fake, draws, together.share)

    def opinion(self, samples: Tensor) -> Tensor:
        """The discriminator's logits [B], to be shown over the plane."""
        return self.opponent(samples)

    def diagnose(self, samples: Mapping[str, Tensor]) -> dict[str, float]:
        """Mean logits of train, test and fake samples, and shares judged rightly at logit 0.

        As compare_gan reports them. The differences of the means are a critic's gaps; the shares
        mean something only where the loss makes sigmoid(logit) a probability. Training against
        test tells whether the discriminator has learnt its images by heart.
        """
        logits = {name: self.opinion(part).double() for name, part in samples.items()}
        found = {f"mean_{name}": float(part.mean()) for name, part in logits.items()}
        rightly = {n: (part < 0 if n == "fake" else part > 0) for n, part in logits.items()}
        shares = {f"accuracy_{name}": float(part.double().mean()) for name, part in rightly.items()}
        return found | shares
