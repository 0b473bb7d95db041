"""Name what the discriminator minimises: a loss, and a penalty that is not the loss's own."""

import yaml

from bench.config.trust import config_folders, is_entry
from bench.core.files import read_text

NO_PENALTY = "none"


def own_penalty(loss: str) -> str:
    """Return the penalty that a loss's yaml chooses; "none" where it chooses none.

    Args:
        loss: an entry of the config group; one that is not here chooses none.
    """
    if not is_entry("loss", loss):
        return NO_PENALTY
    paths = [folder / "loss" / f"{loss}.yaml" for folder in config_folders()]
    path = next(path for path in paths if path.is_file())
    content = yaml.safe_load(read_text(path, "correct it, or move it away"))
    chosen = [d for d in content.get("defaults", ()) if isinstance(d, dict)]
    return next((d["override /penalty"] for d in chosen if "override /penalty" in d), NO_PENALTY)


def loss_label(loss: str, penalty: str) -> str:
    """Return "hinge + r1", or the loss alone where the penalty is its own or there is none."""
    return loss if penalty in (NO_PENALTY, own_penalty(loss)) else f"{loss} + {penalty}"
