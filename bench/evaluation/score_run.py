"""From the checkpoint files of a run to its rows: training never judges itself."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bench.config import build
from bench.core.errors import Caution, UserError
from bench.evaluation.evaluator import Evaluator
from bench.evaluation.memorisation_grid import save_memorisation_grid
from bench.runs.candidates import best_candidate, read_candidates
from bench.runs.folder import SETTLED, RunFolder
from bench.runs.rows import Row, read_rows, write_row

COUNTS = ("d_steps", "g_steps", "images")


def find_row(folder: RunFolder, evaluator: Evaluator, checkpoint: str = "final") -> Row | None:
    """The run's row of a checkpoint under the config's protocol, if it is there."""
    wanted = {
        "settings": evaluator.request,
        "data": evaluator.reals.digest(evaluator.settings.split),
    }
    if (chosen := _chosen(folder, checkpoint)) is not None:
        wanted["chosen"] = chosen
    for row in read_rows(folder.root, [folder.run_id]):
        same = all(row.protocol.get(key) == value for key, value in wanted.items())
        if row.checkpoint == checkpoint and row.status in SETTLED and same:
            return row
    return None


def score_checkpoints(folder: RunFolder, plain: Mapping[str, Any], evaluator: Evaluator) -> Row:
    """The rows of the final checkpoint, and of the best and the last few where there are any.

    That of the final one is written last: a run that has it has them all.

    Returns:
        That of the final one.
    """
    there = find_row(folder, evaluator)
    final = there or score_run(folder, plain, evaluator, "final", settle=True, write=False)
    if evaluator.settings.every is not None and final.status == "finished":
        _score_others(folder, plain, evaluator)
    if there is None:
        write_row(folder.root, final)
    return final


def write_failed_row(folder: RunFolder, plain: Mapping[str, Any], evaluator: Evaluator) -> None:
    """A row without scores for a run that its own limits ended."""
    write_row(folder.root, _row(folder, plain, evaluator, "final", folder.status() or {}, {}))


def _score_others(folder: RunFolder, plain: Mapping[str, Any], evaluator: Evaluator) -> None:
    """The rows of the best checkpoint and of the last few."""
    known, keep = read_candidates(folder.candidates).steps, evaluator.settings.keep_last
    if best_candidate(known) is not None and find_row(folder, evaluator, "best") is None:
        score_run(folder, plain, evaluator, "best")
    if keep and find_row(folder, evaluator, f"last-{keep}") is None:
        last = known[max(0, len(known) - keep) :]
        there = [folder.weights(f"step-{step['d_steps']}").is_file() for step in last]
        if len(last) < keep or not all(there):
            warnings.warn(
                f"run {folder.run_id}: {sum(there)} of its last {keep} checkpoints are there, so "
                f"that there is no row last-{keep}",
                Caution,
                stacklevel=2,
            )
        elif all(step["frechet"] is not None for step in last):
            _score_last(folder, plain, evaluator, last)


def score_run(
    folder: RunFolder,
    plain: Mapping[str, Any],
    evaluator: Evaluator,
    checkpoint: str,
    *,
    settle: bool = False,
    write: bool = True,
) -> Row:
    """Score a generator that a run left behind and write the row.

    A diverged run's row has no scores, nor has that of a generator whose samples are not finite;
    its details have those of the untrained generator, which is what the attempt came to.

    Args:
        plain: the run's config.
        checkpoint: "final", "best" or "step-N".
        settle: samples that are not finite make the run itself a diverged one.
        write: the row too; else only what lies beside it.

    Raises:
        UserError: there is no such checkpoint, or it was chosen by the split that is reported.
    """
    status = _status(folder)
    steps = _steps(folder, status, checkpoint)
    if checkpoint == "best":
        _check_choice(folder, evaluator)
    found: dict[str, float] = {}
    notes: dict[str, Any] = {}
    if status["status"] == "finished":
        kept = "final" if checkpoint == "final" else f"step-{steps['d_steps']}"
        sampler = build.build_sampler(folder, kept)
        try:
            found = evaluator.scores(sampler, notes)
        except FloatingPointError as error:
            status = {**status, "status": "diverged", "cause": f"{error}, found while scoring"}
            notes.clear()
            if settle:
                folder.write_status(**status)
        if checkpoint == "final":
            found |= {f"discriminator.{k}": v for k, v in status.get("opinions", {}).items()}
    if status["status"] == "diverged":
        found = _untrained(folder, evaluator)
    if checkpoint == "best" and status["status"] == "finished":
        chosen = best_candidate(read_candidates(folder.candidates).steps)
        assert chosen is not None  # or `_steps` would have refused
        found["selection.frechet"] = chosen["frechet"]  # to the split that selects
    row = _row(folder, plain, evaluator, checkpoint, {**status, **steps}, found)
    if write:
        write_row(folder.root, row)
    if notes:
        name = f"copies-{checkpoint}-{evaluator.request}.png"
        save_memorisation_grid(folder.samples / name, evaluator, sampler, notes)
    return row


def _untrained(folder: RunFolder, evaluator: Evaluator) -> dict[str, float]:
    """Scores of the generator that the run began with, as details; none if it has none."""
    try:
        scores = evaluator.scores(build.build_untrained(folder), noise=False)
    except FloatingPointError:
        return {}
    return {f"untrained.{name}": value for name, value in scores.items() if "." not in name}


def _score_last(
    folder: RunFolder,
    plain: Mapping[str, Any],
    evaluator: Evaluator,
    last: Sequence[dict[str, Any]],
) -> Row:
    """Means over the last checkpoints; `NAME.checkpoint_sd` is the spread of a score."""
    samplers = (build.build_sampler(folder, f"step-{step['d_steps']}") for step in last)
    each = [evaluator.scores(sampler, noise=False) for sampler in samplers]
    values = {name: [found[name] for found in each] for name in each[0]}
    found = {name: float(np.mean(v)) for name, v in values.items()}
    if len(each) > 1:
        spread = {n: float(np.std(v, ddof=1)) for n, v in values.items() if "." not in n}
        found |= {f"{name}.checkpoint_sd": sd for name, sd in spread.items()}
    row = _row(folder, plain, evaluator, f"last-{len(last)}", _status(folder), found)
    write_row(folder.root, row)
    return row


def _status(folder: RunFolder) -> dict[str, Any]:
    status = folder.status() or {"status": "unknown", "cause": ""}
    if status["status"] not in ("finished", "diverged") or not set(COUNTS) <= status.keys():
        raise UserError(
            f"run {folder.run_id} is {status['status']}, without a result: {status['cause']}",
            fix="choose a finished run; an interrupted one goes on by its own command",
        )
    return status


def _steps(folder: RunFolder, status: Mapping[str, Any], checkpoint: str) -> dict[str, int]:
    """d_steps, g_steps and images of a checkpoint."""
    if checkpoint == "final":
        return {key: status[key] for key in COUNTS}
    known = read_candidates(folder.candidates).steps
    found = best_candidate(known) if checkpoint == "best" else None
    for candidate in known:
        kept = folder.weights(checkpoint).is_file()
        if kept and checkpoint == f"step-{candidate['d_steps']}":
            found = candidate
    if found is None:
        names = sorted(path.stem for path in folder.generator.parent.glob("step-*.safetensors"))
        there = ", ".join(["final", *(["best"] if best_candidate(known) else []), *names])
        raise UserError(
            f"run {folder.run_id} has no checkpoint {checkpoint!r} (has: {there})",
            fix="choose one of these; score.every=N keeps more of them while a run trains",
        )
    batch = status["images"] // status["d_steps"]
    steps = found["d_steps"]
    return {"d_steps": steps, "g_steps": found["g_steps"], "images": steps * batch}


def _chosen(folder: RunFolder, checkpoint: str) -> dict[str, Any] | None:
    """How a checkpoint came to be the one that is scored, as it was when that was done."""
    if checkpoint == "final":
        return None
    choice = read_candidates(folder.candidates).choice
    if choice is None:
        return None
    return choice if checkpoint == "best" else {"every": choice["every"]}


def _check_choice(folder: RunFolder, evaluator: Evaluator) -> None:
    choice, settings = read_candidates(folder.candidates).choice, evaluator.settings
    assert choice is not None
    if choice["split"] == settings.split and not settings.select_on_reported:
        raise UserError(
            f"the best checkpoint of run {folder.run_id} was chosen on {settings.split!r}, the "
            "split that is to be reported",
            fix="choose another score.split, or set score.select_on_reported=true",
        )


def _row(
    folder: RunFolder,
    plain: Mapping[str, Any],
    evaluator: Evaluator,
    checkpoint: str,
    status: Mapping[str, Any],
    found: Mapping[str, float],
) -> Row:
    training = plain["model"]["training"]
    own = {
        "prior": training["prior"]["_target_"].rpartition(".")[2],
        "batch_norm": "running averages",
        "ema": training["ema_decay"],
    }
    if (limit := plain["trainer"].get("limit_minutes")) is not None:
        found = {**found, "limit.wall_minutes": float(limit)}
    protocol = evaluator.protocol(own)
    if (chosen := _chosen(folder, checkpoint)) is not None:
        protocol["chosen"] = chosen
    return build_row(plain, folder.run_id, status, found, protocol, checkpoint)


def build_row(
    plain: Mapping[str, Any],
    run_id: str,
    status: Mapping[str, Any],
    found: Mapping[str, float],
    protocol: Mapping[str, Any],
    checkpoint: str,
) -> Row:
    """A row from a run's config and counts; what has a dot in its name goes into the details."""
    names = plain["names"]
    return Row(
        **{k: names[k] for k in ("variant", "loss", "model", "network", "dataset")},
        **{k: status[k] for k in (*COUNTS, "status", "cause")},
        run_id=run_id,
        seed=plain["seed"],
        checkpoint=checkpoint,
        protocol=protocol,
        hyperparameters=plain["hyperparameters"],
        scores={name: value for name, value in found.items() if "." not in name},
        details={name: value for name, value in found.items() if "." in name},
    )
