"""InfoNCE is torch's cross-entropy on the dense matrix: same numbers, same gradients, in every form that it takes."""

from __future__ import annotations

from math import exp

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

import infomax
from infomax.objectives import InfoNCELoss, info_nce, info_nce_loss
from infomax.scores import Scores, tiles

FORMS = ["in-batch", "shared", "own", "symmetric"]
SIZES = [(2, 1), (5, 3), (23, 7)]


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    rng = torch.Generator().manual_seed(seed + 1000 * len(shape))
    return torch.randn(*shape, generator=rng, dtype=torch.float64).to(dtype).requires_grad_()


def inputs(form: str, n: int, d: int, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """query, positive_key and, where the form has them, negative_keys."""
    given = [normal(n, d, seed=1, dtype=dtype), normal(n, d, seed=2, dtype=dtype)]
    more = {"shared": (n + 4, d), "own": (n, 3, d)}.get(form)
    return given if more is None else [*given, normal(*more, seed=3, dtype=dtype)]


def plain(form: str, given: list[Tensor], temperature, reduction: str, unit: bool) -> Tensor:
    """The loss as one would write it: form the matrix, call torch."""
    q, p, *rest = [normalize(x, dim=-1) for x in given] if unit else given
    if form in ("in-batch", "symmetric"):
        logits, target = q @ p.T / temperature, torch.arange(len(q))
    else:
        negatives = q @ rest[0].T if form == "shared" else torch.einsum("nd,nkd->nk", q, rest[0])
        logits = torch.cat([(q * p).sum(1, keepdim=True), negatives], 1) / temperature
        target = torch.zeros(len(q), dtype=torch.int64)
    loss = cross_entropy(logits, target, reduction=reduction)
    return (loss + cross_entropy(logits.T, target, reduction=reduction)) / 2 if form == "symmetric" else loss


def gradients(loss: Tensor, leaves: list[Tensor]) -> tuple[Tensor, ...]:
    weights = torch.linspace(-1, 2, loss.numel(), dtype=loss.dtype).reshape(loss.shape) if loss.ndim else 1.0
    return torch.autograd.grad((loss * weights).sum(), leaves)


@pytest.fixture(params=["as chosen", "dense", "streamed"])
def backend(request, monkeypatch):
    """The choice of `Scores` by size, left alone or forced; streamed through many ragged tiles."""
    if request.param != "as chosen":
        monkeypatch.setattr("infomax.scores.scores.CACHE_BYTES", 0)
    if request.param == "streamed":
        monkeypatch.setattr("infomax.scores.scores.DENSE_CELLS", 0)
        monkeypatch.setattr(tiles, "CPU_TILE", (8, 9))
        monkeypatch.setattr(tiles, "CPU_BLOCK_BYTES", 16 * 8 * 9)
    return request.param


@pytest.mark.parametrize("unit", [True, False], ids=["normalized", "as given"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("form", FORMS)
def test_values_and_gradients_are_those_of_cross_entropy(form, reduction, unit, backend):
    for n, d in SIZES:
        given, temperature = inputs(form, n, d), torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
        got = info_nce_loss(
            *given, temperature=temperature, normalize=unit, symmetric=form == "symmetric", reduction=reduction
        )
        want = plain(form, given, temperature, reduction, unit)
        assert got.shape == want.shape
        torch.testing.assert_close(got, want, rtol=1e-11, atol=1e-12)
        leaves = [*given, temperature]
        for ours, theirs in zip(gradients(got, leaves), gradients(want, leaves), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("form", FORMS)
def test_lower_precision_is_as_near_to_float64_as_torch_is(form, dtype, backend):
    given = inputs(form, 23, 7, dtype)
    exact = plain(form, [x.detach().double() for x in given], 0.1, "mean", False)
    torchs = plain(form, [x.detach() for x in given], 0.1, "mean", False)
    ours = info_nce_loss(*given, temperature=0.1, normalize=False, symmetric=form == "symmetric")
    assert ours.dtype == torch.float32
    assert abs(float(ours.detach() - exact)) <= max(1.5 * abs(float(torchs - exact)), 1e-6 * float(exact))
    for leaf, slope in zip(given, gradients(ours, given), strict=True):
        assert slope.dtype == leaf.dtype
        assert slope.isfinite().all()


@pytest.mark.parametrize("form", FORMS)
def test_logit_scale_is_the_inverse_of_the_temperature(form, backend):
    given = inputs(form, 6, 3)
    scale = torch.tensor(12.5, dtype=torch.float64, requires_grad=True)
    got = info_nce_loss(*given, logit_scale=scale, symmetric=form == "symmetric")
    torch.testing.assert_close(got, info_nce_loss(*given, temperature=0.08, symmetric=form == "symmetric"))
    want = plain(form, given, 1 / scale, "mean", True)
    torch.testing.assert_close(gradients(got, [scale])[0], gradients(want, [scale])[0], rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(info_nce_loss(*given, logit_scale=12.5, symmetric=form == "symmetric"), got)


def test_the_default_temperature_is_that_of_the_field(backend):
    given = inputs("in-batch", 6, 3)
    torch.testing.assert_close(info_nce_loss(*given), plain("in-batch", given, 0.07, "mean", True))


def test_negative_keys_are_the_only_negatives(backend):
    """Other rows' positive keys stay out where negatives are given (info-nce-pytorch does the same)."""
    query, key, shared = inputs("shared", 5, 3)
    before = info_nce_loss(query, key, shared, reduction="none")
    elsewhere = torch.cat([key[:1], -key[1:]])
    torch.testing.assert_close(info_nce_loss(query, elsewhere, shared, reduction="none")[0], before[0])
    torch.testing.assert_close(info_nce_loss(query, key, shared.expand(5, -1, -1), reduction="none"), before)


def test_normalized_vectors_have_no_length(backend):
    query, key = inputs("in-batch", 5, 3)
    torch.testing.assert_close(info_nce_loss(7 * query, key / 3), info_nce_loss(query, key))
    longer, given = (info_nce_loss(scale * query, key, normalize=False) for scale in (7, 1))
    assert (longer - given).abs() > 0.1


def test_a_tiny_loss_keeps_its_digits(backend):
    """log(1 + x) of an x below the rounding of 1: torch's float32 says 0."""
    query = torch.eye(4)
    got = info_nce_loss(query, query, temperature=0.02)
    assert float(got) == pytest.approx(3 * torch.exp(torch.tensor(-50.0, dtype=torch.float64)).item(), rel=1e-5, abs=0)
    assert float(info_nce_loss(query, -query, temperature=0.02)) == pytest.approx(
        50 + torch.log(torch.tensor(3.0)).item()
    )


def test_a_large_loss_keeps_its_digits(backend):
    """log(1 + e^x) = x + e^-x for x = 21: softplus, which returns x above 20, loses the tenth digit and the gradient's."""
    query = torch.eye(2, dtype=torch.float64, requires_grad=True)
    loss = info_nce_loss(query, -query.detach(), temperature=1 / 21, reduction="none", normalize=False)
    torch.testing.assert_close(loss, torch.full_like(loss, 21 + exp(-21)), rtol=1e-14, atol=0)
    (slope,) = torch.autograd.grad(loss.sum(), query)
    torch.testing.assert_close(slope[0, 1], -21 / (1 + exp(-21)) * torch.ones_like(slope[0, 1]), rtol=1e-14, atol=0)


def clip_loss(image: Tensor, text: Tensor, logit_scale: Tensor) -> Tensor:
    """open_clip's ClipLoss.forward on one process, as it stands there."""
    logits_per_image = logit_scale * image @ text.T
    logits_per_text = logit_scale * text @ image.T
    labels = torch.arange(logits_per_image.shape[0])
    return (cross_entropy(logits_per_image, labels) + cross_entropy(logits_per_text, labels)) / 2


def test_it_stands_in_for_open_clip(backend):
    image, text = (normalize(x, dim=-1).detach().requires_grad_() for x in inputs("in-batch", 21, 6))
    logged = torch.tensor(2.659, dtype=torch.float64, requires_grad=True)  # log(1 / 0.07), CLIP's starting point
    got = info_nce_loss(image, text, logit_scale=logged.exp(), symmetric=True, normalize=False)
    want = clip_loss(image, text, logged.exp())
    torch.testing.assert_close(got, want, rtol=1e-11, atol=0)
    for ours, theirs in zip(gradients(got, [image, text, logged]), gradients(want, [image, text, logged]), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


def test_the_function_on_scores_is_the_same_loss(backend):
    query, key = inputs("in-batch", 21, 6)
    for symmetric in (False, True):
        want = plain("symmetric" if symmetric else "in-batch", [query, key], 0.5, "none", False)
        for eager in (True, False):
            got = info_nce(Scores(query, key, temperature=0.5), symmetric=symmetric, eager=eager)
            torch.testing.assert_close(got, want, rtol=1e-11, atol=1e-12)
    forth, back = Scores(query, key, temperature=0.5).cross_entropy("both")
    assert (forth - back).abs().min() > 1e-6


def test_the_module_learns_its_temperature(backend):
    given = inputs("symmetric", 8, 3)
    module = InfoNCELoss(0.2, symmetric=True, learn_temperature=True).double()
    assert [name for name, _ in module.named_parameters()] == ["log_scale"]
    loss = module(*given)
    free = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
    want = plain("symmetric", given, free, "mean", True)
    torch.testing.assert_close(loss, want, rtol=1e-7, atol=0)  # log_scale was made in float32
    loss.backward()
    (slope,) = torch.autograd.grad(want, free)
    torch.testing.assert_close(module.log_scale.grad, slope * -0.2, rtol=1e-6, atol=0)  # d t / d log(1/t) = -t
    before = float(module.temperature.detach())
    torch.optim.SGD(module.parameters(), lr=0.1).step()
    assert (float(module.temperature.detach()) - before) * float(slope) < 0


@pytest.mark.parametrize("learn", [True, False])
def test_the_module_s_temperature_is_in_its_state(learn):
    module, other = InfoNCELoss(0.2, learn_temperature=learn), InfoNCELoss(0.9, learn_temperature=learn)
    assert list(module.state_dict()) == ["log_scale"]
    other.load_state_dict(module.state_dict())
    assert float(other.temperature.detach()) == pytest.approx(0.2)
    assert repr(other) == "InfoNCELoss(temperature=0.2, symmetric=False, reduction='mean')"


def test_the_module_passes_its_options_on(backend):
    given = inputs("own", 6, 3)
    module = InfoNCELoss(0.3, normalize=False, reduction="none").double()
    assert not list(module.parameters())
    torch.testing.assert_close(module(*given), plain("own", given, module.temperature, "none", False))
    assert infomax.InfoNCELoss is InfoNCELoss
    assert infomax.info_nce_loss is info_nce_loss


@pytest.mark.parametrize("form", FORMS)
def test_autocast_changes_nothing(form, backend):
    """Under autocast encoders give bfloat16, but scores of float32 vectors keep float32 products and sums."""
    given = inputs(form, 23, 7, torch.float32)
    temperature = torch.tensor(0.1, requires_grad=True)
    results = []
    for enabled in (False, True):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            loss = info_nce_loss(*given, temperature=temperature, symmetric=form == "symmetric", reduction="none")
        results.append([loss, *gradients(loss, [*given, temperature])])
    for off, on in zip(*results, strict=True):
        assert torch.equal(off, on)
