"""Find the latent whose image is nearest to a given one: what a generator can draw, what it cannot.

By gradient descent on the latent, as Lucic et al. 2018 (arXiv:1711.10337) measure recall and
Metz et al. 2017 (arXiv:1611.02163), section 3.4.1, inference.
"""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from bench.core.batch import Labels, Latent, as_latent
from bench.networks.sampler import generate


def invert(
    generator: nn.Module,
    targets: Tensor,
    latents: Tensor | Latent,
    *,
    steps: int,
    learning_rate: float,
    bound: float | None,
    batch: int,
) -> np.ndarray:
    """min over z of |x - G(z)|^2 from above: the best of all steps and restarts, float64 [n].

    Adam (Kingma and Ba 2015, arXiv:1412.6980) with its own betas. The generator's weights are not
    changed.

    Args:
        generator: latents [B, L], and labels [B] if it asks for them -> samples [B, ...].
        targets: x, [n, ...], images in the suite's range.
        latents: z at step 0, [n, restarts, L]; for a conditional generator with labels
            [n, restarts], which the descent keeps.
        steps: number of Adam's steps; 0 evaluates the initial latents alone.
        bound: every entry of z is kept within [-bound, bound], the prior's support; None: free.
        batch: number of latents at once; memory and speed only.

    Raises:
        ValueError: no restart, or not as many rows of latents as targets.
        FloatingPointError: the generator gives nothing finite for a target's latents.
    """
    latents = as_latent(latents)
    shape = latents.z.shape
    if len(shape) != 3 or not shape[1] or shape[0] != len(targets):
        wanted = f"latents [{len(targets)}, restarts, L]"
        raise ValueError(f"invert: {wanted} wanted, found {tuple(shape)}")
    height = max(1, batch // shape[1])
    rows = [slice(start, start + height) for start in range(0, len(targets), height)]
    device = next(iter(generator.parameters()), latents.z).device
    was_training = generator.training
    generator.eval()
    try:
        # Gradients are needed, whatever no_grad or inference_mode the caller is in.
        with torch.inference_mode(False), torch.enable_grad():
            parts = [
                _descend(
                    partial(_generate, generator, {k: c[part] for k, c in latents.labels.items()}),
                    targets[part],
                    latents.z[part],
                    device=device,
                    steps=steps,
                    learning_rate=learning_rate,
                    bound=bound,
                )
                for part in rows
            ]
    finally:
        generator.train(was_training)
    squares = torch.cat(parts).double().cpu().numpy()
    if not np.isfinite(squares).all():
        raise FloatingPointError("a sample is not finite")
    return squares


def _generate(generator: nn.Module, labels: Labels, z: Tensor) -> Tensor:
    """Return samples of latents [b restarts, L] and labels [b, restarts]."""
    return generate(generator, Latent(z, {k: c.flatten().to(z.device) for k, c in labels.items()}))


def _descend(
    generator: Callable[[Tensor], Tensor],
    targets: Tensor,
    latents: Tensor,
    *,
    device: torch.device,
    steps: int,
    learning_rate: float,
    bound: float | None,
) -> Tensor:
    """Smallest squared error [b] of targets [b, ...], descending from latents [b, restarts, L]."""
    count, restarts = latents.shape[:2]
    repeated = targets.clone().to(device).repeat_interleave(restarts, 0).flatten(1)
    limit = math.inf if bound is None else bound
    z = latents.clone().to(device).flatten(0, 1).clamp_(-limit, limit).requires_grad_()
    adam = torch.optim.Adam([z], lr=learning_rate)
    best = torch.full((len(z),), torch.inf, device=device)
    for step in range(steps + 1):
        squares = (generator(z).flatten(1) - repeated).square().sum(1)
        best = torch.fmin(best, squares.detach())
        if step < steps:
            # not backward(): the weights' gradients are neither computed nor touched
            (z.grad,) = torch.autograd.grad(squares.sum(), z)
            adam.step()
            with torch.no_grad():
                z.clamp_(-limit, limit)
    return best.view(count, restarts).amin(1)
