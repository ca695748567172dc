"""Encoders on disk: round trips, equality with sentence-transformers, damage."""

import json
import os

import numpy as np
import pytest
import torch

from infomax.encoders import StaticTextEncoder, load_encoder, storage
from infomax.errors import InfomaxError, InputError

TEXTS = [
    "parseHTTPServer(max_retries)",
    "remove duplicates keeping order",
    "ÉcoleNormale 日本語 😀",
    "dict.fromkeys(items)",
]
ODD = [*TEXTS, "", "  ", "!?", "unseenword", "\x00 ﬁ ǅ", "parse " * 2000, "x" * 300]


def built(**options) -> StaticTextEncoder:
    return StaticTextEncoder.from_texts(TEXTS * 2, vocabulary_size=200, dim=12, max_tokens=100, **options)


@pytest.mark.parametrize(
    "options", [{}, {"projection": 6}, {"normalize": False, "token_dropout": 0.2}, {"frequency_power": 0.5}]
)
def test_round_trip(tmp_path, options):
    encoder = built(**options)
    assert encoder.save(tmp_path / "deep" / "model") == tmp_path / "deep" / "model"
    loaded = load_encoder(tmp_path / "deep" / "model")
    assert loaded.config() == encoder.config()
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)
    np.testing.assert_array_equal(StaticTextEncoder.load(tmp_path / "deep" / "model").encode(ODD), encoder.encode(ODD))
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["model"]  # nothing left beside it


@pytest.mark.parametrize("options", [{}, {"projection": 6}, {"normalize": False}])
def test_sentence_transformers_reads_the_folder_with_equal_vectors(tmp_path, options):
    sentence_transformers = pytest.importorskip("sentence_transformers")
    encoder = built(**options)
    encoder.save(tmp_path / "model")
    theirs = sentence_transformers.SentenceTransformer(str(tmp_path / "model"), device="cpu")
    np.testing.assert_allclose(theirs.encode(ODD), encoder.encode(ODD), atol=5e-6)  # sums of up to 100 vectors


def test_sentence_transformers_reads_prefixes(tmp_path):
    sentence_transformers = pytest.importorskip("sentence_transformers")
    encoder = built()
    encoder.save(tmp_path / "full")
    encoder.truncated(5).save(tmp_path / "short")
    full = sentence_transformers.SentenceTransformer(str(tmp_path / "full"), device="cpu", truncate_dim=5)
    short = sentence_transformers.SentenceTransformer(str(tmp_path / "short"), device="cpu")
    expected = encoder.encode(ODD, dim=5)
    np.testing.assert_allclose(full.encode(ODD, normalize_embeddings=True), expected, atol=1e-6)
    np.testing.assert_allclose(short.encode(ODD), expected, atol=1e-6)


def test_vectors_that_are_no_plain_mean_are_not_offered_to_sentence_transformers(tmp_path):
    path = built(frequency_power=0.5).save(tmp_path / "model")
    assert sorted(p.name for p in path.iterdir()) == ["infomax.json", "infomax.safetensors", "tokenizer.json"]


def test_nothing_is_overwritten_unasked(tmp_path):
    first, second = built(), built(seed=1)
    path = first.save(tmp_path / "model")
    with pytest.raises(InputError, match="already exists"):
        second.save(path)
    np.testing.assert_array_equal(load_encoder(path).encode(TEXTS), first.encode(TEXTS))
    second.save(path, overwrite=True)
    np.testing.assert_array_equal(load_encoder(path).encode(TEXTS), second.encode(TEXTS))
    (tmp_path / "empty").mkdir()
    first.save(tmp_path / "empty")


@pytest.mark.parametrize("other", ["thesis.txt", "infomax.json/thesis.txt"])
def test_a_folder_of_something_else_is_never_replaced(tmp_path, other):
    (tmp_path / "home" / other).parent.mkdir(parents=True)
    (tmp_path / "home" / other).write_text("years of work")
    with pytest.raises(InputError, match="not a saved encoder"):
        built().save(tmp_path / "home", overwrite=True)
    assert (tmp_path / "home" / other).read_text() == "years of work"


def test_a_failed_write_changes_nothing(tmp_path, monkeypatch):
    encoder = built()
    path = encoder.save(tmp_path / "model")
    before = path.joinpath("infomax.safetensors").read_bytes()

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "save_file", full_disk)
    with pytest.raises(InfomaxError, match="No space left"):
        built(seed=1).save(path, overwrite=True)
    assert path.joinpath("infomax.safetensors").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def test_a_disk_that_refuses_is_said_as_the_library_meets_it(tmp_path):
    resource = pytest.importorskip("resource")  # files of at most 1,000 bytes stand for a full disk
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    encoder = built()
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, former[1]))
    try:
        with pytest.raises(InfomaxError, match="Could not write the encoder"):
            encoder.save(tmp_path / "model")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o002])
def test_files_are_as_readable_as_the_user_wants_them(tmp_path, mask):
    former = os.umask(mask)
    try:
        path = built().save(tmp_path / "model")
    finally:
        os.umask(former)
    for file in (path, *path.rglob("*")):
        assert file.stat().st_mode & 0o777 == (0o777 if file.is_dir() else 0o666) & ~mask


def damage(name, content):
    return lambda folder: (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("hurt", "message"),
    [
        (lambda folder: (folder / "infomax.json").unlink(), "not an infomax encoder"),
        (damage("infomax.json", b"{"), "damaged"),
        (damage("infomax.json", b"[1]"), "damaged"),
        (damage("infomax.json", json.dumps({"kind": "X", "format": 1, "settings": {}}).encode()), "holds a X"),
        (damage("infomax.json", b'{"kind": "StaticTextEncoder", "format": 1, "settings": {"width": 3}}'), "damaged"),
        (damage("tokenizer.json", b"{}"), "damaged"),
        (damage("infomax.safetensors", b"\x00" * 40), "damaged"),
        (lambda folder: (folder / "infomax.safetensors").unlink(), "damaged"),
        (lambda folder: (folder / "infomax.safetensors").write_bytes(
            (folder / "infomax.safetensors").read_bytes()[:-50]), "damaged"),
    ],
)  # fmt: skip
def test_damage_is_one_plain_sentence(tmp_path, hurt, message):
    path = built().save(tmp_path / "model")
    hurt(path)
    with pytest.raises(InputError, match=message) as caught:
        load_encoder(path)
    assert "\n" not in str(caught.value)


def test_no_folder(tmp_path):
    with pytest.raises(InputError, match="no folder"):
        load_encoder(tmp_path / "nowhere")
