"""Who hears a signal, when, and who is told afterwards."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from bench.core.signals import (
    INTERRUPT,
    SCHEDULER_SIGNALS,
    USER_SIGNALS,
    InterruptState,
    _handles_signal,
)

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def heard():
    """What a library's handlers of the schedulers' signals heard; all handlers are put back."""
    numbers, heard = (*USER_SIGNALS, *SCHEDULER_SIGNALS), []
    before = {number: signal.getsignal(number) for number in numbers}
    for number in SCHEDULER_SIGNALS:
        signal.signal(number, lambda number, frame: heard.append(number))
    yield heard
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SCHEDULER_SIGNALS)
def test_a_schedulers_signal_asks_first_and_reaches_its_library_afterwards(heard, number):
    stop = InterruptState()
    stop.install()
    stop.install()  # of the next job of the process: our own handler is nobody to be told
    os.kill(os.getpid(), number)
    os.kill(os.getpid(), number)  # repeated, it still waits for the step's end
    assert stop.requested and heard == []
    stop.forward()
    assert heard == [number]
    assert {signal.getsignal(n) for n in (*USER_SIGNALS, *SCHEDULER_SIGNALS)} == {signal.SIG_IGN}
    stop.forward()
    assert heard == [number]


def test_what_a_person_stopped_is_not_queued_again(heard):
    stop = InterruptState()
    stop.install()
    os.kill(os.getpid(), signal.SIGTERM)
    stop.forward()
    assert stop.requested and heard == []


def test_a_persons_signal_after_any_interrupts_at_once(heard):
    stop = InterruptState()
    stop.install()
    os.kill(os.getpid(), SCHEDULER_SIGNALS[0])
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_library_that_refuses_leaves_the_run_interrupted(heard, capsys):
    def refuse(number, frame):
        raise RuntimeError("timed-out too many times")

    signal.signal(SCHEDULER_SIGNALS[-1], refuse)
    stop = InterruptState()
    stop.install()
    os.kill(os.getpid(), SCHEDULER_SIGNALS[-1])
    stop.forward()
    assert capsys.readouterr().err == "not queued again: timed-out too many times\n"


def test_a_child_is_told_once_it_listens_and_not_killed_before(heard):
    """It gets its handler a second after the parent was asked."""
    code = (
        "import signal, sys, time; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "print('begun', flush=True); time.sleep(1)\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"begun\n"
    assert not _handles_signal(child.pid, signal.SIGTERM) and _handles_signal(
        child.pid, signal.SIGINT
    )
    stop = InterruptState()
    stop.install()
    stop.relaying = True
    os.kill(os.getpid(), signal.SIGTERM)
    assert stop.requested and child.wait(30) == 7
    stop.relaying = False


def work(pipe) -> None:
    """Do a job of a pool until asked to stop, and then say so."""
    stop = InterruptState()
    stop.install()
    with stop.ending_with_parent():
        pipe.send(os.getpid())
        while not stop.requested:
            time.sleep(0.01)
        pipe.send("stopped")
    pipe.send("goes on")


def start_worker(pipe) -> None:
    worker = FORK.Process(target=work, args=(pipe,))
    worker.start()
    worker.join()


def test_a_worker_whose_parent_is_killed_ends_its_job_and_itself():
    inbox, outbox = FORK.Pipe(duplex=False)
    parent = FORK.Process(target=start_worker, args=(outbox,))
    parent.start()
    outbox.close()
    worker = inbox.recv()
    assert not inbox.poll(1.5)  # longer than between two looks
    parent.kill()
    parent.join()
    try:
        assert inbox.poll(30) and inbox.recv() == "stopped"
        assert inbox.poll(30)
        with pytest.raises(EOFError):  # it has ended
            inbox.recv()
    finally:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)


def test_a_process_that_no_pool_started_watches_nobody():
    stop = InterruptState()
    with stop.ending_with_parent():
        assert stop._watcher is None


def test_the_state_is_pickled_by_its_name_and_no_thread_with_it():
    """submitit pickles a preempted job's function, whose globals hold the state."""
    assert pickle.loads(pickle.dumps(INTERRUPT)) is INTERRUPT
