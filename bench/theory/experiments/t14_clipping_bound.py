"""T14: with a large clipping bound the critic is slow, with a small one gradients vanish.

Gulrajani et al. 2017 (arXiv:1704.00028), figure 2a. Measured: gradients over the layers of deep
critics, and the steps that shallow critics take to their last estimate, for three bounds.
"""

import numpy as np
import torch

from bench.core.seeds import numpy_generator
from bench.models.gan import GAN
from bench.plotting.style import HUES, INK, MARKERS, RULE, figure, render
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
from bench.theory.toolkit.critics import critic_losses, stack_critics, train_critics
from bench.theory.toolkit.intervals import mean_or_nan, median_over_seeds
from bench.theory.toolkit.replica_stacks import gans
from bench.theory.toolkit.suite_access import build_objective, load_samples

CLIPS = (0.1, 0.01, 0.001)
LARGE, SMALL = CLIPS[0], CLIPS[-1]
GP = "GP"
MAX_RATIO, LOOKS, TRACE_POINTS, CONVERGED, BATCH = 0.1, 8, 200, 0.95, 64
VANISHES = "vanishes, below 1"
EXPECTED = {0.1: "grows, above 1", 0.01: VANISHES, 0.001: VANISHES, GP: "near 1"}
TITLES = {0.1: "c = 0.1", 0.01: "c = 0.01", 0.001: "c = 0.001", GP: GP}  # of the deep critics


