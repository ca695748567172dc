"""Words and subwords: which are kept, what they spell, and that a text cannot end itself."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from infomax.errors import InfomaxError, InputError
from infomax.language import Vocabulary

TEXTS = ["The cat, the dog (and the bird).", "A cat isn't the dog...", "naïve 日本 x_1 3.14"]
SUBWORDS = Vocabulary.subwords(TEXTS * 3, 300)


def _tokens(vocabulary):
    return sorted(vocabulary.tokenizer.get_vocab(), key=vocabulary.tokenizer.token_to_id)


def test_the_commonest_words_are_kept_and_ties_go_by_the_alphabet():
    words = Vocabulary.words(["b a c", "a b d", "a"], size=5)
    assert _tokens(words) == ["<unk>", "<eos>", "a", "b", "c"]
    assert (words.size, words.unknown, words.end) == (5, 0, 1)
    assert words.encode("d a zzz").tolist() == [0, 2, 0]
    assert _tokens(Vocabulary.words(["b a c", "a b d", "a"], min_count=2)) == ["<unk>", "<eos>", "a", "b"]
    assert Vocabulary.words(["b a c", "a b d", "a"]).size == 6


def test_words_are_cut_from_punctuation_and_joined_again():
    words = Vocabulary.words(TEXTS)
    assert words.decode(words.encode(TEXTS[0])) == TEXTS[0]
    assert words.decode(words.encode(TEXTS[1])) == TEXTS[1]  # "isn't" is one word, "..." one sign
    assert {"isn't", "...", "x_1", "日本"} <= set(_tokens(words))


def test_lower_case_and_composed_letters_are_one_word():
    words = Vocabulary.words(["The the Cafe\u0301 caf\u00e9"], lowercase=True)
    assert _tokens(words) == ["<unk>", "<eos>", "café", "the"]
    assert "The" in _tokens(Vocabulary.words(["The the"]))


def test_pretokenised_words_are_what_stands_between_blanks():
    words = Vocabulary.words(["the <unk> n't </s> the", "it 's N <eos>"], pretokenised=True)
    assert {"n't", "</s>", "'s"} <= set(_tokens(words))
    assert words.encode("the <unk> <eos>").tolist() == [words.encode("the")[0], words.unknown, words.end]
    assert words.decode(words.encode("it 's N")) == "it 's N"


@pytest.mark.parametrize("vocabulary", [Vocabulary.words(TEXTS), SUBWORDS], ids=["words", "subwords"])
def test_no_text_can_end_itself(vocabulary):
    assert vocabulary.end not in vocabulary.encode("<eos> a <eos>b <unk>")
    assert vocabulary.decode([vocabulary.end, vocabulary.end]) == "\n\n"


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_subwords_spell_every_text(text):
    clean = text.encode("utf-8", "replace").decode()
    ids = SUBWORDS.encode(text)
    assert SUBWORDS.decode(ids) == clean
    assert ids.dtype == np.int32
    assert SUBWORDS.unknown is None


def test_a_batch_is_its_texts():
    for vocabulary in (Vocabulary.words(TEXTS), SUBWORDS):
        ids, lengths = vocabulary.encode_batch([*TEXTS, "", "\ud800"])
        assert lengths[-2] == 0
        parts = np.split(ids, np.cumsum(lengths)[:-1])
        assert all((part == vocabulary.encode(text)).all() for part, text in zip(parts, [*TEXTS, "", "?"], strict=True))


def test_blobs_are_no_words_and_take_no_time():
    blob = "ab" * 200_000
    words = Vocabulary.words([f"{blob} {blob} the dog"])
    assert _tokens(words) == ["<unk>", "<eos>", "dog", "the"]
    assert words.encode(f"the {blob}").tolist() == [3, 0]
    assert Vocabulary.subwords([f"{blob} the dog"], 280).decode(SUBWORDS.encode(blob)[:0]) == ""


def test_saved_and_loaded_it_is_the_same(tmp_path):
    for vocabulary in (Vocabulary.words(TEXTS, lowercase=True), SUBWORDS):
        vocabulary.save(tmp_path / "v.json")
        loaded = Vocabulary.load(tmp_path / "v.json")
        text = "the cat <eos> 3.14, (naïve) 語"
        assert (loaded.encode(text) == vocabulary.encode(text)).all()
        assert loaded.decode(loaded.encode(text)) == vocabulary.decode(vocabulary.encode(text))
        assert (loaded.size, loaded.end, loaded.unknown) == (vocabulary.size, vocabulary.end, vocabulary.unknown)


def test_equal_texts_give_equal_vocabularies_in_every_process():
    code = f"""
from infomax.language import Vocabulary
texts = {TEXTS!r} * 3
print(Vocabulary.subwords(texts, 290).tokenizer.to_str() + Vocabulary.words(texts).tokenizer.to_str())
"""
    runs = {subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)}
    assert len(runs) == 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Vocabulary.words(["one one one"]), "fewer than two different words"),
        (lambda: Vocabulary.words([]), "fewer than two different words"),
        (lambda: Vocabulary.words(["a b c"], min_count=2), "at least 2 times"),
        (lambda: Vocabulary.words(TEXTS, size=3), "size=3 is too small: 4 is the least"),
        (lambda: Vocabulary.words(TEXTS, min_count=0), "min_count=0 must be at least 1"),
        (lambda: Vocabulary.subwords(TEXTS, 100), "size=100 is too small: 258"),
        (lambda: Vocabulary(Tokenizer(models.BPE())), "no token <eos>"),
    ],
)
def test_vocabularies_that_cannot_be(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_files_that_are_no_vocabulary(tmp_path):
    (tmp_path / "v.json").write_text('{"model": ')
    for name in ("v.json", "missing.json"):
        with pytest.raises(InputError, match="is no vocabulary"):
            Vocabulary.load(tmp_path / name)
    with pytest.raises(InfomaxError, match="Could not write"):
        SUBWORDS.save(tmp_path / "no folder" / "v.json")
