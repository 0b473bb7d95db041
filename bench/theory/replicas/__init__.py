"""Pairs, or critics against given samples, side by side from plain factories.

Runs are packed by `bench.vectorized`; the statements' published numbers have the bits of these.
"""

from bench.theory.replicas.pack import Pack
from bench.theory.replicas.replica import Replica
from bench.theory.replicas.side import Side

__all__ = ["Pack", "Replica", "Side"]
