"""`fit` learns: losses fall, the temperature moves, the best encoder comes back, the report is on other pairs."""

from functools import partial
from itertools import pairwise
from math import log

import numpy as np
import pytest
import torch
from torch import nn

from infomax.data import read_pairs, split_pairs
from infomax.encoders import StaticTextEncoder
from infomax.errors import InputError
from infomax.evaluation import TwoSided, held_out, retrieval
from infomax.objectives import info_nce
from infomax.training import fit
from infomax.training.learner import COLDEST, HOTTEST, Learner
from infomax.training.parts import take
from infomax.training.validation import Validation

QUICK = {"epochs": 4, "batch_size": 32, "learning_rate": 0.03, "progress": False}


def validations(result):
    return [entry for entry in result.history if "validation_bound" in entry]


def test_it_learns_what_the_sides_share(vectors, linear):
    encoder = linear()
    result = fit(vectors, encoder=encoder, epochs=15, batch_size=32, learning_rate=0.03, progress=False)
    assert result.encoder is encoder
    assert not encoder.training
    assert result.history[-1]["loss"] < 0.6 * result.history[0]["loss"]
    assert result.temperature != pytest.approx(0.07, rel=0.02)
    first, *_, last = validations(result)
    assert last["validation_bound"] > first["validation_bound"] > 0
    weight = encoder.weight.detach()
    assert weight[:, :3].norm() > 3 * weight[:, 3:].norm()  # the five private directions are forgotten
    assert result.evaluation.fitted.mrr > result.evaluation.untrained.mrr + 0.2
    assert result.evaluation.readout.side == "lower bound"
    assert result.evaluation.bm25 is None
    assert result.sizes == {"train": 160, "validation": 20, "test": 20}
    assert sum(result.sizes.values()) == result.read.kept
    assert {"read", "split", "tokenise", "train", "evaluate"} <= set(result.seconds)


def test_one_step_lowers_the_loss_of_its_batch(vectors, linear):
    batch = tuple(side[:40] for side in vectors)
    losses = []

    def recording(scores):
        found = info_nce(scores, symmetric=True)
        losses.append(float(found.detach().mean()))
        return found

    quick = QUICK | {"epochs": 6, "batch_size": 40, "learning_rate": 0.003}
    fit(batch, encoder=linear(), objective=recording, validation=0, test=0, warmup=0, **quick)
    assert len(losses) == 6
    assert all(after < before for before, after in pairwise(losses))


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_chunks_change_nothing_but_rounding(vectors, linear, dropout):
    """With dropout the noise of chunks may be other noise, but a repeated run has the same."""
    pairs = tuple(side.double() for side in vectors)
    one, other, third = (nn.Sequential(linear().double(), nn.Dropout(dropout)) for _ in range(3))
    plain = fit(pairs, encoder=(one, one), **QUICK)
    chunked = fit(pairs, encoder=(other, other), chunk=5, **QUICK)
    losses = [[entry["loss"] for entry in result.history] for result in (plain, chunked)]
    if dropout == 0:
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)  # the temperature is float32
    assert chunked.settings["chunk"] == 5
    again = fit(pairs, encoder=(third, third), chunk=5, **QUICK)
    assert [entry["loss"] for entry in again.history] == losses[1]


def test_texts_in_chunks_of_like_length_learn_the_same(texts):
    varied = [(a[: 9 + 7 * i % 30], b[: 50 - 11 * i % 40]) for i, (a, b) in enumerate(texts)]  # sorted differently
    plain, chunked = (fit(varied, chunk=chunk, **QUICK) for chunk in (None, 7))
    for one, other in zip(plain.history, chunked.history, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-4)


def test_texts_need_no_encoder(texts):
    result = fit(texts, **QUICK)
    assert isinstance(result.encoder, StaticTextEncoder)
    assert result.evaluation.bm25.recall[10] > 0.5
    assert result.evaluation.fitted.recall[10] > 0.5
    assert result.history[-1]["loss"] < result.history[0]["loss"]


