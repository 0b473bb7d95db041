"""Named random streams: (seed, stream, index) -> generator. All randomness comes from them.

Streams are independent: a penalty that draws random numbers changes neither the order of the data
nor the latents, so variants of one seed stay comparable.
"""

import hashlib

import numpy as np
import torch

STREAMS = ("init", "data", "latent", "draws", "score")


def derived_seed(seed: int, stream: str, index: int = 0) -> int:
    """Return a 63-bit integer from SHA-256, unrelated for near-by seeds and equal indices.

    Args:
        seed: the run's seed, any integer, 0 included.
        stream: one of STREAMS.
        index: position within the stream, for example an epoch.

    Raises:
        ValueError: no stream has that name.
    """
    if stream not in STREAMS:
        raise ValueError(f"there is no stream {stream!r}; choose one of {', '.join(STREAMS)}")
    digest = hashlib.sha256(f"{seed}/{stream}/{index}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(
    seed: int, stream: str, index: int = 0, device: torch.device | str = "cpu"
) -> torch.Generator:
    """Return a torch generator for the stream, on the device that uses its numbers."""
    return torch.Generator(device).manual_seed(derived_seed(seed, stream, index))


def numpy_generator(seed: int, stream: str, index: int = 0) -> np.random.Generator:
    """Return a numpy generator for the stream."""
    return np.random.Generator(np.random.PCG64(derived_seed(seed, stream, index)))
