"""R ordinary models side by side in one process."""

from bench.packed.agreement import key_of, refusal
from bench.packed.stack import Stack, empty_stack

__all__ = ["Stack", "empty_stack", "key_of", "refusal"]
