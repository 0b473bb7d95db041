"""Parse each yaml file that Hydra composes from once in a process, by libyaml where it is there."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hydra._internal.core_plugins import file_config_source
from hydra._internal.sources_registry import SourcesRegistry
from hydra.plugins.config_source import ConfigResult, ConfigSource
from omegaconf import OmegaConf
from omegaconf._utils import get_yaml_loader

HEADER_LETTERS = 512  # of a file, in which Hydra looks for its package


class FileConfigSource(file_config_source.FileConfigSource):
    """Hydra's source of configs in files. A registry keeps the first of sources of one name."""

    def load_config(self, config_path: str) -> ConfigResult:
        """Return a config; an unusual file is left to Hydra, whose messages are better."""
        path = Path(self.path, self._normalize_file_name(config_path))
        try:
            text = path.read_text(encoding="utf-8")
            content = _parse(text)
        except (OSError, ValueError, yaml.YAMLError):
            return super().load_config(config_path)
        if not isinstance(content, dict):
            return super().load_config(config_path)
        return ConfigResult(
            config=OmegaConf.create(content),
            path=f"{self.scheme()}://{self.path}",
            provider=self.provider,
            header=ConfigSource._get_header_dict(text[:HEADER_LETTERS]),
        )


def cache_config_files() -> None:
    """Have Hydra read configs as this module does; call it before Hydra starts."""
    if hasattr(yaml, "CSafeLoader"):
        SourcesRegistry.instance().register(FileConfigSource)


@cache
def _parse(text: str) -> Any:
    return yaml.load(text, _loader())


@cache
def _loader() -> Any:
    """Return OmegaConf's loader of yaml with libyaml's parser in place of Python's."""
    loader = get_yaml_loader()
    if issubclass(loader, yaml.cyaml.CParser):
        return loader

    class Loader(yaml.cyaml.CParser, loader):  # type: ignore[misc, valid-type]
        def __init__(self, stream: str) -> None:
            yaml.cyaml.CParser.__init__(self, stream)
            yaml.constructor.SafeConstructor.__init__(self)
            yaml.resolver.Resolver.__init__(self)

    return Loader
