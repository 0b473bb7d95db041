"""How a run is carried out: `conf/trainer/`, checked before anything starts."""

from dataclasses import dataclass

import torch

ACCELERATORS = {
    "cpu": lambda: True,
    "gpu": torch.cuda.is_available,
    "mps": torch.backends.mps.is_available,
}


@dataclass(frozen=True)
class TrainerSettings:
    """Settings of `conf/trainer/`; devices and batch norm alone can change the result.

    Args:
        accelerator: "auto", "cpu", "gpu" or "mps".
        data: "device" keeps the samples where training runs, "host" feeds them.
        workers: of the DataLoader that feeds them.
        pictures: grids of samples over the run.
        checkpoint_seconds: seconds between full checkpoints, or None.
        checkpoint_every: steps between full checkpoints, or None.
        keep_checkpoints: how many of them are kept while a run trains.
        keep_checkpoint: keep the last full checkpoint of a run that ended.
        limit_minutes: of training, after which a run ends as failed; None for no limit.
        progress: show a bar.
        devices: processes that train one run together, each on a device of its own.
        batch_norm: of several processes: "synchronised" normalises by the whole batch,
            "per_process" by the share of each.

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
    devices: int = 1  # runs that were stored before there was a choice had this one
    batch_norm: str = "synchronised"

    def __post_init__(self) -> None:
        if self.accelerator not in ("auto", *ACCELERATORS):
            names = ", ".join(ACCELERATORS)
            raise ValueError(f"trainer.accelerator is {self.accelerator!r}; choose auto, {names}")
        if self.accelerator != "auto" and not ACCELERATORS[self.accelerator]():
            raise ValueError(f"trainer.accelerator is {self.accelerator!r}, this machine has none")
        if self.data not in ("device", "host"):
            raise ValueError(f"trainer.data is {self.data!r}; choose device or host")
        if self.batch_norm not in ("synchronised", "per_process"):
            raise ValueError(
                f"trainer.batch_norm is {self.batch_norm!r}; choose synchronised or per_process"
            )
        whole = {"devices": 1, "workers": 0, "pictures": 0, "keep_checkpoints": 1}
        for name, least in {**whole, "checkpoint_every": 1}.items():
            value = getattr(self, name)
            if value is None and name == "checkpoint_every":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"trainer.{name} is {value!r}; a whole number from {least} on")
        for name in ("checkpoint_seconds", "limit_minutes"):
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if value is not None and not (number and value > 0):
                raise ValueError(f"trainer.{name} is {value!r}; a number above 0, or null")
        for name in ("keep_checkpoint", "progress"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"trainer.{name} is {getattr(self, name)!r}; true or false")
        kind = self.device.type
        there = {"cuda": torch.cuda.device_count(), "mps": 1}.get(kind, self.devices)
        if self.devices > there:
            raise ValueError(
                f"trainer.devices is {self.devices}, this machine has {there} ({kind})"
            )

    @property
    def device(self) -> torch.device:
        """Where the run trains and is scored."""
        chosen = self.accelerator
        if chosen == "auto":
            chosen = next((k for k in ("gpu", "mps") if ACCELERATORS[k]()), "cpu")
        return torch.device({"gpu": "cuda"}.get(chosen, chosen))
