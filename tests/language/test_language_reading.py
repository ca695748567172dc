"""What models say of texts, against dense logits in float64; generating; saving and loading."""

import json
from dataclasses import astuple

import numpy as np
import pytest
import torch

from infomax.errors import InputError
from infomax.language import LanguageModel, NGramModel, Vocabulary, load_language_model
from infomax.language.exact import reading, together

TEXTS = ["birds can dive", "fish", "", "in joy all birds glide high in joy", "a stranger glide"]


def dense(model, ids):
    """(T,) -log p and (T,) log Z - c(h) of ids after the end of a text, by the matrix of logits."""
    model.eval()
    hidden, _ = model.network(torch.tensor([[model.vocabulary.end, *ids[:-1]]]))
    logits = model.head(hidden[0])
    targets = torch.tensor(ids)[:, None]
    nats = -logits.log_softmax(1).gather(1, targets)[:, 0]
    return nats.detach(), (logits.logsumexp(1) - model.head.normaliser(hidden[0])).detach()


def close(read, nats, log_z):
    want = (nats.mean(), nats.mean().exp(), log_z.mean(), log_z.std(correction=0))
    return np.allclose(astuple(read)[:4], [float(x) for x in want], rtol=1e-9) and read.n == len(nats)


@pytest.mark.parametrize("n", [1, 7, 2000])
def test_evaluation_is_that_of_the_dense_logits(model, chain, monkeypatch, n):
    monkeypatch.setattr("infomax.language.language_model._TILE", 64)
    model.double().train()
    ids = chain.corpus.test[:n].tolist()
    nats, log_z = dense(model, ids)
    model.train()
    assert close(model.evaluate(chain.corpus.test[:n]), nats, log_z)
    torch.testing.assert_close(model.nats(np.array(ids)), nats)
    assert model.training  # as it was


