"""What the mutants found missing in the contract: each test here kills one that nothing else killed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from problems import Problem, expected, problems

from infomax.errors import InputError
from infomax.scores import Scores
from infomax.scores.one_tile import OneTile

WEIGHTS = {
    "equal weights": torch.full((21,), 1 / 21, dtype=torch.float64),
    "unequal weights": torch.linspace(-1, 2, 21, dtype=torch.float64),
}


def agree(problem: Problem, got: torch.Tensor, want: torch.Tensor, weights: torch.Tensor) -> None:
    """Values, and the gradients of their weighted sum."""
    torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-10)
    found, true = (torch.autograd.grad((x * weights).sum(), problem.leaves(), retain_graph=True) for x in (got, want))
    for ours, theirs in zip(found, true, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("weights", list(WEIGHTS))
@pytest.mark.parametrize("kind", ["square", "offsets", "own positives", "everything"])
def test_weights_in_the_first_backward_pass(kind, weights, scores):
    """An eager gradient is that of weights 1: equal ones scale all of it, unequal ones must not be answered with it."""
    p = problems()[kind]
    agree(p, scores(p).cross_entropy(), expected(p, "rows") - expected(p, "positive"), WEIGHTS[weights])


def test_columns_with_offsets_apart(scores):
    """The offset of a positive is that of its column, which is not the row's number here."""
    p, offsets = problems()["columns"], problems()["offsets"].options
    p.options.update(offsets)
    rows, columns = scores(p).cross_entropy("both")
    true, own = expected(p, "positive"), p.options["positives"]
    agree(p, rows, expected(p, "rows") - true, WEIGHTS["unequal weights"])
    agree(p, columns, expected(p, "columns")[own] - true, WEIGHTS["unequal weights"])
    agree(p, scores(p).cross_entropy(), expected(p, "rows") - true, WEIGHTS["unequal weights"])


@pytest.mark.parametrize("side", ["row_offset", "column_offset"])
@pytest.mark.parametrize("height", [200.0, -200.0])
def test_offsets_too_large_for_plain_powers(side, height):
    """2^(200 log2 e) overflows float32, and its inverse underflows: offsets, too, must lead to running maxima."""
    a, b = torch.eye(9), torch.eye(9)
    given = Scores(a, b, backend="streamed", **{side: torch.full((9,), height)})
    rows, columns = given.logsumexp("both")
    torch.testing.assert_close(rows, torch.logsumexp(a @ b.T + height, 1))
    torch.testing.assert_close(columns, torch.logsumexp(a @ b.T + height, 0))
    for backend in ("auto", "streamed"):
        given = Scores(a, b, backend=backend, **{side: torch.full((9,), height)})
        torch.testing.assert_close(
            given.cross_entropy(), Scores(a, b, backend="dense").cross_entropy(), rtol=1e-4, atol=0
        )


REDUCTIONS = {
    "logsumexp": lambda s: s.logsumexp(),
    "logsumexp both": lambda s: torch.cat(s.logsumexp("both")),
    "cross_entropy": lambda s: s.cross_entropy(),
    "cross_entropy both": lambda s: torch.cat(s.cross_entropy("both")),
}


@pytest.mark.parametrize("name", list(REDUCTIONS))
def test_a_second_backward_pass_finds_its_tiles_whole(name, scores):
    """Tiles kept from the forward pass are read, never written: any number of backward passes agree bit for bit."""
    p = problems()["offsets"]
    loss = REDUCTIONS[name](scores(p)).square().sum()
    first, second = (torch.autograd.grad(loss, p.leaves(), retain_graph=True) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    "kind", ["square", "rectangular", "offsets", "columns", "ids", "columns and ids", "shifted columns"]
)
def test_the_short_path_of_one_tile(kind, monkeypatch):
    """Left to itself, a small matrix takes a path of its own; every kind of it, and every weight, against the definition."""
    taken, of = [], OneTile.of
    monkeypatch.setattr(OneTile, "of", lambda *given: taken.append(True) or of(*given))
    p = problems()[kind.replace("shifted ", "")]
    if kind == "shifted columns":
        p.options.update(problems()["offsets"].options)
    own, true = p.options.get("positives", torch.arange(21)), expected(p, "positive")
    over_rows, over_columns = expected(p, "rows") - true, expected(p, "columns")[own] - true
    for weights in WEIGHTS.values():
        rows, columns = p.scores("auto").cross_entropy("both")
        agree(p, rows, over_rows, weights)
        agree(p, columns, over_columns, weights)
        agree(p, rows + columns.square(), over_rows + over_columns.square(), weights)
        agree(p, p.scores("auto").cross_entropy(), over_rows, weights)
        agree(p, p.scores("auto").cross_entropy("anchors"), over_columns, weights)
    assert len(taken) == 3 * len(WEIGHTS)


@pytest.mark.parametrize("over", ["candidates", "both"])
def test_one_tile_walked_back_twice(over):
    """The tile serves the backward pass as it is: a second pass finds it as the first one left it."""
    p = problems()["square"]
    losses = p.scores("auto").cross_entropy(over)
    total = losses.sum() if over == "candidates" else losses[0].sum() + losses[1].square().sum()
    first, second = (torch.autograd.grad(total, p.leaves(), retain_graph=True) for _ in range(2))
    assert all(bool((one == two).all()) for one, two in zip(first, second, strict=True))


SUMS = {
    "rows": lambda scores: scores.cross_entropy(),
    "rows and columns": lambda scores: torch.stack(scores.cross_entropy("both")),
    "log-sum-exp": lambda scores: scores.logsumexp(),
    "total": lambda scores: scores.total(torch.nn.functional.softplus),
}


@pytest.mark.parametrize(
    ("backend", "kind"), [("auto", "rows"), ("auto", "rows and columns")] + [("streamed", k) for k in SUMS]
)
def test_a_second_derivative_is_refused(backend, kind):
    """A gradient penalty would else be a constant: missing from the gradient without a word."""
    p = problems()["square"]
    (first,) = torch.autograd.grad(SUMS[kind](p.scores(backend)).mean(), p.leaves()[0], create_graph=True)
    with pytest.raises(InputError, match="backend='dense'"):
        first.square().sum().backward()


def test_the_dense_form_has_second_derivatives():
    p = problems()["square"]
    (first,) = torch.autograd.grad(p.scores("dense").cross_entropy().mean(), p.leaves()[0], create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), p.leaves()[0])
    assert bool(second.abs().max() > 0)


def test_what_a_total_learns_itself_is_refused_where_it_is_streamed():
    p, bias = problems()["square"], torch.nn.Parameter(torch.tensor(-2.0, dtype=torch.float64))
    total = p.scores("dense").total(lambda s: torch.nn.functional.softplus(s + bias)).sum()
    assert torch.autograd.grad(total, bias)[0] > 0
    with pytest.raises(InputError, match="row_offset"):
        p.scores("streamed").total(lambda s: torch.nn.functional.softplus(s + bias))
    with torch.no_grad():  # nothing is lost where no gradient is asked for
        got = p.scores("streamed").total(lambda s: torch.nn.functional.softplus(s + bias)).sum()
    torch.testing.assert_close(got, total.detach())


def test_a_total_of_steps_has_no_slope():
    p = problems()["square"]
    steps = p.scores("streamed").total(lambda s: (s > 0).to(s.dtype)).sum()
    assert all(bool((found == 0).all()) for found in torch.autograd.grad(steps, p.leaves()))
