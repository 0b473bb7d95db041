"""Scores as torchmetrics.Metric classes: bounded memory, any number of processes.

    self.frechet = FrechetDistance(extractor, quantise=True)       # in __init__
    self.frechet.update(real, real=True)                           # in validation_step
    self.frechet.update(self.generator(latent), real=False)
    self.log("frechet", self.frechet)

They return what `bench.metrics` returns for all samples at once, in float64, whatever the batches
and the precision that a trainer computes in.
"""

import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from bench.core.errors import Caution
from bench.metrics.frechet import expected_bias, frechet_distance
from bench.scoring.combined_metric import CombinedMetric
from bench.scoring.feature_metric import FeatureMetric, gather_all_tensors

__all__ = ["FrechetDistance", "InceptionScore", "CombinedMetric"]


def merge_moments(parts: Tensor) -> Tensor:
    """Moments of parts [P, F + 1, F + 1] -> moments of all their samples [F + 1, F + 1].

    [[n, mean^T], [mean, scatter]] is one state: mean and scatter cannot be reduced one by one.
    Chan, Golub and LeVeque 1983 (Am. Stat. 37, 242), equations 2.1, as in `bench.metrics.moments`,
    but on the device.
    """
    merged = parts[0]
    for part in parts[1:]:
        count = merged[0, 0] + part[0, 0]
        if not count:
            continue
        difference, share = part[0, 1:] - merged[0, 1:], part[0, 0] / count
        total = merged + part  # the scatter's sum; count and mean follow
        total[1:, 1:] += torch.outer(difference, difference * (merged[0, 0] * share))
        total[0, 1:] = total[1:, 0] = merged[0, 1:] + difference * share
        merged = total
    return merged


class FrechetDistance(FeatureMetric):
    """Frechet distance between real and generated samples, `bench.metrics.frechet`.

    States: two matrices [F + 1, F + 1] in float64, whatever the number of samples.

    Args:
        extractor, quantise: see `FeatureMetric`.
        reset_real_features: whether `reset` forgets the real samples too.
    """

    higher_is_better = False
    real: Tensor
    fake: Tensor

    def __init__(
        self, extractor: nn.Module, quantise: bool, reset_real_features: bool = True
    ) -> None:
        super().__init__(extractor, quantise, None)
        self.reset_real_features = reset_real_features
        for name in ("real", "fake"):
            shape, kind = (self.width + 1, self.width + 1), torch.float64
            empty = torch.zeros(shape, dtype=kind, device=self.state_device)
            self.add_state(name, empty, merge_moments)

    def update(self, images: Tensor, real: bool) -> None:
        """Add samples, `real` or generated."""
        features = self.extract(images)[1].to(self.state_device).double()
        batch = torch.zeros_like(self.real)
        mean = features.mean(0)
        centred = features - mean
        batch[0, 0], batch[0, 1:], batch[1:, 0] = len(features), mean, mean
        batch[1:, 1:] = centred.T @ centred
        name = "real" if real else "fake"
        setattr(self, name, merge_moments(torch.stack([getattr(self, name), batch])))

    def compute(self) -> Tensor:
        """Return the distance, float64 scalar.

        Raises:
            ValueError: fewer than two samples on a side.
        """
        sides = [side.cpu().numpy() for side in (self.real, self.fake)]
        n_real, n_fake = (int(side[0, 0]) for side in sides)
        if min(n_real, n_fake) < 2:
            wanted = "two real and two generated samples at least"
            raise ValueError(f"{self}: {wanted}, found {n_real} and {n_fake}")
        real_cov, fake_cov = (side[1:, 1:] / (side[0, 0] - 1) for side in sides)
        if min(n_real, n_fake) <= self.width:
            bias = expected_bias(real_cov, n_fake, n_real)
            samples = f"{n_real:,} real and {n_fake:,} generated samples in {self.width:,} features"
            advice = f"sampling alone adds about {bias:.3g}; take more samples than features"
            warnings.warn(f"{self} of {samples}: {advice}", Caution, stacklevel=2)
        value = frechet_distance(sides[0][0, 1:], real_cov, sides[1][0, 1:], fake_cov)
        return torch.tensor(value, dtype=torch.float64, device=self.state_device)

    def forward(self, images: Tensor, real: bool) -> Tensor:
        """Refuse to be called: a batch of real or of generated samples alone has no distance.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"{self}: call update(images, real=...) and compute(), not the metric")

    def reset(self) -> None:
        """Forget all samples; with `reset_real_features` false only the generated ones."""
        real_moments = self.real
        super().reset()
        if not self.reset_real_features:
            self.real = real_moments


def gather_padded(part: Tensor, group: Any = None) -> list[Tensor]:
    """Gather the sums of all processes at one length: one without samples does not know K."""
    parts = gather_all_tensors(part, group)
    longest = max(p.numel() for p in parts)
    return [pad(p, (0, longest - p.numel())) if p.ndim else p for p in parts]


class InceptionScore(FeatureMetric):
    """exp(H(p(y)) - E H(p(y|x))) over all samples at once, `bench.metrics.inception_score`.

    States: the sums of p(y|x), [K], and of H(p(y|x)), and the number of samples, in float64.

    Args:
        extractor, quantise: see `FeatureMetric`; the extractor must return logits.
    """

    higher_is_better = True
    probabilities: Tensor
    entropy: Tensor
    count: Tensor

    def __init__(self, extractor: nn.Module, quantise: bool) -> None:
        super().__init__(extractor, quantise, gather_padded)
        for name, size in (("probabilities", (1,)), ("entropy", ()), ("count", ())):
            empty = torch.zeros(size, dtype=torch.float64, device=self.state_device)
            self.add_state(name, empty, dist_reduce_fx="sum")

    def update(self, images: Tensor) -> None:
        """Add generated samples.

        Raises:
            ValueError: the extractor returns no logits.
        """
        _, features, logits = self.extract(images)
        if logits is None:
            raise ValueError(f"{self}: the extractor classifies nothing (logits None)")
        probabilities = logits.to(self.state_device).double().softmax(1)
        self.probabilities = self.probabilities + probabilities.sum(0)  # [1] becomes [K]
        self.entropy = self.entropy + torch.special.entr(probabilities).sum()
        self.count = self.count + len(features)

    def compute(self) -> Tensor:
        """Return the score, float64 scalar.

        Raises:
            ValueError: there is no sample yet.
        """
        if not self.count:
            raise ValueError(f"{self}: no sample yet")
        marginal = torch.special.entr(self.probabilities / self.count).sum()
        return (marginal - self.entropy / self.count).clamp(min=0).exp()
