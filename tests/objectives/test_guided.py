"""Masks by a guide: the published definition, written plainly in float64; what is kept, what is refused, what is no bound."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch.nn.functional import cosine_similarity, cross_entropy, normalize

from infomax import bounds
from infomax.errors import InputError
from infomax.objectives import decoupled, gist, guided, info_nce, sigmoid, triplet, two_views
from infomax.scores import Scores

N, D, E, MORE = 12, 5, 4, 3
FAR = float("inf")


def vectors(*shape, seed, grad=False):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=rng, dtype=torch.float64).requires_grad_(grad)


A, C, NEGATIVES = (vectors(k, D, seed=s) for k, s in ((N, 0), (N, 1), (MORE, 2)))
# a guide that knows the pairs: it leaves out some candidates of a row and not all; one true pair scores below 0
GA = vectors(N, E, seed=3)
GC, GN = GA + 1.3 * vectors(N, E, seed=6), vectors(MORE, E, seed=5)


def plain_gist(a, c, negatives, ga, gc, gn, t, *, margin, relative, anchors, positives):
    """sentence-transformers' GISTEmbedLoss, cell by cell."""
    blocks = [(a, c, ga, gc)]
    if anchors:
        blocks.append((a, a, ga, ga))
    if positives:
        blocks.append((c, c, gc, gc))
    if negatives is not None:
        blocks.append((a, negatives, ga, gn))
    own = cosine_similarity(ga, gc)
    limit = own - margin * (own.abs() if relative else 1)
    columns = []
    for number, (x, y, gx, gy) in enumerate(blocks):
        s = cosine_similarity(x[:, None], y[None], dim=2) / t
        out = cosine_similarity(gx[:, None], gy[None], dim=2) > limit[:, None]
        if number == 0:
            out &= ~torch.eye(N, dtype=torch.bool)
        elif x is y:
            out |= torch.eye(N, dtype=torch.bool)
        columns.append(s.masked_fill(out, -FAR))
    return cross_entropy(torch.cat(columns, 1), torch.arange(N), reduction="none")


@pytest.mark.parametrize("further", [False, True])
@pytest.mark.parametrize("positives", [False, True])
@pytest.mark.parametrize("anchors", [False, True])
@pytest.mark.parametrize(("margin", "relative"), [(0.0, False), (0.1, False), (0.5, True), (-0.2, False)])
def test_gist_is_its_published_definition(margin, relative, anchors, positives, further):
    a, c, n = (x.clone().requires_grad_() for x in (A, C, NEGATIVES))
    t = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    more = {"negatives": n, "guide_negatives": GN} if further else {}
    options = {"margin": margin, "relative": relative}
    losses = gist(
        a, c, GA, GC, temperature=t, contrast_anchors=anchors, contrast_positives=positives, **options, **more
    )
    plain = plain_gist(a, c, n if further else None, GA, GC, GN, t, anchors=anchors, positives=positives, **options)
    torch.testing.assert_close(losses, plain)
    weights = torch.linspace(0.5, 2, N, dtype=torch.float64)
    leaves = (a, c, t, n) if further else (a, c, t)
    for mine, theirs in zip(
        torch.autograd.grad((weights * losses).sum(), leaves),
        torch.autograd.grad((weights * plain).sum(), leaves),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs)


def some_guided(**options):
    guide = Scores(normalize(GA, dim=1), normalize(GC, dim=1))
    return guided(Scores(A, C, temperature=0.5, **options), guide)


def test_the_guide_leaves_some_out_and_never_the_true_pair():
    counts = some_guided().counts()
    assert counts.min() < N
    assert counts.max() > 1
    assert torch.isfinite(some_guided().dense().diagonal()).all()


@pytest.mark.parametrize("objective", [info_nce, lambda s: triplet(s, 0.5), lambda s: sigmoid(s, -1.0)])
def test_any_objective_sees_what_is_left(objective):
    s = some_guided()
    assert s.counts().min() > 1
    expected = []
    for i, row in enumerate(s.dense()):
        left = row.isfinite().nonzero().squeeze(1)
        expected.append(objective(Scores.from_dense(row[None, left], positives=(left == i).nonzero()[0])))
    torch.testing.assert_close(objective(s), torch.cat(expected))


def test_a_row_of_which_nothing_is_left_has_loss_zero_and_no_gradient():
    """As its definition has it; along each path of the engine."""
    g = torch.full((N, N), -1.0, dtype=torch.float64)
    g[3] = 1.0
    g[3, 3] = 0.0
    for backend in ("auto", "dense", "streamed"):
        for cache in (None, 0):
            a, c = A.clone().requires_grad_(), C.clone().requires_grad_()
            left = guided(Scores(a, c, backend=backend, cache=cache), Scores.from_dense(g))
            for symmetric in (False, True):
                losses = info_nce(left, symmetric=symmetric)
                slope = torch.autograd.grad(losses.mean(), (a, c), retain_graph=True)
                assert all(torch.isfinite(x).all() for x in slope)
                if not symmetric:
                    assert losses[3] == 0
                    assert (slope[0][3] == 0).all()
    with pytest.raises(InputError, match="have no negative"):
        decoupled(left)


