"""T12: the critic can be trained to optimality, and its estimate tracks quality and distance."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import torch
from scipy.spatial.distance import cdist
from scipy.stats import pearsonr, spearmanr

from bench.core.objective import Objective
from bench.core.seeds import generator as stream
from bench.models.priors import normal
from bench.networks import mlp
from bench.plotting.style import HUES, MARKERS, RULE, figure, render
from bench.theory.experiment import (
    Arrays,
    Experiment,
    Figure,
    Minutes,
    Number,
    PartResults,
    Result,
    Settings,
    overall,
)
from bench.theory.replicas import Pack
from bench.theory.toolkit.critics import (
    critics,
    exact,
    fitted,
    losses,
    mean_number,
    plain,
    replicas,
)
from bench.theory.toolkit.suite_access import modes, objective, points

WGAN, NS = "wgan_gp", "ns_gan"
LOSSES = {WGAN: "wgan_gp", NS: "nonsaturating"}
LOOKS = (0, 10, 20, 40, 80, 160, 300, 600, 1000, 1500)
TRACKS, WORSE, CLOSE, LATENT = 0.8, -0.5, 0.2, 2


def parts(quick: bool) -> dict[str, Settings]:
    """A part is a variant, trained with all seeds."""
    return {
        variant: {
            "variant": variant,
            "loss": loss,
            "seeds": list(range(2 if quick else 5)),
            "looks": [0, 10, 40, 80, 160] if quick else list(LOOKS),
            "extra": 50 if quick else 400,
            "width": 64,
            "depth": 3,
            "batch": 64 if quick else 128,
            "points": 128 if quick else 512,
            "rate": 5e-4,
        }
        for variant, loss in LOSSES.items()
    }


def measure(settings: Settings) -> Arrays:
    """At each look, [looks, R]: the critic's signal after extra steps, W1, and the quality."""
    seeds, count = settings["seeds"], settings["points"]
    game = objective(settings["loss"], f"variant={settings['variant']}")
    real = torch.from_numpy(points("ring")["test"][:count])
    latents = torch.stack([normal(count, LATENT, stream(seed, "score")) for seed in seeds])
    where, found = modes("ring"), {"signal": [], "exact": [], "quality": [], "samples": []}
    shape = {key: settings[key] for key in ("width", "depth", "rate")}
    probe = critics(seeds, game, **shape)
    start = probe.state()
    for pack in trained(settings, game):
        gone, fake = pack.diverged.numpy() >= 0, pack.generate(latents)
        probe.load({**start, "weights": pack.discriminator.weights})
        for _ in fitted(probe, (real, fake), steps=settings["extra"], batch=settings["batch"]):
            pass
        # what the critic maximises; of a GAN, over its value where both sides are the same
        found["signal"].append(np.where(gone, np.nan, -losses(probe, real, fake)))
        found["exact"].append(
            [np.nan if g else exact(real, f) for f, g in zip(fake, gone, strict=True)]
        )
        near = [cdist(one.numpy(), where.centres).min(axis=1) <= where.radius for one in fake]
        found["quality"].append(np.mean(near, axis=1))
        found["samples"].append(fake[0, :100].numpy())
    offset = 2 * np.log(2) if settings["variant"] == NS else 0.0
    arrays = {name: np.array(values) for name, values in found.items()}
    return {**arrays, "signal": arrays["signal"] + offset, "looks": np.array(settings["looks"])}


def trained(settings: Settings, game: Objective) -> Iterator[Pack]:
    """The pairs of all seeds on their way, at each look; looks are counted in generator steps."""
    shape, looks = {"width": settings["width"], "depth": settings["depth"]}, settings["looks"]
    pack = Pack(
        partial(mlp.generator, [2], LATENT, **shape),
        partial(mlp.Discriminator, [2], batch_norm=False, **shape),
        game,
        replicas(settings["seeds"], settings["rate"]),
        optimizer="adam",
        prior=normal,
        latent_dim=LATENT,
        samples=torch.from_numpy(points("ring")["train"]),
        batch_size=settings["batch"],
    )
    if 0 in looks:
        yield pack
    while (turns := pack.g_steps) < looks[-1]:
        pack.step()
        if pack.g_steps > turns and pack.g_steps in looks:
            yield pack


