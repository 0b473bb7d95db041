"""T11: between two Gaussians the discriminator saturates and the critic does not."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.plotting.style import ACCENT, HUES, MUTED, figure, render
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
from bench.theory.toolkit.intervals import median_over_seeds

REAL, FAKE, SD = 2.0, -2.0, 1.0
EDGE, POINTS = 6.0, 481  # x from -6 to 6: four deviations beyond either mean
SATURATED, CLEAN = 0.01, 0.1  # of the largest slope
NEAR_NATS, NEAR_W1 = 0.03, 0.05  # how far from the optimum a network may be; W1 as a share
SIZES = {"width": 64, "depth": 2, "batch": 256}
NETS = {  # loss, overrides, optimizer, learning rate
    "discriminator": ("minimax", (), "Adam", 2e-3),
    "critic, clipping": (
        "wgan",
        ("variant=wgan", "hyperparameters.weight_clip=0.1"),
        "RMSprop",
        1e-3,
    ),
    "critic, gradient penalty": ("wgan_gp", ("variant=wgan_gp",), "Adam", 1e-3),
}
DISCRIMINATOR, CLIPPED, PENALISED = NETS
X = np.linspace(-EDGE, EDGE, POINTS)


def parts(quick: bool) -> dict[str, Settings]:
    """A network of each kind and seed."""
    seeds, steps = (2, 700) if quick else (6, 3000)
    return {
        f"{net}, seed {seed}": {"net": net, "seed": seed, "steps": steps, **SIZES}
        for net in NETS
        for seed in range(seeds)
    }


def measure(settings: Settings) -> Arrays:
    """What the trained network says at X, and its slope there, [481] each."""
    import torch

    from bench.core.seeds import generator
    from bench.networks import mlp
    from bench.theory.toolkit import suite_access
    from bench.theory.toolkit.discriminators import fitted

    loss, overrides, optimizer, rate = NETS[settings["net"]]
    net = mlp.Discriminator([1], width=settings["width"], depth=settings["depth"], batch_norm=False)
    net.reset(generator(settings["seed"], "init"))
    data = generator(settings["seed"], "data")

    def batch() -> Any:
        both = SD * torch.randn(2, settings["batch"], 1, generator=data)
        return both[0] + REAL, both[1] + FAKE

    for _ in fitted(
        net,
        suite_access.objective(loss, *overrides),
        getattr(torch.optim, optimizer)(net.parameters(), lr=rate),
        batch,
        settings["steps"],
        source=generator(settings["seed"], "draws"),
        settle=True,
    ):
        pass
    x = torch.tensor(X, dtype=torch.float64).unsqueeze(1).requires_grad_()
    logit = net.double()(x)
    (slope,) = torch.autograd.grad(logit.sum(), x)
    return {"logit": logit.detach().numpy(), "slope": slope[:, 0].numpy()}


def optimal() -> Arrays:
    """ln p / q = (REAL - FAKE) x / SD^2: a straight line, for the variances are equal."""
    slope = (REAL - FAKE) / SD**2
    return {"logit": slope * X, "slope": np.full(POINTS, slope)}


def curves(arrays: Any) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Value and slope at X of what generators are given from a logit."""
    t, slope = np.asarray(arrays["logit"]), np.asarray(arrays["slope"])
    share = np.exp(-np.logaddexp(0, -t))
    return {
        "D": (share, share * (1 - share) * slope),
        "ln(1 - D)": (-np.logaddexp(0, t), -share * slope),
        "-ln D": (np.logaddexp(0, -t), -(1 - share) * slope),
        "logit": (t, slope),
    }


def kept_slope(slope: np.ndarray) -> float:
    """Largest |slope| at the fake samples' mean and beyond, over the largest anywhere."""
    return float(np.abs(slope[X <= FAKE]).max() / np.abs(slope).max())


def clean_slope(slope: np.ndarray) -> float:
    """Smallest slope over the largest |slope|: negative where the sign turns."""
    return float(slope.min() / np.abs(slope).max())


