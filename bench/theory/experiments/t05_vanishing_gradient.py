"""T5: as D approaches D*, the generator's gradient of E ln(1 - D(G(z))) goes to 0.

Arjovsky and Bottou 2017 (arXiv:1701.04862), theorem 2.4 and figure 2. Measured: its norm for frozen
generators of digits while a new discriminator learns, and for a control with overlapping supports.
"""

import numpy as np

from bench.plotting.style import ACCENT, HUES, MUTED, figure, render
from bench.theory.experiment import (
    CpuMinutes,
    Experiment,
    Figure,
    Measurements,
    PartResults,
    PartSettings,
    Result,
    choose_verdict,
)
from bench.theory.toolkit import frozen_generator
from bench.theory.toolkit.axes import set_log_axes
from bench.theory.toolkit.intervals import mean_or_nan

CONTROL = "control"
MIN_DECAY, MAX_CONTROL_DECAY = 2.0, 0.5  # orders of magnitude from the first to the last gradient
MIN_ACCURACY = 0.99  # of the last discriminator: it shows that the supports are separable


def parts(quick: bool) -> dict[str, PartSettings]:
    """List a part for each stage and seed of the generator, and for each seed of the control."""
    seeds, stages, steps = (2, (50, 200), 400) if quick else (5, (100, 1000, 4000), 4000)
    names = {**{f"stage {stage}": stage for stage in stages}, CONTROL: CONTROL}
    return {
        f"{name}, seed {seed}": {"stage": stage, "seed": seed, "steps": steps}
        for name, stage in names.items()
        for seed in range(seeds)
    }


def measure(settings: PartSettings) -> Measurements:
    """Measure the norm of the gradient of E ln(1 - D(G(z))), and D's accuracy, over D's steps."""
    seed, steps = settings["seed"], settings["steps"]
    g, real = (
        frozen_generator.make_gaussian_control(seed, steps)
        if settings["stage"] == CONTROL
        else frozen_generator.train_digit_generator(seed, settings["stage"])
    )
    stops = sorted({0, *np.geomspace(1, steps, 25).round().astype(int).tolist()})
    players = frozen_generator.gradient_snapshots(g, real, "minimax", stops, seed=seed)
    snapshots = [snapshot for (snapshot,) in players]
    arrays = {
        "step": np.array([one.step for one in snapshots]),
        "accuracy": np.array([one.accuracy for one in snapshots]),
        "norm": np.array([float(one.gradient.norm()) for one in snapshots]),
    }
    if settings["stage"] == CONTROL:
        arrays["exact"] = np.array(frozen_generator.control_gradient_norm("minimax"))
    return arrays


def group_by_stage(results: PartResults) -> dict[str, list[Measurements]]:
    """Collect the measurements of all seeds by stage; the control is a group of its own."""
    seeds_by_group: dict[str, list[Measurements]] = {}
    for part, arrays in results.items():
        seeds_by_group.setdefault(part.partition(",")[0], []).append(arrays)
    return seeds_by_group


def orders_of_decay(arrays: Measurements) -> float:
    """log10(first norm / last norm); NaN where one is not a positive number."""
    first, last = arrays["norm"][[0, -1]]
    return float(np.log10(first / last)) if 0 < last < np.inf and 0 < first < np.inf else np.nan


