"""T5's rule on made norms, and the control's gradient against a quadrature."""

import numpy as np
import pytest

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments.t05_vanishing_gradient import conclude, orders_of_decay
from bench.theory.toolkit.frozen_generator import (
    control_gradient_norm,
    generator_gradient,
    make_gaussian_control,
)


def result(last, accuracy=1.0, **more):
    made = {"step": np.arange(2), "norm": np.array([1.0, last])}
    return made | {"accuracy": np.array([0.5, accuracy])} | more


def part_results(early, late, control, accuracy=1.0):
    found = {}
    for seed in range(3):
        found[f"stage 1, seed {seed}"] = result(early * (1 + seed / 10), accuracy)
        found[f"stage 2, seed {seed}"] = result(late * (1 + seed / 10), accuracy)
        found[f"control, seed {seed}"] = result(control, 0.7, exact=np.array(0.445))
    return found


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (part_results(1e-4, 1e-3, 1.5), REPRODUCED),
        (part_results(1e-4, 1e-1, 1.5), PARTLY),
        (part_results(1e-4, 1e-3, 1e-3), PARTLY),  # it vanishes where supports overlap, too
        (part_results(0.5, 0.5, 1.5), NOT),
        (part_results(1e-4, 1e-3, 1.5, accuracy=0.8), NOT),
        (part_results(np.nan, np.inf, 1.5), NOT),
        (part_results(0.0, 0.0, 1.5), NOT),  # underflow proves nothing
    ],
)
def test_the_rule(made, verdict):
    assert conclude(made).verdict == verdict


def test_the_summary_names_what_fails():
    assert "What fails" not in conclude(part_results(1e-4, 1e-3, 1.5)).summary
    said = conclude(part_results(1e-4, 1e-1, 1e-3)).summary
    assert "What fails: stage 2 (the rule asks for a fall by at least 2 orders" in said
    assert "What fails: the control, which must not fall by more than 0.5" in said


def test_orders():
    assert orders_of_decay(result(1e-3)) == pytest.approx(3)


def test_gradient_under_the_optimal_discriminator_of_the_control():
    """The bias along the shift: E_q[D*] = integral of p q / (p + q), by a sum over a grid."""
    import torch

    x = np.linspace(-9, 10, 20001)
    p, q = (np.exp(-((x - m) ** 2) / 2) / np.sqrt(2 * np.pi) for m in (0, 1))
    ratio = q * p / (p + q) * (x[1] - x[0])
    expected = np.hypot(np.sum(ratio), np.sum(ratio * (x - 1)))
    assert control_gradient_norm("minimax") == pytest.approx(expected, rel=0.01)

    best = torch.nn.Linear(2, 1)
    with torch.no_grad():
        best.weight.copy_(torch.tensor([[-1.0, 0.0]]))
        best.bias.fill_(0.5)
    latents = torch.randn(100_000, 2, generator=torch.Generator().manual_seed(0)).double()
    found = generator_gradient(
        make_gaussian_control(0, 1)[0],
        torch.nn.Sequential(best, torch.nn.Flatten(0)),
        "minimax",
        latents,
    )
    assert float(found.norm()) == pytest.approx(expected, rel=0.02)
