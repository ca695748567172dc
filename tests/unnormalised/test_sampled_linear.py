"""`SampledLinear`: an `nn.Linear` whose loss is sampled and whose readings are exact."""

from __future__ import annotations

from itertools import accumulate

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy, logsigmoid
from torch.profiler import ProfilerActivity, profile

from infomax.candidates import Everything, Inclusion, NGram, Uniform, Unigram
from infomax.errors import InputError
from infomax.training import LazyAdam
from infomax.unnormalised import SampledLinear

D, V, N = 6, 50, 12
RNG = torch.Generator().manual_seed(0)
HIDDEN = torch.randn(N, D, generator=RNG, dtype=torch.float64)
TARGETS = torch.randint(V, (N,), generator=RNG)
COUNTS = torch.ones(V).index_fill(0, TARGETS[3:4], 0.0)
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
    plain.load_state_dict(layer().state_dict(), strict=True)
    torch.testing.assert_close(plain(HIDDEN), layer()(HIDDEN))
    assert isinstance(ours, nn.Linear)


@pytest.mark.parametrize(
    ("kind", "extra"),
    [("learned", ["normaliser.bias"]), ("context", ["normaliser.weight", "normaliser.bias"])],
)
def test_a_learned_normaliser_has_keys_of_its_own_which_a_linear_layer_may_lack(kind, extra):
    plain, ours = nn.Linear(D, V, dtype=torch.float64), layer(objective="nce", log_normaliser=kind)
    assert list(ours.state_dict()) == ["weight", "bias", *extra]
    with torch.no_grad():
        ours.normaliser.bias.fill_(3.0)
    ours.load_state_dict(plain.state_dict(), strict=True)
    torch.testing.assert_close(ours(HIDDEN), plain(HIDDEN))
    assert float(ours.normaliser.bias.detach()) == 3
    nn.Sequential(layer(objective="nce", log_normaliser=kind)).load_state_dict(nn.Sequential(plain).state_dict())
    other = layer(objective="nce", log_normaliser=kind)
    other.load_state_dict(ours.state_dict(), strict=True)
    assert float(other.normaliser.bias.detach()) == 3


def own_draws(noise, contexts=None):
    """(N, k) the ids that `layer(noise=noise, seed=0)` draws first, each context its own."""
    rng = torch.Generator().manual_seed(0)
    return noise.draw(20, rng, N if contexts is None else contexts)


def plainly(ours, drawn, log_expected, c=0.0):
    """(N,) and (N, k) scores of targets and draws, written out."""
    logits = ours(HIDDEN)
    ids = drawn.ids.expand(N, -1)
    positive = logits[torch.arange(N), TARGETS] - log_expected - c
    return positive, logits.gather(1, ids) - drawn.log_expected - torch.as_tensor(c).reshape(-1, 1)


TEXT = torch.randint(V, (2_000,), generator=RNG)
CONTEXTS = torch.cat([TEXT.unfold(0, 2, 1)[: N - 1], torch.tensor([[-1, 3]])])


@pytest.mark.parametrize("objective", ["ranking", "nce", "negative-sampling"])
@pytest.mark.parametrize("kind", ["shared", "own", "n-gram"])
def test_the_loss_is_its_formula(objective, kind):
    noise = NGram.fit(TEXT, V, 3) if kind == "n-gram" else Unigram(torch.arange(1, V + 1))
    contexts = CONTEXTS if kind == "n-gram" else None
    ours = layer(noise=noise, objective=objective, shared=kind == "shared")
    if kind == "shared":
        drawn = noise.draw(20, torch.Generator().manual_seed(0))
    else:
        drawn = own_draws(noise, contexts)
        assert drawn.ids.shape == (N, 20)
    log_expected = noise.log_expected(TARGETS, 20, *(() if contexts is None else (contexts,)))
    positive, noisy = plainly(ours, drawn, log_expected)
    if objective == "negative-sampling":
        positive, noisy = positive + log_expected, noisy + drawn.log_expected
    if objective == "ranking":
        want = torch.cat([positive[:, None], noisy], 1).logsumexp(1) - positive
    else:
        want = -logsigmoid(positive) - logsigmoid(-noisy).sum(1)
    got = ours.loss(HIDDEN, TARGETS, contexts=contexts, reduction="none")
    torch.testing.assert_close(got, want)
    weights = torch.linspace(0.5, 2, N).double()
    for a, b in zip(
        *(torch.autograd.grad((x * weights).sum(), list(ours.parameters())) for x in (got, want)), strict=True
    ):
        torch.testing.assert_close(a, b, atol=1e-10, rtol=1e-8)


