"""Fitting: known entropies are reached, losses start at their anchors, bad input is refused."""

import json
from dataclasses import replace
from math import exp, isfinite

import numpy as np
import pytest
import torch

from infomax.errors import InfomaxError, InputError
from infomax.language import LanguageModel, NGramModel, fit_language_model
from infomax.language.anchors import anchors
from infomax.language.begin import noise_of, task_for
from infomax.language.end import _cautions, counted
from infomax.language.settings import LanguageSettings
from infomax.language.task import LanguageState, clip, corrected
from infomax.training.outcome import _strict
from infomax.unnormalised import ExactReading, SampledLinear

QUICK = {"dim": 12, "epochs": 1, "batch_size": 4, "unroll": 10, "dropout": 0.0, "noise_draws": 5, "progress": False}
LEARN = {
    "model": "log-bilinear", "context": 1, "tied": False, "dim": 12, "epochs": 5, "batch_size": 800, "dropout": 0.0,
    "learning_rate": 0.1, "noise_draws": 10, "patience": None, "progress": False,
}  # fmt: skip


def settings(**changes):
    plain = {
        "model": "lstm", "objective": "nce", "noise": "unigram", "noise_draws": 5, "alpha": 1.0, "log_normaliser": 0.0,
        "shared": True, "dim": 12, "layers": 1, "context": 3, "order": 3, "dropout": 0.0, "tied": False, "epochs": 1,
        "batch_size": 4, "unroll": 10, "learning_rate": 0.003, "warmup": 0.0, "clip": 1.0, "patience": None,
        "validations_per_epoch": 1, "seed": 0, "sparse": False,
    }  # fmt: skip
    return LanguageSettings(**(plain | changes))


@pytest.mark.parametrize(
    "objective",
    [
        {"objective": "mle"},
        {"objective": "nce", "log_normaliser": 2.0},
        {"objective": "nce", "log_normaliser": "context", "shared": False},
        {"objective": "nce", "noise": "ngram", "order": 2},
        {"objective": "ranking", "alpha": 0.75},
    ],
    ids=lambda o: " ".join(map(str, o.values())),
)
def test_every_objective_reaches_the_entropy_of_a_markov_chain(chain, objective):
    found = fit_language_model(chain.corpus, **(LEARN | objective))
    fitted = (11 * 12) / (2 * 20_000)  # nats that estimating 12 laws of 11 free numbers costs, on average
    error = chain.standard_error()
    assert abs(found.test.cross_entropy - chain.entropy_rate - fitted) < 4 * error
    assert found.test.perplexity == pytest.approx(exp(found.test.cross_entropy))
    if found.settings["objective"] == "nce":  # its scores are log-probabilities
        assert abs(found.test.log_normaliser) < 0.1
        assert found.test.log_normaliser_spread < 0.1


def test_an_lstm_learns_it_too(chain):
    run = {"tied": False, "epochs": 3, "batch_size": 20, "unroll": 20, "learning_rate": 0.05, "noise_draws": 10}
    found = fit_language_model(chain.corpus, **(QUICK | run), objective="ranking")
    to_learn = found.anchors["unigram"] - chain.entropy_rate
    assert found.test.cross_entropy - chain.entropy_rate < 0.5 * to_learn
    assert found.baseline.cross_entropy - chain.entropy_rate < 0.25 * to_learn


def test_negative_sampling_is_nce_of_scores_with_log_kq_added(chain):
    one, other = (
        fit_language_model(chain.corpus, **(LEARN | {"epochs": 1, "objective": name}))
        for name in ("nce", "negative-sampling")
    )
    for a, b in zip(one.model.parameters(), other.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=2e-3, rtol=2e-3)  # float32, by another order of sums
    assert one.test.perplexity == pytest.approx(other.test.perplexity, rel=1e-3)
    assert one.history[0]["loss"] == pytest.approx(other.history[0]["loss"], rel=1e-4)
    assert one.uncorrected is None
    q = torch.from_numpy(np.log(chain.corpus.counts / chain.corpus.counts.sum() * 10))
    logits = _logits(other.model, chain.corpus.test) - q
    nats = -logits.log_softmax(1).gather(1, _targets(chain.corpus.test))
    assert other.uncorrected.cross_entropy == pytest.approx(float(nats.mean()), rel=1e-4)
    assert other.uncorrected.perplexity > 1.02 * other.test.perplexity
    assert any("pointwise mutual information" in warning for warning in other.warnings)


def _targets(ids):
    return torch.from_numpy(ids.astype(np.int64))[:, None]


@torch.no_grad()
def _logits(model, ids):
    tokens = torch.from_numpy(np.concatenate([[model.vocabulary.end], ids[:-1]]).astype(np.int64))
    return model.head(model.network(tokens[None])[0][0]).double()


