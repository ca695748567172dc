"""Every reduction, on every kind of score matrix, by both backends: the values and gradients of its definition."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch.nn.functional import softplus

sys.path.insert(0, str(Path(__file__).parent))
from problems import Problem, expected, problems

from infomax.scores import Scores, product, streamed_scores

KINDS = list(problems())
ONE_POSITIVE = [k for k in KINDS if "labels" not in k]
IN_COLUMNS = [k for k in ONE_POSITIVE if "own" not in k and "only" not in k and k != "shared columns"]


def gradients(problem: Problem, value: torch.Tensor, weights: str) -> list[torch.Tensor]:
    finite = value[torch.isfinite(value)]
    w = torch.ones_like(finite) if weights == "equal" else torch.linspace(-1, 2, len(finite), dtype=value.dtype)
    found = torch.autograd.grad((finite * w).sum(), problem.leaves(), allow_unused=True, retain_graph=True)
    return [torch.zeros_like(leaf) if g is None else g for g, leaf in zip(found, problem.leaves(), strict=True)]


def same(problem: Problem, got: torch.Tensor, want: torch.Tensor) -> None:
    torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-10)
    if not torch.isfinite(want).any():
        return
    for weights in ("equal", "unequal"):
        for ours, theirs in zip(gradients(problem, got, weights), gradients(problem, want, weights), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_positive(kind, scores):
    p = problems()[kind]
    same(p, scores(p).positive(), expected(p, "positive"))


@pytest.mark.parametrize("positives", ["in", "out", "only"])
@pytest.mark.parametrize("kind", KINDS)
def test_logsumexp_over_candidates(kind, positives, scores):
    p = problems()[kind]
    for beta in (1.0, 0.5):
        got = scores(p).logsumexp(beta=beta, positives=positives)
        same(p, got, expected(p, "rows", beta=beta, positives=positives))


@pytest.mark.parametrize("positives", ["in", "out", "only"])
@pytest.mark.parametrize("kind", KINDS)
def test_logsumexp_over_anchors_and_both(kind, positives, scores):
    p = problems()[kind]
    rows, columns = scores(p).logsumexp("both", beta=2.0, positives=positives)
    same(p, rows, expected(p, "rows", beta=2.0, positives=positives))
    if len(columns):
        same(p, columns, expected(p, "columns", beta=2.0, positives=positives))
        torch.testing.assert_close(scores(p).logsumexp("anchors", beta=2.0, positives=positives), columns)


@pytest.mark.parametrize("kind", KINDS)
def test_cross_entropy_is_logsumexp_less_positive(kind, scores):
    p = problems()[kind]
    same(p, scores(p).cross_entropy(), expected(p, "rows") - expected(p, "positive"))
    same(p, scores(p).cross_entropy(eager=False), expected(p, "rows") - expected(p, "positive"))


@pytest.mark.parametrize("kind", KINDS)
def test_cross_entropy_over_a_vocabulary_takes_two_walks(kind, many_tiles, monkeypatch):
    monkeypatch.setattr(streamed_scores, "NARROW", 64)
    p = problems()[kind]
    same(p, p.scores("streamed").cross_entropy(), expected(p, "rows") - expected(p, "positive"))


@pytest.mark.parametrize("kind", IN_COLUMNS)
def test_cross_entropy_over_anchors_normalises_the_column_of_the_positive(kind, scores):
    p = problems()[kind]
    column = p.options.get("positives", torch.arange(len(p.anchors)))
    want = expected(p, "columns")[column] - expected(p, "positive")
    rows, columns = scores(p).cross_entropy("both")
    same(p, rows, expected(p, "rows") - expected(p, "positive"))
    same(p, columns, want)
    same(p, scores(p).cross_entropy("anchors"), want)


def test_cross_entropy_of_labels_over_anchors(scores):
    p = problems()["labels"]
    p.options["positives"] = (torch.arange(21) % 4, torch.arange(34) % 4)
    s, positive, _ = p.full()
    want = torch.logsumexp(s, 0) - (s * positive).sum(0) / positive.sum(0)
    same(p, scores(p).cross_entropy("anchors"), want)
    same(p, scores(p).cross_entropy("both")[1], want)


@pytest.mark.parametrize("positives", ["in", "out", "only"])
@pytest.mark.parametrize(
    "fn", [softplus, torch.exp, lambda s: (s + 0.2).clamp(min=0)], ids=["softplus", "exp", "hinge"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_total(kind, fn, positives, scores):
    p = problems()[kind]
    same(p, scores(p).total(fn, positives=positives), expected(p, "total", fn=fn, positives=positives))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [1, 3])
def test_hardest(kind, k, scores):
    p = problems()[kind]
    values, columns = scores(p).hardest(k)
    want = expected(p, "hardest", k=k)
    same(p, values, want.values)
    found = torch.isfinite(values)
    assert torch.equal(columns[found], want.indices[found])
    assert (columns[~found] == -1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_rank_counts_and_dense(kind, scores):
    p = problems()[kind]
    s, _, live = p.full()
    assert torch.equal(scores(p).rank(), expected(p, "rank"))
    assert torch.equal(scores(p).counts(), expected(p, "counts"))
    same(p, scores(p).dense(), s.masked_fill(~live, -torch.inf))
    assert scores(p).shape == s.shape


def test_hardest_of_more_than_there_are(scores):
    p = problems(n=2, m=3)["square"]
    values, columns = scores(p).hardest(4)
    assert torch.isneginf(values[:, 1:]).all()
    assert columns.tolist() == [[1, -1, -1, -1], [0, -1, -1, -1]]


def test_ties_count_against_the_positive(scores):
    p = problems()["square"]
    with torch.no_grad():
        p.candidates[3] = p.candidates[7]
    best = expected(p, "rank")
    assert best[3] >= 1
    assert best[7] >= 1
    assert torch.equal(scores(p).rank(), best)


@pytest.mark.parametrize("kind", [k for k in KINDS if "own" not in k and "negatives" not in k and k != "everything"])
def test_a_dense_matrix_gives_the_same(kind):
    p = problems()[kind]
    ids = {k: p.options[k] for k in ("anchor_ids", "candidate_ids", "positives") if k in p.options}
    s = p.guided(Scores.from_dense(p.shared()[0], **ids))
    torch.testing.assert_close(s.cross_entropy(), p.scores("streamed").cross_entropy())
    if kind in IN_COLUMNS:
        torch.testing.assert_close(s.cross_entropy("anchors"), p.scores("streamed").cross_entropy("anchors"))
    assert torch.equal(s.rank(), p.scores("streamed").rank())


@pytest.mark.filterwarnings("ignore:Dynamo does not know")
@pytest.mark.parametrize("reduction", ["cross_entropy", "logsumexp"])
@pytest.mark.parametrize("n", [20, 300])
def test_a_compiled_loss_runs_and_holds_no_private_operator(n, reduction, monkeypatch):
    """Inductor cannot lower oneDNN's product, so no traced graph may have it."""
    monkeypatch.setattr(product, "_float32_cpu", lambda: product.onednn)
    graphs = []

    def backend(module, _):
        graphs.append(str(module.graph))
        return module.forward

    def loss(a, b):
        return getattr(Scores(a, b, temperature=0.3), reduction)().mean()

    a, b = (torch.randn(n, 64, generator=torch.Generator().manual_seed(i)).requires_grad_() for i in (0, 1))
    torch.compiler.reset()
    found = torch.autograd.grad(torch.compile(loss, backend=backend)(a, b), (a, b))
    for mine, plain in zip(found, torch.autograd.grad(loss(a, b), (a, b)), strict=True):
        torch.testing.assert_close(mine, plain)
    assert not any("mkldnn" in graph for graph in graphs)
