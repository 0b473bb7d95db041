"""`clip`: features learnt from captions, Radford et al. 2021 (arXiv:2103.00020), by torch-fidelity.

Kynkaanniemi et al. 2023 (arXiv:2203.06026) compare generators in the space of ViT-B/32, which
was trained on no ImageNet classes. Only the image encoder is kept, not the text encoder.
"""

import warnings
import zipfile
from pathlib import Path

import torch
from torch import Tensor

from bench.features import fidelity
from bench.features.published import PublishedWeights, load_tensors

# Statistics of CLIP's training images, by channel, in grey levels: openai/CLIP, clip.py.
MEAN = (255 * 0.48145466, 255 * 0.4578275, 255 * 0.40821073)
DEVIATION = (255 * 0.26862954, 255 * 0.26130258, 255 * 0.27577711)


class Clip(fidelity.PublishedExtractor):
    """Images of any size -> embeddings [B, F], not normed; F is 512 for ViT-B/32.

    Args:
        model: torch-fidelity's name of the network, and of the file to download.
        weights, sha256: file with OpenAI's weights and its digest, see `PublishedWeights.resolve`.

    Raises:
        UserError: torch-fidelity or the weights are absent or damaged, or the digest is another.
    """

    def __init__(
        self, name: str, model: str, weights: str | Path | None, sha256: str | None
    ) -> None:
        module = fidelity.import_torch_fidelity(name, "feature_extractor_clip")
        prefix = fidelity.read_metadata(name, module, "CLIP", model)["hash"]
        file = f"{model}-{prefix}.pt"
        published = PublishedWeights(name, module.MODEL_URLS[model], file, digest=prefix)
        path, digest = published.resolve(weights, sha256)
        with published.explain_read_errors(path), torch.random.fork_rng(devices=[]):
            network = module.build_model(_load_clip_tensors(path), torch.float32).visual
        side = int(network.input_resolution)
        intake = fidelity.ResizeAndNormalise(name, side, MEAN, DEVIATION)
        super().__init__(name, digest, intake, network, int(network.output_dim))


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
