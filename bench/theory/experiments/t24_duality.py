"""T24: W_p^p / p is the supremum of Kantorovich's dual problem, and psi^(c c c) = psi^c.

Villani 2003, Topics in Optimal Transportation. Measured: gaps between primal and dual linear
programmes of random measures for p = 1 and 2, and c-transforms of random potentials.
"""

import numpy as np

from bench.core.seeds import numpy_generator
from bench.divergences import (
    Measure,
    c_transform,
    ground_costs,
    kantorovich,
    kantorovich_rubinstein,
    transport,
)
from bench.plotting.style import HUES, MARKERS, MUTED, figure, render
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

ORDERS = (1, 2)
ROUNDING = 1e-9  # of the largest cost: what the linear programmes promise
TRIALS = 50  # random potentials per pair of measures
SCALES = np.linspace(0, 2, 41)  # of an optimal potential


def parts(quick: bool) -> dict[str, PartSettings]:
    """List pairs of random measures, with more points from part to part."""
    pairs, sizes = (3, (4, 12)) if quick else (10, (4, 12, 40))
    return {
        f"{n} points": {"points": n, "dimension": 2, "pairs": pairs, "trials": TRIALS, "seed": 0}
        for n in sizes
    }


def measure(settings: PartSettings) -> Measurements:
    """Compute all gaps over the largest cost, [pairs, 2 orders] each, and one dual's profile."""
    gaps = [
        [_gaps(_draw_pair(settings, index), p, settings, index) for p in ORDERS]
        for index in range(settings["pairs"])
    ]
    names = gaps[0][0].keys()
    arrays = {name: np.array([[one[name] for one in row] for row in gaps]) for name in names}
    return {**arrays, "profile": arrays["profile"][0]}


def conclude(results: PartResults) -> Result:
    """Check that infimum and supremum agree, psi^(c c c) and psi^c too, and nothing exceeds."""
    worst = {
        name: max(float(np.abs(one[name]).max()) for one in results.values())
        for name in ("duality", "rubinstein", "thrice")
    }
    excess = max(float(one["excess"].max()) for one in results.values())
    changed = min(float(one["twice"].min()) for one in results.values())
    pairs = sum(one["duality"].size for one in results.values())
    verdict = overall_verdict([error <= ROUNDING for error in (*worst.values(), excess)])
    summary = (
        f"In {pairs} problems, half of them with p = 2, the supremum with the cost norm^p / p is "
        f"W_p^p / p to {worst['duality']:.0e} of the largest cost, and the one over 1-Lipschitz "
        f"functions W_1 to {worst['rubinstein']:.0e}; random potentials exceed it by {excess:.0e} "
        f"at most. psi^(c c c) is psi^c to {worst['thrice']:.0e}, while psi^(c c) differs "
        f"from a random psi by {changed:.2f} or more."
    )
    numbers = (
        Quantity("largest gap of W_p^p / p and its dual, of the largest cost", worst["duality"]),
        Quantity("largest gap of W_1 and its Lipschitz dual, likewise", worst["rubinstein"]),
        Quantity("largest excess of a random potential, likewise", excess, expected="at most 0"),
        Quantity(
            "largest change from psi^c to psi^(c c c), likewise", worst["thrice"], expected="0"
        ),
        Quantity("least change from psi to psi^(c c), likewise", changed, expected="0 or more"),
    )
    return Result(verdict, summary, numbers)


