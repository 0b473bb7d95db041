"""Structural similarity of pairs of images as a measure of diversity: Odena et al. 2017.

arXiv:1610.09585, section 4.2: the more alike two generated images are on average, the less
diverse they are. Single-scale SSIM: Wang et al. 2004 (IEEE Trans. Image Process. 13, 600),
equation 13; MS-SSIM: Wang, Simoncelli and Bovik 2003 (Asilomar, p. 1398), equation 7, as
compare_gan's image_similarity.py has it.
"""

import numpy as np

DIRECTIONS = {"ssim": "lower", "ms_ssim": "lower"}
TARGETS = {"ssim": "real data", "ms_ssim": "real data"}  # best where it is that of real data
UNITS = {
    "ssim": "mean similarity of two generated images, -1 to 1",
    "ms_ssim": "mean similarity of two generated images, 0 to 1",
}
TITLES = {"ssim": "SSIM of pairs", "ms_ssim": "MS-SSIM of pairs"}
POSITIONS = {"ssim": 130, "ms_ssim": 140}
WINDOW, SIGMA, C_1, C_2 = 11, 1.5, 0.01**2, 0.03**2  # Wang et al. 2004, section III
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al. 2003
MS_SIDE = 4 * WINDOW  # the window fits the three finest scales, with 63 % of the weight
CHUNK = 2**18  # pixels of pairs at once: a few megabytes, which stay in cache


def similarity(images: np.ndarray, *, batch: int) -> dict[str, float]:
    """Mean over all pairs within each batch: `ms_ssim` from 44 pixels a side on, else `ssim`.

    Args:
        images: generated, [n, C, H, W] in [0, 1].
        batch: images in which each is compared with each, at most; 64 in compare_gan, of 320.

    Returns:
        1 for a generator of one image.

    Raises:
        ValueError: fewer than two images, or than two in a batch, a side below 2, or a pixel
            outside [0, 1].
    """
    images = np.asarray(images, dtype=np.float64)
    if images.ndim != 4 or len(images) < 2 or min(images.shape[2:]) < 2 or batch < 2:
        raise ValueError(
            "similarity: two images [n, C, H, W] and a batch of two at least, and sides of 2, "
            f"found {images.shape}, batch={batch}"
        )
    if not (images.min() >= 0 and images.max() <= 1):  # written so that NaN is refused
        raise ValueError(
            f"similarity: pixels must lie in [0, 1], found {images.min():g} to {images.max():g}"
        )
    parts = np.array_split(images, -(-len(images) // batch))
    name, measure = ("ms_ssim", ms_ssim) if min(images.shape[2:]) >= MS_SIDE else ("ssim", ssim)
    return {name: float(np.mean([measure(part).mean() for part in parts if len(part) > 1]))}


def ssim(images: np.ndarray) -> np.ndarray:
    """(2 m_x m_y + C1)(2 s_xy + C2) / ((m_x^2 + m_y^2 + C1)(s_x^2 + s_y^2 + C2)), mean over places.

    Returns:
        One number for each of n (n - 1) / 2 pairs of images [n, C, H, W], float64 in [0, 1], in the
        order of np.triu_indices(n, 1): mean over channels and all places of a Gaussian window
        within the image.

    Deviation: the window is as large as the image where that has fewer than 11 pixels a side.
    """
    return _local(images)[0].mean(1)


def ms_ssim(images: np.ndarray) -> np.ndarray:
    """l_5^w_5 prod_i c_i^w_i with contrast and structure c_i at five scales, each half the last.

    One number for each pair of images [n, C, H, W] as from `ssim`, mean over channels.

    Deviation: negative means of a scale count as 0, and the window is cut at scales smaller
    than it; both as in compare_gan.
    """
    result = np.ones(())
    for scale, weight in enumerate(WEIGHTS):
        if scale > 0:
            images = _halved(images)
        whole, contrast = _local(images)
        factor = whole if scale == len(WEIGHTS) - 1 else contrast
        result = result * factor.clip(min=0) ** weight
    return result.mean(1)


def _local(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """SSIM and its factor without luminance, mean over places: [P, C] for P pairs."""
    sides = images.shape[2:]
    window = min(WINDOW, *sides)
    down, across = (_windows(side, window) for side in sides)

    def smooth(x: np.ndarray) -> np.ndarray:
        return down @ (x @ across.T)

    mean = smooth(images)
    power = mean**2
    variance = (smooth(images**2) - power).clip(min=0)  # rounding lies on either side of 0
    first, second = np.triu_indices(len(images), 1)
    whole, contrast = np.empty((2, len(first), images.shape[1]))
    step = max(1, CHUNK // images[0].size)
    for start in range(0, len(first), step):
        part = slice(start, start + step)
        i, j = first[part], second[part]
        product = mean[i] * mean[j]
        ratio = 2 * (smooth(images[i] * images[j]) - product) + C_2
        ratio /= variance[i] + variance[j] + C_2
        contrast[part] = ratio.mean((2, 3))
        ratio *= 2 * product + C_1
        ratio /= power[i] + power[j] + C_1
        whole[part] = ratio.mean((2, 3))
    return whole, contrast


def _windows(side: int, window: int) -> np.ndarray:
    """Gaussian weights [side - window + 1, side] of each place of the window."""
    weights = np.exp(-0.5 * ((np.arange(window) - (window - 1) / 2) / SIGMA) ** 2)
    places = np.arange(side - window + 1)
    matrix = np.zeros((len(places), side))
    matrix[places[:, None], places[:, None] + np.arange(window)] = weights / weights.sum()
    return matrix


def _halved(images: np.ndarray) -> np.ndarray:
    """Means of 2 x 2 pixels; the last row or column of an odd side counts twice."""
    n, channels, height, width = images.shape
    images = np.pad(images, ((0, 0), (0, 0), (0, height % 2), (0, width % 2)), mode="symmetric")
    return images.reshape(n, channels, -(-height // 2), 2, -(-width // 2), 2).mean((3, 5))
