"""PyTorch Metric Learning's losses by their definitions, pair by pair and triplet by triplet, in float64."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize as unit

from infomax.adapters.metric_learning import NTXentLoss, SupConLoss, TripletMarginLoss
from infomax.errors import InputError


def _nt_xent(s: Tensor, same: Tensor, live: Tensor) -> Tensor:
    losses = []
    for a in range(len(s)):
        negatives = s[a][live[a] & ~same[a]].exp().sum()
        losses += [-torch.log(s[a, p].exp() / (s[a, p].exp() + negatives)) for p in (live[a] & same[a]).nonzero()[:, 0]]
    return torch.stack(losses).mean()


def _sup_con(s: Tensor, same: Tensor, live: Tensor) -> Tensor:
    losses = []
    for a in range(len(s)):
        if (live[a] & same[a]).any():
            losses.append((s[a][live[a]].logsumexp(0) - s[a][live[a] & same[a]]).mean())
    return torch.stack(losses).mean()


def _triplet(s: Tensor, same: Tensor, live: Tensor) -> Tensor:
    excess = [
        0.1 - s[a, p] + s[a, n]
        for a in range(len(s))
        for p in (live[a] & same[a]).nonzero()[:, 0]
        for n in (live[a] & ~same[a]).nonzero()[:, 0]
    ]
    above = torch.stack(excess).relu()
    return above.sum() / (above > 0).sum()


CASES: dict[str, tuple[Callable[[], torch.nn.Module], float, Callable[..., Tensor]]] = {
    "NTXentLoss": (lambda: NTXentLoss(temperature=0.2), 0.2, _nt_xent),
    "SupConLoss": (lambda: SupConLoss(temperature=0.2), 0.2, _sup_con),
    "TripletMarginLoss": (lambda: TripletMarginLoss(0.1, distance="cosine"), 1.0, _triplet),
    "TripletMarginLoss, squared": (lambda: TripletMarginLoss(0.1, distance="squared"), 0.5, _triplet),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("references", [False, True], ids=["own", "references"])
def test_equal_to_the_definition(name: str, references: bool) -> None:
    make, temperature, definition = CASES[name]
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(13, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0, 3, 1, 0, 9, 8, 2])  # 3, 8 and 9 have no true pair of their own
    r = torch.randn(9, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    reference_labels = torch.tensor([1, 0, 2, 2, 5, 0, 1, 7, 8])
    other, other_labels = (r, reference_labels) if references else (x, labels)
    s = unit(x, dim=1) @ unit(other, dim=1).t() / temperature
    same = labels[:, None] == other_labels
    live = torch.ones_like(same) if references else ~torch.eye(13, dtype=torch.bool)
    expected = definition(s, same, live)
    given = {"ref_emb": r, "ref_labels": reference_labels} if references else {}
    found = make()(x, labels, **given)
    inputs = [x, r] if references else [x]
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=0)
    for one, other_one in zip(torch.autograd.grad(found, inputs), torch.autograd.grad(expected, inputs), strict=True):
        torch.testing.assert_close(one, other_one, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_the_very_same_labels_say_that_item_i_is_that_of_row_i(name: str) -> None:
    """As in the original, where `ref_labels is labels`: the usual call with two views or a momentum encoder."""
    make, temperature, definition = CASES[name]
    q, k = torch.randn(2, 8, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    labels = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
    s, same = unit(q, dim=1) @ unit(k, dim=1).t() / temperature, labels[:, None] == labels
    apart = ~torch.eye(8, dtype=torch.bool)
    torch.testing.assert_close(make()(q, labels, ref_emb=k, ref_labels=labels), definition(s, same, apart))
    copied = make()(q, labels, ref_emb=k, ref_labels=labels.clone())
    torch.testing.assert_close(copied, definition(s, same, torch.ones_like(apart)))
    alone = torch.arange(8)
    assert make()(q, alone, ref_emb=k, ref_labels=alone) == 0


def test_labels_of_two_kinds_and_no_rows() -> None:
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    yes = torch.tensor([True, False, True, False, True, False])
    assert SupConLoss()(x, yes) == SupConLoss()(x, yes.long())
    assert SupConLoss()(x[:0], yes[:0]) == 0


@pytest.mark.parametrize("name", CASES)
def test_streamed_as_dense(name: str) -> None:
    """Above 16,384 cells scores are streamed: the same numbers, ten classes of sixteen."""
    make, temperature, definition = CASES[name]
    if definition is _triplet:
        pytest.skip("4 million triplets one by one; the pieces are those of the small case")
    x = torch.randn(160, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    labels = torch.arange(160) % 10
    s = unit(x, dim=1) @ unit(x, dim=1).t() / temperature
    same = labels[:, None] == labels
    torch.testing.assert_close(make()(x, labels), definition(s, same, ~torch.eye(160, dtype=torch.bool)))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [5, 5, 5, 5]], ids=["no true pair", "no negative"])
def test_a_batch_without_pairs_is_worth_nothing(name: str, labels: list[int]) -> None:
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    loss = CASES[name][0]()(x, torch.tensor(labels))
    assert loss == 0
    loss.backward()
    assert x.grad is not None
    assert not x.grad.any()


def test_two_views_are_nt_xent() -> None:
    from infomax.objectives import nt_xent

    a, b = torch.randn(2, 8, 4, generator=torch.Generator().manual_seed(0))
    loss = NTXentLoss(temperature=0.3)(torch.cat([a, b]), torch.arange(8).repeat(2))
    torch.testing.assert_close(loss, nt_xent(a, b, temperature=0.3).mean())


class CosineSimilarity:
    """As the original's distance looks."""

    power = 1


