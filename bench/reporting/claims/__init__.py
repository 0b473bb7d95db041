"""The claims of Lucic et al. 2018 (arXiv:1711.10337), each a rule over rows: one file a claim."""

import importlib
import pkgutil
from collections.abc import Sequence

from bench.reporting.claims.deviations import deviations
from bench.reporting.claims.evidence import Evidence
from bench.reporting.claims.judged import Claim, Judged
from bench.reporting.tables.comparisons import Comparison

__all__ = ["claims", "test_claims"]


def claims() -> list[Claim]:
    """All claims, C1 first: what the files of this folder called c<number>_* define."""
    names = sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name[:1] == "c")
    return [importlib.import_module(f"{__name__}.{name}").CLAIM for name in names]


def test_claims(comparisons: Sequence[Comparison]) -> list[Judged]:
    """Each claim with its verdict on these rows."""
    evidence, differing = Evidence(comparisons), deviations(comparisons)
    found = []
    for claim in claims():
        finding = claim.judge(evidence)
        found.append(Judged(claim.name, claim.text, claim.source, claim.rule, *finding, differing))
    return found
