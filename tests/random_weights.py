"""Random weights in the formats of published ones, for tests of the networks that read them."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bench.features.fidelity import import_torch_fidelity


def inception(path: Path) -> Path:
    """torch-fidelity's file of Inception; He et al.'s initial scale keeps features near 1.

    The last layer's weights are large, so that images differ in their classes.
    """
    theirs = import_torch_fidelity("random", "feature_extractor_inceptionv3")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(theirs, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(nn.Module, "load_state_dict", lambda *_: None)
        state = theirs.FeatureExtractorInceptionV3("random", ["2048"]).state_dict()
    generator = torch.Generator().manual_seed(0)
    for name, value in state.items():
        if name.endswith("conv.weight"):
            deviation = (2 / value[0].numel()) ** 0.5
            value.copy_(torch.randn(value.shape, generator=generator) * deviation)
        if name == "fc.weight":
            value.copy_(torch.randn(value.shape, generator=generator) * 0.5)
    torch.save(state, path)
    return path


def dinov2(*, width: int, depth: int, grid: int, gated: bool) -> dict[str, Tensor]:
    """Tensors as facebookresearch/dinov2 publishes them; sines, so that no generator is asked."""
    hidden = (int(4 * width * 2 / 3) + 7) // 8 * 8 if gated else 4 * width
    first, second = ("w12", "w3") if gated else ("fc1", "fc2")
    sizes: dict[str, tuple[int, ...]] = {
        "cls_token": (1, 1, width),
        "pos_embed": (1, grid**2 + 1, width),
        "mask_token": (1, width),
        "patch_embed.proj.weight": (width, 3, 14, 14),
        "patch_embed.proj.bias": (width,),
        "norm.weight": (width,),
        "norm.bias": (width,),
    }
    for block in range(depth):
        inside = {
            **{f"{n}.{p}": (width,) for n in ("norm1", "norm2") for p in ("weight", "bias")},
            "attn.qkv.weight": (3 * width, width),
            "attn.qkv.bias": (3 * width,),
            "attn.proj.weight": (width, width),
            "attn.proj.bias": (width,),
            "ls1.gamma": (width,),
            "ls2.gamma": (width,),
            f"mlp.{first}.weight": ((2 if gated else 1) * hidden, width),
            f"mlp.{first}.bias": ((2 if gated else 1) * hidden,),
            f"mlp.{second}.weight": (width, hidden),
            f"mlp.{second}.bias": (width,),
        }
        sizes |= {f"blocks.{block}.{name}": size for name, size in inside.items()}
    tensors = {}
    for place, (name, size) in enumerate(sizes.items()):
        count = int(torch.Size(size).numel())
        waves = torch.sin(torch.arange(count, dtype=torch.float64) ** 2 * 0.37 + place)
        spread = 1.0 if len(size) < 2 or "token" in name or "embed" in name[:9] else size[1] ** -0.5
        tensors[name] = (waves * spread).float().reshape(size)
    return tensors


def clip(path: Path, *, kind: str) -> Path:
    """A TorchScript archive as OpenAI publishes CLIP, of small networks, "vit" or "resnet"."""
    theirs = import_torch_fidelity("random", "feature_extractor_clip")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        if kind == "vit":
            visual = theirs.VisionTransformer(64, 32, 64, 2, 1, 16)
        else:
            visual = theirs.ModifiedResNet((1, 1, 1, 1), 16, heads=4, input_resolution=64, width=8)
        for module in visual.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
    tensors = {f"visual.{name}": value.detach() for name, value in visual.state_dict().items()}
    tensors |= {"text_projection": torch.zeros(8, 16), "transformer.weight": torch.zeros(3)}
    tensors |= {"logit_scale": torch.ones(()), "input_resolution": torch.tensor(64)}
    return scripted(tensors, path)


def scripted(tensors: dict[str, Tensor], path: Path) -> Path:
    """Write tensors by name as a TorchScript archive."""
    root = nn.Module()
    for name, value in tensors.items():
        *folders, leaf = name.split(".")
        module = root
        for folder in folders:
            if folder not in dict(module.named_children()):
                module.add_module(folder, nn.Module())
            module = module.get_submodule(folder)
        module.register_buffer(leaf, value)
    torch.jit.save(torch.jit.script(root), path)
    return path
