"""`inception_2015`: the network of the published FID and Inception Scores, by torch-fidelity.

Szegedy et al. 2016 (arXiv:1512.00567) as Google's frozen graph of 2015-12-05. Its layers are run
here one after the other, not through its own forward, which takes whole grey levels only.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from bench.features.fidelity import Intake, torch_fidelity
from bench.features.published import Weights, tensors_of

SIDE = 299


class Inception2015(nn.Module):
    """Images of any size -> (pool features [B, 2048], logits [B, 1008]).

    The logits are the unbiased ones (the last layer without its bias), on which torch-fidelity
    and OpenAI's code compute the Inception Score.

    Args:
        name: stands in the protocol of each score.
        weights: file with torch-fidelity's weights; None for its own download, kept by torch.hub.
        sha256: what the file's digest must be; None accepts any file, and scores made with it
            are named by its digest.

    Raises:
        UserError: torch-fidelity or the weights are absent, damaged or others.
    """

    width = 2048

    def __init__(self, name: str, weights: str | Path | None, sha256: str | None) -> None:
        super().__init__()
        theirs = torch_fidelity(name, "feature_extractor_inceptionv3")
        url = theirs.URL_INCEPTION_V3
        file = url.rpartition("/")[2]
        published = Weights(name, url, file, digest=file.removesuffix(".pth")[-8:])
        path, digest = published.checked(weights, sha256)
        with published.read_from(path):
            tensors_of(path)  # torch-fidelity unpickles without limits: not before this
            with torch.random.fork_rng(devices=[]):  # layers draw weights before they are loaded
                network = theirs.FeatureExtractorInceptionV3(
                    name, ["2048", "logits_unbiased"], feature_extractor_weights_path=str(path)
                )
        self.intake = Intake(name, SIDE, mean=[128.0] * 3, deviation=[128.0] * 3)
        self.name, self.weight_hash, self.resize = name, digest, self.intake.resize
        self.layers = nn.Sequential(*[m for key, m in network.named_children() if key != "fc"])
        self.register_buffer("head", network.fc.weight.detach())
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images [B, 1 or 3, H, W] in [0, 1] -> features [B, 2048], logits [B, 1008].

        Raises:
            UserError: the samples are no images of 1 or 3 channels.
        """
        features = self.layers(self.intake(images)).flatten(1)
        return features, features @ self.head.T
