"""`NGram` is interpolated Kneser-Ney as written down with dictionaries, sums to 1 after any context, and draws what it says."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from infomax.candidates import NGram, Unigram
from infomax.errors import InputError

SHAPES = [(1, 1, 1), (1, 3, 3), (2, 2, 2), (5, 3, 3), (40, 2, 4), (60, 5, 1), (200, 4, 2), (300, 6, 3), (400, 3, 5)]


def text(length: int, classes: int, seed: int = 0) -> np.ndarray:
    """A chain with likely and unlikely successors, so that some contexts are common and many never occur."""
    rng = np.random.default_rng(seed)
    return (np.cumsum(rng.geometric(0.6, length)) % classes * (rng.random(length) < 0.9)).astype(np.int32)


class Definition:
    """Chen & Goodman's recursion, word by word, on dictionaries; the text is preceded by unknown words (-1)."""

    def __init__(self, tokens, classes, order, discounts=None):
        self.classes, self.order = classes, order
        padded = (-1,) * (order - 1) + tuple(int(t) for t in tokens)
        self.counts = [Counter(padded[i : i + order] for i in range(len(tokens)))]
        while len(self.counts) < order:
            self.counts.insert(0, Counter(gram[1:] for gram in self.counts[0]))  # a Counter's keys are its kinds
        self.after = [defaultdict(dict) for _ in range(order)]
        for after, counts in zip(self.after, self.counts, strict=True):
            for gram, count in counts.items():
                after[gram[:-1]][gram[-1]] = count
        self.discounts = discounts or [self.discount(counts.values()) for counts in self.counts]

    @staticmethod
    def discount(counts):
        once, twice = list(counts).count(1), list(counts).count(2)
        return once / (once + 2 * twice) if once else 0.5

    def p(self, word, context, length=None):
        length = self.order - 1 if length is None else length
        if length < 0:
            return 1 / self.classes
        lower = self.p(word, context, length - 1)
        known = tuple(int(w) for w in context[len(context) - length :])
        after = self.after[length].get(known)
        if -1 in known or not after:
            return lower
        discounted = max(after.get(word, 0) - self.discounts[length], 0)
        return (discounted + self.discounts[length] * len(after) * lower) / sum(after.values())


def all_contexts(classes: int, order: int) -> torch.Tensor:
    """Every context, -1 included."""
    every = list(product(range(-1, classes), repeat=order - 1))
    return torch.tensor(every, dtype=torch.int64).reshape(len(every), order - 1)


@pytest.mark.parametrize(("length", "classes", "order"), SHAPES)
@pytest.mark.parametrize("given_discounts", [False, True])
def test_it_is_the_definition_after_every_context(length, classes, order, given_discounts):
    tokens = text(length, classes)
    discounts = [0.3, 0.9, 1.0, 0.5, 0.7][:order] if given_discounts else None
    ngram, definition = NGram.fit(tokens, classes, order, discounts), Definition(tokens, classes, order, discounts)
    contexts = all_contexts(classes, order)
    want = np.array([[definition.p(w, c) for w in range(classes)] for c in contexts.tolist()])
    assert ngram.discounts == pytest.approx(definition.discounts)
    for got in (ngram.log_probs(contexts), ngram.log_prob(contexts, torch.arange(classes).expand(len(contexts), -1))):
        assert got.dtype == torch.float64
        np.testing.assert_allclose(got.exp().numpy(), want, rtol=1e-12)
        np.testing.assert_allclose(got.exp().sum(1), 1, rtol=0, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(1, 4), st.data())
def test_it_is_the_definition_on_any_text(tokens, order, data):
    context = data.draw(st.lists(st.integers(-1, 4), min_size=order - 1, max_size=order - 1))
    ngram, definition = NGram.fit(tokens, 5, order), Definition(tokens, 5, order)
    got = ngram.log_probs(torch.tensor([context], dtype=torch.int64).reshape(1, -1)).exp().squeeze(0)
    np.testing.assert_allclose(got, [definition.p(w, context) for w in range(5)], rtol=1e-12)


