"""Assess M2: spectral norm helps every loss."""

from bench.reporting.claims import modern
from bench.reporting.claims.claim import Claim, Finding, needs
from bench.reporting.claims.evidence import Evidence

NONE, SPECTRAL = "none", "spectral"


def assess(evidence: Evidence) -> Finding:
    """Compare each loss's score with spectral norm with that without, both without a penalty."""
    parts: list[modern.Part] = []
    sentences = []
    wanted = {"loss": (), "normalisation": (NONE, SPECTRAL)}
    for grid in modern.factorials(evidence, wanted):
        losses, found = grid.factors["loss"], {}
        for loss in losses:
            levels = {"loss": loss}
            if NONE in grid.factors.get("penalty", ()):
                levels["penalty"] = NONE
            with_norm, without = (
                grid.mean_at(**levels, normalisation=each) for each in (SPECTRAL, NONE)
            )
            found[loss] = with_norm - without
        parts += [modern.helps(one, len(losses)) for one in found.values()]
        ratios = ", ".join(f"{k} {modern.describe(one, len(losses))}" for k, one in found.items())
        sentences.append(
            f"on {grid.group.dataset} the score with spectral norm over that without is: {ratios}"
        )
    if not parts:
        return needs(modern.needs_factors("losses", "normalisations none and spectral"))
    return modern.finding(parts, sentences)


CLAIM = Claim(
    name="M2",
    text="Spectral norm helps every loss.",
    source=f"{modern.SOURCE}, after Miyato et al. 2018, arXiv:1802.05957",
    rule=(
        "A part for each loss, without a penalty: its score with spectral norm is lower than "
        f"without (refuted: higher, or equivalent). {modern.judge_words()}"
    ),
    assess=assess,
)
