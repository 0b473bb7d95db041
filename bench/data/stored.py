"""Base class of data sets that are read from files the user has, prepared or raw.

To add one: write a subclass of `StoredDataset` that knows its raw files (`describe_raw_files`,
`is_complete`, `read`, and `fetch` with `downloadable = True` where the data may be downloaded), and
`conf/dataset/NAME.yaml`, whose `source` names the class and its arguments: shape, classes, counts,
checksums and licence stand there, with their source. A data set of a known format needs the yaml
alone: `idx.Idx`, `parquet.Parquet`, `images.Images`. Sources without files, like `points.Points`,
need no base class, only what `bench.data` lists.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core.errors import UserError
from bench.core.number_checks import is_whole_number
from bench.data import prepared
from bench.data.split import Split, check_labels, check_shape


@dataclass(eq=False)
class StoredDataset(ABC):
    """A data set whose raw files lie in ROOT/NAME or ROOT; a prepared file is read instead of them.

    Reading never writes, so that `root` may be read-only; `prepare` converts once.

    Args:
        root: folder of prepared and raw files, relative to the working directory.
        shape: shape of one sample, [C, H, W], C of 1 (grey) or 3.
        classes: number of classes; labels are 0 to classes - 1.
        licence, origin: licence and source of the data, written into the prepared file.
    """

    downloadable = False

    name: str
    root: str | None
    shape: Sequence[int]
    classes: int
    licence: str
    origin: str

    def __post_init__(self) -> None:
        self.shape = tuple(self.shape)
        whole = all(is_whole_number(size, 1) for size in self.shape)
        if not whole or len(self.shape) != 3 or self.shape[0] not in (1, 3):
            raise UserError(
                f"dataset {self.name!r}: dataset.shape is {list(self.shape)}",
                fix="set it to [CHANNELS,HEIGHT,WIDTH], whole numbers, with 1 or 3 channels",
            )

    @property
    def root_folder(self) -> Path:
        """The folder of prepared and raw files; UserError where the config names none."""
        if self.root is None:
            raise UserError(f"dataset {self.name!r}: no folder given", fix="set dataset.root=DIR")
        return Path(self.root)

    @property
    def folders(self) -> Sequence[Path]:
        """The folders that may hold raw files; downloads go to the first."""
        return self.root_folder / self.name, self.root_folder

    def prepared_path(self) -> Path:
        """Return the path of the prepared file."""
        return prepared.prepared_path(self.root_folder, self.name)

    @abstractmethod
    def describe_raw_files(self) -> str:
        """Return the names of the raw files in words, for an error message."""

    @abstractmethod
    def is_complete(self, folder: Path) -> bool:
        """Return whether a folder holds the raw files."""

    @abstractmethod
    def read(self, folder: Path) -> dict[str, Split]:
        """Read and check the raw files."""

    def find(self) -> Path | None:
        """Return the folder that holds the raw files, or None."""
        return next((folder for folder in self.folders if self.is_complete(folder)), None)

    def suggest_fix(self) -> str:
        """Return what a user can do who has none of the files."""
        if self.downloadable:
            return f"run `bench prepare {self.name}`, or set dataset.root=DIR"
        return f"get them from {self.origin} and place them in DIR, then set dataset.root=DIR"

    def fetch(self) -> None:
        """Download the missing files; here a UserError: only the owners may distribute the data."""
        raise self._missing_error()

    def splits(self) -> dict[str, Split]:
        """Read the prepared file, else the raw files; UserError if absent, damaged or misshapen."""
        path = self.prepared_path()
        splits = prepared.load(path, self.name) if path.is_file() else self._read_raw_files()
        return self._check(splits)

    def prepare(self) -> None:
        """Download missing files, check them and write the prepared file; check one that exists.

        Where that fails with a UserError, downloaded files stay for the next attempt.
        """
        path = self.prepared_path()
        if path.is_file():
            self.splits()
            return
        if self.find() is None:
            self.fetch()
        splits = self._check(self._read_raw_files())
        prepared.save(path, splits, name=self.name, licence=self.licence, source=self.origin)

    def _check(self, splits: dict[str, Split]) -> dict[str, Split]:
        """Return splits of the config's shape and classes, or raise a UserError."""
        check_shape(self.name, splits, self.shape)
        check_labels(self.name, splits, self.classes)
        return splits

    def _read_raw_files(self) -> dict[str, Split]:
        folder = self.find()
        if folder is None:
            raise self._missing_error()
        return self.read(folder)

    def _missing_error(self) -> UserError:
        raw, fix = self.describe_raw_files(), self.suggest_fix()
        return prepared.missing_dataset(self.root_folder, self.name, raw, fix)
