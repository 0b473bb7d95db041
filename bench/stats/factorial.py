"""Effects in a full factorial experiment that is repeated as a whole, and their intervals.

Box, Hunter and Hunter 2005, Statistics for Experimenters, chapter 5; each repetition, a training
seed say, has every cell, so that an effect has one value for each of them.
"""

from collections.abc import Mapping

import numpy as np


def contrast(outcomes: np.ndarray, levels: Mapping[int, int]) -> np.ndarray:
    """Effect of some factors' levels against each factor's first level, averaged over the others.

    Of one factor it is the main effect y_level - y_first; of two the interaction
    (y_ab - y_a0) - (y_0b - y_00): what both together do beyond the sum of each alone.

    Args:
        outcomes: [levels of factor 0, levels of factor 1, ..., N repetitions].
        levels: factor -> its level, 1 or more.

    Returns:
        The effect in each repetition, [N].

    Raises:
        ValueError: no factor, one that is not there, or a level that it does not have.
    """
    factors = outcomes.ndim - 1
    if not levels or not all(
        0 <= factor < factors and 0 < level < outcomes.shape[factor]
        for factor, level in levels.items()
    ):
        raise ValueError(f"contrast: levels {dict(levels)} of outcomes {outcomes.shape}")
    for factor in range(factors):
        first = outcomes[0]
        outcomes = outcomes[levels[factor]] - first if factor in levels else outcomes.mean(0)
    return outcomes