@pytest.mark.parametrize("objective", ["mle", "nce", "ranking", "negative-sampling"])
@pytest.mark.parametrize("model", ["lstm", "log-bilinear"])
def test_the_loss_starts_at_its_anchor(chain, objective, model):
    corpus = chain.corpus
    many = {"batch_size": 500} if model == "log-bilinear" else {"batch_size": 20, "unroll": 35}
    found = fit_language_model(
        corpus, **(QUICK | many | {"model": model, "objective": objective, "learning_rate": 1e-6})
    )
    start = found.anchors["loss"] if objective != "mle" else found.anchors["unigram"]
    mean = np.mean([entry["loss"] for entry in found.history])
    assert mean == pytest.approx(start, abs=0.03)
    assert found.history[0]["validation_loss" if "validation_loss" in found.history[0] else "loss"] > 0
    assert found.validation.cross_entropy == pytest.approx(found.anchors["unigram"], abs=0.05)


def test_anchors_are_the_losses_of_knowing_nothing():
    counts = np.array([4, 2, 2, 0])
    found = anchors("nce", 7, counts)
    assert found["unigram"] == pytest.approx(1.5 * np.log(2))
    assert found["uniform"] == pytest.approx(np.log(4))
    sigma = 1 / (1 + 7)  # the posterior of data where model and noise agree
    assert found["loss"] == pytest.approx(-np.log(sigma) - 7 * np.log(1 - sigma))
    assert anchors("negative-sampling", 7, counts) == found
    assert anchors("ranking", 7, counts)["loss"] == pytest.approx(np.log(8))
    assert anchors("mle", 7, counts)["loss"] == pytest.approx(np.log(4))


def test_the_power_of_the_counts_is_that_of_the_noise(small):
    for alpha in (0.0, 0.5, 1.0):
        law = noise_of(small, settings(alpha=alpha), None).log_q(torch.arange(12)).exp().numpy()
        want = np.where(small.counts > 0, small.counts.astype(float) ** alpha, 0.0)
        assert law == pytest.approx(want / want.sum(), rel=1e-9)


@pytest.mark.parametrize("model", ["lstm", "log-bilinear"])
def test_dropout_is_on_while_a_run_learns(small, model):
    """The first step of two runs that begin with the same parameters."""
    run = QUICK | {"model": model, "objective": "mle", "batch_size": 10}
    plain, dropped = (fit_language_model(small, **(run | {"dropout": dropout})) for dropout in (0.0, 0.5))
    assert plain.history[0]["loss"] != dropped.history[0]["loss"]


@pytest.mark.parametrize("model", ["lstm", "log-bilinear"])
def test_ngram_noise_looks_back_on_the_words_before_each_target(small, model):
    wanted = settings(model=model, noise="ngram", order=3)
    ngram = counted(small, 3)
    task = task_for(small, wanted, ngram)
    words = [-1, -1, *small.train.tolist()]  # words before a place p stand at p, p + 1
    nats = []
    for number in task.batches(0):
        data = task.feed.batch(0, number)
        contexts = task._contexts(data)
        assert contexts.shape == (*data.targets.shape, 2)
        for place, context in zip(data.places.ravel().tolist(), contexts.view(-1, 2).tolist(), strict=True):
            before = words[place + 1 : place + 3]
            assert context == [small.vocabulary.end if place == 0 else before[0], before[1]]
        nats.append(-ngram.log_prob(contexts.flatten(0, 1), data.targets.flatten()))
    told = torch.cat(nats)
    read = NGramModel(small.vocabulary, ngram).evaluate(small.train)
    first = -float(ngram.log_probs(torch.tensor([[-1, small.vocabulary.end]]))[0, small.train[0]])
    rest = read.cross_entropy * read.n - first
    assert float(told.sum()) == pytest.approx(rest, abs=3 * (400 - 1 - len(told)) + 1e-6)


def test_gradients_are_clipped_as_torch_clips_them(small):
    found = []
    for sparse in (False, True):
        torch.manual_seed(0)
        table = torch.nn.Embedding(9, 4, sparse=sparse)
        scale = torch.nn.Parameter(torch.ones(4))
        (table(torch.tensor([1, 1, 5])) * scale).square().sum().backward()
        parameters = [table.weight, scale]
        if sparse:
            clip(parameters, 0.5)
        else:
            torch.nn.utils.clip_grad_norm_(parameters, 0.5)
        found.append([p.grad.to_dense() for p in parameters])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-7)
    before = found[1][0].clone()
    clip(parameters, 0.51)
    torch.testing.assert_close(parameters[0].grad.to_dense(), before)