def shortfall(net: str, arrays: Any) -> float:
    """How far from its optimum: nats of the game's value, or a share of W1 = 4."""
    p, q = (np.exp(-((X - mean) ** 2) / 2 / SD**2) for mean in (REAL, FAKE))
    p, q = p / p.sum(), q / q.sum()
    logit = np.asarray(arrays["logit"])
    if net == DISCRIMINATOR:
        best = optimal()["logit"]
        values = [-np.sum(p * np.logaddexp(0, -t) + q * np.logaddexp(0, t)) for t in (best, logit)]
        return float(values[0] - values[1])
    lipschitz = np.abs(arrays["slope"]).max()  # a critic is f / |f|_Lip: its scale is free
    return float(1 - np.sum((p - q) * logit) / lipschitz / (REAL - FAKE))


def judge(evidence: PartResults) -> Result:
    """Slopes on the fake side over the largest, and the critics' smallest over their largest."""
    of = {net: [a for part, a in evidence.items() if part.startswith(net)] for net in NETS}
    finite = {n: [a for a in of[n] if np.isfinite([a["logit"], a["slope"]]).all()] for n in NETS}
    numbers, holds = [], []
    for name in ("D", "ln(1 - D)"):
        numbers.append(_kept(name, finite[DISCRIMINATOR], len(of[DISCRIMINATOR])))
        holds.append(numbers[-1].high <= SATURATED)
    for net in (CLIPPED, PENALISED):
        values = [clean_slope(a["slope"]) for a in finite[net]]
        values += [-np.inf] * (len(of[net]) - len(values))
        known = "1: the optimal critic is a straight line"
        numbers.append(median_over_seeds(f"smallest over largest slope, {net}", values, known))
        holds.append(numbers[-1].low >= CLEAN)
    gaps = [_gap(net, finite[net]) for net in NETS]
    optimum = gaps[0].value <= NEAR_NATS and gaps[2].value <= NEAR_W1
    numbers += [_kept("-ln D", finite[DISCRIMINATOR], len(of[DISCRIMINATOR])), *gaps]
    for net in (CLIPPED, PENALISED):  # decides nothing: beyond the samples no loss asks for a slope
        values = [clean_slope(a["slope"][np.abs(X) <= 4]) for a in finite[net]] or [-np.inf]
        numbers.append(median_over_seeds(f"the same from -4 to 4, {net}", values, "1"))
    d, ln, clip, gp, keeps = (number.value for number in numbers[:5])
    inner = numbers[-1].value
    found = (
        f"At the fake samples' mean and beyond, D keeps {d:.1e} of its largest slope and ln(1 - D) "
        f"{ln:.1e}; the critics' smallest slope over -6 to 6 is {clip:.2f} (clipping) and {gp:.2f} "
        f"(penalty; {inner:.2f} where the samples lie, -4 to 4) of their largest. -ln D keeps "
        f"{keeps:.2f}: the logit does not saturate."
    )
    asked = ("D", "ln(1 - D)", CLIPPED, PENALISED, "the distance from the optimum")
    failed = [name for name, held in zip(asked, [*holds, optimum], strict=True) if not held]
    if failed:
        found += f" Not as asked: {'; '.join(failed)}."
    return Result(overall([*holds, optimum]), found, tuple(numbers))


def _kept(name: str, found: Sequence[Any], seeds: int) -> Number:
    values = [kept_slope(curves(arrays)[name][1]) for arrays in found]
    known = f"{kept_slope(curves(optimal())[name][1]):.2g} at the optimum"
    values += [np.inf] * (seeds - len(values))
    return median_over_seeds(f"slope kept on the fake side, {name}", values, known)


def _gap(net: str, found: Sequence[Any]) -> Number:
    unit = "nats" if net == DISCRIMINATOR else "share of W1"
    values = [shortfall(net, arrays) for arrays in found] or [np.inf]
    return median_over_seeds(f"distance from the optimum, {net}, {unit}", values, "0")


