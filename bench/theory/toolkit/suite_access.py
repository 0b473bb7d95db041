"""Losses, data sets and runs of the suite, by the names that they have in conf/."""

from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bench.config import build
from bench.core.objective import Objective
from bench.data.points import Modes

RUNS_ROOT: ContextVar[Path] = ContextVar("runs_root", default=Path("runs"))


@cache
def _compose(overrides: tuple[str, ...]) -> Any:
    return build.compose_config(["preset=study", *overrides])


def build_objective(loss: str, *overrides: str) -> Objective:
    """Build the objective of an entry of conf/loss, with a variant's hyperparameters and overrides.

    Args:
        loss: "nonsaturating", "wgan_gp" ...
        overrides: as on the command line: "variant=wgan_gp", "hyperparameters.n_dis=5" ...
    """
    return build.instantiate(_compose((*overrides, f"loss={loss}")).model.objective)


@cache
def load_samples(dataset: str) -> dict[str, np.ndarray]:
    """Load an entry of conf/dataset: split -> samples, float32 [N, D] for points."""
    source = build.build_source(_compose((f"dataset={dataset}",)))
    return {name: split.samples for name, split in source.splits().items()}


def load_modes(dataset: str) -> Modes:
    """Return centres and radius of the modes of a toy density of conf/dataset."""
    return build.build_source(_compose((f"dataset={dataset}",))).modes


def train_and_score(*overrides: str) -> tuple[str, dict[str, float]]:
    """Train and score a run of the suite, or read it from `RUNS_ROOT`; return status and scores.

    Args:
        overrides: of the run, as on the command line.

    Returns:
        "finished" or "diverged", and the scores of its final checkpoint: none of a diverged run.

    Raises:
        RuntimeError: the run failed.
    """
    from bench.execution.run import execute
    from bench.training.job import prepare_job

    quiet = ("trainer.progress=false", "trainer.pictures=0", "trainer.accelerator=cpu")
    outcome = execute(
        prepare_job(
            build.compose_config(
                ["preset=study", f"runs_root={RUNS_ROOT.get()}", *quiet, *overrides]
            )
        )
    )
    if outcome.status not in ("finished", "diverged") or outcome.row is None:
        raise RuntimeError(f"run {outcome.run_id} {outcome.status}: {outcome.cause}")
    return outcome.status, dict(outcome.row.scores)
