"""T22: gradient steps of the two players need not converge to the equilibrium.

Mescheder et al. 2018 (arXiv:1801.04406). Measured: eigenvalues and paths of Dirac-GAN, with
simultaneous and alternating steps, and with a zero-centred and a one-centred penalty.
"""

import numpy as np

from bench.divergences import dirac
from bench.plotting.style import HUES, MUTED, figure, render
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

STEP, START, STEPS, WEIGHT = 0.2, (1.0, 0.0), 500, 0.5  # Mescheder et al. leave all four open
GAMES = {
    "simultaneous": (False, dirac.zero_centred(0)),
    "alternating": (True, dirac.zero_centred(0)),
    "zero-centred penalty (R1)": (True, dirac.zero_centred(WEIGHT)),
    "one-centred penalty (GP)": (True, dirac.one_centred(WEIGHT)),
}
SIMULTANEOUS, ALTERNATING, R1, GP = GAMES


def parts(quick: bool) -> dict[str, PartSettings]:
    """List one part: closed forms and the game itself take no time."""
    return {"dirac": {"step": STEP, "steps": STEPS, "weight": WEIGHT, "start": list(START)}}


def measure(settings: PartSettings) -> Measurements:
    """Play each game; return its path, [steps + 1, 2], and the largest |eigenvalue|s."""
    start, steps, h = tuple(settings["start"]), settings["steps"], settings["step"]
    arrays = {}
    for index, (alternate, penalty) in enumerate(GAMES.values()):
        arrays[f"path_{index}"] = dirac.trajectory(
            start, steps, h, slope=dirac.logistic_slope, penalty=penalty, alternate=alternate
        )
    linear = [
        dirac.simultaneous(h, dirac.SLOPE, 0.0),
        dirac.alternating(h, dirac.SLOPE, 0.0),
        dirac.alternating(h, dirac.SLOPE, settings["weight"]),
    ]
    arrays["radius"] = np.array([np.abs(dirac.eigenvalues(m)).max() for m in linear])
    return arrays


def conclude(results: PartResults) -> Result:
    """Compare the last distance from the equilibrium with the first, for each game."""
    arrays = results["dirac"]
    paths = {game: arrays[f"path_{index}"] for index, game in enumerate(GAMES)}
    distances = {game: np.hypot(*path.T) for game, path in paths.items()}
    radius = dict(zip(GAMES, arrays["radius"], strict=False))
    expected = ("sqrt(1 + h^2 / 4) = 1.0050", "1", "below 1")
    numbers = [
        Quantity(f"largest eigenvalue, {game}", float(radius[game]), expected=known)
        for game, known in zip(radius, expected, strict=True)
    ]
    numbers += [
        Quantity(f"last distance over the first, {game}", float(path[-1] / path[0]))
        for game, path in distances.items()
    ]
    outwards = radius[SIMULTANEOUS] > 1 and distances[SIMULTANEOUS][-1] > distances[SIMULTANEOUS][0]
    stays = distances[ALTERNATING][-100:].min() > 0.5 * distances[ALTERNATING][0]
    summary = (
        f"Simultaneous steps of {STEP:g} go outwards: the largest eigenvalue is "
        f"{radius[SIMULTANEOUS]:.4f}, and the distance from the equilibrium ends at "
        f"{distances[SIMULTANEOUS][-1]:.2f} times the first. Alternating ones stay on a cycle "
        f"(eigenvalue {radius[ALTERNATING]:.4f}). The zero-centred penalty converges "
        f"({radius[R1]:.4f}; last distance {distances[R1][-1]:.1e}), WGAN-GP's does not "
        f"({distances[GP][-1]:.2f})."
    )
    return Result(overall_verdict([outwards, stays]), summary, tuple(numbers))


def draw(results: PartResults) -> list[Figure]:
    """Draw the four paths through the plane of the two players."""
    arrays = results["dirac"]
    with figure(7.2, 2.2) as shape:
        panels = shape.subplots(1, 4, sharex=True, sharey=True)
        for index, (axes, game) in enumerate(zip(panels, GAMES, strict=True)):
            theta, psi = arrays[f"path_{index}"].T
            axes.plot(theta, psi, color=HUES[index], linewidth=0.6)
            axes.plot(theta[0], psi[0], "o", color=HUES[index], markersize=3)
            axes.plot(0, 0, "+", color=MUTED)
            axes.set(title=game.replace(" (", "\n("), aspect="equal", xlabel="generator")
        panels[0].set_ylabel("discriminator")
        alt = "Paths of the two players of Dirac-GAN: outwards, a cycle, inwards, a small cycle"
        drawing = render(shape, "T22-paths", alt)
    caption = (
        f"Both players of Dirac-GAN over {STEPS} steps of {STEP:g} from the dot; the cross is the "
        "equilibrium. Non-saturating loss; the penalties play alternately."
    )
    return [Figure(caption, drawing)]


EXPERIMENT = Experiment(
    id="T22",
    title="Equilibrium",
    statement="Stochastic gradient steps of the two players need not converge to the equilibrium.",
    source="slides [Mescheder et al. 2018, arXiv:1801.04406]",
    setup=(
        "Dirac-GAN: data is a point at 0, the generator a point at theta, the discriminator "
        "linear. The update's eigenvalues in closed form, and the game itself."
    ),
    rule=(
        "Reproduced: simultaneous steps have an eigenvalue outside the unit circle and end further "
        "from the equilibrium than they began, and alternating ones never come closer than half "
        "the first distance in their last hundred steps. Partly: one of the two. Not reproduced: "
        "neither."
    ),
    version=1,
    minutes=CpuMinutes(full=0.1, quick=0.1),
    parts=parts,
    measure=measure,
    conclude=conclude,
    draw=draw,
)
