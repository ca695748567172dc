"""Corpora: what is held out, what is counted, what is kept; nothing of the held-out parts in the vocabulary."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from infomax.errors import InfomaxError, InputError
from infomax.language import Vocabulary, read_corpus

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
from watched import watched

LINES = [f"line number{i} speaks of topic{i // 50}" for i in range(1000)]


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(LINES))
    return path


def _texts(corpus, name):
    return corpus.vocabulary.decode(getattr(corpus, name)).splitlines()


def test_the_splits_are_the_source_in_order_and_each_text_ends(lines):
    corpus = read_corpus(lines, size=None, pretokenised=True, vocabulary=Vocabulary.words(LINES))
    sides = {name: _texts(corpus, name) for name in ("train", "validation", "test")}
    assert sorted(text for texts in sides.values() for text in texts) == sorted(LINES)
    assert all(sorted(texts, key=LINES.index) == texts for texts in sides.values())
    assert {name: len(texts) for name, texts in sides.items()} == {"train": 800, "validation": 100, "test": 100}
    assert corpus.texts == {"train": 800, "validation": 100, "test": 100}
    assert corpus.characters == {name: sum(len(text) + 1 for text in texts) for name, texts in sides.items()}
    assert (corpus.train == corpus.vocabulary.end).sum() == 800
    assert corpus.train.dtype == np.int32
    assert corpus.counts.tolist() == np.bincount(corpus.train, minlength=corpus.vocabulary.size).tolist()
    neighbours = [LINES[i + 1] in sides["test"] for i in map(LINES.index, sides["test"]) if i + 1 < 1000]
    assert np.mean(neighbours) > 0.85  # in stretches of ten


def test_the_vocabulary_is_of_the_training_part_alone(lines):
    corpus = read_corpus(lines)
    assert corpus.unknown["train"] == 0
    assert corpus.unknown["validation"] == pytest.approx(1 / 6)  # "number17", of six tokens
    assert (corpus.counts == 0).sum() == 1
    assert corpus.counts[corpus.vocabulary.unknown] == 0
    few = read_corpus(lines, size=5)
    assert few.vocabulary.size == 5
    assert few.unknown["train"] == pytest.approx(2 / 6)
    assert read_corpus(lines, vocabulary="subwords", size=300).unknown == dict.fromkeys(corpus.unknown, 0)


def test_sides_of_their_own(lines, tmp_path):
    (tmp_path / "held.txt").write_text("line number3 is held\n")
    corpus = read_corpus(lines, validation=tmp_path / "held.txt")
    assert corpus.texts == {"train": 1000, "validation": 1, "test": 0}
    assert len(corpus.test) == 0
    assert corpus.unknown["test"] == 0
    assert _texts(corpus, "validation") == ["line number3 <unk> <unk>"]
    both = read_corpus(lines, validation=0.2, test=str(tmp_path / "held.txt"))
    assert both.texts == {"train": 800, "validation": 200, "test": 1}
    assert read_corpus(lines, validation=0, test=0).texts["train"] == 1000


def test_the_draw_depends_on_the_seed_alone(lines):
    first, again, other = (read_corpus(lines, seed=seed) for seed in (0, 0, 1))
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert (first.test == again.test).all()
    assert _texts(first, "test") != _texts(other, "test")


def test_files_of_a_folder_stay_whole(tmp_path):
    for i in range(40):
        (tmp_path / f"{i:02}.txt").write_text(f"file{i} one\nfile{i} two\nfile{i} three\n")
    corpus = read_corpus(tmp_path, vocabulary=Vocabulary.words([f"file{i} one two three" for i in range(40)]))
    of = [{text.split()[0] for text in _texts(corpus, name)} for name in ("train", "validation", "test")]
    assert [len(files) for files in of] == [32, 4, 4]
    assert not (of[0] & of[1] | of[0] & of[2] | of[1] & of[2])


def test_a_folder_keeps_the_numbers_until_something_changes(lines, tmp_path, monkeypatch):
    folder = tmp_path / "kept"
    first = read_corpus(lines, folder=folder)
    with monkeypatch.context() as patch:
        patch.setattr("infomax.language.corpus.write_tokens", lambda *_: pytest.fail("written again"))
        again = read_corpus(lines, folder=folder)
    assert (again.train == first.train).all()
    assert again.fingerprint == first.fingerprint
    assert again.texts == first.texts
    assert read_corpus(lines, folder=folder, size=50).vocabulary.size == 50
    lines.write_text("\n".join(LINES[:500]))
    assert read_corpus(lines, folder=folder).texts["train"] == 400


@pytest.mark.parametrize("name", ["train.bin", "tokenizer.json", "counts.npy", "corpus.json"])
def test_a_damaged_corpus_is_written_anew(lines, tmp_path, name):
    read_corpus(lines, folder=tmp_path / "kept")
    (damaged,) = (tmp_path / "kept").rglob(name)
    damaged.write_bytes(damaged.read_bytes()[:-4])
    assert read_corpus(lines, folder=tmp_path / "kept").texts["train"] == 800


def test_a_folder_is_shared_without_harm(lines, tmp_path):
    """Another corpus leaves the mapped numbers of the first alone, and files of others too."""
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "train.bin").write_text("somebody's")
    first = read_corpus(lines, folder=folder)
    before = first.test.copy()
    assert read_corpus(lines, folder=folder, seed=1).fingerprint != first.fingerprint
    assert (first.test == before).all()
    assert (folder / "train.bin").read_text() == "somebody's"
    assert len(list(folder.glob("*/corpus.json"))) == 2  # both are kept
    assert not list(folder.rglob("*.tmp"))


def test_the_default_is_the_prose_of_the_standard_library(tmp_path, monkeypatch):
    tree = tmp_path / "lib"
    tree.mkdir()
    for i in range(30):
        own = chr(ord("a") + i % 26) * (2 + i // 26)
        (tree / f"m{i}.py").write_text(
            f'"""Module{own} has its{own} words{own}."""\n# A{own} note{own} on{own} lines{own}\n'
        )
    monkeypatch.setenv("INFOMAX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("sysconfig.get_paths", lambda: {"stdlib": str(tree)})
    corpus = read_corpus()
    assert corpus.source == "python"
    assert sum(corpus.texts.values()) == 60
    assert corpus.texts["test"] == corpus.texts["validation"] == 6


def test_what_is_left_out_is_counted_once(tmp_path):
    rows = [json.dumps({"text": f"row {i} of many"}) for i in range(200)]
    (tmp_path / "rows.jsonl").write_text("\n".join([*rows, "broken", "[1]"]))
    assert list(read_corpus(tmp_path / "rows.jsonl").skipped.values()) == [2]


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("", {}, "holds no text"),
        (" \n\n \n", {}, "holds no text"),
        ("word\n" * 100, {}, "fewer than two different words"),
        ("one two three\n", {}, r"too few texts \(1\) for a validation part"),
        ("a b c\n" * 99, {"validation": 1.5}, "validation=1.5 is no share"),
        ("a b c\n" * 99, {"test": True}, "test=True is no share"),
        ("a b c\n" * 99, {"validation": 0.5, "test": 0.5}, "leave nothing to train on"),
        ("a b c\n" * 99, {"validation": "none.txt"}, "No file or folder none.txt"),
        ("a b c\n" * 99, {"vocabulary": "letters"}, "vocabulary='letters' is unknown"),
        ("a b c\n" * 99, {"size": 2}, "size=2 is too small"),
        ("a b c\n" * 99, {"size": 100.0}, "size must be a whole number of at least 1, got 100.0"),
    ],
)
def test_corpora_that_cannot_be(tmp_path, content, options, words):
    (tmp_path / "a.txt").write_text(content)
    with pytest.raises(InputError, match=words):
        read_corpus(tmp_path / "a.txt", **options)


def test_a_full_disk_is_one_sentence_and_leaves_no_half_corpus(lines, tmp_path):
    folder = tmp_path / "kept"
    code = f"""
