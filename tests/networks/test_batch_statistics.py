"""What batch norm normalises by when a generator is sampled."""

import pytest
import torch
from golden_values import fill, golden
from torch import Tensor, nn

from bench.models.priors import normal
from bench.networks.batch_statistics import RUNNING, BatchStatistics
from bench.networks.conditional import EpsBatchNorm
from bench.networks.layers import EPS, BatchNorm
from bench.networks.sampler import Sampler

COUNT, BATCH = 12, 4


class Scaled(nn.Module):
    """Batch norm of 3 z + 1, whose running averages are those of training: 0.5 and 4."""

    def __init__(self, kind: str = "ours") -> None:
        super().__init__()
        if kind == "ours":
            self.norm: nn.Module = BatchNorm(2, momentum=0.1)
        else:
            self.norm = nn.BatchNorm1d(2, eps=EPS)
        self.norm.running_mean.fill_(0.5)
        self.norm.running_var.fill_(4.0)

    def forward(self, latent: Tensor) -> Tensor:
        return self.norm(3 * latent + 1)


def samples(net: nn.Module, statistics: BatchStatistics) -> tuple[Tensor, Tensor]:
    """Return samples and 3 z + 1 of the same latents, [COUNT, 2] each."""
    sampler = Sampler(net, normal, 2, batch_norm=statistics)
    x = 3 * normal(COUNT, 2, torch.Generator().manual_seed(7)) + 1
    return sampler.samples(COUNT, torch.Generator().manual_seed(7), COUNT), x


def test_running_averages_are_those_of_training():
    found, x = samples(Scaled(), RUNNING)
    torch.testing.assert_close(found, (x - 0.5) / (4 + EPS) ** 0.5)


def test_each_batch_has_its_own():
    found, x = samples(Scaled(), BatchStatistics("batch", batch=BATCH, batches=1))
    for part, own in zip(found.split(BATCH), x.split(BATCH), strict=True):
        expected = (own - own.mean(0)) / (own.var(0, correction=0) + EPS).sqrt()
        torch.testing.assert_close(part, expected)


@pytest.mark.parametrize("kind", ["ours", "torch"])
def test_standing_statistics_are_means_over_batches_of_the_trained_generator(kind: str):
    found, x = samples(Scaled(kind), BatchStatistics("standing", batch=500, batches=40))
    # 3 z + 1 has mean 1 and variance 9; 20,000 latents give them to two per cent
    assert (found * 3 + 1 - x).abs().max() < 0.25
    again, _ = samples(Scaled(kind), BatchStatistics("standing", batch=500, batches=40))
    assert torch.equal(found, again)


@pytest.mark.parametrize("mode", ["running", "batch", "standing"])
def test_the_generator_is_left_as_it_was(mode: str):
    net = Scaled().train()
    samples(net, BatchStatistics(mode, batch=BATCH, batches=3))
    assert net.training and net.norm.training and net.norm.momentum == 0.1
    assert net.norm.running_mean.tolist() == [0.5, 0.5]
    assert net.norm.running_var.tolist() == [4.0, 4.0]


def test_what_a_protocol_holds():
    assert str(RUNNING) == "running averages" and RUNNING.stated() == {}
    standing = BatchStatistics("standing", batch=64, batches=16)
    assert standing.stated() == {"batch_norm": "standing statistics of 16 batches of 64"}
    assert str(BatchStatistics("batch", batch=50, batches=1)) == "statistics of batches of 50"


def test_bad_settings():
    with pytest.raises(ValueError, match="batch_norm.mode is 'mean'; choose running, batch, stand"):
        BatchStatistics("mean", batch=64, batches=16)
    with pytest.raises(ValueError, match="batch_norm.batch is 1; it counts samples"):
        BatchStatistics("batch", batch=1, batches=16)


def test_standing_statistics_are_the_sums_of_biggans_code():
    """Means and biased variances of two batches of the generator, averaged."""
    expected = golden("standing_statistics/biggan_c3")
    given = [fill(4, 3, 2, 2, step=0.1, phase=0.2, scale=1.5)]
    given.append(fill(4, 3, 2, 2, step=0.17, phase=0.6, scale=0.9))
    norm = EpsBatchNorm(3, momentum=0.1, eps=1e-5).double()
    standing = BatchStatistics("standing", batch=4, batches=2)
    with standing.applied(norm, lambda count, latents: norm(given.pop())):
        assert norm.running_mean.tolist() == pytest.approx(expected["mean"], rel=1e-5)
        assert norm.running_var.tolist() == pytest.approx(expected["var"], rel=1e-5)
        found = norm(fill(4, 3, 2, 2, step=0.1, phase=0.2, scale=1.5))
    assert found.sum().item() == pytest.approx(expected["eval_sum"], rel=1e-5)
