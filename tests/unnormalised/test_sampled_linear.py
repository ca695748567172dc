"""`SampledLinear`: an `nn.Linear` whose loss is sampled and whose readings are exact."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from infomax.candidates import Everything, Inclusion, Uniform, Unigram
from infomax.errors import InputError
from infomax.unnormalised import SampledLinear

D, V, N = 6, 50, 12
RNG = torch.Generator().manual_seed(0)
HIDDEN = torch.randn(N, D, generator=RNG, dtype=torch.float64)
TARGETS = torch.randint(V, (N,), generator=RNG)
WEIGHTS = torch.rand(V, generator=RNG, dtype=torch.float64) + 0.5


def layer(**options) -> SampledLinear:
    torch.manual_seed(3)
    return SampledLinear(D, V, dtype=torch.float64, **{"draws": 20, "sparse": False, **options})


def test_parameters_and_state_are_those_of_a_linear_layer():
    plain = nn.Linear(D, V, dtype=torch.float64)
    ours = layer()
    ours.load_state_dict(plain.state_dict(), strict=True)
    torch.testing.assert_close(ours(HIDDEN), plain(HIDDEN))
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in plain.named_parameters()]
    assert list(layer(bias=False).state_dict()) == ["weight"]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
def test_all_classes_as_candidates_are_torchs_cross_entropy(reduction, weighted):
    full = layer(noise=Everything(V))
    weight = WEIGHTS if weighted else None
    targets = TARGETS.clone()
    targets[[1, 5]] = -100
    want = cross_entropy(full(HIDDEN), targets, weight=weight, reduction=reduction)
    for got in (f(HIDDEN, targets, weight=weight, reduction=reduction) for f in (full.loss, full.exact_loss)):
        torch.testing.assert_close(got, want)
        parameters = list(full.parameters())
        ours = torch.autograd.grad(got.sum(), parameters, retain_graph=True)
        for a, b in zip(ours, torch.autograd.grad(want.sum(), parameters, retain_graph=True), strict=True):
            torch.testing.assert_close(a, b, atol=1e-10, rtol=1e-8)


@pytest.mark.parametrize("smoothing", [0.1, 0.7])
def test_smoothed_labels_are_torchs(smoothing):
    ours = layer()
    want = cross_entropy(ours(HIDDEN), TARGETS, label_smoothing=smoothing)
    got = ours.exact_loss(HIDDEN, TARGETS, label_smoothing=smoothing)
    torch.testing.assert_close(got, want)
    for a, b in zip(*(torch.autograd.grad(x, list(ours.parameters())) for x in (got, want)), strict=True):
        torch.testing.assert_close(a, b, atol=1e-10, rtol=1e-8)


def test_readings_are_exact():
    ours = layer()
    logits = ours(HIDDEN).detach()
    log_z = logits.logsumexp(1)
    read = ours.read(HIDDEN, TARGETS)
    assert read.cross_entropy == pytest.approx(float(cross_entropy(logits, TARGETS)))
    assert read.perplexity == pytest.approx(float(cross_entropy(logits, TARGETS).exp()))
    assert read.log_normaliser == pytest.approx(float(log_z.mean()))
    assert read.log_normaliser_spread == pytest.approx(float(log_z.std(correction=0)))
    torch.testing.assert_close(ours.log_normaliser(HIDDEN.view(3, 4, D)), log_z.view(3, 4))
    want = logits.log_softmax(1)
    torch.testing.assert_close(ours.log_prob(HIDDEN, TARGETS), want[torch.arange(N), TARGETS])
    values, classes = ours.topk(HIDDEN.view(3, 4, D), 5)
    top = want.topk(5)
    torch.testing.assert_close(values.view(N, 5), top.values)
    assert torch.equal(classes.view(N, 5), top.indices)


@pytest.mark.parametrize("objective", ["ranking", "nce"])
def test_sparse_gradients_are_the_dense_ones_and_touch_the_rows_of_the_batch(objective):
    noise = Unigram(torch.arange(1, V + 1))
    found = {}
    for sparse in (False, True):
        ours = layer(noise=noise, draws=4, objective=objective, sparse=sparse, seed=5)
        ours.loss(HIDDEN[:3], TARGETS[:3]).backward()
        found[sparse] = [p.grad for p in ours.parameters()]
    for dense, sparse in zip(found[False], found[True], strict=True):
        assert sparse.is_sparse
        torch.testing.assert_close(sparse.to_dense(), dense)
        assert len(sparse.coalesce().indices()[0]) <= 3 + 4


def test_a_lazy_step_with_a_tied_embedding_moves_the_touched_rows_only():
    from infomax.training.optimizer import LazyAdam

    ours = layer(draws=4, sparse=True, bias=False)
    words = nn.Embedding(V, D, sparse=True, dtype=torch.float64)
    words.weight = ours.weight
    before = ours.weight.detach().clone()
    contexts = torch.tensor([7, 8, 9])
    ours.loss(words(contexts), TARGETS[:3]).backward()
    LazyAdam([ours.weight], lr=0.1).step()
    moved = (ours.weight.detach() != before).any(1).nonzero().squeeze(1)
    touched = (
        set(contexts.tolist())
        | set(TARGETS[:3].tolist())
        | set(layer(draws=4).noise.draw(4, torch.Generator().manual_seed(0)).ids.tolist())
    )
    assert set(moved.tolist()) == touched


def test_the_generator_resumes_the_draws():
    ours = layer()
    ours.loss(HIDDEN, TARGETS)
    state = ours.rng.get_state()
    first = ours.loss(HIDDEN, TARGETS)
    second = ours.loss(HIDDEN, TARGETS)
    ours.rng.set_state(state)
    assert torch.equal(ours.loss(HIDDEN, TARGETS), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("noise", [Uniform(V), Unigram(torch.arange(1, V + 1)), Inclusion(Uniform(V))])
def test_learned_by_ranking_the_layer_is_the_law(noise):
    """One context, a law over 50 classes: the exact cross-entropy comes near the entropy, whatever the noise."""
    law = torch.softmax(torch.randn(V, generator=torch.Generator().manual_seed(1), dtype=torch.float64), 0)
    ours, context, every = layer(noise=noise, draws=25), torch.ones(V, D, dtype=torch.float64), torch.arange(V)
    optimizer, tail = torch.optim.Adam(ours.parameters(), lr=0.02), []
    for step in range(300):
        optimizer.zero_grad()
        ours.loss(context, every, weight=law).backward()  # exact over the data: only the noise is drawn
        optimizer.step()
        if step >= 150:  # the mean of the path forgets the noise of single steps
            tail.append(ours(context[0]).detach())
    model = torch.stack(tail).mean(0).log_softmax(0)
    assert (
        float((law * (law.log() - model)).sum()) < 0.04
    )  # nats; 0.4 at the start, 0.3 where noise is not corrected for


def test_nce_learns_scores_that_are_log_probabilities():
    law = torch.softmax(torch.randn(V, generator=torch.Generator().manual_seed(1), dtype=torch.float64), 0)
    rng, ours = torch.Generator().manual_seed(2), layer(draws=50, objective="nce")
    context = torch.ones(256, D, dtype=torch.float64)
    optimizer = torch.optim.Adam(ours.parameters(), lr=0.05)
    for step in range(300):
        optimizer.param_groups[0]["lr"] = 0.05 * (1 - step / 300)
        optimizer.zero_grad()
        ours.loss(context, torch.multinomial(law, 256, replacement=True, generator=rng)).backward()
        optimizer.step()
    read = ours.read(context, torch.multinomial(law, 256, replacement=True, generator=rng))
    assert abs(read.log_normaliser) < 0.05
    assert read.log_normaliser_spread < 1e-9


def test_reading_keeps_a_few_tiles():
    """65,536 classes, 512 contexts: the matrix of logits would be 128 MiB; streamed, no tensor of a tenth of it is made."""
    from torch.utils._python_dispatch import TorchDispatchMode

    largest = 0

    class Largest(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            nonlocal largest
            out = func(*args, **(kwargs or {}))
            for x in out if isinstance(out, tuple | list) else (out,):
                if isinstance(x, torch.Tensor):
                    largest = max(largest, x.nelement() * x.element_size())
            return out

    ours = SampledLinear(8, 65_536)
    hidden, targets = torch.randn(512, 8), torch.arange(512)
    ours.read(hidden, targets)  # the first call measures which product is fast
    with Largest():
        ours.read(hidden, targets)
    assert largest < 512 * 65_536 * 4 / 10


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: layer(noise=Uniform(V + 1)), "51 classes, the layer 50"),
        (
            lambda: layer(objective="softmax"),
            "must be one of 'ranking', 'nce', 'negative-sampling', 'mle'; got 'softmax'",
        ),
        (lambda: layer(draws=0), "draws must be at least 1"),
        (lambda: layer().loss(HIDDEN, TARGETS, label_smoothing=0.1), "label_smoothing puts mass on classes"),
        (lambda: layer().loss(HIDDEN, TARGETS + V), "from 0 to 49; got"),
        (lambda: layer().loss(HIDDEN, TARGETS[:3]), r"integer tensor \(12,\); got torch.int64 \(3,\)"),
        (lambda: layer().loss(HIDDEN[:, :3], TARGETS), r"hidden must be a tensor \(..., 6\); got \(12, 3\)"),
        (lambda: layer().loss(HIDDEN, TARGETS.double()), "integer tensor"),
        (lambda: layer().loss(HIDDEN, torch.full((N,), -100)), "no target is left"),
        (lambda: layer().loss(HIDDEN, TARGETS, reduction="average"), "'mean', 'sum' or 'none'; got 'average'"),
        (lambda: layer().loss(HIDDEN, TARGETS, weight=WEIGHTS[:3]), r"weight must be a tensor \(50,\)"),
        (lambda: layer().loss(HIDDEN * float("nan"), TARGETS), "NaN"),
        (lambda: layer().exact_loss(HIDDEN, TARGETS, label_smoothing=1.0), r"must lie in \[0, 1\)"),
        (lambda: layer().topk(HIDDEN, V + 1), "from 1 to the 50 classes; got 51"),
    ],
)
def test_bad_input(make, match):
    with pytest.raises(InputError, match=match):
        make()
