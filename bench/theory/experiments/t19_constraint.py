"""T19: WGAN depends strongly on the clip; the gradient penalty removes that."""

from collections.abc import Sequence

import numpy as np

from bench.plotting.style import HUES, MARKERS, MUTED, figure, render
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
from bench.theory.toolkit import run_scores
from bench.theory.toolkit.intervals import median_over_seeds

CLIPS, WEIGHTS = (1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1), (1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3)
WAYS = {"wgan": ("weight_clip", CLIPS), "wgan_gp": ("penalty_weight", WEIGHTS)}
AXES = [("WGAN", "c, clip of the weights"), ("WGAN-GP", "weight of the gradient penalty")]
COMMON = [  # sweeps/quick: these work there; DCGAN's discriminator has no batch norm at 8x8
    "dataset=digits",
    "network=dcgan",
    "network.width=32",
    "hyperparameters.learning_rate=1e-3",
    "hyperparameters.beta1=0.5",
    "hyperparameters.n_dis=1",
    "hyperparameters.d_batch_norm=false",
]
STRONG, REMOVED = 4.0, 0.5  # worst over best that is a strong dependence; GP's share of WGAN's log


def parts(quick: bool) -> dict[str, Settings]:
    """One part for each clip and each weight."""
    seeds, steps = ([0, 1], 20) if quick else ([0, 1, 2], 1500)
    return {
        f"{variant}, {value:g}": {
            "variant": variant,
            "name": name,
            "value": value,
            "steps": steps,
            "seeds": seeds,
            "overrides": COMMON,
        }
        for variant, (name, values) in WAYS.items()
        for value in (values[::5] if quick else values)
    }


def measure(settings: Settings) -> Arrays:
    """Frechet distance of each seed's last generator, [seeds]; infinity where a run diverged."""
    fixed = [f"variant={settings['variant']}", f"d_steps={settings['steps']}"]
    fixed += [*settings["overrides"], f"hyperparameters.{settings['name']}={settings['value']}"]
    return {
        "frechet": np.array([run_scores.frechet(*fixed, f"seed={s}") for s in settings["seeds"]])
    }


def judge(evidence: PartResults) -> Result:
    """The worst median over the best one, of clips and of weights."""
    curves = {variant: _curve(variant, evidence) for variant in WAYS}
    ratio = {variant: _ratio(curve) for variant, curve in curves.items()}
    strong = ratio["wgan"] >= STRONG
    removed = bool(
        ratio["wgan_gp"] < STRONG and np.log(ratio["wgan_gp"]) <= REMOVED * np.log(ratio["wgan"])
    )
    verdict = REPRODUCED if strong and removed else PARTLY if strong else NOT
    said = {v: f"{ratio[v]:.3g} (best {_best(curves[v])}, worst {_worst(curves[v])})" for v in WAYS}
    found = (
        f"Over the decades of c the worst median Frechet distance is {said['wgan']} times the "
        f"best; over as many of the penalty's weight {said['wgan_gp']}."
    )
    if not strong:
        found += f" No strong dependence on c: less than {STRONG:g}."
    elif not removed:
        found += " The penalty does not remove the dependence; it has a range of its own."
    numbers = [Number(f"worst over best median, {v}", ratio[v]) for v in WAYS]
    return Result(verdict, found, (*numbers, *(n for c in curves.values() for n in c.values())))


