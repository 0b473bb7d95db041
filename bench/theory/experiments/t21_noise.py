"""T21: noise on a generator's points makes KL finite and its samples worse."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from scipy.special import i0e
from scipy.stats import rice

from bench import divergences
from bench.core import seeds
from bench.losses.likelihood import Likelihood, log_likelihood
from bench.metrics.transport import wasserstein_1
from bench.networks import mlp
from bench.plotting.style import HUES, MARKERS, MUTED, figure, render
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
from bench.theory.toolkit.intervals import mean_over_seeds

OWN = 0.02  # deviation of the data about the circle of radius 1, without which it has no density
QUALITY = 3 * OWN  # a good point is as near to the circle, by conf/dataset/ring.yaml's three sigma
LEVELS = (0.02, 0.05, 0.1, 0.2, 0.4)  # deviations of the noise in training
LATENT, BATCH, RATE, WIDTH, DEPTH = 1, 128, 1e-3, 64, 2
TESTED, CENTRES, MOVED = 1000, 10_000, 500  # points of the KL, of the mixture, of W1


def parts(quick: bool) -> dict[str, Settings]:
    """The circle itself over many noise levels, and trained generators at some."""
    runs, steps, levels = (2, 300, LEVELS[::2]) if quick else (5, 2000, LEVELS)
    found: dict[str, Settings] = {
        "circle": {"own": OWN, "widest": LEVELS[-1], "levels": 13 if quick else 49}
    }
    for level in levels:
        for seed in range(runs):
            found[f"{level:g}/{seed}"] = {"own": OWN, "level": level, "steps": steps, "seed": seed}
    return found


def measure(settings: Settings) -> Arrays:
    """KL, share of good points and W1, with the noise on the points and without it."""
    return _trained(settings) if "seed" in settings else _circle(settings)


def judge(evidence: PartResults) -> Result:
    """Finite with noise alone; worse samples by noise, of the circle and of trained generators."""
    circle, runs = evidence["circle"], _by_level(evidence)
    kls = np.concatenate([circle["kl"][1:], *(found["kl"] for found in runs.values())])
    finite = bool(np.isfinite(kls).all() and np.isinf(circle["kl"][0]))
    above = circle["level"] > OWN
    worse = bool((circle["good"][above] < circle["good"][0]).all())
    worse &= bool(circle["w1"][-1] > circle["w1"][0])
    low, *_, most = runs
    good, w1 = (
        mean_over_seeds(f"change of {name}, noise {low:g} to {most:g}", _change(runs, key))
        if np.isfinite(_change(runs, key)).all()
        else Number(f"change of {name}, with runs that diverged", np.nan, -np.inf, np.inf)
        for name, key in (("the share of good points", "noisy_good"), ("W1", "noisy_w1"))
    )
    trained = good.high < 0 and w1.low > 0
    best = min(runs, key=lambda level: _mean_of(runs[level]["kl"]))
    always = "" if finite else "not always "
    makes = "makes" if worse else "does not always make"
    found = (
        f"Without noise KL is infinite, and with it {always}finite. Of the circle itself, noise "
        f"above the data's own {makes} samples worse: at {circle['level'][-1]:g} "
        f"{circle['good'][-1]:.0%} are good, and W1 is {circle['w1'][-1]:.2f} instead of "
        f"{circle['w1'][0]:.2f}. Of trained generators, from noise of {low:g} to {most:g}, the "
        f"share of good points changes by {good.value:.2f} [{good.low:.2f}, {good.high:.2f}] and "
        f"W1 by {w1.value:.2f} [{w1.low:.2f}, {w1.high:.2f}]; their KL is least at {best:g} "
        f"({_mean_of(runs[best]['kl']):.2f} nats)."
    )
    numbers = [good, w1]
    for level, one in runs.items():
        if np.isfinite(one["kl"]).all():
            numbers.append(mean_over_seeds(f"KL of trained generators, noise {level:g}", one["kl"]))
    return Result(overall([finite, worse, trained]), found, tuple(numbers))


def draw(evidence: PartResults) -> Sequence[Figure]:
    """KL, good share and W1 against the noise."""
    circle, runs = evidence["circle"], _by_level(evidence)
    with figure(7.2, 2.5) as shape:
        panels = shape.subplots(1, 3, sharex=True)
        for axes, key in zip(panels, ("kl", "good", "w1"), strict=True):
            axes.plot(circle["level"][1:], circle[key][1:], color=HUES[0], linewidth=1.2)
            pairs = [(key, 1)] if key == "kl" else [(f"noisy_{key}", 1), (f"clean_{key}", 2)]
            for name, hue in pairs:
                for level, found in runs.items():
                    at = np.full(len(found[name]), level)
                    axes.plot(at, found[name], MARKERS[hue], color=HUES[hue], markersize=3)
            axes.axvline(OWN, color=MUTED, linewidth=0.6)
            axes.set(xscale="log", xlabel="deviation of the noise")
            axes.xaxis.set_major_formatter("{x:g}")
        panels[0].set(yscale="log")
        panels[0].yaxis.set_major_formatter("{x:g}")
        panels[0].set_title("KL(p_r, p_g with noise), nats")
        panels[1].set_title("Share of good points")
        panels[2].set_title("W1 to real points")
        words = ("circle itself", "trained", "trained, its noise left off", "data's own noise")
        handles = [panels[1].plot([], [], c, color=h)[0] for c, h in _legend()]
        shape.legend(handles, words, loc="outside lower center", ncols=4, frameon=False)
        alt = "KL falls and rises with the noise; good share falls and W1 rises"
        drawing = render(shape, "T21-noise", alt)
    caption = (
        "A generator on a curve with Gaussian noise on its points. Without noise KL is infinite, "
        "and it grows without bound to the left. Dots are seeds."
    )
    return [Figure(caption, drawing)]


def _circle(settings: Settings) -> Arrays:
    """A generator that has the circle right, by radii alone: all densities are round.

    Between round densities W1 is that of the radii: |x - y| >= ||x| - |y||, and rays attain it.
    """
    own, widest = settings["own"], settings["widest"]
    levels = np.concatenate([[0.0], np.geomspace(own / 4, widest, settings["levels"])])
    at, step = np.linspace(1e-9, 1 + 12 * widest, 100_001, retstep=True)
    real, found = _radius(own), []
    below_real = np.cumsum(real.pdf(at)) * step
    for level in levels:
        fake = _radius(level) if level else None  # None: all at radius 1, where data has mass 0
        pdf = fake.pdf(at) if fake else (np.arange(len(at)) == np.abs(at - 1).argmin()) / step
        kl = (
            divergences.density_kl(_log_radius(own), _log_radius(level), 0, at[-1]).value
            if fake
            else np.inf
        )
        good = float(pdf[np.abs(at - 1) <= QUALITY].sum() * step)
        found.append((kl, good, np.abs(np.cumsum(pdf) * step - below_real).sum() * step))
    kl, good, w1 = np.array(found).T
    return {"level": levels, "kl": kl, "good": good, "w1": w1}


def _radius(deviation: float):
    """The radius of the circle's points with noise in the plane: Rice's distribution."""
    return rice(1 / deviation, scale=deviation)


def _log_radius(deviation: float) -> Callable[[np.ndarray], np.ndarray]:
    """Its log density; scipy's is the logarithm of a density that far out is 0 by rounding."""

    def log_density(r: np.ndarray) -> np.ndarray:
        off = -(((r - 1) / deviation) ** 2) / 2
        return np.log(r / deviation**2) + off + np.log(i0e(r / deviation**2))

    return log_density


