"""Memorisation: does a generator copy its training images?"""

from dataclasses import dataclass

from bench import stats
from bench.metrics import memorisation
from bench.scoring.features import Features, Reference
from bench.scoring.metric_spec import MetricSpec, is_points


@dataclass(frozen=True)
class Memorisation(MetricSpec):
    """Share of samples nearer to a training sample than its nearest other training sample is.

    The share of held-out real samples stands beside it, since some of them are as near by chance:
    two thirds on a line, 16/27 in space, fewer in many dimensions. A generator copies where the
    interval of the difference of the two shares lies above 0.

    Args:
        confidence: coverage of that interval, 0 to 1.
        max_bytes: memory of a block of distances.
    """

    confidence: float
    max_bytes: int

    directions = memorisation.DIRECTIONS
    needs = frozenset({"train"})

    def applies(self, reference: Reference) -> bool:
        """Return whether the samples are images and training and held-out features are there.

        A toy density gives any number of points: there is nothing to copy.
        """
        complete = reference.train is not None and reference.held_out is not None
        return complete and not is_points(reference)

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """Return {"memorised": share}; details: the held-out share, the difference's interval."""
        assert reference.train is not None and reference.held_out is not None
        train, held_out = reference.train.features, reference.held_out.features
        of_fake = memorisation.memorised(fake.features, train, max_bytes=self.max_bytes)
        of_held_out = memorisation.memorised(held_out, train, max_bytes=self.max_bytes)
        low, high = stats.share_difference(
            int(of_fake.mask.sum()), len(fake), int(of_held_out.mask.sum()), len(held_out),
            confidence=self.confidence,
        )  # fmt: skip
        fake.notes["memorised"] = of_fake
        return {
            "memorised": of_fake.share,
            "memorised.held_out": of_held_out.share,
            "memorised.excess_low": low,
            "memorised.excess_high": high,
        }
