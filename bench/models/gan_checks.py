"""Refuse parts of a GAN that cannot be combined, before the first step."""

import warnings
from typing import Any

from torch import nn

from bench.core import distributed
from bench.core.errors import Caution
from bench.core.objective import Objective
from bench.losses import wasserstein
from bench.models.base import TrainingConfig
from bench.networks.layers import is_batch_norm
from bench.networks.sampler import takes_labels
from bench.penalties.lecam import LeCam

LATENT_TERM = "a term differentiates the generator at its latents"


def why_no_reuse(objective: Objective) -> str:
    """Return why the generator's step needs samples of its own, one clause; empty if not."""
    order, terms = objective.update_order, objective.terms.values()
    if order.players[0] != "discriminator":
        return "the generator moves first"
    if order.latent_batches != 1:
        return f"the generator's step has {order.latent_batches} batches of latents"
    if any(t.differentiates_generator for t in terms):
        return LATENT_TERM
    return ""


def moving_layers(discriminator: nn.Module) -> list[Any]:
    """Return the layers that move buffers in the passes of a player, as spectral norm does."""
    return [layer for layer in discriminator.modules() if hasattr(layer, "moves")]


def check_penalties_see_single_samples(discriminator: nn.Module, objective: Objective) -> None:
    """Refuse, with a ValueError, logits that depend on the batch, under a term on slopes."""
    parts = [*objective.terms.values(), *objective.transforms.values()]
    if not any(getattr(part, "differentiates_critic", False) for part in parts):
        return
    for layer in discriminator.modules():
        if is_batch_norm(layer):
            what, fix = "batch norm", "set hyperparameters.d_batch_norm=false"
        elif getattr(layer, "mixes_samples", False):
            what, fix = type(layer).__name__, "choose a loss= without a penalty"
        else:
            continue
        raise ValueError(
            f"{what} in a discriminator under a gradient penalty, whose gradients then depend on "
            f"the other samples of the batch: {fix}, or model.batch_norm_under_penalty=true if "
            "you mean it"
        )


def check_parts_fit(
    generator: nn.Module, discriminator: nn.Module, objective: Objective, training: TrainingConfig
) -> None:
    """Refuse, with a ValueError, parts of which one needs what another does not give."""
    if why_no_reuse(objective) == LATENT_TERM and any(map(is_batch_norm, generator.modules())):
        raise ValueError(
            "batch norm in a generator under a term on its slope, which then depends on the "
            "other samples of the batch: choose a network= without it, or another penalty="
        )
    twofold = any(hasattr(t, "differentiates_critic") for t in objective.transforms.values())
    if twofold and (moving := moving_layers(discriminator)):
        raise ValueError(
            f"{type(moving[0]).__name__} moves its buffers in a pass, and a transform that "
            "differentiates the pass cannot have that: choose another normalisation="
        )
    batches, packing = objective.update_order.latent_batches, getattr(discriminator, "packing", 1)
    if batches > 1 and objective.reads_real("generator"):
        raise ValueError(
            f"update_order has {batches} batches of latents for a generator step, and the "
            "generator's loss pairs them with real samples: set latent_batches to 1"
        )
    share = packing * distributed.world_size()  # each process packs samples of its own
    if training.batch_size % share:
        raise ValueError(
            f"the discriminator sees {packing} samples at once, and batch_size is "
            f"{training.batch_size}: set it to a multiple of {share}"
        )
    if not takes_labels(generator):
        _check_nobody_reads_labels(discriminator, objective)
    _warn_of_lecam_without_bounds(objective)


def _warn_of_lecam_without_bounds(objective: Objective) -> None:
    """Warn of LeCam's averages of logits beside a loss under which these have no level."""
    loss = objective.loss.discriminator
    unbounded = getattr(loss, "func", loss) is wasserstein.discriminator_loss
    if unbounded and any(isinstance(term.penalty, LeCam) for term in objective.terms.values()):
        message = (
            "LeCam holds logits near their moving averages, and under a Wasserstein loss any "
            "constant may be added to them: choose another loss="
        )
        warnings.warn(message, Caution, stacklevel=2)


def _check_nobody_reads_labels(discriminator: nn.Module, objective: Objective) -> None:
    choose = "choose conditioning=, or a network= whose generator takes labels"
    if takes_labels(discriminator):
        found = "the discriminator asks for labels, and the generator takes none"
        raise ValueError(f"{found}: {choose}")
    if asking := objective.parts_that_read_labels():
        found = f"{asking[0]!r} asks for labels, and the networks take none"
        raise ValueError(f"{found}: {choose}")
