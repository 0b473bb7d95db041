"""T7: a GAN on a ring of Gaussians rotates through the modes and never settles.

Metz et al. 2016 (arXiv:1611.02163), section 3.1. Measured: shares of samples near each mode over
the second half of the training, for the minimax and the non-saturating loss.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from bench.plotting.style import HUES, MUTED, figure, render
from bench.theory.experiment import (
    CpuMinutes,
    Experiment,
    Figure,
    Measurements,
    PartResults,
    PartSettings,
    Quantity,
    Result,
    overall_verdict,
)
from bench.theory.toolkit.intervals import mean_over_seeds
from bench.theory.toolkit.ring_gans import (
    COVERED_SHARE,
    SECOND_HALF,
    animate_heat_maps,
    count_covered_modes,
    draw_heat_maps,
    train_with_snapshots,
)

LOSSES = {"minimax": "minimax", "nonsaturating": "non-saturating"}
MIN_MOVED, MIN_HEAVIEST, MAX_COVERED = 0.25, 4, 1
SNAPSHOT_LAG = 10  # a tenth of the training lies between two snapshots that are compared
TRAITS = ("never settles", "rotates", "one mode at once")


def parts(quick: bool) -> dict[str, PartSettings]:
    """List a part for each loss, with all seeds; settings near Metz et al., section 3.1."""
    shared = {
        "seeds": list(range(3 if quick else 5)),
        "learning_rate": 1e-3,
        "betas": [0.5, 0.999],
        "width": 64,
        "depth": 2,
        "latent_dim": 16,
        "batch_size": 128,
        "steps": 1200 if quick else 18000,
        "snapshots": 60,
        "shown": 1000,
        "unroll_steps": 0,
    }
    return {loss: {"loss": loss, **shared} for loss in LOSSES}


def measure(settings: PartSettings) -> Measurements:
    """Train by `bench.theory.toolkit.ring_gans.train_with_snapshots`."""
    return train_with_snapshots(settings)


def conclude(results: PartResults) -> Result:
    """Count the seeds with each trait; a trait holds for a loss where most seeds have it."""
    numbers, sentences, holds = [], [], []
    for loss, name in LOSSES.items():
        measured = measure_rotation(results[loss]["shares"])
        has_trait = find_traits(measured)
        holds += [bool(seeds.mean() > 0.5) for seeds in has_trait.values()]
        counts = ", ".join(f"{trait}: {int(s.sum())}" for trait, s in has_trait.items())
        numbers += _report_numbers(name, measured, results[loss]["quality"])
        at_once = np.nanmedian(measured["held"]) if np.isfinite(measured["held"]).any() else 0
        sentences.append(
            f"{name} loss, of {len(measured['held'])} seeds {counts}; modes held at once "
            f"{at_once:g} in the median"
        )
    summary = "; ".join(sentences)
    return Result(overall_verdict(holds), summary[0].upper() + summary[1:] + ".", tuple(numbers))


def measure_rotation(shares: np.ndarray) -> dict[str, np.ndarray]:
    """Measure how each seed rotates in the second half, [R] each; NaN if it diverged."""
    lag = max(1, len(shares) // SNAPSHOT_LAG)
    late = shares[int(len(shares) * SECOND_HALF) :].astype(np.float64)
    moved = 0.5 * np.abs(late[lag:] - late[:-lag]).sum(2).mean(0)
    # A generator away from all modes has no heaviest one.
    somewhere = [late[late[:, r].max(1) >= COVERED_SHARE, r] for r in range(late.shape[1])]
    heaviest = [float(len(np.unique(s.argmax(1)))) if len(s) else 0.0 for s in somewhere]
    finite = np.isfinite(late).all((0, 2))
    at_once = np.array([np.median(count_covered_modes(late)[:, r]) for r in range(late.shape[1])])
    measured = {"moved": moved, "heaviest": np.array(heaviest), "held": at_once}
    return {name: np.where(finite, values, np.nan) for name, values in measured.items()}


def find_traits(measured: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Tell for each trait which seeds have it, bool [R]; one that diverged has none."""
    has_trait = (
        measured["moved"] >= MIN_MOVED,
        measured["heaviest"] >= MIN_HEAVIEST,
        measured["held"] <= MAX_COVERED,
    )
    return dict(zip(TRAITS, has_trait, strict=True))


