"""`inception_2015`: the network of the published FID and Inception Scores, by torch-fidelity.

Szegedy et al. 2016 (arXiv:1512.00567) as in Google's frozen graph of 2015-12-05. The layers run
one after the other, not in torch-fidelity's forward, which takes whole grey levels only.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from bench.features.fidelity import ResizeAndNormalise, import_torch_fidelity
from bench.features.published import PublishedWeights, load_tensors

SIDE = 299


class Inception2015(nn.Module):
    """Images of any size -> (pool features [B, 2048], logits [B, 1008]).

    The logits are the unbiased ones (the last layer without its bias), on which torch-fidelity
    and OpenAI's code compute the Inception Score.

    Args:
        name: name of the extractor in the protocol of each score.
        weights: file with torch-fidelity's weights; None: its download, cached by torch.hub.
        sha256: required digest of the file; None accepts any file, and the protocol of its scores
            holds its digest.

    Raises:
        UserError: torch-fidelity or the weights are absent or damaged, or the digest is another.
    """

    width = 2048

    def __init__(self, name: str, weights: str | Path | None, sha256: str | None) -> None:
        super().__init__()
        module = import_torch_fidelity(name, "feature_extractor_inceptionv3")
        url = module.URL_INCEPTION_V3
        file = url.rpartition("/")[2]
        published = PublishedWeights(name, url, file, digest=file.removesuffix(".pth")[-8:])
        path, digest = published.resolve(weights, sha256)
        with published.explain_read_errors(path):
            load_tensors(path)  # refuses code, which torch-fidelity's unpickling would run
            with torch.random.fork_rng(devices=[]):  # the layers are initialised before loading
                network = module.FeatureExtractorInceptionV3(
                    name, ["2048", "logits_unbiased"], feature_extractor_weights_path=str(path)
                )
        self.intake = ResizeAndNormalise(name, SIDE, mean=[128.0] * 3, deviation=[128.0] * 3)
        self.name, self.weight_hash, self.resize = name, digest, self.intake.resize
        layers = [layer for key, layer in network.named_children() if key != "fc"]
        self.layers = nn.Sequential(*layers)
        self.register_buffer("head", network.fc.weight.detach())
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images [B, 1 or 3, H, W] in [0, 1] -> features [B, 2048], logits [B, 1008].

        Raises:
            UserError: the samples are no images of 1 or 3 channels.
        """
        features = self.layers(self.intake(images)).flatten(1)
        return features, features @ self.head.T
