"""Put the effects of a factorial into rows of text, and say in words what they are."""

from bench.reporting.analysis.factorial import CONFIGURATION, ORDER, Factorial
from bench.reporting.tables.summary import LEVEL
from bench.reporting.text import words

COLUMN_TITLES = ("factor", "ratio of the score", f"{LEVEL:.0%} interval")


def effect_rows(factorial: Factorial) -> list[tuple[str, str, str]]:
    """Return a row under COLUMN_TITLES for each main effect, then for each interaction of two."""
    rows = []
    for levels, (ratio, low, high) in factorial.effects:
        name = " with ".join(f"{factor}={level}" for factor, level in levels.items())
        rows.append((name, _format(ratio), f"{_format(low)} to {_format(high)}"))
    return rows


def describe_effects(factorial: Factorial) -> str:
    """Say what a ratio is, over what it is averaged, and which runs are in it."""
    first = words.join_with_and(
        f"{factor}={levels[0]}" for factor, levels in factorial.factors.items()
        if factor != CONFIGURATION
    )  # fmt: skip
    direction = words.better_direction(factorial.group.first, factorial.group)
    title = words.metric_title(factorial.group.first)
    cells = factorial.logs[..., 0].size
    text = (
        f"Geometric mean of the {title} ({direction}) over that with the factor's first entry "
        f"({first}), averaged over all other factors; of two factors together, over what they "
        f"would do if each did what it does alone. Intervals of {LEVEL:.0%}, each by itself: "
        f"Student's, of the logarithm, over {len(factorial.seeds)} seeds of all {cells} cells."
    )
    if len(factorial.factors) > ORDER:
        text += f" Interactions of more than {ORDER} factors are not listed."
    if factorial.untrained:
        runs = words.count_phrase(factorial.untrained, "run")
        text += f" Counted as the untrained generator because they diverged: {runs}."
    if factorial.incomplete:
        seeds = words.join_with_and(map(str, factorial.incomplete))
        text += f" Left out because some cell has no score of them: seeds {seeds}."
    return text


def _format(ratio: float) -> str:
    return f"{ratio:#.3g}" if ratio < 100 else f"{ratio:,.0f}"
