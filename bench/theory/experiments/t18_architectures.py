"""T18: WGAN works with generators with which earlier GANs fail.

Arjovsky et al. 2017 (arXiv:1701.07875), section 4.3. Measured: Frechet distances of runs of the
suite with DCGAN's generator, the same without batch norm, and a perceptron.
"""

import numpy as np

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
from bench.theory.toolkit import run_scores
from bench.theory.toolkit.axes import label_1_2_5, plot_runs
from bench.theory.toolkit.intervals import median_over_seeds

LOSSES = {"NS GAN": "ns_gan", "WGAN": "wgan", "WGAN-GP": "wgan_gp"}
GENERATORS = {
    "DCGAN": ["network=dcgan", "network.width=32"],
    "DCGAN without batch norm": ["network=dcgan", "network.width=32", "network.g_batch_norm=false"],
    "MLP": ["network=image_mlp", "network.d_width=32"],
}
EASY, *HARD = GENERATORS
# DCGAN's discriminator has no batch norm at 8x8
COMMON = ["dataset=digits", *run_scores.COMMON, "hyperparameters.d_batch_norm=false"]
CONSTRAINT = {  # as conf/preset has it for digits
    "wgan": ["hyperparameters.weight_clip=0.1"],
    "wgan_gp": ["hyperparameters.penalty_weight=1"],
}
UNTRAINED = "untrained"
MAX_FACTOR = 2.0  # times a loss's own score with DCGAN
MAX_UNTRAINED_SHARE = 0.25  # of an untrained generator's score


def parts(quick: bool) -> dict[str, PartSettings]:
    """List a part for each loss and generator, and one for an untrained generator."""
    seeds, steps = ([0, 1], 20) if quick else ([0, 1, 2, 3], 1500)
    part_settings = {
        _part_name(loss, net): {
            "overrides": [f"variant={variant}", *COMMON, *CONSTRAINT.get(variant, []), *network],
            "steps": steps,
            "seeds": seeds[:1] if quick and net == EASY else seeds,
        }
        for net, network in GENERATORS.items()
        for loss, variant in LOSSES.items()
        if not quick or loss != "WGAN-GP"
    }
    base = [*COMMON, *GENERATORS[EASY]]
    return {**part_settings, UNTRAINED: {"overrides": base, "steps": 1, "seeds": seeds[:1]}}


def measure(settings: PartSettings) -> Measurements:
    """Train each seed; return final Frechet distances, [seeds]; infinity where one diverged."""
    overrides = [*settings["overrides"], f"d_steps={settings['steps']}"]
    return {"frechet": run_scores.frechet_over_seeds(overrides, settings["seeds"])}


def conclude(results: PartResults) -> Result:
    """Check for each hard generator that NS GAN fails, WGAN works, and WGAN scores lower."""
    medians = {}
    for cell, arrays in results.items():
        if cell != UNTRAINED:
            scores = np.where(np.isfinite(arrays["frechet"]), arrays["frechet"], np.inf)
            medians[cell] = median_over_seeds(f"median Frechet distance, {cell}", scores)
    value = {cell: number.value for cell, number in medians.items()}
    untrained = float(results[UNTRAINED]["frechet"][0])
    easy = {loss: value[_part_name(loss, EASY)] for loss in ("NS GAN", "WGAN")}
    holds, sentences = [], []
    for net in HARD:
        gan, wgan = (value[_part_name(loss, net)] for loss in easy)
        fails = not gan <= MAX_FACTOR * easy["NS GAN"]
        works = wgan <= MAX_UNTRAINED_SHARE * untrained and wgan <= MAX_FACTOR * easy["WGAN"]
        holds.append(fails and works and wgan < gan)
        sentences.append(
            f"{net}: NS GAN {gan:.3g} ({'fails' if fails else 'does not fail'}), WGAN {wgan:.3g} "
            f"({'works' if works else 'does not work'})."
        )
    summary = (
        f"Median Frechet distances. {EASY}: NS GAN {easy['NS GAN']:.3g}, WGAN {easy['WGAN']:.3g}; "
        f"untrained: {untrained:.3g}. {' '.join(sentences)}"
    )
    cells = [_part_name(loss, net) for net in GENERATORS for loss in LOSSES]
    numbers = [medians[cell] for cell in cells if cell in medians]
    numbers.append(Quantity("Frechet distance, untrained DCGAN", untrained))
    return Result(overall_verdict(holds), summary, tuple(numbers))


