"""Assess M4: the moving average is worth more than the choice of loss."""

from bench.reporting.claims import modern
from bench.reporting.claims.claim import Claim, Finding, needs
from bench.reporting.claims.evidence import Evidence


def assess(evidence: Evidence) -> Finding:
    """Compare the same runs' two scores, and the gain with the differences between losses."""
    parts: list[modern.Part] = []
    sentences = []
    averaged = {g.group.dataset: g for g in modern.factorials(evidence, {"loss": ()}, "final")}
    for raw in modern.factorials(evidence, {"loss": ()}, "raw"):
        mean = averaged.get(raw.group.dataset)
        if mean is None or mean.factors != raw.factors or mean.seeds != raw.seeds:
            continue
        gain = raw.mean_at() - mean.mean_at()
        kept, ratios = modern.against_losses(mean, gain)
        parts += kept
        sentences.append(
            f"on {mean.group.dataset} the score of the last weights over that of their moving "
            f"average is {modern.describe(gain)}, and of one loss over another: {ratios}"
        )
    if not parts:
        both = "scored as the moving average and as the last weights (score.raw=true)"
        return needs(f"{modern.needs_factors('losses')}, {both}")
    return modern.finding(parts, sentences)


CLAIM = Claim(
    name="M4",
    text="The moving average of the weights is worth more than the choice of loss.",
    source=modern.SOURCE,
    rule=(
        "A part for each pair of losses, all other factors averaged: the gain, the logarithm of "
        "the last weights' score over that of their average, is larger than the size of the "
        "difference between the two losses (both one-sided tests at 5 %; refuted: smaller). "
        f"{modern.judge_words()}"
    ),
    assess=assess,
)
