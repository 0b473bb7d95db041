"""Choose the experiment tracker that the config's group `logger` names; none by default."""

from bench.config import build
from bench.training.job import Job
from bench.training.tracker import Tracker


def choose_tracker(job: Job) -> Tracker:
    """Build the tracker that the config names; without one, a `Tracker` that does nothing.

    UserError where its package is not installed, or it refuses its settings.
    """
    loggers = build.build_loggers(job.cfg, job.folder.path)
    return next((logger for logger in loggers if isinstance(logger, Tracker)), Tracker())
