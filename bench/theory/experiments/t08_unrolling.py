"""T8: unrolling the discriminator prevents the collapse of T7."""

from collections.abc import Sequence

import numpy as np

from bench.plotting.style import HUES, MUTED, figure, render
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
from bench.theory.toolkit.intervals import mean_over_seeds
from bench.theory.toolkit.ring_gans import LATE, animation, held, panels, play

LOSSES = {"minimax": "minimax", "nonsaturating": "non-saturating"}  # as in T7
UNROLLED = (0, 1, 5, 10)  # Metz et al., figure 1 and section 3
PREVENTED = 7  # of eight modes
SLACK = 0.5  # modes by which one k may fall below the k before it and still "rise"


def parts(quick: bool) -> dict[str, Settings]:
    """One part for each loss and number of unrolled steps, all seeds in it."""
    shared = {
        "seeds": list(range(3 if quick else 5)),
        "learning_rate": 1e-3,
        "betas": [0.5, 0.999],
        "width": 64,
        "depth": 2,
        "latent_dim": 16,
        "batch_size": 64,
        "steps": 60 if quick else 2400,
        "snapshots": 60,
        "shown": 1000,
    }
    return {
        part_of(loss, k): {"loss": loss, "unroll_steps": k, **shared}
        for loss in LOSSES
        for k in UNROLLED
    }


def part_of(loss: str, k: int) -> str:
    """The part's name."""
    return f"{loss}, k={k}"


def measure(settings: Settings) -> Arrays:
    """See `bench.theory.toolkit.ring_gans.play`."""
    return play(settings)


def judge(evidence: PartResults) -> Result:
    """Modes held with k steps against none, pair by pair of seeds, for each loss."""
    holds, words, deciding, others = [], [], [], []
    for loss, name in LOSSES.items():
        every = [modes_of(evidence[part_of(loss, k)]["shares"]) for k in UNROLLED]
        gain = mean_over_seeds(
            f"modes gained, k = {UNROLLED[-1]} against {UNROLLED[0]}, {name} loss",
            every[-1] - every[0],
            "above 0",
        )
        numbers = [
            mean_over_seeds(f"modes held, k = {k}, {name} loss", values)
            for k, values in zip(UNROLLED, every, strict=True)
        ]
        lacking = against(gain, [number.value for number in numbers])
        holds += [not reason for reason in lacking]
        words.append(_sentence(name, gain, numbers, [reason for reason in lacking if reason]))
        deciding.append(gain)
        others += numbers
    return Result(overall(holds), " ".join(words), (*deciding, *others))


def against(gain: Number, means: Sequence[float]) -> list[str]:
    """For each of the three parts of the rule what speaks against it; empty where it holds."""
    gained = gain.low is not None and gain.low > 0
    # SLACK on every step would let a flat line rise: it must also gain in all.
    rises = gained and all(b >= a - SLACK for a, b in zip(means, means[1:], strict=False))
    return [
        "" if gained else "the gain's interval is not above 0",
        "" if rises else "the number does not rise with k",
        "" if means[-1] >= PREVENTED else f"fewer than {PREVENTED} with the largest k",
    ]


def _sentence(name: str, gain: Number, numbers: Sequence[Number], reasons: Sequence[str]) -> str:
    means = ", ".join(f"{number.value:.1f}" for number in numbers)
    listed = ", ".join(str(k) for k in UNROLLED)
    said = (
        f"{name.capitalize()} loss: {means} of 8 modes held with k = {listed}; the last gains "
        f"{gain.value:+.1f} (95 % {gain.low:+.1f} to {gain.high:+.1f}) over the first"
    )
    return f"{said}; against it: {', '.join(reasons)}." if reasons else f"{said}."


def modes_of(shares: np.ndarray) -> np.ndarray:
    """Modes held on average in the second half by each seed, [R]; 0 of one that diverged."""
    late = held(shares[int(len(shares) * LATE) :]).mean(0)
    return np.where(np.isfinite(late), late, 0.0)


