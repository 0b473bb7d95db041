"""Convert images between the suite's range of pixels, [0, 1], and that of a network or a penalty.

A network says its range by `pixel_range`, (black, white), and a term of a loss by the key of that
name, so that numbers that were published for that range can be taken over. Nothing is clipped:
an unbounded generator may leave the range; its samples are clipped when they are scored or drawn.
"""

from typing import Any

from torch import Tensor

from bench.core.number_checks import is_number

Range = tuple[float, float]  # black, white
UNIT: Range = (0.0, 1.0)  # the suite's


def require_range(value: Any, owner: str) -> Range:
    """Return a range as two floats, or raise a ValueError.

    Args:
        value: black and white, two numbers.
        owner: whose range it is, for the message.
    """
    pair = list(value) if isinstance(value, list | tuple) else []
    if len(pair) != 2 or not all(map(is_number, pair)) or not pair[0] < pair[1]:
        wanted = "set it to two numbers, black below white, as [-1, 1]"
        raise ValueError(f"pixel_range of {owner} is {value!r}; {wanted}")
    return float(pair[0]), float(pair[1])


def pixel_range(network: Any) -> Range:
    """Return the range of pixels that a network works in: its `pixel_range`, else [0, 1]."""
    return require_range(getattr(network, "pixel_range", UNIT), type(network).__name__)


def from_unit(samples: Tensor, pixels: Range) -> Tensor:
    """black + x (white - black): images in [0, 1], [B, C, H, W], in another range."""
    if pixels == UNIT:
        return samples
    black, white = pixels
    return black + samples * (white - black)


def to_unit(samples: Tensor, pixels: Range) -> Tensor:
    """(x - black) / (white - black): images of another range, [B, C, H, W], in [0, 1]."""
    if pixels == UNIT:
        return samples
    black, white = pixels
    return (samples - black) / (white - black)
