"""What a user can mend, and how it is said: one sentence, what was found, what to do."""

import sys
import warnings


class UserError(Exception):
    """Ends a command with exit status 2 and no traceback.

    Args:
        message: what is wrong and what was found.
        fix: what to do about it, in the imperative.
    """

    def __init__(self, message: str, *, fix: str) -> None:
        super().__init__(message)
        self.message, self.fix = message, fix

    def __str__(self) -> str:
        return f"error: {self.message}\n  fix: {self.fix}"

    def __reduce__(self):
        """Exceptions pickle by positional arguments; worker processes send this one home."""
        return _rebuild, (type(self), self.message, self.fix)


def _rebuild(kind: type["UserError"], message: str, fix: str) -> UserError:
    return kind(message, fix=fix)


class Caution(UserWarning):
    """A result stands, but a reader must know something about it; shown in one sentence."""


def show_cautions() -> None:
    """Print a `Caution` as one line, not as Python's warnings look."""
    before = warnings.showwarning

    def show(message, category, filename, lineno, file=None, line=None):
        if issubclass(category, Caution):
            print(f"caution: {message}", file=sys.stderr)
        else:
            before(message, category, filename, lineno, file, line)

    warnings.showwarning = show


class Interrupted(KeyboardInterrupt):
    """The user or the scheduler asked the run to stop; exit status 130."""
