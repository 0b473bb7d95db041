"""Score a stored run again: under another protocol, another checkpoint, on another machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf

from bench.config import build, validate
from bench.config.process_settings import process_settings
from bench.config.trainer_settings import TrainerSettings
from bench.core.errors import UserError
from bench.core.files import read_json
from bench.data.split import Split
from bench.evaluation.evaluator import Evaluator, build_evaluator, split_digests
from bench.evaluation.real_baselines import baseline_folder, baselines_missing, score_baselines
from bench.evaluation.score_run import find_row, score_run
from bench.runs.folder import RunFolder
from bench.runs.rows import Row, read_rows

GROUPS = ("score", "features")
SINGLE = ("dataset.root", "trainer.accelerator")
_ABSENT = object()


@dataclass(frozen=True)
class RescoredRun:
    """A row, whether it was there already, and the rows of real samples under its protocol."""

    row: Row
    known: bool
    floors: tuple[Row, ...]


def rescore(folder: RunFolder, overrides: Sequence[str], checkpoint: str) -> RescoredRun:
    """Score a checkpoint of a run under the protocol that it was made for, or another one.

    Args:
        folder: of the run. The data set is read where it is there; where it is not, features of
            it under the same `runs_root` will do.
        overrides: Hydra's, of the groups `score` and `features`, and of SINGLE keys.
        checkpoint: "final", "best" or "step-N".

    Raises:
        UserError: the run, the data, the protocol or the extractor do not fit, or are absent.
    """
    cfg = _config(folder, overrides)
    plain = validate.to_plain(cfg)
    for group in GROUPS:
        validate.check_targets(plain[group], group)
    with validate.as_user_error("trainer"):
        trainer_settings: TrainerSettings = build.instantiate(cfg.trainer)
    with process_settings(plain):
        evaluator = _judge(folder, cfg, plain, trainer_settings)
        known = find_row(folder, evaluator, checkpoint)
        with validate.as_user_error("score"):
            row = known or score_run(folder, plain, evaluator, checkpoint)
        floors = _floors(folder, plain, evaluator, row)
    return RescoredRun(row, known is not None, floors)


def _config(folder: RunFolder, overrides: Sequence[str]) -> DictConfig:
    """The run's own config with what is overridden in it."""
    if not folder.config.is_file():
        raise UserError(f"run {folder.run_id}: no file {folder.config}", fix="train the run again")
    stored = build.read_config(folder.config)
    chosen = build.parse_overrides(overrides)
    for key in chosen:
        if key.partition(".")[0] not in GROUPS and key not in SINGLE:
            raise UserError(
                f"{key} cannot be changed when a run is scored",
                fix=f"override {' or '.join(GROUPS)}, or set {' or '.join(SINGLE)}",
            )
    for group in GROUPS:
        ours = [o for o in overrides if o.partition("=")[0].partition(".")[0] == group]
        # What stands under `features` is woven into its extractor; a score's keys stand alone.
        if group in chosen or (ours and group == "features"):
            entry = [] if group in chosen else [f"{group}={stored[group].name}"]
            composed = build.compose_config([f"dataset={stored.names.dataset}", *entry, *ours])
            composed.dataset = stored.dataset
            stored[group] = validate.to_plain(composed)[group]
            chosen = {k: v for k, v in chosen.items() if k.partition(".")[0] != group}
    if "dataset.root" in chosen:
        chosen["dataset.source.root"] = chosen["dataset.root"]
    for key, value in chosen.items():
        if OmegaConf.select(stored, key, default=_ABSENT) is _ABSENT:
            raise UserError(f"there is no {key} to set", fix=validate.SEE)
        OmegaConf.update(stored, key, value, force_add=True)
    OmegaConf.update(stored, "trainer.devices", 1, force_add=True)  # however many trained it
    return stored


def _judge(
    folder: RunFolder, cfg: DictConfig, plain: Mapping[str, Any], trainer_settings: TrainerSettings
) -> Evaluator:
    source = build.build_source(cfg)
    facts = _facts(folder)
    splits: Mapping[str, Split] | None = None
    try:
        _, splits = build.build_splits(cfg)
    except UserError:
        if facts is None:
            raise
    if splits is not None:
        found = split_digests(splits)
        for split in sorted({*found, *(facts or found)}):
            here, there = found.get(split), (facts or found).get(split)
            if here != there:
                raise UserError(
                    f"dataset {cfg.names.dataset!r} here is not the one of run {folder.run_id}: "
                    f"its {split} split has {_said(here)}, then {_said(there)}",
                    fix="set dataset.root=DIR to the same data",
                )
        facts = found
    assert facts is not None  # or the data could not have been absent
    cache = folder.root / "references"
    return build_evaluator(cfg, source, facts, splits, trainer_settings.device, cache)


def _said(fact: Mapping[str, Any] | None) -> str:
    return "nothing" if fact is None else f"{fact['count']:,} samples, {fact['digest'][:12]}"


def _facts(folder: RunFolder) -> Mapping[str, Any] | None:
    """What the run knew of its data; None for a run that kept nothing."""
    if not folder.data.is_file():
        return None
    facts = read_json(folder.data)
    whole = isinstance(facts, dict) and "train" in facts
    if not whole or not all(
        isinstance(f, dict) and {"digest", "count"} <= f.keys() for f in facts.values()
    ):
        raise UserError(
            f"{folder.data} is damaged", fix="delete it; the data themselves are read then"
        )
    return facts


def _floors(
    folder: RunFolder, plain: Mapping[str, Any], evaluator: Evaluator, row: Row
) -> tuple[Row, ...]:
    """Rows of real samples, made where the data allow it."""
    if baselines_missing(folder.root, row, evaluator):
        try:
            score_baselines(folder.root, plain, evaluator, row)
        except UserError:
            if evaluator.reals.splits is not None:
                raise
            return ()
    return tuple(sorted(read_rows(folder.root, [baseline_folder(row)]), key=lambda r: r.variant))
