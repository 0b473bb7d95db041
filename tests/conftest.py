"""What all tests share. One thread: bits depend on their number, and workers share cores."""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import pytest
import torch
from support import SMALL

import bench.models  # noqa: F401  torchvision's operators are declared before Lightning comes

torch.set_num_threads(1)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def tiny(tmp_path):
    """Overrides of a run that takes a second: small networks, few steps, nothing shown."""

    def overrides(*extra: str, network: str = "infogan") -> list[str]:
        return [
            f"runs_root={tmp_path / 'runs'}",
            "d_steps=4",
            "log_every=2",
            "trainer.progress=false",
            "trainer.pictures=0",
            "trainer.accelerator=cpu",
            "score.n_fake=100",
            "score.n_real=100",
            "score.noise_seeds=0",
            *([] if "score=images" in extra else ["score.metrics.prd.clusterings=1"]),
            *SMALL[network],
            *extra,
        ]

    return overrides
