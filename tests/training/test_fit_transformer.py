"""`fit` of a transformer in chunks: it learns, is saved as one, and goes on bit for bit, dropout and all."""

import random
import signal
from functools import partial

import numpy as np
import pytest
import torch

from infomax.encoders import TransformerEncoder
from infomax.errors import InputError
from infomax.objectives import info_nce
from infomax.training import fit, load_saved

pytest.importorskip("sentence_transformers", reason="needs the hf extra")

RUN = {"epochs": 2, "batch_size": 20, "chunk": 8, "learning_rate": 3e-3, "checkpoint_seconds": 0, "progress": False}


@pytest.fixture(scope="module")
def letters():
    """90 pairs: some letters, and most of the same in another order, with more."""
    rng = random.Random(0)
    pairs = []
    for _ in range(90):
        core = rng.sample("abcdefghijklmnopqrstuvwxyz", 4)
        pairs.append((" ".join(core), " ".join(rng.sample(core + rng.sample("abcdefghij", rng.randint(0, 9)), 4))))
    return pairs


class Acting:
    """The objective, which stops the run at its `step`-th call; every instance has the same name in the settings."""

    def __init__(self, step=None):
        self.step, self.calls = step, 0

    def __call__(self, scores):
        self.calls += 1
        if self.calls == self.step:
            signal.raise_signal(signal.SIGINT)
        return info_nce(scores, symmetric=True)


def losses(result):
    return [entry["loss"] for entry in result.history]


def test_it_learns_and_is_saved_as_a_sentence_transformer(letters, bare_bert, tmp_path):
    import sentence_transformers

    result = fit(letters, encoder=bare_bert, out=tmp_path / "run", **(RUN | {"epochs": 5}))
    assert isinstance(result.encoder, TransformerEncoder)
    assert np.mean(losses(result)[-4:]) < 0.9 * np.mean(losses(result)[:4])
    texts = [a for a, _ in letters]
    vectors = result.encoder.encode(texts)
    assert np.abs(vectors - TransformerEncoder.load(bare_bert).encode(texts)).max() > 0.05
    np.testing.assert_array_equal(load_saved(tmp_path / "run" / "model").encode(texts), vectors)
    theirs = sentence_transformers.SentenceTransformer(str(tmp_path / "run" / "model"), device="cpu")
    np.testing.assert_allclose(theirs.encode(texts), vectors, atol=1e-5)
    again = fit(letters, encoder=tmp_path / "run" / "model", **(RUN | {"epochs": 1}))
    assert losses(again)[0] < losses(result)[0]


def test_stopped_and_resumed_it_ends_bit_for_bit_as_if_it_had_not_been(letters, bare_bert, tmp_path):
    whole = fit(letters, encoder=str(bare_bert), objective=Acting(), **RUN)
    run = partial(fit, letters, encoder=str(bare_bert), out=tmp_path)
    assert run(objective=Acting(step=3), **RUN).interrupted
    with pytest.raises(InputError, match="chunk was 8, is 5"):
        run(objective=Acting(), resume=True, **(RUN | {"chunk": 5}))
    resumed = run(objective=Acting(), resume=True, **RUN)
    assert losses(resumed) == losses(whole)
    for name, tensor in whole.encoder.state_dict().items():
        assert torch.equal(resumed.encoder.state_dict()[name], tensor), name


def test_chunks_have_texts_of_like_length_and_little_padding(letters, bare_bert, monkeypatch):
    encoder, shapes = TransformerEncoder.load(bare_bert), []
    encode = encoder._encode

    def watched(ids, lengths):
        if encoder.training:
            shapes.append((len(lengths), int(lengths.max()), int(lengths.min())))
        return encode(ids, lengths)

    monkeypatch.setattr(encoder, "_encode", watched)
    texts = [(a, " ".join([b] * (1 + i % 4))) for i, (a, b) in enumerate(letters)]
    fit(texts, encoder=encoder, validation=0, test=0, **(RUN | {"epochs": 1, "batch_size": 90, "chunk": 15}))
    assert [rows for rows, _, _ in shapes] == [15] * 24  # both sides, twice
    candidates = shapes[6:12]
    assert all(longest <= above for (_, longest, _), (_, _, above) in zip(candidates[1:], candidates, strict=False))


def test_unless_told_otherwise_it_is_trained_as_transformers_are(letters, bare_bert):
    usual = {key: value for key, value in RUN.items() if key not in ("chunk", "learning_rate")}
    encoder = TransformerEncoder.load(bare_bert)
    for given in (encoder, (encoder, encoder), bare_bert):
        settings = fit(letters, encoder=given, evaluate=False, **(usual | {"epochs": 1, "batch_size": 45})).settings
        assert (settings["chunk"], settings["learning_rate"]) == (32, 5e-5)
    settings = fit(letters, epochs=1, progress=False, evaluate=False).settings
    assert (settings["chunk"], settings["learning_rate"]) == (None, 0.01)