def draw(evidence: PartResults) -> Sequence[Figure]:
    """Frechet distance against the clip and against the weight."""
    finite = np.concatenate([arrays["frechet"] for arrays in evidence.values()])
    finite = finite[np.isfinite(finite)]
    ceiling = 1.5 * float(finite.max(initial=1.0))
    with figure(7.2, 2.8) as shape:
        for index, (axes, variant, (title, label)) in enumerate(
            zip(shape.subplots(1, 2, sharey=True), WAYS, AXES, strict=True)
        ):
            curve = _curve(variant, evidence)
            middle = [n.value if np.isfinite(n.value) else ceiling for n in curve.values()]
            axes.plot(list(curve), middle, color=HUES[index])
            for value in curve:
                scores = evidence[f"{variant}, {value:g}"]["frechet"]
                _seeds(axes, value, scores, ceiling, index)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xticks(list(curve), [f"{v:g}" for v in curve])
            axes.minorticks_off()
            axes.axhline(ceiling, color=MUTED, linewidth=0.6, linestyle=":")
            axes.set_xlabel(label)
            axes.set_title(title)
        shape.axes[0].set_ylabel("Frechet distance (digits_convnet), log")
        run_scores.plain_log(shape.axes[0].yaxis)
        alt = "Frechet distance against the clip and against the penalty's weight, over decades"
        drawing = render(shape, "T19-constraints", alt)
    caption = (
        "8x8 digits; points are seeds, lines join medians; a hollow point on the dotted line is a "
        "run that diverged. The same networks, rate and steps in both panels."
    )
    return [Figure(caption, drawing)]


def _seeds(axes: object, x: float, scores: np.ndarray, ceiling: float, index: int) -> None:
    for score in scores:
        ended = bool(np.isfinite(score))
        y, face = (score, HUES[index]) if ended else (ceiling, "none")
        axes.plot(x, y, MARKERS[index], color=HUES[index], markerfacecolor=face, markersize=4)


def _curve(variant: str, evidence: PartResults) -> dict[float, Number]:
    name, values = WAYS[variant]
    found = {}
    for value in values:
        if (part := f"{variant}, {value:g}") in evidence:
            scores = evidence[part]["frechet"]
            scores = np.where(np.isfinite(scores), scores, np.inf)
            label = f"median Frechet distance, {variant} with {name} {value:g}"
            found[value] = median_over_seeds(label, scores)
    return found


def _ratio(curve: dict[float, Number]) -> float:
    """Worst over best; infinity where a median is."""
    values = [number.value for number in curve.values()]
    return float(max(values) / min(values)) if np.isfinite(min(values)) else np.inf


def _best(curve: dict[float, Number]) -> str:
    at = min(curve, key=lambda value: curve[value].value)
    return f"{curve[at].value:.3g} at {at:g}"


def _worst(curve: dict[float, Number]) -> str:
    at = max(curve, key=lambda value: curve[value].value)
    return f"{curve[at].value:.3g} at {at:g}"


STATEMENT = Experiment(
    id="T19",
    title="Clip and penalty",
    text="WGAN depends strongly on the clip c of its weights; the gradient penalty removes that.",
    source="blog, discussion [Gulrajani et al. 2017, arXiv:1704.00028]",
    experiment=(
        "DCGAN's pair, 32 channels, on 8x8 digits: WGAN with c from 1e-4 to 10, WGAN-GP with a "
        "weight from 0.01 to 1,000, a decade apart, five decades each. The same for all: Adam at"
        " 1e-3, beta1 0.5, 1,500 steps of each player alternately, batches of 64, none of them "
        "tuned here (the papers take five critic steps for each of the generator's); 3 seeds. "
        "Score: Frechet distance in digits_convnet's features, 2,000 samples against the test "
        "images; a run that diverged counts as infinitely far."
    ),
    rule=(
        "By the worst median Frechet distance over the best one, across each five decades. "
        "Reproduced: at least 4 across c; and across the weight below 4 and, in logarithm, at most "
        "half of that across c. Partly: at least 4 across c, but the penalty depends on its weight "
        "too. Not reproduced: below 4 across c."
    ),
    version=1,
    minutes=Minutes(full=8, quick=0.4),
    parts=parts,
    measure=measure,
    judge=judge,
    draw=draw,
    caveat=(
        "Strongly is not a number, and it depends on depth and optimizer. A small c makes the "
        "critic's slope tiny, and over many layers the gradient vanishes (T14); this critic is "
        "shallow, and Adam's steps do not shrink with the gradient. A c that no weight reaches is "
        "no constraint at all: here c = 1 and c = 10 are the same run, and score about as the "
        "others do."
    ),
)
