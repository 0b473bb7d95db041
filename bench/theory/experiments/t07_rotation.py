"""T7: a GAN on a ring of Gaussians rotates through the modes and never settles.

Metz et al. 2016 (arXiv:1611.02163), section 3.1. Measured: shares of samples near each mode over
the second half of the training, for the minimax and the non-saturating loss.
"""

from collections.abc import Mapping

import numpy as np

from bench.plotting.style import HUES, MUTED, figure, render
from bench.theory.experiment import (
    CpuMinutes,
    Experiment,
    Figure,
    PartResults,
    PartSettings,
    Quantity,
    Result,
    overall_verdict,
)
from bench.theory.toolkit.intervals import mean_over_seeds
from bench.theory.toolkit.ring_gans import (
    COVERED_SHARE,
    LOSSES,
    SETTINGS,
    animate_heat_maps,
    count_covered_modes,
    draw_heat_maps,
    second_half,
    train_with_snapshots,
)

MIN_MOVED, MIN_HEAVIEST, MAX_COVERED = 0.25, 4, 1
SNAPSHOT_LAG = 10  # a tenth of the training lies between two snapshots that are compared


def parts(quick: bool) -> dict[str, PartSettings]:
    """List a part for each loss, with all seeds."""
    seeds, steps = (3, 1200) if quick else (5, 18000)
    shared = {"seeds": list(range(seeds)), "batch_size": 128, "steps": steps, "unroll_steps": 0}
    return {loss: {"loss": loss, **SETTINGS, **shared} for loss in LOSSES}


def conclude(results: PartResults) -> Result:
    """Count the seeds with each trait; a trait holds for a loss where most seeds have it."""
    numbers, sentences, holds = [], [], []
    for loss, name in LOSSES.items():
        measured = measure_rotation(results[loss]["shares"])
        has_trait = find_traits(measured)
        holds += [bool(seeds.mean() > 0.5) for seeds in has_trait.values()]
        never, rotate, one = (int(seeds.sum()) for seeds in has_trait.values())
        numbers += _report_numbers(name, measured, results[loss]["quality"])
        at_once = np.nanmedian(measured["held"]) if np.isfinite(measured["held"]).any() else 0
        sentences.append(
            f"{name.capitalize()} loss, {len(measured['held'])} seeds: {never} never settle, "
            f"{rotate} rotate, {one} hold only one mode at once; the median seed holds {at_once:g} "
            "of 8 modes at once."
        )
    return Result(overall_verdict(holds), " ".join(sentences), tuple(numbers))


def measure_rotation(shares: np.ndarray) -> dict[str, np.ndarray]:
    """Measure how each seed rotates in the second half, [R] each; NaN if it diverged."""
    lag = max(1, len(shares) // SNAPSHOT_LAG)
    late = second_half(shares).astype(np.float64)
    moved = 0.5 * np.abs(late[lag:] - late[:-lag]).sum(2).mean(0)
    # A generator away from all modes has no heaviest one.
    somewhere = [late[late[:, r].max(1) >= COVERED_SHARE, r] for r in range(late.shape[1])]
    heaviest = [float(len(np.unique(s.argmax(1)))) if len(s) else 0.0 for s in somewhere]
    finite = np.isfinite(late).all((0, 2))
    at_once = np.median(count_covered_modes(late), axis=0)
    measured = {"moved": moved, "heaviest": np.array(heaviest), "held": at_once}
    return {name: np.where(finite, values, np.nan) for name, values in measured.items()}


def find_traits(measured: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Tell for each trait which seeds have it, bool [R]; one that diverged has none."""
    return {
        "never settles": measured["moved"] >= MIN_MOVED,
        "rotates": measured["heaviest"] >= MIN_HEAVIEST,
        "one mode at once": measured["held"] <= MAX_COVERED,
    }


def _report_numbers(
    loss: str, measured: Mapping[str, np.ndarray], quality: np.ndarray
) -> list[Quantity]:
    names = {
        "held": ("modes held at once", "1"),
        "heaviest": ("modes that are the heaviest in turn, of 8", "all"),
        "moved": ("share of samples that change their mode in a tenth of the training", ""),
        "quality": ("high-quality share", ""),
    }
    values_by_name = {**measured, "quality": second_half(quality).mean(0)}
    finite = {name: values[np.isfinite(values)] for name, values in values_by_name.items()}
    return [
        mean_over_seeds(f"{title}, {loss}", finite[name], expected)
        for name, (title, expected) in names.items()
        if len(finite[name])
    ]


def draw(results: PartResults) -> list[Figure]:
    """Draw heat maps of one seed over the steps, and the modes covered by all seeds."""
    with figure(7.2, 4.3) as shape:
        above, below = shape.subfigures(2, 1, height_ratios=[2.0, 1.6])
        for row, (loss, name) in zip(above.subplots(2, 6), LOSSES.items(), strict=True):
            draw_heat_maps(row, results[loss]["heat"], results[loss]["steps"], name)
        left, right = below.subplots(1, 2)
        for hue, (loss, name) in zip(HUES, LOSSES.items(), strict=False):
            arrays = results[loss]
            steps, covered = arrays["steps"], count_covered_modes(arrays["shares"])
            for axes, values in ((left, covered), (right, arrays["quality"])):
                axes.plot(steps, values, color=hue, linewidth=0.4, alpha=0.35)
                axes.plot(steps, values.mean(1), color=hue, linewidth=1.4, label=name)
        left.set(title="Modes held at once", xlabel="step", ylim=(-0.2, 8.2))
        left.axhline(8, color=MUTED, linewidth=0.5, linestyle=":")
        right.set(title="High-quality share", xlabel="step", ylim=(-0.02, 1.02))
        left.legend(frameon=False, fontsize=7)
        alt = "Heat maps of a GAN's samples over the training, and modes held over the steps"
        drawing = render(shape, "T07-rotation", alt)
    caption = (
        "Samples of the first seed's generator at six steps, by the minimax and the "
        "non-saturating loss. Below: modes with at least a sixteenth of the samples, and samples "
        "within three sigma of a mode; thin lines are seeds, thick ones their mean."
    )
    heats = [results[loss]["heat"] for loss in LOSSES]
    frames = animate_heat_maps(heats, results["minimax"]["steps"], list(LOSSES))
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
    measure=train_with_snapshots,
    conclude=conclude,
    draw=draw,
)
