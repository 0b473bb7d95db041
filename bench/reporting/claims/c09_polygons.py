"""C9: on triangles many models fail to reach a high F1."""

from bench.reporting.claims.evidence import Evidence, line_of
from bench.reporting.claims.judged import Claim, Finding, needs, overall
from bench.reporting.text import words

HIGH = 0.5  # F1
BEST = ("ns_gan", "wgan")


def judge(evidence: Evidence) -> Finding:
    """Who reaches HIGH, and whether the study's two best are in the upper half."""
    parts, said = [], []
    for table in evidence.tables:
        if "polygon_f1" not in table.group.metrics:
            continue
        means = {
            line.name: line.cells["polygon_f1"].mean if "polygon_f1" in line.cells else 0.0
            for line in table.lines
            if "polygon_f1" in line.cells or line.contender.counts["diverged"]
        }
        ours = [line_of({li.name: li for li in table.lines}, variant) for variant in BEST]
        if len(means) < 3 or any(line is None or line.name not in means for line in ours):
            continue
        high = [name for name, mean in means.items() if mean >= HIGH]
        order = sorted(means, key=means.__getitem__, reverse=True)
        upper = order[: -(-len(order) // 2)]
        parts += [
            len(high) <= len(means) / 2,
            all(line is not None and line.name in upper for line in ours),
        ]
        reached = words.listed(high) if high else "none"
        said.append(
            f"{table.group.slug}: F1 of {HIGH} is reached by {reached} of {len(means)}; in order: "
            f"{', '.join(order)}"
        )
    if not said:
        return needs(
            "polygon F1 of ns_gan, wgan and another variant (dataset=triangles, "
            "score=study_polygons)"
        )
    return Finding(overall(parts), f"{'; '.join(said)}.")


CLAIM = Claim(
    name="C9",
    text=(
        "On triangles many models fail to reach a high F1; the non-saturating GAN and WGAN do best."
    ),
    source="report on arXiv:1711.10337v1; thresholds from memory, unverified",
    rule=(
        f"Two parts. Many fail: at most half of the variants reach a mean F1 of {HIGH}. The best: "
        f"ns_gan and wgan are in the upper half. One of which every run diverged has an F1 of 0. "
        f"Reproduced: both in every table; partly: some."
    ),
    judge=judge,
)