import resource, signal
from infomax.errors import InfomaxError
from infomax.language import read_corpus
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, 12_000))
try:
    read_corpus({str(lines)!r}, folder={str(folder)!r}, size=20)
except InfomaxError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"Could not write the tokens to {folder} (")
    assert not list(folder.iterdir())
    assert read_corpus(lines, folder=folder, size=20).texts["train"] == 800
    (tmp_path / "file").touch()
    with pytest.raises(InfomaxError, match="name another folder"):
        read_corpus(lines, folder=tmp_path / "file" / "below")


CODE = watched(
    "import sys\nfrom infomax.data import text_stream\nfrom infomax.language import read_corpus\ntext_stream.BLOCK = 1 << 16",
    "corpus = read_corpus(sys.argv[1], folder=sys.argv[2])\ncorpus.train[::1000].sum()",
    "len(corpus.train), held",
)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the memory of a process from /proc")
def test_a_large_corpus_is_not_loaded(tmp_path):
    line = "some of these words come again and again " * 12
    with (tmp_path / "large.txt").open("w") as file:
        file.writelines(f"{line} {i % 5000}\n" for i in range(10_000))  # 5 MB, of which a block is 64 KB
    command = [sys.executable, "-c", CODE, str(tmp_path / "large.txt"), str(tmp_path / "kept")]
    tokens, held = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert int(tokens) == 8_000 * 98
    assert float(held) < 11  # 16 where it is read as one block
