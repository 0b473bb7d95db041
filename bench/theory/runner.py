"""Measure experiments: their parts spread over processes, each written as soon as it is done."""

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
from bench.theory import catalogue, store
from bench.theory.experiment import Experiment, Outcome, PartResults, PartSettings
from bench.theory.toolkit.suite_access import RUNS_ROOT

OnPartDone = Callable[["Task", float], None]  # gets each part measured, and the seconds it took


class Task(NamedTuple):
    """One part of an experiment; `minutes`, its share of the experiment's, orders the work."""

    experiment: Experiment
    part: str
    settings: PartSettings
    path: Path
    minutes: float


def run(name: str, *, quick: bool = False, runs_root: str | Path = "runs") -> Outcome:
    """Measure one experiment here and now, or read it from `runs_root`.

    Raises:
        UserError: there is no such statement, or its measurements cannot be written.
    """
    selected = catalogue.select([name])
    return run_experiments(selected, quick=quick, runs_root=Path(runs_root), processes=1)[0]


def list_tasks(experiments: Sequence[Experiment], *, quick: bool, runs_root: Path) -> list[Task]:
    """List the parts of experiments, whether or not they have been measured.

    Raises:
        ValueError: two parts of an experiment have the same settings.
    """
    all_tasks = []
    for experiment in experiments:
        parts = experiment.parts(quick)
        minutes = (experiment.minutes.quick if quick else experiment.minutes.full) / len(parts)
        paths = {part: store.part_path(runs_root, experiment, parts[part]) for part in parts}
        if len(set(paths.values())) < len(paths):
            raise ValueError(f"{experiment.id}: two parts have the same settings")
        all_tasks += [Task(experiment, p, parts[p], path, minutes) for p, path in paths.items()]
    return all_tasks


def run_experiments(
    experiments: Sequence[Experiment],
    *,
    quick: bool,
    runs_root: Path,
    processes: int,
    on_part_done: OnPartDone | None = None,
) -> list[Outcome]:
    """Measure the parts that are missing; then conclude and draw every experiment.

    Args:
        processes: how many at once; each uses one thread, so their number changes no bit.
        on_part_done: called after each part that had to be computed.

    Raises:
        UserError: measurements cannot be written, or are damaged.
    """
    tasks = list_tasks(experiments, quick=quick, runs_root=runs_root)
    missing = [task for task in tasks if not task.path.exists()]
    measure_all(missing, runs_root, processes, on_part_done or (lambda task, seconds: None))
    outcomes = []
    for experiment in experiments:
        results, provenance = {}, {}
        for task in tasks:
            if task.experiment.id == experiment.id:
                results[task.part], provenance[task.part] = store.read_npz(task.path)
        outcomes.append(conclude_and_draw(experiment, results, provenance, quick=quick))
    return outcomes


def conclude_and_draw(
    experiment: Experiment, results: PartResults, provenance: Mapping[str, Any], *, quick: bool
) -> Outcome:
    """Apply an experiment's rule to its measurements, and draw its figures."""
    result, figures = experiment.conclude(results), tuple(experiment.draw(results))
    return Outcome(experiment, results, result, figures, quick, provenance)


def measure_all(
    tasks: Sequence[Task], runs_root: Path, processes: int, on_part_done: OnPartDone
) -> None:
    """Measure and write the parts, the longest first, in so many processes."""
    tasks = sorted(tasks, key=lambda task: -task.minutes)
    if processes == 1 or len(tasks) < 2:
        for task in tasks:
            seconds = measure_and_write(
                task.experiment.id, dict(task.settings), task.path, runs_root
            )
            on_part_done(task, seconds)
        return
    context = multiprocessing.get_context("spawn")
    ignore = (signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by this process
    with ProcessPoolExecutor(min(processes, len(tasks)), context, signal.signal, ignore) as pool:
        try:
            pending = _submit_all(pool, tasks, runs_root)
            for future in as_completed(pending):
                on_part_done(pending[future], future.result())
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():  # their files are complete or absent
                child.terminate()
            if isinstance(error, BrokenProcessPool):
                raise UserError(
                    "a process that measured was killed, for want of memory perhaps",
                    fix="the same command goes on from here; --processes 1 needs the least",
                ) from error
            raise


def _submit_all(
    pool: ProcessPoolExecutor, tasks: Sequence[Task], runs_root: Path
) -> dict[Future[float], Task]:
    """Submit all tasks to the pool, which starts its processes as they come.

    Raises:
        BrokenProcessPool: a process was killed meanwhile, or cannot be started.
    """
    try:
        return {
            pool.submit(measure_and_write, t.experiment.id, dict(t.settings), t.path, runs_root): t
            for t in tasks
        }
    except (OSError, ValueError) as error:  # its pipes are closed while the next one starts
        raise BrokenProcessPool(str(error)) from error


def measure_and_write(
    experiment_id: str, settings: PartSettings, path: Path, runs_root: Path
) -> float:
    """Measure a part under one thread and write it; return the seconds that it took."""
    started = time.monotonic()
    with single_threaded(runs_root):
        arrays = catalogue.experiments_by_id()[experiment_id].measure(settings)
        from bench.runs.environment import describe_environment

        seconds = time.monotonic() - started
        provenance = {
            "statement": experiment_id,
            "settings": settings,
            "wall_seconds": seconds,
            "environment": describe_environment(1, "cpu"),
        }
        store.write_part(path, arrays, provenance)
    return seconds


@contextmanager
def single_threaded(runs_root: Path) -> Iterator[None]:
    """Use one thread and deterministic algorithms, restored at exit; write runs to `runs_root`."""
    import torch
    from threadpoolctl import threadpool_limits

    from bench.core.determinism import deterministic_algorithms

    before = torch.get_num_threads()
    token = RUNS_ROOT.set(runs_root)
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1), deterministic_algorithms():
            yield
    finally:
        torch.set_num_threads(before)
        RUNS_ROOT.reset(token)
