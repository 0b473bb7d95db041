"""T6: the gradient of -ln D does not vanish, but spreads as the discriminator gets better."""

from collections.abc import Sequence
from typing import Any

import numpy as np

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
from bench.theory.toolkit.axes import logarithmic
from bench.theory.toolkit.intervals import mean_over_seeds

EARLY = 30  # steps of D: before, a growing gradient is that of any network that learns at all
COORDINATES, TAIL = 256, 0.05  # looked at, of all parameters; share of the largest that is a tail
VANISHES = -0.5  # orders of magnitude


def parts(quick: bool) -> dict[str, Settings]:
    """A generator's seed and stage, with all discriminators against it."""
    seeds, stages, steps, players = (
        (1, (50, 200), 300, 4) if quick else (2, (100, 1000, 3000), 2000, 16)
    )
    return {
        f"stage {stage}, seed {seed}": {
            "stage": stage,
            "seed": seed,
            "steps": steps,
            "players": players,
        }
        for stage in stages
        for seed in range(seeds)
    }


def measure(settings: Settings) -> Arrays:
    """What the coordinates do over D seeds, after each number of D's steps: [looks] each."""
    from bench.core.seeds import numpy_generator
    from bench.theory.toolkit import frozen_generator

    g, real = frozen_generator.digits(settings["seed"], settings["stage"])
    at = [step for step in (10, EARLY, 100, 300, 1000, 2000) if step <= settings["steps"]]
    seen = [
        list(
            frozen_generator.watched(
                g, real, "nonsaturating", at, seed=settings["seed"], player=player
            )
        )
        for player in range(settings["players"])
    ]
    norm = np.array([[float(one.gradient.norm()) for one in looks] for looks in seen])
    size = len(seen[0][0].gradient)
    chosen = numpy_generator(settings["seed"], "score").choice(size, COORDINATES, replace=False)
    values = np.array([[one.gradient[chosen].numpy() for one in looks] for looks in seen])
    found = [described(values[:, look]) for look in range(len(at))]
    return {
        "step": np.array(at),
        "accuracy": np.array([[one.accuracy for one in looks] for looks in seen]).mean(0),
        "norm": np.median(norm, axis=0),
        "norms": norm.astype(np.float32),
        **{name: np.array([one[name] for one in found]) for name in found[0]},
    }


def described(values: np.ndarray) -> dict[str, float]:
    """Spread and tail of coordinates [seeds, coordinates] over the seeds.

    Returns:
        "median": of |coordinate's median|; "iqr": median of the coordinates' interquartile
        ranges; "tail": Hill's index of their distances from the median in ranges of their own,
        pooled; "variance": mean of the sample variances, which converges to nothing for a Cauchy.
    """
    low, middle, high = np.percentile(values, [25, 50, 75], axis=0)
    spread = high - low
    wide = spread > 0  # of a dead unit all gradients are 0
    away = (np.abs(values - middle)[:, wide] / spread[wide]).ravel()
    return {
        "median": float(np.median(np.abs(middle))),
        "iqr": float(np.median(spread)),
        "tail": hill(away),
        "variance": float(values.var(axis=0, ddof=1).mean()),
    }


def hill(values: np.ndarray) -> float:
    """1 / mean ln(x / threshold) of the TAIL's share of largest values: Hill 1975; Cauchy: 1."""
    ordered = np.sort(values[np.isfinite(values)])
    count = max(1, int(TAIL * len(ordered)))
    if len(ordered) <= count or ordered[-count - 1] <= 0:
        return float("nan")
    mean = float(np.log(ordered[-count:] / ordered[-count - 1]).mean())
    return 1 / mean if mean > 0 else float("nan")  # ties have no tail


def grown(arrays: Any, name: str) -> float:
    """log10 of the last value over that at EARLY steps; NaN unless both are positive numbers."""
    early = arrays[name][list(arrays["step"]).index(EARLY)]
    last = arrays[name][-1]
    return float(np.log10(last / early)) if 0 < early < np.inf and 0 < last < np.inf else np.nan


def judge(evidence: PartResults) -> Result:
    """Growth of the norm and of the spread from EARLY steps to the last."""
    results = list(evidence.values())
    norm = _mean("growth of the gradient's norm, log10", [grown(a, "norm") for a in results])
    spread = _mean("growth of the interquartile range, log10", [grown(a, "iqr") for a in results])
    middle = _mean("growth of the median's size, log10", [grown(a, "median") for a in results])
    ratio = [grown(a, "iqr") - grown(a, "median") for a in results]
    relative = _mean("growth of range over median, log10", ratio)
    seeds = len(results[0]["norms"])
    known = "; ".join(f"{tail_of(law, seeds):.1f} if {law}" for law in ("Cauchy", "normal"))
    tails = [
        _mean(f"tail index after {step} steps", [float(a["tail"][i]) for a in results], known)
        for step, i in ((EARLY, list(results[0]["step"]).index(EARLY)), (_last(results), -1))
    ]
    variance = _mean(
        "growth of the sample variance, log10", [grown(a, "variance") for a in results]
    )
    stays, spreads = norm.low >= VANISHES, spread.low > 0
    found = (
        f"From {EARLY} to {_last(results)} steps of D the norm of the gradient of -ln D changes by "
        f"{norm.value:+.2f} orders of magnitude, its coordinates' interquartile range over D seeds "
        f"by {spread.value:+.2f} [{spread.low:+.2f}, {spread.high:+.2f}], range over median by "
        f"{relative.value:+.2f}. The tail index is {tails[1].value:.1f} ({known})."
    )
    if relative.high < 0:
        found += " Against its own size the gradient became steadier, not less steady."
    failed = [w for w, ok in (("the norm stays", stays), ("the spread grows", spreads)) if not ok]
    if failed:
        found += f" Does not hold: {', '.join(failed)}."
    numbers = (norm, spread, relative, middle, *tails, variance)
    return Result(overall([stays, spreads]), found, numbers)


