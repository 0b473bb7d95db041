"""C11: Adam or RMSProp makes little difference to WGAN."""

from bench import stats
from bench.reporting.claims.evidence import Evidence
from bench.reporting.claims.judged import NOT, PARTLY, REPRODUCED, Claim, Finding, needs
from bench.reporting.tables.search import Search, Searched
from bench.reporting.tables.summary import LEVEL, RESAMPLES, generator

LITTLE = (0.25, 0.75)  # probability of improvement within which the difference is little


def judge(evidence: Evidence) -> Finding:
    """Probability that a configuration does better under Adam than under RMSProp."""
    intervals = {}
    for dataset, search in evidence.searches.items():
        pair = _pair(search)
        if pair is not None:
            intervals[dataset] = stats.improvement_interval(
                pair[0].costs,
                pair[1].costs,
                level=LEVEL,
                resamples=RESAMPLES,
                generator=generator(),
            )
    if not intervals:
        return needs(
            "a search of wgan with optimizer=adam and one with optimizer=rmsprop in one study "
            "(sweeps=created_equal_optimizers has the second alone)"
        )
    said = "; ".join(
        f"on {d} {i.value:.2f} [{i.low:.2f}, {i.high:.2f}]" for d, i in intervals.items()
    )
    inside = [LITTLE[0] <= i.low and i.high <= LITTLE[1] for i in intervals.values()]
    means = [LITTLE[0] <= i.value <= LITTLE[1] for i in intervals.values()]
    verdict = REPRODUCED if all(inside) else PARTLY if all(means) else NOT
    return Finding(verdict, f"Probability that a configuration is better under Adam: {said}.")


def _pair(search: Search) -> tuple[Searched, Searched] | None:
    """WGAN under Adam and under RMSProp."""
    wgans = [one for one in search.variants if one.variant == "wgan" and one.configs]
    rmsprop = [one for one in wgans if "optimizer=rmsprop" in one.name]
    adam = [one for one in wgans if one not in rmsprop]
    return (adam[0], rmsprop[0]) if adam and rmsprop else None


CLAIM = Claim(
    name="C11",
    text="For WGAN, Adam or RMSProp makes little difference.",
    source="experiment in compare_gan v1; its outcome from memory, unverified",
    rule=(
        f"Reproduced: on every data set the {LEVEL:.0%} interval of the probability that a "
        f"configuration is better under Adam lies within {LITTLE[0]} to {LITTLE[1]}; partly: the "
        f"probability itself does; not reproduced: otherwise."
    ),
    judge=judge,
)
