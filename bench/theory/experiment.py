"""An experiment on a statement about GANs: what is measured, and the rule of its verdict."""

import io
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from bench.plotting.style import Drawing

REPRODUCED, PARTLY, NOT = "reproduced", "partly", "not reproduced"
NOT_TESTED = "not tested"  # what the experiment needs does not exist yet
VERDICTS = (REPRODUCED, PARTLY, NOT, NOT_TESTED)

PartSettings = Mapping[str, Any]  # plain JSON: everything that a part's measurements depend on
Measurements = Mapping[str, np.ndarray]  # of one part: name -> numbers, no objects
PartResults = Mapping[str, Measurements]  # part -> its measurements, in the order of the parts


class Quantity(NamedTuple):
    """One number of a result.

    Args:
        name: quantity, setting and unit in words.
        value: the number; for several seeds their mean or median, as the name says.
        low, high: bounds of its 95 % interval, or None where it is exact.
        expected: value by the theory or the source, in words; empty where neither has one.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    expected: str = ""

    @property
    def lower(self) -> float:
        """Lower bound of the interval; the value where it is exact."""
        return self.value if self.low is None else self.low

    @property
    def upper(self) -> float:
        """Upper bound of the interval; the value where it is exact."""
        return self.value if self.high is None else self.high


class Result(NamedTuple):
    """The conclusion that an experiment's rule draws from its measurements.

    Args:
        verdict: one of VERDICTS.
        summary: one to three sentences with the deciding numbers, and where it is not
            "reproduced" the reason.
        numbers: all numbers that a reader may want, the deciding ones first.
    """

    verdict: str
    summary: str
    numbers: tuple[Quantity, ...]


class Figure(NamedTuple):
    """A figure and its caption; `frames` holds an animation of it as GIF, or nothing."""

    caption: str
    drawing: Drawing
    frames: bytes = b""

    def __repr__(self) -> str:
        return f"<figure {self.drawing.name}>"

    def _repr_png_(self) -> bytes:
        """Return the picture for a notebook, at half its width and height."""
        with Image.open(io.BytesIO(self.drawing.png)) as opened:
            half = opened.convert("RGB").reduce(2)
        content = io.BytesIO()
        half.save(content, format="png", optimize=True)
        return content.getvalue()


class CpuMinutes(NamedTuple):
    """Minutes that all parts take on one core of a laptop, measured once and rounded up."""

    full: float
    quick: float


@dataclass(frozen=True)
class Experiment:
    """One statement and the experiment that tests it.

    Args:
        id: "T7".
        title: a few words.
        statement: what the slides or the blog state, in one sentence.
        source: slides, blog or both, and in brackets the paper that they rest on.
        setup: densities, networks, steps and seeds of the experiment, in a few sentences.
        rule: which numbers lead to each of the three verdicts, fixed before they are measured.
        version: raised by hand where `measure` or `parts` change, so that no stale part is read.
        minutes: cost of all parts.
        parts: quick -> name of each part and its settings. A part is computed in one go by one
            process, written to disk, and never computed again.
        measure: settings of one part -> its measurements.
        conclude: measurements of all parts -> verdict, by the rule.
        draw: measurements of all parts -> figures.
        caveat: where the source is imprecise: what it says, what holds, and the example.
    """

    id: str
    title: str
    statement: str
    source: str
    setup: str
    rule: str
    version: int
    minutes: CpuMinutes
    parts: Callable[[bool], Mapping[str, PartSettings]]
    measure: Callable[[PartSettings], Measurements]
    conclude: Callable[[PartResults], Result]
    draw: Callable[[PartResults], Sequence[Figure]]
    caveat: str = ""


@dataclass(frozen=True, repr=False)
class Outcome:
    """An experiment with its measurements, result and figures; a notebook displays it.

    Args:
        quick: measured by the small budgets, which the verdict then says.
        provenance: part -> record of its measurement: settings, environment, wall seconds.
    """

    experiment: Experiment
    results: PartResults
    result: Result
    figures: tuple[Figure, ...]
    quick: bool
    provenance: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """One of VERDICTS, followed by "(quick)" where the budgets were the small ones."""
        return f"{self.result.verdict} (quick)" if self.quick else self.result.verdict

    def __repr__(self) -> str:
        return f"<{self.experiment.id}: {self.verdict}>"

    def _repr_markdown_(self) -> str:
        tested = self.experiment
        head = f"**{tested.id}, {tested.title}: {self.verdict}.**"
        return f"{head} {tested.statement} {self.result.summary}"


def choose_verdict(reproduced: bool, partly: bool) -> str:
    """REPRODUCED or PARTLY by the first of these conditions that holds; NOT where neither does."""
    return REPRODUCED if reproduced else PARTLY if partly else NOT


def overall_verdict(parts_hold: Collection[bool]) -> str:
    """REPRODUCED where all parts of a rule hold, NOT where none does, else PARTLY."""
    return choose_verdict(all(parts_hold), any(parts_hold))
