"""In what the rows at hand differ from the study's."""

from collections.abc import Iterable, Sequence

from bench.reporting.tables.comparisons import Comparison
from bench.reporting.tables.published import EXTRACTOR, published, study
from bench.reporting.text import words

SAMPLES, CONFIGS, SEEDS = 10_000, 100, 50
NETWORK = "infogan"
# compare_gan v1: epochs * 50,000 // 64, CelebA 40 * 162,000 // 64
D_STEPS = {"mnist": 15_625, "fashion_mnist": 15_625, "cifar10": 78_125, "celeba": 101_250}


def deviations(comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    """Sentences, the weightiest first; none where nothing differs."""
    return tuple(sentence for sentence in _all(comparisons) if sentence)


def _all(comparisons: Sequence[Comparison]) -> Iterable[str]:
    groups = [c.main.group for c in comparisons]
    rows = [m.row for g in groups for m in g.members if m.row is not None]
    theirs = {cell.dataset for cell in published()}
    others = sorted({g.dataset for g in groups} - theirs)
    yield f"data sets that the study does not have: {words.listed(others)}" if others else ""
    missing = sorted(theirs - {g.dataset for g in groups})
    yield f"without {words.listed(missing)}" if missing else ""
    features = sorted({str(g.protocol["extractor"]) for g in groups} - {EXTRACTOR})
    yield f"features of {words.listed(features)}, not of Inception" if features else ""
    yield _counts("generated samples", {g.protocol.get("n_fake") for g in groups}, SAMPLES)
    yield _counts(
        "configurations of a variant",
        {len({m.run.sample for m in k.members}) for c in comparisons if c.stage.searches
         for k in c.main.group.contenders},
        CONFIGS,
    )  # fmt: skip
    yield _counts(
        "seeds",
        {len(k.members) for c in comparisons if not c.stage.searches
         for k in c.main.group.contenders},
        SEEDS,
    )  # fmt: skip
    steps = {(g.dataset, m.run.facts.get("d_steps")) for g in groups for m in g.members}
    shorter = sorted({s for d, s in steps if s and s != D_STEPS.get(d)})
    yield f"{_listed(shorter)} discriminator steps" if shorter else ""
    networks = sorted({row.network for row in rows} - {NETWORK})
    yield f"networks {words.listed(networks)}" if networks else ""
    more = sorted({row.variant for row in rows} - study())
    yield f"variants beside the study's: {words.listed(more)}" if more else ""
    less = sorted(study() - {row.variant for row in rows})
    yield f"without the variants {words.listed(less)}" if less else ""
    chosen = {str(c.get("split")) for g in groups if (c := g.protocol.get("chosen"))}
    apart = sorted(chosen - {"None", *(str(g.protocol.get("split")) for g in groups)})
    yield (
        f"checkpoints and configurations chosen on the {words.listed(apart)} split, where the "
        "study chose on the split that it reported"
        if apart
        else ""
    )


def _counts(noun: str, found: set[object], theirs: int) -> str:
    ours = sorted(n for n in found if isinstance(n, int) and n != theirs)
    return f"{_listed(ours)} {noun}, not {theirs:,}" if ours else ""


def _listed(counts: Sequence[int]) -> str:
    return f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