def test_ignored_targets_take_their_contexts_with_them():
    noise, targets = NGram.fit(TEXT, V, 3), TARGETS.clone()
    targets[[0, 7]] = -100
    kept = targets != -100
    ours, same = (layer(noise=noise, objective="nce") for _ in range(2))
    got = ours.loss(HIDDEN.view(3, 4, D), targets.view(3, 4), contexts=CONTEXTS.view(3, 4, 2), reduction="none")
    want = same.loss(HIDDEN[kept], TARGETS[kept], contexts=CONTEXTS[kept], reduction="none")
    torch.testing.assert_close(got.flatten()[kept], want)
    assert not got.flatten()[~kept].any()


@pytest.mark.parametrize("kind", [-1.5, "learned", "context"])
def test_the_normaliser_is_taken_off_all_scores(kind):
    noise = Unigram(torch.arange(1, V + 1))
    ours = layer(noise=noise, objective="nce", log_normaliser=kind)
    c = torch.tensor(-1.5, dtype=torch.float64)
    if kind != -1.5:
        with torch.no_grad():
            ours.normaliser.bias.fill_(-1.5)
        c = ours.normaliser.bias
    if kind == "context":
        with torch.no_grad():
            ours.normaliser.weight.copy_(torch.linspace(-1, 1, D))
        c = HIDDEN @ ours.normaliser.weight + c
    drawn = noise.draw(20, torch.Generator().manual_seed(0))
    positive, noisy = plainly(ours, drawn, noise.log_expected(TARGETS, 20), c)
    want = (-logsigmoid(positive) - logsigmoid(-noisy).sum(1)).mean()
    got = ours.loss(HIDDEN, TARGETS)
    torch.testing.assert_close(got, want)
    for a, b in zip(*(torch.autograd.grad(x, list(ours.parameters())) for x in (got, want)), strict=True):
        torch.testing.assert_close(a, b, atol=1e-10, rtol=1e-8)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("objective", ["ranking", "nce", "negative-sampling", "mle"])
def test_gradcheck(objective, shared):
    ours = layer(draws=4, objective=objective, shared=shared, log_normaliser="context" if objective == "nce" else 0.0)
    names = [name for name, _ in ours.named_parameters()]

    def loss(hidden, *parameters):
        ours.rng.manual_seed(1)
        call = {"reduction": "none"}
        return functional_call(
            Loss(ours), {f"layer.{n}": p for n, p in zip(names, parameters, strict=True)}, hidden, call
        )

    leaves = [HIDDEN[:3].clone().requires_grad_(), *(p.detach().requires_grad_() for p in ours.parameters())]
    assert torch.autograd.gradcheck(loss, leaves, fast_mode=True)


