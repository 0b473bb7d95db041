"""T15: weight clipping biases the critic to simple functions, and its weights pile up at +-c.

Gulrajani et al. 2017 (arXiv:1704.00028), figure 1. Measured: shares of weights at the bounds, and
of W1 that clipped and penalised critics find per unit of their steepest slope, on three toy data
sets.
"""

import numpy as np
import torch

from bench.core.seeds import numpy_generator
from bench.plotting.style import HUES, INK, MUTED, figure, render
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
from bench.theory.toolkit.axes import label_decades
from bench.theory.toolkit.critics import critic_losses, exact_w1, stack_critics, train_critics
from bench.theory.toolkit.intervals import mean_or_nan
from bench.theory.toolkit.replica_stacks import gans
from bench.theory.toolkit.suite_access import build_objective, load_samples

DATASETS = {"ring": "8 Gaussians", "grid": "25 Gaussians", "swiss_roll": "Swiss roll"}
# loss -> name, penalty weight of Gulrajani et al. 2017, optimizer and its rate
METHODS = {
    "wgan": ("clipping", None, "rmsprop", 5e-5),
    "wgan_gp": ("penalty, two-sided", 10.0, "adam", 1e-3),
    "wgan_lp": ("penalty, one-sided", 10.0, "adam", 1e-3),
}
CLIP, AT_BOUND, MIN_PILED, PIXELS, BINS, HELD_OUT = 0.01, 0.99, 0.5, 48, 41, 800


def parts(quick: bool) -> dict[str, PartSettings]:
    """List a part for each data set and loss, with the critics of all seeds."""
    sizes = {"seeds": list(range(2 if quick else 5)), "steps": 120 if quick else 2000}
    return {
        f"{dataset} {loss}": {
            "dataset": dataset,
            "loss": loss,
            "weight": weight,
            "clip": CLIP,
            "optimizer": optimizer,
            "rate": rate,
            "width": 64,
            "depth": 3,
            "batch": 128 if quick else 256,
            **sizes,
        }
        for dataset in DATASETS
        for loss, (_, weight, optimizer, rate) in METHODS.items()
    }


def measure(settings: PartSettings) -> Measurements:
    """Train critics between data and noisy data; measure estimate, slope, weights, level sets."""
    loss, clip, weight = (settings[key] for key in ("loss", "clip", "weight"))
    constraint = f"weight_clip={clip}" if weight is None else f"penalty_weight={weight}"
    objective = build_objective(loss, f"variant={loss}", f"hyperparameters.{constraint}")
    critics = stack_critics(settings, objective)
    networks = [model.discriminator for model in gans(critics)]
    clipped = objective.loss.constraint is not None
    if clipped:  # start uniform within the bounds, so that weights at them have moved there
        for parameter in (p for network in networks for p in network.parameters()):
            parameter.data *= clip / parameter.data.abs().max()
    pools = _load_pools(settings["dataset"], "train", 20_000)
    for _ in train_critics(critics, pools, steps=settings["steps"]):
        pass
    real, fake = _load_pools(settings["dataset"], "test", HELD_OUT)
    side = float(pools[0].abs().max()) + 1
    line = torch.linspace(-side, side, PIXELS)
    lattice = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).reshape(-1, 2)
    flat = np.stack([_flat_weights(network) for network in networks])
    bound = clip if clipped else np.abs(flat).max(axis=1, keepdims=True)
    counts, _ = np.histogram(flat / bound, bins=np.linspace(-1, 1, BINS + 1))
    return {
        "estimate": -critic_losses(critics, real, fake),
        "slope": np.array([_steepest_slope(network, lattice) for network in networks]),
        "exact": np.array(exact_w1(real, fake)),
        "piled": (np.abs(flat) >= AT_BOUND * bound).mean(axis=1),
        "histogram": counts / counts.sum(),
        "levels": networks[0](lattice).detach().reshape(PIXELS, PIXELS).numpy(),
        "side": np.array(side),
        "points": real[:200].numpy(),
    }


def conclude(results: PartResults) -> Result:
    """Check that weights pile up at +-c and that the clipped critic finds less of W1."""
    numbers, sentences, piles, simpler = [], [], [], []
    for dataset, title in DATASETS.items():
        share = {loss: _share_of_w1(results[f"{dataset} {loss}"]) for loss in METHODS}
        clipped = results[f"{dataset} wgan"]
        name = f"share of weights within 1 % of +-c, clipping, {title}"
        piled = mean_or_nan(name, clipped["piled"], "most; 1 % at the start")
        name = f"share of W1 found with GP less with clipping, {title}"
        less = mean_or_nan(name, share["wgan_gp"] - share["wgan"], "above 0")
        piles.append(piled.lower > MIN_PILED)
        simpler.append(less.lower > 0)
        found = [
            mean_or_nan(f"share of W1 found, {METHODS[loss][0]}, {title}", share[loss], "at most 1")
            for loss in METHODS
        ]
        numbers += [piled, less, *found, Quantity(f"W1, {title}", float(clipped["exact"]))]
        clipping, gp, lp = (number.value for number in found)
        sentences.append(
            f"{title}: {piled.value:.0%} of the clipped weights are within 1 % of +-c (1 % at the "
            f"start), and the critic's estimate over its steepest slope is {clipping:.0%} of W1 "
            f"(GP {gp:.0%}, LP {lp:.0%})"
        )
    failed = [
        f"{what} on {title}"
        for what, by_dataset in (
            ("weights do not pile up", piles),
            ("not further from W1 than GP", simpler),
        )
        for title, holds in zip(DATASETS.values(), by_dataset, strict=True)
        if not holds
    ]
    summary = "; ".join(sentences) + "."
    if failed:
        summary += f" What fails: {', '.join(failed)}."
    return Result(overall_verdict([all(piles), all(simpler)]), summary, tuple(numbers))


