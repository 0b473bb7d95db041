"""What stages and comparisons are called on the page."""

from bench.reporting.comparisons import Comparison
from bench.reporting.sweep import Sweep


def unit(stage: Sweep) -> str:
    """What the runs of a contender differ by."""
    return "configurations" if stage.searches else "seeds"


def stage_title(stage: Sweep) -> str:
    """What a stage compares, in words."""
    if stage.searches:
        return "the search"
    if stage.rule:
        return "chosen configurations"
    return "all runs" if stage.stage == "all" else stage.stage


def section_title(comparison: Comparison) -> str:
    """The heading of a comparison."""
    group, stage = comparison.main.group, comparison.stage
    said = f"{group.dataset}, protocol {group.protocol['name']}"
    return f"The search: {said}" if stage.searches else said
