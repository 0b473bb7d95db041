"""Company, clocks that jump, few file descriptors, small files, many runs in one process."""

import gc
import random
import resource
import time
from pathlib import Path

import pytest
from kills.launch import SMALL, Launch, differences, results

from bench import train
from bench.config.override_text import quote

pytestmark = pytest.mark.slow
RING = ["-m", "variant=ns_gan", "dataset=ring", "network.width=8", "network.depth=2", *SMALL]
SWEEP = [*RING, "seed=0,1", "d_steps=100", "trainer.checkpoint_every=10"]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What SWEEP leaves when nothing happens to it."""
    folder = tmp_path_factory.mktemp("whole")
    assert Launch(folder, SWEEP).wait() == 0
    return results(folder / "runs")


def jumping_clock() -> None:
    """Have the time of day jump by up to ten hours, back and forth, at each look."""
    now, chance = time.time, random.Random(0)
    time.time = lambda: now() + chance.uniform(-36_000, 36_000)


@pytest.mark.parametrize("name", ["runs", 'it\'s a "root" = {with} $HOME, [x] & more'])
def test_two_commands_at_once_leave_what_one_does(expected, tmp_path, name):
    words = [*SWEEP, f"runs_root={quote(name)}"]
    launches = [Launch(tmp_path, words, jumping_clock) for _ in range(2)]
    printed = (tmp_path / "printed").read_text
    assert [launch.wait() for launch in launches] == [0, 0], printed()
    assert not list(differences(results(tmp_path / name), expected)), printed()


LIMITS = [(resource.RLIMIT_NOFILE, n) for n in (16, 24, 32)]
LIMITS += [(resource.RLIMIT_FSIZE, 2**10 * n) for n in (4, 10, 100)]


@pytest.mark.parametrize(("kind", "limit"), LIMITS)
def test_under_a_limit_a_sweep_works_or_says_why_in_a_sentence(expected, tmp_path, kind, limit):
    first = Launch(tmp_path, SWEEP, lambda: resource.setrlimit(kind, (limit, limit)))
    assert first.wait() in (0, 1, 2)
    printed = (tmp_path / "printed").read_text()
    assert "Traceback" not in printed, printed
    assert first.status == 0 or "cannot " in printed, printed
    assert not list(tmp_path.rglob(".*.part")), printed
    assert Launch(tmp_path, SWEEP).wait() == 0
    assert not list(differences(results(tmp_path / "runs"), expected))


def resident_kib() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def note_memory() -> None:
    """Append KiB and number of objects of the process to the file `memory` when a run ends."""
    print_line = train._print_line

    def note(*outcome) -> None:
        gc.collect()
        with open("memory", "a") as memory:
            print(resident_kib(), len(gc.get_objects()), file=memory)
        print_line(*outcome)

    train._print_line = note


def test_a_process_keeps_little_of_the_runs_that_have_ended(tmp_path):
    """Hydra would keep a job's two configs: 1,800 objects, 300 KiB; the rest is 5 and 20 KiB."""
    assert Launch(tmp_path, [*RING, "seed=range(0,60)", "d_steps=4"], note_memory).wait() == 0
    lines = [line.split() for line in (tmp_path / "memory").read_text().splitlines()]
    (kib, objects), (kib_before, objects_before) = map(int, lines[59]), map(int, lines[19])
    assert (objects - objects_before) / 40 < 20
    assert (kib - kib_before) / 40 < 100
