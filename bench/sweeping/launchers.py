"""Whether the launcher that was chosen can be used here."""

import importlib.util
import shutil

from omegaconf import DictConfig

from bench.core.errors import UserError


def check_launcher(hydra_cfg: DictConfig) -> None:
    """Refuse a launcher whose package or scheduler is missing, before anything is written.

    Args:
        hydra_cfg: the `hydra` part of a config.

    Raises:
        UserError: what is missing and how to get it.
    """
    name, target = hydra_cfg.runtime.choices["hydra/launcher"], hydra_cfg.launcher._target_
    package = ".".join(target.split(".")[:2])  # hydra_plugins.NAME_OF_THE_DISTRIBUTION
    if importlib.util.find_spec(package) is None:
        distribution = package.rpartition(".")[2].replace("_", "-")
        raise UserError(
            f"launcher {name!r} needs the package {distribution}, which is not installed",
            fix=f"`pip install -c constraints.txt {distribution}`, or take another hydra/launcher",
        )
    if target.endswith(".SlurmLauncher") and shutil.which("sbatch") is None:
        raise UserError(
            f"launcher {name!r} submits with Slurm's sbatch, which is not on this machine",
            fix="start it where sbatch works, a login node say, or take another hydra/launcher",
        )
