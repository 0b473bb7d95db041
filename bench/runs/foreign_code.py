"""Hash the code outside the package that a config names, found without importing any of it.

The file of a `_target_` is found by asking the import system's finders for a spec, package by
package; its imports are read from its syntax tree and followed as long as they lead to files of the
same distribution or folder. What is hashed is the text of these files.
"""

import ast
import hashlib
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from bench.core.errors import UserError

PACKAGE = __name__.partition(".")[0]
DIGITS = 32  # hex digits of a hash


class Module(NamedTuple):
    """Where a module's code lies.

    Args:
        name: dotted.
        path: its file; None for a namespace package.
        root: folder in which its top-level package or module was found.
        is_package: whether it may hold further modules.
        locations: folders of its submodules.
    """

    name: str
    path: Path | None
    root: Path
    is_package: bool
    locations: tuple[str, ...]


def targets_in(node: Any) -> Iterator[str]:
    """Yield every `_target_` of a config, at any depth."""
    if isinstance(node, Mapping):
        for key, item in node.items():
            if key == "_target_":
                yield str(item)
            else:
                yield from targets_in(item)
    elif isinstance(node, list | tuple):
        for item in node:
            yield from targets_in(item)


def import_roots(node: Any) -> list[str]:
    """Return the folders, PYTHONPATH's say, in which the code of `foreign_code` was found.

    Installed code has none. A folder below the working directory is named relative to it.
    """
    roots = {module.root for module in _foreign_modules(node)}
    return sorted(relative_path(root) for root in roots if "site-packages" not in root.parts)


def relative_path(path: Path) -> str:
    """Return a path relative to the working directory where it lies below it, else as it is."""
    path, here = path.absolute(), Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)


def foreign_code(node: Any) -> dict[str, str]:
    """Return {file: hash} of the code outside the package that a config names.

    A file is named relative to the folder in which its top-level module was found. A compiled
    extension has the name and version of its distribution instead of a hash.

    Args:
        node: a resolved config, or a part of one.

    Raises:
        UserError: a target lies in `__main__`, or its file cannot be read.
    """
    hashes: dict[str, str] = {}
    for module in _foreign_modules(node):
        hashes |= _hash_module(module)
    return dict(sorted(hashes.items()))


def _foreign_modules(node: Any) -> Iterator[Module]:
    for target in dict.fromkeys(targets_in(node)):
        top = target.partition(".")[0]
        if top == "__main__":
            message = f"{target!r} lies in the script that is running, which has no name elsewhere"
            raise UserError(message, fix="move it to a module of its own and name that")
        if not _is_ours(top):
            yield from _modules_behind(target)


@cache
def _is_ours(top: str) -> bool:
    """Whether a top-level package is the suite's, the standard library's or a requirement's.

    `provenance.json` holds the versions of requirements; they are no part of a run's identity.
    """
    if top == PACKAGE or top in sys.stdlib_module_names or top in _requirements():
        return True
    names = _distributions().get(top, ())
    return any(name.replace("-", "_").lower() in _requirements() for name in names)


@cache
def _requirements() -> frozenset[str]:
    lines = metadata.requires("created-equal") or ()
    names = (re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in lines)
    return frozenset(name.replace("-", "_").lower() for name in names)


@cache
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


def _modules_behind(target: str) -> list[Module]:
    """Return the modules that importing a target would run, of its own distribution or folder."""
    waiting, seen = list(modules_along(target)), dict[str, Module]()
    while waiting:
        module = waiting.pop()
        if module.name in seen:
            continue
        seen[module.name] = module
        for imported in _imports_of(module):
            waiting += [m for m in modules_along(imported) if _belongs_with(m, module)]
    return list(seen.values())


def modules_along(dotted: str) -> Iterator[Module]:
    """Yield the packages along a dotted name, then the module; attributes end it."""
    locations: tuple[str, ...] | None = None
    root: Path | None = None
    for name in accumulate(dotted.split("."), "{}.{}".format):
        if (spec := _find_spec(name, locations)) is None:
            return
        places = tuple(spec.submodule_search_locations or ())
        if not places and not spec.has_location:  # built in or frozen
            return
        has_file = spec.origin is not None and spec.has_location
        path = Path(spec.origin) if has_file else None  # type: ignore[arg-type]
        if root is None:
            first = path if path is not None else Path(places[0]) / "x"
            root = first.parents[1] if places else first.parent
        yield Module(name, path, root, bool(places), places)
        if not places:
            return
        locations = places


def _find_spec(name: str, locations: tuple[str, ...] | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        if find is not None and (spec := find(name, locations)) is not None:
            return spec
    return None


def _belongs_with(module: Module, importer: Module) -> bool:
    """Whether a module is of the importer's top-level package, or beside it in its folder."""
    top = module.name.partition(".")[0]
    if top == importer.name.partition(".")[0]:
        return True
    beside = module.root == importer.root and not _is_ours(top)
    return beside and "site-packages" not in module.root.parts


def _imports_of(module: Module) -> list[str]:
    if module.path is None or module.path.suffix != ".py":
        return []
    stat = module.path.stat()
    return _parse(module.path, stat.st_mtime_ns, stat.st_size, module.name, module.is_package)[1]


def _hash_module(module: Module) -> dict[str, str]:
    """Return {file: hash} of a module, {} of a namespace package."""
    if (path := module.path) is None:
        return {}
    if path.name.endswith(tuple(EXTENSION_SUFFIXES)) or path.suffix != ".py":
        return {f"{module.name} (compiled)": _version_of(module)}
    stat = path.stat()
    digest, _ = _parse(path, stat.st_mtime_ns, stat.st_size, module.name, module.is_package)
    return {path.relative_to(module.root).as_posix(): digest}


def _version_of(module: Module) -> str:
    top = module.name.partition(".")[0]
    for name in _distributions().get(top, ()):
        return f"{name} {metadata.version(name)}"
    assert module.path is not None
    return hashlib.sha256(module.path.read_bytes()).hexdigest()[:DIGITS]


@cache
def _parse(
    path: Path, mtime_ns: int, size: int, name: str, is_package: bool
) -> tuple[str, list[str]]:
    """Return a file's hash and the names that it imports, remembered until the file changes.

    Raises:
        UserError: the file is not Python, or cannot be read.
    """
    try:
        content = path.read_bytes()
        tree = ast.parse(content)
    except (OSError, SyntaxError, ValueError) as error:
        message = f"{path} cannot be read as Python: {error}"
        raise UserError(message, fix="correct the file") from error
    package = name if is_package else name.rpartition(".")[0]
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            names += [f"{base}.{alias.name}" for alias in node.names] if base else []
    return hashlib.sha256(content).hexdigest()[:DIGITS], names
