"""Sketches estimate the Jaccard index; clusters hold the planted near duplicates and nothing else."""

import random
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infomax.data import TextColumn
from infomax.data.near_duplicates import _jaccard, near_duplicate_codes
from infomax.data.shingles import BINS, EMPTY, MAX_CHARACTERS, sketch

VOCABULARY = [f"word{i}" for i in range(3000)]


def _text(rng, words):
    return " ".join(rng.choices(VOCABULARY, k=words))


def _edited(rng, text, changes):
    words = text.split()
    for place in rng.sample(range(len(words)), changes):
        words[place] = f"new{rng.randrange(10**6)}"
    return " ".join(words)


def _true_jaccard(a, b):
    sets = [{tuple(words[i : i + 3]) for i in range(len(words) - 2)} for words in (a.split(), b.split())]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def _codes(texts):
    return near_duplicate_codes(TextColumn(pa.chunked_array([pa.array(texts, pa.string())])))


@pytest.mark.parametrize("words", [10, 40, 1000])
def test_the_estimate_is_unbiased_and_as_sharp_as_stated(words):
    rng = random.Random(words)
    truths, errors = [], []
    for _ in range(300):
        a = _text(rng, words)
        b = _edited(rng, a, max(1, words // 40))
        bins = sketch([a, b]).bins
        truths.append(_true_jaccard(a, b))
        errors.append(_jaccard(bins[:1], bins[1:])[0] - truths[-1])
    stated = np.sqrt(np.mean(truths) * (1 - np.mean(truths)) / BINS)
    assert abs(np.mean(errors)) < 4 * stated / np.sqrt(300)
    assert np.std(errors) < 1.15 * stated
    assert words == 1000 or np.std(errors) < 0.9 * stated  # few shingles seldom meet in one bin


def _words(text):
    """The definition of a word, over characters: U+3000 and above begin a word of their own."""
    inside = r"a-z0-9_\u0080-\u2fff"
    return re.findall(rf"[\u3000-\U0010ffff][{inside}]*|[{inside}]+", text.lower())


@given(st.lists(st.text(alphabet="abC1_ .,\né日本🎉", max_size=12), min_size=1, max_size=6))
def test_words_are_those_of_the_definition(texts):
    sketches = sketch(texts)
    words = [_words(text) for text in texts]
    assert sketches.words.tolist() == [len(found) for found in words]
    for i, first in enumerate(words):
        for j, second in enumerate(words):
            assert (sketches.exact[i] == sketches.exact[j]) == (first == second)
            assert len(first) < 3 or (sketches.bins[i] != EMPTY).any()
            if first == second:
                assert np.array_equal(sketches.bins[i], sketches.bins[j])


@given(st.lists(st.text(alphabet="ab 日", max_size=8), min_size=2, max_size=5))
def test_a_sketch_does_not_depend_on_its_batch(texts):
    together = sketch(texts)
    for i, text in enumerate(texts):
        alone = sketch([text])
        assert together.exact[i] == alone.exact[0]
        assert np.array_equal(together.bins[i], alone.bins[0])


def test_shingles_do_not_cross_from_text_to_text():
    bins = sketch(["a b", "c d", "a b c d"]).bins
    assert (bins[:2] == EMPTY).all()
    assert (bins[2] != EMPTY).sum() == 2


def test_bins_are_filled_evenly():
    bins = sketch([_text(random.Random(0), 3000)]).bins
    assert bins.shape == (1, BINS)
    assert (bins != EMPTY).all()


def test_planted_near_duplicates_are_caught_and_strangers_are_not():
    rng = random.Random(1)
    originals = [_text(rng, rng.randrange(60, 400)) for _ in range(400)]
    twins = [_edited(rng, text, 1) for text in originals]
    assert min(map(_true_jaccard, originals, twins)) > 0.85
    strangers = [_edited(rng, text, len(text.split()) // 8) for text in originals]  # Jaccard near 0.5
    codes = _codes(originals + twins + strangers)
    assert np.mean(codes[:400] == codes[400:800]) > 0.99
    assert np.mean(codes[:400] == codes[800:]) < 0.01
    assert len(set(codes[:400].tolist())) == 400


def test_case_and_punctuation_do_not_matter_and_order_does():
    codes = _codes(
        ["Parse an ISO date.", "parse an iso  DATE!", "parse a date", "date iso an parse", "ÜBER alles", "über alles"]
    )
    assert codes[0] == codes[1]
    assert codes[4] == codes[5]
    assert len(set(codes.tolist())) == 4


def test_texts_without_words_resemble_none():
    assert len(set(_codes(["...", "!!!", "", "...", "a"]).tolist())) == 5


def test_short_texts_match_only_exactly():
    assert len(set(_codes(["a", "b", "a b", "b a", "a b c", "a b d", "x a b c"]).tolist())) == 7


def test_a_giant_cluster_and_many_empty_sketches():
    rng = random.Random(2)
    texts = ["Return a string representation."] * 20_000 + [_text(rng, 2) for _ in range(20_000)]
    codes = _codes(texts)
    assert len(set(codes[:20_000].tolist())) == 1
    assert len(set(codes[20_000:].tolist())) == len(set(texts[20_000:]))


def test_a_bucket_of_many_near_duplicates_is_one_cluster():
    rng = random.Random(3)
    base = _text(rng, 200)
    codes = _codes([_edited(rng, base, 2) for _ in range(300)] + [_text(rng, 200)])
    assert len(set(codes[:300].tolist())) == 1
    assert codes[300] not in codes[:300]


def test_only_the_beginning_of_a_giant_text_counts():
    text = "abcdefghi " * (MAX_CHARACTERS // 10)
    assert len(text) == MAX_CHARACTERS
    codes = _codes([text + "x y z", text + "p q r", "short text"])
    assert codes[0] == codes[1] != codes[2]


def test_an_empty_column():
    assert _codes([]).shape == (0,)
