"""Scores of single checkpoints or folders of images on the terminal, and as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from bench.reporting.data.protocols import differing
from bench.reporting.tables import rounding
from bench.reporting.text import words
from bench.runs.rows import in_order


@dataclass(frozen=True)
class Card:
    """One column: what was scored, how, and what came out.

    Args:
        floors: name -> scores of real samples under the same protocol.
    """

    name: str
    protocol: Mapping[str, Any]
    scores: Mapping[str, float]
    details: Mapping[str, float]
    floors: Mapping[str, Mapping[str, float]]
    status: str = "finished"


def as_json(cards: Sequence[Card]) -> str:
    """All digits of all cards."""
    content = [
        {
            "name": card.name,
            "status": card.status,
            "protocol": card.protocol,
            "scores": card.scores,
            "details": card.details,
            "real": card.floors,
        }
        for card in cards
    ]
    return json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n"


def render(cards: Sequence[Card], console: Console | None = None) -> None:
    """Print one table for each protocol; what may not be compared stands apart, with the reason."""
    console = console or Console()
    tables: list[list[Card]] = []
    for card in cards:
        same = next((t for t in tables if not differing(t[0].protocol, card.protocol)), None)
        if same is None:
            tables.append([card])
        else:
            same.append(card)
    for index, table in enumerate(tables):
        if index:
            reasons = differing(tables[0][0].protocol, table[0].protocol)
            said = f"Not comparable with the first table; they differ in {words.listed(reasons)}."
            console.print(Text(said))
        _print(table, console)


def _print(cards: Sequence[Card], console: Console) -> None:
    protocol = cards[0].protocol
    real, fake = (words.worded(protocol.get(key)) for key in ("n_real", "n_fake"))
    rounded = {True: ", rounded to 8 bits", False: ", not rounded"}.get(
        protocol.get("quantised"), ""
    )
    console.print(
        Text(
            f"{protocol['name']}: {protocol['extractor']} features of {fake} samples against "
            f"{real} real ones ({words.worded(protocol.get('split'))}){rounded}"
        )
    )
    floors: dict[str, Mapping[str, float]] = {}
    for card in cards:
        floors |= card.floors
    shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    shown.add_column("score")
    shown.add_column("better")
    for card in cards:
        shown.add_column(card.name, justify="right")
    for name in floors:
        shown.add_column(name, justify="right")
    for metric in in_order(protocol["metrics"]):
        values = [_value(card.scores, card.details, metric) for card in cards]
        values += [_value(scores, {}, metric) for scores in floors.values()]
        shown.add_row(words.title(metric), protocol["metrics"][metric], *values)
    console.print(shown)
    for card in cards:
        for note in notes(card):
            console.print(Text(f"{card.name}: {note}"))


def _value(scores: Mapping[str, float], details: Mapping[str, float], metric: str) -> str:
    if metric not in scores:
        return "-"
    value, noise = scores[metric], details.get(f"{metric}.latent_sd")
    places = rounding.decimals([value])
    said = rounding.number(value, places)
    return said if noise is None else f"{said} +/- {rounding.number(noise, places)}"


def notes(card: Card) -> list[str]:
    """What a reader must know beside the numbers."""
    found = []
    if card.status != "finished":
        found.append(f"the run {card.status}: there is nothing to score")
    if card.details.get("memorised.excess_low", 0.0) > 0:
        found.append(words.memorising(card.details))
    return found
