"""Any of the suite's measures from one pass over the samples, as a torchmetrics.Metric."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from bench.scoring.feature_metric import FeatureMetric
from bench.scoring.features import Features, Reference, in_canonical_order
from bench.scoring.metric_spec import MetricSpec
from bench.scoring.reservoir import images_of, records_of, rows_of, smallest


class CombinedMetric(FeatureMetric):
    """All measures that apply, from features that are computed once: {name: float64 scalar}.

    States: features and logits of `capacity` samples at most, float32, and as many images as a
    measure looks at. Order, batches and processes do not matter: samples are put in the canonical
    order, and which images are kept depends on the images alone.

    Lightning logs no dict of a metric: in on_validation_epoch_end write
    `self.log_dict(self.scores.compute())` and `self.scores.reset()`.

    Args:
        extractor, quantise: see `FeatureMetric`.
        measures: by name, as `conf/metric` makes them.
        reference: real samples, seen by the same extractor.
        capacity: how many samples may come, in all processes together.

    Raises:
        ValueError: a measure needs what a module has not, or the reference is another extractor's.
    """

    feature_rows: list[Tensor]
    logit_rows: list[Tensor]
    pictures: list[Tensor]

    def __init__(
        self,
        extractor: nn.Module,
        measures: Mapping[str, MetricSpec],
        reference: Reference,
        quantise: bool,
        capacity: int,
    ) -> None:
        super().__init__(extractor, quantise, None)
        absent = {"sampler"} if reference.train is not None else {"sampler", "train"}
        for name, measure in measures.items():
            if lacking := sorted(measure.needs & absent):
                raise ValueError(f"{self}: measure {name!r} needs {', '.join(lacking)}")
        width = reference.real.features.shape[1]
        if width != self.width:
            raise ValueError(
                f"{self}: the reference has {width} features, the extractor {self.width}"
            )
        self.reference = replace(reference, real=in_canonical_order(reference.real))
        self.measures = {n: m for n, m in measures.items() if m.applies(reference)}
        self.n_images = max((m.n_images for m in self.measures.values()), default=0)
        self.capacity = capacity
        # Flat, so that a process without samples can take part in gathering.
        for name in ("feature_rows", "logit_rows", "pictures"):
            self.add_state(name, [], dist_reduce_fx="cat")

    def update(self, images: Tensor) -> None:
        """Take in generated samples.

        Raises:
            ValueError: there are more than the capacity by now.
        """
        samples, features, logits = self.seen(images)
        self._require_room(len(samples) + sum(map(len, self.feature_rows)) // self.width)
        self.feature_rows.append(features.float().flatten().to(self.home))
        if logits is not None:
            self.logit_rows.append(logits.float().flatten().to(self.home))
        if self.n_images and samples.ndim == 4:
            self.pictures.append(records_of(samples).flatten().to(self.home))
            self._drop_pictures()

    def compute(self) -> dict[str, Tensor]:
        """The scores, and details with a dot in their names.

        Raises:
            ValueError: there is no sample, or there are more than the capacity.
        """
        features, logits, pictures = map(
            _joined, (self.feature_rows, self.logit_rows, self.pictures)
        )
        count = len(features) // self.width
        if not count:
            raise ValueError(f"{self}: no sample yet")
        self._require_room(count)
        seen = in_canonical_order(
            Features(
                features.reshape(count, -1).numpy(),
                logits.reshape(count, -1).numpy() if len(logits) else None,
                images_of(smallest(rows_of(pictures), self.n_images)) if len(pictures) else None,
            )
        )
        scores: dict[str, float] = {}
        for measure in self.measures.values():
            scores.update(measure(self.reference, replace(seen, order=None)))
        return {
            name: torch.tensor(value, dtype=torch.float64, device=self.home)
            for name, value in scores.items()
        }

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Take samples in, and return the scores of these alone."""
        scores = super().forward(images)
        self._drop_pictures()  # those of the batch were put beside the earlier ones
        return scores

    def _require_room(self, count: int) -> None:
        if count > self.capacity:
            raise ValueError(
                f"{self}: {count:,} samples, more than its capacity of {self.capacity:,}; "
                "call reset() after each epoch, or give a larger one"
            )

    def _drop_pictures(self) -> None:
        """Keep those images only that will be looked at."""
        if self.pictures:
            rows = rows_of(_joined(self.pictures))
            self.pictures = [smallest(rows, self.n_images).flatten().to(self.home)]


def _joined(state: list[Tensor] | Tensor) -> Tensor:
    """A list of flat vectors, or what gathering made of it, as one vector on the CPU."""
    whole = torch.cat(state) if isinstance(state, list) and state else state
    return whole.cpu() if isinstance(whole, Tensor) else torch.zeros(0)
