"""Assess M3: augmentation helps only with few images."""

from bench.reporting.claims import modern
from bench.reporting.claims.claim import Claim, Finding, needs
from bench.reporting.claims.evidence import Evidence

IMAGES, NONE = "train_images", "none"


def assess(evidence: Evidence) -> Finding:
    """Compare the scores with and without augmentation at the fewest and at the most images."""
    parts: list[modern.Part] = []
    sentences = []
    for grid in modern.factorials(evidence, {IMAGES: (), "augmentation": (NONE,)}):
        name = next(each for each in grid.factors["augmentation"] if each != NONE)
        counts = sorted(grid.factors[IMAGES], key=int)
        gains = {}
        for count in counts:
            changed, plain = (
                grid.mean_at(**{IMAGES: count, "augmentation": each}) for each in (name, NONE)
            )
            gains[count] = changed - plain
        few, many = gains[counts[0]], gains[counts[-1]]
        helps = modern.helps(few, 3)
        parts.append(helps)
        if helps:
            parts += [modern.above(many, -modern.margin(), 3), modern.above(many - few, 0, 3)]
        ratios = ", ".join(f"{n} images {modern.describe(g, 3)}" for n, g in gains.items())
        sentences.append(
            f"on {grid.group.dataset} the score with {name} over that without is: {ratios}"
        )
    if not parts:
        return needs(modern.needs_factors("numbers of images", "augmentation with and without"))
    return modern.finding(parts, sentences)


CLAIM = Claim(
    name="M3",
    text="Augmentation helps only with few images.",
    source=f"{modern.SOURCE}, after Karras et al. 2020, arXiv:2006.06676",
    rule=(
        "With the fewest images the score with augmentation is lower than without (refuted: "
        "higher, or equivalent). Where it is, two parts more: with the most images it is not lower "
        "by more than the margin (refuted: it is), and the ratio is larger with the most images "
        f"than with the fewest (refuted: smaller). {modern.judge_words()}"
    ),
    assess=assess,
)
