"""T6: the gradient of -ln D does not vanish, but grows unstable as the discriminator gets better.

Arjovsky and Bottou 2017 (arXiv:1701.04862), theorem 2.6 and figure 3. Measured: norm, spread over
discriminators and tail index of a frozen generator's gradient over the discriminators' steps.
"""

import numpy as np

from bench.core.seeds import numpy_generator
from bench.plotting.style import HUES, MARKERS, MUTED, figure, render
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
from bench.theory.toolkit import frozen_generator
from bench.theory.toolkit.axes import set_log_axes
from bench.theory.toolkit.intervals import mean_or_nan

EARLY = 30  # steps of D: before, a growing gradient is that of any network that learns at all
COORDINATES, TAIL = 256, 0.05  # of the gradient, drawn at random; share of values in the tail
VANISHES = -0.5  # orders of magnitude that the norm changes by


def parts(quick: bool) -> dict[str, PartSettings]:
    """List a part for each seed and stage of the generator, with all discriminators against it."""
    seeds, stages, steps, players = (
        (1, (50, 200), 300, 4) if quick else (2, (100, 1000, 3000), 2000, 16)
    )
    shared = {"steps": steps, "players": players}
    return {
        f"stage {stage}, seed {seed}": {"stage": stage, "seed": seed, **shared}
        for stage in stages
        for seed in range(seeds)
    }


def measure(settings: PartSettings) -> Measurements:
    """Measure norm, spread over discriminators and tail of the gradient at each stop, [stops]."""
    g, real = frozen_generator.train_digit_generator(settings["seed"], settings["stage"])
    stops = [step for step in (10, EARLY, 100, 300, 1000, 2000) if step <= settings["steps"]]
    options = {"seed": settings["seed"], "players": settings["players"]}
    looks = list(frozen_generator.gradient_snapshots(g, real, "nonsaturating", stops, **options))
    players = list(zip(*looks, strict=True))
    norm = np.array([[float(one.gradient.norm()) for one in looks] for looks in players])
    rng = numpy_generator(settings["seed"], "score")
    coordinates = rng.choice(len(players[0][0].gradient), COORDINATES, replace=False)
    values = np.array([[one.gradient[coordinates].numpy() for one in looks] for looks in players])
    spreads = [describe_spread(values[:, look]) for look in range(len(stops))]
    return {
        "step": np.array(stops),
        "accuracy": np.array([[one.accuracy for one in looks] for looks in players]).mean(0),
        "norm": np.median(norm, axis=0),
        "norms": norm.astype(np.float32),
        **{name: np.array([one[name] for one in spreads]) for name in spreads[0]},
    }


def describe_spread(values: np.ndarray) -> dict[str, float]:
    """Spread and tail of coordinates [seeds, coordinates] over the seeds.

    Returns:
        "median": median over coordinates of |median over seeds|; "iqr": that of the interquartile
        ranges; "tail": Hill's index of all distances from the median, each in ranges of its
        coordinate; "variance": mean sample variance, which does not converge for a Cauchy.
    """
    low, middle, high = np.percentile(values, [25, 50, 75], axis=0)
    spread = high - low
    wide = spread > 0  # a dead unit has gradients of 0 only
    distances = (np.abs(values - middle)[:, wide] / spread[wide]).ravel()
    return {
        "median": float(np.median(np.abs(middle))),
        "iqr": float(np.median(spread)),
        "tail": hill_index(distances),
        "variance": float(values.var(axis=0, ddof=1).mean()),
    }


def hill_index(values: np.ndarray) -> float:
    """1 / mean ln(x / threshold) of the TAIL's share of largest values: Hill 1975; Cauchy: 1."""
    ordered = np.sort(values[np.isfinite(values)])
    count = max(1, int(TAIL * len(ordered)))
    if len(ordered) <= count or ordered[-count - 1] <= 0:
        return float("nan")
    mean = float(np.log(ordered[-count:] / ordered[-count - 1]).mean())
    return 1 / mean if mean > 0 else float("nan")  # ties have no tail


def growth(arrays: Measurements, name: str) -> float:
    """log10(last value / value at EARLY steps); NaN unless both are positive numbers."""
    early = arrays[name][list(arrays["step"]).index(EARLY)]
    last = arrays[name][-1]
    return float(np.log10(last / early)) if 0 < early < np.inf and 0 < last < np.inf else np.nan


