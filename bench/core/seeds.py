"""Named random streams: (seed, stream, index) -> generator. Nothing else in the suite draws.

A stream that one part reads never moves because another part reads more: adding a penalty that
draws leaves data order and latents as they were, so variants of one seed stay comparable.
"""

import hashlib

import numpy as np
import torch

STREAMS = ("init", "data", "latent", "draws", "score")


def derived_seed(seed: int, stream: str, index: int = 0) -> int:
    """A 63-bit integer from SHA-256: near-by seeds and equal indices share nothing.

    Args:
        seed: the run's seed, any integer; 0 is one.
        stream: one of STREAMS.
        index: counts within the stream, an epoch say.

    Raises:
        ValueError: the stream has no such name.
    """
    if stream not in STREAMS:
        raise ValueError(f"stream {stream!r} is none of {', '.join(STREAMS)}")
    digest = hashlib.sha256(f"{seed}/{stream}/{index}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(
    seed: int, stream: str, index: int = 0, device: torch.device | str = "cpu"
) -> torch.Generator:
    """A torch generator for the stream, on the device where its numbers are used."""
    return torch.Generator(device).manual_seed(derived_seed(seed, stream, index))


def numpy_generator(seed: int, stream: str, index: int = 0) -> np.random.Generator:
    """A numpy generator for the stream."""
    return np.random.Generator(np.random.PCG64(derived_seed(seed, stream, index)))
