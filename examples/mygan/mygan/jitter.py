"""Instance noise: Sonderby et al. 2017 (arXiv:1610.04490), section 2.3."""

from dataclasses import dataclass

from torch import Tensor

from bench.core.batch import Batch, Critic
from bench.core.parts import RandomInput


@dataclass(frozen=True)
class Jitter:
    """x + scale e, e ~ N(0, I), for real and generated samples.

    Args:
        scale: in units of the samples.
    """

    scale: float

    random_inputs = {"jitter": RandomInput("normal", "element")}

    def __call__(self, critic: Critic) -> Critic:
        """Return the critic of noisy samples."""

        def noisy(batch: Batch) -> Tensor:
            return critic(
                batch._replace(samples=batch.samples + self.scale * batch.draws["jitter"])
            )

        return noisy
