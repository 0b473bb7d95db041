"""Mode seeking: Mao et al. 2019 (arXiv:1903.05628), equation 2."""

from collections.abc import Callable, Mapping

from torch import Tensor

from bench.core.parts import RandomInput, RandomInputs


class Spread:
    """E[|z - z'| / |G(z) - G(z')|]: small where different latents give different samples."""

    random_inputs: Mapping[str, RandomInput] = {}

    def __call__(
        self, generator: Callable[[Tensor], Tensor], latent: Tensor, draws: RandomInputs
    ) -> Tensor:
        """Return the unweighted term, a scalar, from latents [B, L]; z' is the next latent."""
        samples = generator(latent).flatten(1)
        apart = (latent - latent.roll(1, 0)).abs().mean(1)
        return (apart / ((samples - samples.roll(1, 0)).abs().mean(1) + 1e-5)).mean()
