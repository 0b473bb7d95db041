"""Track a run with Weights & Biases: this is where W&B is told of losses, scores and status.

W&B gets a copy of the run's folder and decides nothing: where it fails, one caution says so and the
run goes on. Its history has a row for each step with new values, sent once the step is complete; a
resumed attempt sends what lies after the last step that W&B has.
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
from bench.runs.columns import protocols_by_label, scores_by_column
from bench.runs.folder import COMPLETED
from bench.runs.heartbeat import active_elsewhere, file_clock
from bench.runs.identity import SEMANTICS_VERSION
from bench.runs.rows import read_rows
from bench.tracking import wandb_settings
from bench.tracking.history_events import HistoryEvent, iter_events
from bench.tracking.wandb_attempts import Attempts, wait_for_end
from bench.training.job import Job
from bench.training.tracker import Tracker

EVERY_SECONDS = 5.0  # between two readings of the history of a run that goes on
AXIS = "d_steps"
NOT_SENT = ("runs_root", "expected_run_id", "logger", "pack", "pack_members")
INTERRUPTED = 130  # exit status
STOPPED_SECONDS = 10.0  # longest wait for W&B when a scheduler has asked to stop and will not wait


class Wandb(Tracker):
    """Track with W&B, as `conf/logger/wandb.yaml` says.

    Args:
        save_dir: the run's folder; W&B writes to `wandb` below it, unless WANDB_DIR is set.
        project, entity, group, name, job_type, tags, notes: W&B's labels of the run. Where the
            environment has WANDB_PROJECT and so on, that counts.
        offline: write files only, which `wandb sync` sends. WANDB_MODE counts, where it is set.
        init_seconds: longest wait for a server, after which the attempt is logged offline.
        finish_seconds: longest wait at the end for what is not sent yet.
        settings: further arguments of wandb.Settings, by name.

    Raises:
        ImportError: wandb is not installed.
        ValueError: W&B does not have such a setting, or does not take the value.
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
        self.save_dir, self.offline, self.online = save_dir, offline, False
        self.labels: dict[str, Any] = {"project": project, "entity": entity, "dir": save_dir}
        self.labels |= {"name": wandb_settings.label(name), "job_type": job_type, "notes": notes}
        self.labels["tags"] = wandb_settings.tags([*tags, f"semantics-{SEMANTICS_VERSION}"])
        named = group not in (None, "none")
        self.labels["group"] = wandb_settings.label(str(group)) if named else None
        self.settings = wandb_settings.all_settings(init_seconds, finish_seconds, settings)
        wandb_settings.build_settings(self.settings)  # raises here, before anything is written
        self.run: Any = None
        self.last_step = 0  # of the history that W&B has
        self.cause, self.interrupted, self._synced_at = "", False, 0.0

    @contextmanager
    def track(self, job: Job) -> Iterator[Tracker]:
        """Start or resume the W&B run of the same run_id; finish it when the block ends."""
        self.job = job
        self._synced_at = time.monotonic()
        if active_elsewhere(job.folder.heartbeat, file_clock(job.folder.root)) is not None:
            self._caution("another process is working on it: this one sends W&B nothing")
        else:
            with self._errors_as_caution("not told of it"):
                self._start()
        try:
            yield self
        except KeyboardInterrupt:
            self.interrupted = True
            raise
        except Exception as error:
            self.fail(error.message if isinstance(error, UserError) else repr(error))
            raise
        finally:
            with self._errors_as_caution("not told how it ended"):
                self._finish()

    def sync(self) -> None:
        """Send the complete steps that were not sent yet, every `EVERY_SECONDS` at most."""
        if time.monotonic() - self._synced_at >= EVERY_SECONDS:
            self._synced_at = time.monotonic()
            with self._errors_as_caution("told no more of it"):
                self._send_history(ended=False)

    def fail(self, cause: str) -> None:
        """Remember what ended this attempt, to send it as the run's status and cause."""
        self.cause = cause

    def _start(self) -> None:
        wandb = wandb_settings.import_wandb()
        folder, run_id, wandb_dir = self.job.folder, self.job.folder.run_id, self.wandb_dir
        self.attempts = Attempts(wandb_dir, run_id)
        self.attempts.delete_killed()
        self.last_step = self.attempts.last_step()
        mode = wandb_settings.choose_mode(self.offline)
        try:
            self.run = self._init(mode)
        except Exception as error:  # no account, no network; or W&B's process died since a run
            with suppress(ConnectionError, SystemExit):  # by which it says that it died
                wandb.teardown()
            if mode == "online":
                self._caution(
                    f"W&B cannot be reached ({_short_message(error)}); it is logged offline, "
                    f"`wandb sync {wandb_dir}/offline-run-*` sends it"
                )
            self.attempts.delete_killed()
            self.run = self._init("offline" if mode == "online" else mode)
        self.online = mode == "online" and not self.run.offline
        if self.online:
            self.last_step = self.run.starting_step - 1  # the last step that the server has
        self._record(self.run, ended=False)
        self.run.define_metric(AXIS)
        self.run.define_metric("*", step_metric=AXIS)
        provenance = folder.read_provenance()
        self.run.config.update(
            {
                **{k: v for k, v in self.job.plain.items() if k not in NOT_SENT},
                "run_id": run_id,
                "variant": self.job.plain["names"]["variant"],  # to group by, as a report does
                "semantics_version": SEMANTICS_VERSION,
                "data": provenance["data"],
                "environment": provenance["environment"],
            },
            allow_val_change=True,
        )
        self.run.summary["status"] = "running"

    @property
    def wandb_dir(self) -> Path:
        """The folder of W&B's folders, one for each attempt."""
        return Path(os.environ.get("WANDB_DIR") or self.save_dir) / "wandb"

    def _init(self, mode: wandb_settings.Mode) -> Any:
        wandb, run_id = wandb_settings.import_wandb(), self.job.folder.run_id
        while list(self.wandb_dir.glob(f"*run-{time.strftime('%Y%m%d_%H%M%S')}-{run_id}")):
            time.sleep(0.1)  # W&B names an attempt's folder by the second
        return wandb.init(
            id=run_id,
            resume="allow",
            reinit="create_new",
            mode=mode,
            settings=wandb_settings.build_settings(self.settings),
            **wandb_settings.not_in_env(self.labels),
        )

    def _send_history(self, *, ended: bool) -> None:
        if self.run is None:
            return
        batch_size, before = self.job.plain["batch_size"], self.last_step
        for event in iter_events(self.job.folder, batch_size, ended=ended):
            if event.step > self.last_step:
                self.run.log(_as_wandb_row(event), step=event.step, commit=True)
                self.last_step = event.step
        if self.last_step > before:
            self._record(self.run, ended=False)

    def _record(self, run: Any, *, ended: bool) -> None:
        if not run.disabled:
            name = Path(run.settings.sync_dir).name
            self.attempts.write(name, self.last_step, ended=ended)

    def _finish(self) -> None:
        """Send the rest of the history, the rows and the status; a diverged run has exit code 0."""
        if self.run is None:
            return
        folder = self.job.folder
        status = folder.read_status() or {"status": "unknown", "cause": ""}
        completed = status["status"] in COMPLETED
        self._send_history(ended=completed or status["status"] == "interrupted")
        rows = read_rows(folder.root, [folder.run_id])
        self.run.config.update({"protocols": protocols_by_label(rows)}, allow_val_change=True)
        facts = {k: v for k, v in status.items() if not isinstance(v, Mapping)}
        self.run.summary.update({**facts, **scores_by_column(rows)})
        if self.cause:
            self.run.summary.update({"status": "failed", "cause": self.cause})
        run, self.run = self.run, None
        if self.interrupted:
            run.mark_preempting()  # W&B then calls it preempted, not failed
        code = INTERRUPTED if self.interrupted else int(not completed or bool(self.cause))
        _finish_within(run, code, STOPPED_SECONDS if self.interrupted else None)
        wait_for_end(Path(run.settings.sync_file))
        self._record(run, ended=True)
        if self.online:
            self.attempts.mark_synced()

    @contextmanager
    def _errors_as_caution(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # of any kind: W&B must not cost a run
            run, self.run = self.run, None
            with suppress(Exception):
                if run is not None:
                    run.finish(exit_code=1)
            reason = _short_message(error)
            self._caution(f"W&B was {what} ({reason}); the run's own files are complete")

    def _caution(self, sentence: str) -> None:
        warnings.warn(f"run {self.job.folder.run_id}: {sentence}", Caution, stacklevel=3)


def _finish_within(run: Any, code: int, seconds: float | None) -> None:
    """Call W&B's `finish` and wait for `seconds`, else TimeoutError; None: the config's limit."""
    if seconds is None:
        run.finish(exit_code=code)
        return
    errors: list[Exception] = []

    def finish() -> None:
        try:
            run.finish(exit_code=code)
        except Exception as error:  # raised below, unless the wait is over
            errors.append(error)

    thread = Thread(target=finish, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"asked to stop, it waited for {seconds:g} seconds only")
    if errors:
        raise errors[0]


def _as_wandb_row(event: HistoryEvent) -> dict[str, Any]:
    if event.picture is None:
        return event.values
    wandb = wandb_settings.import_wandb()
    return {**event.values, "samples": wandb.Image(str(event.picture))}


def _short_message(error: BaseException) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
