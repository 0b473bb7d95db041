"""`dinov2`: features learnt without labels, Oquab et al. 2023 (arXiv:2304.07193).

Stein et al. 2023 (arXiv:2306.04675) find that distances between them agree better with what
people see than Inception's. Images come in as torch-fidelity's `dinov2-...` extractors take them.

Deviation: Stein et al. resize by Pillow's bicubic; torch-fidelity as TensorFlow 1 does.
"""

from pathlib import Path

from torch import Tensor, nn

from bench.core.errors import UserError
from bench.features.fidelity import Intake, torch_fidelity
from bench.features.published import Weights, tensors_of
from bench.features.vit import VisionTransformer

# dinov2/hub/backbones.py of facebookresearch/dinov2, which torch-fidelity loads through torch.hub
PUBLISHED = "https://dl.fbaipublicfiles.com/dinov2/{0}/{0}_pretrain.pth"
# Of ImageNet, by channel, in grey levels.
MEAN = (255 * 0.485, 255 * 0.456, 255 * 0.406)
DEVIATION = (255 * 0.229, 255 * 0.224, 255 * 0.225)


class DinoV2(nn.Module):
    """Images of any size -> the class token's features [B, F]; F is 384, 768, 1024 or 1536.

    Args:
        name: stands in the protocol of each score.
        model: torch-fidelity's name of the size, of the file to download.
        weights: file with the published weights; None for a download, kept by torch.hub.
        sha256: what the file's digest must be; None accepts any file, and scores made with it
            are named by its digest.

    Raises:
        UserError: torch-fidelity or the weights are absent, damaged or others.
    """

    def __init__(
        self, name: str, model: str, weights: str | Path | None, sha256: str | None
    ) -> None:
        super().__init__()
        theirs = torch_fidelity(name, "feature_extractor_dinov2")
        if model not in theirs.MODEL_METADATA:
            raise UserError(
                f"features {name!r}: torch-fidelity has no DINOv2 {model!r}",
                fix=f"features.model= one of {', '.join(theirs.MODEL_METADATA)}",
            )
        url = PUBLISHED.format(theirs.MODEL_METADATA[model])
        published = Weights(name, url, url.rpartition("/")[2], digest=None)
        path, digest = published.checked(weights, sha256)
        side = theirs.FeatureExtractorDinoV2.INPUT_IMAGE_SIZE
        with published.read_from(path):
            self.network = VisionTransformer(tensors_of(path), side)
        self.intake = Intake(name, side, MEAN, DEVIATION)
        self.name, self.weight_hash, self.resize = name, digest, self.intake.resize
        self.width = self.network.width
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> tuple[Tensor, None]:
        """Images [B, 1 or 3, H, W] in [0, 1] -> features [B, F], and no logits.

        Raises:
            UserError: the samples are no images of 1 or 3 channels.
        """
        return self.network(self.intake(images)), None
