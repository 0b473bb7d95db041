"""Claims of the study, and what they came to on the rows at hand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from bench.reporting.claims.evidence import Evidence

REPRODUCED = "reproduced"
PARTLY = "partly"
NOT = "not reproduced"
OPEN = "cannot be judged from these rows"


class Finding(NamedTuple):
    """A verdict, and the statistic with its interval in sentences; for OPEN what is needed."""

    verdict: str
    found: str


@dataclass(frozen=True)
class Claim:
    """A claim and the rule that judges it.

    Args:
        name: "C1" to "C12".
        text: the claim in one sentence.
        source: where it stands, and how far that was verified.
        rule: what turns rows into the verdict, fixed before they are seen.
        judge: the rule as code.
    """

    name: str
    text: str
    source: str
    rule: str
    judge: Callable[[Evidence], Finding]


@dataclass(frozen=True)
class Judged:
    """A claim with its verdict.

    Args:
        name, claim, source, rule: of the claim.
        verdict, found: of the finding.
        deviations: in what these rows differ from the study.
    """

    name: str
    claim: str
    source: str
    rule: str
    verdict: str
    found: str
    deviations: tuple[str, ...] = ()


def overall(parts: list[bool]) -> str:
    """REPRODUCED where all parts hold, NOT where none does, else PARTLY."""
    return REPRODUCED if all(parts) else PARTLY if any(parts) else NOT


def needs(what: str) -> Finding:
    """The finding of a claim that these rows cannot judge."""
    return Finding(OPEN, f"Needs {what}.")
