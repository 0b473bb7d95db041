"""A penalty stands beside the name of a loss only where it is not the loss's own."""

import pytest

from bench.config.loss_label import loss_label, own_penalty


@pytest.mark.parametrize(
    ("loss", "penalty", "label"),
    [
        ("hinge", "none", "hinge"),
        ("hinge", "r1", "hinge + r1"),
        ("wgan_gp", "gp", "wgan_gp"),
        ("wgan_gp", "gp_exact", "wgan_gp + gp_exact"),
        ("../../loss/wgan_gp", "gp", "../../loss/wgan_gp + gp"),  # no entry: nothing is read
        ("", "none", ""),
    ],
)
def test_a_penalty_that_a_loss_names_is_not_repeated(loss, penalty, label):
    assert loss_label(loss, penalty) == label


def test_a_loss_without_a_package_of_its_own_names_none():
    assert own_penalty("nonsaturating") == "none" and own_penalty("dragan_v2") == "dragan_v2"