def _trained(settings: Settings) -> Arrays:
    """A curve fitted by maximum likelihood with the noise, and what its points are worth."""
    level, seed = settings["level"], settings["seed"]
    generator = mlp.generator([2], LATENT, width=WIDTH, depth=DEPTH)
    generator.reset(seeds.generator(seed, "init"))
    optimizer = torch.optim.Adam(generator.parameters(), lr=RATE)
    data, latent = seeds.numpy_generator(seed, "data"), seeds.generator(seed, "latent")
    for _ in range(settings["steps"]):
        centres = generator(torch.randn(BATCH, LATENT, generator=latent))
        loss = Likelihood(level)(_real(BATCH, settings["own"], data), centres)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return _scores(generator, settings)


@torch.no_grad()
def _scores(generator, settings: Settings) -> Arrays:
    level, own = settings["level"], settings["own"]
    draws = seeds.generator(settings["seed"], "score")
    data = seeds.numpy_generator(settings["seed"], "score")
    real = _real(TESTED, own, data)
    centres = generator(torch.randn(CENTRES, LATENT, generator=draws))
    log_real = _log_radius(own)(real.norm(dim=1).numpy()) - np.log(
        2 * np.pi * real.norm(dim=1).numpy()
    )
    log_fake = log_likelihood(real, centres, noise=level).numpy()
    clean = centres[:MOVED]
    noisy = clean + level * torch.randn(clean.shape, generator=draws)
    found = {"kl": np.array(np.mean(log_real - log_fake))}
    for name, points in (("clean", clean), ("noisy", noisy)):
        off = (points.norm(dim=1) - 1).abs()
        found[f"{name}_good"] = np.array((off <= QUALITY).double().mean())
        whole = bool(torch.isfinite(points).all())
        w1 = wasserstein_1(real[:MOVED].numpy(), points.numpy()) if whole else np.nan
        found[f"{name}_w1"] = np.array(w1)
    return found


