"""What experiments are made of: the suite's own losses, data and runs, by the names of conf/."""

from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bench.config import build
from bench.core.objective import Objective

RUNS_ROOT: ContextVar[Path] = ContextVar("runs_root", default=Path("runs"))


@cache
def _composed(overrides: tuple[str, ...]) -> Any:
    return build.compose_config(list(overrides))


def objective(loss: str, *overrides: str) -> Objective:
    """The entry of conf/loss as an object, under a variant's hyperparameters and overrides.

    Args:
        loss: "nonsaturating", "wgan_gp" ...
        overrides: as on the command line: "variant=wgan_gp", "hyperparameters.n_dis=5" ...
    """
    return build.instantiate(_composed((*overrides, f"loss={loss}")).loss)


@cache
def points(dataset: str) -> dict[str, np.ndarray]:
    """Split -> samples of an entry of conf/dataset, float32 [N, D] for points."""
    source = build.build_source(_composed((f"dataset={dataset}",)))
    return {name: split.samples for name, split in source.splits().items()}


def modes(dataset: str) -> Any:
    """Centres and radius of the modes of a toy density: `bench.data.points.Modes`."""
    return build.build_source(_composed((f"dataset={dataset}",))).modes


def scores_of(*overrides: str) -> tuple[str, dict[str, float]]:
    """Status and scores of a run of the suite, trained now or found in `runs_root`.

    Args:
        overrides: of the run, as on the command line.

    Returns:
        "finished" or "diverged", and the scores of its final checkpoint: none of a diverged run.

    Raises:
        RuntimeError: the run failed.
    """
    from bench.execution.run import execute
    from bench.training.job import prepare

    quiet = ("trainer.progress=false", "trainer.pictures=0", "trainer.accelerator=cpu")
    outcome = execute(
        prepare(build.compose_config([f"runs_root={RUNS_ROOT.get()}", *quiet, *overrides]))
    )
    if outcome.status not in ("finished", "diverged") or outcome.row is None:
        raise RuntimeError(f"run {outcome.run_id} {outcome.status}: {outcome.cause}")
    return outcome.status, dict(outcome.row.scores)
