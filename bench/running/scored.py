"""From a run's checkpoint file to its row: training never judges itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig

from bench import build, guard
from bench.data.split import Split
from bench.runs.folder import RunFolder
from bench.runs.identity import short_hash
from bench.runs.rows import Row, read_row, read_rows, write_row
from bench.scoring.features import Reference, batches_of, extract
from bench.scoring.score import Settings, protocol_of, real_samples, reference_of, score_batches
from bench.seeds import generator as stream

OWN = ("prior", "batch_norm", "ema", "latent_seed")  # of a run, not of what it is compared with


@dataclass(frozen=True)
class Judge:
    """What stands on the side of the real samples, known to fit before a run starts.

    Args:
        request: hash of what the config asks for: score and extractor.
        real: the samples compared with.
        others: real samples of another split, for the floor, and that split's name.
        modes: of the mixture that the data are, or None.
    """

    settings: Settings
    extractor: torch.nn.Module
    device: torch.device
    request: str
    real: np.ndarray = field(repr=False)
    others: tuple[str, np.ndarray] = field(repr=False)
    modes: Any

    @cached_property
    def reference(self) -> Reference:
        """The features of the real samples."""
        return reference_of(self.real, self.modes, self.extractor, self.settings, self.device)


def judge_of(
    cfg: DictConfig,
    plain: Mapping[str, Any],
    source: Any,
    splits: Mapping[str, Split],
    device: torch.device,
) -> Judge:
    """Build settings and extractor and try them on a few real samples.

    Raises:
        UserError: a setting, a split or a weights file does not exist, or the extractor wants
            other samples.
    """
    with guard.explaining("score"):
        settings: Settings = build.make(cfg.score)
        real = real_samples(splits, settings)
    extractor = build.build_extractor(cfg)
    with guard.explaining("features"):
        extract(extractor, batches_of(real[:2], 2), quantise=False, device=device)
    score = {k: v for k, v in plain["score"].items() if k != "batch_size"}
    request = short_hash({"score": score, "features": plain["features"]["extractor"]})
    other = "test" if settings.split == "train" else "train"
    others = (other, splits[other].samples[: settings.n_fake])
    modes = getattr(source, "modes", None)
    return Judge(settings, extractor, device, request, real, others, modes)


def scored(folder: RunFolder, judge: Judge) -> Row | None:
    """The run's row under the protocol that the config asks for, if it is there."""
    rows = read_rows(folder.root, [folder.run_id])
    return next((row for row in rows if row.protocol["settings"] == judge.request), None)


def score_run(folder: RunFolder, plain: Mapping[str, Any], judge: Judge) -> Row:
    """Score the generator that a run left behind and write the row.

    A diverged run's row has no scores; a run whose samples turn out not to be finite has diverged.
    """
    status = folder.status()
    assert status is not None
    training, settings = plain["model"]["training"], judge.settings
    protocol = protocol_of(
        settings,
        judge.reference,
        judge.extractor,
        prior=training["prior"]["_target_"].rpartition(".")[2],
        batch_norm="running averages",
        ema_decay=training["ema_decay"],
    )
    scores: dict[str, float] = {}
    if status["status"] == "finished":
        sampler = build.build_sampler(folder)
        sampler.generator.to(judge.device)
        latents = stream(settings.latent_seed, "score")
        samples = sampler.batches(settings.n_fake, latents, settings.batch_size)
        try:
            scores = score_batches(
                samples, judge.reference, judge.extractor, settings, judge.device
            )
        except FloatingPointError as error:
            status = {**status, "status": "diverged", "cause": f"{error}, found while scoring"}
            folder.write_status(**status)
    row = _row(plain, folder.run_id, status, scores, {**protocol, "settings": judge.request})
    write_row(folder.root, row)
    return row


def _row(
    plain: Mapping[str, Any],
    run_id: str,
    status: Mapping[str, Any],
    scores: dict[str, float],
    protocol: dict[str, Any],
) -> Row:
    names = plain["names"]
    return Row(
        run_id=run_id,
        variant=names["variant"],
        loss=names["loss"],
        model=names["model"],
        network=names["network"],
        dataset=names["dataset"],
        seed=plain["seed"],
        d_steps=status["d_steps"],
        g_steps=status["g_steps"],
        images=status["images"],
        status=status["status"],
        cause=status["cause"],
        checkpoint="final",
        protocol=protocol,
        hyperparameters=plain["hyperparameters"],
        scores=scores,
    )


def floor_is_missing(root: Path, row: Row) -> bool:
    """Whether the data set and protocol of a row have no floor yet."""
    rows = sorted((root / _floor_of(row) / "rows").glob("[!.]*.json"))
    return not any(read_row(path).variant == "real" for path in rows)


def _floor_of(row: Row) -> str:
    """The run_id under which the floor of a row's protocol and data set lies."""
    protocol = {k: v for k, v in row.protocol.items() if k not in OWN}
    return f"real-{short_hash({'dataset': row.dataset, **protocol})}"


def score_floor(root: Path, plain: Mapping[str, Any], judge: Judge, row: Row) -> Row:
    """Score real samples of another split as if generated: what no generator should beat.

    As many as the protocol asks of a generator, or all where there are fewer: `n_fake` says so,
    `floor` says of which split.
    """
    split, others = judge.others
    batches = batches_of(others, judge.settings.batch_size)
    scores = score_batches(batches, judge.reference, judge.extractor, judge.settings, judge.device)
    own = {"prior": "none", "batch_norm": "none", "ema": None}
    protocol = {**row.protocol, **own, "n_fake": len(others), "floor": split}
    counts = {"status": "finished", "cause": "", "d_steps": 0, "g_steps": 0, "images": 0}
    nobody = {"variant": "real", "loss": "", "model": "", "network": ""}
    real = {"names": {**plain["names"], **nobody}, "seed": 0, "hyperparameters": {}}
    floor = _row(real, _floor_of(row), counts, scores, protocol)
    write_row(root, floor)
    return floor
