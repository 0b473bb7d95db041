"""Locate the folders of configs: the suite's own, and those of installed plugins."""

import warnings
from functools import cache
from importlib.util import find_spec
from pathlib import Path

# Hydra warns, in every process that composes, that a launcher's preset is validated against the
# plugin's config of that name. We want that validation; Hydra's newer form needs another name.
warnings.filterwarnings("ignore", message=r"\s*'hydra/launcher/\w+' is validated against")


def config_dir() -> Path:
    """Return the folder of configs: inside an installed wheel, or beside the package."""
    package = Path(__file__).parents[1]
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


@cache
def plugin_dirs() -> tuple[Path, ...]:
    """Return the folders of configs that installed packages add to Hydra's search path.

    A package adds one by a `SearchPathPlugin` in the namespace `hydra_plugins`.
    """
    from hydra._internal.utils import create_config_search_path

    folders = []
    for place in create_config_search_path(None).get_path():
        scheme, _, path = place.path.partition("://")
        if place.provider != "hydra" and scheme == "file":
            folders.append(Path(path))
        elif place.provider != "hydra" and scheme == "pkg":
            spec = find_spec(path.replace("/", "."))
            folders += map(Path, spec.submodule_search_locations or ()) if spec else ()
    return tuple(folders)
