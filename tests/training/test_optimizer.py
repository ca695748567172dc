"""LazyAdam: torch's AdamW where everything is touched, nothing at all where nothing is."""

import copy

import pytest
import torch

from infomax.errors import InputError
from infomax.training.optimizer import LazyAdam


def sparse(rows, values, shape):
    return torch.sparse_coo_tensor(torch.tensor([rows]), values, shape, check_invariants=True)


def parameters(seed=0):
    rng = torch.Generator().manual_seed(seed)
    shapes = ((40, 3), (40,))
    return [torch.nn.Parameter(torch.randn(*s, generator=rng, dtype=torch.float64)) for s in shapes]


@pytest.mark.parametrize("betas", [(0.8, 0.95), (0.0, 0.0)])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_equals_adamw_when_every_row_is_touched(weight_decay, betas, monkeypatch):
    monkeypatch.setattr("infomax.training.optimizer._BLOCK", 16)  # several blocks of rows, the last one short
    ours, theirs = parameters(), parameters()
    options = {"lr": 0.03, "betas": betas, "eps": 1e-6, "weight_decay": weight_decay}
    lazy, adamw = LazyAdam(ours, **options), torch.optim.AdamW(theirs, **options)
    rng = torch.Generator().manual_seed(1)
    for _ in range(7):
        for mine, other in zip(ours, theirs, strict=True):
            grad = torch.randn(mine.shape, generator=rng, dtype=torch.float64)
            order = torch.randperm(40, generator=rng)
            mine.grad, other.grad = sparse(order.tolist(), grad[order], mine.shape), grad
        lazy.step()
        adamw.step()
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-12)


def test_dense_gradients_are_stepped_by_adamw():
    ours, theirs = parameters(), parameters()
    lazy, adamw = LazyAdam(ours, lr=0.1, weight_decay=0.2), torch.optim.AdamW(theirs, lr=0.1, weight_decay=0.2)
    for step in range(3):
        for p in (*ours, *theirs):
            p.grad = p.detach() * (step + 1) + 1
        lazy.step()
        adamw.step()
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.equal(mine, other)


@pytest.mark.parametrize("gap", [1, 3, 20])
def test_a_row_of_constant_gaps_moves_between_readings_as_by_adamw(gap):
    options = {"lr": 0.01, "betas": (0.8, 0.9), "eps": 1e-12, "weight_decay": 0.0}
    (ours, _), (theirs, _) = parameters(), parameters()
    lazy, adamw = LazyAdam([ours], **options), torch.optim.AdamW([theirs], **options)
    rng, read = torch.Generator().manual_seed(1), []
    for step in range(1, 401):
        rows = [2, 5] if step % gap == 0 else [2]
        if 5 in rows and step > 240:  # the bias is corrected by 1 then; read before this step's gradient comes
            read.append((ours.detach()[5].clone(), theirs.detach()[5].clone()))
        grad = torch.zeros_like(theirs)
        grad[rows] = torch.randn(len(rows), 3, generator=rng, dtype=torch.float64)
        ours.grad, theirs.grad = sparse(rows, grad[rows], ours.shape), grad
        lazy.step()
        adamw.step()
    mine, other = (torch.stack(side).diff(dim=0) for side in zip(*read, strict=True))
    assert other.abs().mean() > 0.002
    torch.testing.assert_close(mine, other, rtol=0, atol=1e-8)


def test_a_row_makes_up_for_the_decay_it_missed():
    (ours, _), (theirs, _) = parameters(), parameters()
    lazy, adamw = (kind([p], lr=0.1, weight_decay=0.2) for kind, p in ((LazyAdam, ours), (torch.optim.AdamW, theirs)))
    for rows in ([2, 5], [2], [2], [2, 5]):
        ours.grad, theirs.grad = sparse(rows, torch.zeros(len(rows), 3).double(), ours.shape), torch.zeros_like(theirs)
        lazy.step()
        adamw.step()
    torch.testing.assert_close(ours[[2, 5]], theirs[[2, 5]], rtol=1e-12, atol=0)


