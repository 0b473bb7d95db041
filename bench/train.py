"""The door for plain Hydra: `python -m bench.train variant=wgan_gp dataset=mnist`, -m for many.

Heavy imports wait until a job runs: help is quick, and Ctrl-C is heard from the start.
"""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from bench.config.paths import config_dir
from bench.core.errors import UserError, show_cautions
from bench.core.signals import INTERRUPT

if TYPE_CHECKING:
    from bench.execution.lifecycle import RunOutcome
    from bench.execution.packs.pack_runner import RunResult
    from bench.training.job import Job


@hydra.main(version_base="1.3", config_path=str(config_dir().resolve()), config_name="config")
def _run(cfg: DictConfig) -> str | dict[str, str]:
    """One job of Hydra's: a run of its own, or one of many."""
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        return _one_of_many(cfg)
    from bench.execution.run import execute
    from bench.training.job import prepare

    try:
        if cfg.pack is not False and cfg.pack != "off":
            raise _of_a_sweep(cfg.pack)
        job = prepare(cfg)
        started = time.monotonic()
        outcome = execute(job)
    except UserError as error:  # Hydra would print a line of its own and exit with 1
        print(error, file=sys.stderr)
        sys.exit(2)
    _tell(job, outcome, time.monotonic() - started)
    if outcome.status == "failed":
        sys.exit(1)
    return outcome.status


def _of_a_sweep(pack: Any) -> UserError:
    single = f", or set packed={pack}" if type(pack) is int and pack else ""
    return UserError(f"pack={pack} is of a sweep", fix=f"add -m{single}")


def _one_of_many(cfg: DictConfig) -> dict[str, str]:
    """Run one or a pack, and never raise: other jobs go on, folders keep what happened.

    Returns:
        run_id -> how it ended.
    """
    from bench.execution.gpu_lock import acquire_gpu
    from bench.execution.queue import pending_runs
    from bench.execution.run import execute_all

    INTERRUPT.install()
    planned = [str(run_id) for run_id in cfg.pack_members or [cfg.expected_run_id]]
    interrupted = dict.fromkeys(planned, "interrupted")
    if INTERRUPT.requested:  # no further job after Ctrl-C, in this process
        return interrupted
    ended: dict[str, RunResult] = {}
    try:
        acquire_gpu(cfg.trainer.get("accelerator", "auto"), cfg.trainer.get("devices", 1))
        execute_all(cfg, pending_runs(cfg), _line, ended)
    except UserError as error:
        ended = {run_id: error for run_id in planned} | ended
    except KeyboardInterrupt:
        INTERRUPT.requested = True
        words = interrupted | _words(cfg, ended)
        INTERRUPT.forward()  # does not come back where a scheduler's library queues the job again
        return words
    return _words(cfg, ended)


def _words(cfg: DictConfig, ended: "dict[str, RunResult]") -> dict[str, str]:
    return {run_id: _word(cfg, run_id, ending) for run_id, ending in ended.items()}


def _word(cfg: DictConfig, run_id: str, ending: "RunResult") -> str:
    """How a run ended; where it could not start, that is noted in the plan."""
    if not isinstance(ending, Exception):
        return ending.status
    from bench.runs.plans import refuse

    why = ending.message if isinstance(ending, UserError) else f"{type(ending).__name__}: {ending}"
    refuse(Path(cfg.runs_root), cfg.sweep_name, run_id, why)
    print(f"refused: {why}", file=sys.stderr, flush=True)
    return "refused"


def _line(job: "Job", outcome: "RunOutcome", seconds: float) -> None:
    """A line for one run of many."""
    scores = _scores(outcome)
    first = "".join(f", {name} {value:.4g}" for name, value in list(scores.items())[:1])
    print(f"{_head(job, outcome, seconds)}{first}", flush=True)


def _head(job: "Job", outcome: "RunOutcome", seconds: float) -> str:
    """What became of a run, in one line."""
    how = " before, skipped" if outcome.skipped else f" in {seconds:.0f} s"
    cause = f" ({outcome.cause})" if outcome.cause else ""
    return f"{job.label}: {outcome.status}{how}{cause}"


def _scores(outcome: "RunOutcome") -> dict[str, float]:
    from bench.runs.rows import in_order

    return in_order(outcome.row.scores) if outcome.row else {}


def _tell(job: "Job", outcome: "RunOutcome", seconds: float) -> None:
    """A few lines for a run of its own."""
    print(_head(job, outcome, seconds))
    if outcome.row:
        protocol = outcome.row.protocol
        print(
            f"scores in the features of {protocol['extractor']}: {protocol['n_fake']} generated "
            f"against {protocol['n_real']} real samples ({protocol['split']})"
        )
    for name, value in _scores(outcome).items():
        print(f"  {name:<16} {value:.4f}")
    print(f"run {outcome.run_id}: {outcome.folder}")


def guarded(call: Any) -> int:
    """The exit status of a command: 2 for what a user can mend, 130 for an interruption."""
    INTERRUPT.install()
    show_cautions()
    try:
        try:
            call()
        except Exception as error:
            if (
                INTERRUPT.requested
            ):  # a worker that was interrupted while it started takes the pool along
                raise KeyboardInterrupt from error
            from bench.config.validate import as_user_error

            with as_user_error("config"):
                raise error
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        INTERRUPT.requested = True
    except BrokenPipeError:  # `| head` closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # Hydra makes runs_root before we see it
        reason = UserError(
            f"cannot use {error.filename}: {error.strerror}",
            fix="free some space, or set runs_root to a folder that you may write to",
        )
        if error.filename is None:  # of a connection, to a Ray cluster say
            reason = UserError(str(error), fix="start it first, or correct its address")
        print(reason, file=sys.stderr)
        return 2
    if INTERRUPT.requested:
        INTERRUPT.ignore()
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


def main() -> None:
    """Console entry; Hydra's own exits become ours."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # raise to us instead of printing and exiting with 1
    status = guarded(_run)
    if status == 0 and "bench.sweeping.sweep" in sys.modules:
        from bench.sweeping.sweep import LATEST

        status = LATEST["status"]
    sys.exit(status)


if __name__ == "__main__":
    # Hydra pickles the job by its module's name: that must not be "__main__"
    from bench.train import main as door

    door()