def test_the_best_model_comes_back_and_patience_ends_a_run(small):
    hard = QUICK | {"objective": "mle", "epochs": 40, "learning_rate": 1.0, "patience": 2, "clip": None}
    found = fit_language_model(small, **hard)
    looks = [entry["validation_loss"] for entry in found.history if "validation_loss" in entry]
    assert len(looks) < 40
    assert looks.index(min(looks)) == len(looks) - 3
    assert found.model.evaluate(small.validation).cross_entropy == pytest.approx(min(looks), rel=1e-9)


def test_carried_state_is_that_of_the_tokens_before(small):
    task = task_for(small, settings(objective="mle", learning_rate=1e-30), None)
    state, ids = LanguageState(), small.train
    for number in range(3):
        task.step(state, number)
        state.step += 1
    length = (len(ids) - 1) // 4
    tokens = np.stack([ids[length * b : length * b + 30] for b in range(4)])
    _, want = task.learner.network(torch.from_numpy(tokens.astype(np.int64)))
    for a, b in zip(state.carried, want, strict=True):
        torch.testing.assert_close(a, b)
    task.step(state, 0)  # an epoch starts with no memory
    _, want = task.learner.network(torch.from_numpy(tokens[:, :10].astype(np.int64)))
    torch.testing.assert_close(state.carried[0], want[0])


def test_information_kept_is_the_mean_weight_of_the_data(small):
    found = fit_language_model(small, **QUICK, objective="ranking")
    p = _logits(found.model, small.validation).log_softmax(1).gather(1, _targets(small.validation))[:, 0].exp()
    q = torch.from_numpy(small.counts / small.counts.sum())[_targets(small.validation)[:, 0]]
    for k, share in found.information_kept.items():
        assert share == pytest.approx(float((k * q / (p + k * q)).mean()), rel=1e-4)
    assert list(found.information_kept) == sorted(found.information_kept)
    near = fit_language_model(small, **QUICK, objective="nce", noise="ngram")
    assert all(isfinite(share) and 0 < share < 1 for share in near.information_kept.values())


def test_a_result_is_plain_data_and_says_what_it_is(small, tmp_path):
    former = torch.get_rng_state()
    found = fit_language_model(small, **QUICK, objective="nce", out=tmp_path / "run")
    assert torch.equal(torch.get_rng_state(), former)
    told = json.loads((tmp_path / "run" / "result.json").read_text())
    assert told == json.loads(json.dumps(_strict(found.to_dict()))) | {"seconds": told["seconds"]}
    assert told["test"]["n"] == told["sizes"]["test"] == 150
    assert told["anchors"]["loss"] == pytest.approx(found.anchors["loss"])
    last = [entry for entry in found.history if "validation_loss" in entry][-1]
    assert set(last) == {
        "step", "epoch", "seconds", "loss", "learning_rate", "validation_loss", "validation_perplexity",
        "log_normaliser", "log_normaliser_spread",
    }  # fmt: skip
    assert last["validation_perplexity"] == pytest.approx(exp(last["validation_loss"]))


def test_counting_is_fitting_too(small, tmp_path):
    found = fit_language_model(small, model="ngram", order=2, out=tmp_path, progress=False)
    assert isinstance(found.model, NGramModel)
    assert found.model.ngram.order == 2
    assert found.test == found.baseline == NGramModel.load(tmp_path / "model").evaluate(small.test)
    assert (found.history, found.information_kept, found.interrupted) == ([], {}, False)
    assert found.anchors["loss"] == found.anchors["uniform"]


def test_parts_may_be_empty(vocabulary, small):

    none = np.zeros(0, dtype=np.int32)
    found = fit_language_model(replace(small, validation=none, test=none), **QUICK)
    assert (found.validation, found.test, found.baseline, dict(found.information_kept)) == (None, None, None, {})
    assert any("no perplexity" in warning for warning in found.warnings)
    found = fit_language_model(replace(small, test=none), **QUICK)
    assert found.test is None
    assert found.baseline.n == found.validation.n == 150


def test_cautions_of_nce_are_of_its_normaliser(small):
    fresh = fit_language_model(small, **(QUICK | {"objective": "nce", "log_normaliser": 3.0}))
    assert fresh.test.log_normaliser == pytest.approx(0, abs=0.3)  # of scores less the 3 that they are held at
    assert not fresh.warnings
    far = LEARN | {"objective": "nce", "learning_rate": 10.0, "noise_draws": 1, "epochs": 1, "noise": "uniform"}
    found = fit_language_model(small, **(far | {"batch_size": 20}))
    assert abs(found.test.log_normaliser) > 0.5 or found.test.log_normaliser_spread > 0.5
    assert any("scores are not log-probabilities" in warning for warning in found.warnings)


