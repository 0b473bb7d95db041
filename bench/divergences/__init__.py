"""Distances between distributions, exact where they can be: numpy and scipy alone, in float64.

Natural logarithms; JS is half of KL(p, m) + KL(q, m), at most ln 2, and the slides that the suite
examines use twice that. Measures, densities and Gaussians come in, numbers and couplings go out.
"""

# ruff: noqa: F401  (the names that the package offers)

from bench.divergences import dirac
from bench.divergences.densities import (
    density_js,
    density_kl,
    density_tv,
    game_value,
    optimal_discriminator,
    optimal_logit,
)
from bench.divergences.duality import (
    Dual,
    c_transform,
    duality_gap,
    kantorovich,
    potentials,
    slackness,
)
from bench.divergences.gaussians import (
    gaussian_kl,
    gaussian_tv,
    gaussian_tv_same_covariance,
    gaussian_w2,
)
from bench.divergences.inverse import map_gap, mixture_cumulative, mixture_quantile, sample_gap
from bench.divergences.lines import parallel_lines
from bench.divergences.lipschitz import extension, kantorovich_rubinstein, lipschitz_constant
from bench.divergences.measures import Measure, js, kl, on_common_points, tv
from bench.divergences.mixtures import Mixture, fit_forward_kl, fit_js, fit_reverse_kl
from bench.divergences.quantiles import wasserstein_line, wasserstein_quantiles
from bench.divergences.samples import binned, nearest_kl
from bench.divergences.transport import Transport, ground_costs, transport, wasserstein
