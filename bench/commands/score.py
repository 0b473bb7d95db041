"""`bench score`: score stored runs again, or a folder of images, as columns of a table."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from bench.core.errors import UserError
from bench.core.files import write_text
from bench.evaluation.external_images import score_images
from bench.evaluation.rescore import rescore
from bench.reporting.output.scorecard import Card, format_json, print_cards
from bench.runs.folder import find_run

BASELINE_LABELS = {"real": "real (floor)", "real_halves": "real halves (bias)"}


def score_command(arguments: argparse.Namespace, runs: list[str], overrides: list[str]) -> int:
    """Score runs or images, print a table or JSON, and return 1 where a score is missing, else 0.

    Raises:
        UserError: options that do not go together, or nothing that can be scored.
    """
    if bool(runs) == (arguments.images is not None):
        fix = "`bench score RUN...` or `bench score --images DIR --reference dataset=mnist`"
        raise UserError("bench score wants runs, or --images, and not both", fix=fix)
    for option in ("--reference", "--statistics-to", "--bare"):
        if runs and getattr(arguments, option[2:].replace("-", "_")):
            raise UserError(f"{option} goes with --images alone", fix=f"leave {option} out")
    if not runs and arguments.checkpoint != "final":
        raise UserError("--checkpoint goes with runs alone", fix="leave --checkpoint out")
    if runs:
        cards = _score_runs(Path(arguments.runs_root), runs, overrides, arguments.checkpoint)
    else:
        cards = _score_images(arguments, [*overrides, f"runs_root={arguments.runs_root}"])
    if arguments.json == "-":
        print(format_json(cards), end="")
    else:
        print_cards(cards)  # before the file is written, which may fail
        if arguments.json is not None:
            write_text(Path(arguments.json), format_json(cards))
    return int(any(card.status != "finished" for card in cards))


def _score_runs(
    runs_root: Path, runs: Sequence[str], overrides: Sequence[str], checkpoint: str
) -> list[Card]:
    """Return the scores of stored runs, computed where no row of this protocol has them."""
    cards = []
    for name in runs:
        rescored = rescore(find_run(runs_root, name), overrides, checkpoint)
        row = rescored.row
        title = f"{row.variant} {row.run_id[:6]}, seed {row.seed}"
        if row.checkpoint != "final":
            title += f", {row.checkpoint}"
        baselines = {BASELINE_LABELS[b.variant]: b.scores for b in rescored.baselines}
        facts = (row.protocol, row.measures, row.scores, row.details)
        cards.append(Card(title, *facts, baselines, row.status))
    return cards


def _score_images(arguments: argparse.Namespace, overrides: Sequence[str]) -> list[Card]:
    """Return the scores of a folder of images; none where only their statistics are written."""
    images, statistics_to = Path(arguments.images), arguments.statistics_to
    if arguments.reference is None and statistics_to is None:
        fix = "add --reference dataset=NAME, a folder of images or a file of statistics"
        raise UserError("bench score --images has nothing to compare with", fix=fix)
    to = None if statistics_to is None else Path(statistics_to)
    reference, baselines = arguments.reference, not arguments.bare
    if (scored := score_images(images, reference, overrides, to, baselines=baselines)) is None:
        return []
    scores = {name: value for name, value in scored.scores.items() if "." not in name}
    details = {name: value for name, value in scored.scores.items() if "." in name}
    reals = {BASELINE_LABELS[variant]: score for variant, score, _ in scored.baselines if score}
    return [Card(images.name, scored.protocol, scored.measures, scores, details, reals)]
