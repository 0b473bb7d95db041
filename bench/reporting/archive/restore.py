"""Restore the runs of a published study as folders of runs: what a sweep has to know to go on."""

from pathlib import Path

import numpy as np

from bench.core.files import write_bytes, write_json, write_text
from bench.reporting.archive.read import load
from bench.reporting.archive.row_table import format_csv
from bench.reporting.data.records import RunRecord
from bench.runs.digests import write_digests
from bench.runs.folder import COMPLETED, RunFolder
from bench.runs.rows import write_row


def restore_runs(folder: Path, runs_root: Path) -> int:
    """Write rows, status, history, digests and pictures of a study's completed runs.

    They have no config and no weights, so that they are skipped, chosen from and reported, but
    neither sampled nor scored again. A run that has a folder already is left as it is.

    Args:
        folder: of a report, see `bench.reporting.load`.

    Returns:
        How many runs were restored.

    Raises:
        UserError: as `load`.
    """
    stages = load(folder).stages
    runs = {run.run_id: run for stage in stages for run in stage.runs}
    pictures = {run_id: png for stage in stages for run_id, png in stage.real_pictures.items()}
    real = {row.run_id: RunFolder(runs_root, row.run_id) for row in stages[-1].baselines}
    absent = {run_id: folder for run_id, folder in real.items() if not folder.path.exists()}
    for row in (row for row in stages[-1].baselines if row.run_id in absent):
        write_row(runs_root, row)
    for run_id in absent.keys() & pictures.keys():
        write_bytes(absent[run_id].samples / "final.png", pictures[run_id])
    missing = [
        run
        for run in runs.values()
        if run.status in COMPLETED and not RunFolder(runs_root, run.run_id).path.exists()
    ]
    for run in missing:
        _restore(run, RunFolder(runs_root, run.run_id))
    return len(missing)


def _restore(run: RunRecord, folder: RunFolder) -> None:
    """Write the files of one run; its row of the final checkpoint last, since that completes it."""
    curves = {name: dict(np.array(run.history[name]).T.tolist()) for name in run.history}
    steps = sorted({step for curve in curves.values() for step in curve})
    readings = [{"step": s} | {name: curves[name].get(s) for name in curves} for s in steps]
    if readings:  # with all digits, which distances have
        write_text(folder.history, format_csv(["step", *curves], readings))
    write_digests(folder.digests, run.digests)
    write_json(folder.provenance, {
        "overrides": list(run.overrides), "data": {}, "environment": dict(run.environment),
    })  # fmt: skip
    if run.picture is not None:
        write_bytes(folder.samples / "final.png", run.picture)
    folder.write_status(run.status, run.cause, **run.facts)
    for row in sorted(run.rows, key=lambda row: row.checkpoint == "final"):
        write_row(folder.root, row)
