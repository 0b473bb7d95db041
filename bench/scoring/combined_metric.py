"""A torchmetrics.Metric that computes many of the suite's metrics from one pass over samples."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from bench.scoring.feature_metric import FeatureMetric
from bench.scoring.features import Features, Reference, sort_canonically
from bench.scoring.metric_spec import MetricSpec
from bench.scoring.reservoir import decode_images, encode_images, keep_smallest, unflatten_records


class CombinedMetric(FeatureMetric):
    """Compute all metrics that apply from features that are extracted once: {name: float64 scalar}.

    States: features and logits of `capacity` samples at most, float32, and as many images as a
    metric looks at. Order, batches and processes do not matter: samples are put in the canonical
    order, and which images are kept depends on the images alone.

    Lightning logs no dict of a metric: in on_validation_epoch_end write
    `self.log_dict(self.scores.compute())` and `self.scores.reset()`.

    Args:
        extractor, quantise: see `FeatureMetric`.
        metrics: name -> metric, as `conf/metric` builds them; those of samples with classes are
            left out.
        reference: real samples, whose features the same extractor computed.
        capacity: largest number of samples, in all processes together.

    Raises:
        ValueError: a metric needs the generator's sampler or training features, which are not
            there, or the reference was computed by another extractor.
    """

    feature_rows: list[Tensor]
    logit_rows: list[Tensor]
    image_records: list[Tensor]

    def __init__(
        self,
        extractor: nn.Module,
        metrics: Mapping[str, MetricSpec],
        reference: Reference,
        quantise: bool,
        capacity: int,
    ) -> None:
        super().__init__(extractor, quantise, None)
        absent = {"sampler"} if reference.train is not None else {"sampler", "train"}
        for name, metric in metrics.items():
            if lacking := sorted(metric.needs & absent):
                raise ValueError(f"{self}: metric {name!r} needs {', '.join(lacking)}")
        if (width := reference.real.features.shape[1]) != self.width:
            message = f"{self}: the reference has {width} features, the extractor {self.width}"
            raise ValueError(message)
        self.reference = replace(reference, real=sort_canonically(reference.real))
        self.metrics = {
            name: metric
            for name, metric in metrics.items()
            if metric.applies(reference) and "labels" not in metric.needs
        }
        self.n_images = max((m.n_images for m in self.metrics.values()), default=0)
        self.capacity = capacity
        # Flat, so that a process without samples can take part in gathering.
        for name in ("feature_rows", "logit_rows", "image_records"):
            self.add_state(name, [], dist_reduce_fx="cat")

    def update(self, images: Tensor) -> None:
        """Add generated samples.

        Raises:
            ValueError: there are more than the capacity by now.
        """
        samples, features, logits = self.extract(images)
        self._check_capacity(len(samples) + sum(map(len, self.feature_rows)) // self.width)
        self.feature_rows.append(features.float().flatten().to(self.state_device))
        if logits is not None:
            self.logit_rows.append(logits.float().flatten().to(self.state_device))
        if self.n_images and samples.ndim == 4:
            self.image_records.append(encode_images(samples).flatten().to(self.state_device))
            self._drop_images()

    def compute(self) -> dict[str, Tensor]:
        """Return the scores, and details with a dot in their names.

        Raises:
            ValueError: there is no sample, or there are more than the capacity.
        """
        states = (self.feature_rows, self.logit_rows, self.image_records)
        features, logits, records = map(_concatenate, states)
        count = len(features) // self.width
        if not count:
            raise ValueError(f"{self}: no sample yet")
        self._check_capacity(count)
        images, rows = None, features.reshape(count, -1).numpy()
        if len(records):
            images = decode_images(keep_smallest(unflatten_records(records), self.n_images))
        logit_rows = logits.reshape(count, -1).numpy() if len(logits) else None
        fake = sort_canonically(Features(rows, logit_rows, images=images))
        scores: dict[str, float] = {}
        for metric in self.metrics.values():
            scores.update(metric(self.reference, replace(fake, order=None)))
        device = self.state_device
        return {n: torch.tensor(v, dtype=torch.float64, device=device) for n, v in scores.items()}

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Add generated samples, and return the scores of this batch alone."""
        scores = super().forward(images)
        self._drop_images()  # torchmetrics put those of the batch beside the earlier ones
        return scores

    def _check_capacity(self, count: int) -> None:
        if count > self.capacity:
            found = f"{count:,} samples, more than its capacity of {self.capacity:,}"
            fix = "call reset() after each epoch, or give a larger one"
            raise ValueError(f"{self}: {found}; {fix}")

    def _drop_images(self) -> None:
        """Keep only as many images as the metrics look at."""
        if self.image_records:
            records = unflatten_records(_concatenate(self.image_records))
            kept = keep_smallest(records, self.n_images)
            self.image_records = [kept.flatten().to(self.state_device)]


def _concatenate(state: list[Tensor] | Tensor) -> Tensor:
    """Flat vectors, or the one that gathering made of them -> one vector on the CPU."""
    vector = torch.cat(state) if isinstance(state, list) and state else state
    return vector.cpu() if isinstance(vector, Tensor) else torch.zeros(0)
