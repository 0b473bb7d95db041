"""Named random streams: (seed, stream, index) -> generator. All randomness comes from them.

Streams are independent: a penalty that draws random numbers changes neither the order of the data
nor the latents, so variants of one seed stay comparable. The stream "global" is for code that
draws from the process's own generators: dropout, spectral norm, torch's default initialisation.
"""

import hashlib
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

STREAMS = ("init", "data", "fresh data", "latent", "draws", "transforms", "score", "global")


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


@contextmanager
def global_stream(seed: int, index: int = 0) -> Iterator[None]:
    """Seed the process's generators from the stream "global" for the block; restore them after."""
    with preserved_global_states():
        state = derived_seed(seed, "global", index)
        torch.manual_seed(state)
        np.random.seed(state % 2**32)
        random.seed(state)
        yield


@contextmanager
def preserved_global_states() -> Iterator[None]:
    """Restore the states of the process's generators after the block."""
    before = global_states()
    try:
        yield
    finally:
        set_global_states(before)


def global_states() -> dict[str, Tensor]:
    """Return the states of the process's generators: torch's, CUDA's, numpy's and Python's."""
    numpy = np.random.get_state(legacy=False)
    _, internal, gauss = random.getstate()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    python = [*internal, np.nan if gauss is None else gauss]
    return {
        "torch": torch.get_rng_state(),
        **{f"cuda.{device}": state for device, state in enumerate(cuda)},
        "numpy": torch.tensor(  # whole numbers of 32 bits, and a float
            [*numpy["state"]["key"], numpy["state"]["pos"], numpy["has_gauss"], numpy["gauss"]],
            dtype=torch.float64,
        ),
        "python": torch.tensor(python, dtype=torch.float64),
    }


def set_global_states(states: Mapping[str, Tensor]) -> None:
    """Set the states of the process's generators, as `global_states` returned them."""
    torch.set_rng_state(states["torch"].cpu())
    for device in range(torch.cuda.device_count() if torch.cuda.is_initialized() else 0):
        if f"cuda.{device}" in states:
            torch.cuda.set_rng_state(states[f"cuda.{device}"].cpu(), device)
    *keys, position, has_gauss, cached = states["numpy"].tolist()
    np.random.set_state(
        ("MT19937", np.array(keys, np.uint32), int(position), int(has_gauss), cached)
    )
    *internal, gauss = states["python"].tolist()
    random.setstate((3, tuple(map(int, internal)), None if np.isnan(gauss) else gauss))
