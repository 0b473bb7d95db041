"""C8: FID has a small bias and variance, and sees dropped modes."""

from statistics import median

from bench.reporting.claims.evidence import Evidence
from bench.reporting.claims.judged import NOT, OPEN, REPRODUCED, Claim, Finding
from bench.reporting.tables.published import same_quantity
from bench.reporting.tables.summary import Table

SAMPLES = 10_000
SHARE = 0.02  # of the score: spread over latent seeds that counts as very low
WANTED = (
    f"Frechet distances of Inception features with {SAMPLES:,} samples and further latent seeds "
    "(features=inception_2015 score=study_10k_test score.noise_seeds=4); mode dropping, a second "
    "encoder and copies are experiments of their own (docs/scores.md)"
)


def judge(evidence: Evidence) -> Finding:
    """Spread of the score over latent seeds, where the rows are FIDs."""
    noise = {table.group.slug: _noise(table) for table in evidence.tables}
    known = {slug: share for slug, share in noise.items() if share is not None}
    fids = [
        known[t.group.slug]
        for t in evidence.tables
        if t.group.slug in known
        and same_quantity(t.group)
        and t.group.protocol.get("n_fake") == SAMPLES
    ]
    if not fids:
        said = "; ".join(f"{slug} {share:.1%}" for slug, share in known.items())
        here = f" Here, of other features, the spread over latent seeds is: {said}." if said else ""
        return Finding(OPEN, f"Needs {WANTED}.{here}")
    verdict = REPRODUCED if max(fids) <= SHARE else NOT
    return Finding(
        verdict,
        f"The spread over latent seeds is {max(fids):.2%} of the score at most (medians over "
        "runs). Bias, dropped modes and encoders: docs/scores.md.",
    )


def _noise(table: Table) -> float | None:
    rows = [m.row for m in table.group.members if m.row is not None]
    found = [
        row.details["frechet.latent_sd"] / row.scores["frechet"]
        for row in rows
        if "frechet.latent_sd" in row.details and row.scores.get("frechet")
    ]
    return median(found) if found else None


CLAIM = Claim(
    name="C8",
    text=(
        "FID has a small bias and very low variance at 10,000 samples, sees dropped modes where "
        "the Inception Score does not, hardly depends on the encoder, and cannot see copies."
    ),
    source="arXiv:1711.10337, section 3, from memory, unverified",
    rule=(
        "Only the variance can be judged from the rows of a study. Reproduced: the spread over "
        f"latent seeds, median over runs, is {SHARE:.0%} of the score or less in every table of "
        f"Inception features at {SAMPLES:,} samples; not reproduced: otherwise."
    ),
    judge=judge,
)
