"""`dinov2`: features learnt without labels, Oquab et al. 2023 (arXiv:2304.07193).

Stein et al. 2023 (arXiv:2306.04675) find that distances between them agree better with what
people see than Inception's. Images are resized and normalised as in torch-fidelity's `dinov2-...`.

Deviation: Stein et al. resize by Pillow's bicubic; torch-fidelity as TensorFlow 1 does.
"""

from pathlib import Path

from torch import Tensor, nn

from bench.core.errors import UserError
from bench.features.fidelity import ResizeAndNormalise, import_torch_fidelity
from bench.features.published import PublishedWeights, load_tensors
from bench.features.vit import VisionTransformer

# dinov2/hub/backbones.py of facebookresearch/dinov2, which torch-fidelity loads through torch.hub
PUBLISHED = "https://dl.fbaipublicfiles.com/dinov2/{0}/{0}_pretrain.pth"
# Statistics of ImageNet, by channel, in grey levels.
MEAN = (255 * 0.485, 255 * 0.456, 255 * 0.406)
DEVIATION = (255 * 0.229, 255 * 0.224, 255 * 0.225)


class DinoV2(nn.Module):
    """Images of any size -> the class token's features [B, F]; F is 384, 768, 1024 or 1536.

    Args:
        name: name of the extractor in the protocol of each score.
        model: torch-fidelity's name of the size, and of the file to download.
        weights: file with the published weights; None: a download, cached by torch.hub.
        sha256: required digest of the file; None accepts any file, and the protocol of its scores
            holds its digest.

    Raises:
        UserError: torch-fidelity or the weights are absent or damaged, or the digest is another.
    """

    def __init__(
        self, name: str, model: str, weights: str | Path | None, sha256: str | None
    ) -> None:
        super().__init__()
        module = import_torch_fidelity(name, "feature_extractor_dinov2")
        if model not in module.MODEL_METADATA:
            raise UserError(
                f"features {name!r}: torch-fidelity has no DINOv2 {model!r}",
                fix=f"set features.model to one of {', '.join(module.MODEL_METADATA)}",
            )
        url = PUBLISHED.format(module.MODEL_METADATA[model])
        published = PublishedWeights(name, url, url.rpartition("/")[2], digest=None)
        path, digest = published.resolve(weights, sha256)
        side = module.FeatureExtractorDinoV2.INPUT_IMAGE_SIZE
        with published.explain_read_errors(path):
            self.network = VisionTransformer(load_tensors(path), side)
        self.intake = ResizeAndNormalise(name, side, MEAN, DEVIATION)
        self.name, self.weight_hash, self.resize = name, digest, self.intake.resize
        self.width = self.network.width
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> tuple[Tensor, None]:
        """Images [B, 1 or 3, H, W] in [0, 1] -> features [B, F], and no logits.

        Raises:
            UserError: the samples are no images of 1 or 3 channels.
        """
        return self.network(self.intake(images)), None
