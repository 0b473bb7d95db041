"""Maximum likelihood with added noise: Arjovsky et al. 2017 (arXiv:1701.07875), section 1."""

from typing import ClassVar

from bench.core import distributed
from bench.core.batch import Latent
from bench.losses.likelihood import Likelihood
from bench.models.imle import IMLE
from bench.networks.noisy import Noisy


class MaximumLikelihood(IMLE):
    """Train a generator alone: maximise the data's likelihood under G(z) plus Gaussian noise.

    Its steps are counted as `d_steps`. The pool is new in each step and that of the whole batch, as
    in `bench.models.imle.IMLE`. Training uses G(z) without noise: whether sampling and scoring add
    noise is decided by the width of the latents, and changes no bit of the weights.

    Args:
        loss: a `Likelihood` with the generator's noise.
        pool_factor: generated samples per real one: M = pool_factor B. At least 1.

    Deviation: the likelihood is that of a finite pool, in expectation a lower bound.
    """

    model_name: ClassVar[str] = "maximum_likelihood"
    loss_type: ClassVar[type] = Likelihood

    generator: Noisy

    def draw_latent(self, count: int) -> Latent:
        """Draw the next latents of G, [count, L], without noise: this process's part."""
        width, latents = self.generator.latent_dim, self.streams["latent"]
        prior = self.training_settings.prior
        return Latent(distributed.shard(prior(count * distributed.world_size(), width, latents)))
