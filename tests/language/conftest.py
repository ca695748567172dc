"""Small corpora that know their entropy, and small models over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from infomax.candidates import NGram
from infomax.language import LSTM, LanguageModel, LogBilinear, NGramModel, TokenCorpus, Vocabulary
from infomax.unnormalised import SampledLinear

WORDS = ["all", "birds", "can", "dive", "even", "fish", "glide", "high", "in", "joy"]


@dataclass(frozen=True)
class Chain:
    """A Markov chain over the tokens of a vocabulary, a corpus drawn from it, and its entropy rate in nats."""

    law: np.ndarray
    corpus: TokenCorpus
    entropy_rate: float

    def standard_error(self) -> float:
        """Of a mean of -log p over the test part, by the chain's own law."""
        ids = self.corpus.test
        return float(np.log(self.law[ids[:-1], ids[1:]]).std() / len(ids) ** 0.5)


def corpus_of(vocabulary: Vocabulary, train, validation, test) -> TokenCorpus:
    """A corpus of these tokens."""
    parts = {"train": train, "validation": validation, "test": test}
    return TokenCorpus(
        vocabulary=vocabulary,
        **{name: np.asarray(ids, dtype=np.int32) for name, ids in parts.items()},
        counts=np.bincount(np.asarray(train, dtype=np.int64), minlength=vocabulary.size),
        source="made here",
        texts=dict.fromkeys(parts, 1),
        characters=dict.fromkeys(parts, 0),
        unknown=dict.fromkeys(parts, 0.0),
        skipped={},
        fingerprint=str(sum(hash(np.asarray(ids).tobytes()) for ids in parts.values())),
    )


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary.words([" ".join(WORDS)])


@pytest.fixture(scope="session")
def chain(vocabulary) -> Chain:
    rng = np.random.default_rng(5)
    size = vocabulary.size
    law = rng.dirichlet(np.full(size, 0.4), size=size) * 0.9 + 0.1 / size
    steps = law.cumsum(1)
    ids = [0]
    for coin in rng.random(26_000):
        ids.append(min(int(np.searchsorted(steps[ids[-1]], coin)), size - 1))
    stationary = np.linalg.matrix_power(law, 200)[0]
    rate = float(-(stationary[:, None] * law * np.log(law)).sum())
    return Chain(law, corpus_of(vocabulary, ids[:20_000], ids[20_000:22_000], ids[22_000:26_000]), rate)


@pytest.fixture(scope="session")
def small(chain, vocabulary) -> TokenCorpus:
    """The first part of the chain's corpus, for runs of a few steps."""
    corpus = chain.corpus
    return corpus_of(vocabulary, corpus.train[:400], corpus.validation[:150], corpus.test[:150])


@pytest.fixture(params=["lstm", "log-bilinear", "tied", "c(h)"])
def model(request, vocabulary) -> LanguageModel:
    """An untrained model with parameters of some size."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        size = vocabulary.size
        network = LogBilinear(size, 6, 3) if request.param == "log-bilinear" else LSTM(size, 6, 2, dropout=0.3)
        normaliser = {"objective": "nce", "log_normaliser": "context"} if request.param == "c(h)" else {}
        head = SampledLinear(6, size, draws=5, **normaliser)
        made = LanguageModel(vocabulary, network, head)
        if request.param == "tied":
            head.weight = network.embedding.weight
        for p in made.parameters():
            torch.nn.init.normal_(p, std=0.7)
        return made


@pytest.fixture
def ngram_model(chain, vocabulary) -> NGramModel:
    return NGramModel(vocabulary, NGram.fit(chain.corpus.train, vocabulary.size, 3))
