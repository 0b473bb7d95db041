"""Cross-entropy of classes: numbers by hand, and its gradient."""

import math

import pytest
import torch
from golden_values import fill
from torch.func import grad, vmap

from bench.losses.class_cross_entropy import both_terms, fake_term, real_term

LOGITS = torch.tensor([[0.0, math.log(3)], [0.0, math.log(3)]], dtype=torch.float64)
REAL, FAKE = fill(5, 4, step=0.9, scale=2.0), fill(5, 4, step=0.7, phase=1.0, scale=2.0)
LABELS = torch.tensor([3, 0, 1, 1, 2]), torch.tensor([0, 0, 2, 3, 1])


def test_odds_of_three_to_one():
    """Probabilities 1/4 and 3/4: a sample of each class costs the mean of ln 4 and ln 4/3."""
    labels = torch.tensor([0, 1])
    expected = (math.log(4) + math.log(4 / 3)) / 2
    assert real_term(LOGITS, labels).item() == pytest.approx(expected, rel=1e-12)
    assert fake_term(LOGITS, labels).item() == pytest.approx(expected, rel=1e-12)
    both = both_terms(LOGITS, LOGITS, labels, torch.tensor([1, 1])).item()
    assert both == pytest.approx(expected + math.log(4 / 3), rel=1e-12)


def test_who_knows_nothing_pays_the_logarithm_of_the_number_of_classes():
    zeros, labels = torch.zeros(3, 10, dtype=torch.float64), torch.tensor([0, 5, 9])
    assert real_term(zeros, labels).item() == pytest.approx(math.log(10), rel=1e-12)
    assert both_terms(zeros, zeros, labels, labels).item() == pytest.approx(2 * math.log(10))


def test_gradients_are_those_of_finite_differences():
    def loss(real, fake):
        return both_terms(real, fake, *LABELS)

    assert torch.autograd.gradcheck(loss, (REAL.clone().requires_grad_(), FAKE.requires_grad_()))
    slope = grad(real_term)(REAL, LABELS[0])
    wanted = (REAL.softmax(1) - torch.eye(4, dtype=torch.float64)[LABELS[0]]) / 5
    assert torch.allclose(slope, wanted, rtol=1e-12)


def test_replicas_side_by_side_are_each_alone():
    real, fake = torch.stack([REAL, 2 * REAL]), torch.stack([FAKE, -FAKE]).detach()
    labels = [torch.stack([one, one.flip(0)]) for one in LABELS]
    found = vmap(grad(both_terms))(real, fake, *labels)
    for replica in range(2):
        given = real[replica], fake[replica], labels[0][replica], labels[1][replica]
        assert torch.allclose(found[replica], grad(both_terms)(*given), rtol=1e-12)
