"""The text encoder: tokens, vectors, odd texts, bad input."""

import random

import numpy as np
import pytest
import torch

from infomax.encoders import StaticTextEncoder, Tokens
from infomax.errors import InputError

TEXTS = [
    "def parseHTTPServer(self, max_retries=3): return self.http_server",
    "Parse the HTTP server's reply, at most max retries times.",
    "Ünïcode ÉcoleNormale 日本語 😀 naïve",
    "remove duplicates from a list keeping order",
    "def unique_in_order(items): return list(dict.fromkeys(items))",
]
ODD = [
    "",
    "   ",
    "!!! ... ()",
    "😀",
    "\x00\ud800 parse",
    "zzzqqq xyzzy",
    "list " * 3000,
    "a" * 5000,
    " " * 20000 + "list parse",
]


@pytest.fixture
def encoder() -> StaticTextEncoder:
    return StaticTextEncoder.from_texts(TEXTS * 3, vocabulary_size=200, dim=16)


def pieces(encoder, text):
    return encoder.text_tokenizer.tokenizer.encode(text, add_special_tokens=False).tokens


def test_identifiers_are_split_at_humps_and_underscores(encoder):
    assert pieces(encoder, "parseHTTPServer") == ["parse", "http", "server"]
    assert pieces(encoder, "max_retries unique_in_order") == ["max", "retries", "unique", "in", "order"]
    assert pieces(encoder, "ÉcoleNormale") == ["école", "normale"]


def test_the_definition_in_float64(encoder):
    encoder.double()
    table, weights = encoder.table.detach(), encoder.weights.detach()
    for text, vector in zip(TEXTS, encoder(TEXTS), strict=True):
        ids = encoder.text_tokenizer.tokenizer.encode(text, add_special_tokens=False).ids
        mean = sum(weights[i] * table[i] for i in ids) / len(ids)
        torch.testing.assert_close(vector, mean / mean.norm(), rtol=1e-12, atol=1e-12)


def test_every_way_in_gives_the_same_vectors(encoder):
    expected = encoder.encode(TEXTS)
    assert expected.shape == (5, 16)
    assert expected.dtype == np.float32
    column = encoder.prepare(TEXTS, block=2)
    for other in (encoder.encode(TEXTS, batch_size=2), encoder.encode(column, batch_size=3), encoder(TEXTS).detach()):
        np.testing.assert_allclose(other, expected, atol=1e-6)
    rows = np.array([4, 0])
    np.testing.assert_allclose(encoder(column[rows]).detach(), expected[rows], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(expected, axis=1), 1, atol=1e-6)


def test_a_column_indexed_by_row_numbers_is_read_in_blocks(encoder):
    class Column:
        def __len__(self):
            return len(TEXTS)

        def __getitem__(self, rows):
            return [TEXTS[i] for i in rows]

    np.testing.assert_array_equal(encoder.prepare(Column(), block=2).ids, encoder.prepare(TEXTS).ids)
    np.testing.assert_allclose(encoder.encode(Column(), batch_size=2), encoder.encode(TEXTS), atol=1e-6)


def test_odd_texts_are_finite_and_empty_ones_are_zero(encoder):
    vectors = encoder.encode(ODD)
    assert np.isfinite(vectors).all()
    assert not vectors[:3].any()
    assert vectors[4].any()
    assert vectors[8].any()


def test_gradients_stay_finite_with_empty_texts(encoder):
    encoder(["", *TEXTS]).sum().backward()
    assert torch.isfinite(encoder.table.grad.to_dense()).all()
    assert torch.isfinite(encoder.weights.grad.to_dense()).all()


