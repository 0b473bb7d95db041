"""With given random weights: the same features as torch-fidelity's own extractor."""

import pytest
import random_weights
import torch

from bench.core.errors import UserError
from bench.core.files import sha256_of
from bench.features.clip import Clip
from bench.features.fidelity import import_torch_fidelity


@pytest.fixture(scope="module", params=["vit", "resnet"])
def weights(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / f"{request.param}.pt"
    return random_weights.clip(path, kind=request.param)


@pytest.fixture(scope="module")
def extractor(weights):
    return Clip("clip", "clip-vit-b-32", weights, sha256_of(weights))


def images(channels):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, (3, channels, 20, 24), generator=generator, dtype=torch.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_equals_torch_fidelity(weights, extractor, channels):
    theirs = import_torch_fidelity("clip", "feature_extractor_clip").FeatureExtractorCLIP(
        "clip-vit-b-32", ["clip"], feature_extractor_weights_path=str(weights)
    )
    batch = images(channels)
    (expected,) = theirs(batch.repeat(1, 3 // channels, 1, 1))
    assert expected.std(0).mean() > 1e-3 * expected.abs().mean()  # images can be told apart
    features, logits = extractor(batch / 255)
    assert logits is None and features.dtype == torch.float32
    torch.testing.assert_close(features, expected, rtol=1e-6, atol=1e-6)


def test_grey_levels_are_not_rounded(extractor):
    batch = images(3)[:1] / 255
    moved = extractor((batch + 0.4 / 255).clamp(max=1))[0]
    assert (moved - extractor(batch)[0]).abs().max() > 1e-6


def test_has_the_attributes_of_an_extractor(weights, extractor):
    assert (extractor.name, extractor.width) == ("clip", 16)
    assert extractor.weight_hash == sha256_of(weights)
    assert extractor.resize == "bilinear 64x64, TensorFlow 1"
    assert not extractor.training and not any(p.requires_grad for p in extractor.parameters())


def test_tensors_without_a_script_are_read_too(weights, extractor, tmp_path):
    path = tmp_path / "plain.pt"
    torch.save(dict(torch.jit.load(weights).state_dict()), path)
    plain = Clip("clip", "clip-vit-b-32", path, None)
    assert torch.equal(plain(images(3) / 255)[0], extractor(images(3) / 255)[0])


def test_reading_the_weights_draws_nothing(weights):
    state = torch.get_rng_state()
    Clip("clip", "clip-vit-b-32", weights, None)
    assert torch.equal(torch.get_rng_state(), state)


def test_what_is_no_image_is_refused(extractor):
    with pytest.raises(UserError, match="1 or 3 channels"):
        extractor(torch.zeros(2, 2, 8, 8))