class LpDistance:
    """As the original's distance looks."""

    def __init__(self, p: int = 2, power: int = 1, normalize_embeddings: bool = True) -> None:
        self.p, self.power, self.normalize_embeddings = p, power, normalize_embeddings


def test_distances_of_the_original() -> None:
    x, labels = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)), torch.arange(6) % 2
    cosine, squared = (TripletMarginLoss(0.2, distance=d)(x, labels) for d in (CosineSimilarity(), LpDistance(power=2)))
    assert cosine == TripletMarginLoss(0.2, distance="cosine")(x, labels)
    assert squared == TripletMarginLoss(0.2, distance="squared")(x, labels)
    for refused in (
        None,
        LpDistance(),
        LpDistance(p=1, power=2),
        LpDistance(power=2, normalize_embeddings=False),
        "l2",
    ):
        with pytest.raises(InputError, match="distance must be"):
            TripletMarginLoss(0.2, distance=refused)


def test_references_of_one_label_leave_no_negative() -> None:
    """The originals: 0 where negatives are needed, and the positives among themselves where they are not."""
    generator = torch.Generator().manual_seed(5)
    x, r = (torch.randn(n, 3, generator=generator, dtype=torch.float64, requires_grad=True) for n in (4, 3))
    labels, references = torch.tensor([0, 0, 1, 2]), torch.zeros(3, dtype=torch.int64)
    s, same = unit(x, dim=1) @ unit(r, dim=1).t() / 0.2, labels[:, None] == references
    found = SupConLoss(temperature=0.2)(x, labels, ref_emb=r, ref_labels=references)
    torch.testing.assert_close(found, _sup_con(s, same, torch.ones_like(same)))
    for loss in (NTXentLoss(), TripletMarginLoss(0.1, distance="cosine")):
        found = loss(x, labels, ref_emb=r, ref_labels=references)
        assert found == 0
        assert not torch.autograd.grad(found, x)[0].any()


def test_what_would_change_the_meaning_is_refused() -> None:
    x, labels = torch.eye(4), torch.tensor([0, 0, 1, 1])
    with pytest.raises(InputError, match="indices_tuple"):
        SupConLoss()(x, labels, (labels, labels, labels))
    with pytest.raises(InputError, match="reducer would change"):
        NTXentLoss(reducer=object())
    with pytest.raises(InputError, match="temperature must be positive"):
        SupConLoss(temperature=0.0)
    with pytest.raises(InputError, match="margin must be finite"):
        TripletMarginLoss(float("nan"), distance="cosine")
    with pytest.raises(InputError, match="swap"):
        TripletMarginLoss(0.1, swap=True, distance="cosine")
    with pytest.raises(InputError, match="labels must be integers"):
        SupConLoss()(x)
    with pytest.raises(InputError, match="labels must be integers"):
        SupConLoss()(x, labels.float())
    with pytest.raises(InputError, match="ref_labels without"):
        SupConLoss()(x, labels, ref_labels=labels)
    with pytest.raises(InputError, match="ref_labels must be"):
        SupConLoss()(x, labels, ref_emb=x)
    with pytest.raises(InputError, match="embeddings must be"):
        SupConLoss()(x.long(), labels)
