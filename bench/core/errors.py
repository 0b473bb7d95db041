"""Errors that a user can fix and warnings about results, each printed in one sentence."""

import sys
import warnings
from functools import partial

from bench.core.text import printable


class UserError(Exception):
    """End a command with exit status 2 and no traceback.

    Args:
        message: what is wrong and what was found.
        fix: what to do about it, in the imperative; empty where the message says it.
    """

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message, self.fix = message, fix

    def __str__(self) -> str:
        message, fix = ("\n".join(map(printable, t.split("\n"))) for t in (self.message, self.fix))
        return f"error: {message}" + f"\n  fix: {fix}" * bool(fix)

    def __reduce__(self):
        """Pickle with `fix`: worker processes send errors to their parent."""
        return partial(type(self), fix=self.fix), (self.message,)


class Caution(UserWarning):
    """Warn that a result is valid, but must be read with care; shown in one sentence."""


def show_cautions() -> None:
    """Print a `Caution` as one line instead of in Python's format of warnings."""
    before = warnings.showwarning
    if before.__module__ == __name__:  # they are shown so already
        return

    def show(message, category, filename, lineno, file=None, line=None):
        if issubclass(category, Caution):
            print(f"caution: {printable(str(message))}", file=sys.stderr)
        else:
            before(message, category, filename, lineno, file, line)

    warnings.showwarning = show


class Interrupted(KeyboardInterrupt):
    """End a run that the user or the scheduler asked to stop; exit status 130."""
