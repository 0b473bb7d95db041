"""Points of gradient penalties: samples real, fake [B, ...] and draws -> points [N, ...].

`@needs_random` declares the random numbers that a function needs; the caller draws them from a
named stream, so that a packed run and a single run use the same numbers.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from bench.core.parts import RandomInput, RandomInputs


def needs_random(side: str = "real", **inputs: RandomInput) -> Callable[[Callable], Callable]:
    """Store what a function needs in its attributes `random_inputs` and `side`.

    Args:
        side: whose labels and random numbers of transforms the points have: "real", "fake",
            "both" for points of the concatenation, each its own, or "between": a point between a
            real and a generated sample has their label where they have the same, so that the
            generated samples of a step then get the classes of the real ones.
        inputs: random numbers, by name.
    """

    def decorate(place: Any) -> Callable:
        place.random_inputs, place.side = inputs, side
        return place

    return decorate


def per_sample(numbers: Tensor, like: Tensor) -> Tensor:
    """Reshape numbers [N] to [N, 1, ..., 1], to be multiplied with `like`, [N, ...]."""
    return numbers.reshape(-1, *(1,) * (like.ndim - 1))


@needs_random("between", mix=RandomInput("uniform", "sample"))
def interpolated(real: Tensor, fake: Tensor, draws: RandomInputs) -> Tensor:
    """real + mix (fake - real): Gulrajani et al. 2017 (arXiv:1704.00028), Algorithm 1, line 6."""
    return real + per_sample(draws["mix"], real) * (fake - real)


@needs_random(noise=RandomInput("uniform", "element"), mix=RandomInput("uniform", "sample"))
def around_real(real: Tensor, fake: Tensor, draws: RandomInputs, *, scale: float) -> Tensor:
    """real + mix scale std(real) noise: DRAGAN as in compare_gan v1.

    Args:
        real, fake: samples, [B, ...]; fake is not used.
        draws: "noise" in [0, 1), [B, ...], and "mix" in [0, 1), [B].
        scale: factor of the population standard deviation of the batch, one number for all.

    Deviation: Kodali et al. 2017 (arXiv:1705.07215), Algorithm 1, add centred Gaussian noise:
        `around_real_gaussian`. This noise is never negative.
    """
    spread = scale * real.std(correction=0) * draws["noise"]
    return real + per_sample(draws["mix"], real) * spread


@needs_random(noise=RandomInput("normal", "element"))
def around_real_gaussian(
    real: Tensor, fake: Tensor, draws: RandomInputs, *, scale: float
) -> Tensor:
    """real + scale noise, noise ~ N(0, I): Kodali et al. 2017 (arXiv:1705.07215), Algorithm 1."""
    return real + scale * draws["noise"]


@needs_random(noise=RandomInput("uniform", "element"))
def around_real_centred(real: Tensor, fake: Tensor, draws: RandomInputs) -> Tensor:
    """clip(real + std(real) (noise - 1/2), 0, 1): DRAGAN as in compare_gan v2, v3."""
    return (real + real.std(correction=0) * (draws["noise"] - 0.5)).clamp(0, 1)


@needs_random(
    "both",
    noise=RandomInput("uniform", "element", copies=2),
    mix=RandomInput("uniform", "sample", copies=2),
)
def around_both(real: Tensor, fake: Tensor, draws: RandomInputs, *, scale: float) -> Tensor:
    """Concatenate real and fake samples and perturb them: [2B, ...].

    Petzka et al. 2017 (arXiv:1709.08894), with the perturbation of `around_real`.
    """
    both = torch.cat([real, fake])
    spread = scale * both.std(correction=0) * draws["noise"]
    return both + per_sample(draws["mix"], both) * spread


@needs_random()
def at_real(real: Tensor, fake: Tensor, draws: RandomInputs) -> Tensor:
    """x, the real samples: R1 of Mescheder et al. 2018 (arXiv:1801.04406), equation 9."""
    return real


@needs_random("fake")
def at_fake(real: Tensor, fake: Tensor, draws: RandomInputs) -> Tensor:
    """G(z), the generated samples: R2 of Mescheder et al. 2018, equation 10."""
    return fake
