"""T12: the critic can be trained to optimality, and its estimate tracks quality and distance.

Arjovsky et al. 2017 (arXiv:1701.07875), figure 3. Measured: estimates of WGAN-GP's critic against
exact W1 and sample quality at ten points of training, and the loss of NS GAN's discriminator.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from scipy.spatial.distance import cdist
from scipy.stats import pearsonr, spearmanr

from bench.core.objective import Objective
from bench.core.seeds import generator as stream
from bench.models.executor import DISCRIMINATOR
from bench.models.priors import normal
from bench.plotting.style import HUES, MARKERS, RULE, figure, render
from bench.theory.experiment import (
    CpuMinutes,
    Experiment,
    Figure,
    Measurements,
    PartResults,
    PartSettings,
    Result,
    overall_verdict,
)
from bench.theory.toolkit.axes import label_decades
from bench.theory.toolkit.critics import (
    BETAS,
    critic_losses,
    exact_w1,
    stack_critics,
    train_critics,
)
from bench.theory.toolkit.intervals import mean_or_nan
from bench.theory.toolkit.replica_stacks import find_diverged, generate
from bench.theory.toolkit.ring_gans import stack_gans
from bench.theory.toolkit.suite_access import build_objective, load_modes, load_samples
from bench.vectorized.stack import ReplicaStack
from bench.vectorized.trainer import train_step

WGAN, NS = "wgan_gp", "ns_gan"
LOSSES = {WGAN: "wgan_gp", NS: "nonsaturating"}
STOPS = (0, 10, 20, 40, 80, 160, 300, 600, 1000, 1500)
MIN_RANK_CORRELATION, MAX_QUALITY_CORRELATION, MAX_ERROR, LATENT = 0.8, -0.5, 0.2, 2


def parts(quick: bool) -> dict[str, PartSettings]:
    """List a part for each variant, with all seeds."""
    return {
        variant: {
            "variant": variant,
            "loss": loss,
            "seeds": list(range(2 if quick else 5)),
            "looks": [0, 10, 40, 80, 160] if quick else list(STOPS),
            "extra": 50 if quick else 400,
            "width": 64,
            "depth": 3,
            "batch": 64 if quick else 128,
            "points": 128 if quick else 512,
            "rate": 5e-4,
        }
        for variant, loss in LOSSES.items()
    }


def measure(settings: PartSettings) -> Measurements:
    """Measure at each stop, [stops, R]: the critic's signal after extra steps, W1, and quality."""
    seeds, count = settings["seeds"], settings["points"]
    objective = build_objective(settings["loss"], f"variant={settings['variant']}")
    real = torch.from_numpy(load_samples("ring")["test"][:count])
    latents = torch.stack([normal(count, LATENT, stream(seed, "score")) for seed in seeds])
    modes = load_modes("ring")
    rows: dict[str, list[Any]] = {"signal": [], "exact": [], "quality": [], "samples": []}
    traced = stack_critics(settings, objective).vmapped
    for pairs in train_to_stops(settings, objective):
        diverged, fake = find_diverged(pairs), generate(pairs, latents)
        critics = stack_critics(settings, objective)
        critics.vmapped = traced  # once for all stops: it takes as long as many steps
        critics.rows[DISCRIMINATOR].copy_(pairs.rows[DISCRIMINATOR])
        for _ in train_critics(critics, (real, fake), steps=settings["extra"]):
            pass
        # the value that the critic maximises; a GAN's gets its value at equal distributions added
        rows["signal"].append(np.where(diverged, np.nan, -critic_losses(critics, real, fake)))
        rows["exact"].append(
            [np.nan if gone else exact_w1(real, f) for f, gone in zip(fake, diverged, strict=True)]
        )
        near = [cdist(one.numpy(), modes.centres).min(axis=1) <= modes.radius for one in fake]
        rows["quality"].append(np.mean(near, axis=1))
        rows["samples"].append(fake[0, :100].numpy())
    offset = 2 * np.log(2) if settings["variant"] == NS else 0.0
    arrays = {name: np.array(values) for name, values in rows.items()}
    return {**arrays, "signal": arrays["signal"] + offset, "looks": np.array(settings["looks"])}


def train_to_stops(settings: PartSettings, objective: Objective) -> Iterator[ReplicaStack]:
    """Train the pairs of all seeds, and yield them at each stop, counted in generator steps."""
    named = {"learning_rate": settings["rate"], "betas": BETAS, "batch_size": settings["batch"]}
    pairs = stack_gans({**settings, **named, "latent_dim": LATENT}, objective, "ring")
    stops, first = settings["looks"], pairs.model(0)
    if 0 in stops:
        yield pairs
    while (g_steps_before := first.g_steps) < stops[-1]:
        train_step(pairs)
        if first.g_steps > g_steps_before and first.g_steps in stops:
            yield pairs


