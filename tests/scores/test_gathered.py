"""Scores of several processes: after DDP's mean every gradient is that of one process with the whole batch."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any

import cloudpickle
import pytest
import torch
from torch import Tensor, nn

from infomax import objectives
from infomax.errors import InfomaxError, InputError
from infomax.objectives import guided, info_nce, local_scores, nt_xent, two_views, vicreg
from infomax.scores import Scores, check_distributed, gather
from infomax.scores.check_distributed import ENCODERS, Compared, _beside, _together, gradients, verdict
from infomax.scores.gather import processes
from infomax.scores.rehearsal import rehearse
from infomax.scores.shared_rows import share, shares

cloudpickle.register_pickle_by_value(sys.modules[__name__])

WORLDS = {2: [(6, 6), (6, 3), (7, 0)], 4: [(3, 3, 3, 3), (5, 0, 4, 3)]}
EXACT = 1e-12  # relative; sums in another order differ by some 1e-16


class Learned(nn.Module):
    """An objective of gathered scores with a temperature and a bias to learn."""

    def __init__(self, loss: Callable[[Any, Any, Any, Any], Tensor]) -> None:
        super().__init__()
        self.loss = loss
        self.temperature = nn.Parameter(torch.tensor(0.4, dtype=torch.float64))
        self.bias = nn.Parameter(torch.tensor(0.3, dtype=torch.float64))

    def forward(self, anchors: Tensor, candidates: Tensor) -> Tensor:
        return self.loss(anchors, candidates, self.temperature, self.bias).mean()


def of_scores(objective: Callable[[Scores, Any], Tensor], options: Callable[[Tensor], Any], backend: str) -> Learned:
    """Of an objective (scores, bias), on scores with further options that depend on which rows of the batch these are."""

    def loss(a: Tensor, c: Tensor, temperature: Tensor, bias: Tensor) -> Tensor:
        scores = Scores.gathered(a, c, temperature=temperature, backend=backend, **options(numbered(len(a))))
        return objective(scores, bias)

    return Learned(loss)


def numbered(rows: int) -> Tensor:
    """The place of this process's rows in the whole batch."""
    counts = gather(torch.tensor([rows]))
    return torch.arange(rows) + int(counts[: processes()[0]].sum())


def plain(_: Tensor) -> dict[str, Any]:
    return {}


def offsets(i: Tensor) -> dict[str, Any]:
    return {"row_offset": (i * 0.7).sin(), "column_offset": (i * 1.3).cos().double()}


