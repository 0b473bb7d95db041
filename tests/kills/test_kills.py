"""Kills at random moments and before each write, a disk that fills at each write."""

import shutil
from pathlib import Path

import pytest
from kills.every_write import fill_disk, keep_states
from kills.launch import SMALL, Launch, differences, results
from kills.storm import Storm

pytestmark = pytest.mark.slow
RING = ["variant=ns_gan", "dataset=ring", "network.width=8", "network.depth=2", *SMALL]
SWEEP = ["-m", "seed=0", "d_steps=4", "score.every=2", "score.keep_last=2", *RING]


def test_killed_sweeps_come_out_as_whole_ones(tmp_path):
    storm = Storm(0, 20, tmp_path)
    storm.run()
    assert storm.counts["kills"] == 20 and not storm.failures, storm.failures


@pytest.fixture(scope="module")
def states(tmp_path_factory):
    """A folder in which SWEEP ran, and the states of its runs root before each write."""
    folder = tmp_path_factory.mktemp("whole")
    states = folder / "states"
    assert Launch(folder, SWEEP, keep_states(folder / "runs", states)).wait() == 0
    return folder, sorted(states.iterdir())


def content(folder: Path) -> dict:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder): path.read_bytes() for path in files}


def test_killed_before_any_write_a_sweep_goes_on(states, tmp_path):
    """What is about to be written lies beside its place; the process that wrote it is dead."""
    whole, found = states
    assert len(found) > 50
    expected, earlier = results(whole / "runs"), None
    for state in found[::2]:
        if content(state) == earlier:  # a name that is deleted, though no file has it
            continue
        earlier, folder = content(state), tmp_path / state.name
        shutil.copytree(state, folder / "runs")
        status = Launch(folder, SWEEP).wait()
        assert (status, list(differences(results(folder / "runs"), expected))) == (0, []), state
        shutil.rmtree(folder)


def test_a_disk_that_fills_at_any_write_is_a_sentence_and_the_next_launch_goes_on(states, tmp_path):
    expected = results(states[0] / "runs")
    for at in range(1, 1000, 7):
        folder = tmp_path / str(at)
        folder.mkdir()
        status = Launch(folder, SWEEP, fill_disk(folder / "runs", at)).wait()
        printed = (folder / "printed").read_text()
        if status == 0:
            break
        assert status in (1, 2) and "Traceback" not in printed, printed
        assert "cannot write" in printed and "No space left on device" in printed, printed
        assert not list(folder.rglob(".*.part")) and not list(folder.rglob("pulse.json"))
        assert Launch(folder, SWEEP).wait() == 0
        assert not list(differences(results(folder / "runs"), expected)), at
        shutil.rmtree(folder)
    assert at > 90  # the writes of a whole sweep
