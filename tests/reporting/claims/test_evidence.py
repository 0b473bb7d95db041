"""Which models count as GANs is what the models themselves say."""

import pytest
from hydra.utils import get_class
from omegaconf import OmegaConf
from support import ROOT

from bench.reporting.claims.evidence import NON_ADVERSARIAL_MODELS

MODELS = sorted(path.stem for path in (ROOT / "conf" / "model").glob("*.yaml"))


@pytest.mark.parametrize("name", MODELS)
def test_a_model_counts_as_a_gan_if_its_class_says_so(name):
    own, gan = (OmegaConf.load(ROOT / f"conf/model/{model}.yaml") for model in (name, "gan"))
    target = own.get("_target_", gan["_target_"])  # of what its defaults name, where it has none
    assert get_class(target).adversarial is (name not in NON_ADVERSARIAL_MODELS)


def test_only_models_are_listed():
    assert set(MODELS) >= NON_ADVERSARIAL_MODELS