def test_an_encoder_can_be_made_from_the_training_texts_only(texts):
    seen = []

    def make(column):
        seen.extend(column)
        return StaticTextEncoder.from_texts(seen, dim=16)

    assert fit(texts, encoder=make, **QUICK).encoder.dim == 16
    pairs = read_pairs(texts)
    rows = split_pairs(pairs, validation=0.1, test=0.1, seed=0).train
    assert sorted(seen) == sorted(text for row in rows for text in texts[row])


def test_two_sides_and_shared_parameters(vectors, linear):
    x, y = vectors
    shared = nn.Linear(4, 4)
    pair = (nn.Sequential(linear(), shared), nn.Sequential(nn.Linear(9, 4), shared))
    before = [side[0].weight.detach().clone() for side in pair]
    result = fit((x, torch.cat([y, y[:, :1]], 1)), encoder=pair, **QUICK)
    assert isinstance(result.encoder, TwoSided)
    assert result.encoder.anchor is pair[0]
    assert result.encoder.candidate is pair[1]
    assert all((side[0].weight - was).abs().max() > 1e-4 for side, was in zip(pair, before, strict=True))
    assert result.history[-1]["loss"] < result.history[0]["loss"]


def test_vectors_are_scaled_to_unit_length_unless_told(vectors, linear):
    norms = []

    def recording(scores):
        norms.append(scores.anchors.detach().norm(dim=1))
        return info_nce(scores)

    for normalize in (True, False):
        fit(vectors, encoder=linear(), objective=recording, normalize=normalize, temperature=1.0, **QUICK)
        assert torch.allclose(norms[0], torch.ones(32)) is normalize
        norms.clear()


def test_prefixes_are_trained_along(vectors):
    widths = []

    def recording(scores):
        widths.append(scores.anchors.shape[1])
        assert torch.allclose(scores.anchors.detach().norm(dim=1), torch.ones(len(scores.anchors)))
        return info_nce(scores)

    def hits(width, **options):
        encoder = nn.Linear(8, 8, bias=False)
        with torch.no_grad():
            encoder.weight.copy_(torch.eye(8).flip(0))  # what the sides share starts at the far end
        fit(vectors, encoder=encoder, evaluate=False, **(QUICK | {"epochs": 10}), **options)
        return retrieval(*(nn.functional.normalize(encoder(side)[:, :width].detach()) for side in vectors)).mrr

    assert hits(3, prefixes=[3, 5], objective=recording) > 2 * hits(3)
    assert widths[:6] == [8, 3, 5, 8, 3, 5]
    with pytest.raises(InputError, match="at most 8"):
        hits(3, prefixes=[9])


def test_the_loss_that_is_logged_is_that_of_whole_vectors(vectors, linear):
    said = {}

    def recording(scores):
        losses = info_nce(scores, symmetric=True)
        said[scores.anchors.shape[1]] = losses.mean().item()
        return losses

    options = QUICK | {"epochs": 1, "batch_size": 200}
    result = fit(vectors, encoder=linear(), objective=recording, prefixes=[2], validation=0, test=0, **options)
    assert result.history[0]["loss"] == said[4] != said[2]


def test_the_loss_that_is_learned_is_the_mean_over_prefixes(vectors, linear):
    """Adam takes the same step by a sum as by a mean, so the gradient itself is looked at."""

    def gradient(**options):
        encoder, seen = linear(), []
        encoder.weight.register_hook(lambda grad: seen.append(grad.clone()))
        options |= QUICK | {"epochs": 1, "batch_size": 200}
        fit(vectors, encoder=encoder, validation=0, test=0, learn_temperature=False, **options)
        return seen[0]

    # the mean of one loss twice; the allowance is the rounding of float32 sums of 200 rows of numbers below 1
    assert torch.allclose(gradient(prefixes=[4]), gradient(), atol=1e-7)


