"""Define a claim, its rule, and the result of assessing it by rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bench.reporting.claims.evidence import Evidence

REPRODUCED = "reproduced"
PARTLY = "partly"
NOT = "not reproduced"
OPEN = "cannot be judged from these rows"


class Finding(NamedTuple):
    """A verdict with its reason.

    Args:
        verdict: REPRODUCED, PARTLY, NOT or OPEN.
        explanation: the statistic with its interval, in sentences; for OPEN what is needed.
    """

    verdict: str
    explanation: str


@dataclass(frozen=True)
class Claim:
    """A claim and the rule that decides it.

    Args:
        name: "C1" to "C12", "M1" to "M6".
        text: the claim in one sentence.
        source: where it stands, and how far that was verified.
        rule: how rows decide the verdict, in words, fixed before the rows were seen.
        assess: the rule as code.
    """

    name: str
    text: str
    source: str
    rule: str
    assess: Callable[[Evidence], Finding]


@dataclass(frozen=True)
class ClaimResult:
    """A claim with the verdict of a study's rows; see `Claim` and `Finding`.

    Args:
        claim: the claim's text.
        deviations: differences between these rows and those of Lucic et al. 2018, in sentences.
    """

    name: str
    claim: str
    source: str
    rule: str
    verdict: str
    explanation: str
    deviations: tuple[str, ...] = ()


def combine_parts(parts: Sequence[bool]) -> str:
    """Return REPRODUCED where all parts hold, NOT where none does, else PARTLY."""
    return REPRODUCED if all(parts) else PARTLY if any(parts) else NOT


def join_parts(parts: Sequence[str]) -> str:
    """Join "on digits ..." and "on mnist ..." to one sentence."""
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def needs(what: str) -> Finding:
    """Return the finding of a claim that these rows cannot decide."""
    return Finding(OPEN, f"Needs {what}.")
