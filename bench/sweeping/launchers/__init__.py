"""Launchers: a module for each, with the name of its preset, found by listing."""

import importlib
import importlib.util
import pkgutil
import shutil

from omegaconf import DictConfig

from bench.core.errors import UserError
from bench.sweeping.launcher_spec import LauncherSpec, one_at_a_time


def launchers_by_name() -> dict[str, LauncherSpec]:
    """Return every described launcher by the name of its preset."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: importlib.import_module(f"{__name__}.{name}").LAUNCHER for name in names}


def find_launcher(hydra_cfg: DictConfig) -> LauncherSpec:
    """Return the description of the launcher that a config names.

    A launcher without one, Hydra's basic launcher for example, is taken to run one job at a time,
    in or under this process, and to need no program.

    Args:
        hydra_cfg: the `hydra` part of a config.
    """
    target = str(hydra_cfg.launcher._target_)
    described = {spec.target: spec for spec in launchers_by_name().values()}
    return described.get(target, LauncherSpec(target, one_at_a_time))


def check_launcher(hydra_cfg: DictConfig) -> None:
    """Refuse a launcher whose package or program is missing, before anything is written.

    Raises:
        UserError: what is missing and how to get it.
    """
    name, spec = hydra_cfg.runtime.choices["hydra/launcher"], find_launcher(hydra_cfg)
    if importlib.util.find_spec(spec.package) is None:
        distribution = spec.package.rpartition(".")[2].replace("_", "-")
        message = f"launcher {name!r} needs the package {distribution}, which is not installed"
        fix = f"`pip install -c constraints.txt {distribution}`, or take another hydra/launcher"
        raise UserError(message, fix=fix)
    if (program := spec.executable) is not None and shutil.which(program) is None:
        message = f"launcher {name!r} submits jobs with {program}, which is not on this machine"
        place = f"where {program} works (a login node of the cluster)"
        raise UserError(message, fix=f"start it {place}, or take another hydra/launcher")
