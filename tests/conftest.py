"""What all tests share. One thread: bits depend on their number, and workers share cores."""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import pickle

import pytest
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from support import SMALL

import bench.models  # noqa: F401  torchvision's operators are declared before Lightning comes
from bench.config import build

torch.set_num_threads(1)
_compose, _composed = build.compose_config, {}


def compose_once(overrides: list[str], *, keep_hydra: bool = False) -> DictConfig:
    """Compose a list of overrides once in a process: it takes longer than most tests do.

    `runs_root`, which is another folder in each test, is set afterwards.
    """
    roots = [o.removeprefix("runs_root=") for o in overrides if o.startswith("runs_root=/")]
    others = tuple(o for o in overrides if not o.startswith("runs_root=/"))
    key = others, str(build.config_dir())
    if key not in _composed:
        cfg = _compose(list(others), keep_hydra=True)
        _composed[key] = pickle.dumps((cfg, HydraConfig.instance().cfg))
    cfg, hydra_cfg = pickle.loads(_composed[key])
    OmegaConf.set_readonly(hydra_cfg.hydra, False)
    hydra_cfg.hydra.overrides.task = list(overrides)
    OmegaConf.set_readonly(hydra_cfg.hydra, True)
    HydraConfig.instance().cfg = hydra_cfg
    cfg.hydra.overrides.task = list(overrides)
    for root in roots:
        cfg.runs_root = root
    if not keep_hydra:
        del cfg["hydra"]
    return cfg


build.compose_config = compose_once


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
