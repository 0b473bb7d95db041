"""Which models can share a stack, and why others cannot."""

import copy
import pkgutil
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn, optim

from bench.core import distributed
from bench.models.base import GenerativeModel
from bench.runs.identity import canonical_json, hash_of

# Each entry of a parameter moves by itself, so that a row of them is a parameter like any other.
ELEMENTWISE = (optim.Adam, optim.AdamW, optim.RMSprop, optim.SGD)
OPTIMIZER_KEYS = ("lr", "betas", "alpha")  # in torch's names
SHARED_KEYS = ("dataset", "batch_size", "d_steps", "precision", "threads")


def pack_key(plain: Mapping[str, Any]) -> str:
    """A hash of all that runs must have in common to train in one stack.

    Seeds, rates, the bound of clipping and the model's `replica_hyperparameters` are left out.

    Args:
        plain: a checked config.
    """
    model = copy.deepcopy(plain["model"])
    training = model["training"]
    training["seed"] = None
    for name in OPTIMIZER_KEYS:
        training["optimizer"].pop(name, None)
    kind = pkgutil.resolve_name(model["_target_"])
    for path in (*kind.replica_hyperparameters, "objective.constraint.bound"):
        *before, last = path.split(".")
        part: Any = model
        for name in before:
            part = part.get(name) if isinstance(part, dict) else None
        if isinstance(part, dict):
            part.pop(last, None)
    return hash_of(canonical_json({"model": model} | {name: plain[name] for name in SHARED_KEYS}))


def why_not_packable(model: GenerativeModel) -> str:
    """Why a model cannot train side by side with others, in one clause; empty if it can."""
    kind, settings = type(model), model.training_settings
    if kind.training_step is not GenerativeModel.training_step:
        return f"{kind.__name__} has a training step of its own instead of a turn"
    if kind.step is not GenerativeModel.step:
        return f"{kind.__name__} changes its optimizer's step, which others would share"
    if getattr(model, "reuse_samples", False):
        return "model.reuse_samples=true keeps a graph between two players' steps"
    if settings.precision == "bf16":
        return "precision=bf16 casts within a step, which is not traced"
    if distributed.world_size() > 1:
        return "it trains in several processes"
    optimizer = settings.optimizer([nn.Parameter(torch.zeros(1))])
    if type(optimizer) not in ELEMENTWISE:
        names = ", ".join(one.__name__ for one in ELEMENTWISE)
        return f"{type(optimizer).__name__} may look at whole parameters: packs know {names}"
    for layer in model.modules():
        if isinstance(layer, nn.modules.dropout._DropoutNd):
            return f"{type(layer).__name__} draws from no stream of the run"
        if getattr(layer, "track_running_stats", False):
            return f"torch's own {type(layer).__name__} cannot be differentiated side by side"
    return ""