def test_by_hand():
    """Bigrams of "a b a": after a comes b once; before b stands one word, before a two, the start and b."""
    p = NGram.fit([0, 1, 0], classes=3, order=2, discounts=[0.5, 0.5]).log_probs(torch.tensor([[0], [-1]])).exp()
    lower = [(1.5 + 0.5 * 2 / 3) / 3, (0.5 + 0.5 * 2 / 3) / 3, 0.5 * 2 / 3 / 3]
    torch.testing.assert_close(p[1], torch.tensor(lower, dtype=torch.float64))
    after_a = [0.5 * lower[0], 0.5 + 0.5 * lower[1], 0.5 * lower[2]]
    torch.testing.assert_close(p[0], torch.tensor(after_a, dtype=torch.float64))


CASES = {
    "seen": [2, 3],
    "the pair not seen, the word seen": [5, 5],
    "older word unknown": [-1, 3],
    "latest word unknown": [3, -1],
    "latest word never seen": [3, 8],
}


@pytest.mark.parametrize("name", CASES)
def test_draws_have_the_law_of_their_context(name):
    ngram, n = NGram.fit(text(300, 8), classes=9, order=3), 40_000
    contexts = torch.tensor([[1, 1], CASES[name], [0, 2]])  # neighbours, which must not mix
    drawn = ngram.draw(n, torch.Generator().manual_seed(4), contexts)
    counts = torch.bincount(drawn.ids[1], minlength=9)
    assert chisquare(counts, n * ngram.log_probs(contexts)[1].exp()).pvalue > 1e-3


def test_the_cases_are_what_they_say():
    ngram = NGram.fit(text(300, 8), classes=9, order=3)
    seen = [[int(rank) >= 0 for rank in ngram._ranks(torch.tensor([context]))] for context in CASES.values()]
    assert seen == [
        [True, True, True],
        [True, True, False],
        [True, True, False],
        [True, False, False],
        [True] + [False] * 2,
    ]


@pytest.mark.parametrize("order", [1, 2, 4])
def test_draws_come_with_their_expected_counts(order):
    ngram = NGram.fit(text(500, 20), classes=20, order=order)
    contexts = ngram.contexts(torch.from_numpy(text(30, 20, seed=1)).long())
    drawn = ngram.draw(7, torch.Generator().manual_seed(0), contexts)
    assert (drawn.ids.shape, drawn.ids.dtype, drawn.hits, drawn.draws) == ((30, 7), torch.int64, "kept", 7.0)
    assert torch.equal(drawn.log_expected, ngram.log_expected(drawn.ids, 7, contexts))
    torch.testing.assert_close(drawn.log_expected.exp(), 7 * ngram.log_probs(contexts).exp().gather(1, drawn.ids))
    one = ngram.log_expected(drawn.ids[:, 0], 7, contexts)
    assert torch.equal(one, drawn.log_expected[:, 0])


def test_a_saved_generator_resumes_the_draws():
    ngram, rng = NGram.fit(text(200, 6), classes=6), torch.Generator().manual_seed(0)
    contexts = torch.tensor([[1, 2], [-1, 0]])
    ngram.draw(5, rng, contexts)
    state = rng.get_state()
    first = ngram.draw(5, rng, contexts)
    rng.set_state(state)
    assert torch.equal(ngram.draw(5, rng, contexts).ids, first.ids)


@pytest.mark.parametrize("kind", ["list", "array", "memmap", "tensor", "small integers"])
def test_a_text_may_be_any_vector_of_integers(kind, tmp_path):
    tokens = text(100, 6)
    tokens.tofile(tmp_path / "ids.bin")
    given = {
        "list": tokens.tolist(),
        "array": tokens.astype(np.uint64),
        "memmap": np.memmap(tmp_path / "ids.bin", dtype=np.int32, mode="r"),
        "tensor": torch.from_numpy(tokens),
        "small integers": tokens.astype(np.int8),
    }[kind]
    contexts = all_contexts(6, 3)
    assert torch.equal(NGram.fit(given, 6).log_probs(contexts), NGram.fit(tokens, 6).log_probs(contexts))