def test_the_order_of_batches_is_that_of_the_seed(vectors, linear):
    def first(seed):
        seen = []

        def recording(scores):
            seen.append(scores.anchors.detach()[:, 0].sort().values)
            return info_nce(scores)

        options = QUICK | {"epochs": 1, "validation": 0, "test": 0, "seed": seed}
        fit(vectors, encoder=linear(), objective=recording, **options)
        return seen[0]

    assert torch.equal(first(0), first(0))
    assert not torch.allclose(first(0), first(1))


def test_repeated_items_are_never_each_others_negatives(vectors, linear):
    x, y = (side.clone() for side in vectors)
    x[100:] = x[:100]  # every anchor twice: row i and row i + 100 share an id
    counts = []

    def recording(scores):
        counts.append(scores.counts())
        return info_nce(scores)

    fit((x, y), encoder=linear(), objective=recording, validation=0, test=0, epochs=1, batch_size=200, progress=False)
    assert torch.equal(counts[0], torch.full((200,), 199))


def test_the_temperature_can_be_fixed(vectors, linear):
    assert fit(
        vectors, encoder=linear(), temperature=0.07, learn_temperature=False, **QUICK
    ).temperature == pytest.approx(0.07)


def test_the_temperature_cannot_run_away(vectors, linear):
    result = fit(vectors, encoder=linear(), temperature_learning_rate=50.0, **QUICK)
    assert all(COLDEST * 0.999 <= entry["temperature"] <= HOTTEST * 1.001 for entry in result.history)
    assert {round(entry["temperature"], 4) for entry in result.history} & {COLDEST, HOTTEST}


def test_early_stopping_gives_back_the_best(vectors, linear, monkeypatch):
    bounds, states = iter([1.0, 0.5, 3.0, 2.0, 2.5, 2.9, 9.0]), []

    def scripted(self, learner):
        states.append(learner.encoder.weight.detach().clone())
        bound = next(bounds)
        return {"validation_loss": 5 - bound, "validation_ceiling": 5.0, "validation_bound": bound}

    monkeypatch.setattr(Validation, "__call__", scripted)
    result = fit(vectors, encoder=linear(), patience=3, **(QUICK | {"epochs": 50}))
    assert len(states) == 6  # 2.9 is the third without improvement on 3.0
    assert torch.equal(result.encoder.weight, states[2])
    assert not torch.equal(states[2], states[5])
    assert not result.interrupted


def test_without_patience_all_epochs_run_and_the_best_still_comes_back(vectors, linear, monkeypatch):
    states = []

    def worse_and_worse(self, learner):
        states.append(learner.encoder.weight.detach().clone())
        return {"validation_loss": 1.0, "validation_ceiling": 5.0, "validation_bound": -float(len(states))}

    monkeypatch.setattr(Validation, "__call__", worse_and_worse)
    result = fit(vectors, encoder=linear(), patience=None, **QUICK)
    assert len(states) == QUICK["epochs"]
    assert torch.equal(result.encoder.weight, states[0])


def test_validation_has_a_fixed_number_of_candidates(vectors, linear):
    for batch_size in (16, 64):
        result = fit(
            vectors, encoder=linear(), epochs=1, batch_size=batch_size, validation_candidates=6, progress=False
        )
        (entry,) = validations(result)
        assert entry["validation_ceiling"] == pytest.approx(log(6))
        assert entry["validation_bound"] == pytest.approx(log(6) - entry["validation_loss"])
    many = fit(vectors, encoder=linear(), epochs=1, batch_size=64, validation_candidates=5000, progress=False)
    assert validations(many)[0]["validation_ceiling"] == pytest.approx(log(20))


def test_validation_is_info_nce_over_fixed_blocks(vectors, linear):
    pairs = read_pairs(vectors)
    validation = Validation(pairs, 60, normalize=True, seed=0)
    assert [len(rows) for rows in validation.blocks] == [60, 60, 60]
    assert len(np.unique(np.concatenate(validation.blocks))) == 180
    learner = Learner(linear(), 0.2)
    a, c = (nn.functional.normalize(learner.encoder(v), dim=1).double() for v in vectors)
    losses = []
    for rows in validation.blocks:
        scores = a[rows] @ c[rows].T / 0.2
        losses += [((scores.logsumexp(dim) - scores.diag()).mean()).item() for dim in (0, 1)]
    assert validation(learner)["validation_loss"] == pytest.approx(np.mean(losses), abs=1e-5)