def ids(i: Tensor) -> dict[str, Any]:
    return {"anchor_ids": i // 2, "candidate_ids": i // 2}


def labels(i: Tensor) -> dict[str, Any]:
    return {"positives": (i % 3, i % 3)}


def labels_and_ids(i: Tensor) -> dict[str, Any]:
    return labels(i) | {"anchor_ids": i, "candidate_ids": i}


def own_negatives(i: Tensor) -> dict[str, Any]:
    return {"negatives": table(i, 5).view(-1, 2, 6), "negative_offset": table(i, 6)[:, :2]}


def own_positives(i: Tensor) -> dict[str, Any]:
    return {"positives": table(i, 7)[:, :6], "positive_offset": table(i, 8)[:, 0]}


def own_columns(i: Tensor) -> dict[str, Any]:
    return {"positives": torch.arange(len(i))}


def table(i: Tensor, seed: int) -> Tensor:
    """(n, 12) numbers that belong to these rows of the batch."""
    return torch.randn(64, 12, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)[i]


def alone(objective: Callable[..., Tensor], **options: Any) -> Callable[[Scores, Any], Tensor]:
    return lambda scores, _: objective(scores, **options)


def both_ways(scores: Scores, _: Any) -> Tensor:
    """Over rows and columns, of which labels make different numbers."""
    rows, columns = scores.cross_entropy("both")
    return rows.mean() + 2 * columns.mean()


def one_way_and_other(scores: Scores, _: Any) -> Tensor:
    return scores.cross_entropy("anchors").mean() + scores.logsumexp("anchors", beta=0.5).sum()


def weighed(scores: Scores, _: Any) -> Tensor:
    """Rows that do not weigh the same: the gradient formed in the forward pass does not fit."""
    return scores.cross_entropy() * torch.arange(1.0, scores.shape[0] + 1)


def ratio(scores: Scores, bias: Any) -> Tensor:
    return objectives.flo(scores, scores.positive().tanh() + bias)


def by_guide(scores: Scores, _: Any) -> Tensor:
    guide = Scores(scores.anchors.detach().roll(1, 1), scores.candidates.detach(), temperature=0.5)
    return info_nce(guided(scores, guide)) + objectives.jensen_shannon(guided(scores, guide, margin=-1.5))


OBJECTIVES: dict[str, tuple[Callable[[Scores, Any], Tensor], Callable[[Tensor], dict[str, Any]]]] = {
    "info_nce": (alone(info_nce), plain),
    "info_nce, offsets": (alone(info_nce), offsets),
    "info_nce, ids": (alone(info_nce, symmetric=True), ids),
    "info_nce, symmetric": (alone(info_nce, symmetric=True), offsets),
    "info_nce, own negatives": (alone(info_nce), own_negatives),
    "info_nce, own positives": (alone(info_nce), own_positives),
    "info_nce, columns": (alone(info_nce, symmetric=True), own_columns),
    "rows weighed": (weighed, plain),
    "over anchors": (one_way_and_other, offsets),
    "supervised, outer": (alone(objectives.supervised_contrastive), labels),
    "supervised, inner": (alone(objectives.supervised_contrastive, placement="inner"), labels_and_ids),
    "labels, both ways": (both_ways, labels),
    "decoupled": (alone(objectives.decoupled), plain),
    "decoupled, weighted": (alone(objectives.decoupled, sigma=0.5), plain),
    "debiased": (alone(objectives.debiased, tau_plus=0.1), plain),
    "hard negatives": (alone(objectives.hard_negative, beta=0.7, tau_plus=0.05), plain),
    "sigmoid": (objectives.sigmoid, plain),
    "triplet, all": (alone(objectives.triplet, margin=0.5), plain),
    "triplet, hardest": (alone(objectives.triplet, margin=0.5, negatives="hardest"), plain),
    "triplet, semi-hard": (alone(objectives.triplet, margin=2.0, negatives="semi-hard"), plain),
    "smoothed": (alone(objectives.smoothed), plain),
    "Jensen-Shannon": (alone(objectives.jensen_shannon), plain),
    "Donsker-Varadhan": (alone(objectives.donsker_varadhan), plain),
    "MINE": (alone(objectives.mine, log_average=0.2), plain),
    "SMILE": (alone(objectives.smile, clip=1.0), plain),
    "NWJ": (alone(objectives.nwj), plain),
    "TUBA": (objectives.tuba, plain),
    "interpolated": (objectives.interpolated, plain),
    "FLO": (ratio, plain),
    "CLUB": (alone(objectives.club), plain),
    "leave one out": (alone(objectives.leave_one_out), plain),
    "Barber-Agakov": (alone(objectives.barber_agakov), plain),
    "rate": (lambda scores, bias: objectives.rate(scores, scores.positive().sin() + bias), plain),
    "negative sampling": (alone(objectives.negative_sampling), plain),
    "generalised BCE": (alone(objectives.generalised_bce, classes=100), plain),
    "by a guide": (by_guide, plain),
}


def with_queue(a: Tensor, c: Tensor, temperature: Tensor) -> Scores:
    """Older keys, alike in all processes, beside those of the batch."""
    keys = torch.cat([c, table(torch.arange(9), 3)[:, :6]])
    return Scores(a, keys, temperature=temperature, backend="streamed").shared()


def of_vectors(name: str) -> Callable[[Any, Any, Any, Any], Tensor]:
    """Losses that take vectors: of gathered ones; where they are scores, with the work shared out."""
    return {
        "NT-Xent": lambda a, c, t, b: nt_xent(gather(a), gather(c), temperature=t),
        "two views, shared": lambda a, c, t, b: objectives.decoupled(two_views(gather(a), gather(c), temperature=t).shared()),
        "parts and wholes": lambda a, c, t, b: objectives.whole_info_nce(
            local_scores(torch.stack([gather(a), gather(a).sin()], 1), gather(c), temperature=t).shared()
        ),
        "VICReg": lambda a, c, t, b: vicreg(gather(a), gather(c)) * b,
        "Barlow Twins": lambda a, c, t, b: objectives.barlow_twins(gather(a), gather(c)) * t,
        "uniformity": lambda a, c, t, b: objectives.uniformity(gather(torch.cat([a, c]))) * b,
        "CoSENT": lambda a, c, t, b: objectives.cosent((gather(a) * gather(c)).sum(1) + b, gather(numbered(len(a)) * 1.0)),
        "matryoshka": lambda a, c, t, b: objectives.matryoshka(info_nce, gather(a), gather(c), (2, 6), temperature=t),
        "queue": lambda a, c, t, b: info_nce(with_queue(gather(a), gather(c), t)),
    }[name]  # fmt: skip


VECTORS = (
    "NT-Xent",
    "two views, shared",
    "parts and wholes",
    "VICReg",
    "Barlow Twins",
    "uniformity",
    "CoSENT",
    "matryoshka",
    "queue",
)
WHOLE = ("info_nce", "info_nce, symmetric", "supervised, inner", "sigmoid", "Donsker-Varadhan", "interpolated")
LOSSES: dict[str, Learned] = {
    **{f"{name}, shared": of_scores(*what, "streamed") for name, what in OBJECTIVES.items()},
    **{f"{name}, whole": of_scores(*OBJECTIVES[name], "auto") for name in WHOLE},
    **{name: Learned(of_vectors(name)) for name in VECTORS},
}


def readings(rank: int, parts: tuple[int, ...]) -> dict[str, Any]:
    """Every reduction of gathered scores, as process `rank` of these has them."""
    own = slice(sum(parts[:rank]), sum(parts[: rank + 1]))
    i = torch.arange(sum(parts))[own]
    a, c = table(i, 1)[:, :6], table(i, 2)[:, :6]
    found: dict[str, Any] = {}
    for name, options in {"plain": plain, "ids": ids, "labels": labels_and_ids, "own": own_negatives}.items():
        for backend in ("auto", "streamed"):
            s = Scores.gathered(a, c, temperature=0.7, backend=backend, **options(i))
            found[f"{name} {backend}"] = [
                s.dense(), s.positive(), s.counts(), *s.logsumexp("both"), s.logsumexp(positives="out"),
                *s.logsumexp("both", beta=2.0, positives="only"), s.cross_entropy(), s.total(torch.exp), *s.hardest(3),
                s.hardest(1, at_most=s.positive())[0], s.rank(), torch.tensor(s.shape),
            ]  # fmt: skip
    more = torch.cat(
        [c, table(i, 4)[:, :6]]
    )  # candidates of no anchor: their columns depend on the parts, the rows do not
    for name, columns in {"row i": None, "columns": torch.arange(len(i))}.items():
        s = Scores.gathered(a, more, temperature=0.7, positives=columns)
        found[f"further candidates, {name}"] = [s.cross_entropy(), s.positive(), s.rank(), torch.tensor(s.shape)]
    return found


def refusals(rank: int, parts: tuple[int, ...]) -> list[str]:
    """What is said to inputs that differ between processes, or do not fit."""
    x = torch.ones(3, 2)
    cases: list[Callable[[], Any]] = [
        lambda: gather(x if rank else x.double()),
        lambda: gather(x if rank else x[:, :1]),
        lambda: Scores.gathered(
            x, x, **({"anchor_ids": torch.arange(3), "candidate_ids": torch.arange(3)} if rank else {})
        ),
        lambda: Scores.gathered(x, x, positives=torch.tensor([0, 1, 3 if rank == 1 else 2])),
        lambda: Scores.gathered(x, x[:2]),
        lambda: Scores.gathered(x[:0], x),
        lambda: Scores.gathered(x, x.numpy()),
        lambda: Scores.gathered(x if rank else x.numpy(), x),
        lambda: Scores.gathered(x if rank else x[0], x if rank else x[0]),
        lambda: Scores.gathered(x.long(), x.long()),
        lambda: Scores.gathered(x, x, positives=None if rank == 0 else ["a", "b", "c"]),
        lambda: gather(x.to(torch.complex64) if rank else x),
        lambda: gather([1, 2] if rank else x),
        lambda: gather(x[:, :, None, None, None] if rank else x),
    ]
    said = []
    for case in cases:
        try:
            case()
            said.append("")
        except InputError as error:
            said.append(str(error))
    return said


def gradient_that_only_the_first_wants(rank: int) -> Tensor | None:
    """The others take part in it all the same: it is the sum of what all ask for."""
    x = torch.ones(2, 3, requires_grad=rank == 0)
    gather(x).sum().backward()
    return x.grad


def everything(parts: list[tuple[int, ...]], rank: int) -> tuple[Any, ...]:
    shown = repr(Scores.gathered(torch.ones(4, 2), torch.ones(4, 2), backend="streamed"))
    wrong = _together({"": gathered_without_gradient}, parts[:1], 0, rank)["", parts[0]]
    right = _together(LOSSES, parts, 0, rank)
    wanted = gradient_that_only_the_first_wants(rank)
    return right, [readings(rank, p) for p in parts], refusals(rank, parts[0]), shown, wrong, wanted


@pytest.fixture(scope="module", params=WORLDS)
def world(request: pytest.FixtureRequest) -> tuple[int, list[Any]]:
    """All that k processes found, started once."""
    return request.param, rehearse(partial(everything, WORLDS[request.param]), request.param, seconds=500)


def test_every_gradient_is_that_of_one_process(world: tuple[int, list[Any]]) -> None:
    """Theorem: through gathers with their adjoints, the mean over processes of a common loss's gradients is its gradient."""
    k, found = world
    worst = {}
    for parts in WORLDS[k]:
        for name, loss in LOSSES.items():
            one = gradients(loss, (sum(parts),), 0, 0)
            for gathered in (ranks[0] for ranks in found):
                errors = [_beside(gathered[name, parts][what], one[what])[0] for what in one]
                worst[name, parts] = max([*errors, worst.get((name, parts), 0.0)])
            assert float(one[ENCODERS[0]].norm()) > 1e-3, f"{name}: nothing to compare"
    assert {case: error for case, error in worst.items() if not error < EXACT} == {}


def test_every_process_has_the_reductions_of_the_whole_batch(world: tuple[int, list[Any]]) -> None:
    k, found = world
    for case, parts in enumerate(WORLDS[k]):
        alone = readings(0, (sum(parts),))
        for _, readings_of_rank, *_ in found:
            for name, values in alone.items():
                for mine, expected in zip(readings_of_rank[case][name], values, strict=True):
                    torch.testing.assert_close(mine, expected, rtol=1e-12, atol=1e-12)


def test_inputs_that_differ_between_processes_are_refused_on_all(world: tuple[int, list[Any]]) -> None:
    _, found = world
    said = found[0][2]
    assert all(ranks[2] == said for ranks in found)
    assert "torch.float64 (n, 2) on process 0 and torch.float32 (n, 2) on process 1" in said[0]
    assert "(n, 1) on process 0 and torch.float32 (n, 2) on process 1" in said[1]
    assert "anchor_ids must be of one kind on all processes; got none on process 0" in said[2]
    assert "process 1 pairs an anchor with column 3 of its own 3 candidates" in said[3]
    assert "process 0 pairs an anchor with column 2 of its own 2 candidates" in said[4]
    assert "there are no anchors" in said[5]
    assert said[6].startswith("candidates must be a tensor")
    assert said[6].endswith("on process 0 it is none.")
    assert said[7].startswith("anchors must be a tensor")
    assert "torch.float32 (n) on process 0 and torch.float32 (n, 2) on process 1" in said[8]
    assert "anchors must be floating point, not torch.int64" in said[9]
    assert said[10].startswith("positives must be a tensor of numbers")
    assert said[10].endswith("on process 1 it is none.")
    assert all(said)


def test_a_gradient_may_be_wanted_by_one_process_alone(world: tuple[int, list[Any]]) -> None:
    k, found = world
    assert torch.equal(found[0][5], torch.full((2, 3), float(k)))
    assert all(ranks[5] is None for ranks in found[1:])


def test_repr_says_who_shares(world: tuple[int, list[Any]]) -> None:
    k, found = world
    assert f"{4 * k} x {4 * k}" in found[0][3]
    assert f"shared by {k} processes" in found[0][3]


def test_in_a_single_process_it_is_scores_itself() -> None:
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    assert gather(x) is x
    scores = Scores.gathered(x, x, temperature=0.5, anchor_ids=torch.arange(5), candidate_ids=torch.arange(5))
    assert repr(scores) == repr(Scores(x, x, temperature=0.5))
    assert scores.anchors is x
    with pytest.raises(InputError, match="there are no anchors"):
        Scores.gathered(x[:0], x)


@pytest.mark.parametrize(("rows", "size"), [(10, 4), (4, 4), (3, 4), (0, 2), (7, 1)])
def test_shares_cover_all_rows_once(rows: int, size: int) -> None:
    taken = [i for rank in range(size) for i in range(rows)[share(rows, rank, size)]]
    assert taken == list(range(rows))
    assert max(shares(rows, size)) - min(shares(rows, size)) <= 1


# `check_distributed` tells right from wrong, and says what is wrong. Gradients that a loss would find, made up:


def compared(parts: tuple[int, ...], errors: tuple[float, float], factors: tuple[float, float]) -> list[Compared]:
    return [Compared(parts, *row) for row in zip(ENCODERS, errors, factors, strict=True)]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (compared((6, 6), (1e-9, 1e-9), (1.0, 1.0)), "equal those of one"),
        (compared((6, 6), (0.5, 0.5), (0.5, 0.5)), "0.5 times that of one process: divide the loss by 0.5"),
        (compared((6, 6), (1.0, 1.0), (2.0, 2.0)), "2 times that of one process"),
        (compared((6, 6), (1e-9, 0.4), (1.0, 0.8)), "gathered without gradient"),
        (
            compared((6, 6), (1e-9, 1e-9), (1.0, 1.0)) + compared((6, 5), (0.02, 0.02), (1.0, 1.01)),
            "weighs processes, not rows",
        ),
        (compared((6, 6), (0.3, 0.4), (0.9, 0.8)), "most that of the candidates' encoder (by 0.4"),
        (compared((6, 6), (float("nan"), 0.0), (1.0, 1.0)), "differ"),
    ],
)
def test_the_verdict_names_the_fault(found: list[Compared], said: str) -> None:
    check = verdict(found, 2, 1e-5)
    assert said in str(check)
    assert check.ok == ("equal" in said)


