"""Where the configs lie."""

from pathlib import Path


def config_dir() -> Path:
    """The folder of configs: inside an installed wheel, else beside the package in a checkout."""
    inside = Path(__file__).parent / "conf"
    return inside if inside.is_dir() else Path(__file__).parents[1] / "conf"
