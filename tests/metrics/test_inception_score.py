import numpy as np
import pytest
import torch

from bench.core.shims import ensure_torchvision
from bench.metrics import inception_score as module
from bench.metrics.inception_score import inception_score, inception_score_splits


@pytest.mark.parametrize("scale", [50.0, 1e4, 1e300], ids="logit={:g}".format)
def test_certain_and_balanced_classes_score_their_number(scale):
    """The larger logits make probabilities of exactly 0, whose 0 log 0 is 0, not NaN."""
    assert inception_score(np.tile(np.eye(7) * scale, (3, 1))) == pytest.approx(7, rel=1e-12)


def test_one_class_only_scores_one_however_certain():
    assert inception_score(np.tile([1e4, 0, 0], (5, 1))) == 1


def test_equal_class_probabilities_score_one():
    rows = np.random.default_rng(0).normal(size=(100, 1, 3)) * 3
    scores = [inception_score(np.tile(row, (9, 1))) for row in rows]
    assert scores == pytest.approx([1] * 100, abs=1e-12)
    assert min(scores) == 1  # rounding never takes it below


def test_two_half_certain_classes():
    """p = (e, 1 - e) and (1 - e, e): the information is log 2 less the entropy of e = 1/4."""
    entropy = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    rows = [[0.25, 0.75], [0.75, 0.25]]
    assert inception_score(np.log(rows)) == pytest.approx(2 / np.exp(entropy), rel=1e-12)


def test_unbalanced_classes_score_the_exponential_of_their_entropy():
    """Certain classes in shares 1/2, 1/4, 1/4: exp(1.5 log 2)."""
    logits = 1e4 * np.eye(3)[[0, 0, 1, 2]]
    assert inception_score(logits) == pytest.approx(2**1.5, rel=1e-12)


def test_neither_a_constant_in_the_logits_nor_order_nor_repetition_matters():
    logits = np.random.default_rng(0).normal(size=(50, 10)) * 5
    value = inception_score(logits)
    shifts = np.random.default_rng(1).normal(size=(50, 1)) * 1000
    assert 1 < value < 10
    assert inception_score(logits + shifts) == pytest.approx(value, rel=1e-9)
    assert inception_score(logits[::-1]) == pytest.approx(value, rel=1e-12)
    assert inception_score(np.tile(logits, (3, 1))) == pytest.approx(value, rel=1e-12)


def test_is_computed_in_float64():
    logits = np.random.default_rng(0).normal(size=(1000, 10)).astype(np.float32)
    assert inception_score(logits) == inception_score(logits.astype(np.float64))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_refuses_logits_that_are_not_finite(bad):
    with pytest.raises(ValueError, match="NaN or infinity"):
        inception_score([[0.0, bad]])


@pytest.mark.parametrize("bad", [np.zeros((0, 3)), [0.5, 0.5]])
def test_refuses_what_is_no_table_of_logits(bad):
    with pytest.raises(ValueError, match="inception_score: one row"):
        inception_score(bad)


def test_splits_by_hand():
    """Parts of 2, 3 and 3 in the order given: 2 certain classes, 1, and shares 2/3 and 1/3."""
    logits = np.eye(3)[[0, 1, 2, 2, 2, 0, 1, 0]] * 1e4
    thirds = np.exp(-(2 / 3 * np.log(2 / 3) + 1 / 3 * np.log(1 / 3)))
    mean, deviation = inception_score_splits(logits, 3)
    assert mean == pytest.approx(np.mean([2, 1, thirds]), rel=1e-12)
    assert deviation == pytest.approx(np.std([2, 1, thirds], ddof=0), rel=1e-12)


def test_one_split_is_the_score_of_all():
    logits = np.random.default_rng(0).normal(size=(50, 10)) * 3
    assert inception_score_splits(logits, 1) == (inception_score(logits), 0)
    assert inception_score_splits(logits, 50) == (1, 0)


@pytest.mark.parametrize(("n", "splits"), [(100, 10), (103, 10), (17, 3)])
def test_splits_equal_torch_fidelity(n, splits):
    assert ensure_torchvision() != "absent"
    from torch_fidelity.metric_isc import isc_features_to_metric

    logits = np.random.default_rng(n).normal(size=(n, 20)).astype(np.float32) * 4
    theirs = isc_features_to_metric(torch.from_numpy(logits), splits=splits, shuffle=False)
    mean, deviation = inception_score_splits(logits, splits)
    assert mean == pytest.approx(theirs["inception_score_mean"], rel=1e-12)
    assert deviation == pytest.approx(theirs["inception_score_std"], rel=1e-10)


@pytest.mark.parametrize("splits", [0, -1, 6])
def test_refuses_more_splits_than_samples(splits):
    with pytest.raises(ValueError, match=f"5 samples, found {splits}"):
        inception_score_splits(np.zeros((5, 3)), splits)


@pytest.mark.parametrize("rows_of_a_block", [1, 7, 50])
def test_blocks_do_not_matter(monkeypatch, rows_of_a_block):
    logits = np.random.default_rng(0).normal(size=(50, 10)) * 3
    expected = inception_score(logits)
    monkeypatch.setattr(module, "BLOCK_BYTES", 8 * 10 * rows_of_a_block)
    assert inception_score(logits) == pytest.approx(expected, rel=1e-13)
    logits[-1, 3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        inception_score(logits)
