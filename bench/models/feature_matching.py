"""Feature matching: Salimans et al. 2016 (arXiv:1606.03498), section 3.1, for any Objective."""

from collections.abc import Callable

from torch import Tensor, nn

from bench.core import distributed
from bench.core.batch import Batch
from bench.core.objective import Objective
from bench.core.outputs import upcast
from bench.core.parts import State
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
        ValueError: the discriminator has no `features`, or a part cannot act on them.
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
        if objective.transforms:
            raise ValueError(
                "feature matching compares features of the samples themselves: choose no "
                "augmentation and no other transform"
            )
        for name, term in objective.terms.items():
            if term.player == "generator" and term.reads_outputs:
                raise ValueError(
                    f"the term {name!r} reads the discriminator's outputs for the generator, which "
                    "feature matching does not compute: choose another penalty="
                )
        super().__init__(
            generator, discriminator, objective, reuse_samples, batch_norm_under_penalty, training
        )
        self.matching = matching

    def generator_loss(self, real: Batch, fake: Batch) -> tuple[Tensor, State]:
        """matching(E f(x), E f(G(z))), a scalar; no part has a state that it moves."""
        with self.autocast():
            inputs = [self.discriminator_inputs(side)[0] for side in (real, fake)]
            features = [self.discriminator.features(samples) for samples in inputs]
        means = [
            distributed.all_reduce_sum(upcast(part).mean(0)) / distributed.world_size()
            for part in features
        ]
        return self.matching(*means), {}
