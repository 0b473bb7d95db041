"""A private Slurm with accounting on loopback: two simulated nodes, in a folder of its own.

    with slurm() as folder: ...          SLURM_CONF is set within
    python tests/services/slurm.py sinfo     one command in it

As root only. What Debian packages are missing it installs. Nothing is written to the system's own
Slurm or MariaDB; ports are free ones; what an earlier, killed one left running is stopped first.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "created-equal-slurm-"
PACKAGES = [
    "munge", "slurmctld", "slurmd", "slurm-client", "slurm-wlm-basic-plugins", "slurmdbd",
    "mariadb-server",
]  # fmt: skip
PROGRAMS = ["munged", "slurmctld", "slurmd", "slurmdbd", "sbatch", "sacctmgr", "mariadbd"]
SLURMDBD = """\
AuthType=auth/munge
AuthInfo=socket={D}/munge.socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={dbd}
SlurmUser=root
LogFile={D}/log/slurmdbd.log
PidFile={D}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={mysql}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct_db
"""
SLURM = """\
ClusterName=local
SlurmctldHost={H}(127.0.0.1)
SlurmctldPort={ctld}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={D}/munge.socket
StateSaveLocation={D}/state
SlurmdSpoolDir={D}/spool-%n
SlurmctldPidFile={D}/slurmctld.pid
SlurmdPidFile={D}/slurmd-%n.pid
SlurmctldLogFile={D}/log/slurmctld.log
SlurmdLogFile={D}/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={dbd}
AccountingStoragePass={D}/munge.socket
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2
MpiDefault=none
ReturnToService=2
KillWait=60
SlurmdTimeout=60
GresTypes=gpu
NodeName=DEFAULT CPUs=2 RealMemory=8000 Gres=gpu:2
NodeName=n1 NodeHostname={H} NodeAddr=127.0.0.1 Port={n1}
NodeName=n2 NodeHostname={H} NodeAddr=127.0.0.1 Port={n2}
PartitionName=debug Nodes=n1,n2 Default=YES MaxTime=INFINITE DefMemPerCPU=1000 State=UP
"""
GRES = "NodeName=n1,n2 Name=gpu File=/dev/tty[0-1]\n"  # any character device passes for a GPU
ACCOUNTS = """\
create database slurm_acct_db;
create user slurm@'127.0.0.1' identified by 'slurm';
create user slurm@localhost identified by 'slurm';
grant all on slurm_acct_db.* to slurm@'127.0.0.1';
grant all on slurm_acct_db.* to slurm@localhost;
"""


class Unavailable(Exception):
    """Slurm cannot run on this machine, for the reason in the message."""


@contextmanager
def slurm() -> Iterator[Path]:
    """Start Slurm, set SLURM_CONF, and stop it whatever happens.

    Raises:
        Unavailable: not root, or its packages cannot be installed.
    """
    install()
    for left in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        if not Path("/proc", left.name.removeprefix(PREFIX).partition("-")[0]).exists():
            stop(left)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    before = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
    try:
        start(folder)
        yield folder
    finally:
        with suppress(subprocess.SubprocessError, OSError):
            subprocess.run(["scancel", "--me", "--signal=KILL"], timeout=20, capture_output=True)
        stop(folder)
        del os.environ["SLURM_CONF"]
        if before is not None:
            os.environ["SLURM_CONF"] = before


def install() -> None:
    """Install the Debian packages that are missing."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise Unavailable("a private Slurm needs root on Linux")
    os.environ["PATH"] += os.pathsep + "/usr/sbin:/sbin"
    if all(map(shutil.which, PROGRAMS)):
        return
    if shutil.which("apt-get") is None:
        raise Unavailable("Slurm is not installed and there is no apt-get to install it")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES]
    for arguments in (command, ["apt-get", "update"], command):
        done = subprocess.run(arguments, env=env, capture_output=True, text=True, timeout=300)
        if arguments is command and done.returncode == 0:
            return
    raise Unavailable(f"apt-get cannot install Slurm: {done.stderr.strip().splitlines()[-1:]}")


