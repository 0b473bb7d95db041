"""List in what the rows of a report differ from those of Lucic et al. 2018."""

from collections.abc import Iterable, Sequence

from bench.reporting.tables.comparisons import Comparison
from bench.reporting.tables.published import EXTRACTOR, published_scores, study_variants
from bench.reporting.text import words

SAMPLES, CONFIGS, SEEDS = 10_000, 100, 50
NETWORK = "infogan"
# compare_gan v1: epochs * 50,000 // 64, CelebA 40 * 162,000 // 64
D_STEPS = {"mnist": 15_625, "fashion_mnist": 15_625, "cifar10": 78_125, "celeba": 101_250}


def deviations(comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    """Return a sentence for each difference, the weightiest first."""
    return tuple(sentence for sentence in _sentences(comparisons) if sentence)


def _sentences(comparisons: Sequence[Comparison]) -> Iterable[str]:
    groups = [c.main.group for c in comparisons]
    rows = [row for group in groups for row in group.rows]
    theirs = {cell.dataset for cell in published_scores()}
    others = sorted({g.dataset for g in groups} - theirs)
    yield f"data sets that the study does not have: {words.join_with_and(others)}" if others else ""
    missing = sorted(theirs - {g.dataset for g in groups})
    yield f"without {words.join_with_and(missing)}" if missing else ""
    features = sorted({str(g.protocol["extractor"]) for g in groups} - {EXTRACTOR})
    yield f"features of {words.join_with_and(features)}, not of Inception" if features else ""
    yield _counts("generated samples", {g.protocol.get("n_fake") for g in groups}, SAMPLES)
    methods = [(m.runs, c.stage.is_search) for c in comparisons for m in c.main.group.methods]
    configs = {len({m.run.sample for m in runs}) for runs, is_search in methods if is_search}
    yield _counts("configurations of a variant", configs, CONFIGS)
    yield _counts("seeds", {len(runs) for runs, is_search in methods if not is_search}, SEEDS)
    steps = {(g.dataset, m.run.facts.get("d_steps")) for g in groups for m in g.runs}
    shorter = sorted({s for d, s in steps if s and s != D_STEPS.get(d)})
    yield f"{_range(shorter)} discriminator steps" if shorter else ""
    networks = sorted({row.network for row in rows} - {NETWORK})
    yield f"networks {words.join_with_and(networks)}" if networks else ""
    more = sorted({row.variant for row in rows} - study_variants())
    yield f"variants beside the study's: {words.join_with_and(more)}" if more else ""
    less = sorted(study_variants() - {row.variant for row in rows})
    yield f"without the variants {words.join_with_and(less)}" if less else ""
    chosen = {str(c.get("split")) for g in groups if (c := g.protocol.get("chosen"))}
    other_splits = sorted(chosen - {"None", *(str(g.protocol.get("split")) for g in groups)})
    yield (
        f"checkpoints and configurations chosen on the {words.join_with_and(other_splits)} split, "
        "where the study chose on the split that it reported"
        if other_splits
        else ""
    )


def _counts(noun: str, ours: Iterable[object], theirs: int) -> str:
    others = sorted(n for n in ours if isinstance(n, int) and n != theirs)
    return f"{_range(others)} {noun}, not {theirs:,}" if others else ""


def _range(counts: Sequence[int]) -> str:
    return f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
