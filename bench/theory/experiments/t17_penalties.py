"""T17: independent pairs are no optimal coupling; the one-sided penalty is the more stable one."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.spatial.distance import cdist

from bench.core.seeds import numpy_generator
from bench.divergences import Measure, kantorovich_rubinstein, transport
from bench.plotting.style import HUES, INK, MARKERS, RULE, figure, render
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
from bench.theory.toolkit.critics import critics, exact, fitted, losses, mean_number, plain
from bench.theory.toolkit.suite_access import objective, points

WEIGHTS = (0.1, 1.0, 10.0, 100.0, 1000.0)
LOSSES = {"wgan_gp": "GP", "wgan_lp": "LP"}
RESAMPLES, LATE, PREMISE = 10_000, 10, 50


def parts(quick: bool) -> dict[str, Settings]:
    """A part is the critics of all seeds of one penalty and weight, and one is the premise."""
    sizes = {
        "seeds": list(range(4 if quick else 8)),
        "steps": 60 if quick else 1500,
        "width": 64,
        "depth": 3,
        "batch": 64 if quick else 128,
        "rate": 1e-3,
        "points": 128 if quick else 512,
        "late": LATE,
    }
    found: dict[str, Settings] = {
        f"{loss} {weight:g}": {"loss": loss, "weight": weight, **sizes}
        for loss in LOSSES
        for weight in WEIGHTS
    }
    return {**found, "premise": {"points": PREMISE}}


def measure(settings: Settings) -> Arrays:
    """Estimates [late, R] over the last quarter of training, and W1 of the same points."""
    if "loss" not in settings:
        return premise(settings["points"])
    name, steps = settings["loss"], settings["steps"]
    game = objective(
        name, f"variant={name}", f"hyperparameters.penalty_weight={settings['weight']}"
    )
    shape = {key: settings[key] for key in ("width", "depth", "rate")}
    critic = critics(settings["seeds"], game, **shape)
    real, fake = _pools(settings["points"])
    looks = {steps - round(i * steps / 4 / settings["late"]) for i in range(settings["late"])}
    found = []
    for step in fitted(critic, (real, fake), steps=steps, batch=settings["batch"]):
        if step in looks:
            found.append(-losses(critic, real, fake))
    return {"estimates": np.array(found), "exact": np.array(exact(real, fake))}


def premise(count: int) -> Arrays:
    """An optimal critic's descent per unit of length along optimal and along all pairs."""
    real, fake = (Measure.of(pool.numpy()) for pool in _pools(count))
    best = kantorovich_rubinstein(real, fake)
    nearest = [cdist(side.points, best.points).argmin(axis=1) for side in (real, fake)]
    drops = best.values[nearest[0]][:, None] - best.values[nearest[1]]
    lengths = cdist(real.points, fake.points)
    joined = transport(real, fake, 1).coupling > 0
    return {
        "optimal": drops[joined] / lengths[joined],
        "independent": (drops / lengths).ravel(),
        "lengths": np.array([lengths[joined].mean(), lengths.mean()]),
    }


