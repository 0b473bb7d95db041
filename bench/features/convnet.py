"""Classifiers trained by the suite, as extractors: a weights file and a card that describes it.

NAME.safetensors holds the tensors; NAME.json, the card, states how the network is built, what it
was trained on, by which command, how accurate it is on held-out images, and the SHA-256 of the
weights, which stands in the protocol of each score.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from bench.core.errors import UserError
from bench.core.files import read_json, sha256_of
from bench.features import check_sample_shape
from bench.features.network import ConvNet

CARD = {"sha256": str, "architecture": {"shape": [int], "width": int}}
SHIPPED = Path(__file__).parent / "weights"


def weight_files(name: str, folder: str | Path | None) -> tuple[Path, Path]:
    """Return the paths of an extractor's weights and card; folder as in `TrainedConvnet`."""
    root = SHIPPED if folder is None else Path(folder)
    return root / f"{name}.safetensors", root / f"{name}.json"


class TrainedConvnet(nn.Module):
    """A trained classifier: images -> (features [B, F], logits [B, K]).

    Args:
        name: name of the extractor, and of its two files.
        folder: folder of both files; None: those that come with the suite.

    Raises:
        UserError: a file is missing or damaged, or the weights are not those of the card.
    """

    resize = "none"

    def __init__(self, name: str, folder: str | Path | None) -> None:
        super().__init__()
        weights, card_file = weight_files(name, folder)
        retrain = f"run `bench features {name}` to train it, or set features.folder=DIR"
        for path in (weights, card_file):
            if not path.is_file():
                raise UserError(f"features {name!r}: no file {path}", fix=retrain)
        self.card = read_json(card_file, CARD, retrain)
        self.name, self.weight_hash = name, sha256_of(weights)
        try:
            if self.weight_hash != self.card["sha256"]:
                raise UserError(
                    f"features {name!r}: {weights} has SHA-256 {self.weight_hash[:12]}..., "
                    f"its card states {self.card['sha256'][:12]}... ({card_file.name})",
                    fix=f"restore the two files, or {retrain}",
                )
            architecture = self.card["architecture"]
            with torch.device("meta"):  # do not initialise weights that are replaced at once
                self.net = ConvNet(**architecture, batch_norm=False)
            self.net.load_state_dict(load_file(weights), assign=True)
        except UserError:
            raise
        except Exception as error:  # safetensors' and torch's; there is no list of them
            raise UserError(
                f"features {name!r}: {weights} and its card {card_file.name} do not make a network "
                f"({type(error).__name__}: {' '.join(str(error).split())[:120]})",
                fix=f"restore the two files, or {retrain}",
            ) from error
        self.shape, self.width = tuple(architecture["shape"]), architecture["width"]
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images [B, C, H, W] in [0, 1] -> features [B, F], logits [B, K]; UserError for others."""
        check_sample_shape(self.name, images, self.shape)
        return self.net(images)
