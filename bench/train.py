"""The door for plain Hydra: `python -m bench.train variant=wgan_gp dataset=mnist`, -m for many."""

import os
import sys
import time
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from bench.build import config_dir, explaining
from bench.errors import Interrupted, UserError
from bench.running.run import Job, Outcome, execute, prepare
from bench.runs.plans import Entry, join_plan, plan_started, read_plan
from bench.runs.rows import in_order
from bench.sweeping.plan import PlanCallback, counts


@hydra.main(version_base="1.3", config_path=str(config_dir().resolve()), config_name="config")
def _run(cfg: DictConfig) -> str:
    """One job of Hydra's: a run of its own, or one of many."""
    job = prepare(cfg)
    many = HydraConfig.get().mode == RunMode.MULTIRUN
    prefix = _join(job) if many else ""
    started = time.monotonic()
    outcome = execute(job)
    _tell(job, outcome, prefix, time.monotonic() - started)
    if outcome.status == "failed" and not many:
        sys.exit(1)
    return outcome.status


def _join(job: Job) -> str:
    """Join the plan of the multirun; returns "[n/N] " for the terminal."""
    hydra_cfg = HydraConfig.get()
    name = str(hydra_cfg.runtime.choices["sweeps"])
    entry = Entry(
        index=hydra_cfg.job.num,
        overrides=tuple(hydra_cfg.overrides.task),
        run_id=job.folder.run_id,
        variant=job.plain["names"]["variant"],
        seed=job.plain["seed"],
    )
    join_plan(job.folder.root, name, entry)
    planned = read_plan(job.folder.root, name).planned
    return f"[{entry.index + 1:>{len(str(planned))}}/{planned}] "


def _tell(job: Job, outcome: Outcome, prefix: str, seconds: float) -> None:
    """A line for one of many, a few for a run of its own."""
    scores = in_order(outcome.row.scores) if outcome.row else {}
    head = f"{job.label}: {outcome.status}"
    head += " before, skipped" if outcome.skipped else f" in {seconds:.0f} s"
    if outcome.cause:
        head += f" ({outcome.cause})"
    if prefix:
        score = "".join(f", {k} {v:.4g}" for k, v in list(scores.items())[:1])
        print(f"{prefix}{head}{score}{_left(job)}", flush=True)
        return
    print(head)
    if outcome.row:
        protocol = outcome.row.protocol
        print(
            f"scores in the features of {protocol['extractor']}: {protocol['n_fake']} generated "
            f"against {protocol['n_real']} real samples ({protocol['split']})"
        )
    for name, value in scores.items():
        print(f"  {name:<16} {value:.4f}")
    print(f"run {outcome.run_id}: {outcome.folder}")


def _left(job: Job) -> str:
    """An estimate from the pace of the multirun so far."""
    name = str(HydraConfig.get().runtime.choices["sweeps"])
    seconds = time.time() - plan_started(job.folder.root, name)
    ended = counts(job.folder.root, name)
    done = sum(ended[word] for word in ("finished", "diverged", "failed"))
    left = seconds * (ended["planned"] - done) / max(done, 1)
    return f"; about {left / 60:.0f} min left" if left >= 90 else f"; about {left:.0f} s left"


def guarded(call: Any) -> int:
    """The exit status of a command: 2 for what a user can mend, 130 for an interruption."""
    try:
        with explaining("config"):
            call()
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except (KeyboardInterrupt, Interrupted):
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `| head` closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # Hydra makes runs_root before we see it
        reason = UserError(
            f"cannot use {error.filename}: {error.strerror}",
            fix="free some space, or set runs_root to a folder that you may write to",
        )
        print(reason, file=sys.stderr)
        return 2
    return 0


def main() -> None:
    """Console entry; Hydra's own exits become ours."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # raise to us instead of printing and exiting with 1
    status = guarded(_run)
    sys.exit(status or (1 if PlanCallback.failures else 0))


if __name__ == "__main__":
    # Hydra pickles the job by its module's name: that must not be "__main__"
    from bench.train import main as door

    door()
