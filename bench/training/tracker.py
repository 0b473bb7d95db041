"""Interface of an experiment tracker (`Tracker`); W&B's is `bench/tracking/wandb_tracker.py`."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.training.job import Job


class Tracker:
    """Track nothing: the default, and the base of the trackers of the config's group `logger`."""

    @contextmanager
    def track(self, job: Job) -> Iterator["Tracker"]:
        """Start to track a run; report how it ended when the block ends."""
        yield self

    def sync(self) -> None:
        """Send the complete steps that were not sent yet; called while a run trains."""

    def fail(self, cause: str) -> None:
        """Remember what ended this attempt, whatever the run's status says; empty for nothing."""
