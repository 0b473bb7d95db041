"""With given weights: the numbers of the authors' code, and of torch's own transformer layers."""

import numpy as np
import pytest
import random_weights
import torch
from torch import nn

from bench.core.errors import UserError
from bench.core.files import sha256_of
from bench.features.dinov2 import DinoV2
from bench.features.fidelity import import_torch_fidelity
from bench.features.vit import VisionTransformer, resize_positions

# Features 0, 1, 63, 64, 127 of two images by dinov2/models/vision_transformer.py of
# facebookresearch/dinov2 (commit 112792f), run with these weights.
AUTHORS = {
    False: [
        [1.922277, -0.329742, -0.761783, 0.81954, -0.441579],
        [1.946355, -0.333172, -0.758937, 0.819299, -0.453648],
    ],
    True: [
        [-0.640407, 0.421914, -0.769844, 0.825393, -0.555847],
        [-0.625379, 0.413726, -0.766645, 0.82518, -0.569678],
    ],
}


@pytest.mark.parametrize("gated", [False, True])
def test_numbers_of_the_authors_code(gated):
    tensors = random_weights.dinov2(width=128, depth=2, grid=37, gated=gated)
    wave = torch.sin(torch.arange(3 * 224 * 224).double() * 0.01).float().reshape(1, 3, 224, 224)
    images = torch.cat([2 * wave, (2 * wave.flip(3)) ** 3])
    with torch.no_grad():
        features = VisionTransformer(tensors, 224)(images)
    np.testing.assert_allclose(features[:, [0, 1, 63, 64, 127]], AUTHORS[gated], atol=5e-6)


class TorchLayers(nn.Module):
    """The same function by nn.TransformerEncoderLayer, residual scales folded into the weights."""

    def __init__(self, tensors):
        super().__init__()
        self.tensors = tensors
        width = len(tensors["norm.weight"])
        depth = sum(name.endswith("ls1.gamma") for name in tensors)
        self.layers = nn.ModuleList()
        for block in range(depth):
            own = {
                name.partition(f"blocks.{block}.")[2]: value
                for name, value in tensors.items()
                if name.startswith(f"blocks.{block}.")
            }
            layer = nn.TransformerEncoderLayer(
                width,
                nhead=width // 64,
                dim_feedforward=4 * width,
                dropout=0,
                activation="gelu",
                layer_norm_eps=1e-6,
                batch_first=True,
                norm_first=True,
            )
            scales = own["ls1.gamma"], own["ls2.gamma"]
            layer.load_state_dict(
                {
                    "self_attn.in_proj_weight": own["attn.qkv.weight"],
                    "self_attn.in_proj_bias": own["attn.qkv.bias"],
                    "self_attn.out_proj.weight": scales[0][:, None] * own["attn.proj.weight"],
                    "self_attn.out_proj.bias": scales[0] * own["attn.proj.bias"],
                    "linear1.weight": own["mlp.fc1.weight"],
                    "linear1.bias": own["mlp.fc1.bias"],
                    "linear2.weight": scales[1][:, None] * own["mlp.fc2.weight"],
                    "linear2.bias": scales[1] * own["mlp.fc2.bias"],
                    **{k: v for k, v in own.items() if k.startswith("norm")},
                }
            )
            self.layers.append(layer)
        self.eval()

    def forward(self, images):
        t = self.tensors
        patches = nn.functional.conv2d(
            images, t["patch_embed.proj.weight"], t["patch_embed.proj.bias"], stride=14
        )
        tokens = patches.permute(0, 2, 3, 1).flatten(1, 2)
        tokens = torch.cat([t["cls_token"].repeat(len(images), 1, 1), tokens], 1) + t["pos_embed"]
        for layer in self.layers:
            tokens = layer(tokens)
        weight, bias = t["norm.weight"], t["norm.bias"]
        return nn.functional.layer_norm(tokens, weight.shape, weight, bias, 1e-6)[:, 0]


@pytest.fixture(scope="module")
def tensors():
    return random_weights.dinov2(width=128, depth=2, grid=16, gated=False)


