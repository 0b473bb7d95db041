"""The picture of the samples that lie closest to training images."""

import numpy as np
import torch
from PIL import Image

from bench.evaluation.memorisation_grid import save_pairs


def test_eight_pairs_stand_in_a_row_each_generated_image_before_its_training_image(tmp_path):
    fake = torch.arange(9).float().reshape(9, 1, 1, 1).expand(-1, 1, 4, 4) / 255  # grey 0 to 8
    train = np.arange(100, 109, dtype=np.uint8).reshape(9, 1, 1, 1).repeat(4, 2).repeat(4, 3)
    save_pairs(tmp_path / "pairs.png", fake, train)
    picture = np.asarray(Image.open(tmp_path / "pairs.png").convert("L"))
    height, width = picture.shape[0] // 2, picture.shape[1] // 16
    tiles = picture[height // 2 :: height, width // 2 :: width]
    pairs = [grey for pair in zip(range(9), range(100, 109), strict=True) for grey in pair]
    assert tiles.ravel().tolist() == [*pairs, *[255] * 14]