def test_a_rare_row_ages_and_decays_as_by_adamw_and_untouched_rows_keep_every_bit():
    options = {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-12, "weight_decay": 0.2}
    (ours, _), (theirs, _) = parameters(), parameters()
    lazy, adamw, before = LazyAdam([ours], **options), torch.optim.AdamW([theirs], **options), ours.detach().clone()
    for step in range(6):
        rows = [2, 5] if step in (1, 4) else [2]
        grad = torch.zeros_like(theirs)
        grad[rows] = 0.5 + step
        ours.grad, theirs.grad = sparse(rows, grad[rows], ours.shape), grad
        lazy.step()
        adamw.step()
        if step == 4:
            for name in ("exp_avg", "exp_avg_sq"):
                torch.testing.assert_close(lazy.state[ours][name][5], adamw.state[theirs][name][5])
    torch.testing.assert_close(ours[2], theirs[2], rtol=1e-12, atol=1e-12)
    untouched = [row for row in range(40) if row not in (2, 5)]
    assert torch.equal(ours[untouched], before[untouched])


def test_repeated_rows_add_up():
    (first, _), (second, _) = parameters(), parameters()
    first.grad = sparse([1, 1], torch.tensor([[1.0] * 3, [2.0] * 3], dtype=torch.float64), first.shape)
    second.grad = sparse([1], torch.tensor([[3.0] * 3], dtype=torch.float64), second.shape)
    for p in (first, second):
        LazyAdam([p]).step()
    assert torch.equal(first, second)


def test_state_round_trips_bit_identically():
    def steps(table, dense, optimizer, seeds):
        for seed in seeds:
            rng = torch.Generator().manual_seed(seed)
            rows = torch.randperm(40, generator=rng)[:9]
            table.grad = sparse(rows.tolist(), torch.randn(9, 3, generator=rng), table.shape)
            dense.grad = torch.randn(40, generator=rng)
            optimizer.step()

    table, dense = (torch.nn.Parameter(p.detach().float()) for p in parameters())
    optimizer = LazyAdam([{"params": [table], "lr": 0.05}, {"params": [dense]}], lr=0.01)
    steps(table, dense, optimizer, range(5))
    resumed = [torch.nn.Parameter(p.detach().clone()) for p in (table, dense)]
    other = LazyAdam([{"params": [resumed[0]]}, {"params": [resumed[1]]}])
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    steps(table, dense, optimizer, range(5, 9))
    steps(*resumed, other, range(5, 9))
    assert torch.equal(table, resumed[0])
    assert torch.equal(dense, resumed[1])


def test_steps_of_rows_outlive_a_reload_in_half_precision():
    table = torch.nn.Parameter(torch.zeros(40, 3, dtype=torch.bfloat16))
    optimizer = LazyAdam([table])
    for _ in range(301):  # bfloat16 has no 301
        table.grad = sparse([7], torch.ones(1, 3, dtype=torch.bfloat16), table.shape)
        optimizer.step()
    other = LazyAdam([torch.nn.Parameter(table.detach().clone())])
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    (mine,), (theirs,) = optimizer.state.values(), other.state.values()
    assert torch.equal(mine["last"], theirs["last"])
    assert int(theirs["last"][7]) == int(theirs["step"]) == 301


def test_an_empty_sparse_gradient_changes_nothing():
    table, _ = parameters()
    before = table.detach().clone()
    table.grad = sparse([], torch.empty(0, 3, dtype=torch.float64), table.shape)
    LazyAdam([table]).step()
    assert torch.equal(table, before)


def test_changing_between_sparse_and_dense_is_refused():
    table, _ = parameters()
    optimizer = LazyAdam([table])
    table.grad = torch.ones_like(table)
    optimizer.step()
    table.grad = sparse([1], torch.ones(1, 3, dtype=torch.float64), table.shape)
    with pytest.raises(InputError, match="keep to one form"):
        optimizer.step()


@pytest.mark.parametrize(
    "options", [{"lr": -1.0}, {"eps": -1.0}, {"weight_decay": -0.1}, {"betas": (0.9, 1.0)}, {"betas": (0.9, 0.8)}]
)
def test_bad_settings(options):
    with pytest.raises(InputError):
        LazyAdam(parameters(), **options)


def test_gradients_that_are_sparse_in_more_than_rows_are_refused():
    p = torch.nn.Parameter(torch.zeros(4, 4))
    p.grad = torch.eye(4).to_sparse()
    with pytest.raises(InputError, match="sparse gradient with sparse_dim 2"):
        LazyAdam([p], lr=0.1).step()
    assert not p.detach().any()
