"""T14: a large clipping bound is slow, a small one makes gradients vanish."""

from collections.abc import Sequence

import numpy as np
import torch

from bench.core.seeds import numpy_generator
from bench.plotting.style import HUES, INK, MARKERS, RULE, figure, render
from bench.theory.experiment import (
    Arrays,
    Experiment,
    Figure,
    Minutes,
    PartResults,
    Result,
    Settings,
    overall,
)
from bench.theory.replicas import Side
from bench.theory.toolkit.critics import critics, fitted, losses, mean_number, plain
from bench.theory.toolkit.intervals import median_over_seeds
from bench.theory.toolkit.suite_access import objective, points

CLIPS = (0.1, 0.01, 0.001)
LARGE, SMALL = CLIPS[0], CLIPS[-1]
GP = "GP"
TENTH, LOOKS, TRACED, ENOUGH, BATCH = 0.1, 8, 200, 0.95, 64
KNOWN = {0.1: "grows, above 1", 0.01: "vanishes, below 1", 0.001: "vanishes, below 1", GP: "near 1"}


def parts(quick: bool) -> dict[str, Settings]:
    """Deep critics whose gradients are looked at, and shallow ones whose estimate is timed."""
    seeds = {"seeds": list(range(2 if quick else 5)), "batch": BATCH}
    wide = 64 if quick else 256
    deep = {"depth": 12, "steps": 40 if quick else 300, "looks": LOOKS, "trace": 0, "he": True}
    shallow = {"depth": 3, "width": 64, "looks": 0, "trace": TRACED, "he": False}
    found = {}
    for clip in CLIPS:
        by = {"clip": clip, "rate": 5e-5}
        found[f"deep {clip:g}"] = {**seeds, **deep, **by, "width": wide}
        found[f"shallow {clip:g}"] = {**seeds, **shallow, **by, "steps": 600 if quick else 6000}
    found[f"deep {GP}"] = {**seeds, **deep, "clip": None, "rate": 1e-4, "width": wide}
    # the border moves with the width: the same with a quarter of it
    found["narrow 0.1"] = {**seeds, **deep, "clip": LARGE, "rate": 5e-5, "width": wide // 4}
    return found


def measure(settings: Settings) -> Arrays:
    """Norms [looks, R, layers] over the second half of training, and the traced estimate."""
    clip, steps, seeds = settings["clip"], settings["steps"], settings["seeds"]
    if clip is None:
        game = objective("wgan_gp", "variant=wgan_gp")
    else:
        game = objective("wgan", "variant=wgan", f"hyperparameters.weight_clip={clip}")
    by = "adam" if clip is None else "rmsprop"
    sizes = {key: settings[key] for key in ("width", "depth", "rate")}
    critic = critics(seeds, game, optimizer=by, **sizes)
    if settings["he"]:  # from within 1 / sqrt(fan in) to within sqrt(6 / fan in)
        for name, p in critic.held(critic.weights).items():
            p *= np.sqrt(6) if name.endswith("weight") else 0
    critic.weights = critic.constrained(critic.weights)
    data = torch.from_numpy(points("swiss_roll")["train"][:20_000])
    noise = numpy_generator(0, "draws").standard_normal(data.shape).astype(np.float32)
    pools = data, data.flip(0) + torch.from_numpy(noise)
    looks = _evenly(steps - steps // 2, settings["looks"], steps // 2)
    traced = _evenly(steps, settings["trace"], 0)
    norms, trace = [], []
    for step in fitted(critic, pools, steps=steps, batch=settings["batch"]):
        held = [pool[:512] for pool in pools]
        if step in looks:
            norms.append([_norms(critic, index, held) for index in range(len(seeds))])
        if step in traced:
            trace.append(-losses(critic, *held))
    return {
        "norms": np.array(norms, dtype=np.float64),
        "trace": np.array(trace, dtype=np.float64),
        "steps": np.array(sorted(traced)),
    }


def judge(evidence: PartResults) -> Result:
    """Is the largest bound the slowest, and does the smallest one's gradient vanish?"""
    last = {setting: _first_over_last(evidence[f"deep {setting}"]) for setting in _settings()}
    ratios = {
        setting: mean_number(
            f"log10 of the gradient at the first layer over that at the last, {_title(setting)}",
            values,
            KNOWN[setting],
        )
        for setting, values in last.items()
    }
    narrow = mean_number(
        "log10 of the gradient at the first layer over that at the last, c = 0.1, a quarter wide",
        _first_over_last(evidence["narrow 0.1"]),
        "less than with the full width",
    )
    waits = {clip: waited(evidence[f"shallow {clip:g}"]) for clip in CLIPS}
    medians = {
        clip: median_over_seeds(f"steps to 95 % of the last estimate, c = {clip:g}", values)
        for clip, values in waits.items()
    }
    vanishes = ratios[SMALL].high is not None and ratios[SMALL].high < np.log10(TENTH)
    # an endless wait is one that never had an estimate to come near: not a long one
    comparable = np.isfinite(waits[LARGE]).all() and np.isfinite(waits[SMALL]).all()
    slower = comparable and bool((waits[LARGE] > waits[SMALL]).all())
    found = (
        f"From last to first layer the gradient changes by a factor of "
        f"{', '.join(f'10^{ratios[s].value:.1f} ({_title(s)})' for s in ratios)}; c = 0.1 with a "
        f"quarter of the width 10^{narrow.value:.1f}. 95 % of the last estimate takes "
        f"{', '.join(f'{medians[c].value:.0f} steps (c = {c:g})' for c in CLIPS)}."
    )
    if not (vanishes and slower):
        failed = [w for w, h in (("vanishing", vanishes), ("slowness", slower)) if not h]
        found += f" What fails: {' and '.join(failed)}."
    numbers = (*ratios.values(), narrow, *medians.values())
    return Result(overall([vanishes, slower]), found, numbers)


def draw(evidence: PartResults) -> Sequence[Figure]:
    """Gradients over the layers, and the estimate on its way to the last."""
    with figure(7.2, 3.2) as shape:
        left, right = shape.subplots(1, 2)
        for hue, marker, setting in zip(HUES, MARKERS, _settings(), strict=False):
            norms = np.exp(
                np.log(_positive(evidence[f"deep {setting}"]["norms"])).mean(axis=(0, 1))
            )
            layers = np.arange(1, len(norms) + 1)
            look = {"color": hue, "marker": marker, "markersize": 3, "linewidth": 1}
            left.plot(layers, norms, **look, label=_title(setting))
        left.legend(frameon=False, fontsize=7, loc="lower right")
        left.set_yscale("log")
        plain(left.yaxis)
        left.set_xticks([1, 4, 8, 12])
        left.set_xlabel("layer, from the points to the score")
        left.set_title("Gradient norm of the loss at the layer's output")
        for hue, clip in zip(HUES, CLIPS, strict=False):
            arrays = evidence[f"shallow {clip:g}"]
            final = arrays["trace"][-1]
            way = np.median(arrays["trace"] / np.where(final > 0, final, np.nan), axis=1)
            right.plot(arrays["steps"], way, color=hue, linewidth=1, label=f"c = {clip:g}")
        right.legend(frameon=False, fontsize=7, loc="center left")
        right.axhline(ENOUGH, color=RULE, zorder=0)
        right.text(right.get_xlim()[0] + 1, ENOUGH + 0.01, "95 %", color=INK, fontsize=6)
        right.set_xscale("log")
        plain(right.xaxis)
        right.set_ylim(-0.05, 1.1)
        right.set_xlabel("steps of the critic")
        right.set_title("Estimate over the last one, three layers")
        alt = "Gradients over twelve layers for three bounds and a penalty; estimates over steps"
        drawing = render(shape, "T14-bound", alt)
    caption = (
        "Left: critics of twelve layers on the Swiss roll, geometric means over seeds and the "
        "second half of training. Right: critics of three layers, median of the seeds."
    )
    return [Figure(caption, drawing)]


def waited(arrays: dict) -> np.ndarray:
    """Steps [R] from which on the estimate stays at 95 % of the last; infinite without a last."""
    trace, last = arrays["trace"], arrays["trace"][-1]
    below = ~(trace >= ENOUGH * last)
    below[-1] = False
    first = np.where(below.any(axis=0), len(trace) - np.argmax(below[::-1], axis=0), 0)
    usable = np.isfinite(trace).all(axis=0) & (last > 0)
    return np.where(usable, arrays["steps"][np.minimum(first, len(trace) - 1)], np.inf)


def _settings() -> tuple:
    return (*CLIPS, GP)


def _title(setting: float | str) -> str:
    return setting if isinstance(setting, str) else f"c = {setting:g}"


def _evenly(length: int, count: int, start: int) -> set[int]:
    """`count` steps up to start + length, log-spaced from 1 where they start at 0."""
    if count == 0:
        return set()
    if start:
        return {start + round(length * (i + 1) / count) for i in range(count)}
    return set(np.unique(np.round(np.geomspace(1, length, count)).astype(int)).tolist())


def _norms(critic: Side, index: int, pools: list) -> list[float]:
    """|d loss / d h| of the outputs h of the hidden layers, of real and fake points together."""
    layers, hidden = list(critic.module(index)), []
    x = torch.cat(pools)
    for layer in layers:
        x = layer(x)
        if isinstance(layer, torch.nn.ReLU):
            hidden.append(x)
    real, fake = x.squeeze(1).chunk(2)
    loss = critic.objective.discriminator(real, fake)
    return [float(g.double().norm()) for g in torch.autograd.grad(loss, hidden)]


def _positive(norms: np.ndarray) -> np.ndarray:
    return np.maximum(norms, 1e-38)  # float32's smallest: a norm of 0 is one below it


def _first_over_last(arrays: dict) -> np.ndarray:
    """log10 of the ratio for each seed, [R], over the second half of training."""
    norms = np.log10(_positive(arrays["norms"]))
    return (norms[..., 0] - norms[..., -1]).mean(axis=0)


STATEMENT = Experiment(
    id="T14",
    title="Clipping's bound",
    text=(
        "With a large clipping bound the critic takes longer to be optimal, with a small one "
        "gradients vanish."
    ),
    source="slides [Arjovsky et al. 2017; Gulrajani et al. 2017, arXiv:1704.00028, figure 2a]",
    experiment=(
        "Critics between the Swiss roll and the same with unit Gaussian noise, RMSProp 5e-5, "
        "batches of 64. Gradients: twelve ReLU layers of 256 (initial weights of He et al., as "
        "Gulrajani et al. have them), 300 steps, against WGAN-GP (Adam 1e-4), "
        "geometric means over the second half. Time: three layers of 64, 6,000 steps, "
        "until the estimate stays above 95 % of the last. 5 seeds."
    ),
    rule=(
        "Vanishing: for c = 0.001 the loss's gradient at the first layer is below a tenth of that "
        "at the last (95 % interval of the mean logarithm). Slow: c = 0.1 takes more steps than "
        "c = 0.001 with every seed. Reproduced: both. Partly: one. Not reproduced: neither."
    ),
    version=2,
    minutes=Minutes(full=5, quick=0.3),
    parts=parts,
    measure=measure,
    judge=judge,
    draw=draw,
    caveat=(
        "Neither large nor small is a number: at random signs a layer of weights +-c scales a "
        "gradient by about c sqrt(width / 2), and by up to c width / 2 where signs agree, so that "
        "the border between growing and vanishing moves with the width."
    ),
)
