"""`inception_2015`: the network of the published FID and Inception Scores, by torch-fidelity.

Szegedy et al. 2016 (arXiv:1512.00567) as Google's frozen graph of 2015-12-05, ported by
torch-fidelity with TensorFlow 1's bilinear resize to 299x299. Its layers are run here one after
the other, not through its own forward, which takes whole grey levels only: the study scores
images that were never rounded. On rounded ones the two agree (a test compares them).
"""

import pickle
import urllib.error
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bench.errors import UserError
from bench.files import sha256_of
from bench.shims import ensure_torchvision

SIDE = 299
UNREADABLE = (pickle.UnpicklingError, EOFError, OSError, RuntimeError, TypeError, AttributeError)


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
    resize = f"bilinear {SIDE}x{SIDE}, TensorFlow 1"

    def __init__(self, name: str, weights: str | Path | None, sha256: str | None) -> None:
        super().__init__()
        inception = _torch_fidelity()
        path = _downloaded(inception.URL_INCEPTION_V3) if weights is None else Path(weights)
        if not path.is_file():
            raise UserError(f"features {name!r}: no file {path}", fix=_fix(inception))
        self.name, self.weight_hash = name, sha256_of(path)
        if sha256 is not None and self.weight_hash != sha256:
            raise UserError(
                f"features {name!r}: {path} has SHA-256 {self.weight_hash}, not {sha256}",
                fix=f"{_fix(inception)}; features.sha256=null takes other weights, knowingly",
            )
        network = _load(inception, name, path)
        self.layers = nn.Sequential(*[m for key, m in network.named_children() if key != "fc"])
        self.register_buffer("head", network.fc.weight.detach())
        self._resize = inception.interpolate_bilinear_2d_like_tensorflow1x
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images [B, 1 or 3, H, W] in [0, 1] -> features [B, 2048], logits [B, 1008].

        Grey images are repeated in three channels, as the study did.

        Raises:
            UserError: the samples are no images of 1 or 3 channels.
        """
        if images.ndim != 4 or images.shape[1] not in (1, 3):
            raise UserError(
                f"features {self.name!r} takes images of 1 or 3 channels, "
                f"found samples of shape {list(images.shape[1:])}",
                fix="choose features=NAME made for this dataset",
            )
        levels = images.expand(-1, 3, -1, -1) * 255
        resized = self._resize(levels, size=(SIDE, SIDE), align_corners=False)
        features = self.layers((resized - 128) / 128).flatten(1)
        return features, features @ self.head.T


def _torch_fidelity() -> Any:
    """Its module of the network, imported late: torchvision comes along and takes a second."""
    ensure_torchvision()
    try:
        from torch_fidelity import feature_extractor_inceptionv3
    except ImportError as error:
        raise UserError(
            f"inception_2015 needs torch-fidelity, which cannot be imported: {error}",
            fix="pip install 'created-equal[inception]'",
        ) from error
    return feature_extractor_inceptionv3


def _fix(inception: Any) -> str:
    return f"download {inception.URL_INCEPTION_V3} and set features.weights=FILE"


def _downloaded(url: str) -> Path:
    """torch.hub's copy of the file, where torch-fidelity keeps it too; fetched if it is absent."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(url, str(path), hash_prefix=path.stem[-8:])
        except (urllib.error.URLError, OSError, RuntimeError) as error:
            raise UserError(
                f"inception_2015: no weights at {path}, and none could be downloaded: {error}",
                fix=f"download {url} on a machine with a network and set features.weights=FILE",
            ) from error
    return path


def _load(inception: Any, name: str, path: Path) -> Any:
    try:
        # torch-fidelity unpickles without limits: first see that the file holds only tensors.
        torch.load(path, weights_only=True, map_location="cpu")
        with torch.random.fork_rng(devices=[]):  # its layers draw weights before they are loaded
            return inception.FeatureExtractorInceptionV3(
                name, ["2048", "logits_unbiased"], feature_extractor_weights_path=str(path)
            )
    except UNREADABLE as error:
        raise UserError(
            f"features {name!r}: {path} does not hold the weights of this network "
            f"({type(error).__name__})",
            fix=_fix(inception),
        ) from error