class Loss(nn.Module):
    """The layer's loss as a module's forward, for `functional_call`."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, hidden, **options):
        return self.layer.loss(hidden, TARGETS[:3], **options)


def test_mle_is_the_exact_loss():
    ours, options = layer(objective="mle"), {"label_smoothing": 0.1, "reduction": "sum"}
    assert torch.equal(ours.loss(HIDDEN, TARGETS, **options), ours.exact_loss(HIDDEN, TARGETS, **options))


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


@pytest.mark.parametrize("objective", ["ranking", "nce", "negative-sampling"])
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


@pytest.mark.parametrize("objective", ["ranking", "nce", "negative-sampling"])
@pytest.mark.parametrize("shared", [True, False])
def test_lazy_steps_with_a_tied_embedding_leave_the_other_rows_alone(objective, shared):
    """Three steps: rows that were not drawn are the same bit for bit, and so are their moments; all that were drawn moved."""
    ours = layer(draws=2, sparse=True, shared=shared, objective=objective)
    words = nn.Embedding(V, D, sparse=True, dtype=torch.float64)
    ours.weight = words.weight
    before, bias = ours.weight.detach().clone(), ours.bias.detach().clone()
    optimizer, rng, used, seen = LazyAdam(ours.parameters(), lr=0.1), torch.Generator().manual_seed(0), set(), set()
    for step in range(3):
        contexts, targets = torch.tensor([7, 8, 9]), TARGETS[2 * step : 2 * step + 3]
        optimizer.zero_grad()
        ours.loss(words(contexts), targets).backward()
        assert ours.weight.grad.is_sparse
        optimizer.step()
        ids = ours.noise.draw(2, rng, None if shared else 3).ids
        used |= set(targets.tolist()) | set(ids.flatten().tolist())
        seen |= set(contexts.tolist())
    assert len(used | seen) < V / 2
    for parameter, was, rows in ((ours.weight, before, used | seen), (ours.bias, bias, used)):
        moved = (parameter.detach() != was).reshape(V, -1).any(1).nonzero().squeeze(1)
        assert set(moved.tolist()) == rows
        aged = optimizer.state[parameter]["exp_avg_sq"].reshape(V, -1).any(1).nonzero().squeeze(1)
        assert set(aged.tolist()) == rows
    assert ours.weight is words.weight


def test_a_sparse_step_is_the_dense_one():
    """The first step of Adam: lazy rows move as dense ones do, and rows without a gradient not at all."""
    after = []
    for sparse, kind in ((False, torch.optim.AdamW), (True, LazyAdam)):
        ours = layer(draws=4, sparse=sparse)
        optimizer = kind(ours.parameters(), lr=0.1, weight_decay=0.0)
        ours.loss(HIDDEN[:3], TARGETS[:3]).backward()
        optimizer.step()
        after.append([p.detach() for p in ours.parameters()])
    for a, b in zip(*after, strict=True):
        torch.testing.assert_close(a, b)


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


def peak_bytes(call) -> int:
    """The most that torch held at once during a call, over what it held before."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        call()
    events = [e for e in seen.profiler.kineto_results.events() if e.name() == "[memory]"]
    return max(accumulate(e.nbytes() for e in sorted(events, key=lambda e: e.start_ns())))


def test_reading_keeps_a_few_tiles():
    """65,536 classes, 512 contexts: the matrix of logits is 128 MiB; streamed, two tiles of 2 MiB and thin vectors."""
    ours = SampledLinear(8, 65_536)
    hidden, targets = torch.randn(512, 8), torch.arange(512)
    ours.read(hidden, targets)  # the first call measures which product is fast
    tile, matrix = 512 * 1024 * 4, 512 * 65_536 * 4
    assert peak_bytes(lambda: ours.read(hidden, targets)) < 1.5 * tile
    assert peak_bytes(lambda: ours.topk(hidden, 5)) < 2.5 * tile
    assert peak_bytes(lambda: ours(hidden).logsumexp(1)) > matrix


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32])
def test_targets_of_other_integers_are_the_same_classes(dtype):
    bytes_ = SampledLinear(D, 256, objective="mle", dtype=torch.float64)
    targets = torch.tensor([156, 3, 156, 7])  # 156 is -100 in 8 bits
    for reading in (bytes_.loss, bytes_.log_prob):
        torch.testing.assert_close(reading(HIDDEN[:4], targets.to(dtype)), reading(HIDDEN[:4], targets))
    assert bytes_.read(HIDDEN[:4], targets.to(dtype)).n == 4


@pytest.mark.parametrize("shape", [(D, 1), (D, 2)])
def test_a_target_that_is_alone_costs_nothing(shape):
    one = SampledLinear(*shape, dtype=torch.float64, noise=Inclusion(Unigram([1, *[1e-9] * (shape[1] - 1)])), draws=1)
    hidden, zeros = HIDDEN.clone().requires_grad_(), torch.zeros(N, dtype=torch.int64)
    for loss in (one.loss, one.exact_loss) if shape[1] == 1 else (one.loss,):
        value = loss(hidden, zeros)
        assert value == 0
        assert not torch.autograd.grad(value, hidden)[0].any()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("shared", [True, False])
