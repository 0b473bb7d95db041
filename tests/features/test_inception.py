"""With given random weights: the same features as torch-fidelity's own forward."""

import urllib.error

import pytest
import torch
from omegaconf import OmegaConf

from bench.errors import UserError
from bench.features import inception
from bench.features.inception import Inception2015
from bench.files import sha256_of


@pytest.fixture(scope="module")
def fidelity():
    return inception._torch_fidelity()


@pytest.fixture(scope="module")
def weights(fidelity, tmp_path_factory):
    """A file in torch-fidelity's format; He et al.'s initial scale keeps features near 1."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fidelity, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(torch.nn.Module, "load_state_dict", lambda *_: None)
        state = fidelity.FeatureExtractorInceptionV3("random", ["2048"]).state_dict()
    generator = torch.Generator().manual_seed(0)
    for name, value in state.items():
        if name.endswith("conv.weight"):
            deviation = (2 / value[0].numel()) ** 0.5
            value.copy_(torch.randn(value.shape, generator=generator) * deviation)
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(state, path)
    return path


@pytest.fixture(scope="module")
def extractor(weights):
    return Inception2015("inception_2015", weights, sha256_of(weights))


def images(channels):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, (2, channels, 20, 24), generator=generator, dtype=torch.uint8)


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3])
def test_equals_torch_fidelity(fidelity, weights, extractor, channels):
    theirs = fidelity.FeatureExtractorInceptionV3(
        "random", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(weights)
    )
    batch = images(channels)
    expected = theirs(batch.repeat(1, 3 // channels, 1, 1))
    assert expected[0].std(0).mean() > 1e-3 * expected[0].mean()  # the images can be told apart
    for value, reference in zip(extractor(batch / 255), expected, strict=True):
        torch.testing.assert_close(value, reference, rtol=1e-6, atol=0)


@pytest.mark.slow
def test_grey_levels_are_not_rounded(extractor):
    batch = images(3)[:1] / 255
    moved = extractor((batch + 0.4 / 255).clamp(max=1))[0]
    assert (moved - extractor(batch)[0]).abs().max() > 0


@pytest.mark.slow
def test_has_the_attributes_of_an_extractor(weights, extractor):
    assert extractor.name == "inception_2015" and extractor.width == 2048
    assert extractor.weight_hash == sha256_of(weights) and "299x299" in extractor.resize
    assert not extractor.training and not any(p.requires_grad for p in extractor.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(2,), (2, 8, 8), (4, 8, 8)])
def test_what_is_no_image_is_refused(extractor, shape):
    with pytest.raises(UserError, match="1 or 3 channels"):
        extractor(torch.zeros(2, *shape))


@pytest.mark.slow
def test_config_accepts_only_the_published_weights(weights, extractor_of):
    with pytest.raises(UserError, match="has SHA-256") as caught:
        extractor_of("inception_2015", weights=str(weights))
    assert "features.sha256=null" in caught.value.fix
    other = extractor_of("inception_2015", weights=str(weights), sha256=None)
    assert other.weight_hash == sha256_of(weights)


def test_published_hash_is_the_one_in_the_files_name(fidelity, config):
    url = fidelity.URL_INCEPTION_V3
    assert config("inception_2015").sha256.startswith(url.removesuffix(".pth")[-8:])


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 half a file"])
def test_a_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "damaged.pth"
    path.write_bytes(content)
    with pytest.raises(UserError, match="does not hold the weights"):
        Inception2015("inception_2015", path, None)


def test_a_file_of_another_network_or_with_code_is_refused(tmp_path):
    path = tmp_path / "other.pth"
    for content in ({"fc.weight": torch.zeros(2)}, OmegaConf.create({"a": 1}), 3):
        torch.save(content, path)
        with pytest.raises(UserError, match="does not hold the weights"):
            Inception2015("inception_2015", path, None)


def test_without_file_and_network_it_says_what_to_do(tmp_path, monkeypatch, extractor_of):
    def unreachable(*_, **__):
        raise urllib.error.URLError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    with pytest.raises(UserError, match="none could be downloaded") as caught:
        extractor_of("inception_2015")
    assert "features.weights=FILE" in caught.value.fix
    with pytest.raises(UserError, match="no file"):
        extractor_of("inception_2015", weights=str(tmp_path / "absent"))


def test_torch_hubs_copy_is_used_and_checked(fidelity, tmp_path, monkeypatch, extractor_of):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub" / "checkpoints" / fidelity.URL_INCEPTION_V3.rpartition("/")[2]
    path.parent.mkdir(parents=True)
    path.write_bytes(b"other weights")
    with pytest.raises(UserError, match="has SHA-256"):
        extractor_of("inception_2015")
