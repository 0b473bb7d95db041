"""Score the checkpoints that a run left on disk and write a row for each.

Training writes files and computes no reported score; everything here starts from those files.
"""

import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from bench.config import build
from bench.core.errors import Caution, UserError
from bench.core.files import DiskError, write_json
from bench.evaluation.evaluator import Evaluator
from bench.evaluation.memorisation_grid import save_memorisation_grid
from bench.networks.sampler import Sampler
from bench.runs.candidates import CandidateList, best_candidate, read_candidates
from bench.runs.folder import COMPLETED, RAW, RunFolder
from bench.runs.identity import with_stable_names
from bench.runs.rows import LATER_GROUPS, Row, read_rows, requested_rows, write_row

ENDS = ("final", RAW)  # checkpoints of the last step
COUNTS = ("d_steps", "g_steps", "images")
CONDITIONAL = {"conditional": True, "classes_drawn": "by the shares of the training split"}


class StoredRun:
    """Read the status and the scored checkpoints of a run from disk, each once, when first needed.

    Training changes both: make a new one after it.

    Args:
        plain: the run's config.
    """

    def __init__(self, folder: RunFolder, plain: Mapping[str, Any]) -> None:
        self.folder, self.plain = folder, plain

    @cached_property
    def status(self) -> dict[str, Any]:
        """Return the content of status.json; status "unknown" where there is no file."""
        return self.folder.read_status() or {"status": "unknown", "cause": ""}

    @cached_property
    def candidates(self) -> CandidateList:
        """Return the checkpoints that were scored while the run trained."""
        return read_candidates(self.folder.candidates)

    @cached_property
    def conditional(self) -> bool:
        """Whether its generator asks for classes, whose counts it has stored."""
        return "class_counts" in self.folder.read_provenance()

    @property
    def completed(self) -> bool:
        """Whether the run is finished or diverged, and so is not trained again."""
        return self.status["status"] in COMPLETED

    def replace_status(self, status: str, cause: str, **facts: Any) -> None:
        """Write status.json, and keep what was written as the status."""
        self.folder.write_status(status, cause, **facts)
        self.status = {"status": status, "cause": cause, **facts}


def find_row(run: StoredRun, evaluator: Evaluator, checkpoint: str = "final") -> Row | None:
    """Return the row of a checkpoint with all scores of the evaluator's protocol, or None."""
    evaluator = evaluator.for_samples(conditional=run.conditional)
    row = _stored_scores(run, evaluator, checkpoint)
    return row if row is not None and row.measures.keys() == evaluator.requests.keys() else None


def _stored_scores(run: StoredRun, evaluator: Evaluator, checkpoint: str) -> Row | None:
    """Return a checkpoint's row with those scores of the evaluator's protocol that are there."""
    expected: dict[str, Any] = {"data": evaluator.real_features.digest(evaluator.settings.split)}
    if (selection := _selection_protocol(run, checkpoint)) is not None:
        expected["chosen"] = selection
    rows = (
        row
        for row in read_rows(run.folder.root, [run.folder.run_id])
        if row.checkpoint == checkpoint
        and row.protocol.get("conditional", False) == run.conditional
        and row.status in COMPLETED
        and all(row.protocol.get(key) == value for key, value in expected.items())
    )
    return next(iter(requested_rows(rows, evaluator.requests.values())), None)


def score_checkpoints(run: StoredRun, evaluator: Evaluator) -> Row:
    """Write the scores of a run's best and last few checkpoints that are missing.

    Returns:
        The row of the final checkpoint, which the caller writes after all else: a run that has it
        is complete, and is not launched again.
    """
    evaluator = evaluator.for_samples(conditional=run.conditional)
    stored_row = find_row(run, evaluator)
    final = stored_row or score_checkpoint(run, evaluator, update_status=True, write=False)
    if evaluator.settings.every is not None and final.status == "finished":
        _score_selected(run, evaluator)
    has_raw = run.folder.generator_file(RAW).is_file() and final.status == "finished"
    if evaluator.settings.raw and has_raw and find_row(run, evaluator, RAW) is None:
        score_checkpoint(run, evaluator, RAW)
    return final


def write_failed_row(run: StoredRun, evaluator: Evaluator) -> None:
    """Write a row without scores for a run that reached its own limit of time."""
    evaluator = evaluator.for_samples(conditional=run.conditional)
    write_row(run.folder.root, _build_run_row(run, evaluator, "final", run.status, {}))


def _score_selected(run: StoredRun, evaluator: Evaluator) -> None:
    """Write the rows of the best checkpoint and of the last few, where they are missing."""
    folder, steps, keep = run.folder, run.candidates.checkpoints, evaluator.settings.keep_last
    if best_candidate(steps) is not None and find_row(run, evaluator, "best") is None:
        score_checkpoint(run, evaluator, "best")
    if keep and find_row(run, evaluator, f"last-{keep}") is None:
        last = steps[max(0, len(steps) - keep) :]
        present = [folder.generator_file(f"step-{step['d_steps']}").is_file() for step in last]
        if len(last) < keep or not all(present):
            there = f"only {sum(present)} of its last {keep} checkpoints exist"
            message = f"run {folder.run_id}: {there}, so no row last-{keep} is written"
            warnings.warn(message, Caution, stacklevel=2)
        elif all(step["frechet"] is not None for step in last):
            _score_last(run, evaluator, last)


