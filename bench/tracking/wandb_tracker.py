"""A run told to Weights & Biases, as a mirror of the run's folder that decides nothing.

What cannot be told is said in one sentence and the run goes on. W&B's history has a row for each
step that has something to say, sent once the step is complete; an attempt that goes on sends what
lies after the last step that W&B has.
"""

import os
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

from bench.core.errors import Caution, UserError
from bench.core.files import read_json
from bench.runs.columns import columns, protocol_key
from bench.runs.folder import SETTLED
from bench.runs.heartbeat import active_elsewhere, file_clock
from bench.runs.identity import SEMANTICS_VERSION
from bench.runs.rows import read_rows
from bench.tracking import wandb_files
from bench.tracking.history_events import HistoryEvent, iter_events
from bench.tracking.wandb_settings import all_settings, checked, mode_of, unless_set
from bench.training.job import Job
from bench.training.tracker import Tracker

EVERY_SECONDS = 5.0  # between two looks at the history of a run that goes on
AXIS = "d_steps"
NOT_TOLD = ("runs_root", "expected_run_id", "logger", "pack", "pack_members")
STOPPED = 130  # exit status
STOPPED_SECONDS = 10.0  # for W&B at most: a scheduler that asked to stop does not wait for long


class Wandb(Tracker):
    """Tells W&B: `conf/logger/wandb.yaml`.

    Args:
        save_dir: the run's folder; W&B's own lie in `wandb` below it, unless WANDB_DIR says else.
        project, entity, group, name, job_type, tags, notes: as W&B knows them. Where the
            environment has WANDB_PROJECT and so on, that counts.
        offline: write files only, `wandb sync` sends them. WANDB_MODE counts, where it is set.
        init_seconds: to wait for a server, after which the attempt is logged offline.
        finish_seconds: to wait at the end for what is on its way.
        settings: more of wandb.Settings, by name.

    Raises:
        ImportError: wandb is not installed.
        ValueError: a setting that W&B does not know or take.
    """

    def __init__(
        self,
        save_dir: str,
        *,
        project: str,
        entity: str | None,
        group: str | None,
        name: str,
        job_type: str,
        tags: Sequence[str],
        notes: str | None,
        offline: bool,
        init_seconds: float,
        finish_seconds: float,
        settings: Mapping[str, Any],
    ) -> None:
        if not isinstance(offline, bool):
            raise ValueError(f"logger.wandb.offline is {offline!r}; true or false")
        self.offline, self.online = offline, False
        self.labels = {"project": project, "entity": entity, "name": name, "job_type": job_type}
        self.labels |= {"tags": [*tags, f"semantics-{SEMANTICS_VERSION}"], "notes": notes}
        self.labels |= {"group": None if group == "none" else group, "dir": save_dir}
        self.settings = all_settings(init_seconds, finish_seconds, settings)
        checked(self.settings)
        self.run: Any = None
        self.told, self.cause, self.stopped, self._looked = 0, "", False, 0.0

    @contextmanager
    def track(self, job: Job) -> Iterator[Tracker]:
        """As `Tracker.track`; the W&B run has the run's own name, so that it can go on."""
        self.job = job
        self._looked = time.monotonic()
        if active_elsewhere(job.folder.heartbeat, file_clock(job.folder.root)) is not None:
            self._caution("another process is at work on it: this one tells W&B nothing")
        else:
            with self._careful("not told of it"):
                self._begin()
        try:
            yield self
        except KeyboardInterrupt:
            self.stopped = True
            raise
        except Exception as error:
            self.fail(error.message if isinstance(error, UserError) else repr(error))
            raise
        finally:
            with self._careful("not told how it ended"):
                self._end()

    def sync(self) -> None:
        """As `Tracker.sync`, now and then."""
        if time.monotonic() - self._looked >= EVERY_SECONDS:
            self._looked = time.monotonic()
            with self._careful("told no more of it"):
                self._tell(ended=False)

    def fail(self, cause: str) -> None:
        """As `Tracker.fail`."""
        self.cause = cause

    def _begin(self) -> None:
        import wandb

        folder, run_id = self.job.folder, self.job.folder.run_id
        place = self.place
        wandb_files.mend(place, run_id)
        mode = mode_of(self.offline)
        if mode != "online":
            self.told = wandb_files.last_step(place, run_id)
        while list(place.glob(f"*run-{time.strftime('%Y%m%d_%H%M%S')}-{run_id}")):
            time.sleep(0.1)  # W&B names an attempt's folder by the second
        try:
            self.run = self._init(mode)
        except Exception as error:  # no account, no network, no such entity
            if mode != "online":
                raise
            wandb.teardown()
            wandb_files.mend(place, run_id)
            self._caution(
                f"W&B cannot be reached ({_short(error)}); it is logged offline, "
                f"`wandb sync {place}/offline-run-*` sends it"
            )
            self.told = wandb_files.last_step(place, run_id)
            self.run = self._init("offline")
        self.online = mode == "online" and not self.run.offline
        if self.online:
            self.told = self.run.starting_step - 1  # the last step that the server has
        self.run.define_metric(AXIS)
        self.run.define_metric("*", step_metric=AXIS)
        self.run.config.update(
            {
                **{k: v for k, v in self.job.plain.items() if k not in NOT_TOLD},
                "run_id": run_id,
                "variant": self.job.plain["names"]["variant"],  # to group by, as a report does
                "semantics_version": SEMANTICS_VERSION,
                "data": read_json(folder.data),
                "environment": read_json(folder.path / "environment.json"),
            },
            allow_val_change=True,
        )
        self.run.summary["status"] = "running"

    @property
    def place(self) -> Path:
        """Where W&B's folders lie, one an attempt."""
        return Path(os.environ.get("WANDB_DIR") or self.labels["dir"]) / "wandb"

    def _init(self, mode: str) -> Any:
        import wandb

        return wandb.init(
            id=self.job.folder.run_id,
            resume="allow",
            reinit="create_new",
            mode=mode,
            settings=checked(self.settings),
            **unless_set(self.labels),
        )

    def _tell(self, *, ended: bool) -> None:
        if self.run is None:
            return
        batch_size = self.job.plain["batch_size"]
        for told in iter_events(self.job.folder, batch_size, ended=ended):
            if told.step > self.told:
                self.run.log(_row(told), step=told.step, commit=True)
                self.told = told.step

    def _end(self) -> None:
        """The rest of the history, the rows, the status; a diverged run has ended well."""
        if self.run is None:
            return
        folder = self.job.folder
        status = folder.status() or {"status": "unknown", "cause": ""}
        settled = status["status"] in SETTLED
        self._tell(ended=settled or status["status"] == "interrupted")
        rows = read_rows(folder.root, [folder.run_id])
        protocols = {protocol_key(row.protocol): dict(row.protocol) for row in rows}
        self.run.config.update({"protocols": protocols}, allow_val_change=True)
        facts = {k: v for k, v in status.items() if not isinstance(v, Mapping)}
        self.run.summary.update({**facts, **columns(rows)})
        if self.cause:
            self.run.summary.update({"status": "failed", "cause": self.cause})
        run, self.run = self.run, None
        if self.stopped:
            run.mark_preempting()  # W&B then calls it preempted, not failed
        code = STOPPED if self.stopped else int(not settled or bool(self.cause))
        _finish(run, code, STOPPED_SECONDS if self.stopped else None)
        wandb_files.wait_for_end(Path(run.settings.sync_file))
        if self.online:
            wandb_files.mark_sent(self.place, folder.run_id)

    @contextmanager
    def _careful(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # whatever it is: W&B must not cost a run
            run, self.run = self.run, None
            with suppress(Exception):
                if run is not None:
                    run.finish(exit_code=1)
            self._caution(f"W&B was {what} ({_short(error)}); the run's own files have it all")

    def _caution(self, sentence: str) -> None:
        warnings.warn(f"run {self.job.folder.run_id}: {sentence}", Caution, stacklevel=3)


def _finish(run: Any, code: int, seconds: float | None) -> None:
    """W&B's `finish`, whose own limit of time is the config's, with a shorter one if need be."""
    if seconds is None:
        run.finish(exit_code=code)
        return
    found: list[Exception] = []

    def finish() -> None:
        try:
            run.finish(exit_code=code)
        except Exception as error:  # raised below, or nobody waits for it any more
            found.append(error)

    thread = Thread(target=finish, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"asked to stop, it waited for {seconds:g} seconds only")
    if found:
        raise found[0]


def _row(told: HistoryEvent) -> dict[str, Any]:
    if told.picture is None:
        return told.values
    import wandb

    return {**told.values, "samples": wandb.Image(str(told.picture))}


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
