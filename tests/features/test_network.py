import numpy as np
import pytest
import torch

from bench.features.network import ConvNet, fold_batch_norm

SIZES = {"stages": [[4, 6], [8]], "width": 5, "classes": 3}


def count(net):
    return sum(p.numel() for p in net.parameters())


def test_number_of_weights_of_a_folded_network():
    """Convolutions 1-4-6-8, 3x3, with biases; 8 maps of 2x2 to 5 features; 5 to 3 classes."""
    net = ConvNet([1, 8, 8], **SIZES, batch_norm=False)
    assert count(net) == 4 * 10 + 6 * (9 * 4 + 1) + 8 * (9 * 6 + 1) + 5 * (8 * 4 + 1) + 3 * 6


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 13), (2, 31, 8)])
def test_images_of_any_size_give_features_and_logits(shape):
    features, logits = ConvNet(shape, **SIZES, batch_norm=False)(torch.rand(4, *shape))
    assert features.shape == (4, 5) and logits.shape == (4, 3)


@pytest.mark.parametrize(("shape", "stages"), [((1, 7, 8), [[4]]), ((1, 8, 8), [[4]] * 4)])
def test_an_image_too_small_for_the_stages_is_refused(shape, stages):
    with pytest.raises(ValueError, match=f"{len(stages)} stages do not fit"):
        ConvNet(shape, stages=stages, width=5, classes=3, batch_norm=True)


def test_folding_keeps_the_function():
    torch.manual_seed(0)
    net = ConvNet([3, 8, 8], **SIZES, batch_norm=True).double()
    for _ in range(5):  # running averages, scales and shifts away from 0 and 1
        net(torch.rand(16, 3, 8, 8, dtype=torch.float64) ** 3)
    for parameter in net.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    images = torch.rand(6, 3, 8, 8, dtype=torch.float64)
    plain = fold_batch_norm(net)
    assert net.training and not plain.training
    assert list(plain.state_dict()) == list(
        ConvNet([3, 8, 8], **SIZES, batch_norm=False).state_dict()
    )
    for expected, value in zip(net.eval()(images), plain(images), strict=True):
        np.testing.assert_allclose(value.detach(), expected.detach(), rtol=1e-12, atol=1e-12)