def judge(evidence: PartResults) -> Result:
    """Is the spread over seeds smaller with LP, and does the weight move it less?"""
    errors = {loss: _errors(evidence, loss) for loss in LOSSES}  # [weights, R]
    numbers = []
    ratio, range_ratio = _ratios(errors)
    numbers += [ratio, range_ratio]
    steadier = ratio.high is not None and ratio.high < 1
    surer = range_ratio.high is not None and range_ratio.high < 1
    pairs = evidence["premise"]
    along = float(pairs["independent"].mean())
    fails = np.abs(pairs["optimal"] - 1).max() < 1e-6 and along < 0.9
    numbers += [
        Number(
            "slope of an optimal critic along optimal pairs",
            float(pairs["optimal"].mean()),
            known="1",
        ),
        Number("slope of an optimal critic along independent pairs", along, known="below 1"),
        Number("mean length of optimal pairs", float(pairs["lengths"][0]), known="W1"),
        Number("mean length of independent pairs", float(pairs["lengths"][1])),
    ]
    numbers += _each(evidence, errors)
    found = (
        f"An optimal critic falls at {numbers[2].value:.3f} along optimal pairs and at {along:.2f} "
        f"along independent ones. Over weights from {WEIGHTS[0]:g} to {WEIGHTS[-1]:g} the spread "
        f"over seeds of the estimate of W1 with LP is {_told(ratio)} times that with GP, and its "
        f"mean error's range over the weights {_told(range_ratio)} times."
    )
    held = {"the premise fails": fails, "steadier": steadier, "less sensitive": surer}
    if not all(held.values()):
        found += f" What does not hold: {', '.join(k for k, v in held.items() if not v)}."
    return Result(overall(list(held.values())), found, tuple(numbers))


def draw(evidence: PartResults) -> Sequence[Figure]:
    """The estimates' errors over the weight, and the slopes along pairs."""
    with figure(7.2, 2.9) as shape:
        left, middle, right = shape.subplots(1, 3)
        for index, (loss, name) in enumerate(LOSSES.items()):
            rows, look = _errors(evidence, loss), {"color": HUES[index], "marker": MARKERS[index]}
            places = np.array(WEIGHTS)[:, None] * 1.25 ** (2 * index - 1) * np.ones_like(rows)
            left.plot(places.ravel(), rows.ravel(), **look, markersize=2.5, linestyle="", alpha=0.7)
            spreads = [_spread(row) for row in rows]
            middle.plot(WEIGHTS, spreads, **look, markersize=4, linewidth=1, label=name)
        left.axhline(0, color=RULE, zorder=0)
        left.set_xscale("log")
        left.set_ylabel("estimate minus W1")
        left.set_title("Each seed's error")
        middle.set_xscale("log")
        middle.set_yscale("log")
        middle.set_title("Standard deviation over seeds")
        middle.legend(frameon=False)
        for axis in (left.xaxis, middle.xaxis, middle.yaxis):
            plain(axis)
        for axes in (left, middle):
            axes.set_xlabel("penalty weight")
        slopes = evidence["premise"]["independent"]
        right.hist(slopes, np.linspace(-1, 1, 41), color=HUES[0], alpha=0.6)
        right.margins(y=0.15)
        right.axvline(1, color=INK, linewidth=1)
        right.text(
            0.95,
            0.93,
            "all optimal pairs",
            ha="right",
            fontsize=7,
            transform=right.get_xaxis_transform(),
        )
        right.set_xlabel("slope of an optimal critic")
        right.set_ylabel("independent pairs")
        right.set_title("Slope along pairs")
        alt = "Errors and spreads of the estimate over the weight for GP and LP; slopes along pairs"
        drawing = render(shape, "T17-penalties", alt)
    caption = (
        "Critics between fixed points of the Swiss roll and of a normal: last estimates against "
        "the exact W1 of the same points. Right: an optimal critic of 50 points a side."
    )
    return [Figure(caption, drawing)]


