"""Assess claims by the rows of a study: one file a claim, a rule over rows.

C1 to C12 are those of Lucic et al. 2018 (arXiv:1711.10337), M1 to M6 about what came after it.
"""

import importlib
import pkgutil
import re
from collections.abc import Sequence

from bench.reporting.claims.claim import Claim, ClaimResult
from bench.reporting.claims.deviations import deviations
from bench.reporting.claims.evidence import Evidence
from bench.reporting.tables.comparisons import Comparison

__all__ = ["assess_claims", "list_claims"]


def list_claims() -> list[Claim]:
    """Return what the modules named c<number>_* and m<number>_* define as CLAIM, C1 first."""
    names = sorted(m.name for m in pkgutil.iter_modules(__path__) if re.match(r"[cm]\d", m.name))
    return [importlib.import_module(f"{__name__}.{name}").CLAIM for name in names]


def assess_claims(comparisons: Sequence[Comparison]) -> list[ClaimResult]:
    """Assess every claim by the rows of a study."""
    evidence, differences = Evidence(comparisons), deviations(comparisons)
    return [
        ClaimResult(
            c.name, c.text, c.source, c.rule, *c.assess(evidence),
            differences if c.name.startswith("C") else (),
        )
        for c in list_claims()
    ]  # fmt: skip
