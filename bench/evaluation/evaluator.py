"""Compare generators with real samples; built and checked before a run starts."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig

from bench.config import build
from bench.config.error_messages import as_user_error
from bench.core.batch import Batch
from bench.core.errors import UserError
from bench.core.seeds import generator as stream
from bench.data.digest import content_digest
from bench.data.split import Split
from bench.networks.sampler import Sampler
from bench.scoring import score as scoring
from bench.scoring.features import Reference, extract, iter_batches, shuffle_features
from bench.scoring.metric_spec import is_points
from bench.scoring.real_features import RealFeatures, SplitDigests
from bench.scoring.score import ScoreSettings, score_batches


@dataclass(frozen=True)
class Evaluator:
    """Protocol, extractor and real samples that generators are scored with.

    Args:
        requests: measure -> hash of what its scores depend on, see `bench.scoring.score`.
        real_features: features of the real samples, by split.
        source: source of the data set.
    """

    settings: ScoreSettings
    extractor: torch.nn.Module
    device: torch.device
    requests: Mapping[str, str]
    real_features: RealFeatures
    source: Any

    @cached_property
    def reference(self) -> Reference:
        """Real samples that generated ones are compared with."""
        settings, reals = self.settings, self.real_features
        count = reals.count(settings.split, settings.n_real, "score.split")
        real = shuffle_features(reals.features(settings.split, count))
        real = replace(real, images=reals.images(settings.split, settings.n_images))
        if "train" not in settings.needs or is_points(Reference(real, source=self.source)):
            return Reference(real, source=self.source)
        train = reals.features("train", reals.count("train", None, "the training split"))
        held_out = real
        if settings.split == "train":
            split = next(name for name in ("test", "validation") if name in reals.split_digests)
            held_out = reals.features(split, reals.count(split, None, "the held-out split"))
        return Reference(real, train, held_out, self.source, reals.derived)

    @cached_property
    def selection_reference(self) -> Reference:
        """Real samples that choose among the checkpoints of a run."""
        settings = self.settings
        available = self.real_features.count(settings.select_split, None, "score.select_split")
        count = min(available, settings.n_fake or available)
        real = shuffle_features(self.real_features.features(settings.select_split, count))
        return Reference(real, source=self.source)

    def describe_protocol(self, run_settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row's protocol: how its samples were made, against which data.

        Args:
            run_settings: as in `bench.scoring.score.describe_protocol`.
        """
        settings, data = self.settings, self.real_features.digest(self.settings.split)
        convert = getattr(self.source, "convert", None)  # of a folder of images
        described = scoring.describe_protocol(
            settings, self.reference, self.extractor, data, run_settings
        )
        return described if convert is None else {**described, "real_converted": convert}

    def describe_measures(self) -> dict[str, dict[str, Any]]:
        """Return what each measure's scores depend on beside the protocol, for a row."""
        return scoring.describe_measures(self.settings, self.reference, self.extractor)

    def only(self, measures: Iterable[str]) -> "Evaluator":
        """Return an evaluator for some of the measures: their scores are the same."""
        names = set(measures)
        metrics = {name: m for name, m in self.settings.metrics.items() if name in names}
        asked = {name: request for name, request in self.requests.items() if name in names}
        return replace(self, settings=replace(self.settings, metrics=metrics), requests=asked)

    @cached_property
    def without_labels(self) -> "Evaluator":
        """Evaluator for samples that have no classes: without the measures that need them."""
        kept = self.settings.without_labels().metrics
        return self if kept.keys() == self.settings.metrics.keys() else self.only(kept)

    def for_samples(self, *, conditional: bool) -> "Evaluator":
        """Return the evaluator for samples of a conditional model, or of any other."""
        return self if conditional else self.without_labels

    @property
    def selection_protocol(self) -> dict[str, Any]:
        """Protocol by which checkpoints are chosen; part of the protocol of the best one's row."""
        settings = self.settings
        return {
            "by": "frechet",
            "split": settings.select_split,
            "data": self.real_features.digest(settings.select_split),
            "n_real": len(self.selection_reference.real),
            "n_fake": settings.n_fake,
            "quantised": settings.quantise,
            "latent_seed": settings.latent_seed,
            "every": settings.every,
            **settings.batch_norm.stated(),
            **scoring.describe_extractor(self.extractor),
        }

    def score(
        self, sampler: Sampler, notes: dict[str, Any] | None = None, *, noise: bool = True
    ) -> dict[str, float]:
        """Return all scores of a generator; `NAME.latent_sd` is their spread over latent seeds.

        Args:
            notes: filled with what metrics return beside numbers.
            noise: score further latent seeds too.

        Raises:
            FloatingPointError: a sample is not finite.
        """
        settings, first = self.settings, self.settings.latent_seed
        scores = self._score_seed(sampler, settings, first, notes=notes)
        noisy = {n: m for n, m in settings.metrics.items() if m.noisy}
        seeds = range(first + 1, first + 1 + (settings.noise_seeds if noise and noisy else 0))
        repeats = [self._score_seed(sampler, replace(settings, metrics=noisy), s) for s in seeds]
        for name in (n for n in (repeats[0] if repeats else ()) if "." not in n):
            values = [seed_scores[name] for seed_scores in (scores, *repeats)]
            scores[f"{name}.latent_sd"] = float(np.std(values, ddof=1))
        return scores

    def selection_fid(self, sampler: Sampler) -> float:
        """Return the Frechet distance to the samples that choose among checkpoints.

        Raises:
            FloatingPointError: a sample is not finite.
        """
        frechet_only = {"frechet": self.settings.metrics["frechet"]}
        settings = replace(self.settings, metrics=frechet_only)
        seed, reference = settings.latent_seed, self.selection_reference
        return self._score_seed(sampler, settings, seed, reference)["frechet"]

    def generate_batches(self, sampler: Sampler, seed: int) -> Iterator[Batch]:
        """Generate the protocol's `n_fake` samples of a latent seed, in batches."""
        assert self.settings.n_fake is not None
        sampler.generator.to(self.device)
        latents = stream(seed, "score")
        sampler = replace(sampler, batch_norm=self.settings.batch_norm)
        return sampler.batches(self.settings.n_fake, latents, self.settings.batch_size)

    def _score_seed(
        self,
        sampler: Sampler,
        settings: ScoreSettings,
        seed: int,
        reference: Reference | None = None,
        notes: dict[str, Any] | None = None,
    ) -> dict[str, float]:
        against = self.reference if reference is None else reference
        batches, device = self.generate_batches(sampler, seed), self.device
        return score_batches(batches, against, self.extractor, settings, device, sampler, notes)


