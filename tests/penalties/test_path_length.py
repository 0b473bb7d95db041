"""Path length against StudioGAN's code, a linear generator's closed form, and replicas."""

import math

import pytest
import torch
from golden_values import fill, golden
from torch.func import vmap

from bench.penalties.path_length import PathLength, path_lengths

MATRIX = fill(4, 12, step=0.4, phase=0.1)


def generator(ws: torch.Tensor) -> torch.Tensor:
    return torch.tanh(ws @ MATRIX).sum(1).reshape(2, 3, 2, 2)


def test_three_calls_are_studiogans():
    """Its weight is 2; the latent of each of three layers is a row of w."""
    ws = fill(2, 3, 4, step=0.3, phase=0.2)
    draws = {"noise": fill(2, 3, 2, 2, step=0.7, phase=0.5)}
    penalty = PathLength(0.01)
    state = {"mean": torch.zeros((), dtype=torch.float64)}
    for loss, mean in golden("path_length/2")["loss_and_pl_mean"]:
        term, state = penalty(generator, ws, draws, state)
        assert 2 * term.item() == pytest.approx(loss, rel=1e-9)
        assert state["mean"].item() == pytest.approx(mean, rel=1e-9)


def test_a_linear_generators_lengths_are_those_of_j_transposed_y():
    latent, noise = fill(5, 4, step=0.3), fill(5, 3, 2, 2, step=0.7)
    found = path_lengths(lambda z: (z @ MATRIX).reshape(5, 3, 2, 2), latent, noise)
    expected = (noise.reshape(5, 12) / math.sqrt(4) @ MATRIX.T).norm(dim=1)
    assert found.tolist() == pytest.approx(expected.tolist(), rel=1e-12)
    points = path_lengths(lambda z: z @ MATRIX, latent, noise.reshape(5, 12))
    assert points.tolist() == pytest.approx((2 * expected).tolist(), rel=1e-12)


def test_the_gradient_goes_through_the_batchs_share_of_the_mean():
    """One length s |y|: (s|y| - a)^2 with a = m + c (s|y| - m) is (1 - c)^2 (s|y| - m)^2."""
    scale = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    latent, noise = fill(1, 2, step=0.4), torch.tensor([[3.0, 4.0]], dtype=torch.float64)
    state = {"mean": torch.tensor(1.0, dtype=torch.float64)}
    term, after = PathLength(0.25)(lambda z: scale * z, latent, {"noise": noise}, state)
    term.backward()
    assert term.item() == pytest.approx(0.75**2 * 9**2, rel=1e-12)
    assert scale.grad.item() == pytest.approx(2 * 0.75**2 * 9 * 5, rel=1e-12)
    assert after["mean"].item() == 1 + 0.25 * 9 and not after["mean"].requires_grad


def test_replicas_have_the_lengths_and_means_of_each_alone():
    matrices, latent = fill(3, 4, 12, step=0.4), fill(2, 4, step=0.3)
    means, noise = torch.tensor([0.0, 0.5, 2.0]).double(), fill(2, 3, 2, 2, step=0.7)

    def one(matrix, mean):
        made = PathLength(0.01)(
            lambda z: torch.tanh(z @ matrix).reshape(2, 3, 2, 2),
            latent,
            {"noise": noise},
            {"mean": mean},
        )
        return made[0], made[1]["mean"]

    packed = vmap(one)(matrices, means)
    alone = [one(matrices[r], means[r]) for r in range(3)]
    assert packed[0].tolist() == pytest.approx([term.item() for term, _ in alone], rel=1e-12)
    assert packed[1].tolist() == pytest.approx([mean.item() for _, mean in alone], rel=1e-12)


def test_lengths_of_other_processes_are_gathered():
    latent, noise = fill(2, 4, step=0.3), fill(2, 12, step=0.7)
    state = {"mean": torch.tensor(0.0, dtype=torch.float64)}
    lengths = path_lengths(lambda z: z @ MATRIX, latent, noise)
    others = torch.tensor([1.0, 2.0], dtype=torch.float64)
    _, after = PathLength(0.5)(
        lambda z: z @ MATRIX, latent, {"noise": noise}, state, lambda own: torch.cat([own, others])
    )
    assert after["mean"].item() == pytest.approx((lengths.sum().item() + 3) / 4 / 2, rel=1e-12)


@pytest.mark.parametrize("decay", [0.0, 1.5, math.nan])
def test_a_decay_outside_its_range_is_refused(decay):
    with pytest.raises(ValueError, match="decay"):
        PathLength(decay)