def parts(quick: bool) -> dict[str, PartSettings]:
    """List deep critics, whose gradients are measured, and shallow ones, which are timed."""
    seeds = {"seeds": list(range(2 if quick else 5)), "batch": BATCH}
    wide = 64 if quick else 256
    deep = {"depth": 12, "steps": 40 if quick else 300, "looks": LOOKS, "trace": 0, "he": True}
    shallow = {"depth": 3, "width": 64, "looks": 0, "trace": TRACE_POINTS, "he": False}
    shallow["steps"] = 600 if quick else 6000
    part_settings: dict[str, PartSettings] = {}
    for clip in CLIPS:
        by = {**seeds, "clip": clip, "rate": 5e-5}
        part_settings[f"deep {clip:g}"] = {**by, **deep, "width": wide}
        part_settings[f"shallow {clip:g}"] = {**by, **shallow}
    part_settings[f"deep {GP}"] = {**seeds, **deep, "clip": None, "rate": 1e-4, "width": wide}
    # the bound at which gradients vanish depends on the width: again with a quarter of it
    part_settings["narrow 0.1"] = {**seeds, **deep, "clip": LARGE, "rate": 5e-5, "width": wide // 4}
    return part_settings


def measure(settings: PartSettings) -> Measurements:
    """Measure gradient norms [looks, R, layers] in the second half, and trace the estimate."""
    clip, steps = settings["clip"], settings["steps"]
    if clip is None:
        objective = build_objective("wgan_gp", "variant=wgan_gp")
        critics = stack_critics(settings, objective)
    else:
        objective = build_objective("wgan", "variant=wgan", f"hyperparameters.weight_clip={clip}")
        critics = stack_critics({**settings, "optimizer": "rmsprop"}, objective)
    for model in gans(critics):
        if settings["he"]:
            _rescale_to_he(model.discriminator)
        model.constrain(model.discriminator.parameters())
    data = torch.from_numpy(load_samples("swiss_roll")["train"][:20_000])
    noise = numpy_generator(0, "draws").standard_normal(data.shape).astype(np.float32)
    pools = data, data.flip(0) + torch.from_numpy(noise)
    looks = _spread_steps(steps - steps // 2, settings["looks"], steps // 2)
    trace_steps = _spread_steps(steps, settings["trace"], 0)
    norms, trace = [], []
    fixed = [pool[:512] for pool in pools]
    for step in train_critics(critics, pools, steps=steps):
        if step in looks:
            norms.append([_layer_gradient_norms(model, fixed) for model in gans(critics)])
        if step in trace_steps:
            trace.append(-critic_losses(critics, *fixed))
    return {
        "norms": np.array(norms, dtype=np.float64),
        "trace": np.array(trace, dtype=np.float64),
        "steps": np.array(sorted(trace_steps)),
    }


def conclude(results: PartResults) -> Result:
    """Check that the largest bound is the slowest and that the smallest one's gradient vanishes."""
    name = "log10 of the gradient at the first layer over that at the last"
    ratios = {
        setting: mean_or_nan(
            f"{name}, {title}", _log_first_over_last(results[f"deep {setting}"]), EXPECTED[setting]
        )
        for setting, title in TITLES.items()
    }
    narrow = mean_or_nan(
        f"{name}, c = 0.1, a quarter wide",
        _log_first_over_last(results["narrow 0.1"]),
        "less than with the full width",
    )
    steps_by_clip = {clip: steps_to_last_estimate(results[f"shallow {clip:g}"]) for clip in CLIPS}
    medians = {
        clip: median_over_seeds(f"steps to 95 % of the last estimate, c = {clip:g}", values)
        for clip, values in steps_by_clip.items()
    }
    vanishes = bool(ratios[SMALL].upper < np.log10(MAX_RATIO))
    # an infinite wait is that of a critic without a last estimate, not of a slow one
    comparable = np.isfinite(steps_by_clip[LARGE]).all() and np.isfinite(steps_by_clip[SMALL]).all()
    slower = comparable and bool((steps_by_clip[LARGE] > steps_by_clip[SMALL]).all())
    waits = ", ".join(f"{medians[clip].value:.0f} (c = {clip:g})" for clip in CLIPS)
    summary = (
        f"From last to first layer the gradient changes by a factor of "
        f"{', '.join(f'10^{ratios[s].value:.1f} ({title})' for s, title in TITLES.items())}; c = "
        f"0.1 with a quarter of the width 10^{narrow.value:.1f}. The critic reaches 95 % of its "
        f"last estimate after {waits} steps."
    )
    if not (vanishes and slower):
        failed = [w for w, h in (("vanishing", vanishes), ("slowness", slower)) if not h]
        summary += f" What fails: {' and '.join(failed)}."
    numbers = (*ratios.values(), narrow, *medians.values())
    return Result(overall_verdict([vanishes, slower]), summary, numbers)


def draw(results: PartResults) -> list[Figure]:
    """Draw gradients over the layers, and the estimate over the steps."""
    with figure(7.2, 3.2) as shape:
        left, right = shape.subplots(1, 2)
        for hue, marker, (setting, title) in zip(HUES, MARKERS, TITLES.items(), strict=False):
            logs = np.log(_above_zero(results[f"deep {setting}"]["norms"]))
            norms = np.exp(logs.mean(axis=(0, 1)))
            style = {"color": hue, "marker": marker, "markersize": 3, "linewidth": 1}
            left.plot(np.arange(1, len(norms) + 1), norms, **style, label=title)
        left.legend(frameon=False, fontsize=7, loc="lower right")
        left.set(yscale="log", xticks=[1, 4, 8, 12], xlabel="layer, from the points to the score")
        left.set_title("Gradient norm of the loss at the layer's output")
        label_decades(left.yaxis)
        for hue, clip in zip(HUES, CLIPS, strict=False):
            arrays = results[f"shallow {clip:g}"]
            final = arrays["trace"][-1]
            way = np.median(arrays["trace"] / np.where(final > 0, final, np.nan), axis=1)
            right.plot(arrays["steps"], way, color=hue, linewidth=1, label=f"c = {clip:g}")
        right.legend(frameon=False, fontsize=7, loc="center left")
        right.axhline(CONVERGED, color=RULE, zorder=0)
        right.text(right.get_xlim()[0] + 1, CONVERGED + 0.01, "95 %", color=INK, fontsize=6)
        right.set(xscale="log", ylim=(-0.05, 1.1), xlabel="steps of the critic")
        right.set_title("Estimate over the last one, three layers")
        label_decades(right.xaxis)
        alt = "Gradients over twelve layers for three bounds and a penalty; estimates over steps"
        drawing = render(shape, "T14-bound", alt)
    caption = (
        "Left: critics of twelve layers on the Swiss roll, geometric means over seeds and the "
        "second half of training. Right: critics of three layers, median of the seeds."
    )
    return [Figure(caption, drawing)]


def steps_to_last_estimate(arrays: Measurements) -> np.ndarray:
    """Steps [R] from which on the estimate stays at 95 % of the last; infinite if it diverged."""
    trace, last = arrays["trace"], arrays["trace"][-1]
    below = ~(trace >= CONVERGED * last)
    below[-1] = False
    first = np.where(below.any(axis=0), len(trace) - np.argmax(below[::-1], axis=0), 0)
    usable = np.isfinite(trace).all(axis=0) & (last > 0)
    return np.where(usable, arrays["steps"][np.minimum(first, len(trace) - 1)], np.inf)


def _spread_steps(length: int, count: int, start: int) -> set[int]:
    """Choose `count` steps up to start + length: evenly, or log-spaced from 1 if start is 0."""
    if count == 0:
        return set()
    if start:
        return {start + round(length * (i + 1) / count) for i in range(count)}
    return set(np.unique(np.round(np.geomspace(1, length, count)).astype(int)).tolist())


@torch.no_grad()
def _rescale_to_he(critic: torch.nn.Module) -> None:
    """Widen bounds 1 / sqrt(fan in) of the weights to sqrt(6 / fan in); set biases to 0."""
    for name, parameter in critic.named_parameters():
        parameter.mul_(np.sqrt(6) if name.endswith("weight") else 0)


def _layer_gradient_norms(model: GAN, pools: list[torch.Tensor]) -> list[float]:
    """|d loss / d h| for the output h of each hidden layer, over real and fake points together."""
    hidden, x = [], torch.cat(pools)
    for layer in model.discriminator.children():
        x = layer(x)
        if isinstance(layer, torch.nn.ReLU):
            hidden.append(x)
    real, fake = x.squeeze(1).chunk(2)
    loss = model.objective.loss.discriminator(real, fake)
    return [float(g.double().norm()) for g in torch.autograd.grad(loss, hidden)]


def _above_zero(norms: np.ndarray) -> np.ndarray:
    return np.maximum(norms, 1e-38)  # float32's smallest: a norm of 0 is one below it


def _log_first_over_last(arrays: Measurements) -> np.ndarray:
    """log10(norm at the first layer / norm at the last), mean over the second half, [R]."""
    norms = np.log10(_above_zero(arrays["norms"]))
    return (norms[..., 0] - norms[..., -1]).mean(axis=0)


EXPERIMENT = Experiment(
    id="T14",
    title="Clipping's bound",
    statement=(
        "With a large clipping bound the critic takes longer to be optimal, with a small one "
        "gradients vanish."
    ),
    source="slides [Arjovsky et al. 2017; Gulrajani et al. 2017, arXiv:1704.00028, figure 2a]",
    setup=(
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
    version=3,
    minutes=CpuMinutes(full=5, quick=0.3),
    parts=parts,
    measure=measure,
    conclude=conclude,
    draw=draw,
    caveat=(
        "Neither large nor small is a number: at random signs a layer of weights +-c scales a "
        "gradient by about c sqrt(width / 2), and by up to c width / 2 where signs agree, so that "
        "the border between growing and vanishing moves with the width."
    ),
)
