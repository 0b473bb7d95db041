"""Score a stored run again: another protocol, another checkpoint, on another machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf

from bench.config import build, validate
from bench.config.error_messages import HELP, as_user_error
from bench.config.process_settings import process_settings
from bench.config.trainer_settings import TrainerSettings
from bench.config.trust import FLAGS, is_entry
from bench.core.errors import UserError
from bench.data.split import Split
from bench.evaluation.evaluator import Evaluator, build_evaluator, digest_splits
from bench.evaluation.real_baselines import baselines_missing, score_baselines
from bench.evaluation.score_run import StoredRun, find_row, score_checkpoint
from bench.runs.folder import RunFolder
from bench.runs.rows import Row, baseline_folder, read_rows, requested_rows

GROUPS = ("score", "features")
KEYS = ("dataset.root", "trainer.accelerator")
_ABSENT = object()


@dataclass(frozen=True)
class RescoredRun:
    """A row, whether it existed already, and the rows of real samples under its protocol."""

    row: Row
    already_scored: bool
    baselines: tuple[Row, ...]


def rescore(folder: RunFolder, overrides: Sequence[str], checkpoint: str) -> RescoredRun:
    """Score a checkpoint of a run under the protocol of the run's config, or another one.

    Args:
        folder: folder of the run. The data set is read where it is there; where it is not, its
            cached features under the same `runs_root` will do.
        overrides: Hydra overrides of the groups `score` and `features`, and of KEYS.
        checkpoint: "final", "best" or "step-N".

    Raises:
        UserError: the run, the data, the protocol or the extractor are absent, or do not agree.
    """
    cfg = _override_config(folder, overrides)
    plain = validate.to_plain(cfg)
    for group in GROUPS:
        validate.check_targets(plain[group], group)
    with as_user_error("trainer"):
        trainer_settings: TrainerSettings = build.instantiate(cfg.trainer)
    with process_settings(plain):
        evaluator = _build_run_evaluator(folder, cfg, trainer_settings)
        run = StoredRun(folder, plain)
        stored_row = find_row(run, evaluator, checkpoint)
        with as_user_error("score"):
            row = stored_row or score_checkpoint(run, evaluator, checkpoint)
            row = find_row(run, evaluator, checkpoint) or row
        baselines = _find_or_score_baselines(folder, plain, evaluator, row)
    return RescoredRun(row, stored_row is not None, baselines)


def _override_config(folder: RunFolder, overrides: Sequence[str]) -> DictConfig:
    if not folder.config.is_file():
        raise UserError(f"run {folder.run_id}: no file {folder.config}", fix="train the run again")
    stored = build.read_config(folder.config)
    removed = [text[1:].partition("=")[0] for text in overrides if text.startswith("~")]
    values = build.parse_overrides([text for text in overrides if not text.startswith("~")])
    for key in (*values, *removed):
        if key.partition(".")[0] not in GROUPS and key not in KEYS:
            fix = f"override {' or '.join(GROUPS)}, or set {' or '.join(KEYS)}"
            raise UserError(f"{key} cannot be changed when a run is scored", fix=fix)
    for group in GROUPS:
        keys = [text.lstrip("~").partition("=")[0] for text in overrides]
        of_group = [o for o, k in zip(overrides, keys, strict=True) if k.partition(".")[0] == group]
        # Keys of `features` are interpolated into its extractor, so the group is composed anew.
        # Those of a score are independent of each other.
        if group in values or (of_group and group == "features"):
            entry = [] if group in values else [f"{group}={stored[group].name}"]
            for part, name in (("dataset", stored.names.dataset), (group, stored[group].name)):
                if not is_entry(part, name) and not (part == group and group in values):
                    raise UserError(f"there is no {part} {name!r} here", fix=FLAGS)
            composed = build.compose_config([f"dataset={stored.names.dataset}", *entry, *of_group])
            composed.dataset = stored.dataset
            stored[group] = validate.to_plain(composed)[group]
            values = {k: v for k, v in values.items() if k.partition(".")[0] != group}
            removed = [key for key in removed if key.partition(".")[0] != group]
    if "dataset.root" in values:
        values["dataset.source.root"] = values["dataset.root"]
    for key, value in values.items():
        if OmegaConf.select(stored, key, default=_ABSENT) is _ABSENT:
            raise UserError(f"there is no {key} to set", fix=HELP)
        OmegaConf.update(stored, key, value, force_add=True)
    for key in removed:
        parent, _, name = key.rpartition(".")
        if name not in (node := OmegaConf.select(stored, parent, default={})):
            raise UserError(f"there is no {key} to take out", fix=HELP)
        del node[name]
    OmegaConf.update(stored, "trainer.devices", 1, force_add=True)  # however many trained it
    return stored


def _build_run_evaluator(
    folder: RunFolder, cfg: DictConfig, trainer_settings: TrainerSettings
) -> Evaluator:
    source = build.build_source(cfg)
    digests: Mapping[str, Any] | None = folder.read_provenance()["data"] or None
    splits: Mapping[str, Split] | None = None
    try:
        _, splits = build.build_splits(cfg)
    except UserError:
        if digests is None:
            raise
    if splits is not None:
        present = digest_splits(splits)
        stored = present if digests is None else digests
        for split in sorted({*present, *stored}):
            if present.get(split) != stored.get(split):
                here, there = (_describe_digest(d.get(split)) for d in (present, stored))
                what = f"dataset {cfg.names.dataset!r} here is not the one of run {folder.run_id}"
                message = f"{what}: its {split} split has {here} here, {there} in the run"
                raise UserError(message, fix="set dataset.root=DIR to the same data")
        digests = present
    assert digests is not None  # or the absent data would have raised an error above
    cache = folder.root / "references"
    return build_evaluator(cfg, source, digests, splits, trainer_settings.device, cache)


def _describe_digest(digest: Mapping[str, Any] | None) -> str:
    if digest is None:
        return "no samples"
    return f"{digest['count']:,} samples, {digest['digest'][:12]}"


def _find_or_score_baselines(
    folder: RunFolder, plain: Mapping[str, Any], evaluator: Evaluator, row: Row
) -> tuple[Row, ...]:
    """Return the rows of real samples, scored first where they are missing and the data allow."""
    if baselines_missing(folder.root, row, evaluator):
        try:
            score_baselines(folder.root, plain, evaluator, row)
        except UserError:
            if evaluator.real_features.splits is not None:
                raise
            return ()
    rows = read_rows(folder.root, [baseline_folder(row)])
    asked = requested_rows(rows, evaluator.requests.values())
    return tuple(sorted(asked, key=lambda row: row.variant))
