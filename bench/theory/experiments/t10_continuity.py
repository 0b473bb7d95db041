"""T10: W1 is continuous in the generator's parameters, where JS is not.

Arjovsky et al. 2017 (arXiv:1701.07875), theorem 1 and corollary 1. Measured: exact W1, its jumps
and one-sided slopes, and JS along paths through the parameters of a perceptron.
"""

from collections.abc import Callable
from math import log

import numpy as np
import torch

from bench.core.seeds import generator, numpy_generator
from bench.divergences import Measure, binned, gaussian_kl, js, wasserstein
from bench.networks import mlp
from bench.plotting.style import ACCENT, HUES, MUTED, figure, render
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

GeneratorPath = Callable[[float, np.ndarray], np.ndarray]

REACH = 0.5  # the path goes from -REACH to REACH times its direction, through P_r at 0
STEPS = (0.1, 0.01, 0.001)  # of the path, for the largest jump
BINS = (0.05, 0.0125, 0.003)  # cells of the binned JS
DIFFERENCE = 1e-5  # step of the one-sided slopes
SLOPES_AGREE = 0.01  # left and right, as a share of the path's speed
MIN_SMOOTH_SHARE, MIN_JS_JUMP = 0.95, 0.5 * log(2)


def parts(quick: bool) -> dict[str, PartSettings]:
    """List a path of each seed, and the segments of example 1."""
    seeds, samples, places = (3, 64, 60) if quick else (8, 192, 200)
    same = {"samples": samples, "places": places, "width": 32, "depth": 2, "binned": 5000}
    return {
        **{f"path, seed {seed}": {"net": "mlp", "seed": seed, **same} for seed in range(seeds)},
        "segments": {"net": "segments", "seed": 0, **same},
    }


