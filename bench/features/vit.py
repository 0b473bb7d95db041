"""The vision transformer of DINOv2: Oquab et al. 2023 (arXiv:2304.07193), appendix B.

Dosovitskiy et al. 2021 (arXiv:2010.11929), equations 1 to 4, each residual branch scaled by a
learned vector (Touvron et al. 2021, arXiv:2103.17239, equation 7). torch-fidelity runs whatever
code facebookresearch/dinov2 has on GitHub that day; here the hash of the weights identifies the
network. Modules have the names of the published files.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, interpolate, scaled_dot_product_attention, silu

HEAD = 64  # width of an attention head in every published size
EPS = 1e-6  # of layer norms
OFFSET = 0.1  # the authors' code resizes positions by (grid + 0.1) / trained grid


class Block(nn.Module):
    """x -> y + s2 * MLP(norm(y)) with y = x + s1 * attention(norm(x)), tokens [B, T, F].

    Args:
        width: F, a multiple of 64.
        hidden: width of the hidden layer of the MLP.
        gated: silu(a) * b in the MLP's hidden layer (Shazeer 2020, arXiv:2002.05202, SwiGLU), as
            in the giant model, instead of gelu(a).
    """

    def __init__(self, width: int, hidden: int, gated: bool) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, EPS), nn.LayerNorm(width, EPS)
        qkv, proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.attn = nn.ModuleDict({"qkv": qkv, "proj": proj})
        first, second = ("w12", "w3") if gated else ("fc1", "fc2")
        inner = nn.Linear(width, 2 * hidden if gated else hidden)
        self.mlp = nn.ModuleDict({first: inner, second: nn.Linear(hidden, width)})
        self.ls1 = nn.ParameterDict({"gamma": torch.ones(width)})
        self.ls2 = nn.ParameterDict({"gamma": torch.ones(width)})
        self.gated = gated

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens [B, T, F] -> tokens [B, T, F]."""
        tokens = tokens + self.ls1["gamma"] * self._attention(self.norm1(tokens))
        return tokens + self.ls2["gamma"] * self._feed_forward(self.norm2(tokens))

    def _attention(self, tokens: Tensor) -> Tensor:
        heads = self.attn["qkv"](tokens).unflatten(2, (3, -1, HEAD)).permute(2, 0, 3, 1, 4)
        mixed = scaled_dot_product_attention(*heads)  # [B, heads, T, 64]
        return self.attn["proj"](mixed.transpose(1, 2).flatten(2))

    def _feed_forward(self, tokens: Tensor) -> Tensor:
        if self.gated:
            gate, value = self.mlp["w12"](tokens).chunk(2, dim=-1)
            return self.mlp["w3"](silu(gate) * value)
        return self.mlp["fc2"](gelu(self.mlp["fc1"](tokens)))


class VisionTransformer(nn.Module):
    """Images [B, 3, S, S] -> the normed class token [B, F]; all sizes are those of the tensors.

    Args:
        tensors: tensors by name, as published; the mask token, used only in training, is ignored.
        side: S, a multiple of the patch.

    Raises:
        LookupError, RuntimeError, TypeError, ValueError: they are not the tensors of such a
            network.
    """

    def __init__(self, tensors: dict[str, Tensor], side: int) -> None:
        super().__init__()
        tensors = {k: v.float() for k, v in tensors.items() if k != "mask_token"}
        width, channels, patch, _ = tensors["patch_embed.proj.weight"].shape
        if channels != 3 or width % HEAD or side % patch:
            raise ValueError(f"{channels} channels, width {width}, side {side}, patch {patch}")
        depth = sum(name.endswith(".ls1.gamma") for name in tensors)
        gated = "blocks.0.mlp.w12.weight" in tensors
        hidden = tensors[f"blocks.0.mlp.{'w3' if gated else 'fc2'}.weight"].shape[1]
        tensors["pos_embed"] = resize_positions(tensors["pos_embed"], side // patch)
        with torch.device("meta"):  # do not initialise weights that are replaced at once
            self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, patch, patch)})
            self.cls_token = nn.Parameter(torch.empty(1, 1, width))
            self.pos_embed = nn.Parameter(torch.empty(1, (side // patch) ** 2 + 1, width))
            self.blocks = nn.Sequential(*[Block(width, hidden, gated) for _ in range(depth)])
            self.norm = nn.LayerNorm(width, EPS)
        self.width = width
        self.load_state_dict(tensors, assign=True)

    def forward(self, images: Tensor) -> Tensor:
        """Images [B, 3, S, S], normalised as in training -> features [B, F]."""
        patches = self.patch_embed["proj"](images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(images), -1, -1), patches], 1)
        return self.norm(self.blocks(tokens + self.pos_embed)[:, 0])


def resize_positions(trained: Tensor, grid: int) -> Tensor:
    """Position vectors [1, 1 + M^2, F] -> [1, 1 + grid^2, F], all but the class token's resized.

    Bicubic, by a factor of (grid + 0.1) / M although grid / M would fit: the authors' code computed
    the published features of 224 x 224 images so. ValueError where the positions are no square.
    """
    of_class, of_patches = trained[:, :1], trained[:, 1:]
    side = round(of_patches.shape[1] ** 0.5)
    if side == grid:
        return trained
    if side**2 != of_patches.shape[1]:
        raise ValueError(f"{of_patches.shape[1]} positions are no square")
    square = of_patches.unflatten(1, (side, side)).permute(0, 3, 1, 2)
    factor = (grid + OFFSET) / side
    resized = interpolate(square, scale_factor=(factor, factor), mode="bicubic")
    return torch.cat([of_class, resized.flatten(2).transpose(1, 2)], 1)
