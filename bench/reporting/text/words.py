"""Describe metrics, protocols, rankings and counts in words."""

from collections.abc import Iterable, Mapping, Sequence

from bench.core.text import printable, shorten
from bench.metrics.declarations import read_declarations
from bench.reporting.data.protocols import MEASURES_APART, describe_differences
from bench.reporting.data.records import StageRecord
from bench.reporting.tables.comparisons import Comparison
from bench.reporting.tables.methods import TableGroup
from bench.reporting.tables.rounding import decimals_by_metric, format_baseline, format_number
from bench.reporting.tables.summary import ALPHA, Table

PROTOCOL_TITLES = {
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
NUMBER_WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
NUMBER_WORDS += ["eleven", "twelve"]
CLASSES_NOTE = (
    "Share of the samples of each class that the classifier sees as this class, mean over finished "
    "runs; beside it that of real samples of another split, which no generator should beat. Share: "
    "how many of the generated samples were asked to be of the class."
)
DAGGER = "\u2020"
TITLE_LENGTH = 60  # characters of the title of a metric that the suite does not know


def metric_title(metric: str) -> str:
    """Return the title of a metric, "Frechet distance"."""
    titles = read_declarations()["TITLES"]
    return titles.get(metric) or shorten(printable(metric.replace("_", " ")), TITLE_LENGTH)


def memorisation_warning(details: Mapping[str, float]) -> str:
    """Return the sentence shown for a generator that copies training images."""
    low, held_out = details["memorised.excess_low"], details["memorised.held_out"]
    return (
        "memorised: its samples lie very close to a training image (closer than that image's "
        f"nearest neighbour) more often than held-out real images do ({held_out:.3f} of these), "
        f"by {low:.3f} or more (95% interval)"
    )


def full_metric_title(metric: str, group: TableGroup) -> str:
    """Return "Frechet distance (digits_convnet features)": no score without its extractor."""
    return f"{metric_title(metric)} ({group.protocol['extractor']} features)"


def has_target(metric: str) -> bool:
    """Return whether a metric is best where it equals that of real data: SSIM of pairs, say."""
    return metric in read_declarations()["TARGETS"]


def better_side(metric: str, direction: str) -> str:
    """Return the direction, or "as real data" of a metric that has a target instead of one."""
    return "as real data" if has_target(metric) else direction


def better_direction(metric: str, group: TableGroup) -> str:
    """Return "lower is better", "higher is better" or "closest to real data is better"."""
    if has_target(metric):
        return "closest to real data is better"
    return f"{group.metrics[metric]} is better"


def main_score_title(group: TableGroup) -> str:
    """Return "Frechet distance (digits_convnet features), lower is better", of the first metric.

    A group of conditional runs adds "class-conditional runs".
    """
    kind = ", class-conditional runs" * group.conditional
    return f"{full_metric_title(group.first, group)}, {better_direction(group.first, group)}{kind}"


def factor_title(factor: str) -> str:
    """Return "train images" for train_images, "learning rate" for hyperparameters.learning_rate."""
    return factor.rpartition(".")[2].replace("_", " ")


def count_phrase(count: int, noun: str) -> str:
    """Return "no runs", "one run", "twelve runs", "13 runs"."""
    number = NUMBER_WORDS[count] if count < len(NUMBER_WORDS) else f"{count:,}"
    return f"{number} {noun}" if count == 1 else f"{number} {noun}s"


def join_with_and(names: Iterable[str]) -> str:
    """Return "a, b and c"."""
    *most, last = list(names)
    return f"{', '.join(most)} and {last}" if most else last


def protocol_title(group: TableGroup) -> str:
    """Return "quick", or "quick, class-conditional" for samples of classes that were asked for."""
    return f"{group.protocol['name']}{', class-conditional' * group.conditional}"


def describe_samples(group: TableGroup) -> str:
    """Return "2,000 generated samples against 360 real ones of the test split, ... checkpoint".

    Of conditional runs: "2,000 class-conditional samples (classes drawn by ...) against ...".
    """
    protocol = group.protocol
    counts = (protocol.get(key) for key in ("n_fake", "n_real"))
    fake, real = (f"{count:,}" if isinstance(count, int) else "all" for count in counts)
    kind = "generated samples"
    if group.conditional:
        kind = f"class-conditional samples (classes drawn {protocol['classes_drawn']})"
    return (
        f"{fake} {kind} against {real} real ones of the "
        f"{protocol.get('split', 'unnamed')} split, {group.checkpoint} checkpoint"
    )


def own_choices(group: TableGroup) -> dict[str, dict[str, list[str]]]:
    """Return the runs' own protocol choices: prior -> {uniform: [names], normal: [names]}."""
    choices: dict[str, dict[str, list[str]]] = {}
    for method in group.methods:
        for row in method.rows:
            for key in set(row.protocol) - set(group.protocol):
                names = choices.setdefault(key, {}).setdefault(format_value(row.protocol[key]), [])
                if method.name not in names:
                    names.append(method.name)
    return dict(sorted(choices.items()))


def protocol_items(group: TableGroup) -> dict[str, str]:
    """Return title -> value of the protocol's fields, those of PROTOCOL_TITLES first."""
    protocol = group.protocol
    rest = sorted(set(protocol) - set(PROTOCOL_TITLES) - {"measures", MEASURES_APART})
    titles = PROTOCOL_TITLES | {key: key.replace("_", " ") for key in rest}
    items = {title: format_value(protocol[k]) for k, title in titles.items() if k in protocol}
    measures = {n: m["arguments"] | m.get("code", {}) for n, m in protocol["measures"].items()}
    return {**items, "measures": format_value(measures)}


def format_value(value: object) -> str:
    """Format a setting for readers: yes, none, 2,000, 0.5, a (1), b (2)."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        texts = (f"{k} ({format_value(v)})" if v != {} else str(k) for k, v in value.items())
        return ", ".join(texts)
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def comparability_notes(groups: Sequence[TableGroup]) -> dict[str, str]:
    """Return slug -> why the table may not be ranked with the first one of its data set.

    The note is empty if it may be.
    """
    firsts: dict[str, TableGroup] = {}
    notes = {}
    for group in groups:
        first = firsts.setdefault(group.dataset, group)
        reasons = describe_differences(first.protocol, group.protocol)
        if first.checkpoint != group.checkpoint:
            reasons.insert(0, f"checkpoint ({first.checkpoint}, {group.checkpoint})")
        why = f"they differ in {join_with_and(reasons)}" if reasons else ""
        notes[group.slug] = f"Do not compare it with {first.slug}: {why}." if why else ""
    return notes


def describe_ranking(table: Table) -> str:
    """Say in one or two sentences what the order is worth, with no winner the test rejects."""
    test, rows = table.ranking, table.rows
    if len(rows) < 2:
        return "Only one variant: there is nothing to compare it with."
    if not test.letters:
        distinct = len({row.method.variant for row in rows}) == len(rows)
        noun = "variants" if distinct else "settings"
        have = " to ".join(str(n) for n in dict.fromkeys((test.min_runs, test.max_runs)))
        return (
            f"Too few seeds to rank: {have} per variant, and it takes at least {test.runs_needed} "
            f"of each to show any difference between {len(rows)} {noun} (exact rank-sum tests, "
            f"{ALPHA:.0%} over all pairs). The order is by mean and is not a ranking."
        )
    untested = [row.name for row in rows if row.name not in test.compared]
    few = ""
    if untested:
        few = f" Too few seeds to rank {join_with_and(untested)} ({test.runs_needed} are needed)."
    among = "Among those with enough seeds: " if untested else ""
    return (
        f"{among}{describe_leaders(table)}{few} Tested by exact rank-sum tests, {ALPHA:.0%} over "
        "all pairs (Holm); a diverged run counts as worse than any score."
    )


def describe_leaders(table: Table) -> str:
    """Say in one sentence which of the methods with enough seeds are ahead."""
    test = table.ranking
    first, letters = test.compared[0], test.letters
    peers = [name for name in test.compared[1:] if set(letters[name]) & set(letters[first])]
    if test.better_than_first:
        return (
            f"{first} comes first by the mean of its finished runs, but with diverged runs "
            f"counted {join_with_and(test.better_than_first)} did significantly better."
        )
    if len(peers) + 1 == len(test.compared):
        return f"No significant difference between {join_with_and(test.compared)}."
    if peers:
        alike = join_with_and(peers)
        return f"{first} comes first by mean; {alike} did not differ significantly from it."
    return f"{first} comes first by mean and differs significantly from every other."


def describe_score_range(table: Table) -> str:
    """Say in one sentence from where to where the means go, and what real samples score."""
    group, metric = table.group, table.group.first
    title, places = full_metric_title(metric, group), decimals_by_metric(table)[metric]
    scores = [(r.name, r.cells[metric].mean) for r in table.rows if metric in r.cells]
    means = [f"{format_number(mean, places)} for {name}" for name, mean in scores]
    sentence = f"no run has a {title}"
    if means:
        span = f"ranges from {means[0]} to {means[-1]}" if len(means) > 1 else f"is {means[0]}"
        sentence = f"the mean {title}, {better_direction(metric, group)}, {span}"
    if metric in table.real_baseline:
        sentence += f"; real samples score {format_baseline(table, metric)}"
    return f"{sentence[0].upper()}{sentence[1:]}."


def describe_sources(tables: Iterable[Table]) -> str:
    """Say which rows come from published studies; empty where all runs are one's own."""
    runs = (run for table in tables for run, _ in table.group.runs)
    if not (marks := [f"[{name}]" for name in sorted({r.source for r in runs if r.source})]):
        return ""
    whose = "that study's published rows" if len(marks) == 1 else "these studies' published rows"
    return f"Variants marked {join_with_and(marks)} are {whose}."


def describe_run_counts(counts: Mapping[str, int]) -> str:
    """Return "20 planned runs: 18 finished, 1 diverged, 1 failed"."""
    parts = [f"{count} {word}" for word, count in counts.items() if word != "planned" and count]
    return f"{counts['planned']:,} planned runs: {', '.join(parts) or 'nothing ran'}"


def varying_factor(stage: StageRecord) -> str:
    """Return what the runs of one method differ by: "configurations" in a search, or "seeds"."""
    return "configurations" if stage.is_search else "seeds"


def stage_title(stage: StageRecord) -> str:
    """Return a title that tells what a stage compares."""
    if stage.is_search:
        return "the search"
    if stage.factors:
        return stage.stage
    if stage.rule:
        return "chosen configurations"
    return "all runs" if stage.stage == "all" else stage.stage


def section_title(comparison: Comparison) -> str:
    """Return the heading of a comparison's section."""
    group, stage = comparison.main.group, comparison.stage
    title = f"{group.dataset}, protocol {protocol_title(group)}"
    if stage.factors:
        return f"{stage.stage}: {title}"
    return f"The search: {title}" if stage.is_search else title