def free_ports(count: int) -> list[int]:
    """Return ports that no process listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def start(folder: Path) -> None:
    """Start all daemons, each once the one that it needs answers."""
    folder.chmod(0o755)
    for name in ("state", "log", "db", "spool-n1", "spool-n2"):
        (folder / name).mkdir()
    dbd, mysql, ctld, n1, n2 = free_ports(5)
    values = {
        "D": folder, "H": socket.gethostname().split(".")[0], "dbd": dbd, "mysql": mysql,
        "ctld": ctld, "n1": n1, "n2": n2,
    }  # fmt: skip
    (folder / "slurmdbd.conf").write_text(SLURMDBD.format(**values))
    (folder / "slurmdbd.conf").chmod(0o600)
    (folder / "slurm.conf").write_text(SLURM.format(**values))
    (folder / "gres.conf").write_text(GRES)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    files = [f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "log", "seed")]
    command("munged", f"--socket={folder}/munge.socket", *files)
    database(folder, mysql)
    command("slurmdbd")
    until(folder, ["sacctmgr", "-i", "-Q", "add", "cluster", "local"])
    command("slurmctld")
    until(folder, ["scontrol", "ping"])
    for node in ("n1", "n2"):
        command("slurmd", "-N", node)
    until(folder, ["sinfo", "-h", "-t", "idle", "-o", "%D"], "2")


def database(folder: Path, port: int) -> None:
    """Start MariaDB with the one account that slurmdbd needs."""
    data, reach = folder / "db", f"--socket={folder}/my.sock"
    root = "--auth-root-authentication-method=socket"
    command("mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={data}", root)
    with (folder / "log" / "mariadb.log").open("wb") as log:
        subprocess.Popen(
            ["mariadbd", "--no-defaults", "--user=root", f"--datadir={data}", reach,
             f"--pid-file={folder}/my.pid", "--bind-address=127.0.0.1", f"--port={port}"],
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    until(folder, ["mariadb", "--no-defaults", reach, "-e", "select 1"])
    command("mariadb", "--no-defaults", reach, "-e", ACCOUNTS)


def command(*words: str) -> None:
    """Run a command that must succeed; daemons go to the background by themselves."""
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=200,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{words[0]} ended with {done.returncode}: {done.stdout[-500:]}")


def until(folder: Path, words: list[str], answer: str = "", seconds: float = 200) -> None:
    """Repeat a command until it prints the expected answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done = subprocess.run(words, capture_output=True, text=True, timeout=100)
        if done.returncode == 0 and done.stdout.strip() == (answer or done.stdout.strip()):
            return
        time.sleep(0.2)
    logs = "\n".join(f"{p.name}: {p.read_text()[-300:]}" for p in (folder / "log").glob("*.log"))
    output = done.stdout + done.stderr
    raise RuntimeError(f"no answer from {words[0]} in {seconds:.0f} s: {output}\n{logs}")


def stop(folder: Path) -> None:
    """End every process that was started with the folder's name, jobs too; then remove it.

    At once: nothing in the folder is worth an orderly end, which takes slurmctld many seconds.
    """
    deadline = time.monotonic() + 15
    while (pids := started_with(str(folder))) and time.monotonic() < deadline:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
    shutil.rmtree(folder, ignore_errors=True)


def started_with(word: str) -> list[int]:
    """Return ids of processes that have a word in their command line or environment."""
    pids = []
    for proc in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # of a zombie both are empty
            text = (proc / "cmdline").read_bytes() + (proc / "environ").read_bytes()
            if word.encode() in text and int(proc.name) != os.getpid():
                pids.append(int(proc.name))
    return pids


if __name__ == "__main__":
    with slurm():
        sys.exit(subprocess.run(sys.argv[1:]).returncode)
