"""`clip`: features learnt from captions, Radford et al. 2021 (arXiv:2103.00020), by torch-fidelity.

Kynkaanniemi et al. 2023 (arXiv:2203.06026) compare generators in the space of ViT-B/32, which
was trained on no ImageNet classes. Only the image encoder is kept, not the text encoder.
"""

import warnings
import zipfile
from pathlib import Path

import torch
from torch import Tensor, nn

from bench.core.errors import UserError
from bench.features.fidelity import ResizeAndNormalise, import_torch_fidelity
from bench.features.published import PublishedWeights, load_tensors

# Statistics of CLIP's training images, by channel, in grey levels: openai/CLIP, clip.py.
MEAN = (255 * 0.48145466, 255 * 0.4578275, 255 * 0.40821073)
DEVIATION = (255 * 0.26862954, 255 * 0.26130258, 255 * 0.27577711)


class Clip(nn.Module):
    """Images of any size -> embeddings [B, F], not normed; F is 512 for ViT-B/32.

    Args:
        name: name of the extractor in the protocol of each score.
        model: torch-fidelity's name of the network, and of the file to download.
        weights: file with OpenAI's weights; None: torch-fidelity's download, cached by torch.hub.
        sha256: required digest of the file; None accepts any file, and the protocol of its scores
            holds its digest.

    Raises:
        UserError: torch-fidelity or the weights are absent or damaged, or the digest is another.
    """

    def __init__(
        self, name: str, model: str, weights: str | Path | None, sha256: str | None
    ) -> None:
        super().__init__()
        module = import_torch_fidelity(name, "feature_extractor_clip")
        if model not in module.MODEL_METADATA:
            raise UserError(
                f"features {name!r}: torch-fidelity has no CLIP {model!r}",
                fix=f"set features.model to one of {', '.join(module.MODEL_METADATA)}",
            )
        prefix = module.MODEL_METADATA[model]["hash"]
        file = f"{model}-{prefix}.pt"
        published = PublishedWeights(name, module.MODEL_URLS[model], file, digest=prefix)
        path, digest = published.resolve(weights, sha256)
        with published.explain_read_errors(path), torch.random.fork_rng(devices=[]):
            network = module.build_model(_load_clip_tensors(path), torch.float32).visual
        self.network, self.width = network, int(network.output_dim)
        self.intake = ResizeAndNormalise(name, int(network.input_resolution), MEAN, DEVIATION)
        self.name, self.weight_hash, self.resize = name, digest, self.intake.resize
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> tuple[Tensor, None]:
        """Images [B, 1 or 3, H, W] in [0, 1] -> features [B, F], and no logits.

        Raises:
            UserError: the samples are no images of 1 or 3 channels.
        """
        return self.network(self.intake(images)), None


def _load_clip_tensors(path: Path) -> dict[str, Tensor]:
    """Load tensors by name; OpenAI's files are TorchScript, whose reader runs no Python."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            scripted = any(entry.endswith("/constants.pkl") for entry in archive.namelist())
        if scripted:
            with warnings.catch_warnings():  # torch.jit.load is deprecated, the files are not
                warnings.simplefilter("ignore", DeprecationWarning)
                return dict(torch.jit.load(path, map_location="cpu").state_dict())
    return load_tensors(path)
