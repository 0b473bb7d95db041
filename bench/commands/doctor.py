"""What this machine has, and what is missing for which part."""

import importlib.util
import os
import shutil
from pathlib import Path

import torch

from bench.config.paths import config_dir
from bench.core.shims import ensure_torchvision
from bench.runs.environment import environment

EXTRAS = {
    "slurm": ("submitit", "hydra/launcher=slurm, submitit_local"),
    "ray": ("ray", "hydra/launcher=ray"),
    "inception": ("torch_fidelity", "features=inception_2015, dinov2, clip"),
    "parquet": ("pyarrow", "dataset=cifar10_jpeg"),
    "tensorboard": ("tensorboard", "logger=tensorboard"),
    "wandb": ("wandb", "logger=wandb"),
}


def findings() -> list[str]:
    """Lines to be printed."""
    facts = environment(torch.get_num_threads(), "")
    lines = [f"{name:<18} {version or '-'}" for name, version in facts["packages"].items()]
    lines += [
        f"{'python':<18} {facts['python']} on {facts['system']}",
        f"{'processor':<18} {facts['processor']}, {os.cpu_count()} cores",
        f"{'device':<18} {_device()}",
        f"{'torchvision':<18} import {ensure_torchvision()}",
        f"{'configs':<18} {config_dir()}",
        f"{'free disk':<18} {shutil.disk_usage(Path.cwd()).free / 2**30:.1f} GiB here",
    ]
    for extra, (module, use) in EXTRAS.items():
        there = importlib.util.find_spec(module) is not None
        answer = "installed" if there else f"missing; pip install 'created-equal[{extra}]'"
        lines.append(f"{'extra ' + extra:<18} {answer} (for {use})")
    return lines


def _device() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return "CPU only: everything works, 28x28 and larger networks slowly"
