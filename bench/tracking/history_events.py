"""Turn the files of a run's folder into the events of its history, for an experiment tracker.

The files are the only source. Whatever happened before (a kill, another attempt, a server that was
away), a tracker that knows the last step it has can be sent the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.runs.candidates import read_candidates
from bench.runs.folder import RunFolder
from bench.runs.history import read_history


@dataclass
class HistoryEvent:
    """Hold everything that is recorded of a step.

    Args:
        step: discriminator steps made.
        values: numbers by name: counts of steps and images, losses, a checkpoint's distance.
        picture: file with a picture of samples, if any.
    """

    step: int
    values: dict[str, float] = field(default_factory=dict)
    picture: Path | None = None


def iter_events(folder: RunFolder, batch_size: int, *, ended: bool) -> Iterator[HistoryEvent]:
    """Yield the steps that have losses, a scored checkpoint or a picture, in order.

    Args:
        ended: whether the run has ended; else its last reading and what comes after it are left
            out: a checkpoint or a picture may still be added to that step.
    """
    readings, events = read_history(folder.history), dict[int, HistoryEvent]()

    def at(step: int) -> HistoryEvent:
        return events.setdefault(step, HistoryEvent(step))

    for reading in readings:
        step = int(reading["step"])
        losses = {name: value for name, value in reading.items() if name not in ("step", "g_step")}
        at(step).values |= {"g_steps": int(reading["g_step"]), **losses}
    for candidate in read_candidates(folder.candidates).checkpoints:
        if candidate["frechet"] is not None:
            values = {"g_steps": candidate["g_steps"], "selection/frechet": candidate["frechet"]}
            at(candidate["d_steps"]).values |= values
    for path in folder.samples.glob("step-*.png"):
        at(int(path.stem.removeprefix("step-"))).picture = path
    final = folder.samples / "final.png"
    if ended and readings and final.is_file():
        last = at(int(readings[-1]["step"]))
        last.picture = last.picture or final
    last_step = int(readings[-1]["step"]) if readings else 0
    for step in sorted(events):
        if ended or step < last_step:
            events[step].values |= {"d_steps": step, "images": step * batch_size}
            yield events[step]
