"""T22: stochastic gradient need not converge to the equilibrium."""

from collections.abc import Sequence

import numpy as np

from bench.divergences import dirac
from bench.plotting.style import HUES, MUTED, figure, render
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

STEP, START, STEPS, WEIGHT = 0.2, (1.0, 0.0), 500, 0.5  # Mescheder et al. leave all four open
GAMES = {
    "simultaneous": (False, dirac.zero_centred(0)),
    "alternating": (True, dirac.zero_centred(0)),
    "zero-centred penalty (R1)": (True, dirac.zero_centred(WEIGHT)),
    "one-centred penalty (GP)": (True, dirac.one_centred(WEIGHT)),
}
SIMULTANEOUS, ALTERNATING, R1, GP = GAMES


def parts(quick: bool) -> dict[str, Settings]:
    """One part: the closed forms and the played game take no time."""
    return {"dirac": {"step": STEP, "steps": STEPS, "weight": WEIGHT, "start": list(START)}}


def measure(settings: Settings) -> Arrays:
    """Distance from (0, 0) over the steps of each game, and the sizes of its eigenvalues."""
    h, found = settings["step"], {}
    for index, (alternate, penalty) in enumerate(GAMES.values()):
        played = dirac.trajectory(
            tuple(settings["start"]),
            settings["steps"],
            h,
            slope=dirac.logistic_slope,
            penalty=penalty,
            alternate=alternate,
        )
        found[f"path_{index}"] = played
    linear = [
        dirac.simultaneous(h, dirac.SLOPE, 0.0),
        dirac.alternating(h, dirac.SLOPE, 0.0),
        dirac.alternating(h, dirac.SLOPE, settings["weight"]),
    ]
    found["radius"] = np.array([np.abs(dirac.eigenvalues(m)).max() for m in linear])
    return found


def judge(evidence: PartResults) -> Result:
    """Outwards, on a cycle, inwards: where the game ends over where it began."""
    arrays = evidence["dirac"]
    away = {game: _away(arrays, index) for index, game in enumerate(GAMES)}
    radius = dict(zip(GAMES, arrays["radius"], strict=False))
    numbers = [
        Number(f"largest eigenvalue, {game}", float(value), known=known)
        for (game, value), known in zip(
            radius.items(),
            ("sqrt(1 + h^2 / 4) = 1.0050", "1", "below 1"),
            strict=True,
        )
    ]
    numbers += [
        Number(f"last distance over the first, {game}", float(path[-1] / path[0]))
        for game, path in away.items()
    ]
    outwards = radius[SIMULTANEOUS] > 1 and away[SIMULTANEOUS][-1] > away[SIMULTANEOUS][0]
    stays = away[ALTERNATING][-100:].min() > 0.5 * away[ALTERNATING][0]
    verdict = REPRODUCED if outwards and stays else PARTLY if outwards or stays else NOT
    found = (
        f"Simultaneous steps of {STEP:g} go outwards: the largest eigenvalue is "
        f"{radius[SIMULTANEOUS]:.4f}, and the distance from the equilibrium ends at "
        f"{away[SIMULTANEOUS][-1]:.2f} times the first. Alternating ones stay on a cycle "
        f"(eigenvalue {radius[ALTERNATING]:.4f}). The zero-centred penalty converges "
        f"({radius[R1]:.4f}; last distance {away[R1][-1]:.1e}), WGAN-GP's does not "
        f"({away[GP][-1]:.2f})."
    )
    return Result(verdict, found, tuple(numbers))


def draw(evidence: PartResults) -> Sequence[Figure]:
    """The four paths through the plane of the two players."""
    arrays = evidence["dirac"]
    with figure(7.2, 2.2) as shape:
        for index, (axes, game) in enumerate(
            zip(shape.subplots(1, 4, sharex=True, sharey=True), GAMES, strict=True)
        ):
            theta, psi = arrays[f"path_{index}"].T
            axes.plot(theta, psi, color=HUES[index], linewidth=0.6)
            axes.plot(theta[0], psi[0], "o", color=HUES[index], markersize=3)
            axes.plot(0, 0, "+", color=MUTED)
            axes.set_title(game.replace(" (", "\n("))
            axes.set_aspect("equal")
            axes.set_xlabel("generator")
        shape.axes[0].set_ylabel("discriminator")
        alt = "Paths of the two players of Dirac-GAN: outwards, a cycle, inwards, a small cycle"
        drawing = render(shape, "T22-paths", alt)
    caption = (
        f"Both players of Dirac-GAN over {STEPS} steps of {STEP:g} from the dot; the cross is the "
        "equilibrium. Non-saturating loss; the penalties play alternately."
    )
    return [Figure(caption, drawing)]


def _away(arrays: Arrays, index: int) -> np.ndarray:
    return np.hypot(*arrays[f"path_{index}"].T)


STATEMENT = Experiment(
    id="T22",
    title="Equilibrium",
    text="Stochastic gradient steps of the two players need not converge to the equilibrium.",
    source="slides [Mescheder et al. 2018, arXiv:1801.04406]",
    experiment=(
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
    minutes=Minutes(full=0.1, quick=0.1),
    parts=parts,
    measure=measure,
    judge=judge,
    draw=draw,
)
