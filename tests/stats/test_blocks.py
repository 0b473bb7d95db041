from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import friedmanchisquare

from bench.stats import MIN_BLOCKS, blocks_needed, friedman, nemenyi_difference, nemenyi_groups

# Hollander and Wolfe 1973, p. 140: seconds to round first base in three ways, 22 players.
ROUNDING = """
5.40 5.50 5.55  5.85 5.70 5.75  5.20 5.60 5.50  5.55 5.50 5.40  5.90 5.85 5.70  5.45 5.55 5.60
5.40 5.40 5.35  5.45 5.50 5.35  5.25 5.15 5.00  5.85 5.80 5.70  5.25 5.20 5.10  5.65 5.55 5.45
5.60 5.35 5.45  5.05 5.00 4.95  5.50 5.50 5.40  5.45 5.55 5.50  5.55 5.55 5.35  5.45 5.50 5.55
5.50 5.45 5.25  5.65 5.60 5.40  5.70 5.65 5.55  6.30 6.30 6.25
"""
# Demsar 2006, table 6: AUC of C4.5, C4.5+m, C4.5+cf, C4.5+m+cf on 14 data sets; but for .9751,
# which is printed as .975 and ranked before the other .975.
AUC = """
.763 .768 .771 .798  .599 .591 .590 .569  .954 .971 .968 .967  .628 .661 .654 .657
.882 .888 .886 .898  .936 .931 .916 .931  .661 .668 .609 .685  .583 .583 .563 .625
.775 .838 .866 .875  1.00 1.00 1.00 1.00  .940 .962 .965 .962  .619 .666 .614 .669
.972 .981 .9751 .975  .957 .978 .946 .970
"""
TABLES = arrays(float, st.tuples(st.integers(2, 8), st.integers(3, 5)), elements=st.integers(0, 9))


def test_friedman_gives_the_published_value():
    """Their example in the manual of R's friedman.test: 11.143, p = 0.003805; it has ties."""
    found = friedman(np.array(ROUNDING.split(), float).reshape(22, 3))
    assert found.statistic == pytest.approx(11.143, abs=5e-4)
    assert found.p == pytest.approx(0.003805, abs=5e-7)


def test_ranks_and_difference_of_demsars_example():
    """Section 3.2.2; its 9.28 is for the ranks as they are, without a correction for ties."""
    found = friedman(-np.array(AUC.split(), float).reshape(14, 4))
    assert found.ranks == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    ties = 3 * (2**3 - 2) + (4**3 - 4)  # three pairs and a four
    assert found.statistic * (1 - ties / (14 * (4**3 - 4))) == pytest.approx(9.28, abs=0.01)
    assert nemenyi_difference(4, 14, alpha=0.05) == pytest.approx(1.25, abs=5e-3)


@pytest.mark.parametrize(("blocks", "contenders"), [(2, 2), (5, 3), (7, 6)])
def test_friedman_is_largest_where_all_blocks_agree(blocks, contenders):
    """N (k - 1): Kendall's coefficient of concordance is 1."""
    found = friedman(np.tile(np.arange(contenders), (blocks, 1)))
    assert found.statistic == pytest.approx(blocks * (contenders - 1))
    assert found.ranks.tolist() == list(range(1, contenders + 1))


def test_friedman_of_equal_contenders():
    assert friedman(np.ones((4, 3)))[1:] == (0, 1)
    assert friedman([[1, 2, 3], [2, 3, 1], [3, 1, 2]])[1:] == (0, 1)


@given(TABLES)
def test_friedman_equals_scipy(table):
    assume((table != table[:, :1]).any())
    expected = friedmanchisquare(*table.T)
    found = friedman(table)
    assert found.statistic == pytest.approx(expected.statistic, abs=1e-9)
    assert found.p == pytest.approx(expected.pvalue, abs=1e-9)


@given(TABLES, st.floats(0.1, 9))
def test_friedman_knows_only_the_order_within_blocks(table, scale):
    shift = np.arange(len(table))[:, None]
    assert friedman(scale * table + 100 * shift)[1:] == pytest.approx(friedman(table)[1:])
    worst = np.where(table == 9, np.inf, table)
    assert friedman(worst)[1:] == friedman(table)[1:]