def conclude(results: PartResults) -> Result:
    """Check that the gradient falls by orders of magnitude at each stage, not in the control."""
    decays, accuracies, holds = {}, [], {}
    for name, seed_results in group_by_stage(results).items():
        falls = [orders_of_decay(arrays) for arrays in seed_results]
        expected = "none" if name == CONTROL else "orders of magnitude"
        decay = mean_or_nan(f"orders of magnitude of decay, {name}", falls, expected)
        shares = [float(arrays["accuracy"][-1]) for arrays in seed_results]
        accuracies.append(mean_or_nan(f"accuracy of D at the end, {name}", shares))
        decays[name] = decay
        if name == CONTROL:
            holds[name] = decay.upper <= MAX_CONTROL_DECAY
            exact = float(seed_results[0]["exact"])
            ends = [float(arrays["norm"][-1]) for arrays in seed_results]
            last = mean_or_nan("last gradient, control", ends, f"{exact:.3f} under D*")
        else:
            holds[name] = decay.lower >= MIN_DECAY and min(shares) >= MIN_ACCURACY
    stages = [name for name in holds if name != CONTROL]
    verdict = choose_verdict(all(holds.values()), any(holds[name] for name in stages))
    falls_of_stages = ", ".join(f"{decays[name].value:.1f} ({name})" for name in stages)
    summary = (
        f"While D learns, the norm of the generator's gradient falls by {falls_of_stages} orders "
        f"of magnitude. In the control it changes by {-decays[CONTROL].value:+.1f} orders and ends "
        f"at {last.value:.3f}, where D* leaves {exact:.3f}."
    )
    failed = [name for name in stages if not holds[name]]
    if failed:
        summary += (
            f" What fails: {', '.join(failed)} (the rule asks for a fall by at least {MIN_DECAY:g} "
            f"orders, and for a D that tells {MIN_ACCURACY:.0%} of the samples apart)."
        )
    if not holds[CONTROL]:
        summary += (
            f" What fails: the control, which must not fall by more than {MAX_CONTROL_DECAY:g}."
        )
    return Result(verdict, summary, (*decays.values(), last, *accuracies))


def draw(results: PartResults) -> list[Figure]:
    """Draw the norm over the discriminator's steps, a panel for each stage and the control."""
    seeds_by_group = group_by_stage(results)
    with figure(7.2, 2.3) as shape:
        panels = shape.subplots(1, len(seeds_by_group), sharex=True, sharey=True)
        for axes, (name, seed_results) in zip(panels, seeds_by_group.items(), strict=True):
            hue = ACCENT if name == CONTROL else HUES[0]
            for arrays in seed_results:
                axes.plot(arrays["step"] + 1, arrays["norm"], color=hue, linewidth=0.7)
            if name == CONTROL:
                axes.axhline(seed_results[0]["exact"], color=MUTED, linestyle="--", linewidth=0.8)
                axes.text(1, seed_results[0]["exact"] * 1.3, "D*", color=MUTED, fontsize=7)
            steps = name.removeprefix("stage ")
            axes.set_title("control: Gaussians" if name == CONTROL else f"G after {steps} steps")
            set_log_axes(axes)
            axes.set_xlabel("steps of D, plus 1")
        panels[0].set_ylabel("norm of the gradient, nats")
        alt = "The gradient falls by orders of magnitude for digits and not for the Gaussians"
        drawing = render(shape, "T05-decay", alt)
    caption = (
        "Norm of the gradient of E ln(1 - D(G(z))) for a frozen generator while a new D learns, a "
        "line a seed. Generators of 8x8 digits at several stages; the control's distributions "
        "overlap, and dashed is its gradient under the optimal D."
    )
    return [Figure(caption, drawing)]


EXPERIMENT = Experiment(
    id="T5",
    title="Vanishing gradient",
    statement="As D approaches D*, the generator's gradient of E ln(1 - D(G(z))) goes to 0.",
    source="slides [Arjovsky and Bottou 2017, arXiv:1701.04862, theorem 2.4 and figure 2]",
    setup=(
        "Generators of 8x8 digits, perceptrons from 8 latents, frozen after 100, 1000 and 4000 "
        "steps; against each a new discriminator learns the minimax loss by Adam for 4000 steps, "
        "over 5 seeds. The gradient is taken in float64 from logits at 512 fixed latents. Control: "
        "N(0, I) against an affine generator of N((1, 0), I) in the plane."
    ),
    rule=(
        "A stage holds if the 95 % interval of the mean decay, from the untrained D to the last, "
        "lies at or above 2 orders of magnitude, and the last D tells 99 % apart for every seed. "
        "The control holds if its interval lies at or below 0.5. Reproduced: all hold. Partly: "
        "some stage holds. Not reproduced: no stage does. NaN, infinity or a gradient of exactly 0 "
        "holds nothing."
    ),
    version=2,
    minutes=CpuMinutes(full=6, quick=0.4),
    parts=parts,
    measure=measure,
    conclude=conclude,
    draw=draw,
)
