"""Metrics of diversity: of classes that a classifier predicts, of pixels."""

from dataclasses import dataclass

import numpy as np

from bench.metrics import class_accuracy, inception_score, modes, similarity
from bench.scoring.features import Features, Reference
from bench.scoring.metric_spec import MetricSpec

KNOWS_CLASSES = 0.5  # accuracy on real samples from which on a classifier knows their classes
MOST_CLASSES = 100  # that a row has details of


@dataclass(frozen=True)
class InceptionScore(MetricSpec):
    """The Inception Score's formula on the extractor's class probabilities.

    Args:
        splits: number of splits, over which the mean stands beside the score of all samples at
            once; None: no splits.
    """

    splits: int | None

    directions = inception_score.DIRECTIONS

    @property
    def required_samples(self) -> int:
        """One sample for each split, two without splits."""
        return 2 if self.splits is None else self.splits

    def names(self, reference: Reference) -> dict[str, str]:
        """Return score -> direction; without splits only the score of all samples at once."""
        return self.directions if self.splits is not None else {"inception_score": "higher"}

    def applies(self, reference: Reference) -> bool:
        """Return whether the extractor classifies."""
        return reference.real.logits is not None

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """Return {"inception_score": value} and, with splits, their mean and its spread."""
        assert fake.logits is not None
        scores = {"inception_score": inception_score.inception_score(fake.logits)}
        if self.splits is not None:
            mean, sd = inception_score.inception_score_splits(fake.logits, self.splits)
            scores |= {"inception_score_splits": mean, "inception_score_splits.sd": sd}
        return scores


@dataclass(frozen=True)
class Classes(MetricSpec):
    """Classes covered, and the divergence of their shares from those of the real samples.

    The divergence exists where every class occurs among the reference's samples, or where the data
    set's source states its `class_probabilities`.
    """

    directions = {k: modes.DIRECTIONS[k] for k in ("classes_covered", "class_reverse_kl")}

    def applies(self, reference: Reference) -> bool:
        """Return whether the extractor classifies."""
        return reference.real.logits is not None

    def names(self, reference: Reference) -> dict[str, str]:
        """Return score -> direction, without the divergence where a class has no real sample."""
        complete = _class_shares(reference).min() > 0
        return {k: v for k, v in self.directions.items() if complete or k == "classes_covered"}

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """Return {"classes_covered": number, "class_reverse_kl": nats}."""
        assert fake.logits is not None
        scores = {"classes_covered": float(modes.classes_covered(fake.logits))}
        if "class_reverse_kl" in self.names(reference):
            shares = _class_shares(reference)
            scores["class_reverse_kl"] = modes.class_reverse_kl(fake.logits, shares)
        return scores


def _class_shares(reference: Reference) -> np.ndarray:
    """Return each class's share of the real samples, [K].

    The source's `class_probabilities` where it states them, else shares of the predicted classes.
    """
    if (stated := getattr(reference.source, "class_probabilities", None)) is not None:
        return np.asarray(stated)
    logits = reference.real.logits
    assert logits is not None
    return np.bincount(logits.argmax(1), minlength=logits.shape[1]) / len(logits)


@dataclass(frozen=True)
class ClassAccuracy(MetricSpec):
    """Share of samples that are of the class that was asked for, as the classifier sees them.

    For images the class is the extractor's prediction, for points of a mixture the nearest mode.
    The details "class_accuracy.class_3" and "class_accuracy.share_3" are the accuracy on the
    samples of a class, and their share of all; they are left out above MOST_CLASSES.
    """

    directions = class_accuracy.DIRECTIONS
    needs = frozenset({"labels"})

    def applies(self, reference: Reference) -> bool:
        """Return whether the classifier knows these classes: it is right about most real samples.

        One of other classes is not: Inception's 1,008, those of another data set.
        """
        real, predicted = reference.real, _predict_classes(reference.real, reference)
        if real.labels is None or predicted is None:
            return False
        return class_accuracy.class_accuracy(predicted, real.labels) > KNOWS_CLASSES

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """Return {"class_accuracy": share}, and the details of each class."""
        predicted, labels = _predict_classes(fake, reference), fake.labels
        assert predicted is not None and labels is not None
        scores = {"class_accuracy": class_accuracy.class_accuracy(predicted, labels)}
        of_class = class_accuracy.accuracy_by_class(predicted, labels)
        for label, (accuracy, share) in of_class.items() if len(of_class) <= MOST_CLASSES else ():
            scores[f"class_accuracy.class_{label}"] = accuracy
            scores[f"class_accuracy.share_{label}"] = share
        return scores


def _predict_classes(samples: Features, reference: Reference) -> np.ndarray | None:
    """Return the class of each sample, [N]; None where nothing classifies them."""
    if (centres := getattr(reference.source, "modes", None)) is not None:
        return modes.nearest_centres(samples.features, centres.centres)[0]
    return None if samples.logits is None else samples.logits.argmax(1)


@dataclass(frozen=True)
class Similarity(MetricSpec):
    """Mean structural similarity of pairs of generated images: the lower, the more diverse.

    Args:
        batch: number of images in a batch, in which each is compared with every other.
        batches: number of batches.
    """

    batch: int
    batches: int

    directions = similarity.DIRECTIONS

    @property
    def n_images(self) -> int:
        """Number of images in all batches."""
        return self.batch * self.batches

    def applies(self, reference: Reference) -> bool:
        """Return whether the samples are images."""
        return len(_sample_shape(reference)) == 3

    def names(self, reference: Reference) -> dict[str, str]:
        """Return {"ms_ssim": direction} for large images, {"ssim": direction} for small ones."""
        side = min(_sample_shape(reference)[1:])
        name = "ms_ssim" if side >= similarity.MS_SIDE else "ssim"
        return {name: self.directions[name]}

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """Return {"ms_ssim": value} of large images, {"ssim": value} of small ones."""
        if fake.images is None:  # real features from the cache, where the data are absent
            return {}
        images = fake.images[: self.n_images]  # another metric may have asked for more
        return similarity.similarity(images.clip(0, 1), batch=self.batch)


def _sample_shape(reference: Reference) -> tuple[int, ...]:
    """Return the shape of one sample; () where neither images nor the source state it."""
    if reference.real.images is not None:
        return reference.real.images.shape[1:]
    return tuple(getattr(reference.source, "shape", ()))
