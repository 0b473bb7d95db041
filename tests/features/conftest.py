from pathlib import Path

import pytest
from omegaconf import OmegaConf

from bench.config.build import instantiate

CONF = Path(__file__).parents[2] / "conf"


@pytest.fixture(scope="session")
def config():
    """config(name, key=value ...) -> the node `features` with keys changed, for 2-D points."""

    def compose(name, **changes):
        tree = {"features": OmegaConf.load(CONF / "features" / f"{name}.yaml")}
        return OmegaConf.merge(tree, {"features": changes, "dataset": {"shape": [2]}}).features

    return compose


@pytest.fixture(scope="session")
def extractor_of(config):
    """extractor_of(name, key=value ...) -> the extractor, or the error that it raised itself."""

    def build(name, **changes):
        return instantiate(config(name, **changes).extractor)

    return build
