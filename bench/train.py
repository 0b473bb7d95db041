"""The entry point of plain Hydra: `python -m bench.train variant=wgan_gp`, with -m for many runs.

Heavy imports wait until a job runs: help is quick, and Ctrl-C works from the start.
"""

import os
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig

from bench.config.config_files import cache_config_files
from bench.config.paths import config_dir
from bench.core.errors import UserError, show_cautions
from bench.core.signals import INTERRUPT, leave_quickly
from bench.core.text import never_fail_to_print
from bench.core.verbose import OPTIONS, be_verbose, print_traceback, show_log

if TYPE_CHECKING:
    from bench.execution.packs.pack_runner import RunResult
    from bench.execution.skip import RunOutcome
    from bench.training.job import Job


@hydra.main(version_base="1.3", config_path=str(config_dir().resolve()), config_name="config")
def _run_job(cfg: DictConfig) -> str | dict[str, str]:
    """Run one job of Hydra's: a single run, or those of a job of a sweep."""
    show_cautions()  # in a worker process too
    show_log()
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        from bench.sweeping.display import printing_for_display

        with INTERRUPT.ending_with_parent(), printing_for_display():
            return _run_sweep_job(cfg)
    from bench.config.validate import is_forced
    from bench.execution.skip import find_outcome
    from bench.runs.heartbeat import archive_run
    from bench.training.job import prepare_job

    try:
        if (pack := cfg.pack) is not False and pack != "off":
            single = f", or set packed={pack}" if type(pack) is int and pack else ""
            raise UserError(f"pack={pack} works in a sweep only", fix=f"add -m{single}")
        if any(word.startswith("hydra/launcher=") for word in HydraConfig.get().overrides.hydra):
            raise UserError("hydra/launcher= works in a sweep only", fix="add -m, or leave it out")
        if HydraConfig.get().job.chdir:
            raise UserError("hydra.job.chdir=true would move paths", fix="set runs_root instead")
        job = prepare_job(cfg)
        if is_forced(cfg) and (earlier := archive_run(job.folder)) is not None:
            print(f"trained anew; what was there is kept in {earlier}")
        started = time.monotonic()
        if (outcome := find_outcome(job)) is None:
            from bench.execution.run import execute  # Lightning takes seconds to import

            outcome = execute(job)
    except UserError as error:  # Hydra would print a line of its own and exit with 1
        print_traceback(error)
        print(error, file=sys.stderr)
        sys.exit(2)
    _print_outcome(job, outcome, time.monotonic() - started)
    if outcome.status == "failed":
        sys.exit(1)
    return outcome.status


def _run() -> None:
    """Run Hydra, with a plus before each hyperparameter that the variant does not have.

    Such a number is stored and not used, and a caution says so, as in a sweep over variants.
    """
    while True:
        try:
            _run_job()
            return
        except HydraException as error:
            from bench.config.validate import unused_hyperparameter

            key = unused_hyperparameter(error)
            if not key or not any(word.startswith(f"{key}=") for word in sys.argv):
                raise
            sys.argv = [f"+{word}" if word.startswith(f"{key}=") else word for word in sys.argv]


def _gather_overrides() -> None:
    """Put overrides that stand before and behind options side by side, as argparse needs them."""
    arguments, rest = get_args_parser().parse_known_args(sys.argv[1:])
    if rest and not any(word.startswith("-") for word in rest):
        overrides = [*arguments.overrides, *rest]
        options = [word for word in sys.argv[1:] if word not in overrides]
        sys.argv = [sys.argv[0], *overrides, *options]


def _check_home() -> None:
    """Refuse a path whose ~ the shell left as it is, before Hydra makes a folder of that name."""
    for word in sys.argv[1:]:
        key, _, value = word.partition("=")
        if key in ("runs_root", "dataset.root") and value.strip("'\"").startswith("~"):
            raise UserError(f"{word}: the shell did not expand ~", fix=f'write {key}="$HOME/..."')


def _run_sweep_job(cfg: DictConfig) -> dict[str, str]:
    """Train the runs of one job of a sweep, one or a pack, and never raise.

    Other jobs go on; what happened to a run stands in its folder or in the plan.

    Returns:
        run_id -> state in which it ended.
    """
    from bench.execution.gpu_lock import acquire_gpu
    from bench.execution.queue import pending_runs
    from bench.execution.run import execute_all

    INTERRUPT.install()
    run_ids = [str(run_id) for run_id in cfg.pack_members or [cfg.expected_run_id]]
    interrupted = dict.fromkeys(run_ids, "interrupted")
    if INTERRUPT.requested:  # this process starts no further job after Ctrl-C
        return interrupted
    results: dict[str, RunResult] = {}
    try:
        acquire_gpu(cfg.trainer.get("accelerator", "auto"), cfg.trainer.get("devices", 1))
        execute_all(cfg, pending_runs(cfg), _print_line, results)
    except UserError as error:
        results = {run_id: error for run_id in run_ids} | results
    except KeyboardInterrupt:
        INTERRUPT.requested = True
        states = interrupted | _record_states(cfg, results)
        INTERRUPT.forward()  # does not return where a scheduler's library queues the job again
        return states
    return _record_states(cfg, results)


def _record_states(cfg: DictConfig, results: "dict[str, RunResult]") -> dict[str, str]:
    return {run_id: _record_state(cfg, run_id, result) for run_id, result in results.items()}


