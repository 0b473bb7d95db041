"""Who else is told of a run while it goes on: nobody, unless the config names a tracker."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.training.job import Job


class Tracker:
    """Tells nobody; what a tracker of the config's group `logger` can do more."""

    @contextmanager
    def track(self, job: Job) -> Iterator["Tracker"]:
        """Begin to tell of the run; at the block's end, how it ended."""
        yield self

    def sync(self) -> None:
        """Tell of the steps that are complete and were not told yet; called while a run trains."""

    def fail(self, cause: str) -> None:
        """Remember what ended this attempt, whatever the run's status says."""
