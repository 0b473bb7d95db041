"""Assess C9: on triangles many models fail to reach a high F1."""

from bench.reporting.claims.claim import Claim, Finding, combine_parts, needs
from bench.reporting.claims.evidence import Evidence, find_row
from bench.reporting.text import words

HIGH = 0.5  # F1
BEST = ("ns_gan", "wgan")


def assess(evidence: Evidence) -> Finding:
    """Find the variants that reach HIGH, and whether the study's two best are in the upper half."""
    holds, parts = [], []
    for table in evidence.tables:
        if "polygon_f1" not in table.group.metrics:
            continue
        means = {
            row.name: row.cells["polygon_f1"].mean if "polygon_f1" in row.cells else 0.0
            for row in table.rows
            if "polygon_f1" in row.cells or row.method.counts["diverged"]
        }
        best_rows = [find_row(table.rows, variant) for variant in BEST]
        best = {row.name for row in best_rows if row is not None and row.name in means}
        if len(means) < 3 or len(best) < len(BEST):
            continue
        high = [name for name, mean in means.items() if mean >= HIGH]
        order = sorted(means, key=means.__getitem__, reverse=True)
        holds += [len(high) <= len(means) / 2, best <= {*order[: -(-len(order) // 2)]}]
        reached = words.join_with_and(high) if high else "none"
        parts.append(
            f"{table.group.slug}: F1 of {HIGH} is reached by {reached} of {len(means)}; in order: "
            f"{', '.join(order)}"
        )
    if not parts:
        entries = "dataset=triangles, score=study_polygons"
        return needs(f"polygon F1 of ns_gan, wgan and another variant ({entries})")
    return Finding(combine_parts(holds), f"{'; '.join(parts)}.")


CLAIM = Claim(
    name="C9",
    text=(
        "On triangles many models fail to reach a high F1; the non-saturating GAN and WGAN do best."
    ),
    source="report on arXiv:1711.10337v1; thresholds from memory, unverified",
    rule=(
        f"Two parts. Many fail: at most half of the variants reach a mean F1 of {HIGH}. The best: "
        f"ns_gan and wgan are in the upper half. A variant whose runs all diverged has an F1 of 0. "
        f"Reproduced: both in every table; partly: some."
    ),
    assess=assess,
)
