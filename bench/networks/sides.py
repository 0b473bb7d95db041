"""Sides of the feature maps between an image and the smallest map of a network."""

LEAST_SIDE = 4  # of the smallest feature map: 4x4 for images of 32x32 in all networks that use this


def pyramid(shape: list[int], *, network: str) -> list[tuple[int, int]]:
    """Return the sides (H, W) of the maps from the smallest to the image's, each twice the last.

    Images of 8, 16, 32 and 64 pixels start at 4x4, those of 28 at 7x7.

    Args:
        shape: [C, H, W].
        network: its name in the message.

    Raises:
        ValueError: the image cannot be halved once.
    """
    _, height, width = shape
    levels = [(height, width)]
    while not (height % 2 or width % 2) and min(height, width) >= 2 * LEAST_SIDE:
        height, width = height // 2, width // 2
        levels.insert(0, (height, width))
    if len(levels) == 1:
        raise ValueError(
            f"images of {height}x{width}: the {network} networks halve the sides, so both must be "
            f"even and {2 * LEAST_SIDE} or more"
        )
    return levels