def test_contexts_are_the_words_before():
    ngram = NGram.fit([0, 1], classes=9, order=3)
    assert ngram.contexts(torch.tensor([[4, 5, 6]])).tolist() == [[[-1, -1], [-1, 4], [4, 5]]]
    assert NGram.fit([0], classes=9, order=1).contexts(torch.tensor([4, 5])).shape == (2, 0)


def test_keys_of_ten_million_classes_and_five_words_stay_apart():
    """V⁵ is far beyond int64: contexts that differ in the oldest word alone are still told apart."""
    last = 10_000_000 - 1
    tokens = [last, 5, last, 7, last - 1] * 9 + [3, 5, last, 7, 2] * 9
    ngram = NGram.fit(tokens, classes=last + 1, order=5)
    definition = Definition(tokens, last + 1, 5)
    contexts = torch.tensor([[last, 5, last, 7], [3, 5, last, 7], [last - 2, 5, last, 7]])
    words = torch.tensor([last - 1, 2, 5, last - 5])
    want = [[definition.p(w, c) for w in words.tolist()] for c in contexts.tolist()]
    np.testing.assert_allclose(ngram.log_prob(contexts, words.expand(3, -1)).exp(), want, rtol=1e-12)


def test_the_lowest_order_counts_what_stands_before_and_order_one_what_occurs():
    """ "francisco" is frequent, but only after "san": after an unknown word it is unlikely, other than by its count."""
    tokens = [0, 1] * 50 + [2, 3, 2, 4, 2, 5] * 3
    bigram, unigram = (NGram.fit(tokens, 6, order) for order in (2, 1))
    nothing = torch.tensor([[-1]])
    assert bigram.log_prob(nothing, torch.tensor([1])) < bigram.log_prob(nothing, torch.tensor([2]))
    counted = Unigram(np.bincount(tokens)).log_q(torch.arange(6)).exp()
    torch.testing.assert_close(unigram.log_probs(nothing[:, :0]).exp()[0], counted, atol=0.02, rtol=0)


def test_its_state_is_itself():
    ngram = NGram.fit(text(300, 6), classes=7, order=4)
    state = ngram.state()
    assert all(isinstance(a, np.ndarray) for a in state.values())
    again = NGram.from_state(state)
    contexts = all_contexts(7, 4)
    assert (again.classes, again.order, again.discounts) == (7, 4, ngram.discounts)
    assert torch.equal(again.log_probs(contexts), ngram.log_probs(contexts))


def _broken(change):
    state = {name: array.copy() for name, array in NGram.fit(text(300, 6), classes=7, order=3).state().items()}
    change(state)
    return lambda: NGram.from_state(state)


def _put(name, place, value):
    return lambda state: state[name].__setitem__(place, value)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.clear(),
        lambda s: s.pop("2.pairs"),
        lambda s: s.update({"1.pairs": s["1.pairs"][:-1]}),
        lambda s: s.update({"1.pairs": s["1.pairs"].astype(np.float32)}),
        lambda s: s.update({"1.ends": s["1.ends"][:-1]}),
        lambda s: s.update({"2.starts": s["2.starts"][:-1]}),
        lambda s: s.update({"2.contexts": s["2.contexts"][:-1]}),
        lambda s: s.update({"classes": np.array([5])}),
        lambda s: s.update({"classes": np.array([8])}),
        lambda s: s.update({"classes": np.array([0])}),
        lambda s: s.update({"discounts": np.array([])}),
        _put("discounts", 0, 0.0),
        _put("discounts", 1, np.nan),
        _put("1.pairs", 3, 10**9),
        _put("0.ends", -1, 0),
        _put("2.contexts", -1, 10**9),
        _put("2.contexts", 0, -5),
    ],
)
def test_a_state_that_does_not_hold_together_is_refused(change):
    with pytest.raises(InputError, match="not the state of an n-gram model"):
        _broken(change)()


