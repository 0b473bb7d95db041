"""R replicas side by side in one process.

`Stack` trains ordinary models, for runs; `Pack` and `Side` train pairs, or critics against given
samples, for the statements of `bench.claims`, whose published numbers have their bits.
"""

from bench.packed.agreement import key_of, refusal
from bench.packed.pack import Pack
from bench.packed.replicas import Replica
from bench.packed.side import Side
from bench.packed.stack import Stack, empty_stack

__all__ = ["Pack", "Replica", "Side", "Stack", "key_of", "empty_stack", "refusal"]
