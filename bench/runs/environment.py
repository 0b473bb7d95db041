"""Versions, machine and commit of a run: where two machines can differ. Stored with each run."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from bench.runs.identity import SEMANTICS_VERSION

PACKAGES = (
    *("created-equal", "torch", "torchvision", "pytorch-lightning", "torchmetrics"),
    *("torch-fidelity", "hydra-core", "numpy", "scipy", "scikit-learn", "safetensors"),
)


def describe_environment(threads: int, device: str) -> dict[str, Any]:
    """Return versions, machine, commit and whether the checkout was clean.

    Where two runs of one run_id differ in bits, the reason is looked for here.

    Args:
        threads: CPU threads that the run is pinned to; part of the run_id too.
        device: name of the device; its kind is part of the run_id too.
    """
    return {
        "semantics_version": SEMANTICS_VERSION,
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": threads,
        "device": device,
        "packages": {name: _version(name) for name in PACKAGES},
        **_checkout(),
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    """Return the processor's model name from /proc/cpuinfo, or what Python knows of it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _checkout() -> dict[str, Any]:
    """Return the commit of the suite's checkout; None from an installed wheel or without git."""
    folder = Path(__file__).resolve().parents[2]
    if not (folder / ".git").exists():
        return {"commit": None, "dirty": None}

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "dirty": None}
