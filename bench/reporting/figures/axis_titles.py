"""What an axis shows, in words."""

from bench.reporting.tables.methods import Group
from bench.reporting.text import words


def quantity(group: Group, *, log: bool, between: str = ", ") -> str:
    """Frechet distance (digits_convnet features), lower is better, logarithmic axis."""
    said = f"{words.full_title(group.first, group)}{between}{words.better(group.first, group)}"
    return f"{said}, logarithmic axis" if log else said