def conclude(results: PartResults) -> Result:
    """Check that norm and spread grow from EARLY steps of D to the last."""
    generators = list(results.values())
    titles = {
        "norm": "the gradient's norm",
        "iqr": "the interquartile range",
        "median": "the median's size",
        "variance": "the sample variance",
    }
    growths = {name: np.array([growth(a, name) for a in generators]) for name in titles}
    norm, spread, middle, variance = (
        mean_or_nan(f"growth of {title}, log10", growths[name]) for name, title in titles.items()
    )
    ratio = growths["iqr"] - growths["median"]
    relative = mean_or_nan("growth of range over median, log10", ratio)
    seeds, steps = len(generators[0]["norms"]), list(generators[0]["step"])
    expected = "; ".join(f"{tail_of_law(law, seeds):.1f} if {law}" for law in ("Cauchy", "normal"))
    tails = []
    for step in (EARLY, steps[-1]):
        indices = [float(a["tail"][steps.index(step)]) for a in generators]
        tails.append(mean_or_nan(f"tail index after {step} steps", indices, expected))
    stays, spreads = norm.lower >= VANISHES, spread.lower > 0
    summary = (
        f"From {EARLY} to {steps[-1]} steps of D the norm of the gradient of -ln D "
        f"changes by {norm.value:+.2f} orders of magnitude. The interquartile range of its "
        f"coordinates over the seeds of D changes by {spread.value:+.2f} [{spread.low:+.2f}, "
        f"{spread.high:+.2f}], and as a multiple of their median by {relative.value:+.2f}. The "
        f"tail index is {tails[1].value:.1f} "
        f"({expected})."
    )
    if relative.upper < 0:
        summary += " Relative to its own size the gradient became steadier, not less steady."
    failed = [w for w, ok in (("the norm stays", stays), ("the spread grows", spreads)) if not ok]
    if failed:
        summary += f" What fails: {', '.join(failed)}."
    numbers = (norm, spread, relative, middle, *tails, variance)
    return Result(overall_verdict([stays, spreads]), summary, numbers)


def tail_of_law(law: str, seeds: int) -> float:
    """Tail index of independent coordinates of a law by `describe_spread`: "Cauchy" or "normal"."""
    rng = numpy_generator(0, "score")
    size = (seeds, 40 * COORDINATES)
    draws = rng.standard_cauchy(size) if law == "Cauchy" else rng.standard_normal(size)
    return describe_spread(draws)["tail"]


def draw(results: PartResults) -> list[Figure]:
    """Draw norm, interquartile range, range over median, and tail index, over D's steps."""
    stages = list(dict.fromkeys(part.partition(",")[0] for part in results))
    seeds = len(next(iter(results.values()))["norms"])
    titles = ("norm", "interquartile range", "range over median", "tail index")
    with figure(7.2, 2.4) as shape:
        panels = shape.subplots(1, 4, sharex=True)
        for part, arrays in results.items():
            place = stages.index(part.partition(",")[0])
            ratio = arrays["iqr"] / arrays["median"]
            look = {"color": HUES[place], "marker": MARKERS[place], "markersize": 3}
            curves = (arrays["norm"], arrays["iqr"], ratio, arrays["tail"])
            for axes, y in zip(panels, curves, strict=True):
                axes.plot(arrays["step"], y, linewidth=0.8, **look)
        for axes, title in zip(panels, titles, strict=True):
            axes.set(title=title, xlabel="steps of D")
            set_log_axes(axes, "x" if title == "tail index" else "xy")
            axes.axvline(EARLY, color=MUTED, linestyle=":", linewidth=0.6)
        for law in ("Cauchy", "normal"):
            level = tail_of_law(law, seeds)
            panels[3].axhline(level, color=MUTED, linestyle="--", linewidth=0.7)
            beside = panels[3].get_yaxis_transform()
            panels[3].text(1.02, level, law, color=MUTED, fontsize=7, va="center", transform=beside)
        panels[3].set_ylim(bottom=0)
        inside = {"transform": panels[0].transAxes, "fontsize": 7, "va": "top"}
        for place, stage in enumerate(stages):
            panels[0].text(0.03, 0.95 - 0.09 * place, f"G: {stage}", color=HUES[place], **inside)
        low, high = panels[0].get_ylim()
        panels[0].set_ylim(low, high * (high / low) ** 0.5)  # room for the labels
        alt = "Norm and spread of the gradient of -ln D over the steps of D"
        drawing = render(shape, "T06-spread", alt)
    caption = (
        f"The gradient of -ln D(G(z)) for frozen generators of 8x8 digits while {seeds} new "
        "discriminators learn against each. Median norm; then over those discriminators, of the "
        "coordinates: median interquartile range, its ratio to the median coordinate's size, and "
        "Hill's tail index. A line a generator. Dotted: where the comparison begins."
    )
    return [Figure(caption, drawing)]


EXPERIMENT = Experiment(
    id="T6",
    title="Unstable gradient",
    statement="The gradient of -ln D does not vanish but grows unstable as D gets better.",
    source="slides [Arjovsky and Bottou 2017, arXiv:1701.04862, theorem 2.6 and figure 3]",
    setup=(
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
        "Cauchy's decides nothing: the slides themselves call that theorem's assumptions a bit "
        "unrealistic."
    ),
    version=2,
    minutes=CpuMinutes(full=8, quick=0.4),
    parts=parts,
    measure=measure,
    conclude=conclude,
    draw=draw,
)
