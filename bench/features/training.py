"""Train a small classifier and write its weights and card: the command `bench features NAME`."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from bench.core.files import sha256_of, write_bytes, write_json
from bench.core.seeds import derived_seed
from bench.features.convnet import weight_files
from bench.features.fitting import FitSettings, accuracy, fit
from bench.features.network import ConvNet, fold_batch_norm


class LabelledSplit(Protocol):
    """One split of a data set."""

    @property
    def samples(self) -> np.ndarray:
        """Images, uint8 [N, C, H, W]."""

    @property
    def labels(self) -> np.ndarray | None:
        """Labels [N], any integers."""


def train(
    *,
    name: str,
    folder: str | Path | None,
    stages: Sequence[Sequence[int]],
    width: int,
    settings: FitSettings,
    splits: Mapping[str, LabelledSplit],
    dataset: str,
    data_digest: str,
    command: str,
    log: Callable[[str], None],
) -> dict[str, Any]:
    """Train on splits["train"], measure on splits["test"], write NAME.safetensors and NAME.json.

    Args:
        folder: folder to write to; None: the package's own.
        settings: how to train; seed and number of threads decide the weights.
        splits: "train" and "test", with labels.
        dataset, data_digest, command: entries of the card.
        log: called with one line of text after each epoch.

    Returns:
        The card.

    Raises:
        ValueError: a split has no labels, or a test label is not among the training labels.
        UserError: the files cannot be written.
    """
    labels = np.unique(_labels(splits, "train")).tolist()
    train_set, test_set = (_tensors(splits, key, labels) for key in ("train", "test"))
    architecture: dict[str, Any] = {
        "shape": list(train_set[0].shape[1:]),
        "stages": [list(stage) for stage in stages],
        "width": width,
        "classes": len(labels),
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(settings.seed, "init"))
        net = ConvNet(**architecture, batch_norm=True)
    fit(net, *train_set, settings, log)
    net = fold_batch_norm(net)
    card = {
        "name": name,
        "dataset": dataset,
        "data_digest": data_digest,
        "command": command,
        "architecture": architecture,
        "training": asdict(settings),
        "labels": labels,  # of class 0, 1, ...
        "n_train": len(train_set[0]),
        "n_test": len(test_set[0]),
        "test_accuracy": accuracy(net, *test_set),
        "parameters": sum(p.numel() for p in net.parameters()),
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }
    weights, card_file = weight_files(name, folder)
    write_bytes(weights, save({k: v.contiguous() for k, v in net.state_dict().items()}))
    card["sha256"] = sha256_of(weights)
    write_json(card_file, card)
    log(f"{name}: {card['test_accuracy']:.2%} of {card['n_test']} held-out images right; {weights}")
    return card


def _labels(splits: Mapping[str, LabelledSplit], key: str) -> np.ndarray:
    labels = splits[key].labels
    if labels is None:
        raise ValueError(f"the split {key!r} has no labels to train a classifier on")
    return labels


def _tensors(
    splits: Mapping[str, LabelledSplit], key: str, names: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Return images, and classes: the indices of their labels in the sorted `names`."""
    labels = _labels(splits, key)
    if not np.isin(labels, names).all():
        raise ValueError(f"the split {key!r} has labels other than {names}")
    return torch.from_numpy(splits[key].samples), torch.from_numpy(np.searchsorted(names, labels))
