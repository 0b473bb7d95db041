"""How a run is carried out: `conf/trainer/`, checked before anything starts."""

from dataclasses import dataclass

import torch

ACCELERATORS = {
    "cpu": lambda: True,
    "gpu": torch.cuda.is_available,
    "mps": torch.backends.mps.is_available,
}


@dataclass(frozen=True)
class Conduct:
    """Settings of `conf/trainer/`; only the device can change a bit of the result.

    Args:
        accelerator: "auto", "cpu", "gpu" or "mps".
        data: "device" keeps the samples where training runs, "host" feeds them.
        workers: of the DataLoader that feeds them.
        pictures: grids of samples over the run.
        checkpoint_every: steps between full checkpoints.
        keep_checkpoint: keep the last full checkpoint of a run that ended.
        progress: show a bar.

    Raises:
        ValueError: a setting is outside its range, or the machine has no such device.
    """

    accelerator: str
    data: str
    workers: int
    pictures: int
    checkpoint_every: int
    keep_checkpoint: bool
    progress: bool

    def __post_init__(self) -> None:
        if self.accelerator not in ("auto", *ACCELERATORS):
            names = ", ".join(ACCELERATORS)
            raise ValueError(f"trainer.accelerator is {self.accelerator!r}; choose auto, {names}")
        if self.accelerator != "auto" and not ACCELERATORS[self.accelerator]():
            raise ValueError(f"trainer.accelerator is {self.accelerator!r}, this machine has none")
        if self.data not in ("device", "host"):
            raise ValueError(f"trainer.data is {self.data!r}; choose device or host")
        for name, least in (("workers", 0), ("pictures", 0), ("checkpoint_every", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"trainer.{name} is {value!r}; a whole number from {least} on")
        for name in ("keep_checkpoint", "progress"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"trainer.{name} is {getattr(self, name)!r}; true or false")

    @property
    def device(self) -> torch.device:
        """Where the run trains and is scored."""
        chosen = self.accelerator
        if chosen == "auto":
            chosen = next((k for k in ("gpu", "mps") if ACCELERATORS[k]()), "cpu")
        return torch.device({"gpu": "cuda"}.get(chosen, chosen))
