"""One Gaussian a class as a generator: Hastie et al. 2009, Elements of Statistical Learning, 4.3.

Of a latent N(0, I) [B, 1 + D] the first number picks the class: the first whose cumulative prior is
not below Phi(z_0). The others become the class's Gaussian, m_k + R_k z with R_k R_k^T = S_k.
"""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


def latents(shape: list[int]) -> int:
    """1 + D, the width of a latent."""
    return 1 + math.prod(shape)


class Gaussians(nn.Module, ABC):
    """Latents [B, 1 + D] -> samples [B, ...] of sum_k pi_k N(m_k, S_k).

    Its numbers are parameters, kept as any generator's, that no optimizer moves. Subclasses say
    what is kept of S_k.

    Args:
        shape: of a sample, [D] or [C, H, W].
        classes: K.
        root: of unit covariances.

    Deviation: images are clipped to [0, 1] as they leave; densities are of the unclipped.
    """

    def __init__(self, shape: list[int], classes: int, root: Tensor) -> None:
        super().__init__()
        if isinstance(classes, bool) or not isinstance(classes, int) or classes < 1:
            raise ValueError(f"classes is {classes!r}; set dataset.classes to 1 or more")
        self.shape = tuple(shape)
        self.priors = _fixed(torch.full((classes,), 1 / classes))
        self.means = _fixed(torch.zeros(classes, math.prod(shape)))
        self.root = _fixed(root)

    def reset(self, generator: torch.Generator) -> None:
        """There is nothing to draw: it begins with unit Gaussians at 0."""

    def take(self, priors: Tensor, means: Tensor, root: Tensor) -> None:
        """Become the Gaussians of k <= K classes: priors [k], means [k, D], root as kept.

        Raises:
            ValueError: there are more classes than K.
        """
        if len(priors) > len(self.priors):
            raise ValueError(
                f"the training samples have {len(priors)} classes, dataset.classes says "
                f"{len(self.priors)}"
            )
        with torch.no_grad():
            self.priors.zero_()[: len(priors)] = priors.to(self.priors)
            self.means[: len(means)] = means.to(self.means)
            self.root[: len(root)] = root.to(self.root)

    def picked(self, latent: Tensor) -> Tensor:
        """The class of each latent, [B]; one with the prior 0 never is."""
        ends = self.priors.cumsum(0)
        level = torch.special.ndtr(latent[:, 0].contiguous()) * ends[-1]
        level = level.clamp(min=torch.finfo(level.dtype).tiny)  # 0 would be the first, prior or not
        return torch.searchsorted(ends, level)

    def unclipped(self, latent: Tensor) -> Tensor:
        """m_k + R_k z, [B, D]."""
        picked, found = self.picked(latent), torch.empty_like(latent[:, 1:])
        for k in picked.unique().tolist():
            rows = picked == k
            found[rows] = self.means[k] + self.coloured(latent[rows, 1:], k)
        return found

    def forward(self, latent: Tensor) -> Tensor:
        """Samples [B, ...]."""
        samples = self.unclipped(latent).reshape(-1, *self.shape)
        return samples.clamp(0, 1) if len(self.shape) == 3 else samples

    def log_joint(self, samples: Tensor) -> Tensor:
        """ln pi_k + ln N(x; m_k, S_k), [B, K], of samples [B, ...]."""
        columns = []
        for k, (prior, mean) in enumerate(zip(self.priors, self.means, strict=True)):
            white, log_volume = self.whitened(samples.flatten(1) - mean, k)
            half = (white.square().sum(1) + len(mean) * math.log(2 * math.pi)) / 2
            columns.append(prior.log() - half - log_volume)
        return torch.stack(columns, 1)

    @abstractmethod
    def coloured(self, z: Tensor, k: int) -> Tensor:
        """R_k z, [B, D]."""

    @abstractmethod
    def whitened(self, apart: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """R_k^-1 (x - m_k), [B, D], and ln det R_k."""


class Diagonal(Gaussians):
    """S_k diagonal; its roots, standard deviations, are kept, [K, D]."""

    def __init__(self, shape: list[int], classes: int) -> None:
        super().__init__(shape, classes, torch.ones(classes, math.prod(shape)))

    def coloured(self, z: Tensor, k: int) -> Tensor:
        """R_k z, [B, D]."""
        return z * self.root[k]

    def whitened(self, apart: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """R_k^-1 (x - m_k), [B, D], and ln det R_k."""
        return apart / self.root[k], self.root[k].log().sum()


class Shared(Gaussians):
    """One S; its Cholesky factor is kept, [D, D]."""

    def __init__(self, shape: list[int], classes: int) -> None:
        super().__init__(shape, classes, torch.eye(math.prod(shape)))

    def factor(self, k: int) -> Tensor:
        """R_k, [D, D]."""
        return self.root

    def coloured(self, z: Tensor, k: int) -> Tensor:
        """R_k z, [B, D]."""
        return z @ self.factor(k).T

    def whitened(self, apart: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """R_k^-1 (x - m_k), [B, D], and ln det R_k."""
        factor = self.factor(k)
        white = torch.linalg.solve_triangular(factor, apart.T, upper=False).T
        return white, factor.diagonal().log().sum()


class Separate(Shared):
    """S_k of each class; their Cholesky factors are kept, [K, D, D]."""

    def __init__(self, shape: list[int], classes: int) -> None:
        width = math.prod(shape)
        Gaussians.__init__(self, shape, classes, torch.eye(width).repeat(classes, 1, 1))

    def factor(self, k: int) -> Tensor:
        """R_k, [D, D]."""
        return self.root[k]


def _fixed(values: Tensor) -> nn.Parameter:
    return nn.Parameter(values, requires_grad=False)
