"""Assess M5: the network, not the loss, makes R3GAN."""

from bench.reporting.claims import modern
from bench.reporting.claims.claim import Claim, Finding, needs
from bench.reporting.claims.evidence import Evidence

NETWORKS = ("infogan", "r3gan")


def assess(evidence: Evidence) -> Finding:
    """Compare the gain by the network with the differences between losses."""
    parts: list[modern.Part] = []
    sentences = []
    for grid in modern.factorials(evidence, {"network": NETWORKS, "loss": ()}):
        before, after = (grid.mean_at(network=name) for name in NETWORKS)
        gain = before - after
        kept, ratios = modern.against_losses(grid, gain)
        parts += kept
        sentences.append(
            f"on {grid.group.dataset} the score of {NETWORKS[0]} over that of {NETWORKS[1]} is "
            f"{modern.describe(gain)}, and of one loss over another: {ratios}"
        )
    if not parts:
        return needs(modern.needs_factors(f"networks {' and '.join(NETWORKS)}", "losses"))
    return modern.finding(parts, sentences)


CLAIM = Claim(
    name="M5",
    text="The network, not the loss, makes R3GAN.",
    source=f"{modern.SOURCE}, after Huang et al. 2025, arXiv:2501.05441",
    rule=(
        "A part for each pair of losses, all other factors averaged: the gain by R3GAN's network "
        "over the study's is larger than the size of the difference between the two losses (both "
        f"one-sided tests at 5 %; refuted: smaller). {modern.judge_words()}"
    ),
    assess=assess,
)
