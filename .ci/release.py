"""Build the files of a release into dist/: `make release VERSION=0.2.0`.

Nothing is built unless the package, CITATION.cff and CHANGELOG.md all name this version, nothing is
uncommitted, and the commit carries the tag `vVERSION`. Nothing is uploaded.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def find_obstacles(version: str, root: Path, tags: list[str], changes: list[str]) -> list[str]:
    """Say what must be mended before this version can be released, a line each.

    Args:
        version: such as 0.2.0.
        root: folder of the repository.
        tags: tags of the commit.
        changes: files that differ from the commit.
    """
    package = re.search(r'__version__ = "(.*)"', (root / "bench/__init__.py").read_text())
    citation = re.search(r"(?m)^version: (.*)$", (root / "CITATION.cff").read_text())
    newest = re.search(r"(?m)^## (.*)$", (root / "CHANGELOG.md").read_text())
    released = re.search(r"(?m)^date-released: (.*)$", (root / "CITATION.cff").read_text())
    heading = f"{version} ({released[1] if released else 'YYYY-MM-DD'})"
    wanted = [
        (package, version, "bench/__init__.py: __version__"),
        (citation, version, "CITATION.cff: version"),
        (newest, heading, "CHANGELOG.md: the first section, with CITATION.cff's date,"),
    ]
    found = [(match[1] if match else "missing", want, where) for match, want, where in wanted]
    obstacles = [f"{where} is {is_!r}, not {want!r}" for is_, want, where in found if is_ != want]
    if f"v{version}" not in tags:
        obstacles.append(f"this commit has no tag v{version}: git tag v{version}")
    if changes:
        obstacles.append(f"uncommitted changes: {', '.join(changes)}")
    return obstacles


def git(*words: str) -> list[str]:
    """Return the lines that a git command prints in the repository."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def main() -> int:
    """Check, then build wheel and source archive; return the exit status."""
    version = sys.argv[1] if len(sys.argv) == 2 else ""
    changes = [line[3:] for line in git("status", "--porcelain")]
    obstacles = find_obstacles(version, ROOT, git("tag", "--points-at", "HEAD"), changes)
    print(*(f"error: {line}" for line in obstacles), sep="\n", end="\n" * bool(obstacles))
    if obstacles:
        return 2
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel"]
    return subprocess.run([*command, "-d", "dist"], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
