"""Flow matching along straight lines: Liu et al. 2022 (arXiv:2209.03003), equation 1.

Lipman et al. 2022 (arXiv:2210.02747), section 4.1, example II, with sigma_min = 0.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from bench.core.parts import RandomInput

Velocity = Callable[[Tensor, Tensor], Tensor]  # (samples [B, ...], times [B]) -> [B, ...]


def interpolate(latent: Tensor, samples: Tensor, time: Tensor) -> Tensor:
    """(1 - t) z + t x, [B, ...], from z and x [B, ...] and t in [0, 1], [B]."""
    t = time.reshape(-1, *(1,) * (samples.ndim - 1))
    return (1 - t) * latent + t * samples


@dataclass(frozen=True)
class FlowMatching:
    """E |v((1 - t) z + t x, t) - (x - z)|^2 / D, a scalar, with x [B, ...] of D numbers each.

    Its minimiser is v(y, t) = E[x - z | (1 - t) z + t x = y], whose flow carries z to the data.
    Even there it is not 0: it ends at the mean variance of x - z given y.

    Deviation: the papers sum over the elements of a sample; their mean, as in the code of Liu et
        al., has one scale for all sizes of images.
    """

    random_inputs = {"time": RandomInput("uniform", "sample")}

    def __call__(self, velocity: Velocity, samples: Tensor, latent: Tensor, time: Tensor) -> Tensor:
        """Return the scalar.

        Args:
            velocity: v, (points [B, ...], times [B]) -> [B, ...].
            samples: real samples x, [B, ...].
            latent: z ~ N(0, I), of the samples' shape.
            time: t, uniform in [0, 1), [B].
        """
        predicted = velocity(interpolate(latent, samples, time), time)
        return (predicted - (samples - latent)).square().mean()