def draw(results: PartResults) -> list[Figure]:
    """Draw the dual along a ray through an optimal potential, and all gaps."""
    size, largest = list(results.items())[-1]
    with figure(7.2, 2.5) as shape:
        left, right = shape.subplots(1, 2)
        for index, p in enumerate(ORDERS):
            left.plot(SCALES, largest["profile"][index], color=HUES[index], linewidth=1.2)
            left.text(0.75, 0.3 - 0.12 * index, f"p = {p}", color=HUES[index])
        left.axhline(1, color=MUTED, linewidth=0.6)
        left.text(0.02, 1.03, "W_p^p / p", color=MUTED)
        left.set(xlabel="multiple of an optimal potential", ylabel="dual / (W_p^p / p)")
        left.set(ylim=(min(-0.1, largest["profile"].min()), 1.15))
        left.set_title(f"The supremum is reached, and not exceeded ({size})")
        for place, one in enumerate(results.values()):
            for index in range(len(ORDERS)):
                gaps = np.maximum(np.abs(one["duality"][:, index]), 1e-18)
                x = place + (index - 0.5) * 0.3 + np.linspace(-0.08, 0.08, len(gaps))
                right.plot(x, gaps, MARKERS[index], color=HUES[index], markersize=3)
        right.axhline(ROUNDING, color=MUTED, linewidth=0.6)
        right.text(-0.2, 2e-9, "what counts as equal", color=MUTED)
        right.set(yscale="log", ylim=(3e-19, 1e-7), ylabel="gap / largest cost")
        right.yaxis.set_major_formatter("{x:.0e}")
        right.set_xticks(range(len(results)), list(results))
        right.set_title("Infimum less supremum (equal: 1e-18)")
        alt = "Dual values with their maximum at an optimal potential; gaps near rounding"
        drawing = render(shape, "T24-duality", alt)
    caption = (
        "Random weights on random points of the plane. Left: the dual of the slides at multiples "
        "of a potential, the other one its c-transform. Right: each dot is a pair of measures."
    )
    return [Figure(caption, drawing)]


def _draw_pair(settings: PartSettings, index: int) -> tuple[Measure, Measure]:
    rng = numpy_generator(settings["seed"], "data", 1000 * settings["points"] + index)
    shape = settings["points"], settings["dimension"]
    one, other = rng.dirichlet(np.ones(shape[0]), size=2)
    mu = Measure(rng.normal(size=shape), one)
    return mu, Measure(1 + rng.normal(size=shape), other)


def _gaps(
    pair: tuple[Measure, Measure], p: int, settings: PartSettings, index: int
) -> Measurements:
    """Solve with cost norm^p / p, whose value is W_p^p / p; gaps are shares of the largest cost."""
    mu, nu = pair
    costs = ground_costs(mu, nu, p) / p
    scale, least = costs.max(), transport(mu, nu, p).cost / p
    psi = kantorovich(mu, nu, p).phi / p
    rng = numpy_generator(settings["seed"], "draws", 1000 * settings["points"] + index)
    trials = scale * rng.normal(size=(settings["trials"], len(psi)))
    once = [c_transform(trial, costs) for trial in trials]
    twice = [c_transform(one, costs.T) for one in once]
    thrice = [c_transform(two, costs) for two in twice]
    others = max(_dual(trial, mu, nu, costs) for trial in [*trials, *twice])
    lipschitz_gap = kantorovich_rubinstein(mu, nu).value - least if p == 1 else 0.0
    return {
        "duality": np.array(least - _dual(psi, mu, nu, costs)) / scale,
        "rubinstein": np.array(lipschitz_gap) / scale,
        "excess": np.array(others - least) / scale,
        "thrice": np.abs(np.subtract(thrice, once)).max() / scale,
        "twice": np.abs(np.subtract(twice, trials)).max(axis=1).min() / scale,
        "profile": np.array([_dual(t * psi, mu, nu, costs) for t in SCALES]) / least,
    }


def _dual(psi: np.ndarray, mu: Measure, nu: Measure, costs: np.ndarray) -> float:
    return float(psi @ mu.weights + c_transform(psi, costs) @ nu.weights)


EXPERIMENT = Experiment(
    id="T24",
    title="Kantorovich's duality",
    statement=(
        "W_p^p / p is the supremum of E_mu[psi] + E_nu[psi^c] over c-concave psi for the cost "
        "norm^p / p, and psi^(c c c) = psi^c."
    ),
    source="slides [Villani 2003, Topics in Optimal Transportation]",
    setup=(
        "Random measures of 4 to 40 points in the plane, p = 1 and 2: infimum and supremum by "
        "linear programmes of their own, which know nothing of each other, the one over "
        "1-Lipschitz functions too, and c-transforms of potentials drawn at random."
    ),
    rule=(
        f"Four parts, each to {ROUNDING:g} of the largest cost and in every problem: the dual at "
        "its solution is W_p^p / p; for p = 1 the supremum over 1-Lipschitz functions is W_1; no "
        "random potential, nor its psi^(c c), exceeds W_p^p / p; psi^(c c c) = psi^c. Reproduced: "
        "all; partly: some; not reproduced: none."
    ),
    version=1,
    minutes=CpuMinutes(full=1, quick=0.1),
    parts=parts,
    measure=measure,
    conclude=conclude,
    draw=draw,
)