@pytest.mark.parametrize(("mean", "spread", "said"), [(0, 0, 0), (0.6, 0, 1), (-0.6, 0, 1), (0, 0.6, 1), (0.4, 0.4, 0)])
def test_a_normaliser_off_in_mean_or_spread_is_named(small, mean, spread, said):
    wanted = settings(objective="nce")
    read = ExactReading(1.0, exp(1.0), float(mean), float(spread), 150)
    assert len(_cautions(wanted, task_for(small, wanted, None), read, None)) == said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"noise_draws": 0}, "noise_draws must be a whole number of at least 1, got 0"),
        ({"noise_draws": 13}, "noise_draws=13 is above the vocabulary's 12 words: then objective='mle'"),
        ({"model": "oracle"}, "model must be one of 'lstm', 'log-bilinear', 'ngram'"),
        ({"objective": "guess"}, "objective must be one of"),
        ({"noise": "pink"}, "noise must be one of"),
        ({"alpha": -0.1}, "alpha must be"),
        ({"alpha": float("nan")}, "alpha must be"),
        ({"log_normaliser": "free"}, "log_normaliser must be a finite number, 'learned' or 'context'"),
        ({"log_normaliser": float("inf")}, "log_normaliser must be a finite number"),
        ({"objective": "ranking", "log_normaliser": 1.0}, "belongs to objective='nce'"),
        ({"objective": "negative-sampling", "noise": "ngram"}, "differs from context to context"),
        ({"dropout": 1.0}, "dropout must be"),
        ({"epochs": 1.5}, "epochs must be a whole number"),
        ({"dim": 0}, "dim must be"),
        ({"learning_rate": 0.0}, "learning_rate must be"),
        ({"clip": 0.0}, "clip must be"),
        ({"patience": 0}, "patience must be"),
        ({"batch_size": 600}, "too few for batches of 600"),
        ({"resume": True}, "resume, overwrite and tensorboard are about files"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_right_are_refused(small, changes, words):
    with pytest.raises(InputError, match=words):
        fit_language_model(small, **(QUICK | {"objective": "nce"} | changes))


def test_corpora_that_cannot_be_learned_from_are_refused(small, vocabulary, tmp_path):

    one = np.full(300, 3, dtype=np.int32)
    with pytest.raises(InputError, match="1 different words"):
        fit_language_model(replace(small, train=one, counts=np.bincount(one, minlength=12)), **QUICK)
    with pytest.raises(InputError, match="0 different words"):
        fit_language_model(replace(small, train=one[:0], counts=np.zeros(12, dtype=np.int64)), **QUICK)
    with pytest.raises(InputError, match="counts 400 tokens"):
        fit_language_model(replace(small, train=one), **QUICK)
    with pytest.raises(InputError, match="must be a TokenCorpus, got str"):
        fit_language_model("corpus.txt", **QUICK)
    assert not list(tmp_path.iterdir())


def test_words_that_never_occur_cost_nothing_to_noise(vocabulary, small):
    """Counts of 0 are never drawn by unigram noise, and are no targets of the training part: held-out text may hold them."""

    train = np.where(small.train == 5, 3, small.train)
    corpus = replace(small, train=train, counts=np.bincount(train, minlength=12))
    assert 5 in corpus.test
    for objective in ("nce", "ranking", "negative-sampling", "mle"):
        found = fit_language_model(corpus, **QUICK, objective=objective)
        assert isfinite(found.test.perplexity)
        assert isfinite(found.test.perplexity if found.uncorrected is None else found.uncorrected.perplexity)
        assert all(isfinite(share) for share in found.information_kept.values())


@pytest.mark.parametrize("broken", ["loss", "gradient"])
def test_what_is_not_finite_stops_a_run_with_a_remedy(small, monkeypatch, broken):
    loss, calls = SampledLinear.loss, []

    def breaking(head, hidden, targets, **options):
        calls.append(1)
        if len(calls) == 5 and broken == "gradient":
            hidden.register_hook(lambda gradient: gradient * float("nan"))
        return loss(head, hidden, targets, **options) * (float("nan") if len(calls) == 5 and broken == "loss" else 1)

    monkeypatch.setattr(SampledLinear, "loss", breaking)
    with pytest.raises(InfomaxError, match=rf"{broken} became nan at step 5; lower learning_rate \(now 0\.003\)"):
        fit_language_model(small, **QUICK, objective="nce")


def test_a_correction_is_put_back_to_the_last_bit(model):
    former = model.head.bias.detach().clone()
    added = torch.full_like(former, 0.1)
    with corrected(model, added):
        assert torch.equal(model.head.bias, former + added)
    assert torch.equal(model.head.bias, former)
    assert isinstance(model, LanguageModel)
