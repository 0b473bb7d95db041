"""Configs parsed by libyaml are those that Hydra parses itself, and so are the complaints."""

import pytest
import yaml
from hydra._internal.core_plugins import file_config_source
from omegaconf import OmegaConf

from bench.config import config_files
from bench.config.paths import config_dir

SOURCES = (config_files.FileConfigSource, file_config_source.FileConfigSource)


@pytest.fixture(autouse=True)
def python_loader(monkeypatch):
    """PyYAML's own loader, which other tests replace by libyaml's."""
    monkeypatch.setattr(yaml, "SafeLoader", yaml.loader.SafeLoader)
    config_files._loader.cache_clear()
    config_files._parse.cache_clear()
    yield
    config_files._loader.cache_clear()


def test_every_config_is_read_as_hydra_reads_it():
    ours, theirs = (source("main", str(config_dir())) for source in SOURCES)
    paths = sorted(p.relative_to(config_dir()) for p in config_dir().rglob("*.yaml"))
    for path in paths[::3]:
        results = [source.load_config(str(path)) for source in (ours, theirs)]
        (first, second) = (OmegaConf.to_container(r.config, resolve=False) for r in results)
        assert repr(first) == repr(second), path
        assert results[0].header == results[1].header and results[0].path == results[1].path
    assert issubclass(config_files._loader(), yaml.cyaml.CParser) and len(paths) > 100


def test_a_config_that_changes_is_read_anew_and_cannot_be_changed_by_its_reader(tmp_path):
    (tmp_path / "a.yaml").write_text("numbers: [1]\n")
    source = config_files.FileConfigSource("main", str(tmp_path))
    source.load_config("a").config.numbers.append(2)
    assert source.load_config("a").config.numbers == [1]
    (tmp_path / "a.yaml").write_text("numbers: [3]\n")
    assert source.load_config("a").config.numbers == [3]


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "a: [1\n", "a: b: c\n"])
def test_a_damaged_config_is_refused_in_hydras_words(tmp_path, text):
    (tmp_path / "a.yaml").write_text(text)
    messages = []
    for source in SOURCES:
        with pytest.raises(yaml.YAMLError) as raised:
            source("main", str(tmp_path)).load_config("a")
        messages.append(str(raised.value))
    assert messages[0] == messages[1]
