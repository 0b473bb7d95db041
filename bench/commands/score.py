"""`bench score`: score stored runs again, images, or a function, as columns of a table."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from bench.core.errors import UserError
from bench.core.files import write_text
from bench.data.decode import check_convert
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
    given = (runs or None, arguments.images, arguments.generator)
    if sum(part is not None for part in given) != 1:
        fix = "`bench score RUN...` or `bench score --images DIR --reference dataset=mnist`"
        message = "bench score wants runs, or --images, or --generator, and one of them alone"
        raise UserError(message, fix=fix)
    if arguments.generator is not None and arguments.convert is not None:
        raise UserError("--convert goes with --images alone", fix="leave --convert out")
    for option in ("--reference", "--statistics-to", "--convert", "--bare"):
        if runs and getattr(arguments, option[2:].replace("-", "_")):
            raise UserError(
                f"{option} goes with --images or --generator", fix=f"leave {option} out"
            )
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
    """Return the scores of images or a function; none where only statistics are written."""
    images, statistics_to = Path(arguments.generator or arguments.images), arguments.statistics_to
    option = "--images" if arguments.generator is None else "--generator"
    if arguments.reference is None and statistics_to is None:
        fix = "add --reference dataset=NAME, a folder of images or a file of statistics"
        raise UserError(f"bench score {option} has nothing to compare with", fix=fix)
    to = None if statistics_to is None else Path(statistics_to)
    reference, how = arguments.reference, {"convert": arguments.convert}
    check_convert(arguments.convert, "--convert")
    how |= {"baselines": not arguments.bare, "generator": arguments.generator}
    scored = score_images(images, reference, overrides, to, **how)
    if scored is None:
        return []
    scores = {name: value for name, value in scored.scores.items() if "." not in name}
    details = {name: value for name, value in scored.scores.items() if "." in name}
    reals = {BASELINE_LABELS[variant]: score for variant, score, _ in scored.baselines if score}
    return [Card(images.name, scored.protocol, scored.measures, scores, details, reals)]