def _last(results: list) -> int:
    return int(results[0]["step"][-1])


def _mean(name: str, values: list[float], known: str = "") -> Number:
    """A mean; NaN, which satisfies no rule, where a part has no finite number."""
    if not np.isfinite(values).all():
        return Number(name, np.nan, np.nan, np.nan, known)
    return mean_over_seeds(name, values, known)


def tail_of(law: str, seeds: int) -> float:
    """What `described` finds as tail index of independent coordinates of this law."""
    from bench.core.seeds import numpy_generator

    rng = numpy_generator(0, "score")
    size = (seeds, 40 * COORDINATES)
    draws = rng.standard_cauchy(size) if law == "Cauchy" else rng.standard_normal(size)
    return described(draws)["tail"]


def draw(evidence: PartResults) -> Sequence[Figure]:
    """Norm, interquartile range, range over median, and tail index, over D's steps."""
    stages = list(dict.fromkeys(part.partition(",")[0] for part in evidence))
    seeds = len(next(iter(evidence.values()))["norms"])
    titles = ("norm", "interquartile range", "range over median", "tail index")
    with figure(7.2, 2.4) as shape:
        panels = shape.subplots(1, 4, sharex=True)
        for part, arrays in evidence.items():
            place = stages.index(part.partition(",")[0])
            ratio = arrays["iqr"] / arrays["median"]
            look = {"color": HUES[place], "marker": MARKERS[place], "markersize": 3}
            for axes, y in zip(
                panels, (arrays["norm"], arrays["iqr"], ratio, arrays["tail"]), strict=True
            ):
                axes.plot(arrays["step"], y, linewidth=0.8, **look)
        for axes, title in zip(panels, titles, strict=True):
            axes.set_title(title)
            axes.set_xlabel("steps of D")
            logarithmic(axes, "x" if title == "tail index" else "xy")
            axes.axvline(EARLY, color=MUTED, linestyle=":", linewidth=0.6)
        for law in ("Cauchy", "normal"):
            level = tail_of(law, seeds)
            panels[3].axhline(level, color=MUTED, linestyle="--", linewidth=0.7)
            beside = panels[3].get_yaxis_transform()
            panels[3].text(1.02, level, law, color=MUTED, fontsize=7, va="center", transform=beside)
        panels[3].set_ylim(bottom=0)
        for place, stage in enumerate(stages):
            panels[0].text(
                0.03,
                0.95 - 0.09 * place,
                f"G: {stage}",
                color=HUES[place],
                fontsize=7,
                transform=panels[0].transAxes,
                va="top",
            )
        low, high = panels[0].get_ylim()
        panels[0].set_ylim(low, high * (high / low) ** 0.5)  # room for the names
        alt = "Norm and spread of the gradient of -ln D over the steps of D"
        drawing = render(shape, "T06-spread", alt)
    caption = (
        f"The gradient of -ln D(G(z)) for frozen generators of 8x8 digits while {seeds} new "
        "discriminators learn against each. Median norm; then over those discriminators, of the "
        "coordinates: median interquartile range, its ratio to the median coordinate's size, and "
        "Hill's tail index. A line a generator. Dotted: where the comparison begins."
    )
    return [Figure(caption, drawing)]


STATEMENT = Experiment(
    id="T6",
    title="Unstable gradient",
    text="The gradient of -ln D does not vanish but grows unstable as D gets better.",
    source="slides [Arjovsky and Bottou 2017, arXiv:1701.04862, theorem 2.6 and figure 3]",
    experiment=(
        "As T5: generators of 8x8 digits frozen after 100, 1000 and 3000 steps, 2 of each; against "
        "each, 16 discriminators of other seeds learn the minimax loss for 2000 steps. Of 256 "
        "coordinates of the gradient of -ln D: median, interquartile range and tail index over "
        "the discriminators; the sample variance as description only, since a Cauchy has none."
    ),
    rule=(
        "From 30 steps of D to its last, over the 95 % interval of the mean over generators: (1) "
        "the norm does not vanish: log10 of its growth lies at or above -0.5; (2) the spread "
        "grows: log10 of the interquartile range's growth lies above 0. Reproduced: both. Partly: "
        "one. Not reproduced: neither. NaN or infinity holds nothing. Whether the tails are a "
        "Cauchy's decides nothing: the document itself calls that theorem's assumptions a bit "
        "unrealistic."
    ),
    version=1,
    minutes=Minutes(full=8, quick=0.4),
    parts=parts,
    measure=measure,
    judge=judge,
    draw=draw,
)
