"""Assess C7: the VAE has the worst FID."""

from bench.reporting.claims import evidence as select
from bench.reporting.claims.claim import NOT, PARTLY, REPRODUCED, Claim, Finding, join_parts, needs
from bench.reporting.claims.evidence import Evidence, significantly_better


def assess(evidence: Evidence) -> Finding:
    """Compute the share of the study's GANs that are significantly better than the VAE."""
    shares, parts = [], []
    for dataset, table in evidence.rankings.items():
        rows = select.compared_rows(table)
        vae, rivals = select.find_row(rows, "vae"), select.gan_rows(select.study_rows(rows))
        if vae is None or len(rivals) < 2:
            continue
        better = significantly_better(table, vae.name)
        count = sum(row.name in better for row in rivals)
        shares.append(count / len(rivals))
        gans = f"{count} of {len(rivals)} of the study's GANs"
        parts.append(f"on {dataset} {gans} are significantly better")
    if not parts:
        return needs("the VAE and two of the study's GANs or more with enough seeds")
    lowest = min(shares)
    verdict = REPRODUCED if lowest == 1 else PARTLY if lowest > 0.5 else NOT
    return Finding(verdict, join_parts(parts))


CLAIM = Claim(
    name="C7",
    text="The VAE has the worst FID: its samples are blurry.",
    source="report on arXiv:1711.10337v1",
    rule=(
        "Reproduced: on every data set all of the study's GANs here are significantly better "
        "than the VAE (exact rank-sum tests, 5 % for all pairs together); partly: more than half "
        "of them on every data set; not reproduced: otherwise."
    ),
    assess=assess,
)
