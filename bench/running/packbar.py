"""The one bar of a pack: replicas alive, steps, runs an hour, time left."""

from tqdm import tqdm

SHOW_EVERY = 50  # steps


class PackBar:
    """Counts the steps of all replicas against those that all runs of the job have to make.

    Args:
        label: of the pack.
        runs: how many there are.
        d_steps: of one.
        shown: draw it.
    """

    def __init__(self, label: str, runs: int, d_steps: int, *, shown: bool) -> None:
        self.d_steps, self._steps = d_steps, 0
        self._bar = tqdm(
            total=runs * d_steps,
            desc=label,
            unit="step",
            disable=not shown,
            leave=False,
            mininterval=0.5,
            dynamic_ncols=True,
        )

    def step(self, alive: int, waiting: int) -> None:
        """All that are alive have made one."""
        self._bar.update(alive)
        self._steps += 1
        if self._steps % SHOW_EVERY == 0 and not self._bar.disable:
            runs = 3600 * (self._bar.format_dict["rate"] or 0.0) / self.d_steps
            said = {"alive": alive, "waiting": waiting, "runs/h": f"{runs:.0f}"}
            self._bar.set_postfix(said, refresh=False)

    def spare(self, steps: int) -> None:
        """They need not be made: a run has ended early, goes on, or was there already."""
        if not self._bar.disable:
            self._bar.total -= steps

    def close(self) -> None:
        """Take it away."""
        self._bar.close()
