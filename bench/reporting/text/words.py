"""Numbers and protocols in words."""

from collections.abc import Iterable, Mapping, Sequence

from bench.reporting.data.protocols import differing
from bench.reporting.data.records import StageRecord
from bench.reporting.tables.comparisons import Comparison
from bench.reporting.tables.methods import Group
from bench.reporting.tables.rounding import floor_number, number, places_of
from bench.reporting.tables.summary import ALPHA, Table

TITLES = {
    "frechet": "Frechet distance",
    "frechet_infinity": "Frechet distance, N to infinity",
    "inception_score": "Inception Score formula",
    "inception_score_splits": "Inception Score formula, mean of splits",
    "kernel": "kernel distance",
    "kernel_blocks": "kernel distance, mean of blocks",
    "mmd": "MMD",
    "prd_f8": "PRD F8",
    "prd_f1_8": "PRD F1/8",
    "ssim": "SSIM of pairs",
    "ms_ssim": "MS-SSIM of pairs",
    "wasserstein_1": "Wasserstein-1",
    "wasserstein_2": "Wasserstein-2",
    "class_reverse_kl": "class reverse KL",
    "memorised": "memorised share",
    "polygon_precision": "polygon precision",
    "polygon_recall": "polygon recall",
    "polygon_f1": "polygon F1",
}
PROTOCOL = {
    "name": "name",
    "extractor": "features of",
    "weight_hash": "their weights",
    "split": "real samples from",
    "n_real": "real samples",
    "data": "digest of their split",
    "n_fake": "generated samples",
    "quantised": "rounded to 8 bits",
    "resize": "resized",
}
NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
NUMBERS += ["eleven", "twelve"]
DAGGER = "\u2020"


def title(metric: str) -> str:
    """A score's name in words."""
    return TITLES.get(metric, metric.replace("_", " "))


def memorising(details: Mapping[str, float]) -> str:
    """The sentence beside a generator that copies."""
    low, held_out = details["memorised.excess_low"], details["memorised.held_out"]
    return (
        "memorised: a larger share of the samples lies nearer to a training image than that "
        f"image's nearest other one than of held-out real images ({held_out:.3f}); the difference "
        f"is at least {low:.3f} (95% interval)"
    )


def full_title(metric: str, group: Group) -> str:
    """Frechet distance (digits_convnet features): a score is nothing without its extractor."""
    return f"{title(metric)} ({group.protocol['extractor']} features)"


def better(metric: str, group: Group) -> str:
    """lower is better, or higher."""
    return f"{group.metrics[metric]} is better"


def counted(count: int, noun: str) -> str:
    """no runs, one run, twelve runs, 13 runs."""
    said = NUMBERS[count] if count < len(NUMBERS) else f"{count:,}"
    return f"{said} {noun}" if count == 1 else f"{said} {noun}s"


def listed(names: Iterable[str]) -> str:
    """a, b and c."""
    *most, last = list(names)
    return f"{', '.join(most)} and {last}" if most else last


def comparison(group: Group) -> str:
    """2,000 generated samples against 360 real ones of the test split, final checkpoint."""
    protocol = group.protocol
    fake, real = (_count(protocol.get(key)) for key in ("n_fake", "n_real"))
    return (
        f"{fake} generated samples against {real} real ones of the "
        f"{protocol.get('split', 'unnamed')} split, {group.checkpoint} checkpoint"
    )


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "all"


def choices(group: Group) -> dict[str, dict[str, list[str]]]:
    """What the runs chose for themselves: prior -> {uniform: [names], normal: [names]}."""
    found: dict[str, dict[str, list[str]]] = {}
    for contender in group.contenders:
        for row in (m.row for m in contender.members if m.row is not None):
            for key in set(row.protocol) - set(group.protocol):
                names = found.setdefault(key, {}).setdefault(worded(row.protocol[key]), [])
                if contender.name not in names:
                    names.append(contender.name)
    return dict(sorted(found.items()))


def protocol_lines(group: Group) -> dict[str, str]:
    """The protocol in words, the telling parts first; directions stand beside the scores."""
    rest = sorted(set(group.protocol) - set(PROTOCOL) - {"metrics"})
    names = PROTOCOL | {key: key.replace("_", " ") for key in rest}
    return {n: worded(group.protocol[key]) for key, n in names.items() if key in group.protocol}


