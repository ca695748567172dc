"""Laws of classes: Zipf's for any number of them, and those of real catalogues.

npm: the packages of the npm registry by their downloads in a month (npm `download-counts`, MIT), fetched into a folder that git
ignores; names that nobody downloaded are left out, and the rest stand in falling order.
"""

from __future__ import annotations

import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.language_corpora import CACHE
from infomax.candidates import LogUniform, Unigram
from infomax.candidates.independent import IndependentDraws


def law(name: str) -> IndependentDraws:
    """By a number of classes, or "npm"."""
    return Unigram(npm()) if name == "npm" else LogUniform(int(name))


def size(name: str) -> int:
    """How many classes it has."""
    return len(npm()) if name == "npm" else int(name)


def npm() -> np.ndarray:
    """(3,719,632,) downloads, falling."""
    path = CACHE / "npm-downloads.npy"
    if not path.exists():
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["npm", "pack", "--silent", "download-counts@2.20260301.0"], cwd=folder, check=True)
            with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
                counts = json.load(archive.extractfile("package/counts.json"))  # type: ignore[arg-type]
        falling = np.sort(np.array(list(counts.values()), np.float64))[::-1]
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, falling[falling > 0])
    return np.load(path, mmap_mode="r")
