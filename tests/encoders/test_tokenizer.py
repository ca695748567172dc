"""Words that are remembered give the tokens that the library gives of whole texts."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

from infomax.encoders import StaticTextEncoder
from infomax.encoders import tokenizer as room
from infomax.encoders.tokenizer import TextTokenizer
from infomax.encoders.tokenizer_training import train_tokenizer, with_model

TEXTS = [
    "parse a list of HTTPServer names",
    "def parse_list(names): return [n for n in names]",
    "Größe ≮ <b> été İ ǆ 本語",
]
LIBRARY = train_tokenizer(TEXTS * 3, vocabulary_size=150)
PIECES = st.sampled_from(
    [
        *"abAB7_<>=≮ \t\n\0\x1c\u0338\u0301\u0323ßİſ本か½ǅ΄´`",
        "[UNK]",
        "[UN",
        "K]",
        "list",
        "HTTPServer",
        "ﬁ",
        "\u1fef",
        "\u2028",
        "😀",
    ]
)


def of_library(tokenizer: Tokenizer, texts: list[str], most: int) -> list[list[int]]:
    return [encoding.ids[:most] for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]


def of_ours(tokenizer: TextTokenizer, texts: list[str]) -> list[list[int]]:
    ids, lengths = tokenizer(texts)
    assert len(lengths) == len(texts)
    return [part.tolist() for part in np.split(ids, np.cumsum(lengths)[:-1])] if texts else []


READER = TextTokenizer(LIBRARY, 6)


@given(st.lists(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=12), max_size=6))
def test_tokens_of_any_texts_are_the_librarys(texts):
    assert of_ours(READER, texts) == of_library(LIBRARY, texts, 6)
    assert of_ours(READER, texts) == of_library(LIBRARY, texts, 6)  # now that the words are known


@pytest.mark.parametrize(
    "text", ["<\u0338a", "=\u0338a b", "a[UNK]b", "a\0b", "\0", "", "a" * 65, "list " * 900 + "\0"]
)
def test_what_cannot_be_cut_is_read_whole_among_what_can(text):
    texts = [TEXTS[0], text, TEXTS[1], text]
    assert of_ours(TextTokenizer(LIBRARY, 256), texts) == of_library(LIBRARY, texts, 256)


def test_a_word_is_read_once():
    tokenizer = TextTokenizer(LIBRARY, 256)
    tokenizer(["parse List", "List parse", "HTTPServer"])
    before = dict(tokenizer._words)
    assert set(before) == {"\0", "parse", "List", "HTTPServer"}
    tokenizer(["names, List: HTTPServer"])
    assert all(tokenizer._words[word] is found for word, found in before.items())


def test_memory_is_bounded_and_threads_may_share_it(monkeypatch):
    monkeypatch.setattr(room, "_REMEMBERED", 5_000)
    tokenizer, rng = TextTokenizer(LIBRARY, 256), np.random.default_rng(0)
    texts = [" ".join(str(number) for number in rng.integers(0, 500, 20)) for _ in range(200)]
    expected = of_library(LIBRARY, texts, 256)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: of_ours(tokenizer, [text])[0], texts * 3))
    assert found == expected * 3
    assert len(tokenizer._words) < 100


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda tokenizer: pickle.loads(pickle.dumps(tokenizer))])
def test_a_copy_remembers_for_itself(copied):
    tokenizer = TextTokenizer(LIBRARY, 256)
    tokenizer(TEXTS)
    other = copied(tokenizer)
    assert len(other._words) == 1
    assert of_ours(other, TEXTS) == of_ours(tokenizer, TEXTS)


def test_tokenizers_that_look_across_words_are_left_to_the_library():
    tokenizer = Tokenizer.from_str(LIBRARY.to_str())
    tokenizer.add_tokens([AddedToken("parse a list", normalized=True)])
    texts = ["Parse a List of names", "names"]
    assert of_ours(TextTokenizer(tokenizer, 256), texts) == of_library(tokenizer, texts, 256)
    assert of_library(tokenizer, texts, 256) != of_library(LIBRARY, texts, 256)


def test_a_tokenizer_that_cuts_words_otherwise_is_read_as_it_is():
    vocabulary = {"[UNK]": 0, "a": 1, "b": 2, "a-b": 3}
    tokenizer = with_model(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=64))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    assert of_ours(TextTokenizer(tokenizer, 8), ["a-b"]) == [[3]]


def of_words(vocabulary: dict[str, int]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return tokenizer


def test_a_tokenizer_that_pads_gives_no_padding():
    tokenizer = of_words({"[UNK]": 0, "a": 1, "b": 2})
    tokenizer.enable_padding(length=6)
    assert of_ours(TextTokenizer(tokenizer, 8), ["a b", "b"]) == [[1, 2], [2]]


def test_ids_with_gaps_have_their_rows():
    tokenizer = of_words({"[UNK]": 0, "a": 1, "b": 7})
    assert len(TextTokenizer(tokenizer, 8)) == 8
    assert StaticTextEncoder(tokenizer, 4).encode(["b"]).shape == (1, 4)
