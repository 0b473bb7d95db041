"""Assess C11: Adam or RMSProp makes little difference to WGAN."""

from bench.reporting.analysis.rankings import improvement_interval
from bench.reporting.claims.claim import NOT, PARTLY, REPRODUCED, Claim, Finding, needs
from bench.reporting.claims.evidence import Evidence
from bench.reporting.tables.summary import LEVEL

LITTLE = (0.25, 0.75)  # probability of improvement within which the difference is little


def assess(evidence: Evidence) -> Finding:
    """Compute P(a configuration is better under Adam than one under RMSProp)."""
    intervals = {}
    for dataset, search in evidence.searches.items():
        wgans = [one for one in search.variants if one.variant == "wgan" and one.configs]
        rmsprop = [one for one in wgans if "optimizer=rmsprop" in one.name]
        adam = [one for one in wgans if one not in rmsprop]
        if adam and rmsprop:
            intervals[dataset] = improvement_interval(adam[0].costs, rmsprop[0].costs)
    if not intervals:
        return needs(
            "a search of wgan with optimizer=adam and one with optimizer=rmsprop in one study "
            "(sweeps=created_equal_optimizers has the second alone)"
        )
    parts = "; ".join(
        f"on {d} {i.value:.2f} [{i.low:.2f}, {i.high:.2f}]" for d, i in intervals.items()
    )
    inside = [LITTLE[0] <= i.low and i.high <= LITTLE[1] for i in intervals.values()]
    means = [LITTLE[0] <= i.value <= LITTLE[1] for i in intervals.values()]
    verdict = REPRODUCED if all(inside) else PARTLY if all(means) else NOT
    return Finding(verdict, f"Probability that a configuration is better under Adam: {parts}.")


CLAIM = Claim(
    name="C11",
    text="For WGAN, Adam or RMSProp makes little difference.",
    source="experiment in compare_gan v1; its outcome from memory, unverified",
    rule=(
        f"Reproduced: on every data set the {LEVEL:.0%} interval of the probability that a "
        f"configuration is better under Adam lies within {LITTLE[0]} to {LITTLE[1]}; partly: the "
        f"probability itself does; not reproduced: otherwise."
    ),
    assess=assess,
)
