"""Constants that several tests share."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
SMALL = {
    "infogan": [
        "network.dense=8",
        "network.deep=4",
        "network.shallow=4",
        "network.latent_dim=4",
        "network.code=4",
    ],
    "dcgan": ["network.width=4", "network.latent_dim=4"],
    "image_mlp": ["network.width=8", "network.depth=2", "network.d_width=4"],
    "mlp": ["network.width=8", "network.depth=2"],
}
