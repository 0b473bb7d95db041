"""`inception_2015`: the network of the published FID and Inception Scores, by torch-fidelity.

Szegedy et al. 2016 (arXiv:1512.00567) as in Google's frozen graph of 2015-12-05. The layers run
one after the other, not in torch-fidelity's forward, which takes whole grey levels only.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from bench.features import fidelity
from bench.features.published import PublishedWeights, load_tensors

SIDE = 299


class Inception2015(fidelity.PublishedExtractor):
    """Images of any size -> (pool features [B, 2048], logits [B, 1008]).

    The logits are the unbiased ones (the last layer without its bias), on which torch-fidelity
    and OpenAI's code compute the Inception Score.

    Args:
        weights, sha256: torch-fidelity's file and its digest, see `PublishedWeights.resolve`.

    Raises:
        UserError: torch-fidelity or the weights are absent or damaged, or the digest is another.
    """

    head: Tensor

    def __init__(self, name: str, weights: str | Path | None, sha256: str | None) -> None:
        module = fidelity.import_torch_fidelity(name, "feature_extractor_inceptionv3")
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
        intake = fidelity.ResizeAndNormalise(name, SIDE, mean=[128.0] * 3, deviation=[128.0] * 3)
        layers = [layer for key, layer in network.named_children() if key != "fc"]
        super().__init__(name, digest, intake, nn.Sequential(*layers, nn.Flatten()), width=2048)
        self.register_buffer("head", network.fc.weight.detach())

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images [B, 1 or 3, H, W] in [0, 1] -> features [B, 2048], logits [B, 1008]."""
        features, _ = super().forward(images)
        return features, features @ self.head.T
