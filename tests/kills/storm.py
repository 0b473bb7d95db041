"""Kill sweeps at random moments, launch them again, and compare what they leave with whole sweeps.

`python -m kills.storm --kills 200 --seed 7` in `tests`, or `make test-kills`. A seed draws the
sweeps, the launchers, the moments and the signals. A moment is a number of changes among the files
under the runs root, and a delay after the last of them, so that it falls into planning, reference
features, training, scoring and writing alike, however slow the machine is.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kills.launch import SMALL, Launch, differences, results
from services.sweeps import SUBMITTED, kill, processes, until

from bench.sweeping.launchers import launchers_by_name

SWEEPS = {  # data -> small networks; each is planned with and without packs
    "ring": ["network.width=8", "network.depth=2"],
    "digits": ["network.dense=8", "network.deep=4", "network.shallow=4", "network.code=4"],
}
SETTINGS = ["d_steps=60", "score.every=20", "trainer.checkpoint_every=10", *SMALL]
VARIANTS = ("ns_gan", "wgan_gp", "began", "vae", "dragan", "hinge_gan")  # all of them fit packs
PACKS = {"off": "0,1", "2": "0,1,2", "4": "0,1,2,3,4"}  # slots -> seeds, one more than slots
LAUNCHERS = {"basic": [], "joblib": ["hydra.launcher.n_jobs=2"], "submitit_local": []}
SIGNALS = [signal.SIGKILL] * 6 + [signal.SIGTERM, signal.SIGINT]
TARGETS = ("parent", "parent", "worker", "group")
WORKERS = (f"{sys.executable} -m joblib.externals.loky", SUBMITTED)  # how their commands begin
END_SECONDS = 180.0  # within which orphans, and what a signal asked to end, have ended
KILLS_OF_A_SWEEP = 4


@dataclass(frozen=True)
class Sweep:
    """A sweep of a data set with some variants in packs of some size."""

    data: str
    variants: tuple[str, ...]
    pack: str

    def overrides(self) -> list[str]:
        """Return the words of its command line."""
        names = f"variant={','.join(self.variants)}"
        shape = [f"dataset={self.data}", f"seed={PACKS[self.pack]}", f"pack={self.pack}"]
        return [names, *shape, *SWEEPS[self.data], *SETTINGS]


def words_of(launcher: str, sweep: Sweep) -> list[str]:
    """Return the words after `python -m bench.train`."""
    return ["-m", f"hydra/launcher={launcher}", *LAUNCHERS[launcher], *sweep.overrides()]


class Storm:
    """Kills by the schedule of a seed.

    Args:
        kills: how many.
        folder: where the sweeps run; those that came out right are deleted.
    """

    def __init__(self, seed: int, kills: int, folder: Path) -> None:
        self.chance, self.kills, self.folder = random.Random(seed), kills, folder
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self.began = time.monotonic()

    def run(self) -> None:
        """Kill until the count is reached; `failures` names what came out otherwise."""
        sweeps = self._draw_sweeps()
        while self.counts["kills"] < self.kills:
            sweep = next(sweeps)
            self.counts["whole"] += 1
            whole = self.folder / f"whole-{self.counts['whole']}"
            expected, changes = self._run_whole(sweep, whole)
            for launcher in ("basic", self._other_launcher(sweep)):
                if self.counts["kills"] < self.kills:
                    self._kill_sweep(sweep, launcher, expected, changes)
            shutil.rmtree(whole)

    def _draw_sweeps(self) -> Iterator[Sweep]:
        """Yield sweeps: every pack comes with every data set before one comes again."""
        while True:
            for data in self.chance.sample(sorted(SWEEPS), len(SWEEPS)):
                for pack in self.chance.sample(sorted(PACKS), len(PACKS)):
                    n_variants = 2 if pack == "off" else 1
                    yield Sweep(data, tuple(self.chance.sample(VARIANTS, n_variants)), pack)

    def _other_launcher(self, sweep: Sweep) -> str:
        """Return a launcher beside the basic one: submitit's only where there are few jobs."""
        if sweep.pack == "off":
            return "joblib"
        self.counts["packed"] += 1
        return ("joblib", "submitit_local")[self.counts["packed"] % 2]

    def _run_whole(self, sweep: Sweep, folder: Path) -> tuple[dict[str, Any], int]:
        """Carry out a sweep without a kill; return its results and the number of changes."""
        folder.mkdir(parents=True)
        launch = Launch(folder, words_of("basic", sweep))
        if launch.wait():
            raise AssertionError((folder / "printed").read_text(encoding="utf-8"))
        return results(folder / "runs"), launch.changes

    def _kill_sweep(
        self, sweep: Sweep, launcher: str, expected: dict[str, Any], changes: int
    ) -> None:
        """Kill a sweep a few times, let it end, and compare."""
        self.counts["sweeps"] += 1
        folder = self.folder / f"sweep-{self.counts['sweeps']}"
        folder.mkdir()
        words = words_of(launcher, sweep)
        left = min(KILLS_OF_A_SWEEP, self.kills - self.counts["kills"])
        moments, launch = [], None
        while left and len(moments) < 2 * KILLS_OF_A_SWEEP:
            if launch is None or launch.ended():
                launch = Launch(folder, words)
            # A third of the files, so that the next kill finds something left to do.
            wanted = launch.changes + self.chance.randint(0, changes // 3)
            longest = 0.02 if self.chance.random() < 0.5 else 1.0
            delay = self.chance.uniform(0, longest if wanted else 6.0)
            number, target = self.chance.choice(SIGNALS), self.chance.choice(TARGETS)
            if not launch.wait_for(wanted, delay):
                moments.append("ended before")
                if launch.status == 0:
                    break
                continue
            whom = self._strike(launch, number, target)
            left -= 1
            moments.append(f"{signal.Signals(number).name[3:]} to {whom} after {launch.changes}")
            self.counts.update(["kills", f"{launcher} {signal.Signals(number).name} {whom}"])
            if whom != "worker":
                until(launch.ended, END_SECONDS)
        problems = list(self._finish(launch, folder, words, expected))
        kinds = f"{launcher}, {' and '.join(sweep.variants)} on {sweep.data}, pack={sweep.pack}"
        minutes = (time.monotonic() - self.began) / 60
        head = f"{self.counts['kills']:4d} of {self.kills} kills, {minutes:4.1f} min: {kinds}"
        print(f"{head}: {'; '.join(moments)}: {'DIFFERS' if problems else 'same'}", flush=True)
        for problem in problems:
            print(f"      {problem} ({folder})", flush=True)
        self.failures += [f"{kinds}: {problem} ({folder})" for problem in problems]
        kill(*processes(folder, ""))
        if not problems:
            shutil.rmtree(folder)

    def _strike(self, launch: Launch, number: int, target: str) -> str:
        """Send a signal to the parent, to a worker or to all; return whom it met."""
        workers = [pid for words in WORKERS for pid in processes(launch.folder, words)]
        if target == "group":
            pids = processes(launch.folder, "")
        elif target == "worker" and workers:
            pids = [self.chance.choice(sorted(workers))]
        else:
            target, pids = "parent", [launch.pid]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return target

    def _finish(
        self, launch: Launch | None, folder: Path, words: list[str], expected: dict[str, Any]
    ) -> Iterator[str]:
        """Let a sweep end, with one more launch if need be; yield what is not as it should be."""
        if launch is None or launch.wait():
            launch = Launch(folder, words)
            if status := launch.wait():
                yield f"exit status {status} of the launch that nobody killed"
                return
        try:
            until(lambda: not processes(folder, ""), END_SECONDS)
        except AssertionError:
            yield f"{len(processes(folder, ''))} processes are left"
        yield from differences(results(folder / "runs"), expected)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    settings = parser.parse_args()
    missing = set(LAUNCHERS) - {"basic"} - launchers_by_name().keys()
    assert not missing, missing
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    print(f"{settings.kills} kills by the schedule of seed {settings.seed}", flush=True)
    storm = Storm(settings.seed, settings.kills, folder)
    storm.run()
    counts = ", ".join(f"{n} {name}" for name, n in sorted(storm.counts.items()))
    print(f"seed {settings.seed}: {counts}; {len(storm.failures)} differences")
    if not storm.failures:
        shutil.rmtree(folder)
    sys.exit(bool(storm.failures))


if __name__ == "__main__":
    main()
