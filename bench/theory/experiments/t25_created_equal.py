"""T25: tuned within the same budget, variants do not beat each other consistently."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench import stats
from bench.core.errors import UserError
from bench.core.files import sha256_of
from bench.plotting.style import HUES, MUTED, RULE, figure, render
from bench.theory.experiment import (
    NOT,
    PARTLY,
    REPRODUCED,
    Arrays,
    Experiment,
    Figure,
    Minutes,
    Number,
    PartResults,
    Result,
    Settings,
)

STUDY = Path(__file__).parents[3] / "results" / "created_equal_digits"
ROWS = STUDY / "rows.parquet"
CODES = (REPRODUCED, PARTLY, NOT, "cannot be judged from these rows")  # bench.reporting.claims'
JUDGED = ("C1", "C2")  # nothing beats the NS GAN consistently; most reach similar scores
ALPHA = 0.05  # of all pairs together


def parts(quick: bool) -> dict[str, Settings]:
    """The published rows, by their digest: other rows are another part."""
    return {STUDY.name: {"rows_sha256": sha256_of(ROWS) if ROWS.is_file() else "absent"}}


def measure(settings: Settings) -> Arrays:
    """Variants in the table's order, their outcomes [variants, seeds], and C1's and C2's verdict.

    Raises:
        UserError: the study's rows are not here, as in an installed package.
    """
    from bench.reporting.archive.read import load
    from bench.reporting.claims import test_claims as judge_claims
    from bench.reporting.claims.evidence import LIKELIHOOD, ranked
    from bench.reporting.claims.evidence import Evidence as Rows
    from bench.reporting.tables.comparisons import comparisons_of
    from bench.reporting.tables.summary import outcomes

    if not ROWS.is_file():
        raise UserError(
            f"T25 is judged by the rows of a study, and {ROWS} is not there",
            fix="run it from a checkout of the repository, which has results/",
        )
    comparisons = comparisons_of(load(STUDY).stages)
    (table,) = Rows(comparisons).rankings.values()  # one data set
    lines = list(ranked(table).values())
    verdicts = {one.name: CODES.index(one.verdict) for one in judge_claims(comparisons)}
    return {
        "name": np.array([line.name for line in lines]),
        "adversarial": np.array([line.contender.variant not in LIKELIHOOD for line in lines]),
        "cost": np.array([outcomes(table.group, line.contender) for line in lines]),
        "claims": np.array([verdicts[name] for name in JUDGED]),
    }


def judge(evidence: PartResults) -> Result:
    """Whether one variant is ahead of all others, and whether most are similar."""
    (arrays,) = evidence.values()
    names = [str(name) for name in arrays["name"]]
    gans = [n for n, adversarial in zip(names, arrays["adversarial"], strict=True) if adversarial]
    costs = dict(zip(names, arrays["cost"].tolist(), strict=True))
    different = stats.differences(costs, alpha=ALPHA)
    first, *others = gans
    level = [name for name in others if frozenset({first, name}) not in different]
    pairs = len(gans) * (len(gans) - 1) // 2
    apart = sum(pair <= set(gans) for pair in different)
    c1, c2 = (CODES[int(code)] for code in arrays["claims"])
    if level and c1 == c2 == REPRODUCED:
        verdict = REPRODUCED
    else:
        verdict = PARTLY if level or c2 in (REPRODUCED, PARTLY) else NOT
    level_said = ", ".join(level) or "none"
    found = (
        f"Of {len(gans)} tuned GANs {first} has the best mean, and {len(level)} others cannot be "
        f"told from it by exact rank tests over {arrays['cost'].shape[1]} seeds ({level_said}); "
        f"{apart} of {pairs} pairs of GANs do differ. C2, similar scores of most: {c2}. C1, "
        f"nothing beats the NS GAN consistently: {c1}."
    )
    numbers = (
        Number("GANs that cannot be told from the first", float(len(level)), known="1 or more"),
        Number("GANs", float(len(gans))),
        Number("pairs of GANs that differ significantly", float(apart)),
        Number("pairs of GANs", float(pairs)),
        *(_mean(name, costs[name]) for name in names),
    )
    return Result(verdict, found, numbers)


def draw(evidence: PartResults) -> Sequence[Figure]:
    """Each seed of each variant; those that cannot be told from the first in its colour."""
    (arrays,) = evidence.values()
    names = [str(name) for name in arrays["name"]]
    costs = dict(zip(names, arrays["cost"].tolist(), strict=True))
    different = stats.differences(costs, alpha=ALPHA)
    with figure(7.2, 2.8) as shape:
        axes = shape.subplots()
        for place, name in enumerate(names):
            values = np.array(costs[name])
            level = frozenset({names[0], name}) not in different
            colour = HUES[0] if level else HUES[1]
            axes.axhline(place, color=RULE, linewidth=0.5)
            axes.plot(
                values, np.full(len(values), place), "o", color=colour, markersize=4, alpha=0.6
            )
            axes.plot(values.mean(), place, "|", color=colour, markersize=14)
        axes.set_yticks(range(len(names)), names)
        axes.set(xscale="log", xlabel="Frechet distance of digits' features (lower is better)")
        axes.set_xticks([5, 10, 20, 50, 100])
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("")
        axes.invert_yaxis()
        axes.text(0.99, 0.5, f"level with {names[0]}", color=HUES[0], **_corner(axes))
        axes.text(0.99, 1.5, "significantly worse", color=HUES[1], **_corner(axes))
        axes.text(0.99, 2.5, "bar: mean", color=MUTED, **_corner(axes))
        axes.set_title("Each variant as a search of 20 configurations tuned it")
        alt = "Frechet distances of each seed of each tuned variant on 8x8 digits"
        drawing = render(shape, "T25-seeds", alt)
    caption = (
        "Ten fresh seeds of the best of twenty configurations, on 8x8 digits. Exact rank-sum "
        "tests, 5 % for all pairs together."
    )
    return [Figure(caption, drawing)]


def _corner(axes) -> dict:
    return {"transform": axes.get_yaxis_transform(), "ha": "right", "va": "center"}


def _mean(name: str, costs: Sequence[float]) -> Number:
    """Of finished runs; infinity where one diverged."""
    return Number(f"mean Frechet distance, {name}", float(np.mean(costs)))


STATEMENT = Experiment(
    id="T25",
    title="Created equal",
    text=(
        "Variants of GAN do not beat each other consistently once each is tuned within the same "
        "budget."
    ),
    source="slides [Lucic et al. 2018, arXiv:1711.10337]",
    experiment=(
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
    version=1,
    minutes=Minutes(full=0.5, quick=0.5),
    parts=parts,
    measure=measure,
    judge=judge,
    draw=draw,
    caveat=(
        "'Consistently' speaks of several data sets, and these rows have one, of 8x8 pixels, with "
        "small networks, 1,000 steps and twenty configurations instead of a hundred: they can "
        "neither show nor refute consistency. They were published before this rule was written. "
        "Not to be told apart is not to be equal: ten seeds show large differences only."
    ),
    needs=ROWS,
)