@pytest.mark.parametrize(
    "text",
    [
        TEXTS[0] * 400,
        "list \n" * 9000,
        "x " + " " * 9000 + "parse list " * 700,
        "x y " + " " * 9000 + "parse list " * 700,
        "ab" * 9000,
        "ab" * 9000 + " parse a list",
        "ACGT" * 9000 + "parse list",
        "本語" * 9000 + "List parse",
        "½" * 9000,
        "a" * 2000 + "本" * 2000 + "List" + "\u0301" * 9000,
        "parseList" * 900,
        '{"parse":1,"list":[2]},' * 900,
    ],
)
def test_reading_only_the_head_of_a_long_text_changes_no_token(text):
    encoder = StaticTextEncoder.from_texts(TEXTS * 3, vocabulary_size=200, dim=4, max_tokens=64)
    ids = encoder.tokenize([text]).ids.tolist()
    assert ids == encoder.text_tokenizer.tokenizer.encode(text, add_special_tokens=False).ids
    assert len(ids) <= 64


def test_reading_only_the_head_of_random_runs_changes_no_token():
    encoder = StaticTextEncoder.from_texts(TEXTS * 3, vocabulary_size=200, dim=4, max_tokens=3)
    rng = random.Random(0)
    kinds = ["a", "B", "7", "本", "か", "\u0301", " ", "_", "½", "ß", "İ", "Ab", "list"]
    texts = [
        "".join(rng.choice(kinds) * rng.choice([1, 2, 40, 63, 64, 65, 66, 300]) for _ in range(12)) for _ in range(400)
    ]
    column = encoder.prepare(texts)
    found = [column[[row]].ids.tolist() for row in range(len(texts))]
    whole = encoder.text_tokenizer.tokenizer.encode_batch(texts, add_special_tokens=False)
    assert found == [encoding.ids for encoding in whole]


def test_rare_tokens_weigh_more_and_the_unknown_nothing(encoder):
    ids = encoder.text_tokenizer.tokenizer.get_vocab()
    weights = encoder.weights.detach()
    assert weights[ids["dict"]] > weights[ids["list"]] > 0
    assert weights[ids["[UNK]"]] == 0
    column = encoder.prepare(TEXTS * 3)
    assert weights[column.ids].mean() == pytest.approx(1, abs=1e-5)


def test_token_weights_are_the_stated_idf(encoder):
    texts = ["the cat sat", "the dog sat", "a bird flew", "the end"] * 2
    encoder = StaticTextEncoder.from_texts(texts, dim=4)
    ids, lengths = encoder.text_tokenizer(texts)
    rows = np.repeat(np.arange(len(texts)), lengths)
    df = np.array([len(set(rows[ids == token])) for token in range(len(encoder.weights))])
    idf = np.log(1 + (len(texts) - df + 0.5) / (df + 0.5))
    idf[encoder.text_tokenizer.tokenizer.token_to_id("[UNK]")] = 0
    assert encoder.weights.tolist() == pytest.approx((idf / idf[ids].mean()).tolist(), rel=1e-5)  # kept as float32


