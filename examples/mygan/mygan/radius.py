"""Error of the mean distance from the origin."""

from dataclasses import dataclass

import numpy as np

from bench.scoring.features import Features, Reference
from bench.scoring.metric_spec import MetricSpec


@dataclass(frozen=True)
class Radius(MetricSpec):
    """Difference of mean norms.

    Args:
        order: of the norm, 1 or 2.
    """

    order: int

    directions = {"radius": "lower"}

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """Return {"radius": |E|x| - E|G(z)||}, from features [N, F]."""
        real, generated = (
            float(np.linalg.norm(side.features, self.order, axis=1).mean())
            for side in (reference.real, fake)
        )
        return {"radius": abs(real - generated)}
