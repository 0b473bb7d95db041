"""Add the folder of configs to Hydra's search path; Hydra finds this module by its namespace."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin


class MyganConfigs(SearchPathPlugin):
    """Make `mygan/conf/GROUP/NAME.yaml` an entry of each command."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append the folder behind the suite's own."""
        search_path.append(provider="mygan", path="pkg://mygan.conf")
