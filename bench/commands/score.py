"""`bench score`: what is scored, as columns of a table."""

from collections.abc import Sequence
from pathlib import Path

from bench.core.errors import UserError
from bench.core.files import write_text
from bench.evaluation.external_images import score_images
from bench.evaluation.rescore import rescore
from bench.reporting.output.scorecard import Card, as_json, render
from bench.runs.folder import find_run

FLOORS = {"real": "real (floor)", "real_halves": "real halves (bias)"}


def run_cards(
    runs_root: Path, runs: Sequence[str], overrides: Sequence[str], checkpoint: str
) -> list[Card]:
    """Stored runs, scored where they are not yet under this protocol."""
    cards = []
    for name in runs:
        found = rescore(find_run(runs_root, name), overrides, checkpoint)
        row = found.row
        title = f"{row.variant} {row.run_id[:6]}, seed {row.seed}"
        if row.checkpoint != "final":
            title += f", {row.checkpoint}"
        floors = {FLOORS[f.variant]: f.scores for f in found.floors}
        cards.append(Card(title, row.protocol, row.scores, row.details, floors, row.status))
    return cards


def image_cards(
    images: Path,
    reference: str | None,
    overrides: Sequence[str],
    *,
    statistics_to: str | None,
    floors: bool,
) -> list[Card]:
    """Given images; none where only their statistics are written."""
    if reference is None and statistics_to is None:
        raise UserError(
            "bench score --images has nothing to compare with",
            fix="add --reference dataset=NAME, a folder of images or a file of statistics",
        )
    to = None if statistics_to is None else Path(statistics_to)
    found = score_images(images, reference, overrides, to, floors=floors)
    if found is None:
        return []
    scores, details = (
        {k: v for k, v in found.scores.items() if ("." in k) == dotted} for dotted in (False, True)
    )
    reals = {FLOORS[variant]: score for variant, score, _ in found.floors if score}
    return [Card(images.name, found.protocol, scores, details, reals)]


def show(cards: Sequence[Card], json: str | None) -> int:
    """Print the table, write or print JSON; 1 where a run has no score."""
    if json == "-":
        print(as_json(cards), end="")
    else:
        render(cards)  # first: the file may turn out not to be writable
        if json is not None:
            write_text(Path(json), as_json(cards))
    return int(any(card.status != "finished" for card in cards))
