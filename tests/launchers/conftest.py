"""Reference digests of two sweeps, and a folder in which no process is left running."""

import pytest
from services.sweeps import LONG, SHORT, digests, kill, launch, processes


@pytest.fixture(scope="session")
def short(tmp_path_factory) -> dict[str, str]:
    """Digests of the short sweep by Hydra's basic launcher, in one process."""
    return reference(tmp_path_factory.mktemp("short"), SHORT)


@pytest.fixture(scope="session")
def long(tmp_path_factory) -> dict[str, str]:
    """Digests of the long sweep, which leaves time to kill a process."""
    return reference(tmp_path_factory.mktemp("long"), LONG)


def reference(folder, overrides) -> dict[str, str]:
    done = launch(folder, "basic", *overrides)
    assert done.returncode == 0, done.stdout
    return digests(folder)


@pytest.fixture
def folder(tmp_path):
    """A folder to launch a sweep in; processes that still run there afterwards are killed."""
    yield tmp_path
    kill(*processes(tmp_path, ""))
