"""GAN with minibatch discrimination: Salimans et al. 2016 (arXiv:1606.03498), section 3.2."""

from torch import Tensor, nn

from bench.core.batch import Batch
from bench.core.objective import Objective
from bench.core.outputs import logits_of
from bench.models.base import TrainingConfig
from bench.models.gan import GAN


class MinibatchGAN(GAN):
    """A GAN whose discriminator scores samples in batches of the training's size.

    Minibatch discrimination sums over the batch, so a logit means something only in a batch of
    that size; and its memory grows with the square of the size.

    Args:
        batch_size: B of training; for the others see `bench.models.gan.GAN`.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        objective: Objective,
        reuse_samples: bool,
        batch_norm_under_penalty: bool,
        training: TrainingConfig,
        batch_size: int,
    ) -> None:
        super().__init__(
            generator, discriminator, objective, reuse_samples, batch_norm_under_penalty, training
        )
        self.batch_size = batch_size

    def discriminator_scores(self, batch: Batch) -> Tensor:
        """Return logits [N]; each batch takes every n-th sample, so that it represents them all."""
        samples, labels = self.discriminator_inputs(batch)
        batches = -(-len(samples) // self.batch_size)
        logits = samples.new_empty(len(samples))
        for first in range(batches):
            own = {name: each[first::batches] for name, each in labels.items()}
            logits[first::batches] = logits_of(self.discriminator(samples[first::batches], **own))
        return logits
