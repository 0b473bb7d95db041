"""Path length regularisation: Karras et al. 2020 (arXiv:1912.04958), StyleGAN2, section 3.2."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from bench.core.parts import RandomInput, RandomInputs, Rows, identity

Generator = Callable[[Tensor], Tensor]  # latents [B, ..., L] -> samples [B, ...]


def path_lengths(generator: Generator, latent: Tensor, noise: Tensor) -> Tensor:
    """|grad_w (G(w) . y)|_2 with y = noise / sqrt(H W), of each sample: [B].

    Args:
        generator: G, latents -> samples; must not update buffers.
        latent: w, [B, L], or one for each layer of G, [B, layers, L]: the squared norm is then
            averaged over the layers.
        noise: N(0, 1), of the samples' shape, [B, ...]; H W is 1 where samples are no images.
    """
    scale = math.sqrt(math.prod(noise.shape[2:]))
    gradient = torch.func.grad(lambda w: (generator(w) * noise / scale).sum())(latent)
    rows = gradient.flatten(1, -2) if gradient.ndim > 2 else gradient.unsqueeze(1)
    return torch.linalg.vector_norm(rows.flatten(1), dim=1) / math.sqrt(rows.shape[1])


@dataclass(frozen=True)
class PathLength:
    """E[(|J_w^T y| - a)^2] with a <- a + decay (E|J_w^T y| - a), which moves before it is used.

    The mean length couples samples: processes of one run hand in `gather`.

    Args:
        decay: of the moving average, in (0, 1]; 0.01 in the paper's code, for a weight of 2.

    Raises:
        ValueError: decay is outside its range.
    """

    decay: float

    random_inputs: ClassVar[Mapping[str, RandomInput]] = MappingProxyType(
        {"noise": RandomInput("normal", "element")}
    )
    initial_state: ClassVar[Mapping[str, float]] = MappingProxyType({"mean": 0.0})
    couples_samples: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay is {self.decay}; set it above 0, at most 1")

    def __call__(
        self,
        generator: Generator,
        latent: Tensor,
        draws: RandomInputs,
        state: Mapping[str, Tensor],
        gather: Rows = identity,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the unweighted term, a scalar, and the next state.

        As in the paper's code the gradient flows through the batch's share of the average, too.

        Args:
            generator: G, latents [B, L] -> samples [B, ...].
            latent: the latents of this process, [B, L].
            draws: "noise", N(0, 1) of the shape of this process's samples, [B, ...].
            state: "mean", [].
            gather: lengths of this process, [B] -> those of all, differentiably.
        """
        lengths = gather(path_lengths(generator, latent, draws["noise"]))
        mean = state["mean"] + self.decay * (lengths.mean() - state["mean"])
        return (lengths - mean).square().mean(), {"mean": mean.detach()}
