"""Pairs, or critics against given samples, side by side from plain factories.

Runs are packed by `bench.packed`; the statements' published numbers have the bits of these.
"""

from bench.claims.replicas.pack import Pack
from bench.claims.replicas.replica import Replica
from bench.claims.replicas.side import Side

__all__ = ["Pack", "Replica", "Side"]
