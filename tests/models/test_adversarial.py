"""Every model of conf/model says whether its generator trains against another network."""

import pytest
from hydra.utils import get_object
from support import ROOT

from bench.config import build
from bench.models.base import GenerativeModel

LIKELIHOOD = {"vae", "imle", "maximum_likelihood", "flow_matching", "lda", "qda", "naive_bayes"}
MODELS = sorted((ROOT / "conf/model").glob("*.yaml"))


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_model_says_whether_it_is_adversarial(path):
    model = get_object(build.compose_config([f"model={path.stem}"]).model._target_)
    assert issubclass(model, GenerativeModel)
    assert model.adversarial is (path.stem not in LIKELIHOOD)
