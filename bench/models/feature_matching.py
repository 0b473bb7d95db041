"""Feature matching: Salimans et al. 2016 (arXiv:1606.03498), section 3.1, for any Objective."""

from collections.abc import Callable

from torch import Tensor, nn

from bench.core import distributed
from bench.core.objective import Objective, upcast
from bench.models.base import TrainingConfig
from bench.models.gan import GAN


class FeatureMatchingGAN(GAN):
    """Train the generator to match mean features of a layer of D; D learns by the Objective.

    With several processes the means are over the whole batch.

    Args:
        discriminator: samples [B, ...] -> logits [B], with `features`: samples -> [B, F].
        objective: its generator's loss is not used; for the others see `bench.models.gan.GAN`.
        matching: (mean real features [F], mean generated ones [F]) -> scalar.

    Raises:
        ValueError: the discriminator has no `features`.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        objective: Objective,
        reuse_samples: bool,
        batch_norm_under_penalty: bool,
        training: TrainingConfig,
        matching: Callable[[Tensor, Tensor], Tensor],
    ) -> None:
        if not hasattr(discriminator, "features"):
            raise ValueError(
                f"a discriminator of type {type(discriminator).__name__} has no features to be "
                "matched: choose another network="
            )
        super().__init__(
            generator, discriminator, objective, reuse_samples, batch_norm_under_penalty, training
        )
        self.matching = matching

    def generator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """matching(E f(x), E f(G(z))), a scalar, from samples [B, ...]."""
        with self.autocast():
            features = [self.discriminator.features(samples) for samples in (real, fake)]
        means = [
            distributed.all_reduce_sum(upcast(part).mean(0)) / distributed.world_size()
            for part in features
        ]
        return self.matching(*means)