@pytest.fixture(scope="module")
def weights(tensors, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "dinov2.pth"
    torch.save(tensors, path)
    return path


@pytest.fixture(scope="module")
def extractor(weights):
    return DinoV2("dinov2", "dinov2-vit-s-14", weights, sha256_of(weights))


def images(channels):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, (3, channels, 20, 24), generator=generator, dtype=torch.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_equals_torch_fidelitys_extractor(tensors, extractor, channels, monkeypatch):
    """Which loads its network from GitHub; here it gets torch's own layers."""
    theirs = import_torch_fidelity("dinov2", "feature_extractor_dinov2")
    monkeypatch.setenv("XFORMERS_DISABLED", "1")  # as it does, undone
    monkeypatch.setattr(torch.hub, "load", lambda repository, network: TorchLayers(tensors))
    reference = theirs.FeatureExtractorDinoV2("dinov2-vit-s-14", ["dinov2"])
    batch = images(channels)
    with torch.no_grad():
        (expected,) = reference(batch.repeat(1, 3 // channels, 1, 1))
        features, logits = extractor(batch / 255)
    assert expected.std(0).mean() > 1e-3 * expected.abs().mean()  # images can be told apart
    assert logits is None and features.dtype == torch.float32
    torch.testing.assert_close(features, expected, rtol=1e-5, atol=1e-5)


def test_small_tokens_feel_the_eps_of_the_norms(tensors):
    """Variances of about 1e-6, before every norm."""
    small = {
        name: value * 1e-3 if "embed" in name or "gamma" in name or name == "cls_token" else value
        for name, value in tensors.items()
    }
    with torch.no_grad():
        pictures = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
        expected = TorchLayers(small)(pictures)
        torch.testing.assert_close(VisionTransformer(small, 224)(pictures), expected)


def keys_weights(distance):
    """Keys 1981, equation 4, with a = -0.75 as torch has it."""
    near, a = np.abs(distance), -0.75
    inner = (a + 2) * near**3 - (a + 3) * near**2 + 1
    outer = a * near**3 - 5 * a * near**2 + 8 * a * near - 4 * a
    return np.where(near <= 1, inner, np.where(near < 2, outer, 0.0))


def test_positions_stretch_by_the_authors_factor():
    """Place i of 16 lies at (i + 1/2) 37 / 16.1 - 1/2 of the 37; the edge is repeated."""
    trained = torch.randn(1, 1 + 37 * 37, 3, generator=torch.Generator().manual_seed(0))
    places = (np.arange(16) + 0.5) * 37 / 16.1 - 0.5
    taps = np.floor(places)[:, None] + np.arange(-1, 3)
    across = np.zeros((16, 37))
    for row, (tap, weight) in enumerate(
        zip(taps, keys_weights(places[:, None] - taps), strict=True)
    ):
        np.add.at(across[row], tap.clip(0, 36).astype(int), weight)
    square = trained[0, 1:].double().numpy().reshape(37, 37, 3)
    expected = np.einsum("ai,bj,ijf->abf", across, across, square).reshape(256, 3)
    stretched = resize_positions(trained, 16)
    assert torch.equal(stretched[:, 0], trained[:, 0])
    np.testing.assert_allclose(stretched[0, 1:], expected, atol=1e-5)
    assert torch.equal(resize_positions(trained, 37), trained)


def test_has_the_attributes_of_an_extractor(weights, extractor):
    assert (extractor.name, extractor.width) == ("dinov2", 128)
    assert extractor.weight_hash == sha256_of(weights)
    assert extractor.resize == "bilinear 224x224, TensorFlow 1"
    assert not extractor.training and not any(p.requires_grad for p in extractor.parameters())


def test_grey_levels_are_not_rounded(extractor):
    batch = images(3)[:1] / 255
    moved = extractor((batch + 0.4 / 255).clamp(max=1))[0]
    assert (moved - extractor(batch)[0]).abs().max() > 1e-6


def test_what_is_no_image_is_refused(extractor):
    with pytest.raises(UserError, match="1 or 3 channels"):
        extractor(torch.zeros(2, 2, 8, 8))


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: tensors.pop("norm.bias"),
        lambda tensors: tensors.update(register_tokens=torch.zeros(1, 4, 128)),
        lambda tensors: tensors.update(pos_embed=torch.zeros(1, 12, 128)),
        lambda tensors: tensors.update({"patch_embed.proj.weight": torch.zeros(128, 1, 14, 14)}),
    ],
)
def test_tensors_of_another_network_are_refused(tensors, tmp_path, change):
    """One is missing, one is left over (a model with registers), no square, grey images."""
    other = dict(tensors)
    change(other)
    torch.save(other, tmp_path / "other.pth")
    with pytest.raises(UserError, match="does not hold the weights"):
        DinoV2("dinov2", "dinov2-vit-s-14", tmp_path / "other.pth", None)
