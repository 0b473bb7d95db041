"""Ctrl-C and SIGTERM, said once for the whole process.

The first one asks: a training run ends after its step with a checkpoint. Where nothing can be saved
(while scoring, say) it interrupts at once, and so does the second one anywhere. Files are written
whole or not at all, so that even then nothing is left half-written.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """Whether the process was asked to stop, and whether asking interrupts at once."""

    def __init__(self) -> None:
        self.asked, self.at_once = False, False

    def install(self) -> None:
        """Take the two signals; worker threads leave them to the main one."""
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, self._receive)
        except ValueError:  # not the main thread
            return

    def ignore(self) -> None:
        """The process is leaving: a further signal would only interrupt its last words."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        second, self.asked = self.asked, True
        if second or self.at_once:
            raise KeyboardInterrupt

    @contextmanager
    def interrupting(self, at_once: bool) -> Iterator[None]:
        """Within the block a first signal interrupts at once, or waits to be noticed."""
        before, self.at_once = self.at_once, at_once
        try:
            yield
        finally:
            self.at_once = before


STOP = Stop()
