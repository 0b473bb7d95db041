"""Tile images into one picture."""

import numpy as np
from PIL import Image
from torch import Tensor

SIDE = 8  # images along each side of a run's picture
MOST_ROWS = 100  # classes, a row each, in a run's picture
MIN_HEIGHT = 32  # pixels; smaller images are enlarged by whole factors


def make_grid(images: Tensor, columns: int) -> Image.Image:
    """Tile images [N, C, H, W] in [0, 1], grey or colour; N is a multiple of columns."""
    pixels = (images * 255).round().clamp(0, 255).byte().cpu().numpy()
    factor = max(1, MIN_HEIGHT // pixels.shape[2])
    pixels = pixels.repeat(factor, axis=2).repeat(factor, axis=3)
    pixels = np.pad(pixels, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=255)
    _, channels, height, width = pixels.shape
    tiled = pixels.reshape(-1, columns, channels, height, width).transpose(0, 3, 1, 4, 2)
    tiled = tiled.reshape(-1, columns * width, channels)
    return Image.fromarray(tiled[..., 0] if channels == 1 else tiled)
