"""T9: minibatch discrimination and historical averaging help against mode collapse.

Salimans et al. 2016 (arXiv:1606.03498). Measured: modes and classes covered by runs of the suite
with and without each remedy, on a ring of Gaussians and on stacked digits.
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
    choose_verdict,
)
from bench.theory.toolkit.intervals import mean_over_seeds
from bench.theory.toolkit.run_scores import COMMON, score_run

PLAIN, *REMEDIES = ("ns_gan", "minibatch_gan", "historical_gan")
LIGHT = "lighter averaging"  # for comparison, decides nothing: the paper gives no weight
NAMES = {
    PLAIN: "NS GAN",
    "minibatch_gan": "minibatch discrimination",
    "historical_gan": "historical averaging",
    LIGHT: "historical averaging of weight 0.001",
}
DATASET_OVERRIDES = {
    "ring": [
        "dataset=ring",
        "hyperparameters.d_batch_norm=false",
        "score.metrics.modes.min_samples=20",
    ],
    "stacked_digits": [  # widths of sweeps/quick
        "dataset=stacked_digits",
        "network.dense=256",
        "network.deep=64",
        "network.shallow=32",
        "network.batch_norm_momentum=0.05",
        "hyperparameters.d_batch_norm=true",
    ],
}
VARIANT_OVERRIDES = {
    "minibatch_gan": ["network.minibatch.discriminator.kernels=20"],  # 100 take four times as long
    LIGHT: ["hyperparameters.history_weight=0.001"],
}
METRICS = {  # entry of conf/metric; its scores, the deciding one first, and those of a diverged run
    "ring": ("modes", {"modes_covered": 0.0, "high_quality": 0.0}),
    "stacked_digits": ("classes", {"classes_covered": 0.0, "class_reverse_kl": np.inf}),
}


def parts(quick: bool) -> dict[str, PartSettings]:
    """List a part for each run."""
    seeds = {"ring": range(2 if quick else 5), "stacked_digits": range(1 if quick else 2)}
    steps = {"ring": 20 if quick else 3000, "stacked_digits": 5 if quick else 1500}
    fewer = ["score.n_fake=500", "score.n_real=1000"] if quick else []
    return {
        f"{data}, {variant}, {seed}": {
            "data": data,
            "overrides": [
                *COMMON, *dataset_overrides, *VARIANT_OVERRIDES.get(variant, []), *fewer,
                f"variant={'historical_gan' if variant == LIGHT else variant}",
                f"seed={seed}", f"d_steps={steps[data]}",
            ],
        }
        for data, dataset_overrides in DATASET_OVERRIDES.items()
        for variant in NAMES
        for seed in seeds[data]
    }  # fmt: skip


def measure(settings: PartSettings) -> Measurements:
    """Train and score one run; return its two scores, [] each."""
    entry, worst = METRICS[settings["data"]]
    scores = score_run(entry, *settings["overrides"])
    return {name: np.array(scores.get(name, fallback)) for name, fallback in worst.items()}


def conclude(results: PartResults) -> Result:
    """Compare each remedy with NS GAN of the same seed, on the ring and on stacked digits."""
    effects = {(r, d): _effect_of_remedy(results, r, d) for r in REMEDIES for d in METRICS}
    helped = [any(effects[r, d] > 0 for d in METRICS) for r in REMEDIES]
    harmed = any(effect < 0 for effect in effects.values())
    verdict = choose_verdict(all(helped) and not harmed, any(helped))
    words = {1: "helps", 0: "makes no clear difference", -1: "harms"}
    modes, classes = (
        {v: _scores_by_seed(results, data, v, name).mean() for v in NAMES}
        for data, name in (("ring", "modes_covered"), ("stacked_digits", "classes_covered"))
    )
    summary = " ".join(
        f"{NAMES[r].capitalize()} {words[effects[r, 'ring']]} on the ring ({modes[r]:.1f} of 8 "
        f"modes held; NS GAN: {modes[PLAIN]:.1f}) and {words[effects[r, 'stacked_digits']]} on "
        f"stacked digits ({classes[r]:.0f} of 1,000 classes; NS GAN: {classes[PLAIN]:.0f})."
        for r in REMEDIES
    )
    summary += (
        f" With a hundredth of the weight historical averaging holds {modes[LIGHT]:.1f} modes and "
        f"{classes[LIGHT]:.0f} classes."
    )
    return Result(verdict, summary, tuple(_report_numbers(results)))


def draw(results: PartResults) -> list[Figure]:
    """Draw each run's scores, ring on the left, stacked digits on the right."""
    labels = {
        "modes_covered": "ring: modes held, of 8",
        "high_quality": "ring: high-quality share",
        "classes_covered": "stacked digits:\nclasses, of 1,000",
        "class_reverse_kl": "stacked digits:\nreverse KL of classes, nats",
    }
    panels = [(data, name) for data, (_, names) in METRICS.items() for name in names]
    with figure(7.2, 2.5) as shape:
        row = shape.subplots(1, len(panels), sharey=True)
        for axes, (data, name) in zip(row, panels, strict=True):
            for index, variant in enumerate(NAMES):
                values = _scores_by_seed(results, data, variant, name)
                values = values[np.isfinite(values)]
                if len(values):
                    y = -index + 0.06 * (np.arange(len(values)) - (len(values) - 1) / 2)
                    style = {"color": HUES[index], "markersize": 4, "clip_on": False}
                    axes.plot(values, y, MARKERS[index], **style)
                    axes.plot([values.mean()] * 2, [-index - 0.25, -index + 0.25], color=MUTED)
            axes.set(title=labels[name], xlim=(0, None), ylim=(-3.5, 0.5))
        names = ["NS GAN", "minibatch\ndiscrimination", "averaging, 0.1", "averaging, 0.001"]
        shape.axes[0].set_yticks([0, -1, -2, -3], names)
        alt = "Modes, quality, classes and KL of NS GAN alone and with the two remedies"
        drawing = render(shape, "T09-remedies", alt)
    caption = (
        "A point for each seed, a line for their mean; more is better but for the KL. A mode is "
        "held by 20 of 2,000 samples within three standard deviations. Where a run diverged it "
        "has no KL."
    )
    return [Figure(caption, drawing)]


