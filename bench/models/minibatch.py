"""Two players, where the discriminator compares the samples of a batch: arXiv:1606.03498, 3.2."""

from torch import Tensor, nn

from bench.core.objective import Objective
from bench.models.base import TrainingConfig
from bench.models.gan import GAN


class MinibatchGAN(GAN):
    """A GAN that is asked for its opinion in batches of the size that it was trained with.

    Minibatch discrimination sums over the batch, so a logit means something only in a batch of
    that size; and what it holds in memory grows with the square of the size.

    Args:
        batch_size: of training; the rest as in `bench.models.gan.GAN`.
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

    def discriminator_scores(self, samples: Tensor) -> Tensor:
        """Logits [N]: each batch takes every n-th sample, so that it is spread like the whole."""
        apart = -(-len(samples) // self.batch_size)
        logits = samples.new_empty(len(samples))
        for first in range(apart):
            logits[first::apart] = self.discriminator(samples[first::apart])
        return logits