def _real(count: int, own: float, rng: np.random.Generator) -> torch.Tensor:
    """Points [count, 2] of the circle of radius 1, with the data's own noise."""
    angles = 2 * np.pi * rng.random(count)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return torch.from_numpy(points + own * rng.standard_normal((count, 2))).float()


def _by_level(evidence: PartResults) -> dict[float, dict[str, np.ndarray]]:
    """Level -> name of a score -> [seeds]."""
    found: dict[float, list] = {}
    for part, arrays in evidence.items():
        if part != "circle":
            found.setdefault(float(part.split("/")[0]), []).append(arrays)
    return {
        level: {name: np.array([float(one[name]) for one in runs]) for name in runs[0]}
        for level, runs in sorted(found.items())
    }


def _change(runs: dict[float, dict[str, np.ndarray]], name: str) -> np.ndarray:
    """From the least noise to the most, of each seed."""
    levels = list(runs)
    return runs[levels[-1]][name] - runs[levels[0]][name]


def _mean_of(values: np.ndarray) -> float:
    """Infinity where a run diverged."""
    return float(values.mean()) if np.isfinite(values).all() else np.inf


def _legend() -> list[tuple[str, str]]:
    return [("-", HUES[0]), (MARKERS[1], HUES[1]), (MARKERS[2], HUES[2]), ("-", MUTED)]


STATEMENT = Experiment(
    id="T21",
    title="Noise and likelihood",
    text="Noise added to the model makes KL(p_r, p_g) finite and its samples worse.",
    source="slides and blog [Arjovsky et al. 2017, arXiv:1701.07875, section 1]",
    experiment=(
        f"Data: a circle of radius 1 with noise of {OWN:g}. Models: the circle itself with noise, "
        "by closed densities, and small networks from a line into the plane, fitted by maximum "
        "likelihood under noise of 0.02 to 0.4, five seeds. Good points are within three "
        "deviations of the data's noise from the circle."
    ),
    rule=(
        "Three parts. KL is infinite without noise and finite at every level of it. Of the circle, "
        "every level above the data's own gives a smaller share of good points than none, and the "
        "greatest a larger W1. Of trained generators, the share of good points falls and W1 rises "
        "from the least to the greatest level, with 95 % intervals over seeds that leave out 0. "
        "Reproduced: all; partly: some; not reproduced: none. A run that diverged fails its part."
    ),
    version=1,
    minutes=Minutes(full=3, quick=0.3),
    parts=parts,
    measure=measure,
    judge=judge,
    draw=draw,
    caveat=(
        "The documents have noise on the model make KL finite. It does where the data has a "
        "density, as here: on a curve without any noise of its own the data's KL from every "
        "density is infinite, and only the likelihood is finite. And noise as large as the data's "
        "own is no loss: there the circle has KL 0 and W1 0."
    ),
)
