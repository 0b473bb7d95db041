"""R replicas of a model, or of a pair of small networks, side by side in one process."""

from bench.packed.agreement import key_of, refusal
from bench.packed.pack import Pack
from bench.packed.replicas import Replica
from bench.packed.side import Side
from bench.packed.stack import Stack, empty_stack

__all__ = ["Pack", "Replica", "Side", "Stack", "key_of", "empty_stack", "refusal"]
