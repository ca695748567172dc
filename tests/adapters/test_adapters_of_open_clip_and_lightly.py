"""open_clip's and lightly's losses by their definitions: torch's cross-entropy on dense logits, in float64."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, logsigmoid
from torch.nn.functional import normalize as unit

from infomax.adapters import lightly
from infomax.adapters.open_clip import ClipLoss, SigLipLoss
from infomax.errors import InputError
from infomax.scores.check_distributed import check_distributed
from infomax.scores.gather import processes
from infomax.scores.rehearsal import rehearse


def _draw(n: int = 9) -> tuple[Tensor, Tensor]:
    a, b = torch.randn(2, n, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return unit(a, dim=1).requires_grad_(), unit(b, dim=1).requires_grad_()


def _agree(found: Any, expected: Tensor, inputs: list[Tensor]) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=0)
    theirs, ours = torch.autograd.grad(expected, inputs), torch.autograd.grad(found, inputs)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-12)


def test_clip() -> None:
    (image, text), scale = _draw(), torch.tensor(14.0, dtype=torch.float64, requires_grad=True)
    logits, labels = scale * image @ text.t(), torch.arange(9)
    expected = (cross_entropy(logits, labels) + cross_entropy(logits.t(), labels)) / 2
    _agree(ClipLoss()(image, text, scale), expected, [image, text, scale])
    told = ClipLoss(cache_labels=True)(image, text, scale, logit_bias=torch.tensor(-3.0), output_dict=True)
    assert isinstance(told, dict)
    assert list(told) == ["contrastive_loss"]
    torch.testing.assert_close(told["contrastive_loss"], expected)


@pytest.mark.parametrize("shape", [(), (1,)], ids=["number", "vector of one"])
def test_sig_lip(shape: tuple[int, ...]) -> None:
    image, text = _draw()
    scale = torch.full(shape, 10.0, dtype=torch.float64, requires_grad=True)
    bias = torch.full(shape, -2.0, dtype=torch.float64, requires_grad=True)
    sign = 2 * torch.eye(9, dtype=torch.float64) - 1
    expected = -logsigmoid(sign * (scale * image @ text.t() + bias)).sum() / 9
    _agree(SigLipLoss()(image, text, scale, bias), expected, [image, text, scale, bias])
    without = -logsigmoid(sign * (scale * image @ text.t())).sum() / 9
    torch.testing.assert_close(SigLipLoss()(image, text, scale, None, output_dict=True)["contrastive_loss"], without)


def test_nt_xent_of_lightly() -> None:
    a, b = torch.randn(2, 7, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    views = torch.cat([a, b]).requires_grad_()
    logits = (unit(views, dim=1) @ unit(views, dim=1).t() / 0.3).masked_fill(
        torch.eye(14, dtype=torch.bool), -torch.inf
    )
    expected = cross_entropy(logits, torch.arange(14).roll(7))
    _agree(lightly.NTXentLoss(0.3, 0, True)(views[:7], views[7:]), expected, [views])


@pytest.mark.parametrize("loss", [ClipLoss, SigLipLoss])
def test_several_processes_learn_as_one(loss: Any) -> None:
    def of(anchors: Tensor, candidates: Tensor) -> Tensor:
        rank, world_size = processes()
        gather = {"gather_with_grad": True} if loss is ClipLoss else {}
        return loss(rank=rank, world_size=world_size, **gather)(anchors, candidates, 5.0, -1.0)

    found = check_distributed(of)
    assert found.ok, str(found)


def test_processes_that_are_not_told_of_are_refused() -> None:
    def said(rank: int) -> list[str]:
        found = []
        for loss in (ClipLoss, SigLipLoss):
            with pytest.raises(InputError) as error:
                loss()
            found.append(str(error.value))
        return found

    for rank, sentences in enumerate(rehearse(said, 2)):
        assert all(f"has rank {rank} of 2: pass these" in sentence for sentence in sentences)


def test_a_batch_of_one_costs_nothing_as_with_the_originals() -> None:
    one = torch.ones(1, 3, requires_grad=True)
    for loss in (ClipLoss()(one, one, 5.0), lightly.NTXentLoss()(one, one)):
        assert loss == 0
        loss.backward()
    assert not one.grad.any()


def test_what_would_change_the_meaning_is_refused() -> None:
    with pytest.raises(InputError, match="use_horovod"):
        ClipLoss(use_horovod=True)
    with pytest.raises(InputError, match="has rank 0 of 1"):
        ClipLoss(gather_with_grad=True, rank=1, world_size=2)
    with pytest.raises(InputError, match="has rank 0 of 1"):
        SigLipLoss(world_size=2)
    with pytest.raises(InputError, match="dist_impl"):
        SigLipLoss(dist_impl="ring")
    with pytest.raises(InputError, match="one shape"):
        ClipLoss()(torch.eye(3), torch.eye(4), 1.0)
    with pytest.raises(InputError, match="Queue"):
        lightly.NTXentLoss(memory_bank_size=(4096, 128))
    with pytest.raises(InputError, match="temperature must be positive"):
        lightly.NTXentLoss(temperature=0.0)


@pytest.mark.parametrize("module", ["open_clip", "lightly"])
def test_several_processes_are_told_what_to_do(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"infomax.adapters.{module}.processes", lambda: (1, 2))
    if module == "open_clip":
        ClipLoss(gather_with_grad=True, rank=1, world_size=2)
        with pytest.raises(InputError, match="gather_with_grad=True"):
            ClipLoss(rank=1, world_size=2)
        with pytest.raises(InputError, match="rank=0, world_size=2"):
            SigLipLoss(rank=0, world_size=2)
    else:
        lightly.NTXentLoss()
        with pytest.raises(InputError, match="gathered"):
            lightly.NTXentLoss(gather_distributed=True)