def _effect_of_remedy(results: PartResults, remedy: str, data: str) -> int:
    """Return 1 where a remedy helps, -1 where it harms, 0 where neither is clear."""
    if data == "ring":
        gain = mean_over_seeds("gain", _gains_over_plain(results, remedy, data, "modes_covered"))
        return int(gain.lower > 0) - int(gain.upper < 0)
    more = _gains_over_plain(results, remedy, data, "classes_covered")
    nearer = -_gains_over_plain(results, remedy, data, "class_reverse_kl")
    return int(min(more.min(), nearer.min()) > 0) - int(max(more.max(), nearer.max()) < 0)


def _gains_over_plain(results: PartResults, remedy: str, data: str, name: str) -> np.ndarray:
    """Differences from NS GAN with the same seed, [seeds]; 0 between two infinite scores."""
    scores, plain = (_scores_by_seed(results, data, v, name) for v in (remedy, PLAIN))
    with np.errstate(invalid="ignore"):
        gains = scores - plain
    return np.where(np.isnan(gains), 0.0, gains)


def _scores_by_seed(results: PartResults, data: str, variant: str, name: str) -> np.ndarray:
    """Scores of all seeds, [seeds]; one that is not finite counts as that of a diverged run."""
    fallback = METRICS[data][1][name]
    prefix = f"{data}, {variant}, "
    scores = np.array([float(a[name]) for part, a in results.items() if part.startswith(prefix)])
    return np.where(np.isfinite(scores), scores, fallback)


def _report_numbers(results: PartResults) -> list[Quantity]:
    numbers = []
    for data, (_, names) in METRICS.items():
        for name in names:
            for variant in NAMES:
                values = _scores_by_seed(results, data, variant, name)
                label = f"mean {name}, {data}, {NAMES[variant]}"
                finite = np.isfinite(values).all()
                numbers.append(
                    mean_over_seeds(label, values) if finite else Quantity(label, np.inf)
                )
    return numbers


EXPERIMENT = Experiment(
    id="T9",
    title="Remedies against collapse",
    statement="Minibatch discrimination and historical averaging help against mode collapse.",
    source="slides [Salimans et al. 2016, arXiv:1606.03498]",
    setup=(
        "NS GAN alone, with minibatch discrimination (20 kernels of 5) and with historical "
        "averaging (weight 0.1; beside it 0.001, which decides nothing: the paper gives none). "
        "Ring of eight Gaussians: perceptrons, 3,000 steps, 5 seeds; modes held by 20 of 2,000 "
        "samples. Stacked digits, 1,000 classes, 8x8: the study's networks a quarter as wide, "
        "1,500 steps, 2 seeds; classes seen in 2,000 samples, which cannot show all 1,000, and "
        "their reverse KL. The same for all: Adam at 1e-3, beta1 0.5, one step of each player "
        "alternately. A run that diverged holds no mode and no class."
    ),
    rule=(
        "Against NS GAN with the same seeds. On the ring a remedy helps (harms) if the 95 % "
        "interval of the mean gain in modes held lies above (below) 0; on stacked digits if in "
        "every seed it has more (fewer) classes and the lower (higher) KL. Reproduced: each helps"
        " on one at least and none harms. Partly: one helps somewhere. Not reproduced: none does."
    ),
    version=1,
    minutes=CpuMinutes(full=12, quick=0.4),
    parts=parts,
    measure=measure,
    conclude=conclude,
    draw=draw,
)
