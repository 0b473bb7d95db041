"""Where the variance of the score comes from: stacked shares for each variant."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.plotting import labels, layout, scales
from bench.plotting.style import ACCENT, INK, MUTED, SECOND, Drawing, figure, render
from bench.reporting.analysis.variance import Shares
from bench.reporting.tables.summary import Table
from bench.reporting.text import words

ROW = 0.27  # inches of a bar
COLOURS = {"hyperparameters": ACCENT, "training seed": SECOND, "evaluation": MUTED}
NARROW = 0.06  # share below which no number stands in a part


def variance_plot(table: Table, shares: Sequence[Shares]) -> Drawing | None:
    """One bar a variant; None for none."""
    if not shares:
        return None
    group = table.group
    names = [one.variant for one in shares]
    spreads = [_factor(one) for one in shares]
    head = "one sd is a factor of"
    margins = layout.Margins(layout.width_of(names) + 0.15, 0.25 + layout.width_of([head], 7), 0.3,
                             0.45)  # fmt: skip
    with figure(7.0, ROW * len(names) + margins.top + margins.bottom, placed=True) as shape:
        (axes,) = layout.panels(shape, 1, 1, margins)
        axes.set_xlim(0, 1)
        scales.fix_ticks(axes.xaxis, [0, 0.25, 0.5, 0.75, 1])
        labels.name_rows(axes, names, rules=False)
        for y, one in enumerate(shares):
            _bar(axes, y, one)
            labels.beside_row(axes, y, spreads[y])
        labels.note(axes, 1.02, 1.03, head, va="bottom")
        labels.key(axes, _marks(shares))
        axes.set_xlabel(f"share of the variance of the logarithm of the {words.title(group.first)}")
        alt = (
            "Shares of hyperparameters, training seed and evaluation in the variance of the score."
        )
        return render(shape, f"{group.slug}-variance", alt)


def parts_of(one: Shares) -> dict[str, float]:
    """Source -> share; they add up to 1."""
    found = {"hyperparameters": one.hyperparameters, "training seed": one.seed}
    found |= {} if one.evaluation is None else {"evaluation": one.evaluation}
    return {name: value / one.total if one.total else 0.0 for name, value in found.items()}


def _bar(axes: Any, y: int, one: Shares) -> None:
    left = 0.0
    for name, share in parts_of(one).items():
        box = [left, left + share, left + share, left], [y - 0.3, y - 0.3, y + 0.3, y + 0.3]
        axes.fill(*box, facecolor=COLOURS[name], alpha=0.35, edgecolor="none", zorder=2)
        if share >= NARROW:
            axes.text(left + share / 2, y, f"{100 * share:.0f} %", ha="center", color=INK,
                      va="center_baseline", fontsize=7, zorder=3)  # fmt: skip
        left += share


def _factor(one: Shares) -> str:
    return f"{np.exp(np.sqrt(one.total)):.1f}"


def _marks(shares: Sequence[Shares]) -> list[tuple[Any, str]]:
    from matplotlib.patches import Patch

    known = [one.evaluation is not None for one in shares]
    seed = "training seed" if all(known) else "training seed, with the noise of evaluation"
    names = {"hyperparameters": "hyperparameters", "training seed": seed}
    names |= {"evaluation": "evaluation"} if any(known) else {}
    return [(Patch(color=COLOURS[k], alpha=0.35, linewidth=0), said) for k, said in names.items()]