def gathered_without_gradient(anchors: Tensor, candidates: Tensor) -> Tensor:
    """What many write: the mean over the own rows, the others' candidates without gradient."""
    return info_nce(rows_against_all(anchors, candidates, gather(candidates.detach()))).mean()


def rows_against_all(anchors: Tensor, candidates: Tensor, everyone: Tensor) -> Scores:
    start = int(gather(torch.tensor([len(anchors)]))[: processes()[0]].sum())
    own = torch.arange(start, start + len(anchors))
    return Scores(anchors, everyone.index_copy(0, own, candidates), positives=own)


def test_a_gather_without_gradient_is_found_out(world: tuple[int, list[Any]]) -> None:
    k, found = world
    parts = WORLDS[k][0]
    one, several = gradients(gathered_without_gradient, (sum(parts),), 0, 0), found[0][4]
    check = verdict([Compared(parts, name, *_beside(several[name], one[name])) for name in one], k, 1e-5)
    assert not check.ok
    assert "gathered without gradient" in check.verdict


class Sharp(nn.Module):
    """A loss with a parameter of its own, right in all processes."""

    def __init__(self) -> None:
        super().__init__()
        self.sharpness = nn.Parameter(torch.tensor(1.5))

    def forward(self, anchors: Tensor, candidates: Tensor) -> Tensor:
        return info_nce(Scores.gathered(anchors * self.sharpness, candidates), symmetric=True).mean()


def test_check_distributed_of_a_right_loss() -> None:
    right = check_distributed(Sharp(), processes=2)
    assert right.ok
    assert {c.name for c in right.compared} == {*ENCODERS, "sharpness"}
    assert {c.parts for c in right.compared} == {(6, 6), (6, 5)}


def stumbles(anchors: Tensor, candidates: Tensor) -> Tensor:
    if processes()[0] == 1:
        raise ArithmeticError("a step too far")
    return gather(anchors).sum() + candidates.sum()


def test_check_distributed_says_what_stopped_it() -> None:
    with pytest.raises(InfomaxError, match="a step too far"):
        check_distributed(stumbles)
    with pytest.raises(InputError, match="as many numbers of rows"):
        check_distributed(stumbles, parts=[(1, 2, 3)])
    with pytest.raises(InputError, match="scalar"):
        check_distributed(lambda a, c: a)
    lock = Lock()
    with pytest.raises(InputError, match="cannot be sent"):
        check_distributed(lambda a, c: (a * c).sum() + (lock is None))
