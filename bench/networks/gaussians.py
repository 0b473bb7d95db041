"""Class-conditional Gaussians as a generator: Hastie et al. 2009, Elements of Statistical Learning.

Section 4.3. The first number of a latent N(0, I) [B, 1 + D] picks the class: the first one whose
cumulative prior is not below Phi(z_0). The others make its sample, m_k + R_k z, R_k R_k^T = S_k.
"""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from bench.core.number_checks import require_whole_number


def latents(shape: list[int]) -> int:
    """1 + D, the width of a latent of these generators."""
    return 1 + math.prod(shape)


class Gaussians(nn.Module, ABC):
    """Latents [B, 1 + D] -> samples [B, ...] of sum_k pi_k N(m_k, S_k).

    Priors, means and roots are parameters, so that they are saved as those of any generator, but no
    optimizer updates them. Subclasses define the form of R_k.

    Args:
        shape: of a sample, [D] or [C, H, W].
        classes: K, at least 1.
        root: initial R_k, of unit covariances, in the form of the subclass.

    Deviation: images are clipped to [0, 1] in `forward`; densities are of unclipped samples.
    """

    bounded = True  # images are clipped

    def __init__(self, shape: list[int], classes: int, root: Tensor) -> None:
        super().__init__()
        require_whole_number("dataset.classes", classes, 1)
        self.shape = tuple(shape)
        self.priors = _constant(torch.full((classes,), 1 / classes))
        self.means = _constant(torch.zeros(classes, math.prod(shape)))
        self.root = _constant(root)

    def reset(self, generator: torch.Generator) -> None:
        """Draw nothing: the initial Gaussians are N(0, I)."""

    def set_parameters(self, priors: Tensor, means: Tensor, root: Tensor) -> None:
        """Set the Gaussians of k <= K classes; further classes get prior 0.

        Args:
            priors, means: [k] and [k, D].
            root: R_k in the form of the subclass.

        Raises:
            ValueError: there are more classes than K.
        """
        if len(priors) > len(self.priors):
            raise ValueError(
                f"the training samples have {len(priors)} classes, dataset.classes is "
                f"{len(self.priors)}: set it to as many"
            )
        with torch.no_grad():
            self.priors.zero_()[: len(priors)] = priors.to(self.priors)
            self.means[: len(means)] = means.to(self.means)
            self.root[: len(root)] = root.to(self.root)

    def pick_classes(self, latent: Tensor) -> Tensor:
        """Return the class of each latent, [B]; a class of prior 0 is never picked."""
        ends = self.priors.cumsum(0)
        level = torch.special.ndtr(latent[:, 0].contiguous()) * ends[-1]
        least = torch.finfo(level.dtype).tiny  # 0 would pick class 0 even of prior 0
        return torch.searchsorted(ends, level.clamp(min=least))

    def sample_unclipped(self, latent: Tensor) -> Tensor:
        """m_k + R_k z, [B, D]."""
        classes, samples = self.pick_classes(latent), torch.empty_like(latent[:, 1:])
        for k in classes.unique().tolist():
            rows = classes == k
            samples[rows] = self.means[k] + self.colour(latent[rows, 1:], k)
        return samples

    def forward(self, latent: Tensor) -> Tensor:
        """Return samples [B, ...] of latents [B, 1 + D]."""
        samples = self.sample_unclipped(latent).reshape(-1, *self.shape)
        return samples.clamp(0, 1) if len(self.shape) == 3 else samples

    def log_joint(self, samples: Tensor) -> Tensor:
        """ln pi_k + ln N(x; m_k, S_k), [B, K], of samples [B, ...]."""
        columns = []
        for k, (prior, mean) in enumerate(zip(self.priors, self.means, strict=True)):
            white, log_volume = self.whiten(samples.flatten(1) - mean, k)
            half = (white.square().sum(1) + len(mean) * math.log(2 * math.pi)) / 2
            columns.append(prior.log() - half - log_volume)
        return torch.stack(columns, 1)

    @abstractmethod
    def colour(self, z: Tensor, k: int) -> Tensor:
        """R_k z, [B, D]."""

    @abstractmethod
    def whiten(self, centred: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """R_k^-1 (x - m_k), [B, D], and ln det R_k."""


class Diagonal(Gaussians):
    """S_k diagonal; `root` holds the standard deviations, [K, D]."""

    def __init__(self, shape: list[int], classes: int) -> None:
        super().__init__(shape, classes, torch.ones(classes, math.prod(shape)))

    def colour(self, z: Tensor, k: int) -> Tensor:
        """R_k z, [B, D]."""
        return z * self.root[k]

    def whiten(self, centred: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """R_k^-1 (x - m_k), [B, D], and ln det R_k."""
        return centred / self.root[k], self.root[k].log().sum()


class Shared(Gaussians):
    """S of all classes; `root` holds its Cholesky factor, [D, D]."""

    def __init__(self, shape: list[int], classes: int) -> None:
        super().__init__(shape, classes, torch.eye(math.prod(shape)))

    def factor(self, k: int) -> Tensor:
        """R_k, [D, D]."""
        return self.root

    def colour(self, z: Tensor, k: int) -> Tensor:
        """R_k z, [B, D]."""
        return z @ self.factor(k).T

    def whiten(self, centred: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """R_k^-1 (x - m_k), [B, D], and ln det R_k."""
        factor = self.factor(k)
        white = torch.linalg.solve_triangular(factor, centred.T, upper=False).T
        return white, factor.diagonal().log().sum()


class Separate(Shared):
    """S_k of each class; `root` holds their Cholesky factors, [K, D, D]."""

    def __init__(self, shape: list[int], classes: int) -> None:
        width = math.prod(shape)
        Gaussians.__init__(self, shape, classes, torch.eye(width).repeat(classes, 1, 1))

    def factor(self, k: int) -> Tensor:
        """R_k, [D, D]."""
        return self.root[k]


def _constant(values: Tensor) -> nn.Parameter:
    """Return a parameter without gradient."""
    return nn.Parameter(values, requires_grad=False)