def draw(results: PartResults) -> list[Figure]:
    """Draw every run and the medians, a group for each generator."""
    ceiling = 2 * float(results[UNTRAINED]["frechet"][0])
    with figure(7.2, 3.0) as shape:
        axes = shape.subplots()
        for group, net in enumerate(GENERATORS):
            for index, loss in enumerate(LOSSES):
                if _part_name(loss, net) in results:
                    scores = results[_part_name(loss, net)]["frechet"]
                    x = group + 0.26 * (index - 1)
                    spread = 0.03 * (np.arange(len(scores)) - (len(scores) - 1) / 2)
                    plot_runs(axes, x + spread, scores, ceiling, index)
                    middle = min(float(np.median(scores)), ceiling)
                    axes.plot([x - 0.1, x + 0.1], [middle] * 2, color=HUES[index], linewidth=1.2)
        axes.axhline(ceiling / 2, color=MUTED, linewidth=0.6, linestyle=":")
        axes.text(2.42, ceiling / 2, "untrained", color=MUTED, va="bottom", ha="right", fontsize=7)
        axes.set(xlabel="generator", ylabel="Frechet distance (digits_convnet), log")
        axes.set(yscale="log", ylim=(2, 1.3 * ceiling), xlim=(-0.45, 2.45))
        axes.set_xticks(range(3), list(GENERATORS))
        label_1_2_5(axes.yaxis)
        for index, loss in enumerate(LOSSES):
            if _part_name(loss, EASY) in results:
                axes.plot([], [], MARKERS[index], color=HUES[index], markersize=4, label=loss)
        shape.legend(loc="outside upper left", ncols=3, frameon=False, fontsize=8)
        alt = "Frechet distances of three losses with three generators, a point for each seed"
        drawing = render(shape, "T18-generators", alt)
    caption = (
        "8x8 digits, a point for each seed, a dash for the median; a hollow point is a run that "
        "diverged. The same learning rate, steps and DCGAN discriminator everywhere."
    )
    return [Figure(caption, drawing)]


def _part_name(loss: str, net: str) -> str:
    return f"{loss}, {net}"


EXPERIMENT = Experiment(
    id="T18",
    title="Generators",
    statement=(
        "WGAN works even where earlier GANs fail: with DCGAN's generator without batch norm, or "
        "with a perceptron as generator."
    ),
    source="blog, discussion [Arjovsky et al. 2017, arXiv:1701.07875, section 4.3]",
    setup=(
        "NS GAN, WGAN and WGAN-GP on 8x8 digits, each with three generators (DCGAN, DCGAN "
        "without batch norm, a perceptron of three hidden layers of 512) against DCGAN's "
        "discriminator, 32 channels. The same for all: Adam at 1e-3, beta1 0.5, 1,500 steps of "
        "each player alternately, batches of 64, clip 0.1, penalty weight 1, none of them tuned "
        "here (the papers take five critic steps for each of the generator's); 4 seeds. Score: "
        "Frechet distance in digits_convnet's features, 2,000 samples against the test images; a"
        " run that diverged counts as infinitely far."
    ),
    rule=(
        "By median Frechet distances. A hard generator (without batch norm; perceptron) shows it "
        "if NS GAN fails, with more than twice its own distance in DCGAN; WGAN works, with no more "
        "than twice its own in DCGAN and no more than a quarter of an untrained generator's; and "
        "WGAN's is below NS GAN's. Reproduced: both generators. Partly: one. Not reproduced: "
        "neither. WGAN-GP is shown beside them and decides nothing."
    ),
    version=1,
    minutes=CpuMinutes(full=12, quick=0.4),
    parts=parts,
    measure=measure,
    conclude=conclude,
    draw=draw,
)