def _pools(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    fake = numpy_generator(0, "draws", count).standard_normal((count, 2)).astype(np.float32)
    return torch.from_numpy(points("swiss_roll")["train"][:count]), torch.from_numpy(fake)


def _errors(evidence: PartResults, loss: str) -> np.ndarray:
    """Last estimate minus W1, [weights, R]."""
    found = [evidence[f"{loss} {weight:g}"] for weight in WEIGHTS]
    return np.stack([np.float64(one["estimates"][-1]) - one["exact"] for one in found])


def _each(evidence: PartResults, errors: dict[str, np.ndarray]) -> list[Number]:
    """Mean error and spreads of every penalty and weight."""
    numbers = []
    for loss, name in LOSSES.items():
        for weight, row in zip(WEIGHTS, errors[loss], strict=True):
            late = np.float64(evidence[f"{loss} {weight:g}"]["estimates"])
            size = float(late.std(axis=0).mean()) if np.isfinite(late).all() else np.inf
            of = f"{name}, weight {weight:g}"
            numbers.append(mean_number(f"estimate minus W1, {of}", row))
            numbers.append(Number(f"spread over seeds, {of}", _spread(row)))
            numbers.append(Number(f"spread over late steps, {of}", size))
    return numbers


def _spread(errors: np.ndarray) -> float:
    """Standard deviation over seeds; infinite where one diverged."""
    return float(errors.std(ddof=1)) if np.isfinite(errors).all() else np.inf


def _ratios(errors: dict[str, np.ndarray]) -> tuple[Number, Number]:
    """LP over GP, with bootstrap intervals over seeds, the same ones of both."""
    names = (
        "spread over seeds, LP over GP, geometric mean over the weights",
        "range over the weights of the mean error, LP over GP",
    )
    gp, lp = errors["wgan_gp"], errors["wgan_lp"]
    if not (np.isfinite(gp).all() and np.isfinite(lp).all()):
        return tuple(Number(name, np.nan, np.nan, np.nan, "below 1") for name in names)
    seeds = gp.shape[1]
    rows = numpy_generator(0, "score").integers(seeds, size=(RESAMPLES, seeds))
    rows = np.concatenate([np.arange(seeds)[None], rows])  # the seeds themselves come first
    logs, ranges = [], []
    for one in (lp, gp):
        picked = one[:, rows]  # [weights, resamples, seeds]
        logs.append(np.log(np.maximum(picked.std(axis=2), 1e-12)).mean(axis=0))
        ranges.append(np.maximum(np.ptp(picked.mean(axis=2), axis=0), 1e-12))
    found = np.exp(logs[0] - logs[1]), ranges[0] / ranges[1]
    return tuple(
        Number(name, float(v[0]), *map(float, np.percentile(v[1:], (2.5, 97.5))), "below 1")
        for name, v in zip(names, found, strict=True)
    )


def _told(number: Number) -> str:
    return f"{number.value:.2f} ({number.low:.2f} to {number.high:.2f})"


STATEMENT = Experiment(
    id="T17",
    title="One-sided penalty",
    text=(
        "WGAN-GP samples pairs independently, not from the optimal coupling, so that its premise "
        "fails; WGAN-LP trains the critic more stably and is less sensitive to the penalty's "
        "weight."
    ),
    source="slides [Petzka et al. 2017, arXiv:1709.08894]",
    experiment=(
        "Critics of three hidden layers of 64 between 512 fixed points of the Swiss roll and 512 "
        "of a standard normal; both penalties (each at the places of its paper), weights 0.1 to "
        "1,000, Adam 1e-3, batches of 128, 1,500 steps, 8 seeds; the last estimate, without any "
        "normalisation, minus the exact W1. The premise: an optimal critic of 50 points a side by "
        "linear programme, its slope along optimal and along all pairs."
    ),
    rule=(
        "Premise: the optimal critic's slope is 1 along every optimal pair and on average below "
        "0.9 along independent ones. Steadier: the spread over seeds, LP over GP, geometric mean "
        "over the weights, has a 95 % bootstrap interval below 1. Less sensitive: so has the "
        "range over the weights of the mean error. Reproduced: all three. Partly: some. Not "
        "reproduced: none."
    ),
    version=2,
    minutes=Minutes(full=3, quick=0.3),
    parts=parts,
    measure=measure,
    judge=judge,
    draw=draw,
    caveat=(
        "The proposition says where a slope of 1 is needed: along pairs of an optimal coupling. "
        "Elsewhere 1 is not forbidden: between finitely many points the critic x -> min_i (f_i + "
        "|x - x_i|) is optimal and has a gradient of norm 1 almost everywhere. The penalty asks "
        "more than optimality does; it need not exclude all optimal critics."
    ),
)