def judge(evidence: PartResults) -> Result:
    """Does the estimate rank the generators as W1 and quality do, and is it near W1?"""
    arrays = evidence[WGAN]
    signal, distance = np.float64(arrays["signal"]), np.float64(arrays["exact"])
    with np.errstate(invalid="ignore", divide="ignore"):
        off = np.median(np.abs(signal / distance - 1), axis=0)
    ranks = mean_number(
        "Spearman's correlation of the estimate with W1, WGAN-GP",
        correlations(signal, distance, spearmanr),
        "near 1",
    )
    quality = mean_number(
        "Spearman's correlation of the estimate with the share near a mode, WGAN-GP",
        correlations(signal, arrays["quality"], spearmanr),
        "negative",
    )
    error = mean_number("median over training of |estimate / W1 - 1|, WGAN-GP", off, "near 0")
    line = mean_number(
        "Pearson's correlation of the estimate with W1, WGAN-GP",
        correlations(signal, distance, pearsonr),
        "near 1",
    )
    contrast = _contrast(evidence[NS])
    held = {
        "tracks distance": ranks.low is not None and ranks.low > TRACKS,
        "tracks quality": quality.high is not None and quality.high < WORSE,
        "is near W1": error.high is not None and error.high < CLOSE,
    }
    found = (
        f"Over training the estimate of WGAN-GP's critic has a rank correlation of "
        f"{ranks.value:.2f} (at least {ranks.low:.2f}) with W1 of the same samples and of "
        f"{quality.value:.2f} with the share of samples near a mode, and is off by "
        f"{error.value:.0%}. "
        f"For contrast, NS GAN's D loss: {contrast[0].value:.2f} with W1."
    )
    if not all(held.values()):
        found += f" What does not hold: {', '.join(k for k, v in held.items() if not v)}."
    numbers = (ranks, quality, error, line, *contrast)
    return Result(overall(list(held.values())), found, numbers)


def _contrast(arrays: Arrays) -> list[Number]:
    """The same of a discriminator's loss, which judges nothing."""
    return [
        mean_number(
            f"{name} correlation of 2 ln 2 minus D's loss with W1, NS GAN",
            correlations(arrays["signal"], arrays["exact"], kind),
        )
        for name, kind in (("Spearman's", spearmanr), ("Pearson's", pearsonr))
    ]


def correlations(first: np.ndarray, second: np.ndarray, kind: object) -> np.ndarray:
    """Over the looks, for each seed: of [looks, R] and [looks, R], [R].

    A constant has none, 0; a run that diverged has NaN.
    """
    found = []
    for x, y in zip(np.float64(first).T, np.float64(second).T, strict=True):
        if not np.isfinite([x, y]).all():
            found.append(np.nan)
        else:
            found.append(0.0 if np.ptp(x) == 0 or np.ptp(y) == 0 else float(kind(x, y)[0]))
    return np.array(found)


def draw(evidence: PartResults) -> Sequence[Figure]:
    """What the critic says against W1, for both, and over training."""
    with figure(7.2, 2.6) as shape:
        panels = shape.subplots(1, 3)
        for axes, variant, title, label in zip(
            panels,
            (WGAN, NS),
            ("WGAN-GP", "NS GAN"),
            ("critic's estimate", "2 ln 2 - D's loss, nats"),
            strict=False,
        ):
            arrays = evidence[variant]
            for hue, marker, x, y in zip(
                HUES, MARKERS, arrays["exact"].T, arrays["signal"].T, strict=False
            ):
                axes.plot(x, y, color=hue, marker=marker, markersize=3, linewidth=0.5)
            axes.set_xlabel("W1 of the same samples")
            axes.set_ylabel(label)
            axes.set_title(f"{title}, a line a seed")
        most = float(np.nanmax(evidence[WGAN]["exact"]))
        panels[0].plot([0, most], [0, most], color=RULE, zorder=0)
        arrays = evidence[WGAN]
        for hue, name, label in zip(
            HUES,
            ("exact", "signal", "quality"),
            ("W1", "estimate", "share near a mode"),
            strict=False,
        ):
            panels[2].plot(arrays["looks"], arrays[name].mean(axis=1), color=hue, label=label)
        panels[2].set_xscale("symlog", linthresh=5)
        panels[2].set_xlim(left=0)
        plain(panels[2].xaxis)
        panels[2].set_xlabel("generator steps")
        panels[2].set_title("WGAN-GP over training")
        panels[2].legend(frameon=False, fontsize=7)
        alt = "The critic's estimate lies along W1; the GAN discriminator's loss over W1"
        drawing = render(shape, "T12-estimate", alt)
    caption = (
        "Critic and discriminator after extra steps against a generator held still, and exact W1 "
        "of the same points, at points of training on 8 Gaussians. The grey line is equality."
    )
    return [Figure(caption, drawing)]


STATEMENT = Experiment(
    id="T12",
    title="The critic's estimate",
    text="The critic can be trained to optimality; its estimate tracks quality and distance.",
    source="slides, blog [Arjovsky et al. 2017, arXiv:1701.07875, figure 3]",
    experiment=(
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
    version=2,
    minutes=Minutes(full=2, quick=0.3),
    parts=parts,
    measure=measure,
    judge=judge,
    draw=draw,
    caveat=(
        "The estimate is of W1 where the critic is near its optimum and its gradient near norm 1; "
        "a discriminator's loss estimates 2 JS, which is bounded and may follow W1 as well where "
        "the distributions overlap."
    ),
)