def test_blocks_of_the_validation_are_those_of_the_seed(vectors):
    one, same, other = (Validation(read_pairs(vectors), 60, normalize=True, seed=seed).blocks for seed in (3, 3, 4))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_validation_is_of_vectors_as_they_are_where_they_are_not_scaled(vectors, linear):
    learner = Learner(linear(), 1.0)
    a, c = (learner.encoder(side).double() for side in vectors)
    scores = a @ c.T
    loss = sum((scores.logsumexp(dim) - scores.diag()).mean().item() for dim in (0, 1)) / 2
    found = Validation(read_pairs(vectors), 200, normalize=False, seed=0)(learner)
    assert found["validation_loss"] == pytest.approx(loss, abs=1e-5)  # float32 scores


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 0.5, "learn_temperature": False, "seed": 3},
        {"temperature": 1.0, "learn_temperature": False, "normalize": False},
    ],
)
def test_the_report_is_at_the_temperature_seed_and_scale_of_the_run(vectors, linear, options):
    result = fit(vectors, encoder=linear(), test=0.5, **options, **QUICK)
    pairs, seed = read_pairs(vectors), options.get("seed", 0)
    rows = split_pairs(pairs, validation=0.1, test=0.5, seed=seed).test
    again = held_out.evaluate(
        result.encoder,
        take(pairs, rows),
        temperature=options["temperature"],
        normalize=options.get("normalize", True),
        seed=seed,
    )
    assert result.evaluation.readout.bound == pytest.approx(again.readout.bound)
    assert result.evaluation.positive_scores == pytest.approx(again.positive_scores)


def test_validations_within_an_epoch(vectors, linear):
    result = fit(
        vectors, encoder=linear(), epochs=2, batch_size=16, validations_per_epoch=3, patience=None, progress=False
    )
    assert [entry["step"] for entry in validations(result)] == [4, 7, 10, 14, 17, 20]
    assert [entry["epoch"] for entry in validations(result)] == pytest.approx([0.4, 0.7, 1.0, 1.4, 1.7, 2.0])


def test_history_tells_loss_score_rate_and_temperature(vectors, linear):
    result = fit(vectors, encoder=linear(), warmup=0.5, **QUICK)
    rates = [entry["learning_rate"] for entry in result.history]
    assert max(rates) == pytest.approx(0.03)
    assert rates[0] == pytest.approx(0.003)
    assert rates[-1] < 0.003
    for entry in result.history:
        assert entry["loss"] + entry["score"] == pytest.approx(log(32))
    custom = fit(vectors, encoder=linear(), objective=lambda scores: info_nce(scores) * 2, **QUICK)
    assert not any("score" in entry for entry in custom.history)
    assert not any("bound" in entry for entry in result.history)  # of pairs that are learned from


@pytest.mark.parametrize("make", [None, partial(StaticTextEncoder.from_texts, dim=16, token_dropout=0.3)])
def test_equal_seeds_end_equal_and_others_do_not(texts, make):
    torch.manual_seed(123)
    before = torch.get_rng_state()
    one, two, other = (fit(texts, encoder=make, seed=seed, **QUICK) for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(one.encoder.parameters(), two.encoder.parameters(), strict=True))
    assert one.temperature == two.temperature
    assert one.evaluation == two.evaluation
    assert one.temperature != other.temperature
    assert torch.equal(before, torch.get_rng_state())  # the user's generator is as it was


