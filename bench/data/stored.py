"""What all data sets that live in files share: prepared file first, raw files else, never both."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from bench.core.errors import UserError
from bench.data import prepared
from bench.data.split import Split, check_shape


class Stored(ABC):
    """A source whose raw files lie in ROOT/NAME or ROOT.

    Reading never writes, so that a read-only `root` will do; `prepare` converts once.

    Args:
        name: the data set.
        root: folder of prepared and raw files, relative to the working directory.
        shape: of one sample, [C, H, W].
        licence, origin: of the data; they go into the prepared file.
    """

    downloadable = False

    def __init__(
        self, name: str, root: str | None, shape: Sequence[int], licence: str, origin: str
    ) -> None:
        self.name, self.shape, self.licence, self.origin = name, tuple(shape), licence, origin
        self._root = root

    @property
    def root(self) -> Path:
        """The folder to look in.

        Raises:
            UserError: the config names none.
        """
        if self._root is None:
            raise UserError(f"dataset {self.name!r}: no folder given", fix="set dataset.root=DIR")
        return Path(self._root)

    @property
    def folders(self) -> tuple[Path, Path]:
        """Where raw files may lie; downloads go to the first."""
        return self.root / self.name, self.root

    def prepared_path(self) -> Path:
        """The prepared file's place."""
        return prepared.prepared_path(self.root, self.name)

    @abstractmethod
    def raw_name(self) -> str:
        """The raw files in words, for a message."""

    @abstractmethod
    def find(self) -> Path | None:
        """The folder in which the raw files lie, or None."""

    @abstractmethod
    def read(self, folder: Path) -> dict[str, Split]:
        """The raw files' content, checked."""

    def remedy(self) -> str:
        """What a user does who has none of the files."""
        if self.downloadable:
            return f"run `bench prepare {self.name}`, or set dataset.root=DIR"
        return f"get them from {self.origin} and place them in DIR, then set dataset.root=DIR"

    def fetch(self) -> None:
        """Download what is absent.

        Raises:
            UserError: it failed; here always: nobody may hand out this data set for its owners.
        """
        raise self._missing()

    def splits(self) -> dict[str, Split]:
        """Read the prepared file, or else the raw ones.

        Raises:
            UserError: there is none, or it is damaged or of another shape.
        """
        path = self.prepared_path()
        folder = None if path.is_file() else self.find()
        if path.is_file():
            splits = prepared.load(path, self.name)
        elif folder is not None:
            splits = self.read(folder)
        else:
            raise self._missing()
        check_shape(self.name, splits, self.shape)
        return splits

    def prepare(self) -> None:
        """Download what is absent, check it, write the prepared file; check one that exists.

        Raises:
            UserError: one of these failed. What was downloaded stays for the next attempt.
        """
        path = self.prepared_path()
        if path.is_file():
            self.splits()
            return
        if self.find() is None:
            self.fetch()
        folder = self.find()
        if folder is None:
            raise self._missing()
        splits = self.read(folder)
        check_shape(self.name, splits, self.shape)
        prepared.save(path, splits, name=self.name, licence=self.licence, source=self.origin)

    def _missing(self) -> UserError:
        return prepared.missing(self.root, self.name, self.raw_name(), self.remedy())
