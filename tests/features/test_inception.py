"""With given random weights: the same features as torch-fidelity's own forward."""

import pytest
import random_weights
import torch

from bench.core.errors import UserError
from bench.core.files import sha256_of
from bench.features.fidelity import import_torch_fidelity
from bench.features.inception import Inception2015

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return random_weights.inception(tmp_path_factory.mktemp("weights") / "random.pth")


@pytest.fixture(scope="module")
def extractor(weights):
    return Inception2015("inception_2015", weights, sha256_of(weights))


def images(channels):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, (2, channels, 20, 24), generator=generator, dtype=torch.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_equals_torch_fidelity(weights, extractor, channels):
    theirs = import_torch_fidelity(
        "x", "feature_extractor_inceptionv3"
    ).FeatureExtractorInceptionV3(
        "random", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(weights)
    )
    batch = images(channels)
    expected = theirs(batch.repeat(1, 3 // channels, 1, 1))
    assert expected[0].std(0).mean() > 1e-3 * expected[0].mean()  # the images can be told apart
    for value, reference in zip(extractor(batch / 255), expected, strict=True):
        torch.testing.assert_close(value, reference, rtol=1e-6, atol=0)


def test_grey_levels_are_not_rounded(extractor):
    batch = images(3)[:1] / 255
    moved = extractor((batch + 0.4 / 255).clamp(max=1))[0]
    assert (moved - extractor(batch)[0]).abs().max() > 0


def test_has_the_attributes_of_an_extractor(weights, extractor):
    assert extractor.name == "inception_2015" and extractor.width == 2048
    assert extractor.weight_hash == sha256_of(weights)
    assert extractor.resize == "bilinear 299x299, TensorFlow 1"
    assert not extractor.training and not any(p.requires_grad for p in extractor.parameters())


@pytest.mark.parametrize("shape", [(2,), (2, 8, 8), (4, 8, 8)])
def test_what_is_no_image_is_refused(extractor, shape):
    with pytest.raises(UserError, match="1 or 3 channels"):
        extractor(torch.zeros(2, *shape))


def test_config_accepts_only_the_published_weights(weights, extractor_of):
    with pytest.raises(UserError, match="has SHA-256"):
        extractor_of("inception_2015", weights=str(weights))
    other = extractor_of("inception_2015", weights=str(weights), sha256=None)
    assert other.weight_hash == sha256_of(weights)
