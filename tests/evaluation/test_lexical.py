"""BM25 against the published formula, and as a baseline that understands identifiers."""

from collections import Counter
from math import log

import numpy as np
import pytest

from infomax.errors import InputError
from infomax.evaluation import bm25
from infomax.evaluation.lexical import words


def test_words_split_identifiers():
    assert words("parseHTTPDate_2 read_csv_file") == ["parse", "http", "date", "2", "read", "csv", "file"]
    assert words("the sum of an ÉTUDE") == ["sum", "étude"]  # stop words carry nothing
    assert words("") == []


def by_formula(queries, documents, ids, k1=1.5, b=0.75):
    """Ranks by Lucene's BM25, a double loop over queries and documents."""
    bags = [Counter(words(document)) for document in documents]
    n, mean = len(bags), np.mean([sum(bag.values()) for bag in bags])
    ranks = []
    for row, query in enumerate(queries):
        scores = []
        for bag in bags:
            total, length = 0.0, sum(bag.values())
            for word in words(query):
                df = sum(word in other for other in bags)
                if df and bag[word]:
                    idf = log(1 + (n - df + 0.5) / (df + 0.5))
                    total += idf * bag[word] / (bag[word] + k1 * (1 - b + b * length / mean))
            scores.append(total)
        ranks.append(sum(s >= scores[row] - 1e-12 for s, i in zip(scores, ids, strict=True) if i != ids[row]))
    return np.array(ranks)


@pytest.mark.parametrize(("k1", "b"), [(1.5, 0.75), (0.3, 0.75), (1.5, 0.0)])
def test_equals_the_formula(k1, b):
    rng = np.random.default_rng(0)
    vocabulary = [f"w{i}" for i in range(40)]
    documents = [" ".join(rng.choice(vocabulary, rng.integers(3, 15))) for _ in range(30)]
    queries = [" ".join(rng.choice(d.split(), 2)) + f" w{rng.integers(40)} unseen" for d in documents]
    ids = [0, 0, 0, *range(1, 28)]
    ranks = by_formula(queries, documents, ids, k1, b)
    got = bm25(queries, documents, ids=ids, ks=(1, 5), k1=k1, b=b)
    assert got.recall == pytest.approx({1: np.mean(ranks < 1), 5: np.mean(ranks < 5)})
    assert got.mrr == pytest.approx(np.mean(1 / (ranks + 1)))
    assert 0 < got.recall[1] < 1


def test_shared_rare_words_are_found_and_equal_texts_tie():
    documents = ["def read_csv_file(path): return 1", "def sortKeys(table): return 2", "def area(circle): return 3"]
    queries = ["Read a CSV file.", "sort the keys", "the area of a circle"]
    assert bm25(queries, documents, ks=(1,)).recall[1] == 1.0
    doubled = bm25(queries * 2, documents * 2, ks=(1, 2))
    assert doubled.recall == {1: 0.0, 2: 1.0}  # each true candidate ties with its copy
    assert bm25(queries * 2, documents * 2, ids=[0, 1, 2] * 2, ks=(1,)).recall[1] == 1.0


@pytest.mark.parametrize("documents", [["...", "the", ""], ["alpha", "beta", "gamma"]])
def test_without_common_words_all_tie(documents):
    assert bm25(["?", "!", "x"], documents, ks=(1, 2, 3)).recall == {1: 0.0, 2: 0.0, 3: 1.0}


def test_lengths_must_agree():
    with pytest.raises(InputError, match="got 1 and 2"):
        bm25(["a"], ["a", "b"])