def test_weight_decay_shrinks_matrices_only(vectors, linear):
    def sizes(decay):
        encoder = linear()
        with torch.no_grad():
            encoder.bias.fill_(1.0)
        # a constant objective has no gradient, so only decay moves anything
        fit(
            vectors,
            encoder=encoder,
            objective=lambda s: s.positive() * 0,
            weight_decay=decay,
            validation=0,
            test=0,
            **QUICK,
        )
        return float(encoder.weight.detach().norm()), float(encoder.bias.detach().norm())

    plain, decayed = sizes(0.0), sizes(1.0)
    assert decayed[0] < 0.9 * plain[0]
    assert decayed[1] == plain[1] == pytest.approx(2.0)


def test_without_shares_there_is_no_early_stop_and_no_report(vectors, linear):
    result = fit(vectors, encoder=linear(), validation=0, test=0, **QUICK)
    assert result.evaluation is None
    assert result.sizes == {"train": 200, "validation": 0, "test": 0}
    assert validations(result) == []
    assert len(result.warnings) == 2
    assert fit(vectors, encoder=linear(), evaluate=False, **QUICK).evaluation is None


def test_one_pair_held_out_is_too_few_and_said(texts):
    result = fit(texts[:10], encoder=partial(StaticTextEncoder.from_texts, dim=4), **QUICK)
    assert result.sizes == {"train": 8, "validation": 1, "test": 1}
    assert [warning[:22] for warning in result.warnings] == ["One pair is too few to"] * 2


@pytest.mark.parametrize("n", [2, 3, 5, 10, 20, 50])
def test_very_few_pairs_work_or_are_refused_in_a_sentence(vectors, linear, n):
    few = tuple(side[:n] for side in vectors)
    if n < 5:
        with pytest.raises(InputError, match=f"{n} pairs"):
            fit(few, encoder=linear(), **QUICK)
    shares = {"validation": 0, "test": 0} if n < 5 else {}
    result = fit(few, encoder=linear(), **shares, **QUICK)
    assert all(np.isfinite(entry["loss"]) for entry in result.history)


def test_a_row_alone_in_its_batch_is_dropped_and_said(vectors, linear):
    few = tuple(side[:3] for side in vectors)
    result = fit(few, encoder=linear(), validation=0, test=0, epochs=3, batch_size=2, progress=False)
    assert any("3 batches were left out" in warning for warning in result.warnings)
    assert result.history[-1]["step"] == 3


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([("only one pair here", "and nothing to tell it from")], "pair"),
        ([("same anchor", "same candidate")] * 20, "."),
        ([("same anchor", f"another candidate {i}") for i in range(20)], "."),
    ],
)
def test_pairs_that_cannot_be_told_apart_are_refused(pairs, words):
    with pytest.raises(InputError, match=words):
        fit(pairs, **QUICK)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"encoder": None}, "not texts"),
        ({"encoder": "bert"}, "There is no folder bert"),
        ({"encoder": nn.Identity()}, "nothing to learn"),
        ({"batch_size": 1}, "batch_size"),
        ({"resume": True}, "out="),
        ({"tensorboard": True}, "out="),
    ],
)
def test_settings_that_cannot_work_are_said(vectors, linear, arguments, words):
    with pytest.raises(InputError, match=words):
        fit(vectors, **({"encoder": linear()} | QUICK | arguments))


def test_steps_are_taken_in_training_mode_and_judged_in_evaluation_mode(vectors):
    modes = []

    class Noting(nn.Linear):
        def forward(self, x):
            modes.append((self.training, torch.is_grad_enabled()))
            return super().forward(x)

    fit(vectors, encoder=Noting(8, 4).eval(), epochs=1, batch_size=160, evaluate=False, progress=False)
    assert modes == [(True, True)] * 2 + [(False, False)] * 2


def test_numbers_come_to_the_encoder_in_its_own_dtype(linear):
    """numpy's numbers are float64, an encoder's float32; of another width, they are refused in a sentence."""
    numbers = np.random.default_rng(0).normal(size=(200, 3))
    assert fit((numbers, numbers), encoder=nn.Linear(3, 4), **QUICK).encoder.weight.dtype == torch.float32
    with pytest.raises(InputError, match=r"does not take rows of shape \(\d+, 3\)"):
        fit((numbers, numbers), encoder=linear(), **QUICK)
