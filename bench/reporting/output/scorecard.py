"""Print the scores of single checkpoints or folders of images, as tables or as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table as RichTable

from bench.reporting.data.protocols import describe_differences, with_measures
from bench.reporting.tables import rounding
from bench.reporting.text import words
from bench.reporting.text.terminal import cell, plain
from bench.runs.rows import directions_of, sort_for_display


@dataclass(frozen=True)
class Card:
    """One column of the table: the scores of a checkpoint or a folder, and their protocol.

    Args:
        baselines: name -> scores of real samples under the same protocol.
    """

    name: str
    protocol: Mapping[str, Any]
    measures: Mapping[str, Mapping[str, Any]]
    scores: Mapping[str, float]
    details: Mapping[str, float]
    baselines: Mapping[str, Mapping[str, float]]
    status: str = "finished"

    @property
    def directions(self) -> dict[str, str]:
        """Return score -> "lower" or "higher"."""
        return directions_of(self.measures)

    def differences(self, other: "Card") -> list[str]:
        """Name the fields of the protocols for which two cards cannot be compared."""
        return describe_differences(
            with_measures(self.protocol, self.measures),
            with_measures(other.protocol, other.measures),
        )


def format_json(cards: Sequence[Card]) -> str:
    """Format all cards as JSON, with all digits."""
    names = ("name", "status", "protocol", "measures", "scores", "details")
    content = [
        {key: getattr(card, key) for key in names} | {"real": card.baselines} for card in cards
    ]
    return json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n"


def print_cards(cards: Sequence[Card], console: Console | None = None) -> None:
    """Print one table for each protocol, with the reason why it is not part of the first."""
    console = console or Console()
    tables: list[list[Card]] = []
    for card in cards:
        same = [t for t in tables if not t[0].differences(card)]
        if same:
            same[0].append(card)
        else:
            tables.append([card])
    for index, table in enumerate(tables):
        if index:
            reasons = words.join_with_and(tables[0][0].differences(table[0]))
            console.print(plain(f"Not comparable with the first table; they differ in {reasons}."))
        _print_table(table, console)


def _print_table(cards: Sequence[Card], console: Console) -> None:
    protocol = cards[0].protocol
    real, fake = (words.format_value(protocol.get(key)) for key in ("n_real", "n_fake"))
    quantised = protocol.get("quantised")
    rounded = ""
    if isinstance(quantised, bool):
        rounded = ", rounded to 8 bits" if quantised else ", not rounded"
    for key, what in (("converted", "images"), ("real_converted", "real images")):
        if key in protocol:
            rounded += f", {what} converted to {protocol[key]}"
    kind = "class-conditional samples" if protocol.get("conditional") else "samples"
    samples = f"{protocol['extractor']} features of {fake} {kind}"
    against = f"{real} real ones ({words.format_value(protocol.get('split'))})"
    console.print(plain(f"{protocol['name']}: {samples} against {against}{rounded}"))
    baselines = {name: scores for card in cards for name, scores in card.baselines.items()}
    shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    shown.add_column("score")
    shown.add_column("better")
    for name in (*(card.name for card in cards), *baselines):
        shown.add_column(plain(name), justify="right")
    directions = {name: way for card in cards for name, way in card.directions.items()}
    for metric in sort_for_display(directions):
        values = [_format_score(card.scores, card.details, metric) for card in cards]
        values += [_format_score(scores, {}, metric) for scores in baselines.values()]
        side = words.better_side(metric, directions[metric])
        shown.add_row(cell(words.metric_title(metric)), side, *values)
    console.print(shown)
    for card in cards:
        for note in notes(card):
            console.print(plain(f"{card.name}: {note}"))


def _format_score(scores: Mapping[str, float], details: Mapping[str, float], metric: str) -> str:
    if metric not in scores:
        return "-"
    value, noise = scores[metric], details.get(f"{metric}.latent_sd")
    places = rounding.column_decimals([value])
    text = rounding.format_number(value, places)
    return text if noise is None else f"{text} +/- {rounding.format_number(noise, places)}"


def notes(card: Card) -> list[str]:
    """Return warnings on a card's scores: the run diverged, the generator copies."""
    warnings = []
    if card.status != "finished":
        warnings.append(f"the run {card.status}: there is nothing to score")
    if card.details.get("memorised.excess_low", 0.0) > 0:
        warnings.append(words.memorisation_warning(card.details))
    return warnings