FITTED = NGram.fit(text(50, 4), classes=4)
HERE = torch.tensor([[0, 1]])
RNG = torch.Generator().manual_seed(0)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: NGram.fit([], 4), "at least one"),
        (lambda: NGram.fit([[0, 1]], 4), r"vector of classes.*\(1, 2\)"),
        (lambda: NGram.fit([0.0, 1.0], 4), "float64"),
        (lambda: NGram.fit(["a", "b"], 4), "must be integers"),
        (lambda: NGram.fit([0, 4], 4), "from 0 to 3; got 0 to 4"),
        (lambda: NGram.fit([0, -1], 4), "from 0 to 3; got -1 to 0"),
        (lambda: NGram.fit([0, 1], 0), "classes must be a positive integer"),
        (lambda: NGram.fit([0, 1], 2**62), "too many to be numbered"),
        (lambda: NGram.fit([0, 1], 4, order=0), "order.* positive integer; got 0"),
        (lambda: NGram.fit([0, 1], 4, order=2.5), "positive integer; got 2.5"),
        (lambda: NGram.fit([0, 1], 4, order=2, discounts=[0.5]), "2 numbers"),
        (lambda: NGram.fit([0, 1], 4, order=2, discounts=0.5), "2 numbers"),
        (lambda: NGram.fit([0, 1], 4, order=2, discounts=[0.0, 0.5]), "above 0"),
        (lambda: NGram.fit([0, 1], 4, order=2, discounts=[0.5, float("nan")]), "above 0"),
        (lambda: FITTED.draw(0, RNG, HERE), "k, the number of noise draws"),
        (lambda: FITTED.draw(2, RNG, HERE[0]), r"contexts must be an integer tensor \(N, 2\).*got torch.int64 \(2,\)"),
        (lambda: FITTED.draw(2, RNG, HERE[:, :1]), r"\(N, 2\).*got torch.int64 \(1, 1\)"),
        (lambda: FITTED.draw(2, RNG, [[0, 1]]), "got list"),
        (lambda: FITTED.draw(2, RNG, HERE.float()), "integer tensor.*got torch.float32"),
        (lambda: FITTED.log_probs(torch.tensor(0)), r"got torch.int64 \(\)"),
        (lambda: FITTED.log_probs(HERE + 3), "from 0 to 3"),
        (lambda: FITTED.log_probs(HERE - 2), "-1 for what is not known; got -2"),
        (lambda: FITTED.log_prob(HERE, torch.tensor([4])), "from 0 to 3; got 4 to 4"),
        (lambda: FITTED.log_prob(HERE, torch.tensor([0, 1])), r"targets must be \(1,\) or \(1, k\); got \(2,\)"),
        (lambda: FITTED.log_expected(torch.tensor([0]), 0, HERE), "k, the number of noise draws"),
    ],
)
def test_bad_input(wrong, says):
    with pytest.raises(InputError, match=says):
        wrong()


def test_no_context_is_no_row():
    none = HERE[:0]
    assert FITTED.draw(3, RNG, none).ids.shape == (0, 3)
    assert FITTED.log_probs(none).shape == (0, 4)
    assert FITTED.log_prob(none, torch.tensor([], dtype=torch.int64)).shape == (0,)


def test_a_million_tokens_are_counted_in_seconds():
    tokens = text(1_000_000, 5_000)
    begin = time.process_time()
    ngram = NGram.fit(tokens, 5_000)
    assert time.process_time() - begin < 10  # about 0.3 s; with a Python loop a token, minutes
    contexts = ngram.contexts(torch.from_numpy(tokens[:1000]).long())
    begin = time.process_time()
    ngram.draw(100, RNG, contexts)
    assert time.process_time() - begin < 5
