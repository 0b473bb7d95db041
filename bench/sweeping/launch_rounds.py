"""Launching what has no row, again and again, until nothing is left or the rounds are over."""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.signals import INTERRUPT
from bench.runs.plans import PlannedRun, plan_folder, refuse
from bench.runs.run_status import ENDED, RunStatus, StatusReader, as_text, count_states
from bench.sweeping.jobs import jobs_of, overrides_of

TRIES = 2  # of a run that fails, in one launch
LOOK_SECONDS = 60.0  # between two lines of progress
POLL_SECONDS = 2.0  # between two looks at runs that another launch is at
OVER = (*ENDED, "refused")


class LaunchRounds:
    """Carries out the runs of a plan.

    Args:
        launcher: Hydra's, any.
        runs_root, name: of the sweep.
        rounds: how often what has no row is launched.
        chunk: how many jobs are handed to the launcher at once.
        workers: how many it carries out at once.
    """

    def __init__(
        self, launcher: Any, runs_root: Path, name: str, *, rounds: int, chunk: int, workers: int
    ) -> None:
        self.launcher, self.root, self.name = launcher, runs_root, name
        self.rounds, self.chunk, self.workers = rounds, chunk, workers
        self.watch = StatusReader(runs_root)
        self.tries: Counter[str] = Counter()
        self.launched = 0

    def run(self, entries: Sequence[PlannedRun]) -> list[RunStatus]:
        """Launch until nothing is left to launch; how every run stands at the end."""
        for number in range(1, self.rounds + 1):
            left = self._left(entries)
            if not left and self._wait_for_others(entries):
                left = self._left(entries)
            if not left or INTERRUPT.requested:
                break
            if number > 1:
                print(f"round {number} of {self.rounds}: {len(left)} runs have no row", flush=True)
            with self._telling(entries):
                jobs = jobs_of(left, self.workers)
                for start in range(0, len(jobs), self.chunk):
                    if not INTERRUPT.requested:
                        self._launch(jobs[start : start + self.chunk])
                self._wait_for_others(entries)
        return self.watch.read(entries)

    def _left(self, entries: Sequence[PlannedRun]) -> list[PlannedRun]:
        return [
            entry
            for entry, standing in zip(entries, self.watch.read(entries), strict=True)
            if standing.state not in OVER
            and standing.heartbeat is None
            and not (standing.state == "failed" and self.tries[entry.run_id] >= TRIES)
        ]

    def _launch(self, jobs: Sequence[Sequence[PlannedRun]]) -> None:
        """Hand runs to the launcher; what becomes of them is read from their folders."""
        self.tries.update(entry.run_id for job in jobs for entry in job)
        given = [overrides_of(job) for job in jobs]
        # Slurm's jobs go on without us: nothing is to be waited for when we are asked to stop.
        away = type(self.launcher).__name__ == "SlurmLauncher"
        INTERRUPT.relaying = True
        try:
            with INTERRUPT.interrupting(immediate=away):
                returns = self.launcher.launch(given, initial_job_idx=self.launched)
        except (KeyboardInterrupt, UserError, ConnectionError):
            raise  # a cluster that is not there will not be there in the next round
        except subprocess.CalledProcessError as error:
            said = error.stderr or error.output or b""
            text = said.decode(errors="replace") if isinstance(said, bytes) else said
            raise UserError(
                f"the scheduler refused the jobs: {' '.join(text.split()) or error}",
                fix="correct hydra.launcher, see docs/clusters.md; nothing was launched",
            ) from error
        except Exception as error:  # a worker was killed, a node is gone: the launchers' own kinds
            if INTERRUPT.requested:
                raise KeyboardInterrupt from error
            reason = " ".join(str(error).split())[:200]
            print(
                f"the launcher gave up ({type(error).__name__}: {reason}); runs without a row are "
                "launched again",
                file=sys.stderr,
                flush=True,
            )
        else:
            for job, returned in zip(jobs, returns, strict=True):
                self._note(job, returned)
        finally:
            INTERRUPT.relaying = False
        self.launched += len(jobs)

    def _note(self, job: Sequence[PlannedRun], returned: Any) -> None:
        """A job that raised before its run could say anything: a config that does not compose."""
        try:
            words = dict(returned.return_value)
        except KeyboardInterrupt:
            INTERRUPT.requested = True
            return
        except Exception as error:
            words, reason = {}, " ".join(str(error).split())[:300]
            for entry in job:
                words[entry.run_id] = "refused"
                refuse(self.root, self.name, entry.run_id, f"{type(error).__name__}: {reason}")
        for run_id, word in words.items():
            if word == "interrupted":
                self.tries[run_id] -= 1  # asked to stop, not failed
            if word == "refused":
                path = plan_folder(self.root, self.name) / "refused" / f"{run_id}.txt"
                there = path.is_file()  # a shared folder may be slow to show it
                why = path.read_text(encoding="utf-8") if there else "see what the job printed"
                self.watch.refused[run_id] = why

    def _wait_for_others(self, entries: Sequence[PlannedRun]) -> bool:
        """Let another launch's runs end: those of a job array go on when one of its jobs fails.

        Returns:
            Whether there were any.
        """
        waited = False
        while not INTERRUPT.requested:
            living = sum(s.state == "running" for s in self.watch.read(entries))
            if not living:
                break
            if not waited:
                print(f"waiting for {living} runs that are at work elsewhere", flush=True)
            waited = True
            time.sleep(POLL_SECONDS)
        return waited

    @contextmanager
    def _telling(self, entries: Sequence[PlannedRun]) -> Iterator[None]:
        """Now and then a line of progress with an estimate, from a thread."""
        over, watch, began = threading.Event(), StatusReader(self.root), time.monotonic()
        first = len(entries) - count_states(watch.read(entries))["waiting"]

        def tell() -> None:
            while not over.wait(LOOK_SECONDS):
                counts = count_states(watch.read(entries))
                done = sum(counts[word] for word in ENDED)
                rate = max(done - first, 0) / (time.monotonic() - began)
                left = len(entries) - done
                ending = f"; about {left / rate / 60:.0f} min left" if rate > 0 else ""
                print(
                    f"sweep {self.name}: {done} of {len(entries)} ({as_text(counts)}), "
                    f"{60 * rate:.1f} runs a minute{ending}",
                    flush=True,
                )

        thread = threading.Thread(target=tell, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