def test_the_table_starts_by_the_seed_with_rows_of_about_unit_length(encoder):
    tokenizer = encoder.text_tokenizer.tokenizer
    one, same, other = (StaticTextEncoder(tokenizer, 256, seed=seed).table for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert one.norm(dim=1).mean().item() == pytest.approx(1, abs=0.045)  # the spread of one row, 1 / sqrt(2 * 256)


def test_prefixes(encoder):
    full = encoder.encode(TEXTS)
    cut = full[:, :5] / np.linalg.norm(full[:, :5], axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.encode(TEXTS, dim=5), cut, atol=1e-6)
    np.testing.assert_allclose(encoder.truncated(5).encode(TEXTS), cut, atol=1e-6)


def test_projection_is_part_of_the_exported_table_and_of_prefixes():
    encoder = StaticTextEncoder.from_texts(TEXTS, vocabulary_size=200, dim=16, projection=7, normalize=False)
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (5, 7)
    ids = encoder.text_tokenizer.tokenizer.encode(TEXTS[3], add_special_tokens=False).ids
    np.testing.assert_allclose(encoder.export_table()[ids].mean(0), vectors[3], atol=1e-6)
    np.testing.assert_allclose(encoder.truncated(3).encode(TEXTS), vectors[:, :3], atol=1e-6)


def test_token_dropout_only_while_training(encoder):
    dropping = StaticTextEncoder(encoder.text_tokenizer.tokenizer, 16, token_dropout=0.5)
    kept = dropping.encode(TEXTS)
    np.testing.assert_array_equal(dropping.encode(TEXTS), kept)
    assert dropping.training  # encode leaves the mode as it was
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first, second = dropping(TEXTS), dropping(TEXTS)
        torch.manual_seed(0)
        assert torch.equal(first, dropping(TEXTS))
    assert not torch.equal(first, second)


def test_token_dropout_keeps_the_share_it_should():
    texts = ["list parse server " * 50] * 200
    encoder = StaticTextEncoder.from_texts(texts, vocabulary_size=50, dim=2, token_dropout=0.25, normalize=False)
    kept: list[Tokens] = []
    seen_by = "infomax.encoders.text.weighted_mean"
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng():
        torch.manual_seed(0)
        patch.setattr(seen_by, lambda table, _, tokens, **options: kept.append(tokens) or table[:200])
        encoder(texts)
    assert len(kept[0]) == 200
    assert len(kept[0].ids) / (200 * 150) == pytest.approx(0.75, abs=0.02)  # 30,000 draws: 8 standard errors
    assert kept[0].offsets[-1] == len(kept[0].ids)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda e: e.encode("one text"), "wrap it"),
        (lambda e: e(["a", 3.5]), "float at row 1"),
        (lambda e: e.encode(["a"], dim=17), "between 1 and 16"),
        (lambda e: e.truncated(0), "between 1 and 16"),
        (lambda e: StaticTextEncoder(e.text_tokenizer.tokenizer, 0), "dim must be at least 1"),
        (lambda e: StaticTextEncoder(e.text_tokenizer.tokenizer, 4, projection=0), "projection must be at least 1"),
        (lambda e: StaticTextEncoder(e.text_tokenizer.tokenizer, 4, token_dropout=1.0), "token_dropout"),
        (lambda e: StaticTextEncoder(e.text_tokenizer.tokenizer, 4, max_tokens=0), "max_tokens"),
        (lambda e: StaticTextEncoder(e.text_tokenizer.tokenizer, 4, frequency_power=1.5), "frequency_power"),
        (lambda e: StaticTextEncoder("no/such/tokenizer.json"), "tokenizer.json"),
        (lambda e: StaticTextEncoder.from_texts([]), "no words"),
        (lambda e: StaticTextEncoder.from_texts(["...", ""]), "no words"),
        (lambda e: StaticTextEncoder.from_texts(["a", None]), "NoneType at row 1"),
        (lambda e: StaticTextEncoder.train_tokenizer(TEXTS, vocabulary_size=0), "vocabulary_size"),
    ],
)
def test_bad_input(encoder, build, message):
    with pytest.raises(InputError, match=message):
        build(encoder)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_repeats_count_by_a_power(power):
    texts = ["list " * 9 + "parse list", "", "server server list"]  # list occurs 10 times: kept 1, 4 or 10 times
    encoder = StaticTextEncoder.from_texts(texts * 2, vocabulary_size=50, dim=2, frequency_power=power)
    ids = encoder.text_tokenizer.tokenizer.get_vocab()
    column = encoder.prepare(texts, block=2)
    kept = {0.0: 1, 0.5: 4, 1.0: 10}[power]
    assert sorted(column[[0]].ids.tolist()) == sorted([ids["parse"]] + [ids["list"]] * kept)
    assert len(column[[1]].ids) == 0
    assert sorted(column[[2]].ids.tolist()) == sorted([ids["list"]] + [ids["server"]] * (1 if power == 0 else 2))


def test_texts_that_are_all_alike_still_have_vectors():
    encoder = StaticTextEncoder.from_texts(["parse list"] * 4, vocabulary_size=50, dim=4)
    np.testing.assert_allclose(np.linalg.norm(encoder.encode(["parse list"]), axis=1), 1, atol=1e-6)
