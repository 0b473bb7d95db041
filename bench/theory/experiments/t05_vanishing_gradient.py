"""T5: the minimax gradient of the generator vanishes as the discriminator gets better."""

from collections.abc import Sequence

import numpy as np

from bench.plotting.style import ACCENT, HUES, MUTED, figure, render
from bench.theory.experiment import (
    NOT,
    PARTLY,
    REPRODUCED,
    Arrays,
    Experiment,
    Figure,
    Minutes,
    Number,
    PartResults,
    Result,
    Settings,
)
from bench.theory.toolkit.axes import logarithmic
from bench.theory.toolkit.intervals import mean_over_seeds

CONTROL = "control"
VANISHED, KEPT = 2.0, 0.5  # orders of magnitude from the first to the last gradient
SEPARATED = 0.99  # share that a discriminator must tell apart for the supports to be separable


def parts(quick: bool) -> dict[str, Settings]:
    """A generator's seed and stage, or the control's seed."""
    seeds, stages, steps = (2, (50, 200), 400) if quick else (5, (100, 1000, 4000), 4000)
    found: dict[str, Settings] = {
        f"stage {stage}, seed {seed}": {"stage": stage, "seed": seed, "steps": steps}
        for stage in stages
        for seed in range(seeds)
    }
    controls = {
        f"{CONTROL}, seed {seed}": {"stage": CONTROL, "seed": seed, "steps": steps}
        for seed in range(seeds)
    }
    return found | controls


def measure(settings: Settings) -> Arrays:
    """Norm of the gradient of E ln(1 - D(G(z))), and D's accuracy, over D's steps."""
    from bench.theory.toolkit import frozen_generator

    seed, steps = settings["seed"], settings["steps"]
    g, real = (
        frozen_generator.gaussians(seed)
        if settings["stage"] == CONTROL
        else frozen_generator.digits(seed, settings["stage"])
    )
    at = sorted({0, *np.geomspace(1, steps, 25).round().astype(int).tolist()})
    seen = list(frozen_generator.watched(g, real, "minimax", at, seed=seed))
    found = {
        "step": np.array([one.step for one in seen]),
        "accuracy": np.array([one.accuracy for one in seen]),
        "norm": np.array([float(one.gradient.norm()) for one in seen]),
    }
    if settings["stage"] == CONTROL:
        found["exact"] = np.array(frozen_generator.exact_control_gradient("minimax"))
    return found


def groups(evidence: PartResults) -> dict[str, list]:
    """Stage, or the control -> the results of its seeds."""
    found: dict[str, list] = {}
    for part, arrays in evidence.items():
        found.setdefault(part.partition(",")[0], []).append(arrays)
    return found


def orders(arrays) -> float:
    """log10 of the first over the last norm; NaN where one is not a positive number."""
    first, last = arrays["norm"][[0, -1]]
    return float(np.log10(first / last)) if 0 < last < np.inf and 0 < first < np.inf else np.nan


def judge(evidence: PartResults) -> Result:
    """Orders of magnitude that the gradient falls: many for each stage, none in the control."""
    numbers, holds = [], {}
    for name, found in groups(evidence).items():
        falls = [orders(arrays) for arrays in found]
        known = "none" if name == CONTROL else "orders of magnitude"
        numbers.append(_mean(f"orders of magnitude of decay, {name}", falls, known))
        right = [float(arrays["accuracy"][-1]) for arrays in found]
        if name == CONTROL:
            holds[name] = numbers[-1].high <= KEPT
            exact = float(found[0]["exact"])
            ends = [float(a["norm"][-1]) for a in found]
            last = _mean("last gradient, control", ends, f"{exact:.3f} under D*")
        else:
            holds[name] = numbers[-1].low >= VANISHED and min(right) >= SEPARATED
    rights = [
        _mean(f"accuracy of D at the end, {name}", [float(a["accuracy"][-1]) for a in found], "")
        for name, found in groups(evidence).items()
    ]
    stages = [name for name in holds if name != CONTROL]
    fallen = [holds[name] for name in stages]
    every = all(fallen) and holds[CONTROL]
    verdict = REPRODUCED if every else PARTLY if any(fallen) else NOT
    fall = {name: number.value for number, name in zip(numbers, holds, strict=True)}
    told = ", ".join(f"{fall[name]:.1f} ({name})" for name in stages)
    text = (
        f"While D learns, the norm of the generator's gradient falls by so many orders of "
        f"magnitude: {told}. The control's changes by {-fall[CONTROL]:+.1f} and ends at "
        f"{last.value:.3f}, where D* leaves {exact:.3f}."
    )
    failed = [name for name, held in holds.items() if not held]
    if failed:
        text += (
            f" Not as asked (at least {VANISHED:g} with {SEPARATED:.0%} told apart, at most "
            f"{KEPT:g} in the control): {', '.join(failed)}."
        )
    return Result(verdict, text, (*numbers, last, *rights))


def _mean(name: str, values: list[float], known: str) -> Number:
    """A mean; NaN, which satisfies no rule, where a seed has no finite number."""
    if not np.isfinite(values).all():
        return Number(name, np.nan, np.nan, np.nan, known)
    return mean_over_seeds(name, values, known)


def draw(evidence: PartResults) -> Sequence[Figure]:
    """The norm over the discriminator's steps, a panel a stage and one for the control."""
    found = groups(evidence)
    with figure(7.2, 2.3) as shape:
        panels = shape.subplots(1, len(found), sharex=True, sharey=True)
        for axes, (name, results) in zip(panels, found.items(), strict=True):
            hue = ACCENT if name == CONTROL else HUES[0]
            for arrays in results:
                axes.plot(arrays["step"] + 1, arrays["norm"], color=hue, linewidth=0.7)
            if name == CONTROL:
                axes.axhline(results[0]["exact"], color=MUTED, linestyle="--", linewidth=0.8)
                axes.text(1, results[0]["exact"] * 1.3, "D*", color=MUTED, fontsize=7)
            steps = name.removeprefix("stage ")
            axes.set_title("control: Gaussians" if name == CONTROL else f"G after {steps} steps")
            logarithmic(axes)
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


STATEMENT = Experiment(
    id="T5",
    title="Vanishing gradient",
    text="As D approaches D*, the generator's gradient of E ln(1 - D(G(z))) goes to 0.",
    source="slides [Arjovsky and Bottou 2017, arXiv:1701.04862, theorem 2.4 and figure 2]",
    experiment=(
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
    version=1,
    minutes=Minutes(full=6, quick=0.4),
    parts=parts,
    measure=measure,
    judge=judge,
    draw=draw,
)