def score_checkpoint(
    run: StoredRun,
    evaluator: Evaluator,
    checkpoint: str = "final",
    *,
    update_status: bool = False,
    write: bool = True,
) -> Row:
    """Score one stored generator of a run, and write and return a row of what was not there yet.

    The row of a diverged run has no scores, nor has that of a generator whose samples are not
    finite. Its details hold the scores of the untrained generator, which is what the run achieved.

    Args:
        checkpoint: "final", "best", "raw" or "step-N".
        update_status: mark the run itself as diverged when samples are not finite.
        write: write the row as well; otherwise only the picture of memorised samples.

    Raises:
        UserError: there is no such checkpoint, or it was chosen by the split that is reported.
    """
    folder, status = run.folder, _result_status(run)
    evaluator = _missing_part(run, evaluator.for_samples(conditional=run.conditional), checkpoint)
    steps = _step_counts(run, status, checkpoint)
    if checkpoint == "best":
        _check_selection_split(run, evaluator)
    scores: dict[str, float] = {}
    notes: dict[str, Any] = {}
    if status["status"] == "finished":
        weights = checkpoint if checkpoint in ENDS else f"step-{steps['d_steps']}"
        sampler = build.build_sampler(folder, weights)
        try:
            scores = evaluator.score(sampler, notes) | _sampling_cost(sampler)
        except FloatingPointError as error:
            status = {**status, "status": "diverged", "cause": f"{error}, found while scoring"}
            notes.clear()
            if update_status:
                run.replace_status(**status)
        if checkpoint == "final":
            scores |= {f"discriminator.{k}": v for k, v in status.get("opinions", {}).items()}
    if status["status"] == "diverged":
        scores = _score_untrained(folder, evaluator)
    if checkpoint == "best" and status["status"] == "finished":
        best = best_candidate(run.candidates.checkpoints)
        assert best is not None  # or `_step_counts` would have refused
        scores["selection.frechet"] = best["frechet"]  # to the split that selects
    row = _build_run_row(run, evaluator, checkpoint, {**status, **steps}, scores)
    if notes:
        picture = folder.samples / f"copies-{row.name}.png"
        save_memorisation_grid(picture, evaluator, sampler, notes)
    if write:
        write_row(folder.root, row)
    return row


def _missing_part(run: StoredRun, evaluator: Evaluator, checkpoint: str) -> Evaluator:
    """Return an evaluator for the measures that a checkpoint lacks; all if it lacks none."""
    stored_row = _stored_scores(run, evaluator, checkpoint)
    missing = evaluator.requests.keys() - (stored_row.measures if stored_row is not None else ())
    return evaluator.only(missing) if missing else evaluator


def _sampling_cost(sampler: Sampler) -> dict[str, float]:
    """Return the detail "sampling.function_evaluations" where a sample costs more than one pass."""
    passes = sampler.function_evaluations
    return {"sampling.function_evaluations": float(passes)} if passes > 1 else {}


def _score_untrained(folder: RunFolder, evaluator: Evaluator) -> dict[str, float]:
    """Score the generator as it was initialised, as details; empty if they are not finite."""
    try:
        scores = evaluator.score(build.build_untrained(folder), noise=False)
    except FloatingPointError:
        return {}
    return {f"untrained.{name}": value for name, value in scores.items() if "." not in name}


def untrained_distance(folder: RunFolder, row: Row, evaluator: Evaluator) -> float | None:
    """Return the Frechet distance of the run's generator before training; None without it.

    A row of a diverged run has it; otherwise it is computed once, as the row's was, and kept in the
    run's folder.
    """
    if (known := row.details.get("untrained.frechet")) is not None:
        return known
    if "frechet" not in row.scores:
        return None
    part = evaluator.only(name for name, m in row.measures.items() if "frechet" in m["scores"])
    stored: dict[str, float | None] = {}
    with suppress(UserError):  # a damaged file is written anew
        stored = folder.read_untrained()
    key = "-".join([row.protocol["data"], *sorted(part.requests.values())])
    if key not in stored:
        try:
            stored[key] = part.score(build.build_untrained(folder), noise=False)["frechet"]
        except FloatingPointError:
            stored[key] = None
        with suppress(DiskError, ValueError):  # JSON has no infinity
            write_json(folder.untrained, stored)
    return stored[key]


