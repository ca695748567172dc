"""`sampled_head`: a tiny, randomly initialised causal model before and after it is given one."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from infomax.candidates import Everything, NGram, Uniform, Unigram
from infomax.errors import InputError
from infomax.training import LazyAdam
from infomax.unnormalised import SampledHead, sampled_head

transformers = pytest.importorskip("transformers", reason="needs transformers: pip install infomax[hf]")

V, WIDTH = 60, 8
TOKENS = torch.randint(V, (3, 10), generator=torch.Generator().manual_seed(0))
LABELS = TOKENS.clone()
LABELS[0, :4] = -100
NO_DROPOUT = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0, "bos_token_id": None, "eos_token_id": None}


def gpt2(**options):
    torch.manual_seed(0)
    sizes = {"vocab_size": V, "n_positions": 16, "n_embd": WIDTH, "n_layer": 1, "n_head": 2}
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(**sizes, **NO_DROPOUT, **options)).train()


def llama(kind="Llama", **options):
    torch.manual_seed(0)
    sizes = {"vocab_size": V, "hidden_size": WIDTH, "intermediate_size": 16, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 4}
    config = getattr(transformers, f"{kind}Config")(**sizes, **heads, **options)
    return getattr(transformers, f"{kind}ForCausalLM")(config).train()


@pytest.mark.parametrize("make", [gpt2, llama])
def test_all_classes_as_candidates_are_the_models_own_loss(make):
    plain, ours = make(), sampled_head(make(), noise=Everything(V))
    others = {"labels": TOKENS, "ignore_index": int(TOKENS[1, 3])}
    for given in (others, {}, {"num_items_in_batch": 40}, {"shift_labels": LABELS}):
        given = {"labels": LABELS} | given
        want, got = plain(TOKENS, **given), ours(TOKENS, **given)
        torch.testing.assert_close(got.loss, want.loss)
        assert got.logits is None
    got.loss.backward()
    want.loss.backward()
    gradients = {name: p.grad for name, p in plain.named_parameters()}
    assert gradients.keys() == {name for name, _ in ours.named_parameters()}
    for name, p in ours.named_parameters():
        torch.testing.assert_close(p.grad, gradients[name], atol=1e-6, rtol=1e-4)


def test_labels_in_their_place_and_tuples():
    ours = sampled_head(gpt2(), noise=Everything(V))
    want = ours(TOKENS, labels=LABELS)
    loss, logits, *_ = ours(TOKENS, labels=LABELS, return_dict=False)
    assert torch.equal(loss, want.loss)
    assert logits is None


def test_the_loss_is_that_of_the_layer():
    """Shifted by one, -100 ignored, the same draws."""
    ours = sampled_head(
        gpt2(), noise=Unigram(range(1, V + 1)), draws=7, objective="nce", log_normaliser="learned", seed=5
    )
    hidden = ours.transformer(TOKENS).last_hidden_state
    got = ours(TOKENS, labels=LABELS).loss
    ours.lm_head.rng.manual_seed(5)
    torch.testing.assert_close(got, ours.lm_head.loss(hidden[:, :-1], LABELS[:, 1:]))


@pytest.mark.parametrize("given", [{"labels": LABELS}, {}])
def test_evaluation_is_unchanged(given):
    plain, ours = gpt2().eval(), sampled_head(gpt2(), draws=3).eval()
    want, got = plain(TOKENS, **given), ours(TOKENS, **given)
    assert torch.equal(got.logits, want.logits)
    assert given == {} or torch.equal(got.loss, want.loss)
    assert torch.equal(ours.train()(TOKENS).logits, want.logits)  # no labels: no loss, and so logits
    ours.eval()
    assert torch.equal(ours.generate(TOKENS, max_new_tokens=3), plain.generate(TOKENS, max_new_tokens=3))


def test_a_failed_step_leaves_no_trace():
    ours = sampled_head(gpt2(), draws=3)
    with pytest.raises(InputError, match="no target is left"):
        ours(TOKENS, labels=torch.full_like(TOKENS, -100))
    assert ours.lm_head(torch.zeros(1, WIDTH)).shape == (1, V)


def test_weights_stay_tied_and_a_lazy_step_moves_the_touched_rows_only():
    ours = sampled_head(gpt2(), draws=4, sparse=True)
    words = ours.get_input_embeddings()
    assert ours.lm_head.weight is words.weight
    before = words.weight.detach().clone()
    ours(TOKENS[:1, :4], labels=TOKENS[:1, :4]).loss.backward()
    assert words.weight.grad.is_sparse
    LazyAdam(ours.parameters(), lr=0.1).step()
    moved = (words.weight.detach() != before).any(1).nonzero().squeeze(1)
    drawn = Uniform(V).draw(4, torch.Generator().manual_seed(0)).ids
    assert set(moved.tolist()) == set(TOKENS[0, :4].tolist()) | set(drawn.tolist())
    assert torch.equal(ours.get_output_embeddings().weight, words.weight)


@pytest.mark.parametrize("tied", [True, False])
def test_saved_and_loaded_it_is_the_plain_model(tied, tmp_path):
    ours = sampled_head(gpt2(tie_word_embeddings=tied), draws=3)
    ours(TOKENS, labels=LABELS).loss.backward()
    torch.optim.AdamW(ours.parameters(), lr=0.01).step()
    ours.save_pretrained(tmp_path)
    loaded, notes = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(notes.values())
    assert type(loaded.lm_head) is nn.Linear
    assert (loaded.lm_head.weight is loaded.get_input_embeddings().weight) == tied
    assert torch.equal(loaded.eval()(TOKENS).logits, ours.eval()(TOKENS).logits)
    again = sampled_head(loaded.train(), draws=3)
    assert again.lm_head.weight is loaded.lm_head.weight


def test_a_copy_has_its_own_head():
    ours = sampled_head(gpt2(), draws=3)
    other = copy.deepcopy(ours)
    other.lm_head.noise = Everything(V)
    assert isinstance(other.lm_head, SampledHead)
    assert other.lm_head is not ours.lm_head
    torch.testing.assert_close(other(TOKENS, labels=LABELS).loss, gpt2()(TOKENS, labels=LABELS).loss)
    assert ours(TOKENS, labels=LABELS).loss < 2.5  # log(3 + 1) where nothing is known; all of V: log 60


def test_ngram_noise_looks_back_on_the_labels():
    noise = NGram.fit(TOKENS.flatten(), V, 3)
    ours = sampled_head(gpt2(), noise=noise, draws=5)
    hidden = ours.transformer(TOKENS).last_hidden_state[:, :-1]
    got = ours(TOKENS, labels=LABELS).loss
    contexts = noise.contexts(LABELS.clamp(min=-1))[:, 1:]
    ours.lm_head.rng.manual_seed(0)
    torch.testing.assert_close(got, ours.lm_head.loss(hidden, LABELS[:, 1:], contexts=contexts))


def test_ngram_noise_looks_back_on_labels_that_come_shifted():
    """The same losses both ways, where the first token has no label: shifted ones cannot tell it."""
    ours = sampled_head(gpt2(), noise=NGram.fit(TOKENS.flatten(), V, 3), draws=5)
    labels = LABELS.clone()
    labels[:, 0] = -100
    whole = ours(TOKENS, labels=labels).loss
    ours.lm_head.rng.manual_seed(0)
    shifted = torch.cat([labels[:, 1:], torch.full((3, 1), -100)], 1)
    torch.testing.assert_close(ours(TOKENS, labels=labels, shift_labels=shifted).loss, whole)


def test_an_embedding_of_its_own_keeps_its_dense_gradient():
    ours = sampled_head(gpt2(tie_word_embeddings=False), draws=4, sparse=True)
    ours(TOKENS, labels=TOKENS).loss.backward()
    assert ours.lm_head.weight.grad.is_sparse
    assert not ours.get_input_embeddings().weight.grad.is_sparse


def test_training_learns():
    ours = sampled_head(gpt2(), noise=Unigram(torch.bincount(TOKENS.flatten(), minlength=V) + 0.1), draws=30)
    optimizer = torch.optim.AdamW(ours.parameters(), lr=0.03)
    exact = [float(ours.eval()(TOKENS, labels=TOKENS).loss.detach())]
    ours.train()
    for _ in range(60):
        optimizer.zero_grad()
        ours(TOKENS, labels=TOKENS).loss.backward()
        optimizer.step()
    exact.append(float(ours.eval()(TOKENS, labels=TOKENS).loss.detach()))
    assert exact[1] < exact[0] / 2


def test_refusals():
    with pytest.raises(
        InputError, match="expected a Hugging Face causal language model with a linear head; got Linear"
    ):
        sampled_head(nn.Linear(2, 3))
    with pytest.raises(InputError, match="has a sampled head already"):
        sampled_head(sampled_head(gpt2()))
    with pytest.raises(InputError, match="the noise has 61 classes, the layer 60"):
        sampled_head(gpt2(), noise=Uniform(V + 1))
    capped = sampled_head(llama("Gemma2", final_logit_softcapping=30.0), draws=3)
    with pytest.raises(InputError, match="changes its logits after the head"):
        capped(TOKENS, labels=LABELS)
    assert capped.eval()(TOKENS, labels=LABELS).logits.shape == (3, 10, V)
