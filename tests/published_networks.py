"""Parameters of published networks, from golden/network_shapes.json, by the names they have here.

Each network is a list of [published name, shape] in the order of registration.
"""

import json
import re
from pathlib import Path

import torch
from golden_values import fill
from torch import Tensor, nn

TENSORS = json.loads((Path(__file__).parent / "golden" / "network_shapes.json").read_text())
SNGAN_BLOCK = {
    **{"c1": "conv1", "c2": "conv2", "c_sc": "shortcut", "conv_sc": "shortcut"},
    **{"b1": "norm1", "b2": "norm2", "bn1": "norm1", "bn2": "norm2"},
}
SNGAN_ENDS = {  # mimicry's names, then BigGAN's
    **{"l1": "dense.0", "b5": "norm", "c5": "conv", "l5": "score", "l_y": "embedding"},
    **{"linear": "dense.0", "output_layer.0": "norm", "output_layer.2": "conv"},
}
R3GAN_BLOCK = {
    **{f"LinearLayer{i}.Layer.weight": f"conv{i}.weight" for i in (1, 2, 3)},
    **{f"NonLinearity{i}.Bias": f"activation{i}.bias" for i in (1, 2)},
}
R3GAN_ENDS = {"Embedding": "embedding", "Aggregation": "to_image", "Extraction": "from_image"}
LACKING = {"l5.bias"}  # the last layer of SNGAN's authors has none


def sngan_name(name: str, first_block: int) -> str:
    """Return our name of a tensor of mimicry's or BigGAN's, whose blocks count from first_block."""
    block = re.fullmatch(r"blocks?\.?(\d+)\.(?:0\.)?(\w+)\.(.+)", name)
    if block is None:
        layer, tensor = name.rsplit(".", 1)
        return f"{SNGAN_ENDS[layer]}.{'weight' if tensor == 'gain' else tensor}"
    layer, tensor = block[2], block[3].replace("bias.weight", "shift.weight")
    return f"blocks.{int(block[1]) - first_block}.{SNGAN_BLOCK.get(layer, layer)}.{tensor}"


def r3gan_name(name: str, stages: int, upward: bool) -> str:
    """Return our name of a tensor of R3GAN's; our stages count from the smallest map."""
    main = re.fullmatch(r"MainLayers\.(\d+)\.Layers\.(\d+)\.(.+)", name)
    if main is None:
        return f"{R3GAN_ENDS[name.partition('Layer')[0]]}.weight"
    tensor, place = main[3], int(main[1]) if upward else stages - 1 - int(main[1])
    if tensor.startswith("Basis"):
        return "basis"
    if tensor == "LinearLayer.weight":
        return "dense.weight" if upward else "score.weight"
    if tensor == "LinearLayer.Layer.weight":  # to this map from the next smaller, or the reverse
        return f"transitions.{place - 1}.weight"
    return f"stages.{place}.{int(main[2]) - upward}.{R3GAN_BLOCK[tensor]}"


def our_tensors(network: str) -> list[tuple[str, str, torch.Size]]:
    """Return (published name, ours or "" where we have none, published shape) of each tensor."""
    names = [name.replace("weight_orig", "weight") for name, _ in TENSORS[network]]
    blocks = [
        int(n) for name in names for n in re.findall(r"^(?:block|MainLayers\D)s?\.?(\d+)", name)
    ]
    upward = "/G" in network or "generator" in network
    rows = []
    for name, (_, shape) in zip(names, TENSORS[network], strict=True):
        if name in LACKING:
            ours = ""
        elif "r3gan" in network.lower():
            ours = r3gan_name(name, max(blocks) + 1, upward)
        else:
            ours = sngan_name(name, min(blocks))
        rows.append((name, ours, torch.Size(shape)))
    return rows


def to_our_layout(tensor: Tensor, ours: str, network: str) -> Tensor:
    """Return a published tensor as it lies here: R3GAN's bases and embeddings lie differently."""
    if ours == "basis":
        return tensor.flatten(0, -3)  # [C, 1, H, W] -> [C, H, W]
    transposed = "r3gan" in network.lower() and ours == "embedding.weight"  # [F, K] -> [K, F]
    return tensor.T if transposed else tensor


def our_shapes(network: str) -> dict[str, torch.Size]:
    """Return the shapes of a published network's tensors, by our name and in our layout."""
    return {
        ours: to_our_layout(torch.empty(shape, device="meta"), ours, network).shape
        for _, ours, shape in our_tensors(network)
        if ours
    }


def load_sines(net: nn.Module, network: str, *, scale: float) -> dict[str, Tensor]:
    """Set the published network's parameter i to scale sin(.37 k + i); return those we lack."""
    own, lacking = dict(net.named_parameters()), {}
    with torch.no_grad():
        for i, (name, ours, shape) in enumerate(our_tensors(network)):
            value = fill(*shape, step=0.37, phase=i, scale=scale)
            if ours:
                own.pop(ours).copy_(to_our_layout(value, ours, network))
            else:
                lacking[name] = value
    assert not own, f"without a value: {list(own)}"
    return lacking
