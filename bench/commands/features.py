"""`bench features`: train a feature extractor from the suite's own configs and data."""

import shlex
from typing import Any

from bench.config import build
from bench.config.error_messages import as_user_error
from bench.config.process_settings import process_settings
from bench.core.errors import UserError
from bench.data.digest import content_digest


def train_extractor(name: str, overrides: list[str]) -> dict[str, Any]:
    """Train the extractor of conf/features/<name>.yaml on its data set; return the card written.

    Raises:
        UserError: the extractor is not one that the suite trains, or its data are missing.
    """
    features = build.compose_config([f"features={name}"]).features
    if "training" not in features:
        message = f"features {name!r} are not trained here: {name}.yaml has no `training`"
        raise UserError(message, fix="choose one whose yaml has it, for example mnist_convnet")
    chosen = [f"features={name}", f"dataset={features.trained_on}", *overrides]
    cfg = build.compose_config(chosen)
    _, splits = build.build_splits(cfg)
    with as_user_error(f"features {name!r}"):
        training = build.instantiate(cfg.features.training)
    plain = {"threads": cfg.threads, "precision": "32"}
    portable = [o if not o.startswith("dataset.root=") else "dataset.root=DIR" for o in overrides]
    with process_settings(plain), as_user_error(f"features {name!r}"):
        return training(
            splits=splits,
            dataset=cfg.names.dataset,
            data_digest=content_digest(splits),
            command=shlex.join(["bench", "features", name, *portable]),
            log=print,
        )