def test_equal_scores_stay_and_a_margin_takes_them():
    """Identical candidates score as the true pair does, to rounding: the definition's > is strict."""
    g = normalize(vectors(1, 64, seed=9).float(), dim=1).expand(N, 64).contiguous()
    s = Scores(A, C)
    assert (guided(s, Scores(g, g)).counts() == N).all()
    assert (guided(s, Scores(g, g), margin=1e-3).counts() == 1).all()


def test_equal_ids_are_not_counted_twice():
    ids = torch.arange(N) // 2
    s = some_guided(anchor_ids=ids, candidate_ids=ids)
    assert (s.counts() == s.dense().isfinite().sum(1)).all()


def test_symmetric_losses_see_the_same_cells():
    s = some_guided()
    dense = Scores.from_dense(s.dense().masked_fill(s.dense().isneginf(), -1e9))
    torch.testing.assert_close(info_nce(s, symmetric=True), info_nce(dense, symmetric=True))


def test_two_views_may_be_guided():
    s = guided(two_views(A, C), two_views(GA, GC))
    assert s.counts().min() < 2 * N - 1
    assert torch.isfinite(info_nce(s)).all()


@given(margin=st.floats(-3, 3), more=st.floats(0, 2), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_a_larger_margin_leaves_no_more_and_no_loss_higher(margin, more, seed):
    s, g = Scores(vectors(6, 2, seed=seed), vectors(6, 2, seed=seed + 1)), Scores(A[:6], C[:6])
    less, most = (guided(s, g, margin=m) for m in (margin + more, margin))
    assert (less.counts() <= most.counts()).all()
    assert (info_nce(less) <= info_nce(most) + 1e-12).all()


def test_no_guided_loss_reads_as_a_bound():
    guide = Scores.from_dense(torch.zeros(N, N, dtype=torch.float64))
    nothing_left_out = guided(Scores(A, C), guide)
    assert (nothing_left_out.counts() == N).all()
    assert bounds.info_nce(Scores(A, C)).side == "lower"
    assert bounds.info_nce(nothing_left_out).side == "neither"
    assert bounds.readout(nothing_left_out).side == "score"
    assert "guide" in bounds.readout(nothing_left_out).reason


def test_the_guide_gets_no_gradient():
    ga = GA.clone().requires_grad_()
    a = A.clone().requires_grad_()
    info_nce(guided(Scores(a, C), Scores(ga, GC))).mean().backward()
    assert ga.grad is None
    assert a.grad is not None


def test_gradcheck():
    guide = Scores(GA[:4], GC[:4])
    t = torch.tensor(0.7, dtype=torch.float64)
    leaves = [x.clone().requires_grad_() for x in (A[:4, :2], C[:4, :2], t)]

    def losses(a, c, t):
        s = guided(Scores(a, c, temperature=t, backend="streamed", cache=0), guide)
        assert s.counts().min() > 1
        return info_nce(s, eager=False), info_nce(s, symmetric=True)

    assert torch.autograd.gradcheck(losses, leaves)


@pytest.mark.parametrize(
    ("scores", "guide", "said"),
    [
        (lambda: Scores(A, C), lambda: Scores(GA[:5], GC), "same pairs"),
        (lambda: Scores(A, C), lambda: Scores(GA, GC, positives=torch.arange(N).roll(1)), "same pairs"),
        (lambda: Scores(A, C), lambda: Scores(GA, GC, positives=GA), "same pairs"),
        (lambda: Scores(A, C), lambda: Scores(GA, GC, positives=(torch.arange(N),) * 2), "same pairs"),
        (lambda: Scores(A, C, negatives=A[:, None]), lambda: Scores(GA, GC), "among the candidates"),
        (some_guided, lambda: Scores(GA, GC), "guide already"),
        (lambda: Scores(A, C), lambda: Scores(GA * float("nan"), GC), "NaN"),
    ],
)
def test_refusals(scores, guide, said):
    with pytest.raises(InputError, match=said):
        guided(scores(), guide())


def test_a_margin_is_finite():
    with pytest.raises(InputError, match="margin must be finite"):
        guided(Scores(A, C), Scores(GA, GC), margin=float("nan"))
    with pytest.raises(InputError, match="one shape"):
        gist(A, C[:3], GA, GC)
