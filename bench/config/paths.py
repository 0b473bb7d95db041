"""Locate the folder of configs."""

import warnings
from pathlib import Path

# Hydra warns, in every process that composes, that a launcher's preset is validated against the
# plugin's config of that name. We want that validation; Hydra's newer form needs another name.
warnings.filterwarnings("ignore", message=r"\s*'hydra/launcher/\w+' is validated against")


def config_dir() -> Path:
    """Return the folder of configs: inside an installed wheel, or beside the package."""
    package = Path(__file__).parents[1]
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"