def draw(evidence: PartResults) -> Sequence[Figure]:
    """Values above, slopes below: D, ln(1 - D), -ln D, and the critics."""
    with figure(7.2, 3.6) as shape:
        rows = shape.subplots(2, 4, sharex=True)
        for part, arrays in evidence.items():
            of = curves(arrays)
            if part.startswith(DISCRIMINATOR):
                for column, name in enumerate(("D", "ln(1 - D)", "-ln D")):
                    for axes, y in zip(rows[:, column], of[name], strict=True):
                        axes.plot(X, y, color=HUES[1 if name == "-ln D" else 0], linewidth=0.6)
                continue
            hue, scale = HUES[2 if part.startswith(CLIPPED) else 4], np.abs(arrays["slope"]).max()
            centred = arrays["logit"] - arrays["logit"].mean()
            rows[0, 3].plot(X, centred / scale, color=hue, linewidth=0.6)
            rows[1, 3].plot(X, arrays["slope"] / scale, color=hue, linewidth=0.6)
        for column, name in enumerate(("D", "ln(1 - D)", "-ln D", "critics, largest slope 1")):
            rows[0, column].set_title(name)
            rows[1, column].set_xlabel("x")
            if column < 3:
                for axes, y in zip(rows[:, column], curves(optimal())[name], strict=True):
                    axes.plot(X, y, "--", color=MUTED, linewidth=0.8)
            for axes in rows[:, column]:
                axes.axvline(FAKE, color=ACCENT, linewidth=0.5, linestyle=":")
                axes.axvline(REAL, color=MUTED, linewidth=0.5, linestyle=":")
        rows[1, 3].set_ylim(min(0.0, rows[1, 3].get_ylim()[0]), 1.1)
        for row, hue, word in ((0.25, HUES[2], "clipping"), (0.1, HUES[4], "penalty")):
            rows[1, 3].text(0.05, row, word, color=hue, transform=rows[1, 3].transAxes, fontsize=7)
        rows[0, 0].text(FAKE, 0.55, "fake", color=ACCENT, fontsize=7, ha="right", rotation=90)
        rows[0, 0].text(REAL, 0.3, "real", color=MUTED, fontsize=7, ha="right", rotation=90)
        rows[0, 0].set_ylabel("value")
        rows[1, 0].set_ylabel("slope, 1 / unit of x")
        alt = "D and ln(1 - D) are flat on the fake side; -ln D and both critics keep their slope"
        drawing = render(shape, "T11-slopes", alt)
    caption = (
        f"Networks trained to tell N({REAL:g}, 1) from N({FAKE:g}, 1), a line a seed; dashed: the "
        "optimal discriminator. Dotted: the two means. A critic's scale is free, so its largest "
        "slope is set to 1."
    )
    return [Figure(caption, drawing)]


STATEMENT = Experiment(
    id="T11",
    title="Two Gaussians",
    text=(
        "Between two Gaussians the optimal discriminator saturates and its gradients vanish, while "
        "the critic's are clean everywhere."
    ),
    source="slides, figure 2 [Arjovsky et al. 2017, arXiv:1701.07875, figure 2]",
    experiment=(
        "N(2, 1) is real, N(-2, 1) fake. Perceptrons of two hidden layers of 64 learn from fresh "
        "batches of 256: the discriminator by the minimax loss and Adam, a critic by weight "
        "clipping (0.1) and RMSprop, a critic by WGAN-GP and Adam, to a learning rate of 0. Value "
        "and slope over x from -6 to 6."
    ),
    rule=(
        "Over the 95 % interval of the seeds' median: at the fake mean and beyond the slopes of "
        "(1) D and (2) ln(1 - D) are at most 1 % of their largest; the smallest slope of (3) the "
        "clipped and (4) the penalised critic over -6 to 6 is at least a tenth of its largest, "
        "with one sign. And (5) discriminator and penalised critic are, in the median, within 0.03 "
        "nats and 5 % of their optima. Reproduced: all five. Partly: some. Not reproduced: none. A "
        "network with NaN or infinity fails its part."
    ),
    version=1,
    minutes=Minutes(full=3, quick=0.3),
    parts=parts,
    measure=measure,
    judge=judge,
    draw=draw,
    caveat=(
        "The slides' 'saturates and results in vanishing gradients' holds for D and ln(1 - D) "
        "alone. For equal variances the optimal logit is a straight line (here 4 x), so that "
        "-ln D, whose slope is -(1 - D) times the logit's, keeps its gradient on the fake side "
        "from the very same discriminator: the third column. What vanishes is the loss's, not the "
        "network's."
    ),
)