def draw(evidence: PartResults) -> Sequence[Figure]:
    """Heat maps over the steps, a row for each k; modes held over k."""
    return [_heat_maps(evidence), _modes(evidence)]


def _heat_maps(evidence: PartResults) -> Figure:
    with figure(7.2, 4.1) as shape:
        blocks = shape.subfigures(1, len(LOSSES), wspace=0.04)
        for block, (loss, name) in zip(blocks, LOSSES.items(), strict=True):
            block.suptitle(f"{name} loss", x=0.02, ha="left", fontsize=8)
            for row, k in zip(block.subplots(len(UNROLLED), 4), UNROLLED, strict=True):
                part = evidence[part_of(loss, k)]
                panels(row, part["heat"], part["steps"], f"k = {k}")
        alt = "Heat maps of the generator's samples over the training, a row for each k"
        drawing = render(shape, "T08-heat", alt)
    caption = (
        "Samples of the first seed's generator at four steps, with k unrolled steps. The animation "
        "has the non-saturating loss."
    )
    shown = [evidence[part_of("nonsaturating", k)] for k in (UNROLLED[0], UNROLLED[-1])]
    titles = ["GAN", f"unrolled, k = {UNROLLED[-1]}"]
    frames = animation([part["heat"] for part in shown], shown[0]["steps"], titles)
    return Figure(caption, drawing, frames)


def _modes(evidence: PartResults) -> Figure:
    with figure(7.2, 2.3) as shape:
        both = shape.subplots(1, len(LOSSES), sharey=True)
        for axes, (loss, name) in zip(both, LOSSES.items(), strict=True):
            for place, k in enumerate(UNROLLED):
                values = modes_of(evidence[part_of(loss, k)]["shares"])
                one = mean_over_seeds("", values)
                axes.plot([place] * len(values), values, ".", color=HUES[place], alpha=0.4)
                axes.plot([place + 0.12] * 2, [one.low, one.high], color=HUES[place])
                axes.plot(place + 0.12, one.value, "o", color=HUES[place], markersize=4)
            axes.set_title(f"{name} loss")
            axes.set_xlabel("unrolled steps k")
            axes.set_xticks(range(len(UNROLLED)), [str(k) for k in UNROLLED])
            axes.set_ylim(-0.2, 8.4)
            axes.axhline(8, color=MUTED, linewidth=0.5, linestyle=":")
        both[0].set_ylabel("modes held, of 8")
        drawing = render(shape, "T08-modes", "Modes held over the number of unrolled steps")
    caption = (
        "Modes with at least a sixteenth of the samples, on average over the second half of the "
        "training; dots are seeds, bars the 95 % interval of their mean."
    )
    return Figure(caption, drawing)


STATEMENT = Experiment(
    id="T8",
    title="Unrolling against collapse",
    text="The unrolled GAN prevents mode collapse.",
    source="slides [Metz et al. 2016, arXiv:1611.02163]",
    experiment=(
        "The ring, networks and losses of T7, the generator looking 0, 1, 5 and 10 steps of the "
        "discriminator ahead; batches of 64, 2,400 steps of each player, five seeds. A mode is "
        "held where a sixteenth of 1,000 samples lies within 0.5 of its centre."
    ),
    rule=(
        "By the number of modes held in the second half of the training, 0 for a diverged seed. "
        "Three parts for each loss: the 95 % interval of the gain of k = 10 over k = 0, paired by "
        "seed, lies above 0; the mean rises with k (none falls more than half a mode below the one "
        "before, and the first part holds); k = 10 holds seven of eight on average. Reproduced: "
        "all for both losses. Partly: at least one for one loss. Not reproduced: none."
    ),
    version=1,
    minutes=Minutes(full=12, quick=0.5),
    parts=parts,
    measure=measure,
    judge=judge,
    draw=draw,
)
