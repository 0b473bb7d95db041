"""R replicas of one pair of small networks, trained side by side in one process."""

from bench.packed.pack import Pack
from bench.packed.replicas import Replica
from bench.packed.side import Side

__all__ = ["Pack", "Replica", "Side"]
