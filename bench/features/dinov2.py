"""`dinov2`: features learnt without labels, Oquab et al. 2023 (arXiv:2304.07193).

Stein et al. 2023 (arXiv:2306.04675) find that distances between them agree better with what
people see than Inception's. Images are resized and normalised as in torch-fidelity's `dinov2-...`.

Deviation: Stein et al. resize by Pillow's bicubic; torch-fidelity as TensorFlow 1 does.
"""

from pathlib import Path

from bench.features import fidelity
from bench.features.published import PublishedWeights, load_tensors
from bench.features.vit import VisionTransformer

# dinov2/hub/backbones.py of facebookresearch/dinov2, which torch-fidelity loads through torch.hub
PUBLISHED = "https://dl.fbaipublicfiles.com/dinov2/{0}/{0}_pretrain.pth"
# Statistics of ImageNet, by channel, in grey levels.
MEAN = (255 * 0.485, 255 * 0.456, 255 * 0.406)
DEVIATION = (255 * 0.229, 255 * 0.224, 255 * 0.225)


class DinoV2(fidelity.PublishedExtractor):
    """Images of any size -> the class token's features [B, F]; F is 384, 768, 1024 or 1536.

    Args:
        model: torch-fidelity's name of the size, and of the file to download.
        weights, sha256: published file and its digest, see `PublishedWeights.resolve`.

    Raises:
        UserError: torch-fidelity or the weights are absent or damaged, or the digest is another.
    """

    def __init__(
        self, name: str, model: str, weights: str | Path | None, sha256: str | None
    ) -> None:
        module = fidelity.import_torch_fidelity(name, "feature_extractor_dinov2")
        url = PUBLISHED.format(fidelity.read_metadata(name, module, "DINOv2", model))
        published = PublishedWeights(name, url, url.rpartition("/")[2], digest=None)
        path, digest = published.resolve(weights, sha256)
        side = module.FeatureExtractorDinoV2.INPUT_IMAGE_SIZE
        with published.explain_read_errors(path):
            network = VisionTransformer(load_tensors(path), side)
        intake = fidelity.ResizeAndNormalise(name, side, MEAN, DEVIATION)
        super().__init__(name, digest, intake, network, network.width)