def worded(value: object) -> str:
    """A setting's value as a person would say it."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{k} ({worded(v)})" if v != {} else str(k) for k, v in value.items())
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def apart(groups: Sequence[Group]) -> dict[str, str]:
    """Slug -> why its table may not be ranked with the data set's first; empty where it may."""
    firsts: dict[str, Group] = {}
    said = {}
    for group in groups:
        first = firsts.setdefault(group.dataset, group)
        reasons = differing(first.protocol, group.protocol)
        if first.checkpoint != group.checkpoint:
            reasons.insert(0, f"checkpoint ({first.checkpoint}, {group.checkpoint})")
        said[group.slug] = (
            f"Not to be ranked with {first.slug}: they differ in {listed(reasons)}."
            if reasons
            else ""
        )
    return said


def verdict(table: Table) -> str:
    """One or two sentences on what the order is worth; never a winner that the seeds deny."""
    found, lines = table.verdict, table.lines
    if len(lines) < 2:
        return "Only one variant: there is nothing to compare it with."
    if not found.letters:
        distinct = len({line.contender.variant for line in lines}) == len(lines)
        noun = "variants" if distinct else "settings"
        have = " to ".join(str(n) for n in dict.fromkeys((found.fewest, found.most)))
        return (
            f"Too few seeds to rank: {have} per variant, where to show any difference between "
            f"{len(lines)} {noun} takes {found.needed} of each (exact rank-sum tests, "
            f"{ALPHA:.0%} for all pairs together). The order is by mean, not a ranking."
        )
    left = [line.name for line in lines if line.name not in found.compared]
    few = f" Too few seeds to rank {listed(left)} ({found.needed} are needed)." if left else ""
    among = "Among those with enough seeds: " if left else ""
    return (
        f"{among}{leaders(table)}{few} Exact rank-sum tests, {ALPHA:.0%} for all pairs together "
        "(Holm); a run that diverged counts as worse than any score."
    )


def leaders(table: Table) -> str:
    """One sentence on who is ahead of those with enough seeds."""
    found = table.verdict
    first = found.compared[0]
    peers = [n for n in found.compared[1:] if set(found.letters[n]) & set(found.letters[first])]
    if found.ahead:
        return (
            f"{first} comes first by mean of the runs that finished; with those that diverged "
            f"counted, {listed(found.ahead)} did significantly better."
        )
    if len(peers) + 1 == len(found.compared):
        return f"No significant difference between {listed(found.compared)}."
    if peers:
        return f"{first} comes first by mean; {listed(peers)} did not differ significantly from it."
    return f"{first} comes first by mean and differs significantly from every other."


def answer(table: Table) -> str:
    """The opening paragraph of a group."""
    return f"{span(table)} {verdict(table)}"


def span(table: Table) -> str:
    """One sentence on the means from the first to the last, and on what real samples reach."""
    group, places = table.group, places_of(table)[table.group.first]
    ends = [line for line in table.lines if group.first in line.cells]
    said = f"no run has a {full_title(group.first, group)}"
    if ends:
        means = [f"{number(e.cells[group.first].mean, places)} for {e.name}" for e in ends]
        between = f"runs from {means[0]} to {means[-1]}" if len(means) > 1 else f"is {means[0]}"
        said = f"the mean {full_title(group.first, group)}, {better(group.first, group)}, {between}"
    if group.first in table.floor:
        said += f"; real samples reach {floor_number(table, group.first)}"
    return f"{said[0].upper()}{said[1:]}."


def losses_of_runs(counts: Mapping[str, int]) -> str:
    """20 planned runs: 18 finished, 1 diverged, 1 failed."""
    parts = [f"{count} {word}" for word, count in counts.items() if word != "planned" and count]
    return f"{counts['planned']:,} planned runs: {', '.join(parts) or 'nothing ran'}"


def unit(stage: StageRecord) -> str:
    """What the runs of a contender differ by."""
    return "configurations" if stage.searches else "seeds"


def stage_title(stage: StageRecord) -> str:
    """What a stage compares, in words."""
    if stage.searches:
        return "the search"
    if stage.rule:
        return "chosen configurations"
    return "all runs" if stage.stage == "all" else stage.stage


def section_title(comparison: Comparison) -> str:
    """The heading of a comparison."""
    group, stage = comparison.main.group, comparison.stage
    said = f"{group.dataset}, protocol {group.protocol['name']}"
    return f"The search: {said}" if stage.searches else said
