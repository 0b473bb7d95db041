"""What a tracker is told of a run's history: the files of its folder and nothing else.

Whatever happened on the way (a kill, another attempt, a server that was away), a tracker that
knows up to which step it was told can be told the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.runs.candidates import read_candidates
from bench.runs.folder import RunFolder
from bench.training.history import read_history


@dataclass
class HistoryEvent:
    """All that is known of a step.

    Args:
        values: by name: the counts of steps and images, losses, the distance of a checkpoint.
        picture: of samples.
    """

    step: int
    values: dict[str, float] = field(default_factory=dict)
    picture: Path | None = None


def iter_events(folder: RunFolder, batch_size: int, *, ended: bool) -> Iterator[HistoryEvent]:
    """The run's steps that have a reading, a scored checkpoint or a picture, in order.

    Args:
        ended: the run has ended; else its last reading is left out, and what comes after it: a
            checkpoint or a picture may be added to that step yet.
    """
    readings, found = read_history(folder.history), dict[int, HistoryEvent]()

    def at(step: int) -> HistoryEvent:
        return found.setdefault(step, HistoryEvent(step))

    for reading in readings:
        step = int(reading["step"])
        values = {name: value for name, value in reading.items() if name not in ("step", "g_step")}
        at(step).values |= {"g_steps": int(reading["g_step"]), **values}
    for candidate in read_candidates(folder.candidates).steps:
        if candidate["frechet"] is not None:
            told = {"g_steps": candidate["g_steps"], "selection/frechet": candidate["frechet"]}
            at(candidate["d_steps"]).values |= told
    for path in folder.samples.glob("step-*.png"):
        at(int(path.stem.removeprefix("step-"))).picture = path
    final = folder.samples / "final.png"
    if ended and readings and final.is_file():
        last = at(int(readings[-1]["step"]))
        last.picture = last.picture or final
    until = int(readings[-1]["step"]) if readings else 0
    for step in sorted(found):
        if ended or step < until:
            found[step].values |= {"d_steps": step, "images": step * batch_size}
            yield found[step]
