"""Show more on standard error where `-v` or `trainer=debug` asks for it: tracebacks and a log.

The wish is an environment variable, which worker processes inherit.
"""

import logging
import os
import sys
import traceback

from bench.core.text import printable

VARIABLE = "BENCH_VERBOSE"
OPTIONS = ("-v", "--verbose")
FORMAT = "%(asctime)s %(name)s: %(message)s"


class _StandardError(logging.Handler):
    """Write to `sys.stderr`, whichever that is when something is logged."""

    def emit(self, record: logging.LogRecord) -> None:
        print(printable(self.format(record)), file=sys.stderr, flush=True)


def be_verbose() -> None:
    """Show tracebacks and the log from now on, in this process and in those that it starts."""
    os.environ[VARIABLE] = "1"


def is_verbose() -> bool:
    """Return whether tracebacks and the log are shown."""
    return os.environ.get(VARIABLE) == "1"


def show_log() -> None:
    """Show what the suite logs, down to its details, where that is asked for."""
    logger = logging.getLogger("bench")
    if is_verbose() and not logger.handlers:
        handler = _StandardError()
        handler.setFormatter(logging.Formatter(FORMAT, datefmt="%H:%M:%S"))
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)


def print_traceback(error: BaseException) -> None:
    """Print the traceback of an error and of its causes, where that is asked for."""
    if is_verbose():
        for line in "".join(traceback.format_exception(error)).splitlines():
            print(printable(line), file=sys.stderr)
