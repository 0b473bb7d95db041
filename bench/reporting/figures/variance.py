"""Draw where the variance of the score comes from: stacked shares for each variant."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.plotting import labels, layout, scales
from bench.plotting.style import ACCENT, INK, MUTED, SECOND, Drawing, figure, render
from bench.reporting.analysis.variance_shares import VarianceShares, variance_shares
from bench.reporting.figures.figure import SEEDS, FigureSpec, SectionData
from bench.reporting.text import words

ROW = 0.27  # inches of a bar
COLOURS = {"hyperparameters": ACCENT, "training seed": SECOND, "evaluation": MUTED}
MIN_LABELLED = 0.06  # share below which no number stands in a part


def draw(section: SectionData) -> Drawing | None:
    """Draw a bar for each variant; None where no variant has enough runs of both stages."""
    group, shares = section.table.group, _shares(section)
    if not shares:
        return None
    names = labels.wrap_rows(one.variant for one in shares)
    column_title = "one sd is a factor of"
    margins = layout.Margins(layout.text_width(names) + 0.15,
                             0.25 + layout.text_width([column_title], 7), 0.3, 0.45)  # fmt: skip
    height = labels.row_height(names, ROW) * len(names) + margins.top + margins.bottom
    with figure(layout.figure_width(margins, 3.0), height, placed=True) as fig:
        (axes,) = layout.add_panels(fig, 1, 1, margins)
        axes.set_xlim(0, 1)
        scales.set_ticks(axes.xaxis, [0, 0.25, 0.5, 0.75, 1])
        labels.label_rows(axes, names, rules=False)
        for y, one in enumerate(shares):
            _draw_bar(axes, y, one)
            labels.annotate_row(axes, y, f"{np.exp(np.sqrt(one.total)):.1f}")
        labels.add_note(axes, 1.02, 1.03, column_title, va="bottom")
        labels.add_legend(axes, _legend_marks(shares))
        metric = words.metric_title(group.first)
        axes.set_xlabel(f"share of the variance of the logarithm of the {metric}")
        sources = "hyperparameters, training seed and evaluation"
        alt = f"Shares of {sources} in the variance of the score."
        return render(fig, f"{group.slug}-variance", alt)


def caption(section: SectionData) -> str:
    """Say how the variance divides, what was assumed, and which variants are missing."""
    shares = _shares(section)
    variants = {one.variant for one in shares}
    missing = [row.name for row in section.table.rows if row.method.variant not in variants]
    noise = (
        " Some have no scores under other latents; there the seed's share includes the noise of "
        "the evaluation."
    ) * any(one.evaluation is None for one in shares)
    few = f" Too few runs of {words.join_with_and(missing)}." if missing and shares else ""
    return (
        "Where the variance of the log score over the configurations of the search comes from: "
        "the part that another training seed of the chosen configuration causes, and the rest, "
        f"from hyperparameters.{noise} The seed's variance is measured on the chosen configuration "
        "and assumed for all; for poor ones it may be larger. Runs that diverged count as the "
        "untrained generator. The factor at the right is one standard deviation of all parts "
        f"together: scores typically differ from their centre by this factor.{few}"
    )


def _shares(section: SectionData) -> list[VarianceShares]:
    return variance_shares(section.source_search, section.table) if section.source_search else []


def relative_shares(one: VarianceShares) -> dict[str, float]:
    """Return source -> share of the variance; they add up to 1."""
    variances = {"hyperparameters": one.hyperparameters, "training seed": one.seed}
    variances |= {} if one.evaluation is None else {"evaluation": one.evaluation}
    return {name: value / one.total if one.total else 0.0 for name, value in variances.items()}


def _draw_bar(axes: Any, y: int, one: VarianceShares) -> None:
    left = 0.0
    for name, share in relative_shares(one).items():
        box = [left, left + share, left + share, left], [y - 0.3, y - 0.3, y + 0.3, y + 0.3]
        axes.fill(*box, facecolor=COLOURS[name], alpha=0.35, edgecolor="none", zorder=2)
        if share >= MIN_LABELLED:
            axes.text(left + share / 2, y, f"{100 * share:.0f} %", ha="center", color=INK,
                      va="center_baseline", fontsize=7, zorder=3)  # fmt: skip
        left += share


def _legend_marks(shares: Sequence[VarianceShares]) -> list[tuple[Any, str]]:
    from matplotlib.patches import Patch

    separate = [one.evaluation is not None for one in shares]
    seed = "training seed" if all(separate) else "training seed, with the noise of evaluation"
    names = {"hyperparameters": "hyperparameters", "training seed": seed}
    names |= {"evaluation": "evaluation"} if any(separate) else {}
    return [(Patch(color=COLOURS[k], alpha=0.35, linewidth=0), label) for k, label in names.items()]


FIGURE = FigureSpec("Sources of variance", (SEEDS,), draw, caption, place=90)
