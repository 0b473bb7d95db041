"""Maximum likelihood with added noise: Arjovsky et al. 2017 (arXiv:1701.07875), section 1."""

from torch import Tensor

from bench.core import distributed
from bench.losses.likelihood import Likelihood
from bench.models.imle import IMLE


class MaximumLikelihood(IMLE):
    """A generator alone, whose samples with Gaussian noise make the data likely.

    Its steps are counted as `d_steps`. The pool is new in each step and the whole batch's, as in
    `bench.models.imle.IMLE`. Training sees G(z) alone: whether noise is added to what is sampled
    and scored is a matter of how wide the latents are, and moves no bit of the weights.

    Args:
        generator: a `bench.networks.noisy.Noisy`.
        loss: a `Likelihood` with the generator's noise.
        pool_factor: as in IMLE: M = pool_factor B.
        training: see `Training`.

    Deviation: the likelihood is that of a finite pool, in expectation a lower bound.
    """

    name, kind = "maximum_likelihood", Likelihood

    def draw_latent(self, count: int) -> Tensor:
        """The stream's next latents of G, [count, L]: this process's share."""
        width, latents = self.generator.latent_dim, self.streams["latent"]
        prior = self.training_settings.prior
        return distributed.shard(prior(count * distributed.world_size(), width, latents))
