"""`bench doctor`: what this machine has, and what is missing for which part."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import torch

from bench.config.trust import config_folders
from bench.core.shims import ensure_torchvision
from bench.runs.environment import describe_environment
from bench.sweeping.launchers import launchers_by_name

EXTRAS = {  # beside those of launchers
    "inception": ("torch_fidelity", "features=inception_2015, dinov2, clip"),
    "tensorboard": ("tensorboard", "logger=tensorboard"),
    "wandb": ("wandb", "logger=wandb"),
}


def describe_machine() -> list[str]:
    """Return lines to print: versions, device, folders, and extras that are installed or not."""
    environment = describe_environment(torch.get_num_threads(), "")
    lines = [f"{name:<18} {version or '-'}" for name, version in environment["packages"].items()]
    lines += [
        f"{'python':<18} {environment['python']} on {environment['system']}",
        f"{'processor':<18} {environment['processor']}, {os.cpu_count()} cores",
        f"{'device':<18} {_device()}",
        f"{'torchvision':<18} import {ensure_torchvision()}",
        *(f"{'configs':<18} {folder}" for folder in config_folders()),
        f"{'free disk':<18} {shutil.disk_usage(Path.cwd()).free / 2**30:.1f} GiB here",
    ]
    for extra, (module, use) in {**dict(_launcher_extras()), **EXTRAS}.items():
        is_installed = importlib.util.find_spec(module) is not None
        state = "installed" if is_installed else f"missing; pip install 'created-equal[{extra}]'"
        lines.append(f"{'extra ' + extra:<18} {state} (for {use})")
    return lines


def _launcher_extras() -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield each extra that installs launchers, with its package and these launchers."""
    launchers = launchers_by_name()
    for extra in sorted({spec.extra for spec in launchers.values() if spec.extra is not None}):
        names = [name for name, spec in launchers.items() if spec.extra == extra]
        yield extra, (launchers[names[0]].package, f"hydra/launcher={', '.join(names)}")


def _device() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return "CPU only: everything works, 28x28 and larger networks slowly"
