"""Every yaml of the group builds its source, without touching a file."""

from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from bench.config.build import instantiate

CONFIGS = Path(__file__).parents[2] / "conf" / "dataset"
NAMES = sorted(path.stem for path in CONFIGS.glob("*.yaml"))
SMALL = {"train": 30, "test": 20, "validation": 10}


def config(name):
    return OmegaConf.create({"dataset": OmegaConf.load(CONFIGS / f"{name}.yaml")})


@pytest.mark.parametrize("name", NAMES)
def test_a_source_is_built_from_its_yaml_without_a_file(name):
    dataset = config(name)
    dataset.dataset.root = "/absent/folder"
    keys = set(dataset.dataset) - {"defaults"}
    splits = {"study_split", "selection_split"}
    assert keys == {"name", "family", "shape", "classes", "root", "source"} | splits
    assert dataset.dataset.name == name
    assert len(dataset.dataset.shape) == {"points": 1, "image": 3}[dataset.dataset.family]
    source = instantiate(dataset.dataset.source)
    assert callable(source.splits) and callable(source.prepare)


@pytest.mark.parametrize("name", NAMES)
def test_what_needs_no_file_gives_the_shape_it_promises(name):
    dataset = config(name).dataset
    if "seed" not in dataset.source:
        pytest.skip("read from files that are not there")
    dataset.root, dataset.source.counts = None, SMALL
    source = instantiate(dataset.source)
    for split, content in source.splits().items():
        assert content.samples.shape == (SMALL[split], *dataset.shape)
        if content.labels is None:
            assert dataset.classes == 1
        else:
            assert content.labels.shape == (SMALL[split],)
            assert 1 <= len(np.unique(content.labels)) <= dataset.classes
    if dataset.family == "points" and source.modes is not None:
        distances = np.linalg.norm(
            source.modes.centres[:, None] - source.modes.centres[None], axis=2
        )
        apart = distances[~np.eye(len(distances), dtype=bool)].min()
        assert apart >= 2 * source.modes.radius  # no sample belongs to two modes


def test_no_two_entries_compute_the_same():
    sources = set()
    for name in NAMES:
        source = OmegaConf.to_container(config(name).dataset.source)
        source.pop("name", None)
        sources.add(str(source))
    assert len(sources) == len(NAMES)
