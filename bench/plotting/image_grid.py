"""Images in rows, as one picture."""

import numpy as np
from PIL import Image
from torch import Tensor

SHORT_SIDE = 32  # smaller images are shown enlarged by whole factors


def grid(images: Tensor, side: int) -> Image.Image:
    """Images [N, C, H, W] in [0, 1] in rows of `side`, N a multiple of it; grey or colour."""
    pixels = (images * 255).round().clamp(0, 255).byte().cpu().numpy()
    factor = max(1, SHORT_SIDE // pixels.shape[2])
    pixels = pixels.repeat(factor, axis=2).repeat(factor, axis=3)
    pixels = np.pad(pixels, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=255)
    _, channels, height, width = pixels.shape
    tiled = pixels.reshape(-1, side, channels, height, width).transpose(0, 3, 1, 4, 2)
    tiled = tiled.reshape(-1, side * width, channels)
    return Image.fromarray(tiled[..., 0] if channels == 1 else tiled)