@pytest.mark.parametrize("bad", [[[1, 2]], [[1], [2]], [1, 2], [[1, np.nan], [2, 3]]])
def test_friedman_refuses(bad):
    with pytest.raises(ValueError, match="2 blocks x 2 contenders"):
        friedman(bad)


@pytest.mark.parametrize(
    ("alpha", "q"),
    [
        (0.05, [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]),
        (0.10, [1.645, 2.052, 2.291, 2.459, 2.589, 2.693, 2.780, 2.855, 2.920]),
    ],
)
def test_critical_values_of_demsar(alpha, q):
    """Table 5(a), for 2 to 10 contenders; sqrt(k (k + 1) / (6 N)) is 1 for N = k (k + 1) / 6."""
    for contenders, value in enumerate(q, start=2):
        blocks = contenders * (contenders + 1)  # six times as many: the root is 1 / sqrt 6
        found = nemenyi_difference(contenders, blocks, alpha=alpha) * np.sqrt(6)
        assert found == pytest.approx(value, abs=1e-3)


@pytest.mark.parametrize("bad", [(1, 5, 0.05), (3, 1, 0.05), (3, 5, 0), (3, 5, 1)])
def test_critical_difference_refuses(bad):
    with pytest.raises(ValueError, match="nemenyi_difference"):
        nemenyi_difference(*bad[:2], alpha=bad[2])


def test_groups_of_demsars_example():
    """Ranks 1.964, 2.000, 2.893, 3.143; the difference is 1.25 at 5 % and 1.12 at 10 %."""
    columns = np.array(AUC.split(), float).reshape(14, 4).T
    scores = dict(zip(["C4.5", "+m", "+cf", "+m+cf"], -columns, strict=True))
    assert nemenyi_groups(scores, alpha=0.05) == [("+m+cf", "+m", "+cf", "C4.5")]
    assert nemenyi_groups(scores, alpha=0.10) == [("+m+cf", "+m", "+cf"), ("+cf", "C4.5")]


def test_groups_are_one_where_friedman_finds_nothing():
    """Two blocks agree on three contenders: chi-square 4, p = exp(-2) = 0.135."""
    scores = {"b": [2, 2], "a": [1, 1], "c": [3, np.inf]}
    assert nemenyi_groups(scores, alpha=0.13) == [("a", "b", "c")]
    # above it the difference is 1.91 at alpha = 0.14, less than 3 - 1
    assert nemenyi_groups(scores, alpha=0.14) == [("a", "b"), ("b", "c")]


@pytest.mark.parametrize("bad", [{}, {"a": [1, 2], "b": [1]}, {"a": [1, 2]}, {"a": [], "b": []}])
def test_groups_refuse(bad):
    with pytest.raises(ValueError, match="nemenyi_groups|friedman"):
        nemenyi_groups(bad, alpha=0.05)


@pytest.mark.parametrize("contenders", [2, 3, 4])
def test_blocks_needed_are_those_whose_smallest_exact_p_suffices(contenders):
    """All orders of the blocks after the first are as likely: how many agree with it?"""
    needed = blocks_needed(contenders, alpha=0.05)
    orders = list(permutations(range(contenders)))
    for blocks, enough in ((needed, True), (needed - 1, False)):
        tables = product(orders, repeat=blocks - 1)
        p = np.mean([all(order == orders[0] for order in table) for table in tables])
        assert bool(p <= 0.05) is enough


def test_fewest_blocks_are_those_of_two_contenders():
    assert blocks_needed(2, alpha=0.05) == MIN_BLOCKS


@pytest.mark.parametrize(("contenders", "alpha"), [(1, 0.05), (3, 0), (3, 1)])
def test_blocks_needed_refuses(contenders, alpha):
    with pytest.raises(ValueError, match="blocks_needed"):
        blocks_needed(contenders, alpha=alpha)