def generator_path(settings: PartSettings) -> GeneratorPath:
    """Return (t, latents [N, 1]) -> points G_t(z), [N, 2]; P_r is the distribution at t = 0."""
    if settings["net"] == "segments":  # Arjovsky et al. 2017, example 1: (theta, z)
        return lambda t, z: np.hstack([np.full_like(z, t), z])
    nets = [
        mlp.generator([2], 1, width=settings["width"], depth=settings["depth"]).double()
        for _ in range(3)
    ]
    for index, net in enumerate(nets):
        net.reset(generator(settings["seed"], "init", index))
    parameters, origins, directions = (list(net.parameters()) for net in nets)

    def generate(t: float, z: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            for parameter, origin, direction in zip(parameters, origins, directions, strict=True):
                parameter.copy_(origin + t * direction)
            return nets[0](torch.from_numpy(z)).numpy()

    return generate


def measure(settings: PartSettings) -> Measurements:
    """Measure W1 along the path, its largest jumps, one-sided slopes, and JS."""
    generate = generator_path(settings)
    draws = numpy_generator(settings["seed"], "latent")
    latent = draws.uniform(0, 1, (settings["samples"], 1))
    real = Measure.of(generate(0.0, latent))

    def w1(t: float) -> float:
        return wasserstein(real, Measure.of(generate(t, latent)), 1)

    def moved(s: float, t: float) -> float:
        return float(np.linalg.norm(generate(s, latent) - generate(t, latent), axis=1).mean())

    curve = np.linspace(-REACH, REACH, 41)
    places = np.concatenate([[0.0], draws.uniform(-REACH, REACH, settings["places"])])
    here = np.array([w1(t) for t in places])
    jumps = [_largest_jumps(w1, moved, h, settings["places"]) for h in STEPS]
    jump, excess = np.array(jumps).T
    return {
        "t": curve,
        "w1": np.array([w1(t) for t in curve]),
        "js": np.array([js(real, Measure.of(generate(t, latent))) for t in curve]),
        "places": places,
        "right": np.array([w1(t + DIFFERENCE) for t in places]) - here,
        "left": here - np.array([w1(t - DIFFERENCE) for t in places]),
        "speed": np.array([moved(t, t + DIFFERENCE) for t in places]),
        "jump": jump,
        "excess": excess,
        "js_jump": np.array([js(real, Measure.of(generate(h, latent))) for h in STEPS]),
        **_binned_js(generate, draws, settings["binned"]),
    }


def _largest_jumps(
    w1: Callable[[float], float], moved: Callable[[float, float], float], h: float, most: int
) -> tuple[float, float]:
    """max |W1(t + h) - W1(t)| near 0 and over the path; and the most that it exceeds E|G' - G|."""
    starts = np.unique(np.concatenate([np.linspace(-REACH, REACH - h, most // 4), [-h, 0.0]]))
    change = np.array([abs(w1(t + h) - w1(t)) for t in starts])
    return change.max(), (change - [moved(t, t + h) for t in starts]).max()


def _binned_js(generate: GeneratorPath, draws: np.random.Generator, samples: int) -> Measurements:
    """JS over cells of each width, [widths, t]: a lower bound of the true one."""
    latent = draws.uniform(0, 1, (samples, 1))
    ts = np.unique(np.concatenate([np.linspace(-REACH, REACH, 21), [-0.01, 0.01, -0.1, 0.1]]))
    clouds = [generate(t, latent) for t in ts]
    rows = []
    for width in BINS:
        origin = binned(generate(0.0, latent), width)
        rows.append([js(origin, binned(cloud, width)) for cloud in clouds])
    return {"binned_t": ts, "binned_js": np.array(rows)}


def smooth_share(arrays: Measurements) -> float:
    """Share of the random places where left and right slope agree."""
    apart = np.abs(arrays["right"] - arrays["left"])[1:]
    return float(np.mean(apart <= SLOPES_AGREE * arrays["speed"][1:]))


def kink(arrays: Measurements) -> float:
    """(right - left slope at t = 0) / speed of the path: 2 where W1 is like |t|."""
    return float((arrays["right"] - arrays["left"])[0] / arrays["speed"][0])


def conclude(results: PartResults) -> Result:
    """Check that W1's jumps shrink with the step, JS's do not, and W1's slopes mostly agree."""
    paths = list(results.values())
    # np.max keeps a NaN, which satisfies no rule
    worst = float(np.max([a["excess"].max() for a in paths]))
    shrink = [float(a["jump"][-1] / a["jump"][0]) for a in paths]
    js_least = float(np.min([a["js_jump"][-1] for a in paths]))
    shares, kinks = [smooth_share(a) for a in paths], [kink(a) for a in paths]
    falls = _mean_of_finite(
        "W1's largest jump, step 0.001 over step 0.1", shrink, "0.01 where Lipschitz"
    )
    agree = _mean_of_finite(
        "share of places where W1's slopes agree", shares, "1: almost everywhere"
    )
    bend = _mean_of_finite("W1's kink at P_r, over the path's speed", kinks, "2 for |t|")
    title = "JS at a step of 0.001 from P_r, least of the paths, nats"
    numbers = (
        falls,
        Quantity("most that W1 changes beyond E|G_t - G_s|", worst, expected="0 or below"),
        Quantity(title, js_least, expected="ln 2"),
        agree,
        bend,
        *likelihood_and_kl(),
    )
    summary = (
        f"Over {len(paths)} paths W1 never changes by more than the samples move on average, and "
        f"its largest change over a step falls to {falls.value:.3f} of itself with a step of "
        f"a hundredth; JS is 0 at P_r and {js_least:.3f} nats next to it (ln 2 = 0.693). Left and "
        f"right slopes of W1 agree at {agree.value:.1%} of random places, but at P_r they "
        f"differ by {bend.value:.2f} times the speed: a kink."
    )
    conditions = {
        "continuity of W1": worst <= 1e-9 and np.max(shrink) <= 0.05,  # rounding
        "JS's jump": js_least >= MIN_JS_JUMP,
        "W1's slopes": agree.lower >= MIN_SMOOTH_SHARE,
    }
    failed = [name for name, holds in conditions.items() if not holds]
    if failed:
        summary = f"Not as asked: {', '.join(failed)}. {summary}"
    return Result(overall_verdict(conditions.values()), summary, numbers)


def _mean_of_finite(name: str, values: list[float], expected: str) -> Quantity:
    """Mean with NaN and infinity as 0, after the rule has refused such values."""
    return mean_over_seeds(name, np.nan_to_num(values, nan=0, posinf=0, neginf=0), expected)


def likelihood_and_kl() -> tuple[Quantity, Quantity]:
    """E ln p and -KL of N(0, 1) against N(1, 1), in nats: they differ by the entropy."""
    kl = gaussian_kl(np.zeros(1), np.eye(1), np.ones(1), np.eye(1))
    entropy = 0.5 * log(2 * np.pi * np.e)
    return (
        Quantity("likelihood of N(1, 1) under N(0, 1), nats", -kl - entropy, expected="-1.919"),
        Quantity("minus KL of the same, nats", -kl, expected="-0.5"),
    )


def draw(results: PartResults) -> list[Figure]:
    """Draw W1 and JS over the path, of the segments and of networks."""
    paths = [arrays for part, arrays in results.items() if part != "segments"]
    with figure(7.2, 2.6) as shape:
        w1, divergence, smooth = shape.subplots(1, 3)
        for arrays in paths:
            w1.plot(arrays["t"], arrays["w1"], color=HUES[0], linewidth=0.7)
        lines = results["segments"]
        w1.plot(lines["t"], lines["w1"], color=ACCENT, linewidth=1)
        w1.text(0.22, 0.32, "segments", color=ACCENT, fontsize=7, ha="right")
        w1.set(title="W1: a kink at P_r", ylabel="distance")
        first = paths[0]
        for place, (row, width) in enumerate(zip(first["binned_js"], BINS, strict=True)):
            hue = HUES[2 + place]
            divergence.plot(first["binned_t"], row, color=hue, linewidth=0.8)
            divergence.text(-REACH, 0.06 * place, f"{width:g}", color=hue, fontsize=7)
        divergence.plot([-REACH, 0], [log(2)] * 2, color=MUTED, linewidth=1)
        divergence.plot([0, REACH], [log(2)] * 2, color=MUTED, linewidth=1)
        divergence.plot(0, log(2), "o", markerfacecolor="none", color=MUTED, markersize=4)
        divergence.plot(0, 0, "o", color=MUTED, markersize=4)
        divergence.text(-REACH, log(2) + 0.02, "no cells: ln 2", color=MUTED, fontsize=7)
        divergence.set(title="JS by width of its cells", ylabel="nats")
        for name, hue, marker in (("left", HUES[0], "o"), ("right", HUES[1], "x")):
            slopes, look = first[name] / DIFFERENCE, {"markersize": 2.5, "markeredgewidth": 0.6}
            smooth.plot(first["places"], slopes, marker, color=hue, **look)
            smooth.text(0.03, slopes[0], f"{name} of P_r", color=hue, fontsize=7, va="center")
        smooth.set(title="slopes of W1 from both sides", ylabel="distance per t")
        for axes in (w1, divergence, smooth):
            axes.set_xlabel("parameter t of the path")
        alt = "W1 falls to 0 with a kink; JS is 0 at one point and ln 2 beside it"
        drawing = render(shape, "T10-path", alt)
    caption = (
        "A feed-forward generator moves through the parameters of P_r, at t = 0, between samples "
        "of fixed latents. Left: W1, a line a seed, and the segments of example 1. Middle: JS of "
        "one path in cells of a lattice, ever smaller, and its limit. Right: W1's slopes from both "
        "sides at random places of that path."
    )
    return [Figure(caption, drawing)]


EXPERIMENT = Experiment(
    id="T10",
    title="Continuity",
    statement=(
        "W1 is continuous in the generator's parameters, where JS is not, and differentiable "
        "almost everywhere."
    ),
    source="slides; blog, theorem 1 and corollary 1 [Arjovsky et al. 2017, arXiv:1701.07875]",
    setup=(
        "P_r is what a perceptron makes of a uniform latent; its parameters then move along a "
        "random direction through that point. W1 is exact between samples of the same latents. JS "
        "of those, and of 5,000 samples in ever smaller cells. The segments of example 1 besides. "
        "Slopes by differences of 1e-5 at random places."
    ),
    rule=(
        "(1) W1 is continuous: on no path does it change by more than E|G_t - G_s|, and the "
        "largest change for a step of 0.001 is at most 5 % of that for 0.1. (2) JS jumps: at "
        "least half of ln 2 at a step of 0.001 from P_r on each path. (3) Differentiable almost "
        "everywhere: left and right slopes agree within 1 % of the path's speed at 95 % of random "
        "places or more, by the 95 % interval of the mean over paths. Reproduced: all three. "
        "Partly: some. Not reproduced: none."
    ),
    version=1,
    minutes=CpuMinutes(full=2, quick=0.2),
    parts=parts,
    measure=measure,
    conclude=conclude,
    draw=draw,
    caveat=(
        "The blog concludes 'differentiable everywhere'; what follows is almost everywhere, and "
        "W1 = |theta| of the segments has a kink at 0, as each path has at P_r. Its corollary asks "
        "for E|z| under z ~ P_r, where the prior p(z) is meant: here z is a number, and P_r lives "
        "in the plane. And it sets the maximum of the log-likelihood 'equal' to the minimum of KL: "
        "only the arguments agree. The values differ by sign and entropy: -1.919 and 0.5 for "
        "N(1, 1) under N(0, 1)."
    ),
)
