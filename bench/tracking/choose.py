"""Who else is told of a run while it goes on: nobody, unless the config names a tracker."""

from bench.config import build
from bench.training.job import Job
from bench.training.tracker import Tracker


def choose_tracker(job: Job) -> Tracker:
    """The tracker that the config asks for.

    Raises:
        UserError: its package is not installed, or it refuses its settings.
    """
    found = build.build_loggers(job.cfg, job.folder.path)
    return next((one for one in found if isinstance(one, Tracker)), Tracker())
