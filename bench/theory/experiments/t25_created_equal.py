"""T25: tuned within the same budget, variants do not beat each other consistently.

Lucic et al. 2018 (arXiv:1711.10337). Measured: nothing new; exact rank tests and the study's own
claims on the published rows of results/created_equal_digits.
"""

from pathlib import Path

import numpy as np

from bench import stats
from bench.core.errors import UserError
from bench.core.files import sha256_of
from bench.plotting.style import HUES, MUTED, RULE, figure, render
from bench.runs.identity import SEMANTICS_VERSION
from bench.theory.experiment import (
    NOT,
    NOT_TESTED,
    PARTLY,
    REPRODUCED,
    CpuMinutes,
    Experiment,
    Figure,
    Measurements,
    PartResults,
    PartSettings,
    Quantity,
    Result,
    choose_verdict,
)

STUDY = Path(__file__).parents[3] / "results" / "created_equal_digits"
ROWS = STUDY / "rows.parquet"
VERDICT_CODES = (
    REPRODUCED,
    PARTLY,
    NOT,
    "cannot be judged from these rows",
)  # bench.reporting.claims'
STUDY_CLAIMS = ("C1", "C2")  # nothing beats the NS GAN consistently; most reach similar scores
ALPHA = 0.05  # error rate of all pairs together


def parts(quick: bool) -> dict[str, PartSettings]:
    """List one part, named by the digest of the published rows: other rows are another part."""
    return {STUDY.name: {"rows_sha256": sha256_of(ROWS) if ROWS.is_file() else "absent"}}


def measure(settings: PartSettings) -> Measurements:
    """Read the ranked variants, their outcomes [variants, seeds], and the verdicts of C1 and C2.

    Without rows that this version of the suite reads, there are none of them.
    """
    from bench.reporting.archive.read import load
    from bench.reporting.claims import assess_claims
    from bench.reporting.claims.evidence import Evidence, compared_rows, is_adversarial
    from bench.reporting.tables.comparisons import build_comparisons
    from bench.reporting.tables.summary import outcome_values

    try:
        comparisons = build_comparisons(load(STUDY).stages)
    except UserError:
        return {"name": np.array([], dtype=str)}
    (table,) = Evidence(comparisons).rankings.values()  # one data set
    methods = compared_rows(table)
    verdicts = {one.name: VERDICT_CODES.index(one.verdict) for one in assess_claims(comparisons)}
    return {
        "name": np.array([line.name for line in methods]),
        "adversarial": np.array([is_adversarial(line.method) for line in methods]),
        "cost": np.array([outcome_values(table.group, line.method) for line in methods]),
        "claims": np.array([verdicts[name] for name in STUDY_CLAIMS]),
    }


def conclude(results: PartResults) -> Result:
    """Check whether one variant is ahead of all others, and whether most are similar."""
    (arrays,) = results.values()
    if not arrays["name"].size:
        why = f"The rows of results/{STUDY.name}, by which it is judged, are not here in version "
        return Result(NOT_TESTED, f"{why}{SEMANTICS_VERSION} of the suite's mathematics.", ())
    costs, different = _costs_and_differences(arrays)
    gans = [n for n, adversarial in zip(costs, arrays["adversarial"], strict=True) if adversarial]
    first, *others = gans
    level = [name for name in others if frozenset({first, name}) not in different]
    pairs = len(gans) * (len(gans) - 1) // 2
    apart = sum(pair <= set(gans) for pair in different)
    c1, c2 = (VERDICT_CODES[int(code)] for code in arrays["claims"])
    reproduced = bool(level) and c1 == c2 == REPRODUCED
    verdict = choose_verdict(reproduced, bool(level) or c2 in (REPRODUCED, PARTLY))
    summary = (
        f"Of {len(gans)} tuned GANs {first} has the best mean, and {len(level)} others cannot be "
        f"told from it by exact rank tests over {arrays['cost'].shape[1]} seeds "
        f"({', '.join(level) or 'none'}); "
        f"{apart} of {pairs} pairs of GANs do differ. C2, similar scores of most: {c2}. C1, "
        f"nothing beats the NS GAN consistently: {c1}."
    )
    numbers = (
        Quantity("GANs that cannot be told from the first", len(level), expected="1 or more"),
        Quantity("GANs", len(gans)),
        Quantity("pairs of GANs that differ significantly", apart),
        Quantity("pairs of GANs", pairs),
        # infinity where a run diverged
        *(Quantity(f"mean Frechet distance, {n}", float(np.mean(costs[n]))) for n in costs),
    )
    return Result(verdict, summary, numbers)


