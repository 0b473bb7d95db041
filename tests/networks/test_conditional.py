"""Conditional batch norm against mimicry's and BigGAN's, in training and in evaluation."""

import pytest
import torch
from golden_values import fill, golden

from bench.networks.conditional import ClassEmbedding, ConditionalBatchNorm, EpsBatchNorm
from bench.networks.layers import EPS, BatchNorm

IMAGES = fill(4, 3, 2, 2, step=0.1, phase=0.2, scale=1.5)
PIXELS = 16  # of a channel in a batch
BIASED = (PIXELS - 1) / PIXELS  # torch averages the unbiased variance


def layer(gain: torch.Tensor, shift: torch.Tensor) -> ConditionalBatchNorm:
    classes, features = gain.shape
    norm = ConditionalBatchNorm(classes, features, momentum=0.1, eps=1e-5).double()
    norm.load_state_dict({"gain.weight": gain, "shift.weight": shift}, strict=False)
    return norm


def test_scale_and_shift_of_a_class_as_mimicry_has_them():
    """Its scale is ours with 1 added; its running variance is n / (n - 1) of ours."""
    expected = golden("conditional_batch_norm/mimicry_c3")
    table, labels = fill(3, 6, step=0.4, phase=0.5), torch.tensor([0, 2, 1, 2])
    norm = layer(table[:, :3] - 1, table[:, 3:])
    y = norm(IMAGES, labels)
    assert y.sum().item() == pytest.approx(expected["train_sum"], rel=1e-9)
    for found, name in ((y[1, 0], "train_1_0"), (y[3, 2], "train_3_last")):
        assert torch.allclose(found, torch.tensor(expected[name], dtype=y.dtype), rtol=1e-9)
    assert norm.running_mean.tolist() == pytest.approx(expected["running_mean"], rel=1e-9)
    published = torch.tensor(expected["running_var"], dtype=y.dtype)
    assert torch.allclose(norm.running_var, 0.9 + (published - 0.9) * BIASED, rtol=1e-9)
    norm.running_var.copy_(published)
    rest = norm.eval()(IMAGES, labels)
    wanted = expected["eval_after_one_training_pass_sum"]
    assert rest.sum().item() == pytest.approx(wanted, rel=1e-9)
    eval_1_0 = torch.tensor(expected["eval_1_0"], dtype=y.dtype)
    assert torch.allclose(rest[1, 0], eval_1_0, rtol=1e-9)


def test_one_plus_the_gain_as_in_biggan():
    """Its maps of a shared embedding y are, for one class a sample, tables of G y and B y."""
    expected = golden("conditional_batch_norm/biggan_c3")
    embedded = fill(4, 5, step=0.3, phase=0.1)
    gain = embedded @ fill(3, 5, step=0.6, phase=0.2, scale=0.5).T
    shift = embedded @ fill(3, 5, step=0.8, phase=0.9, scale=0.5).T
    norm, labels = layer(gain, shift), torch.arange(4)
    y = norm(IMAGES, labels)
    assert y.sum().item() == pytest.approx(expected["train_sum"], rel=1e-9)
    for found, name in ((y[0, 0], "train_0_0"), (y[2, 2], "train_2_last")):
        assert torch.allclose(found, torch.tensor(expected[name], dtype=y.dtype), rtol=1e-9)
    norm.running_var.copy_(0.9 + (norm.running_var - 0.9) / BIASED)  # as torch averages it
    wanted = expected["eval_after_one_training_pass_sum"]
    assert norm.eval()(IMAGES, labels).sum().item() == pytest.approx(wanted, rel=1e-9)


def test_without_gains_it_is_batch_norm_for_every_class():
    norm, plain = (
        ConditionalBatchNorm(2, 3, momentum=0.1, eps=1e-5).double(),
        EpsBatchNorm(3, momentum=0.1, eps=1e-5).double(),
    )
    assert isinstance(norm, BatchNorm)  # for who looks for layers that normalise by the batch
    assert torch.equal(norm(IMAGES, torch.tensor([0, 1, 1, 0])), plain(IMAGES))
    points = fill(5, 3, step=0.7)
    assert norm(points, torch.tensor([0, 1, 1, 0, 1])).shape == (5, 3)


@pytest.mark.parametrize("momentum", [None, 0.25])
@pytest.mark.parametrize("training", [True, False])
def test_with_the_study_s_eps_it_is_the_study_s_batch_norm(momentum, training):
    ours, study = EpsBatchNorm(3, momentum=momentum, eps=EPS), BatchNorm(3, momentum=momentum)
    weights = {"weight": torch.tensor([0.5, 1.0, -2.0]), "bias": torch.tensor([0.1, 0.0, 3.0])}
    for norm in (ours, study):
        norm.load_state_dict(weights, strict=False)
        norm.double().train(training)
    for _ in range(2):
        assert torch.equal(ours(IMAGES), study(IMAGES))
    for mine, theirs in zip(ours.buffers(), study.buffers(), strict=True):
        assert torch.equal(mine, theirs)


def test_synchronised_over_processes_it_normalises_by_the_sums_of_all(monkeypatch):
    """Two processes with equal batches: the sums double, and so does the count."""
    norm = layer(fill(2, 3, step=0.4), fill(2, 3, step=0.9))
    alone = layer(fill(2, 3, step=0.4), fill(2, 3, step=0.9))
    plain, plain_alone = (EpsBatchNorm(3, momentum=0.1, eps=1e-5).double() for _ in range(2))
    labels = torch.tensor([0, 1, 1, 0])
    norm.synchronised = plain.synchronised = True
    monkeypatch.setattr("bench.core.distributed.world_size", lambda: 2)
    monkeypatch.setattr("bench.core.distributed.all_reduce_sum", lambda x: 2 * x)
    assert torch.allclose(norm(IMAGES, labels), alone(IMAGES, labels), rtol=1e-12)
    assert torch.allclose(plain(IMAGES), plain_alone(IMAGES), rtol=1e-12)
    assert torch.allclose(norm.running_var, alone.running_var, rtol=1e-12)
    assert torch.allclose(plain.running_mean, plain_alone.running_mean, rtol=1e-12)


def test_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="eps is 0"):
        EpsBatchNorm(3, momentum=0.1, eps=0)
    with pytest.raises(ValueError, match="classes"):
        ClassEmbedding(0, 3)