def test_sparse_gradients_in_half_precision_are_added_up_in_float32(dtype, shared):
    """Each of 64 contexts draws each of 8 classes some 256 times: sums that stand still in bfloat16."""
    counts = torch.zeros(2, 8)
    for k, (wide, sparse) in enumerate([(torch.float64, False), (dtype, True)]):
        made = SampledLinear(
            D, 8, noise=Uniform(8), draws=2048, objective="nce", shared=shared, dtype=wide, sparse=sparse, seed=0
        )
        with torch.no_grad():
            made.weight.zero_()
            made.bias.zero_()
        made.loss(torch.ones(64, D, dtype=wide), torch.arange(64) % 8).backward()
        counts[k] = made.bias.grad.to_dense().float()
        assert made.weight.grad.is_sparse == sparse
        torch.testing.assert_close(made.weight.grad.to_dense()[:, 0].float(), counts[k], rtol=1e-2, atol=1e-3)
    torch.testing.assert_close(counts[1], counts[0], rtol=4 * torch.finfo(dtype).eps, atol=0)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: layer(noise=Uniform(V + 1)), "51 classes, the layer 50"),
        (
            lambda: layer(objective="softmax"),
            "must be one of 'ranking', 'nce', 'negative-sampling', 'mle'; got 'softmax'",
        ),
        (lambda: layer(draws=0), "k, the number of noise draws, must be a positive integer; got 0"),
        (lambda: layer(draws=2.5), "must be a positive integer; got 2.5"),
        (lambda: layer(noise="unigram"), "noise must be a sampler of infomax.candidates; got str"),
        (lambda: layer(draws=V + 1, noise=Everything(V)).loss(HIDDEN, TARGETS * 0 - 1), "from 0 to 49; got -1 to -1"),
        (lambda: layer(objective="nce", log_normaliser="free"), "a finite number, 'learned' or 'context'; got 'free'"),
        (
            lambda: layer(objective="nce", log_normaliser=float("nan")),
            "a finite number, 'learned' or 'context'; got nan",
        ),
        (lambda: layer(log_normaliser="learned"), "log_normaliser belongs to objective 'nce'; 'ranking' has none"),
        (lambda: layer(noise=Inclusion(Uniform(V)), shared=False).loss(HIDDEN, TARGETS), "shared by all rows"),
        (
            lambda: layer(noise=NGram.fit(TEXT, V)).loss(HIDDEN, TARGETS),
            r"needs contexts=, an integer tensor \(12, order",
        ),
        (
            lambda: layer(noise=NGram.fit(TEXT, V)).loss(HIDDEN, TARGETS, contexts=CONTEXTS[:3]),
            r"\(12, order - 1\); got \(3, 2\)",
        ),
        (
            lambda: layer(noise=NGram.fit(TEXT, V)).loss(HIDDEN, TARGETS, contexts=CONTEXTS[:, :1]),
            r"contexts must be an integer tensor \(N, 2\)",
        ),
        *(
            (
                lambda o=o: layer(noise=Unigram(COUNTS), objective=o).loss(HIDDEN, TARGETS),
                "noise never draws the target",
            )
            for o in ("ranking", "nce", "negative-sampling")
        ),
        (lambda: layer().loss(HIDDEN, TARGETS, label_smoothing=0.1), "label_smoothing puts mass on classes"),
        (lambda: layer().loss(HIDDEN, TARGETS + V), "from 0 to 49; got"),
        (lambda: layer().loss(HIDDEN, TARGETS[:3]), r"integer tensor \(12,\); got torch.int64 \(3,\)"),
        (lambda: layer().loss(HIDDEN[:, :3], TARGETS), r"hidden must be a tensor \(..., 6\); got \(12, 3\)"),
        (lambda: layer().loss(HIDDEN, TARGETS.double()), "integer tensor"),
        (lambda: layer().loss(HIDDEN, torch.full((N,), -100)), "no target is left"),
        (lambda: layer().loss(HIDDEN, TARGETS, reduction="average"), "'mean', 'sum' or 'none'; got 'average'"),
        (lambda: layer().loss(HIDDEN, TARGETS, weight=WEIGHTS[:3]), r"weight must be a tensor \(50,\)"),
        (lambda: layer().loss(HIDDEN * float("nan"), TARGETS), "NaN"),
        (lambda: layer().loss(HIDDEN, TARGETS > 3), "integer tensor"),
        (lambda: layer().loss(HIDDEN, TARGETS + 0j), "integer tensor"),
        (lambda: layer().loss(HIDDEN, torch.full((N,), 156, dtype=torch.uint8)), "from 0 to 49; got 156 to 156"),
        (lambda: layer().log_prob(HIDDEN, torch.full((N,), -100)), "from 0 to 49; got -100"),
        *(
            (lambda n=n: layer(noise=n, objective="nce"), r"learns the odds p/\(1 - p\)")
            for n in (Inclusion(Uniform(V)), Everything(V))
        ),
        (lambda: layer().exact_loss(HIDDEN, TARGETS, label_smoothing=1.0), r"must lie in \[0, 1\)"),
        (lambda: layer().topk(HIDDEN, V + 1), "from 1 to the 50 classes; got 51"),
    ],
)
def test_bad_input(make, match):
    with pytest.raises(InputError, match=match):
        make()
