"""Measures of diversity: of classes that a classifier sees, of pixels."""

from dataclasses import dataclass

import numpy as np

from bench.metrics import inception_score, modes, similarity
from bench.scoring.features import Features, Reference
from bench.scoring.metric_spec import MetricSpec


@dataclass(frozen=True)
class InceptionScore(MetricSpec):
    """The Inception Score's formula on the extractor's class probabilities.

    Args:
        splits: of which the mean is taken beside the score of all samples at once; None: no splits.
    """

    splits: int | None

    directions = inception_score.DIRECTIONS

    @property
    def least(self) -> int:
        """One for each split."""
        return 2 if self.splits is None else self.splits

    def names(self, reference: Reference) -> dict[str, str]:
        """Without splits the score of all samples alone."""
        return self.directions if self.splits is not None else {"inception_score": "higher"}

    def applies(self, reference: Reference) -> bool:
        """Where the extractor classifies."""
        return reference.real.logits is not None

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """{"inception_score": value} and, with splits, their mean and its spread."""
        assert fake.logits is not None
        found = {"inception_score": inception_score.inception_score(fake.logits)}
        if self.splits is not None:
            mean, sd = inception_score.inception_score_splits(fake.logits, self.splits)
            found |= {"inception_score_splits": mean, "inception_score_splits.sd": sd}
        return found


@dataclass(frozen=True)
class Classes(MetricSpec):
    """Classes covered, and how far their shares are from those of the real samples.

    The divergence exists where every class occurs among the reference's samples, or where the data
    set's source tells its `class_probabilities`.
    """

    directions = {k: modes.DIRECTIONS[k] for k in ("classes_covered", "class_reverse_kl")}

    def applies(self, reference: Reference) -> bool:
        """Where the extractor classifies."""
        return reference.real.logits is not None

    def names(self, reference: Reference) -> dict[str, str]:
        """Without the divergence where a class has no real sample."""
        whole = _shares(reference).min() > 0
        return {k: v for k, v in self.directions.items() if whole or k == "classes_covered"}

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """{"classes_covered": number, "class_reverse_kl": nats}."""
        assert fake.logits is not None
        found = {"classes_covered": float(modes.classes_covered(fake.logits))}
        if "class_reverse_kl" in self.names(reference):
            found["class_reverse_kl"] = modes.class_reverse_kl(fake.logits, _shares(reference))
        return found


def _shares(reference: Reference) -> np.ndarray:
    """Of the classes among real samples, as the classifier sees them unless the source knows."""
    known = getattr(reference.source, "class_probabilities", None)
    if known is not None:
        return np.asarray(known)
    logits = reference.real.logits
    assert logits is not None
    return np.bincount(logits.argmax(1), minlength=logits.shape[1]) / len(logits)


@dataclass(frozen=True)
class Similarity(MetricSpec):
    """Mean structural similarity of pairs of generated images: the lower, the more diverse.

    Args:
        batch: images in which each is compared with each.
        batches: of them.
    """

    batch: int
    batches: int

    directions = similarity.DIRECTIONS

    @property
    def n_images(self) -> int:
        """All batches."""
        return self.batch * self.batches

    def applies(self, reference: Reference) -> bool:
        """For images."""
        return len(_shape(reference)) == 3

    def names(self, reference: Reference) -> dict[str, str]:
        """One of the two, by the images' size."""
        large = min(_shape(reference)[1:]) >= similarity.MS_SIDE
        name = "ms_ssim" if large else "ssim"
        return {name: self.directions[name]}

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """{"ms_ssim": value} of large images, {"ssim": value} of small ones."""
        if fake.images is None:  # real features from the cache, where the data are absent
            return {}
        return similarity.similarity(fake.images.clip(0, 1), batch=self.batch)


def _shape(reference: Reference) -> tuple[int, ...]:
    """Of one sample; () where nobody knows."""
    if reference.real.images is not None:
        return reference.real.images.shape[1:]
    return tuple(getattr(reference.source, "shape", ()))
