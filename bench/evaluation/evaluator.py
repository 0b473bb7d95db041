"""The side of the real samples: known to fit before a run starts, the same for all runs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig

from bench.config import build, validate
from bench.core.errors import UserError
from bench.core.seeds import generator as stream
from bench.data.digest import content_digest
from bench.data.split import Split
from bench.networks.sampler import Sampler
from bench.scoring.features import Reference, batches_of, extract, shuffled
from bench.scoring.metric_spec import is_points
from bench.scoring.real_features import Facts, RealFeatures
from bench.scoring.score import (
    ScoreSettings,
    check_counts,
    describe_extractor,
    describe_protocol,
    protocol_hash,
    score_batches,
)


@dataclass(frozen=True)
class Evaluator:
    """Protocol, extractor and real samples.

    Args:
        request: hash of what the config asks for: score and extractor.
        source: of the data set.
    """

    settings: ScoreSettings
    extractor: torch.nn.Module
    device: torch.device
    request: str
    reals: RealFeatures
    source: Any

    @cached_property
    def reference(self) -> Reference:
        """What generated samples are compared with."""
        settings, reals = self.settings, self.reals
        count = reals.count(settings.split, settings.n_real, "score.split")
        real = shuffled(reals.features(settings.split, count))
        real = replace(real, images=reals.images(settings.split, settings.n_images))
        if "train" not in settings.needs or is_points(Reference(real, source=self.source)):
            return Reference(real, source=self.source)
        train = reals.features("train", reals.count("train", None, "the split that trains"))
        other = real
        if settings.split == "train":
            held_out = next(split for split in ("test", "validation") if split in reals.facts)
            other = reals.features(held_out, reals.count(held_out, None, "the split held out"))
        return Reference(real, train, other, self.source)

    @cached_property
    def selection_reference(self) -> Reference:
        """What checkpoints of a run are chosen by."""
        settings = self.settings
        there = self.reals.count(settings.select_split, None, "score.select_split")
        count = min(there, settings.n_fake or there)
        real = shuffled(self.reals.features(settings.select_split, count))
        return Reference(real, source=self.source)

    def protocol(self, own: Mapping[str, Any]) -> dict[str, Any]:
        """Of a row: how its scores were made, against which data, and what the config asked for."""
        data = self.reals.digest(self.settings.split)
        made = describe_protocol(self.settings, self.reference, self.extractor, data, own)
        return {**made, "settings": self.request}

    @property
    def selection_protocol(self) -> dict[str, Any]:
        """How a checkpoint is chosen: a part of the best one's protocol."""
        settings = self.settings
        return {
            "by": "frechet",
            "split": settings.select_split,
            "data": self.reals.digest(settings.select_split),
            "n_real": len(self.selection_reference.real),
            "n_fake": settings.n_fake,
            "quantised": settings.quantise,
            "latent_seed": settings.latent_seed,
            "every": settings.every,
            **describe_extractor(self.extractor),
        }

    def scores(
        self, sampler: Sampler, notes: dict[str, Any] | None = None, *, noise: bool = True
    ) -> dict[str, float]:
        """All scores of a generator; `NAME.latent_sd` is their spread over latent seeds.

        Args:
            notes: takes what measures found beside numbers.
            noise: score further latent seeds too.

        Raises:
            FloatingPointError: a sample is not finite.
        """
        settings = self.settings
        found = self._scores(sampler, settings, settings.latent_seed, notes=notes)
        again = {n: m for n, m in settings.metrics.items() if m.noisy}
        others = [
            self._scores(sampler, replace(settings, metrics=again), settings.latent_seed + 1 + n)
            for n in range(settings.noise_seeds if noise else 0)
        ]
        spread = {
            f"{name}.latent_sd": float(np.std([o[name] for o in (found, *others)], ddof=1))
            for name in (others[0] if others else {})
            if "." not in name
        }
        return found | spread

    def selection_fid(self, sampler: Sampler) -> float:
        """The Frechet distance to the samples that choose among checkpoints, lower is better.

        Raises:
            FloatingPointError: a sample is not finite.
        """
        alone = {"frechet": self.settings.metrics["frechet"]}
        settings = replace(self.settings, metrics=alone)
        found = self._scores(sampler, settings, self.settings.latent_seed, self.selection_reference)
        return found["frechet"]

    def samples(self, sampler: Sampler, seed: int) -> Iterator[torch.Tensor]:
        """What the protocol judges, in batches."""
        assert self.settings.n_fake is not None
        sampler.generator.to(self.device)
        latents = stream(seed, "score")
        return sampler.batches(self.settings.n_fake, latents, self.settings.batch_size)

    def _scores(
        self,
        sampler: Sampler,
        settings: ScoreSettings,
        seed: int,
        reference: Reference | None = None,
        notes: dict[str, Any] | None = None,
    ) -> dict[str, float]:
        against = self.reference if reference is None else reference
        batches, device = self.samples(sampler, seed), self.device
        return score_batches(batches, against, self.extractor, settings, device, sampler, notes)


def split_digests(splits: Mapping[str, Split]) -> dict[str, dict[str, Any]]:
    """Digest and number of the samples of every split."""
    return {
        name: {"digest": content_digest({name: split}), "count": len(split.samples)}
        for name, split in splits.items()
    }


def build_evaluator(
    cfg: DictConfig,
    source: Any,
    facts: Facts,
    splits: Mapping[str, Split] | None,
    device: torch.device,
    cache: Path | None,
) -> Evaluator:
    """Build settings and extractor and try them on a few real samples, where there are any.

    Raises:
        UserError: a setting, a split or a weights file does not exist, or the extractor wants
            other samples.
    """
    with validate.as_user_error("score"):
        settings: ScoreSettings = build.instantiate(cfg.score)
    extractor = build.build_extractor(cfg)
    reals = RealFeatures(
        cfg.names.dataset, extractor, device, settings.batch_size, facts, splits, cache
    )
    if settings.n_fake is None:
        raise UserError(
            "score.n_fake is null, which is for images that are given",
            fix="choose another score=, or set score.n_fake to a number",
        )
    n_real = reals.count(settings.split, settings.n_real, "score.split")
    with validate.as_user_error("score"):
        check_counts(settings, n_real, settings.n_fake)
    if settings.every is not None:
        _check_choice(settings, reals)
    if splits is not None:
        with validate.as_user_error("features"):
            samples = batches_of(splits[settings.split].samples[:2], 2)
            extract(extractor, samples, quantise=False, device=device)
    return Evaluator(settings, extractor, device, protocol_hash(settings, extractor), reals, source)


def _check_choice(settings: ScoreSettings, reals: RealFeatures) -> None:
    reals.count(settings.select_split, None, "score.select_split")
    if "frechet" not in settings.metrics:
        raise UserError(
            "score.every chooses checkpoints by their Frechet distance, which this score= lacks",
            fix="add it to score.metrics, or set score.every=null",
        )
    if settings.select_split == settings.split and not settings.select_on_reported:
        raise UserError(
            f"score.select_split is {settings.select_split!r}, the split that is reported: the "
            "best checkpoint would be chosen by the very score that is shown",
            fix="choose another split, or set score.select_on_reported=true as the study did",
        )