@pytest.mark.parametrize("streams", [2, 3, 150, 400])
def test_streams_are_stretches_that_begin_with_no_memory(model, chain, streams):
    model.double()
    ids = chain.corpus.test[:301]
    length = -(-301 // min(streams, 301))
    parts = []
    for start in range(0, 301, length):
        before = [ids[start - 1]] if start else [model.vocabulary.end]
        stretch = np.concatenate([before, ids[start : start + length]])
        hidden, _ = model.eval().network(torch.tensor(stretch[None, :-1].astype(np.int64)))
        logits = model.head(hidden[0])
        nats = -logits.log_softmax(1)[torch.arange(len(stretch) - 1), stretch[1:]].detach()
        parts.append((nats, (logits.logsumexp(1) - model.head.normaliser(hidden[0])).detach()))
    nats, log_z = (torch.cat(side) for side in zip(*parts, strict=True))
    assert close(model.evaluate(ids, streams=streams), nats, log_z)
    torch.testing.assert_close(model.nats(ids, streams=streams), nats)


def test_readings_of_parts_are_the_reading_of_the_whole():
    rng = torch.Generator().manual_seed(0)
    nats, log_z = torch.rand(50, generator=rng), torch.randn(50, generator=rng) + 3
    whole = reading(nats, log_z)
    parts = [reading(a, b) for a, b in zip(nats.split([1, 30, 19]), log_z.split([1, 30, 19]), strict=True)]
    assert np.allclose(astuple(together(parts)), astuple(whole), rtol=1e-9)


def both(model, ngram_model):
    return [model.double(), ngram_model]


def test_a_text_is_scored_by_itself_with_its_end(model, ngram_model, monkeypatch):
    end = model.vocabulary.end
    for one in both(model, ngram_model):
        found = one.score(TEXTS)
        for text, nats, tokens, unknown in zip(TEXTS, found.nats, found.tokens, found.unknown, strict=True):
            ids = [*one.vocabulary.encode(text).tolist(), end]
            alone = one.evaluate(np.array(ids))
            assert nats == pytest.approx(alone.cross_entropy * len(ids), rel=1e-9)
            assert (tokens, unknown) == (len(ids), ids.count(one.vocabulary.unknown))
        assert found.unknown[-1] == 2
        assert found.perplexity == pytest.approx(np.exp(found.nats.sum() / found.tokens.sum()))
        monkeypatch.setattr("infomax.language.text_model._AT_ONCE", 1)  # each text in a group of its own
        assert np.allclose(one.score(TEXTS).nats, found.nats, rtol=1e-12)
        for place in ("language_model", "ngram_model"):  # and a text in pieces
            monkeypatch.setattr(f"infomax.language.{place}._TILE", 3)
        assert np.allclose(one.score(TEXTS).nats, found.nats, rtol=1e-12)


@pytest.mark.parametrize("texts", ["birds", [None], [1]])
def test_only_lists_of_texts_are_scored(ngram_model, texts):
    with pytest.raises(InputError, match="texts must be a list of strings"):
        ngram_model.score(texts)


def test_the_coldest_draw_is_the_likeliest_token(ngram_model):
    assert ngram_model.generate("birds", temperature=1e-320) == ngram_model.generate("birds", temperature=0)


@pytest.mark.parametrize("seed", [-1, 2**70])
def test_seeds_that_cannot_be(ngram_model, seed):
    with pytest.raises(InputError, match="seed must be"):
        ngram_model.generate("birds", seed=seed)


def test_streams_are_at_least_one(model, chain):
    with pytest.raises(InputError, match="streams must be a whole number of at least 1, got 0"):
        model.evaluate(chain.corpus.test, streams=0)


def test_ngram_evaluation_is_the_chain_rule_by_hand(ngram_model, chain, monkeypatch):
    monkeypatch.setattr("infomax.language.ngram_model._TILE", 7)
    ids = chain.corpus.test[:40]
    nats = 0.0
    words = [-1, ngram_model.vocabulary.end, *ids.tolist()]
    for t in range(40):
        nats -= float(ngram_model.ngram.log_probs(torch.tensor([words[t : t + 2]]))[0, words[t + 2]])
    read = ngram_model.evaluate(ids)
    assert read.cross_entropy == pytest.approx(nats / 40, rel=1e-9)
    assert (read.log_normaliser, read.log_normaliser_spread, read.n) == (0.0, 0.0, 40)


def test_the_next_token_has_a_law_and_is_drawn_from_it(model, ngram_model):
    for one in both(model, ngram_model):
        first, state = one._next([one.vocabulary.end], None)
        assert float(first.exp().sum()) == pytest.approx(1, rel=1e-9)
        tail = [3, 4, 5]
        together_, _ = one._next([one.vocabulary.end, *tail], None)
        for token in tail:
            in_steps, state = one._next([token], state)
        torch.testing.assert_close(in_steps, together_)
        drawn = [one.generate(tokens=1, seed=seed) for seed in range(600)]
        for token, p in enumerate(first.exp().tolist()):
            share = np.mean(
                [text == ("" if token == one.vocabulary.end else one.vocabulary.decode([token])) for text in drawn]
            )
            assert abs(share - p) < 4 * (p * (1 - p) / 600) ** 0.5 + 1e-9


def test_generating_depends_on_seed_and_settings_alone(model, ngram_model):
    for one in both(model, ngram_model):
        texts = [one.generate("birds can", 12, seed=seed) for seed in (0, 0, 1, 2, 3)]
        assert texts[0] == texts[1]
        assert len(set(texts)) > 1
        assert one.generate("birds", 12, temperature=0) == one.generate("birds", 12, top_k=1, seed=9)
        assert len(one.generate("", 3, seed=1).split()) <= 3
        near = {one.generate("fish", 1, temperature=1e-5, seed=seed) for seed in range(20)}
        assert near == {one.generate("fish", 1, temperature=0)}
        two = {one.generate("fish", 1, top_k=2, temperature=5.0, seed=seed) for seed in range(40)}
        assert len(two) == 2


def test_a_saved_model_is_the_same_model(model, ngram_model, chain, tmp_path):
    for number, one in enumerate((model, ngram_model)):
        folder = tmp_path / str(number)
        one.save(folder)
        again = load_language_model(folder)
        assert type(again) is type(one)
        assert again.evaluate(chain.corpus.test) == one.evaluate(chain.corpus.test)
        assert again.generate("birds", 20, seed=3) == one.generate("birds", 20, seed=3)
        assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors", "tokenizer.json"]
        if one is model:
            assert again.tied == model.tied
            assert all(torch.equal(a, b) for a, b in zip(again.parameters(), model.parameters(), strict=True))
            assert not again.training


def test_a_run_folder_is_as_good_as_the_model_in_it(ngram_model, tmp_path):
    ngram_model.save(tmp_path / "model")
    assert isinstance(load_language_model(tmp_path), NGramModel)


def test_what_is_no_model_is_refused(model, tmp_path):
    with pytest.raises(InputError, match="holds no language model"):
        load_language_model(tmp_path / "nowhere")
    model.save(tmp_path)
    parts = {name: (tmp_path / name).read_bytes() for name in ("config.json", "model.safetensors", "tokenizer.json")}
    config = json.loads(parts["config.json"])
    damaged = [
        ("config.json", b"{", "cannot be read"),
        ("config.json", b"[]", "cannot be read"),
        ("config.json", json.dumps(config | {"format": "else"}).encode(), "another version"),
        ("config.json", json.dumps(config | {"dim": 7}).encode(), "damaged or of another shape"),
        ("config.json", json.dumps(config | {"network": "oracle"}).encode(), "damaged or of another shape"),
        ("model.safetensors", parts["model.safetensors"][:-20], "damaged or of another shape"),
        ("tokenizer.json", b"{}", "no vocabulary"),
    ]
    for name, content, words in damaged:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=words):
            load_language_model(tmp_path)
        (tmp_path / name).write_bytes(parts[name])
    Vocabulary.words(["only three words"]).save(tmp_path / "tokenizer.json")
    with pytest.raises(InputError, match="has 5 tokens, the model beside it 12"):
        LanguageModel.load(tmp_path)


def test_what_cannot_be_read_is_refused(model, ngram_model):
    for one in both(model, ngram_model):
        for ids, words in (
            ([], "vector of integers"),
            (np.array([], dtype=np.int32), "no tokens to read"),
            ([[1, 2]], "vector of integers"),
            ([0.5], "vector of integers"),
            ([0, 12], "from 0 to 11, got 0 to 12"),
            ([-1], "from 0 to 11, got -1"),
        ):
            with pytest.raises(InputError, match=words):
                one.evaluate(np.array(ids))
        with pytest.raises(InputError, match="no texts to score"):
            one.score([])
        for settings, words in (
            ({"tokens": 0}, "tokens must be"),
            ({"temperature": -1.0}, "temperature must be"),
            ({"temperature": float("nan")}, "temperature must be"),
            ({"top_k": 0}, "top_k must lie from 1"),
            ({"top_k": 13}, "12 tokens, got 13"),
        ):
            with pytest.raises(InputError, match=words):
                one.generate("", **settings)
