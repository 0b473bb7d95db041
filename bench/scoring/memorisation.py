"""Whether a generator repeats what it was trained on."""

from dataclasses import dataclass

from bench import stats
from bench.metrics import memorisation
from bench.scoring.features import Features, Reference
from bench.scoring.metric_spec import MetricSpec, is_points


@dataclass(frozen=True)
class Memorisation(MetricSpec):
    """Share of samples nearer to a training sample than that one's nearest other.

    Held-out real samples stand beside it, since a part of them is so too: two thirds on a line,
    16/27 in space, fewer in many dimensions. A generator copies where the interval of the
    difference lies above 0.

    Args:
        confidence: of that interval.
        max_bytes: memory of a block of distances.
    """

    confidence: float
    max_bytes: int

    directions = memorisation.DIRECTIONS
    needs = frozenset({"train"})

    def applies(self, reference: Reference) -> bool:
        """For images whose training data are known; a toy density gives points without end."""
        known = reference.train is not None and reference.held_out is not None
        return known and not is_points(reference)

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """{"memorised": share} and beside it that of held-out samples, with the interval."""
        assert reference.train is not None and reference.held_out is not None
        train, held_out = reference.train.features, reference.held_out.features
        ours = memorisation.memorised(fake.features, train, max_bytes=self.max_bytes)
        theirs = memorisation.memorised(held_out, train, max_bytes=self.max_bytes)
        low, high = stats.share_difference(
            int(ours.mask.sum()), len(fake), int(theirs.mask.sum()), len(held_out),
            confidence=self.confidence,
        )  # fmt: skip
        fake.notes["memorised"] = ours
        return {
            "memorised": ours.share,
            "memorised.held_out": theirs.share,
            "memorised.excess_low": low,
            "memorised.excess_high": high,
        }