def _score_last(run: StoredRun, evaluator: Evaluator, last: Sequence[dict[str, Any]]) -> Row:
    """Write mean scores of the last checkpoints; `NAME.checkpoint_sd` is a score's spread."""
    evaluator = _missing_part(run, evaluator, f"last-{len(last)}")
    samplers = [build.build_sampler(run.folder, f"step-{step['d_steps']}") for step in last]
    scores_by_step = [evaluator.score(sampler, noise=False) for sampler in samplers]
    values = {name: [scores[name] for scores in scores_by_step] for name in scores_by_step[0]}
    means = {name: float(np.mean(v)) for name, v in values.items()}
    if len(scores_by_step) > 1:
        spread = {n: float(np.std(v, ddof=1)) for n, v in values.items() if "." not in n}
        means |= {f"{name}.checkpoint_sd": sd for name, sd in spread.items()}
    means |= _sampling_cost(samplers[0])
    row = _build_run_row(run, evaluator, f"last-{len(last)}", _result_status(run), means)
    write_row(run.folder.root, row)
    return row


def _result_status(run: StoredRun) -> dict[str, Any]:
    """Return the status of a run that ended with a result."""
    status, run_id = run.status, run.folder.run_id
    if not run.completed or not set(COUNTS) <= status.keys():
        message = f"run {run_id} is {status['status']}, without a result: {status['cause']}"
        fix = "choose a finished run; an interrupted one continues when it is started again"
        raise UserError(message, fix=fix)
    return status


def _step_counts(run: StoredRun, status: Mapping[str, Any], checkpoint: str) -> dict[str, int]:
    """Return d_steps, g_steps and images of a checkpoint."""
    if checkpoint in ENDS:
        return {key: status[key] for key in COUNTS}
    folder, candidates = run.folder, run.candidates.checkpoints
    match = best_candidate(candidates) if checkpoint == "best" else None
    for candidate in candidates:
        stored = folder.generator_file(checkpoint).is_file()
        if stored and checkpoint == f"step-{candidate['d_steps']}":
            match = candidate
    if match is None:
        names = sorted(path.stem for path in folder.generator.parent.glob("step-*.safetensors"))
        present = ", ".join(["final", *(["best"] if best_candidate(candidates) else []), *names])
        message = f"run {folder.run_id} has no checkpoint {checkpoint!r} (has: {present})"
        fix = "choose one of these; score.every=N keeps more of them while a run trains"
        raise UserError(message, fix=fix)
    steps, batch_size = match["d_steps"], status["images"] // status["d_steps"]
    return {"d_steps": steps, "g_steps": match["g_steps"], "images": steps * batch_size}


def _selection_protocol(run: StoredRun, checkpoint: str) -> dict[str, Any] | None:
    """Return how a checkpoint was selected, as recorded at that time; None for the last weights."""
    if checkpoint in ENDS or (choice := run.candidates.protocol) is None:
        return None
    return choice if checkpoint == "best" else {"every": choice["every"]}


def _check_selection_split(run: StoredRun, evaluator: Evaluator) -> None:
    choice, settings = run.candidates.protocol, evaluator.settings
    assert choice is not None
    if choice["split"] == settings.split and not settings.select_on_reported:
        best = f"the best checkpoint of run {run.folder.run_id} was chosen on {settings.split!r}"
        fix = "choose another score.split, or set score.select_on_reported=true"
        raise UserError(f"{best}, the split whose scores are to be reported", fix=fix)


def _build_run_row(
    run: StoredRun,
    evaluator: Evaluator,
    checkpoint: str,
    status: Mapping[str, Any],
    scores: Mapping[str, float],
) -> Row:
    plain, training = run.plain, run.plain["model"]["training"]
    prior = training["prior"]["_target_"].rpartition(".")[2]
    ema = None if checkpoint == RAW else with_stable_names(training["ema"])
    batch_norm = str(evaluator.settings.batch_norm)
    run_settings = {"prior": prior, "batch_norm": batch_norm, "ema": ema}
    run_settings |= CONDITIONAL if run.conditional else {}
    run_settings |= {"trained_on": "images and their mirror images"} if plain.get("flips") else {}
    if (limit := plain["trainer"].get("limit_minutes")) is not None:
        scores = {**scores, "limit.wall_minutes": float(limit)}
    protocol = evaluator.describe_protocol(run_settings)
    if (selection := _selection_protocol(run, checkpoint)) is not None:
        protocol["chosen"] = selection
    measures = evaluator.describe_measures()
    row = build_row(plain, run.folder.run_id, status, scores, protocol, measures, checkpoint)
    return replace(row, code=run.folder.read_provenance()["environment"].get("code", {}))


def build_row(
    plain: Mapping[str, Any],
    run_id: str,
    status: Mapping[str, Any],
    scores: Mapping[str, float],
    protocol: Mapping[str, Any],
    measures: Mapping[str, Mapping[str, Any]],
    checkpoint: str,
) -> Row:
    """Return a row from a run's config, counts and scores; dotted names go to its details."""
    names = plain["names"]
    return Row(
        **{k: names[k] for k in ("variant", "loss", "model", "network", "dataset")},
        **{k: names.get(k, "none") for k in LATER_GROUPS},
        **{k: status[k] for k in (*COUNTS, "status", "cause")},
        run_id=run_id,
        seed=plain["seed"],
        checkpoint=checkpoint,
        protocol=protocol,
        measures=measures,
        hyperparameters=plain["hyperparameters"],
        scores={name: value for name, value in scores.items() if "." not in name},
        details={name: value for name, value in scores.items() if "." in name},
    )