def digest_splits(splits: Mapping[str, Split]) -> dict[str, dict[str, Any]]:
    """Return split -> {"digest": SHA-256 of its content, "count": number of its samples}."""
    return {
        name: {"digest": content_digest({name: split}), "count": len(split.samples)}
        for name, split in splits.items()
    }


def build_evaluator(
    cfg: DictConfig,
    source: Any,
    digests: SplitDigests,
    splits: Mapping[str, Split] | None,
    device: torch.device,
    cache: Path | None,
) -> Evaluator:
    """Build settings and extractor, and try them on two real samples where the data are there.

    Args:
        digests: digest and number of samples of each split, see `digest_splits`.
        splits: split -> its samples; None where only cached features are there.
        cache: folder of cached features of real samples; None: no cache.

    Raises:
        UserError: a setting, a split or a weights file does not exist, or the extractor takes
            samples of another shape.
    """
    with as_user_error("score"):
        settings: ScoreSettings = build.instantiate(cfg.score)
    extractor, name, size = build.build_extractor(cfg), cfg.names.dataset, settings.batch_size
    reals = RealFeatures(name, extractor, device, size, digests, splits, cache)
    if settings.n_fake is None:
        fix = "choose another score=, or set score.n_fake to a number"
        raise UserError("score.n_fake is null, which is for `bench score --images` alone", fix=fix)
    n_real = reals.count(settings.split, settings.n_real, "score.split")
    with as_user_error("score"):
        scoring.check_counts(settings, n_real, settings.n_fake)
    if settings.every is not None:
        _check_selection(settings, reals)
    if splits is not None:
        with as_user_error("features"):
            samples = iter_batches(splits[settings.split].samples[:2], 2)
            extract(extractor, samples, quantise=False, device=device)
    asked = scoring.requests(settings, extractor)
    return Evaluator(settings, extractor, device, asked, reals, source)


def _check_selection(settings: ScoreSettings, reals: RealFeatures) -> None:
    reals.count(settings.select_split, None, "score.select_split")
    if "frechet" not in settings.metrics:
        why = "score.every chooses checkpoints by their Frechet distance, which this score= lacks"
        raise UserError(why, fix="add frechet to score.metrics, or set score.every=null")
    if settings.select_split == settings.split and not settings.select_on_reported:
        split = f"score.select_split is {settings.select_split!r}, the split that is reported"
        why = "the best checkpoint would be chosen by the very score that is shown"
        fix = "choose another split, or set score.select_on_reported=true as the study did"
        raise UserError(f"{split}: {why}", fix=fix)