def draw(results: PartResults) -> list[Figure]:
    """Draw each seed of each variant; those level with the first have its colour."""
    (arrays,) = results.values()
    if not arrays["name"].size:
        return []
    costs, different = _costs_and_differences(arrays)
    names = list(costs)
    with figure(7.2, 2.8) as shape:
        axes = shape.subplots()
        for place, name in enumerate(names):
            values = np.array(costs[name])
            level = frozenset({names[0], name}) not in different
            colour = HUES[0] if level else HUES[1]
            axes.axhline(place, color=RULE, linewidth=0.5)
            look = {"color": colour, "markersize": 4, "alpha": 0.6}
            axes.plot(values, np.full(len(values), place), "o", **look)
            axes.plot(values.mean(), place, "|", color=colour, markersize=14)
        axes.set_yticks(range(len(names)), names)
        axes.set(xscale="log", xlabel="Frechet distance of digits' features (lower is better)")
        axes.set_xticks([5, 10, 20, 50, 100])
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("")
        axes.invert_yaxis()
        beside = {"transform": axes.get_yaxis_transform(), "ha": "right", "va": "center"}
        axes.text(0.99, 0.5, f"level with {names[0]}", color=HUES[0], **beside)
        axes.text(0.99, 1.5, "significantly worse", color=HUES[1], **beside)
        axes.text(0.99, 2.5, "bar: mean", color=MUTED, **beside)
        axes.set_title("Each variant as a search of 20 configurations tuned it")
        alt = "Frechet distances of each seed of each tuned variant on 8x8 digits"
        drawing = render(shape, "T25-seeds", alt)
    caption = (
        "Ten fresh seeds of the best of twenty configurations, on 8x8 digits. Exact rank-sum "
        "tests, 5 % for all pairs together."
    )
    return [Figure(caption, drawing)]


def _costs_and_differences(
    arrays: Measurements,
) -> tuple[dict[str, list[float]], dict[frozenset[str], float]]:
    """Return each variant's outcomes over seeds, and the pairs that differ significantly."""
    costs = dict(zip(map(str, arrays["name"]), arrays["cost"].tolist(), strict=True))
    return costs, stats.differences(costs, alpha=ALPHA)


EXPERIMENT = Experiment(
    id="T25",
    title="Created equal",
    statement=(
        "Variants of GAN do not beat each other consistently once each is tuned within the same "
        "budget."
    ),
    source="slides [Lucic et al. 2018, arXiv:1711.10337]",
    setup=(
        "The suite's study on 8x8 digits, from its published rows: twenty configurations of each "
        "of nine variants, one of which is a VAE, and ten fresh seeds of the best of each."
    ),
    rule=(
        "Reproduced: some GAN cannot be told from the one with the best mean (exact rank-sum "
        "tests, 5 % for all pairs together, diverged runs last), and the study's claims C1 and C2 "
        "are both reproduced by their own rules. Not reproduced: the first is significantly "
        "better than every other GAN, and C2 is not reproduced. Partly: otherwise. C1 needs two "
        "data sets."
    ),
    version=2,
    minutes=CpuMinutes(full=0.5, quick=0.5),
    parts=parts,
    measure=measure,
    conclude=conclude,
    draw=draw,
    caveat=(
        "'Consistently' speaks of several data sets, and these rows have one, of 8x8 pixels, with "
        "small networks, 1,000 steps and twenty configurations instead of a hundred: they can "
        "neither show nor refute consistency. They were published before this rule was written. "
        "Not to be told apart is not to be equal: ten seeds show large differences only."
    ),
)