def conclude(results: PartResults) -> Result:
    """Check that the estimate ranks generators as W1 and quality do, and that it is near W1."""
    arrays = results[WGAN]
    signal, distance = (arrays[name].astype(np.float64) for name in ("signal", "exact"))
    with np.errstate(invalid="ignore", divide="ignore"):
        off = np.median(np.abs(signal / distance - 1), axis=0)
    of = "correlation of the estimate with"
    by_rank = correlations(signal, distance, spearmanr)
    ranks = mean_or_nan(f"Spearman's {of} W1, WGAN-GP", by_rank, "near 1")
    near = correlations(signal, arrays["quality"], spearmanr)
    quality = mean_or_nan(f"Spearman's {of} the share near a mode, WGAN-GP", near, "negative")
    linear = correlations(signal, distance, pearsonr)
    pearson = mean_or_nan(f"Pearson's {of} W1, WGAN-GP", linear, "near 1")
    error = mean_or_nan("median over training of |estimate / W1 - 1|, WGAN-GP", off, "near 0")
    contrast = [  # decides nothing
        mean_or_nan(
            f"{name} correlation of 2 ln 2 minus D's loss with W1, NS GAN",
            correlations(results[NS]["signal"], results[NS]["exact"], coefficient),
        )
        for name, coefficient in (("Spearman's", spearmanr), ("Pearson's", pearsonr))
    ]
    conditions = {
        "tracks distance": ranks.lower > MIN_RANK_CORRELATION,
        "tracks quality": quality.upper < MAX_QUALITY_CORRELATION,
        "is near W1": error.upper < MAX_ERROR,
    }
    summary = (
        f"Over training the estimate of WGAN-GP's critic has a rank correlation of "
        f"{ranks.value:.2f} (at least {ranks.low:.2f}) with W1 of the same samples and of "
        f"{quality.value:.2f} with the share of samples near a mode, and is off by "
        f"{error.value:.0%}. For contrast, NS GAN's D loss: {contrast[0].value:.2f} with W1."
    )
    if not all(conditions.values()):
        summary += f" What does not hold: {', '.join(k for k, v in conditions.items() if not v)}."
    numbers = (ranks, quality, error, pearson, *contrast)
    return Result(overall_verdict(conditions.values()), summary, numbers)


def correlations(
    first: np.ndarray, second: np.ndarray, coefficient: Callable[..., Any]
) -> np.ndarray:
    """Correlate two signals over the stops, [stops, R] each, for each seed, [R].

    Returns:
        0 where one of them is constant; NaN for a run that diverged.
    """
    coefficients = []
    for x, y in zip(first.astype(np.float64).T, second.astype(np.float64).T, strict=True):
        if not np.isfinite([x, y]).all():
            coefficients.append(np.nan)
        elif np.ptp(x) == 0 or np.ptp(y) == 0:
            coefficients.append(0.0)
        else:
            coefficients.append(float(coefficient(x, y)[0]))
    return np.array(coefficients)


def draw(results: PartResults) -> list[Figure]:
    """Draw the critic's signal against W1, for both variants, and over training."""
    with figure(7.2, 2.6) as shape:
        critic, discriminator, right = shape.subplots(1, 3)
        critic.set(title="WGAN-GP, a line a seed", ylabel="critic's estimate")
        discriminator.set(title="NS GAN, a line a seed", ylabel="2 ln 2 - D's loss, nats")
        for axes, variant in ((critic, WGAN), (discriminator, NS)):
            pairs = zip(results[variant]["exact"].T, results[variant]["signal"].T, strict=True)
            for hue, marker, (x, y) in zip(HUES, MARKERS, pairs, strict=False):
                axes.plot(x, y, color=hue, marker=marker, markersize=3, linewidth=0.5)
            axes.set_xlabel("W1 of the same samples")
        arrays = results[WGAN]
        most = float(np.nanmax(arrays["exact"]))
        critic.plot([0, most], [0, most], color=RULE, zorder=0)
        labels = {"exact": "W1", "signal": "estimate", "quality": "share near a mode"}
        for hue, (name, label) in zip(HUES, labels.items(), strict=False):
            right.plot(arrays["looks"], arrays[name].mean(axis=1), color=hue, label=label)
        right.set_xscale("symlog", linthresh=5)
        label_decades(right.xaxis)
        right.set(title="WGAN-GP over training", xlabel="generator steps", xlim=(0, None))
        right.legend(frameon=False, fontsize=7)
        alt = "The critic's estimate lies along W1; the GAN discriminator's loss over W1"
        drawing = render(shape, "T12-estimate", alt)
    caption = (
        "Critic and discriminator after extra steps against a generator held still, and exact W1 "
        "of the same points, at points of training on 8 Gaussians. The grey line is equality."
    )
    return [Figure(caption, drawing)]


EXPERIMENT = Experiment(
    id="T12",
    title="The critic's estimate",
    statement="The critic can be trained to optimality; its estimate tracks quality and distance.",
    source="slides, blog [Arjovsky et al. 2017, arXiv:1701.07875, figure 3]",
    setup=(
        "WGAN-GP on 8 Gaussians (three layers of 64 for both players, the variant's own weight and "
        "turns, Adam 5e-4, batches of 128), 1,500 generator steps, 5 seeds. At ten points of "
        "training a copy of the critic takes 400 more steps on 512 data and 512 generated points, "
        "whose exact W1 is known. The same with the non-saturating GAN's discriminator."
    ),
    rule=(
        "Distance: the mean over seeds of Spearman's correlation between estimate and W1 over "
        "training is above 0.8 (95 % interval). Quality: that with the share of samples within "
        "three sigma of a mode is below -0.5. Optimal: the median over training of the estimate's "
        "relative error is below 20 %. Reproduced: all three. Partly: some. Not reproduced: none."
    ),
    version=3,
    minutes=CpuMinutes(full=2, quick=0.3),
    parts=parts,
    measure=measure,
    conclude=conclude,
    draw=draw,
    caveat=(
        "The estimate is of W1 where the critic is near its optimum and its gradient near norm 1; "
        "a discriminator's loss estimates 2 JS, which is bounded and may follow W1 as well where "
        "the distributions overlap."
    ),
)