def _report_numbers(
    loss: str, measured: Mapping[str, np.ndarray], quality: np.ndarray
) -> list[Quantity]:
    names = {
        "held": ("modes held at once", "1"),
        "heaviest": ("modes that are the heaviest in turn, of 8", "all"),
        "moved": ("share of samples that change their mode in a tenth of the training", ""),
    }
    last = quality[int(len(quality) * SECOND_HALF) :].mean(0)
    named_values = [(f"{names[n][0]}, {loss}", measured[n], names[n][1]) for n in names]
    named_values.append((f"high-quality share, {loss}", last, ""))
    return [
        mean_over_seeds(name, values[np.isfinite(values)], expected)
        for name, values, expected in named_values
        if np.isfinite(values).any()
    ]


def draw(results: PartResults) -> Sequence[Figure]:
    """Draw heat maps of one seed over the steps, and the modes covered by all seeds."""
    with figure(7.2, 4.3) as shape:
        above, below = shape.subfigures(2, 1, height_ratios=[2.0, 1.6])
        for row, (loss, name) in zip(above.subplots(2, 6), LOSSES.items(), strict=True):
            draw_heat_maps(row, results[loss]["heat"], results[loss]["steps"], name)
        left, right = below.subplots(1, 2)
        for hue, (loss, name) in zip(HUES, LOSSES.items(), strict=False):
            steps = results[loss]["steps"]
            for axes, values in (
                (left, count_covered_modes(results[loss]["shares"])),
                (right, results[loss]["quality"]),
            ):
                axes.plot(steps, values, color=hue, linewidth=0.4, alpha=0.35)
                axes.plot(steps, values.mean(1), color=hue, linewidth=1.4, label=name)
        for axes, title in ((left, "Modes held at once"), (right, "High-quality share")):
            axes.set_title(title)
            axes.set_xlabel("step")
        left.set_ylim(-0.2, 8.2)
        left.axhline(8, color=MUTED, linewidth=0.5, linestyle=":")
        right.set_ylim(-0.02, 1.02)
        left.legend(frameon=False, fontsize=7)
        alt = "Heat maps of a GAN's samples over the training, and modes held over the steps"
        drawing = render(shape, "T07-rotation", alt)
    caption = (
        "Samples of the first seed's generator at six steps, by the minimax and the "
        "non-saturating loss. Below: modes with at least a sixteenth of the samples, and samples "
        "within three sigma of a mode; thin lines are seeds, thick ones their mean."
    )
    first = results["minimax"]
    frames = animate_heat_maps(
        [results[loss]["heat"] for loss in LOSSES], first["steps"], list(LOSSES)
    )
    return [Figure(caption, drawing, frames)]


EXPERIMENT = Experiment(
    id="T7",
    title="Rotation through modes",
    statement=(
        "A GAN on a ring of Gaussians rotates through the modes, never settles, and holds only "
        "one mode at once."
    ),
    source="slides, figure 1 [Metz et al. 2016, arXiv:1611.02163]",
    setup=(
        "Eight Gaussians of sigma 0.02 on a circle of radius 2; perceptrons with two hidden "
        "layers of 64, 16 normal latents, batches of 128, Adam of rate 1e-3 and beta1 0.5, 18,000 "
        "steps of each player, five seeds, the minimax loss of the paper and the non-saturating "
        "one. Deviation: the paper has layers of 128, 256 latents and batches of 512. A mode is "
        "held where a sixteenth of 1,000 samples lies within 0.5 of its centre."
    ),
    rule=(
        "In the second half of the training, by each seed. Never settles: the shares of the modes "
        "change by 0.25 or more in total variation between snapshots a tenth of the training "
        "apart, on average. Rotates: four modes or more are the heaviest in turn. One mode at "
        "once: the median number of modes held is at most 1. A trait holds for a loss where more "
        "than half of the seeds have it; a diverged seed has none. Reproduced: all three hold for "
        "both losses. Partly: at least one for one loss. Not reproduced: none."
    ),
    version=2,
    minutes=CpuMinutes(full=3, quick=0.5),
    parts=parts,
    measure=measure,
    conclude=conclude,
    draw=draw,
)
