"""What a claim of the study came to on the rows at hand."""

from dataclasses import dataclass

REPRODUCED = "reproduced"
PARTLY = "partly"
NOT = "not reproduced"
OPEN = "cannot be judged from these rows"
VERDICTS = (REPRODUCED, PARTLY, NOT, OPEN)


@dataclass(frozen=True)
class Judged:
    """A claim with its verdict.

    Args:
        name: "C1" to "C12".
        claim: in one sentence.
        source: where the claim stands, and how far that was verified.
        rule: what turns rows into the verdict, fixed before they are seen.
        verdict: one of VERDICTS.
        found: the statistic with its interval, in sentences; for OPEN what is needed.
        deviations: in what these rows differ from the study, as far as it touches the claim.
    """

    name: str
    claim: str
    source: str
    rule: str
    verdict: str
    found: str
    deviations: tuple[str, ...] = ()
