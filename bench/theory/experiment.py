"""A statement of the seed documents as an experiment: what is measured, and what judges it."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from bench.plotting.style import Drawing

REPRODUCED, PARTLY, NOT = "reproduced", "partly", "not reproduced"
VERDICTS = (REPRODUCED, PARTLY, NOT)

Settings = Mapping[str, Any]  # of a part: plain JSON; what is in it is what its result depends on
Arrays = dict[str, np.ndarray]  # a part's result: numbers, no objects
PartResults = Mapping[
    str, Mapping[str, np.ndarray]
]  # part -> its result, in the order of the parts


class Number(NamedTuple):
    """One number of a result.

    Args:
        name: what it is of which setting, unit included.
        value: itself; for several seeds the mean or median that the name tells.
        low, high: bounds of its interval, or None where it is exact.
        known: what it should be by the theory or the document, in words; empty where nothing says.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    known: str = ""


class Result(NamedTuple):
    """What a rule made of the evidence.

    Args:
        verdict: one of VERDICTS.
        found: one to three sentences with the deciding numbers, and where it is not
            "reproduced" the reason.
        numbers: all numbers that a reader may want, the deciding ones first.
    """

    verdict: str
    found: str
    numbers: tuple[Number, ...]


class Figure(NamedTuple):
    """A figure and the words below it; `frames` holds an animation of it as GIF, or nothing."""

    caption: str
    drawing: Drawing
    frames: bytes = b""

    def __repr__(self) -> str:
        return f"<figure {self.drawing.name}>"

    def _repr_png_(self) -> bytes:
        """For a notebook, at half the pixels."""
        with Image.open(io.BytesIO(self.drawing.png)) as opened:
            half = opened.convert("RGB").reduce(2)
        content = io.BytesIO()
        half.save(content, format="png", optimize=True)
        return content.getvalue()


class Minutes(NamedTuple):
    """What all parts take on one core of a laptop, measured once and rounded up."""

    full: float
    quick: float


@dataclass(frozen=True)
class Experiment:
    """One statement and its experiment.

    Args:
        id: "T7".
        title: a few words.
        text: the statement in one sentence.
        source: the document and, in brackets, the paper it leans on.
        experiment: what is done, in a few sentences: densities, networks, steps, seeds.
        rule: what turns the numbers into each of the three verdicts, fixed before they are known.
        version: raised by hand where `measure` or `parts` change, so that nothing stale is read.
        minutes: see `Minutes`.
        parts: quick -> name of each part and its settings. A part is what is computed at once in
            one process, kept, and never computed again.
        measure: the settings of one part -> its result.
        judge: all results -> verdict.
        draw: all results -> figures.
        caveat: where the document is loose: what it says, what holds, and the example.
        needs: a file that only a checkout of the repository has, if any.
    """

    id: str
    title: str
    text: str
    source: str
    experiment: str
    rule: str
    version: int
    minutes: Minutes
    parts: Callable[[bool], Mapping[str, Settings]]
    measure: Callable[[Settings], Arrays]
    judge: Callable[[PartResults], Result]
    draw: Callable[[PartResults], Sequence[Figure]]
    caveat: str = ""
    needs: Path | None = None


@dataclass(frozen=True, repr=False)
class Outcome:
    """A statement with its evidence, verdict and figures; a notebook shows it by itself.

    Args:
        quick: by the small budgets, which the verdict then says.
        about: part -> what was recorded of its making: settings, environment, wall seconds.
    """

    statement: Experiment
    evidence: PartResults
    finding: Result
    pictures: tuple[Figure, ...]
    quick: bool
    about: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """One of VERDICTS, marked where the budgets were the small ones."""
        return f"{self.finding.verdict} (quick)" if self.quick else self.finding.verdict

    def __repr__(self) -> str:
        return f"<{self.statement.id}: {self.verdict}>"

    def _repr_markdown_(self) -> str:
        one = self.statement
        return f"**{one.id}, {one.title}: {self.verdict}.** {one.text} {self.finding.found}"


def overall(parts: Sequence[bool]) -> str:
    """REPRODUCED where all parts hold, NOT where none does, else PARTLY."""
    return REPRODUCED if all(parts) else PARTLY if any(parts) else NOT
