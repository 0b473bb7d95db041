"""Rounds of launches: runs that have no row are launched again until none is left."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from bench.core.errors import UserError
from bench.core.signals import INTERRUPT
from bench.runs.folder import COMPLETED
from bench.runs.heartbeat import remove_partial_files
from bench.runs.plans import PlannedRun, plan_folder, write_refusal
from bench.runs.run_status import RunStatus, StatusReader
from bench.sweeping.display import SweepProgress, showing_progress
from bench.sweeping.jobs import job_overrides, make_jobs

MAX_TRIES = 2  # of a run that fails, in one launch of the sweep
POLL_SECONDS = 2.0  # between two readings of runs that another launch trains
NOT_LAUNCHED = (*COMPLETED, "refused")


class ReleaseConfigs(Callback):
    """Drop a job's configs when it ends: a launcher keeps what each job returned until all have.

    They would take 300 KiB a job, also on their way back from another process.
    """

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Keep the return value alone."""
        job_return.cfg = job_return.hydra_cfg = None


@dataclass(eq=False)
class LaunchRounds:
    """Launches the runs of a plan.

    Args:
        launcher: Hydra's launcher, of any kind.
        root, name: folder of all runs, and name of the sweep.
        rounds: how often runs that have no row are launched.
        chunk: how many jobs the launcher is given at once.
        parallel_jobs: how many jobs it runs at once.
        outlives_process: its jobs go on when this process ends.
        on_terminal: show a display of the workers; else lines.
    """

    launcher: Any
    root: Path
    name: str
    rounds: int
    chunk: int
    parallel_jobs: int
    outlives_process: bool
    on_terminal: bool = False

    def __post_init__(self) -> None:
        self.status_reader = StatusReader(self.root)
        self.tries: Counter[str] = Counter()
        self.n_launched = 0

    def run(self, runs: Sequence[PlannedRun]) -> list[RunStatus]:
        """Launch runs until none is left to launch, and return the status of each at the end."""
        self._remove_partial_files()
        for number in range(1, self.rounds + 1):
            to_launch = self._select(runs)
            if not to_launch and self._wait_for_others(runs):
                to_launch = self._select(runs)
            if not to_launch or INTERRUPT.requested:
                break
            if number > 1:
                left = f"{len(to_launch)} runs have no row"
                print(f"round {number} of {self.rounds}: {left}", flush=True)
            progress = SweepProgress(self.name, self.root, runs)
            collect = not self.outlives_process  # else each job has a log of its own
            with showing_progress(progress, on_terminal=self.on_terminal, collect=collect):
                jobs = make_jobs(to_launch, self.parallel_jobs)
                for start in range(0, len(jobs), self.chunk):
                    if not INTERRUPT.requested:
                        self._launch(jobs[start : start + self.chunk])
                self._wait_for_others(runs)
        self._remove_partial_files()
        return self.status_reader.read(runs)

    def _remove_partial_files(self) -> None:
        """Delete what killed processes left half-written in folders that no single run has."""
        shared = plan_folder(self.root, self.name), self.root / "references"
        for folder in (*shared, *self.root.glob("real-*")):
            if folder.is_dir():
                remove_partial_files(folder)

    def _select(self, runs: Sequence[PlannedRun]) -> list[PlannedRun]:
        return [
            run
            for run, status in zip(runs, self.status_reader.read(runs), strict=True)
            if status.state not in NOT_LAUNCHED
            and status.heartbeat is None
            and not (status.state == "failed" and self.tries[run.run_id] >= MAX_TRIES)
        ]

    def _launch(self, jobs: Sequence[Sequence[PlannedRun]]) -> None:
        """Give jobs to the launcher; what becomes of their runs is read from their folders."""
        self.tries.update(run.run_id for job in jobs for run in job)
        INTERRUPT.relaying = True
        try:
            # Jobs that outlive this process need not be waited for when it is asked to stop.
            with INTERRUPT.interrupting(immediate=self.outlives_process):
                overrides = [job_overrides(job) for job in jobs]
                returns = self.launcher.launch(overrides, initial_job_idx=self.n_launched)
        except (KeyboardInterrupt, UserError, ConnectionError):
            raise  # a cluster that is not there will not be there in the next round
        except subprocess.CalledProcessError as error:
            output = error.stderr or error.output or b""
            text = output.decode(errors="replace") if isinstance(output, bytes) else output
            message = f"the scheduler refused the jobs: {' '.join(text.split()) or error}"
            fix = "correct hydra.launcher, see docs/clusters.md; nothing was launched"
            raise UserError(message, fix=fix) from error
        except Exception as error:  # a killed worker, a lost node: each launcher has its own types
            if INTERRUPT.requested:
                raise KeyboardInterrupt from error
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            message = f"the launcher gave up ({reason}); runs without a row are launched again"
            print(message, file=sys.stderr, flush=True)
        else:
            for job, returned in zip(jobs, returns, strict=True):
                self._record_end(job, returned)
        finally:
            INTERRUPT.relaying = False
        self.n_launched += len(jobs)

    def _record_end(self, job: Sequence[PlannedRun], returned: Any) -> None:
        """Count an interrupted run as not tried, and remember why a run was refused.

        A job that raises, whose config does not compose for example, has all its runs refused.

        Args:
            returned: Hydra's JobReturn; its value is run_id -> state.
        """
        try:
            states = dict(returned.return_value)
        except KeyboardInterrupt:
            INTERRUPT.requested = True
            return
        except Exception as error:
            states, reason = {}, " ".join(str(error).split())[:300]
            for run in job:
                states[run.run_id] = "refused"
                write_refusal(self.root, self.name, run.run_id, f"{type(error).__name__}: {reason}")
        for run_id, state in states.items():
            if state == "interrupted":
                self.tries[run_id] -= 1
            if state == "refused":
                path = plan_folder(self.root, self.name) / "refused" / f"{run_id}.txt"
                is_there = path.is_file()  # a shared folder may be slow to show it
                why = path.read_text("utf-8", "replace") if is_there else "see what the job printed"
                self.status_reader.refused[run_id] = why

    def _wait_for_others(self, runs: Sequence[PlannedRun]) -> bool:
        """Wait until no other process trains one of the runs; return whether one did.

        It may belong to another launch, or to a job array, which goes on when one job fails.
        """
        waited = False
        while not INTERRUPT.requested:
            n_running = sum(s.state == "running" for s in self.status_reader.read(runs))
            if not n_running:
                break
            if not waited:
                print(f"waiting for {n_running} runs that other processes train", flush=True)
            waited = True
            time.sleep(POLL_SECONDS)
        return waited
