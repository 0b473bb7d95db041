"""Reference formulas for `scoring.py`, as papers and other packages write them."""

from unittest import mock

import numpy as np
import scipy.linalg


def textbook_distance(mean_1, cov_1, mean_2, cov_2) -> float:
    """|m1 - m2|^2 + Tr(C1 + C2 - 2 (C1 C2)^(1/2)) by `scipy.linalg.sqrtm`, as in pytorch-fid."""
    root = scipy.linalg.sqrtm(cov_1 @ cov_2)
    return np.sum((mean_1 - mean_2) ** 2) + np.trace(cov_1 + cov_2 - 2 * np.real(root))


def textbook_prdc(real: np.ndarray, fake: np.ndarray, *, k: int) -> dict[str, float]:
    """Compute precision, recall, density, coverage from x.x + y.y - 2 x.y of all pairs at once."""

    def squared_distances(x, y):
        return np.square(x).sum(1)[:, None] + np.square(y).sum(1) - 2 * (x @ y.T)

    def radii(x):
        return np.partition(squared_distances(x, x), k, axis=1)[
            :, k
        ]  # the nearest one is the sample itself

    between = squared_distances(real, fake)
    real_radius, fake_radius = radii(real), radii(fake)
    in_real, in_fake = between <= real_radius[:, None], between <= fake_radius
    return {
        "precision": in_real.any(0).mean(),
        "recall": in_fake.any(1).mean(),
        "density": in_real.sum() / (k * len(fake)),
        "coverage": in_real.any(1).mean(),
    }


def random_weights(network) -> dict:
    """Return a state in torch-fidelity's format, scaled as in He et al. to keep features finite."""
    import torch

    with (
        mock.patch.object(network, "load_state_dict_from_url", lambda *_, **__: {}),
        mock.patch.object(torch.nn.Module, "load_state_dict", lambda *_: None),
    ):
        state = network.FeatureExtractorInceptionV3("random", ["2048"]).state_dict()
    for name, value in state.items():
        if name.endswith("conv.weight"):
            value.normal_(0, (2 / value[0].numel()) ** 0.5)
    return state
