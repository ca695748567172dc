"""Which Python files a harvest reads: the roots, the walk below them, and what is left out on purpose."""

from __future__ import annotations

import os
import site
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from infomax.errors import InputError

# Tests and demonstrations say little about what code is for, and vendored copies are twins of other packages.
_TESTS = {"test", "tests", "testing", "idlelib", "lib2to3", "turtledemo", "pydoc_data"}
_COPIES = {"_vendor", "_vendored", "vendor", "vendored", "third_party", "externals", "node_modules", "__pycache__"}
_ROOTS = {"site-packages", "dist-packages"}  # inside the standard library, but roots of their own
EXCLUDED_FOLDERS = frozenset(_TESTS | _COPIES | _ROOTS)


@dataclass(frozen=True, slots=True)
class SourceRef:
    """One file to read: its path, its root's place in the list, its path below that root, what tells a changed file."""

    path: str
    root: int
    shown: str  # to people
    size: int
    modified: int  # ns

    @property
    def module(self) -> str:
        """The dotted name below the root: "email/utils.py" is email.utils, "re/__init__.py" is re."""
        parts = Path(self.shown).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def environment_roots() -> list[Path]:
    """The standard library first, then the folders of installed packages of the running interpreter."""
    paths = sysconfig.get_paths()
    folders = [paths["stdlib"], paths["purelib"], paths["platlib"], *site.getsitepackages()]
    if site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    existing = [Path(folder).resolve() for folder in folders if Path(folder).is_dir()]
    return list(dict.fromkeys(existing))


def source_files(roots: Iterable[Path]) -> list[SourceRef]:
    """Every Python file below the roots, each once, root by root, in order of path."""
    found: dict[str, SourceRef] = {}
    for number, root in enumerate(roots):
        if not root.exists():
            raise InputError(f"No Python source at {root}: give an existing folder or .py file.")
        # a root that is itself a package, or a single file, is shown under its own name
        base = root.parent if root.is_file() or (root / "__init__.py").exists() else root
        for path in [root] if root.is_file() else _walk(root):
            if str(path) not in found:
                stat = path.stat()
                shown = path.relative_to(base).as_posix()
                found[str(path)] = SourceRef(str(path), number, shown, stat.st_size, stat.st_mtime_ns)
    return list(found.values())


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if _is_wanted(Path(folder, name)))
        for name in sorted(files):
            path = Path(folder, name)
            if name.endswith(".py") and not _is_test(name) and path.is_file():  # is_file: not a broken link
                yield path


def _is_wanted(folder: Path) -> bool:
    name = folder.name
    return name not in EXCLUDED_FOLDERS and not name.startswith(".") and not (folder / "pyvenv.cfg").exists()


def _is_test(name: str) -> bool:
    return name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py"
