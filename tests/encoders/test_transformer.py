"""A transformer: equal to sentence-transformers in every vector, on the disk and back, padded or not."""

import json
import sys

import numpy as np
import pytest
import torch

from infomax.encoders import TransformerEncoder, load_encoder
from infomax.errors import InputError

pytest.importorskip("sentence_transformers", reason="needs the hf extra")

TEXTS = ["remove duplicates keep order", "parse", "hello world zebra", "", "  spaces  ", "long text " * 50, "ÉÈ 日本"]


@pytest.fixture
def encoder(bare_bert):
    return TransformerEncoder.load(bare_bert).eval()


def theirs(path):
    import sentence_transformers

    return sentence_transformers.SentenceTransformer(str(path), device="cpu", local_files_only=True)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_a_saved_folder_gives_sentence_transformers_the_same_vectors(bare_bert, tmp_path, pooling):
    encoder = TransformerEncoder.load(bare_bert, pooling=pooling)
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (7, 16)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    path = encoder.save(tmp_path / "model")
    np.testing.assert_allclose(theirs(path).encode(TEXTS), vectors, atol=1e-6)
    again = load_encoder(path)
    np.testing.assert_allclose(again.encode(TEXTS), vectors, atol=1e-7)
    assert again.config() == encoder.config()
    assert json.loads((path / "infomax.json").read_text())["kind"] == "TransformerEncoder"
    (path / "infomax.json").unlink()  # as sentence-transformers itself leaves it
    np.testing.assert_allclose(load_encoder(path).encode(TEXTS), vectors, atol=1e-7)


def test_what_it_was_fitted_to_is_remembered_on_the_disk(encoder, tmp_path):
    encoder.fitted_to = [{"source": "s", "pairs": "p"}]
    encoder.save(tmp_path / "t")
    assert load_encoder(tmp_path / "t").fitted_to == encoder.fitted_to


def test_poolings_differ_and_are_what_they_say(bare_bert):
    import transformers

    model = transformers.AutoModel.from_pretrained(bare_bert).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(bare_bert)
    features = tokenizer(TEXTS, padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**features).last_hidden_state
    mask = features["attention_mask"][:, :, None]
    for pooling, pooled in (("cls", hidden[:, 0]), ("mean", (hidden * mask).sum(1) / mask.sum(1))):
        expected = torch.nn.functional.normalize(pooled, dim=1).numpy()
        found = TransformerEncoder.load(bare_bert, pooling=pooling).encode(TEXTS)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_whatever_else_is_in_the_batch_a_text_has_one_vector(encoder, monkeypatch):
    whole = encoder.encode(TEXTS * 5)
    monkeypatch.setattr("infomax.encoders.transformer._AT_ONCE", 40)  # groups of one or two long texts
    np.testing.assert_allclose(encoder.encode(TEXTS * 5), whole, atol=1e-6)
    np.testing.assert_allclose(np.concatenate([encoder.encode([text]) for text in TEXTS]), whole[:7], atol=1e-6)
    with torch.enable_grad():  # one padded batch
        np.testing.assert_allclose(encoder(TEXTS * 5).detach(), whole, atol=1e-6)


def test_a_batch_is_encoded_at_once_with_a_gradient_and_in_pieces_without(encoder, monkeypatch):
    sizes, real = [], encoder._encode

    def noting(ids, lengths):
        sizes.append(len(lengths))
        return real(ids, lengths)

    monkeypatch.setattr("infomax.encoders.transformer._AT_ONCE", 8)
    monkeypatch.setattr(encoder, "_encode", noting)
    texts = ["hello world", "remove", "hello hello hello world", "world"]
    whole = encoder(texts).detach()
    assert sizes == [4]
    sizes.clear()
    with torch.no_grad():
        parts = encoder(texts)
    assert max(sizes) < sum(sizes) == 4
    assert torch.allclose(whole, parts, atol=1e-6)


def test_padding_may_be_on_the_left(encoder):
    ids = encoder.tokenize(TEXTS).ids
    encoder.model.tokenizer.padding_side = "left"
    assert torch.equal(encoder.tokenize(TEXTS).ids, ids)
    with torch.enable_grad():
        found = encoder(TEXTS).detach().numpy()  # positions shift with padding, so the batches must be the same
    np.testing.assert_allclose(found, encoder.model.encode(TEXTS, batch_size=len(TEXTS)), atol=1e-6)


def test_columns_are_tokenised_once(encoder, monkeypatch):
    column = encoder.prepare(TEXTS, block=3)
    assert column.lengths(np.array([5, 1, 3])).tolist() == [24, 3, 2]
    monkeypatch.setattr(encoder.model, "preprocess", pytest.fail)
    with torch.no_grad():
        found = encoder(column[np.array([2, 0])])
    monkeypatch.undo()
    np.testing.assert_allclose(found, encoder.encode([TEXTS[2], TEXTS[0]]), atol=1e-6)


def test_dropout_is_on_in_training_only(encoder):
    assert torch.equal(encoder(TEXTS), encoder(TEXTS))
    encoder.train()
    assert not torch.equal(encoder(TEXTS), encoder(TEXTS))
    encoder.encode(TEXTS)
    assert encoder.training


def test_odd_texts_and_empty_lists(encoder):
    assert encoder.encode([]).shape == (0, 16)
    assert len(encoder.prepare([])) == 0
    assert np.isfinite(encoder.encode(["half a pair \ud800", "\x00"])).all()
    with pytest.raises(InputError, match="got int at row 1"):
        encoder.encode(["text", 3])
    np.testing.assert_allclose(np.linalg.norm(encoder.encode(TEXTS, dim=5), axis=1), 1, atol=1e-6)


def test_a_default_prompt_is_put_before_every_text(bare_bert, tmp_path):
    encoder = TransformerEncoder.load(bare_bert)
    plain = encoder.encode(["hello world"])
    encoder.model.prompts, encoder.model.default_prompt_name = {"query": "remove order "}, "query"
    path = encoder.save(tmp_path / "model")
    found = load_encoder(path).encode(["hello world"])
    assert np.abs(found - plain).max() > 1e-3
    np.testing.assert_allclose(theirs(path).encode(["hello world"]), found, atol=1e-6)


def test_half_precision_is_read_as_whole(bare_bert, tmp_path):
    TransformerEncoder.load(bare_bert).model.half().save(str(tmp_path / "half"))
    assert {p.dtype for p in TransformerEncoder.load(tmp_path / "half").parameters()} == {torch.float32}


def test_what_is_no_model_is_said(bare_bert, tmp_path):
    with pytest.raises(InputError, match="pooling must be 'mean' or 'cls', got 'max'"):
        TransformerEncoder.load(bare_bert, pooling="max")
    for name, content in (("config.json", "{"), ("modules.json", '[{"type": "x.Transformer"}]')):
        folder = tmp_path / name.split(".")[0]
        folder.mkdir()
        (folder / name).write_text(content)
        with pytest.raises(InputError, match="cannot be read"):
            load_encoder(folder)
    import sentence_transformers
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    tokenizer = TransformerEncoder.load(bare_bert).model.tokenizer.backend_tokenizer
    static = sentence_transformers.SentenceTransformer(
        modules=[StaticEmbedding(tokenizer, embedding_dim=4)], device="cpu"
    )
    with pytest.raises(InputError, match="must begin with a transformer over texts, this one with StaticEmbedding"):
        TransformerEncoder(static)


def test_without_the_extra_it_says_what_to_install(bare_bert, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(InputError, match=r"pip install 'infomax\[hf\]'"):
        load_encoder(bare_bert)
