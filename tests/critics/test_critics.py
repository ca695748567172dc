"""Critics against their definitions, pair by pair; gradients; memory; refusals."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal
from torch.nn.functional import cosine_similarity

from infomax import bounds, objectives
from infomax.critics import (
    Bilinear,
    Concatenated,
    GaussianConditional,
    Separable,
    concatenated,
    cosine,
    distance,
    dot,
    gaussian_conditional,
)
from infomax.errors import InputError
from infomax.scores import Scores

MODULES = [Bilinear, Separable, Concatenated, GaussianConditional]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sides(n: int = 7, m: int = 9, x_width: int = 4, y_width: int = 4, dtype=torch.float64) -> tuple[Tensor, Tensor]:
    rng = generator(3)
    return tuple(torch.randn(*s, generator=rng, dtype=dtype) for s in ((n, x_width), (m, y_width)))


def built(module: type, x_width: int = 4, y_width: int = 3, **options) -> torch.nn.Module:
    return module(x_width, y_width, generator=generator(), **options).double()


@pytest.mark.parametrize("backend", ["dense", "streamed"])
def test_products_by_definition(backend):
    x, y = sides()
    pairs = [(a, b) for a in x for b in y]
    t = torch.tensor(0.4, dtype=torch.float64)
    for critic, of in (
        (dot, lambda a, b: (a * b).sum()),
        (cosine, lambda a, b: cosine_similarity(a, b, dim=0)),
        (distance, lambda a, b: -(a - b).square().sum()),
    ):
        want = torch.stack([of(a, b) for a, b in pairs]).reshape(7, 9) / 0.4
        torch.testing.assert_close(critic(x, y, temperature=t, backend=backend).dense(), want)


def test_distance_keeps_its_digits_far_from_the_origin():
    """Squared norms of 1e8, distances of order 1, float32: the plain expansion would lose them all."""
    x, y = sides(dtype=torch.float32)
    near = distance(x, y).dense()
    far = distance(x + 2**13, y + 2**13).dense()
    torch.testing.assert_close(far, near, rtol=0.02, atol=0.02)


def test_gradients_of_the_distance():
    """Through both sides and the temperature, though the centre is taken as fixed."""
    x, y = sides()
    t = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    fn = lambda x, y, t: distance(x, y, temperature=t).logsumexp()  # noqa: E731
    assert torch.autograd.gradcheck(fn, (x.requires_grad_(), y.requires_grad_(), t))


def test_options_of_the_pairs_go_through():
    """Another order of the columns, and ids; and the distance's word is not voided by an offset on the candidates."""
    x, y = sides(m=7)
    order = torch.arange(6, -1, -1)
    for critic in (dot, cosine, distance):
        assert torch.equal(critic(x, y, positives=order).positive(), critic(x, y).dense()[torch.arange(7), order])
        assert bounds.info_nce(critic(x, y)).side == "lower"
    for module in MODULES:
        critic = built(module, 4, 4)
        found = critic(x, y, positives=order, anchor_ids=order // 2, candidate_ids=order // 2)
        assert bounds.info_nce(critic(x, y, positives=order)).side == "lower"
        assert bounds.info_nce(found).side == "neither"
        torch.testing.assert_close(found.positive(), critic(x, y).dense()[torch.arange(7), order])


def test_the_bilinear_form():
    x, y = sides(y_width=3)
    critic = built(Bilinear)
    want = torch.einsum("ia,ba,jb->ij", x, critic.weight.weight, y)
    for backend in ("dense", "streamed"):
        torch.testing.assert_close(critic(x, y, backend=backend).dense(), want)


def test_the_separable_critic_is_a_product_of_two_networks():
    x, y = sides(y_width=3)
    critic = built(Separable, hidden=(8,), out=5)
    want = torch.stack([torch.stack([(critic.g(a) * critic.h(b)).sum() for b in y]) for a in x]) / 5**0.5
    torch.testing.assert_close(critic(x, y).dense(), want)
    assert critic(x.repeat(100, 1), y.repeat(100, 1)).backend == "streamed"


@pytest.mark.parametrize("numbers", [1, 16, 100, 1 << 20])
@pytest.mark.parametrize("hidden", [(6,), (6, 8)])
def test_the_concatenated_critic_is_one_network_of_both(hidden, numbers, monkeypatch):
    """Whatever the blocks: the network of the concatenation, pair by pair, with its gradients."""
    monkeypatch.setattr(concatenated, "BLOCK_NUMBERS", numbers)
    x, y = (side.requires_grad_() for side in sides(y_width=3))
    critic = built(Concatenated, hidden=hidden)

    def plain(x: Tensor, y: Tensor) -> Tensor:
        both = torch.cat([x.unsqueeze(1).expand(-1, 9, -1), y.expand(7, -1, -1)], 2)
        return critic.rest(critic.first(both)).squeeze(2)

    found, want = critic(x, y).dense(), plain(x, y)
    torch.testing.assert_close(found, want)
    leaves = [x, y, *critic.parameters()]
    weights = torch.randn(7, 9, generator=generator(), dtype=torch.float64)
    for ours, theirs in zip(*(torch.autograd.grad((s * weights).sum(), leaves) for s in (found, want)), strict=True):
        torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(critic.pairwise(x, y[:7]), want.diagonal())
    with torch.no_grad():
        torch.testing.assert_close(critic(x, y).dense(), want)


def test_the_concatenated_critic_keeps_no_hidden_layer(monkeypatch):
    """What autograd saves is of the size of the scores and the inputs, not of N·M hidden units."""
    monkeypatch.setattr(concatenated, "BLOCK_NUMBERS", 1 << 12)
    x, y = sides(60, 50)
    critic, saved = built(Concatenated, 4, 4, hidden=(64, 64)), {}

    def pack(tensor: Tensor) -> Tensor:
        saved[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = objectives.nwj(critic(x, y[:50], positives=torch.arange(60) % 50)).mean()
    loss.backward()
    assert sum(tensor.numel() for tensor in saved.values()) < 60 * 50 * 64 / 5


@pytest.mark.parametrize("backend", ["dense", "streamed"])
def test_the_gaussian_conditional_is_its_density(backend):
    x, y = sides(y_width=3)
    critic = built(GaussianConditional, hidden=(8,))
    mean, log_variance = critic.network(x).chunk(2, 1)
    want = Normal(mean.unsqueeze(1), (log_variance / 2).exp().unsqueeze(1)).log_prob(y).sum(2)
    torch.testing.assert_close(critic(x, y, backend=backend).dense(), want)
    torch.testing.assert_close(critic(x, y, backend=backend, positives=torch.arange(7)).positive(), want.diagonal())


def test_the_gaussian_conditional_keeps_its_digits_far_from_the_origin():
    """A standard deviation of 0.1 about means near 100, float32."""
    y = 100 + torch.randn(50, 1, generator=generator())
    mean, log_variance = y.clone(), torch.full_like(y, -4.6)
    want = Normal(mean.double(), (log_variance.double() / 2).exp()).log_prob(y.double().T)
    near = want > -30
    torch.testing.assert_close(
        gaussian_conditional(mean, log_variance, y).dense()[near].double(), want[near], rtol=0, atol=2e-3
    )


def test_fitting_the_conditional_finds_the_law():
    """Maximum likelihood of a linear Gaussian: mean 0.8 x, variance 0.36, and Barber-Agakov then reads I."""
    rng = generator(1)
    x, noise = torch.randn(2, 4000, 1, generator=rng, dtype=torch.float64)
    y = 0.8 * x + 0.6 * noise
    critic = GaussianConditional(1, 1, hidden=(), generator=rng).double()
    optimizer = torch.optim.LBFGS(critic.parameters(), max_iter=50)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = objectives.barber_agakov(critic(x, y)).mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    weight, bias = critic.network[0].weight.detach(), critic.network[0].bias.detach()
    expected = torch.tensor([[0.8], [0.0]], dtype=torch.float64), torch.tensor([0.0, 0.36]).double()
    torch.testing.assert_close(weight, expected[0], rtol=0, atol=0.05)
    torch.testing.assert_close(torch.stack([bias[0], bias[1].exp()]), expected[1], rtol=0, atol=0.05)


@pytest.mark.parametrize("module", MODULES)
def test_the_start_is_drawn_from_the_generator(module):
    one, two, other = (module(4, 3, generator=generator(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert max(float(p.detach().abs().max()) for p in one.parameters()) < 1


@pytest.mark.parametrize("module", MODULES)
def test_inputs_that_do_not_fit_are_refused(module):
    critic, (x, y) = built(module), sides(y_width=3)
    for bad_x, bad_y, message in (
        (x[:, :2], y, r"x must be a floating point tensor \(N, 4\); got torch.float64 \(7, 2\)"),
        (x, y[0], r"y must be a floating point tensor \(N, 3\); got torch.float64 \(3,\)"),
        (x.long(), y, "x must be a floating point tensor"),
        (x, y.tolist(), "y must be a floating point tensor .* got list"),
    ):
        with pytest.raises(InputError, match=message):
            critic(bad_x, bad_y)
    with pytest.raises(InputError, match="at least one input"):
        module(0, 3)


def test_further_refusals():
    x, y = sides(y_width=3)
    with pytest.raises(InputError, match="needs a hidden layer"):
        Concatenated(4, 3, hidden=())
    with pytest.raises(InputError, match="as many rows of x as of y; got 7 and 9"):
        built(Concatenated).pairwise(x, y)
    with pytest.raises(InputError, match="mean and log_variance must have one shape"):
        gaussian_conditional(x, x[:, :3], y)
    for critic in (dot, cosine, distance):
        with pytest.raises(InputError, match="one width"):
            critic(x, y)
    for temperature in (0.0, -1.0, float("nan")):
        with pytest.raises(InputError, match="temperature must be positive"):
            distance(x, x, temperature=temperature)


def test_a_critic_trains():
    """Ten steps of each module on a dependence lower the loss of the data it sees."""
    x = torch.randn(64, 4, generator=generator(), dtype=torch.float64)
    y = x[:, :3] + 0.1
    for module in MODULES:
        critic, losses = built(module), []
        optimizer = torch.optim.Adam(critic.parameters(), lr=1e-2)
        for _ in range(10):
            optimizer.zero_grad()
            loss = objectives.info_nce(critic(x, y)).mean()
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
        assert losses[-1] < losses[0] - 0.05


def test_scores_are_scores():
    """What a critic gives is the one noun of the package, of the shape anchors by candidates."""
    x, y = sides(y_width=3)
    for module in MODULES:
        found = built(module)(x, y)
        assert isinstance(found, Scores)
        assert found.shape == (7, 9)
