"""C7: the VAE has the worst FID."""

from bench.reporting.claims.evidence import (
    Evidence,
    gans,
    line_of,
    of_study,
    ranked,
    significantly_better,
)
from bench.reporting.claims.judged import NOT, PARTLY, REPRODUCED, Claim, Finding, needs


def judge(evidence: Evidence) -> Finding:
    """Share of the study's GANs that are significantly better than the VAE."""
    shares, said = [], []
    for dataset, table in evidence.rankings.items():
        lines = ranked(table)
        ours = line_of(lines, "vae")
        rivals = gans({line.name: line for line in of_study(lines)})
        if ours is None or len(rivals) < 2:
            continue
        better = significantly_better(table, ours.name)
        count = sum(line.name in better for line in rivals)
        shares.append(count / len(rivals))
        said.append(
            f"on {dataset} {count} of {len(rivals)} of the study's GANs are significantly better"
        )
    if not said:
        return needs("the VAE and two of the study's GANs or more with enough seeds")
    found = "; ".join(said)
    lowest = min(shares)
    verdict = REPRODUCED if lowest == 1 else PARTLY if lowest > 0.5 else NOT
    return Finding(verdict, f"{found[0].upper()}{found[1:]}.")


CLAIM = Claim(
    name="C7",
    text="The VAE has the worst FID: its samples are blurry.",
    source="report on arXiv:1711.10337v1",
    rule=(
        "Reproduced: on every data set all of the study's GANs here are significantly better "
        "than the VAE (exact rank-sum tests, 5 % for all pairs together); partly: more than half "
        "of them on every data set; not reproduced: otherwise."
    ),
    judge=judge,
)
