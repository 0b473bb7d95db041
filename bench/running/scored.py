"""From the checkpoint files of a run to its rows: training never judges itself."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bench import build
from bench.errors import UserError
from bench.running.copies import picture_copies
from bench.running.judge import Judge
from bench.runs.candidates import best, read_candidates
from bench.runs.folder import RunFolder
from bench.runs.rows import Row, read_rows, write_row
from bench.scoring.score import protocol_of

Steps = Mapping[str, int]


def scored(folder: RunFolder, judge: Judge, checkpoint: str = "final") -> Row | None:
    """The run's row of a checkpoint under the config's protocol, if it is there."""
    for row in read_rows(folder.root, [folder.run_id]):
        same = row.protocol["settings"] == judge.request
        chosen = row.protocol.get("chosen") == _chosen(checkpoint, judge)
        if row.checkpoint == checkpoint and same and chosen:
            return row
    return None


def score_checkpoints(folder: RunFolder, plain: Mapping[str, Any], judge: Judge) -> Row:
    """The rows of the final checkpoint, and of the best and the last few where there are any.

    Returns:
        That of the final one.
    """
    final = scored(folder, judge) or score_run(folder, plain, judge, "final")
    if judge.settings.every is None or final.status != "finished":
        return final
    known = read_candidates(folder.candidates)
    first, keep = best(known), judge.settings.keep_last
    if first is not None and scored(folder, judge, "best") is None:
        score_run(folder, plain, judge, "best")
    if keep and len(known) >= keep and scored(folder, judge, f"last-{keep}") is None:
        _score_last(folder, plain, judge, known[-keep:])
    return final


def score_run(folder: RunFolder, plain: Mapping[str, Any], judge: Judge, checkpoint: str) -> Row:
    """Score a generator that a run left behind and write the row.

    A diverged run's row has no scores; a run whose samples turn out not to be finite has diverged.

    Args:
        plain: the run's config.
        checkpoint: "final", "best" or "step-N".

    Raises:
        UserError: there is no such checkpoint.
    """
    status = _status(folder)
    steps = _steps(folder, status, checkpoint)
    found: dict[str, float] = {}
    if status["status"] == "finished":
        step = f"step-{steps['d_steps']}"
        kept = "final" if steps["d_steps"] == status["d_steps"] else step
        notes: dict[str, Any] = {}
        try:
            sampler = build.build_sampler(folder, kept)
            found = judge.scores(sampler, notes)
        except FloatingPointError as error:
            status = {**status, "status": "diverged", "cause": f"{error}, found while scoring"}
            folder.write_status(**status)
        else:
            picture_copies(folder.samples / f"copies-{checkpoint}.png", judge, sampler, notes)
        if checkpoint == "final":
            found |= {f"discriminator.{k}": v for k, v in status.get("opinions", {}).items()}
    return _write(folder, plain, judge, checkpoint, {**status, **steps}, found)


def _score_last(
    folder: RunFolder, plain: Mapping[str, Any], judge: Judge, last: list[dict[str, Any]]
) -> Row:
    """The mean over the last checkpoints; `NAME.checkpoint_sd` is their spread."""
    status, each = _status(folder), []
    for candidate in last:
        step = candidate["d_steps"]
        kept = "final" if step == status["d_steps"] else f"step-{step}"
        each.append(judge.scores(build.build_sampler(folder, kept)))
    names = [name for name in each[0] if "." not in name]
    values = {name: [found[name] for found in each] for name in names}
    found = {name: float(np.mean(v)) for name, v in values.items()}
    if len(each) > 1:
        found |= {f"{name}.checkpoint_sd": float(np.std(v, ddof=1)) for name, v in values.items()}
    return _write(folder, plain, judge, f"last-{len(last)}", status, found)


def _status(folder: RunFolder) -> dict[str, Any]:
    status = folder.status() or {"status": "unknown", "cause": ""}
    if status["status"] not in ("finished", "diverged"):
        raise UserError(
            f"run {folder.run_id} is {status['status']}, not finished: {status['cause']}",
            fix="choose a finished run; an interrupted one goes on by its own command",
        )
    return status


def _steps(folder: RunFolder, status: Mapping[str, Any], checkpoint: str) -> dict[str, int]:
    """d_steps, g_steps and images of a checkpoint."""
    if checkpoint == "final":
        return {key: status[key] for key in ("d_steps", "g_steps", "images")}
    known = read_candidates(folder.candidates)
    found = best(known) if checkpoint == "best" else None
    for candidate in known:
        if checkpoint == f"step-{candidate['d_steps']}":
            found = candidate
    if found is None:
        kept = sorted(path.stem for path in folder.generator.parent.glob("step-*.safetensors"))
        there = ", ".join(["final", *(["best"] if best(known) else []), *kept])
        raise UserError(
            f"run {folder.run_id} has no checkpoint {checkpoint!r} (has: {there})",
            fix="choose one of these; score.every=N keeps more of them while a run trains",
        )
    batch = status["images"] // status["d_steps"]
    steps = found["d_steps"]
    return {"d_steps": steps, "g_steps": found["g_steps"], "images": steps * batch}


def _chosen(checkpoint: str, judge: Judge) -> dict[str, Any] | None:
    """How a checkpoint came to be the one that is scored; a part of its protocol."""
    settings = judge.settings
    if checkpoint == "best":
        return {"by": "frechet", "split": settings.select_split, "every": settings.every}
    return {"every": settings.every} if checkpoint.startswith("last-") else None


def _write(
    folder: RunFolder,
    plain: Mapping[str, Any],
    judge: Judge,
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
    protocol = protocol_of(judge.settings, judge.reference, judge.extractor, own)
    protocol |= {"settings": judge.request}
    chosen = _chosen(checkpoint, judge)
    row = row_of(
        plain, folder.run_id, status, found, protocol | ({"chosen": chosen} if chosen else {}),
        checkpoint,
    )  # fmt: skip
    write_row(folder.root, row)
    return row


def row_of(
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
        checkpoint=checkpoint,
        protocol=protocol,
        hyperparameters=plain["hyperparameters"],
        scores={name: value for name, value in found.items() if "." not in name},
        details={name: value for name, value in found.items() if "." in name},
    )
