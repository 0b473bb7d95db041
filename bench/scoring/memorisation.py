"""Memorisation: does a generator copy its training images?"""

from dataclasses import dataclass

import numpy as np

from bench import stats
from bench.metrics import memorisation
from bench.scoring.features import Arrays, Features, Reference
from bench.scoring.metric_spec import MetricSpec, is_points

DERIVED = "memorisation-1"  # with the version of what is kept


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

        def measure_held_out() -> Arrays:
            spacings = memorisation.Spacings.of(train)
            mask = self._memorised(held_out, train, spacings).mask
            return {"mask": mask, "first": spacings.first, "squares": spacings.squares}

        known = reference.derive(DERIVED, [train, held_out], measure_held_out)
        spacings = memorisation.Spacings(known["first"], known["squares"])
        of_fake, of_held_out = self._memorised(fake.features, train, spacings), known["mask"]
        low, high = stats.share_difference(
            int(of_fake.mask.sum()), len(fake), int(of_held_out.sum()), len(held_out),
            confidence=self.confidence,
        )  # fmt: skip
        fake.notes["memorised"] = of_fake
        return {
            "memorised": of_fake.share,
            "memorised.held_out": float(of_held_out.mean()),
            "memorised.excess_low": low,
            "memorised.excess_high": high,
        }

    def _memorised(
        self, samples: np.ndarray, train: np.ndarray, spacings: memorisation.Spacings
    ) -> memorisation.Memorised:
        budget = self.max_bytes
        return memorisation.memorised(samples, train, max_bytes=budget, spacings=spacings)
