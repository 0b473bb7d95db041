"""Settings of `conf/trainer/`: device, data loading, checkpoints, limits; checked at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from bench.core.number_checks import is_number, require_whole_number

ACCELERATORS: Mapping[str, Callable[[], bool]] = {
    "cpu": lambda: True,
    "gpu": torch.cuda.is_available,
    "mps": torch.backends.mps.is_available,
}


@dataclass(frozen=True)
class TrainerSettings:
    """Settings of `conf/trainer/`; only `devices` and `batch_norm` can change the result.

    Args:
        accelerator: "auto", "cpu", "gpu" or "mps".
        data: "device" keeps all samples on the training device, "host" loads them by batches.
        workers: processes of that DataLoader, at least 0.
        pictures: sample grids to draw over the run, at least 0.
        checkpoint_seconds: seconds between full checkpoints, or None.
        checkpoint_every: steps between full checkpoints, or None.
        keep_checkpoints: full checkpoints to keep while a run trains, at least 1.
        keep_checkpoint: keep the last full checkpoint after the run has ended.
        limit_minutes: minutes of training after which a run ends as failed, or None.
        devices: processes that train one run together, each on its own device, at least 1.
        batch_norm: with several processes: "synchronised" normalises by the whole batch,
            "per_process" by each process's part of it.

    Raises:
        ValueError: a setting is outside its range, or the machine has no such device.
    """

    accelerator: str
    data: str
    workers: int
    pictures: int
    checkpoint_seconds: float | None
    checkpoint_every: int | None
    keep_checkpoints: int
    keep_checkpoint: bool
    limit_minutes: float | None
    progress: bool
    devices: int
    batch_norm: str

    def __post_init__(self) -> None:
        if self.accelerator not in ("auto", *ACCELERATORS):
            names = ", ".join(ACCELERATORS)
            raise ValueError(f"trainer.accelerator is {self.accelerator!r}; choose auto, {names}")
        if self.accelerator != "auto" and not ACCELERATORS[self.accelerator]():
            raise ValueError(f"trainer.accelerator is {self.accelerator!r}; this machine has none")
        choices = {"data": ("device", "host"), "batch_norm": ("synchronised", "per_process")}
        for name, options in choices.items():
            if (value := getattr(self, name)) not in options:
                raise ValueError(f"trainer.{name} is {value!r}; choose {' or '.join(options)}")
        least_values = {"devices": 1, "workers": 0, "pictures": 0, "keep_checkpoints": 1}
        if self.checkpoint_every is not None:
            least_values["checkpoint_every"] = 1
        for name, least in least_values.items():
            require_whole_number(f"trainer.{name}", getattr(self, name), least)
        for name in ("checkpoint_seconds", "limit_minutes"):
            value = getattr(self, name)
            if value is not None and not (is_number(value) and value > 0):
                raise ValueError(
                    f"trainer.{name} is {value!r}; set it to a number above 0, or to null"
                )
        for name in ("keep_checkpoint", "progress"):
            if not isinstance(value := getattr(self, name), bool):
                raise ValueError(f"trainer.{name} is {value!r}; set it to true or false")
        kind = self.device.type
        present = {"cuda": torch.cuda.device_count(), "mps": 1}.get(kind, self.devices)
        if self.devices > present:
            raise ValueError(
                f"trainer.devices is {self.devices}; this machine has {present} ({kind})"
            )

    @property
    def device(self) -> torch.device:
        """The device on which the run trains and is scored."""
        kind = self.accelerator
        if kind == "auto":
            kind = next((k for k in ("gpu", "mps") if ACCELERATORS[k]()), "cpu")
        return torch.device({"gpu": "cuda"}.get(kind, kind))
