"""Small measures for properties: with ties, repeated points and weights of 0 as well as without."""

import numpy as np
from hypothesis import strategies as st

from bench.divergences import Measure

SEEDS = st.integers(0, 2**32 - 1)


def random_measure(rng: np.random.Generator, count: int, dimensions: int) -> Measure:
    points = rng.normal(size=(count, dimensions))
    if rng.random() < 0.5:
        points = points.round()  # many repeat, many distances are equal
    weights = rng.dirichlet(np.ones(count))
    if rng.random() < 0.5 and count > 1:
        weights[0] = 0
        weights /= weights.sum()
    return Measure(points, weights)


@st.composite
def measures(draw, how_many=2, most=7):
    """So many random measures of 1 to `most` points, all in 1 to 3 dimensions."""
    rng = np.random.default_rng(draw(SEEDS))
    dimensions = draw(st.integers(1, 3))
    return [random_measure(rng, draw(st.integers(1, most)), dimensions) for _ in range(how_many)]
