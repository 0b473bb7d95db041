"""Where the configs lie."""

import warnings
from pathlib import Path

# Every process that composes would say that a launcher's preset is checked against the plugin's own
# config of that name; Hydra's newer ways would need another name. The check is welcome.
warnings.filterwarnings("ignore", message=r"\s*'hydra/launcher/\w+' is validated against")


def config_dir() -> Path:
    """The folder of configs: inside an installed wheel, else beside the package in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"