def _record_state(cfg: DictConfig, run_id: str, result: "RunResult") -> str:
    """Return the state in which a run ended; if it could not start, write that into the plan."""
    if not isinstance(result, Exception):
        return result.status
    from bench.runs.plans import write_refusal

    why = result.message if isinstance(result, UserError) else f"{type(result).__name__}: {result}"
    write_refusal(Path(cfg.runs_root), cfg.sweep_name, run_id, why)
    print(f"refused: {why}", file=sys.stderr, flush=True)
    return "refused"


def _print_line(job: "Job", outcome: "RunOutcome", seconds: float) -> None:
    """Print one line for a run of a sweep: how it ended, and its first score."""
    scores = list(_sorted_scores(outcome).items())
    first = "".join(f", {name} {value:.4g}" for name, value in scores[:1])
    print(f"{_format_outcome(job, outcome, seconds)}{first}", flush=True)


def _format_outcome(job: "Job", outcome: "RunOutcome", seconds: float) -> str:
    """Return how a run ended, in one line."""
    if outcome.status == "running_elsewhere":
        return f"{job.label}: running in another process, skipped"
    when = " before, skipped" if outcome.skipped else f" in {seconds:.0f} s"
    what = f"{outcome.status}{when}"
    if outcome.unscored:
        what = f"trained{' before' if outcome.skipped else when}, but scoring failed"
    cause = outcome.cause
    if outcome.status == "failed" and (file := outcome.folder / "error.txt").exists():
        cause += f"; its traceback: {file}"
    return f"{job.label}: {what}{f' ({cause})' if cause else ''}"


def _sorted_scores(outcome: "RunOutcome") -> dict[str, float]:
    from bench.runs.rows import sort_for_display

    return sort_for_display(outcome.row.scores) if outcome.row else {}


def _print_outcome(job: "Job", outcome: "RunOutcome", seconds: float) -> None:
    """Print how a single run ended, its scores, what is wrong with it, and where it lies."""
    from bench.evaluation.score_run import untrained_distance
    from bench.runs.outcome import faults, real_scores, score_table

    print(_format_outcome(job, outcome, seconds))
    if (row := outcome.row) is not None:
        facts, real = row.protocol, real_scores(job.folder.root, row)
        samples = f"{facts['n_fake']} generated against {facts['n_real']} real samples"
        print(f"scores in the features of {facts['extractor']}: {samples} ({facts['split']})")
        print(*score_table(row, real), sep="\n")
        wrong = faults(row, real, untrained_distance(job.folder, row, job.evaluator))
        print(*(f"what went wrong: {clause}" for clause in wrong), sep="\n", end="\n" * bool(wrong))
    if (picture := job.folder.samples / "final.png").exists():
        print(f"samples: {picture}")
    print(f"run {outcome.run_id}: {outcome.folder}")
    if row is not None:
        is_default = job.folder.root == Path("runs")
        name = outcome.run_id[:8] if is_default else shlex.quote(str(outcome.folder))
        print(f"next: bench show {name}, or bench sample {name} -n 64")


def exit_status_of(call: Callable[[], object]) -> int:
    """Call a function, print its error, and return an exit status.

    Returns:
        0; 2 for an error that the user can mend; 130 for an interruption.
    """
    INTERRUPT.install()
    never_fail_to_print()
    show_cautions()
    try:
        try:
            _check_home()
            show_log()
            call()
        except Exception as error:
            # A worker that is interrupted while it starts breaks the whole pool of workers.
            if INTERRUPT.requested:
                raise KeyboardInterrupt from error
            from bench.config.error_messages import as_user_error

            with as_user_error("config"):
                raise error
    except UserError as error:
        print_traceback(error)
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        INTERRUPT.requested = True
    except BrokenPipeError:  # `| head` closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # Hydra makes runs_root before our code runs
        print_traceback(error)
        fix = "free some space, or set runs_root to a folder that you may write to"
        message = UserError(f"cannot use {error.filename}: {error.strerror}", fix=fix)
        if error.filename is None:  # a connection failed, for example to a Ray cluster
            message = UserError(str(error), fix="start it first, or correct its address")
        print(message, file=sys.stderr)
        return 2
    if INTERRUPT.requested:
        INTERRUPT.ignore()
        same = "the same command" if "force=true" not in sys.argv else "without force, the command"
        print(f"interrupted; {same} goes on from here", file=sys.stderr)
        return 130
    return 0


def main() -> None:
    """Run the command line and exit: 0, 1 where a run failed, 2 or 130."""
    if any(word in OPTIONS for word in sys.argv[1:]):
        be_verbose()
    sys.argv = [word for word in sys.argv if word not in OPTIONS]
    sys.argv = ["force=true" if word == "--force" else word for word in sys.argv]
    asks = any(word.startswith("-") and word not in ("-m", "--multirun") for word in sys.argv[1:])
    if sys.stderr.isatty() and not asks:  # three to nine seconds pass before the bar
        print("reading config and data, building the networks ...", file=sys.stderr, flush=True)
    leave_quickly()
    cache_config_files()
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra raises, instead of printing and exiting with 1
    _gather_overrides()
    status = exit_status_of(_run)
    if status == 0 and "bench.sweeping.sweep" in sys.modules:
        from bench.sweeping.sweep import LAST_SWEEP

        status = LAST_SWEEP["status"]
    sys.exit(status)


if __name__ == "__main__":
    # Hydra pickles the job by the name of its module, which must not be "__main__".
    from bench.train import main as main_of_module

    main_of_module()