def draw(results: PartResults) -> list[Figure]:
    """Draw level sets of the critics, and histograms of their weights."""
    return [_draw_levels(results), _draw_weights(results)]


def _draw_levels(results: PartResults) -> Figure:
    with figure(7.2, 7.2) as shape:
        panels = shape.subplots(3, 3)
        for row, (dataset, title) in zip(panels, DATASETS.items(), strict=True):
            for axes, (loss, (name, *_)) in zip(row, METHODS.items(), strict=True):
                arrays = results[f"{dataset} {loss}"]
                side, levels = float(arrays["side"]), arrays["levels"]
                box = (-side, side, -side, side)
                axes.imshow(levels, origin="lower", extent=box, cmap="BuPu", alpha=0.6)
                line = np.linspace(-side, side, len(levels))
                if np.ptp(levels) > 0:
                    style = {"colors": INK, "linewidths": 0.5, "linestyles": "solid"}
                    axes.contour(line, line, levels, 12, **style)
                axes.plot(*arrays["points"].T, ".", color=HUES[1], markersize=1.5)
                axes.set(title=f"{title}, {name}", xticks=[], yticks=[])
        alt = "Level sets of nine critics: clipped ones are simple, penalised ones follow the data"
        drawing = render(shape, "T15-levels", alt)
    caption = (
        "Level sets of the first seed's critic between data (dots) and data with unit Gaussian "
        "noise; darker is higher, twelve levels each."
    )
    return Figure(caption, drawing)


def _draw_weights(results: PartResults) -> Figure:
    with figure(7.2, 2.3) as shape:
        panels = shape.subplots(1, 3, sharey=True)
        for axes, (loss, (name, *_)) in zip(panels, METHODS.items(), strict=True):
            for hue, (dataset, title) in zip(HUES, DATASETS.items(), strict=False):
                heights = results[f"{dataset} {loss}"]["histogram"]
                edges = np.linspace(-1, 1, len(heights) + 1)
                axes.stairs(heights, edges, color=hue, label=title)
            axes.set_yscale("log")
            label_decades(axes.yaxis)
            unit = "c" if loss == "wgan" else "largest weight"
            axes.set(title=name, xlabel=f"weight / {unit}")
        panels[0].set_ylabel("share of weights")
        panels[0].legend(frameon=False, loc="lower center", labelcolor=MUTED, fontsize=7)
        drawing = render(shape, "T15-weights", "Histograms of weights; clipped ones sit at +-c")
    caption = "Weights of all seeds after training. Clipped ones began uniformly within +-c."
    return Figure(caption, drawing)


def _flat_weights(critic: torch.nn.Module) -> np.ndarray:
    """Collect all weights of a critic but its biases, [P]."""
    named = critic.named_parameters()
    return torch.cat([p.detach().flatten() for n, p in named if n.endswith("weight")]).numpy()


def _steepest_slope(critic: torch.nn.Module, points: torch.Tensor) -> float:
    """max |d critic / d x| over points x [N, 2]."""
    points = points.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(points).sum(), points)
    return float(gradient.norm(dim=1).max())


def _load_pools(dataset: str, split: str, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Load data, and other data with unit Gaussian noise, [count, 2] each."""
    points = load_samples(dataset)[split][: 2 * count]
    noise = numpy_generator(0, "draws", len(points)).standard_normal((count, 2))
    fake = (points[count:] + noise).astype(np.float32)
    return torch.from_numpy(points[:count]), torch.from_numpy(fake)


def _share_of_w1(arrays: Measurements) -> np.ndarray:
    """Estimate of W1 per unit of the critic's steepest slope, over W1: at most 1."""
    steepest = np.where(arrays["slope"] > 0, arrays["slope"], np.nan)  # a constant critic: no share
    return arrays["estimate"].astype(np.float64) / steepest / float(arrays["exact"])


EXPERIMENT = Experiment(
    id="T15",
    title="Clipping's bias",
    statement=(
        "Weight clipping biases the critic to simple functions, its weights piling up at +-c."
    ),
    source="slides [Gulrajani et al. 2017, arXiv:1704.00028, figure 1; Petzka et al. 2017]",
    setup=(
        "Critics of three hidden layers of 64 between 8 Gaussians, 25 Gaussians or the Swiss roll "
        "and the same with unit Gaussian noise: clipping to 0.01 (RMSProp, 5e-5, weights drawn "
        "uniformly within the bounds) against penalties of weight 10 (Adam, 1e-3); batches of 256, "
        "2,000 steps, 5 seeds. The estimate, over the steepest slope on a 48 x 48 lattice, is "
        "compared with W1 of 800 held out points on a side."
    ),
    rule=(
        "Piling up: on all three data sets the 95 % interval of the share of clipped weights "
        "within 1 % of +-c is above a half. Simple: on all three the clipped critic finds a "
        "smaller share of W1 than the two-sided penalty's of the same seed, the interval of the "
        "difference above 0. Reproduced: both. Partly: one. Not reproduced: neither."
    ),
    version=3,
    minutes=CpuMinutes(full=3, quick=0.4),
    parts=parts,
    measure=measure,
    conclude=conclude,
    draw=draw,
)
