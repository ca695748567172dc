"""Importing one module of a package whose `__init__` asks for packages that this module does not use (torchvision)."""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from types import ModuleType


def bare_package(name: str) -> None:
    """Let `import name.module` find its files without running the `__init__` of `name`."""
    if name in sys.modules:
        return
    parent, _, _ = name.rpartition(".")
    spec = PathFinder.find_spec(name, sys.modules[parent].__path__ if parent else None)
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError(f"no package {name} here", name=name)
    package = ModuleType(name)
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules[name] = package


def empty_module(name: str) -> None:
    """Stand in for a module that is imported but not used."""
    sys.modules.setdefault(name, ModuleType(name))
    parent, _, child = name.rpartition(".")
    setattr(sys.modules[parent], child, sys.modules[name])
