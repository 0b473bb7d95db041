"""The study's precision, recall and F1 of generated polygons (Lucic et al. 2018, section 5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from bench.core.batch import Latent
from bench.core.errors import UserError
from bench.core.seeds import generator as stream
from bench.metrics import polygons
from bench.scoring.features import Features, Reference
from bench.scoring.inversion import invert
from bench.scoring.metric_spec import MetricSpec, rng

BATCH = 512  # latents at once; no part of the result


@dataclass(frozen=True)
class PolygonScores(MetricSpec):
    """Share of generated images near the manifold, of real ones near the generator, and their F1.

    Args:
        delta: squared distance up to which an image is near.
        n_samples: number of generated and of real images used, the first of each, or all where
            there are fewer.
        candidates, starts, steps, probes: the search for the nearest polygon; arguments of
            `bench.metrics.polygons.manifold_distance`.
        inversion_steps, restarts, learning_rate: Adam's search for the nearest latent.
        bounds: name of the prior -> largest absolute entry of a latent that it draws; None: any.
        seed: seed of the random polygons and of the latents that the search starts from.

    Both searches find a bound: a precision and a recall that more effort can only raise.
    Images without a generator (a folder's, or real ones) have a precision alone.
    """

    delta: float
    n_samples: int
    candidates: int
    starts: int
    steps: int
    probes: Sequence[float]
    inversion_steps: int
    restarts: int
    learning_rate: float
    bounds: Mapping[str, float | None]
    seed: int

    directions = polygons.DIRECTIONS
    needs = frozenset({"sampler"})
    noisy = False  # minutes of inversion for each set of latents

    @property
    def n_images(self) -> int:
        """Number of the first images whose pixels the metric reads."""
        return self.n_samples

    def applies(self, reference: Reference) -> bool:
        """Return whether the data set defines its manifold."""
        return getattr(reference.source, "manifold", None) is not None

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """Return {"polygon_precision": share}, with a generator recall and F1, and medians."""
        images = self._images(fake, "generated")
        squares = polygons.manifold_distance(
            images.reshape(len(images), -1),
            reference.source.manifold,
            rng(self.seed),
            candidates=self.candidates,
            starts=self.starts,
            steps=self.steps,
            probes=self.probes,
        )
        precision = polygons.share_within(squares, delta=self.delta)
        scores = {
            "polygon_precision": precision,
            "polygon_precision.median_squared_distance": float(np.median(squares)),
        }
        if fake.sampler is None:
            return scores
        errors = self._inversion_errors(self._images(reference.real, "real"), fake.sampler)
        recall = polygons.share_within(errors, delta=self.delta)
        scores["polygon_recall"] = recall
        scores["polygon_recall.median_squared_distance"] = float(np.median(errors))
        return {**scores, "polygon_f1": polygons.f1(precision, recall)}

    def _inversion_errors(self, images: np.ndarray, sampler: Any) -> np.ndarray:
        """Squared distance of each real image to the generator's nearest one that is found, [n]."""
        prior = getattr(sampler.prior, "func", sampler.prior).__name__
        if prior not in self.bounds:
            key, present = "score.metrics.polygons.bounds", ", ".join(sorted(self.bounds))
            message = f"polygons: {key} has no entry for the prior {prior!r} (it has {present})"
            largest = "the largest entry of its latents, or to null where they have no bound"
            raise UserError(message, fix=f"set {key}.{prior} to {largest}")
        count, draws = len(images) * self.restarts, stream(self.seed, "score", 1)
        drawn = sampler.draw(count, draws)
        rows = len(images), self.restarts
        labels = {name: each.reshape(rows) for name, each in drawn.labels.items()}
        return invert(
            sampler.generator,
            torch.from_numpy(images),
            Latent(drawn.z.reshape(*rows, sampler.latent_dim), labels),
            steps=self.inversion_steps,
            learning_rate=self.learning_rate,
            bound=self.bounds[prior],
            batch=BATCH,
        )

    def _images(self, features: Features, which: str) -> np.ndarray:
        """Return the first `n_samples` images, [n, C, H, W]."""
        if features.images is None or not len(features.images):
            fix = "remove polygons from score.metrics"
            raise UserError(f"polygons compares pixels, and no {which} images are there", fix=fix)
        return features.images[: self.n_samples]
