"""Statements measured: parts over processes, each kept as soon as it is there."""

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.core.errors import UserError
from bench.theory import store
from bench.theory.catalogue import experiments_by_id, select
from bench.theory.experiment import Experiment, Outcome, PartResults, Settings
from bench.theory.toolkit.suite_access import RUNS_ROOT

Tell = Callable[["Task", float], None]  # after each part: which, and the seconds that it took


class Task(NamedTuple):
    """A part that has no result yet; `share` of its statement's minutes orders the work."""

    statement: Experiment
    part: str
    settings: Settings
    path: Path
    minutes: float


def run(name: str, *, quick: bool = False, runs_root: str | Path = "runs") -> Outcome:
    """One statement, measured here and now or read from `runs_root`.

    Raises:
        UserError: there is no such statement, or its results cannot be kept.
    """
    return outcomes(select([name]), quick=quick, runs_root=Path(runs_root), processes=1)[0]


def tasks_of(statements: Sequence[Experiment], *, quick: bool, runs_root: Path) -> list[Task]:
    """All parts, whether or not they have a result.

    Raises:
        ValueError: two parts of a statement have the same settings.
    """
    found = []
    for one in statements:
        parts = one.parts(quick)
        minutes = (one.minutes.quick if quick else one.minutes.full) / len(parts)
        tasks = [
            Task(one, name, settings, store.path_of(runs_root, one, settings), minutes)
            for name, settings in parts.items()
        ]
        if len({task.path for task in tasks}) < len(tasks):
            raise ValueError(f"{one.id}: two parts have the same settings")
        found += tasks
    return found


def outcomes(
    statements: Sequence[Experiment],
    *,
    quick: bool,
    runs_root: Path,
    processes: int,
    tell: Tell | None = None,
) -> list[Outcome]:
    """Measure what is not there yet, judge, draw.

    Args:
        processes: at once; each uses one thread, so their number changes no bit.
        tell: called after each part that had to be computed.

    Raises:
        UserError: a result cannot be kept, or is damaged.
    """
    tasks = tasks_of(statements, quick=quick, runs_root=runs_root)
    missing = [task for task in tasks if not task.path.exists()]
    measure_all(missing, runs_root, processes, tell or (lambda task, seconds: None))
    found = []
    for one in statements:
        mine = [task for task in tasks if task.statement.id == one.id]
        read = {task.part: store.unpack(task.path) for task in mine}
        evidence = {part: arrays for part, (arrays, _) in read.items()}
        about = {part: said for part, (_, said) in read.items()}
        found.append(concluded(one, evidence, about, quick=quick))
    return found


def concluded(
    statement: Experiment, evidence: PartResults, about: Mapping[str, Any], *, quick: bool
) -> Outcome:
    """The verdict and the figures of results that are there; `about` as in `Outcome`."""
    finding, pictures = statement.judge(evidence), tuple(statement.draw(evidence))
    return Outcome(statement, evidence, finding, pictures, quick, about)


def measure_all(tasks: Sequence[Task], runs_root: Path, processes: int, tell: Tell) -> None:
    """Compute and keep the parts, the longest first, in so many processes."""
    tasks = sorted(tasks, key=lambda task: -task.minutes)
    if processes == 1 or len(tasks) < 2:
        for task in tasks:
            tell(task, measure_one(task.statement.id, dict(task.settings), task.path, runs_root))
        return
    context = multiprocessing.get_context("spawn")
    leave = (signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is this process's to answer
    with ProcessPoolExecutor(min(processes, len(tasks)), context, signal.signal, leave) as pool:
        try:
            pending = _submitted(pool, tasks, runs_root)
            for done in as_completed(pending):
                tell(pending[done], done.result())
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():  # their files are whole or absent
                child.terminate()
            if isinstance(error, BrokenProcessPool):
                raise UserError(
                    "a process that measured was killed, for want of memory perhaps",
                    fix="the same command goes on from here; --processes 1 needs the least",
                ) from error
            raise


def _submitted(
    pool: ProcessPoolExecutor, tasks: Sequence[Task], runs_root: Path
) -> dict[Future[float], Task]:
    """All tasks handed to the pool, which starts its processes as they come.

    Raises:
        BrokenProcessPool: a process was killed meanwhile, or cannot be started.
    """
    try:
        return {
            pool.submit(measure_one, t.statement.id, dict(t.settings), t.path, runs_root): t
            for t in tasks
        }
    except (OSError, ValueError) as error:  # its pipes are closed while the next one starts
        raise BrokenProcessPool(str(error)) from error


def measure_one(statement_id: str, settings: Settings, path: Path, runs_root: Path) -> float:
    """Compute a part under one thread and keep it; the seconds that it took."""
    started = time.monotonic()
    with alone(runs_root):
        arrays = experiments_by_id()[statement_id].measure(settings)
        from bench.runs.environment import environment

        seconds = time.monotonic() - started
        about = {"statement": statement_id, "settings": settings, "wall_seconds": seconds}
        store.keep(path, arrays, {**about, "environment": environment(1, "cpu")})
    return seconds


@contextmanager
def alone(runs_root: Path) -> Iterator[None]:
    """One thread and deterministic algorithms, given back afterwards; runs land in `runs_root`."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    token = RUNS_ROOT.set(runs_root)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
        RUNS_ROOT.reset(token)
