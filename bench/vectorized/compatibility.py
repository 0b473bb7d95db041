"""Decide which models can train in one stack, and say why others cannot."""

import copy
import pkgutil
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn, optim

from bench.core import distributed
from bench.models.base import GenerativeModel
from bench.models.optimizers import build_optimizer
from bench.runs.identity import canonical_json, hash_text

# These update each entry of a parameter independently, so a row of weights can be one parameter.
ELEMENTWISE = (optim.Adam, optim.AdamW, optim.RMSprop, optim.SGD)
OPTIMIZER_KEYS = ("lr", "betas", "alpha")  # in torch's names
DATA_KEYS = ("dataset", "train_images", "flips")
SHARED_KEYS = (*DATA_KEYS, "batch_size", "d_steps", "precision", "threads")


def pack_key(plain: Mapping[str, Any]) -> str:
    """Return a hash of all that runs of checked configs must share to train in one stack.

    It leaves out seeds, learning rates, clipping bounds and the model's `replica_hyperparameters`.
    """
    model = copy.deepcopy(plain["model"])
    training = model["training"]
    training["seed"] = None
    model_class = pkgutil.resolve_name(model["_target_"])
    optimizers = [f"training.optimizers.*.{name}" for name in OPTIMIZER_KEYS]
    own = *model_class.replica_hyperparameters, "objective.loss.constraint.bound", *optimizers
    for path in own:
        _remove(model, path.split("."))
    return hash_text(
        canonical_json({"model": model} | {name: plain.get(name) for name in SHARED_KEYS})
    )


def _remove(part: Any, names: Sequence[str]) -> None:
    """Remove what lies at a path of keys below a config's node, in place; "*" is any key."""
    first, *rest = names
    for name in [n for n in part if first in (n, "*")] if isinstance(part, dict) else []:
        if rest:
            _remove(part[name], rest)
        else:
            del part[name]


def why_not_packable(model: GenerativeModel) -> str:
    """Return why a model cannot train in a stack, in one clause; empty if it can."""
    kind, settings = type(model), model.training_settings
    if kind.training_step is not GenerativeModel.training_step:
        return f"{kind.__name__} overrides training_step instead of training_round"
    if kind.step is not GenerativeModel.step:
        return f"{kind.__name__} overrides the optimizer step, which a stack does not call"
    if getattr(model, "reuse_samples", False):
        return "model.reuse_samples=true keeps a graph between two players' steps"
    if settings.precision == "bf16":
        return "precision=bf16 casts within a step, which cannot be traced"
    if distributed.world_size() > 1:
        return "it trains in several processes"
    for make in model.optimizer_makers():
        optimizer = build_optimizer(make, [nn.Parameter(torch.zeros(1))], 0)
        if type(optimizer) not in ELEMENTWISE:
            names, kind_name = ", ".join(k.__name__ for k in ELEMENTWISE), type(optimizer).__name__
            return f"{kind_name} may mix entries of a parameter: packs support {names}"
    for layer in model.modules():
        if isinstance(layer, nn.modules.dropout._DropoutNd):
            return f"{type(layer).__name__} draws from no random stream of the run"
        if getattr(layer, "track_running_stats", False):
            return f"torch's own {type(layer).__name__} cannot be differentiated under vmap"
    return ""
