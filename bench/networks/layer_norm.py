"""Layer norm in place of batch norm: Ba et al. 2016 (arXiv:1607.06450), section 3.

Kurach et al. 2019 (arXiv:1807.04720) normalise the discriminator's layers by it, as WGAN-GP's
authors advise, since it does not mix samples.
"""

from typing import Any

from torch import nn

from bench.networks.layers import is_batch_norm


def with_layer_norm(net: Any) -> Any:
    """Return a network with each batch norm replaced by layer norm, in place.

    Mean and variance are those of one sample's numbers in that layer; scale and shift are each
    channel's. eps is torch's 1e-5.

    Args:
        net: a network with batch norm.

    Raises:
        ValueError: it has none.
    """
    found = [
        (parent, name, layer)
        for parent in net.modules()
        for name, layer in parent.named_children()
        if is_batch_norm(layer)
    ]
    if not found:
        raise ValueError(
            f"layer norm replaces batch norm, and a discriminator of type {type(net).__name__} has "
            "none: choose another network= or normalisation="
        )
    for parent, name, layer in found:
        setattr(parent, name, nn.GroupNorm(1, len(layer.weight)))
    return net
