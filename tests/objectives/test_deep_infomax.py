"""Deep InfoMax: the published definitions written plainly, over images and places; limits, refusals, prior matching's theorem."""

from __future__ import annotations

from math import log

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from infomax import bounds
from infomax.critics import Bilinear, Concatenated, Separable, dot
from infomax.errors import InputError
from infomax.information import jensen_shannon_divergence
from infomax.objectives import (
    donsker_varadhan,
    info_nce,
    jensen_shannon,
    local_scores,
    prior_discriminator,
    prior_matching,
    whole_info_nce,
)
from infomax.scores import Scores

N, L, C, D = 5, 3, 4, 4
RNG = torch.Generator().manual_seed(0)
PARTS = torch.randn(N, L, C, generator=RNG, dtype=torch.float64)
WHOLES = torch.randn(N, D, generator=RNG, dtype=torch.float64)
IMAGES = [(i, place, j) for i in range(N) for place in range(L) for j in range(N)]


def separable_by_hand(critic, part, whole):
    return (critic.g(part) * critic.scale) @ critic.h(whole)


def concatenated_by_hand(critic, part, whole):
    """The network over the concatenated pair, its first layer whole."""
    hidden = nn.functional.linear(torch.cat([part, whole]), critic.first.weight, critic.first.bias)
    return critic.rest(hidden)[0]


CRITICS = {
    "dot": (lambda: dot, lambda _, part, whole: part @ whole),
    "separable": (lambda: Separable(C, D, hidden=(6,), out=3, generator=RNG).double(), separable_by_hand),
    "concatenated": (lambda: Concatenated(C, D, hidden=(6, 5), generator=RNG).double(), concatenated_by_hand),
}


def plain_jensen_shannon(s):
    """Equation 4, summed over places by equation 6: means over all joint and over all product pairs."""
    joint = [softplus(-s[i, place, j]) for i, place, j in IMAGES if i == j]
    chance = [softplus(s[i, place, j]) for i, place, j in IMAGES if i != j]
    return torch.stack(joint).mean() + torch.stack(chance).mean()


def plain_donsker_varadhan(s):
    joint = [s[i, place, j] for i, place, j in IMAGES if i == j]
    chance = [s[i, place, j].exp() for i, place, j in IMAGES if i != j]
    return torch.stack(chance).mean().log() - torch.stack(joint).mean()


def plain_parts_info_nce(s):
    """Each part tells its own whole from all wholes."""
    losses = [-(s[i, place, i].exp() / s[i, place].exp().sum()).log() for i in range(N) for place in range(L)]
    return torch.stack(losses).mean()


def plain_whole_info_nce(s):
    """Equation 5 for each place: the whole tells one part of its own from all parts of all other images."""
    losses = []
    for j in range(N):
        others = sum(s[i, place, j].exp() for i in range(N) for place in range(L) if i != j)
        losses += [-(s[j, place, j].exp() / (s[j, place, j].exp() + others)).log() for place in range(L)]
    return torch.stack(losses).mean()


OBJECTIVES = {
    "jensen_shannon": (jensen_shannon, plain_jensen_shannon),
    "donsker_varadhan": (donsker_varadhan, plain_donsker_varadhan),
    "info_nce of parts": (info_nce, plain_parts_info_nce),
    "info_nce of wholes": (whole_info_nce, plain_whole_info_nce),
}


@pytest.mark.parametrize("kind", CRITICS)
@pytest.mark.parametrize("name", OBJECTIVES)
def test_value_and_gradients_are_those_of_the_definition(name, kind):
    """In parts, in wholes, and in the critic's parameters."""
    (objective, plain), (make, by_hand) = OBJECTIVES[name], CRITICS[kind]
    critic = make()
    parts, wholes = PARTS.clone().requires_grad_(), WHOLES.clone().requires_grad_()
    inputs = [parts, wholes, *(critic.parameters() if isinstance(critic, nn.Module) else [])]
    cells = [by_hand(critic, parts[i, place], wholes[j]) for i, place, j in IMAGES]
    expected = plain(torch.stack(cells).view(N, L, N))
    loss = objective(local_scores(parts, wholes, critic)).mean()
    torch.testing.assert_close(loss, expected, rtol=1e-12, atol=0)
    for got, want in zip(*(torch.autograd.grad(x, inputs) for x in (loss, expected)), strict=True):
        torch.testing.assert_close(got, want, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_streamed_equals_dense(name):
    results = []
    for backend in ("dense", "streamed"):
        parts, wholes = PARTS.clone().requires_grad_(), WHOLES.clone().requires_grad_()
        losses = OBJECTIVES[name][0](local_scores(parts, wholes, temperature=0.7, backend=backend))
        assert losses.shape == (N * L,)
        results.append([losses, *torch.autograd.grad(losses.mean(), [parts, wholes])])
    for dense, streamed in zip(*results, strict=True):
        torch.testing.assert_close(streamed, dense, rtol=1e-10, atol=1e-12)


def test_options_reach_the_critic():
    plain, warm = (local_scores(PARTS, WHOLES, temperature=t).dense() for t in (1.0, 0.5))
    torch.testing.assert_close(warm, 2 * plain)


def test_a_constant_critic_has_the_value_of_chance():
    scores = local_scores(torch.zeros(N, L, 2), torch.zeros(N, 2))
    known = {"jensen_shannon": log(4), "donsker_varadhan": 0.0}
    known |= {"info_nce of parts": log(N), "info_nce of wholes": log(1 + (N - 1) * L)}
    for name, (objective, _) in OBJECTIVES.items():
        torch.testing.assert_close(objective(scores), torch.full((N * L,), known[name]))


def test_one_place_is_plain_info_nce_over_the_column():
    scores = local_scores(PARTS[:, :1], WHOLES)
    torch.testing.assert_close(whole_info_nce(scores), Scores(PARTS[:, 0], WHOLES).cross_entropy("anchors"))


def test_whole_info_nce_keeps_the_digits_of_a_tiny_loss():
    scores = local_scores(torch.eye(3)[:, None].expand(3, 2, 3), 40 * torch.eye(3))
    torch.testing.assert_close(
        whole_info_nce(scores), torch.full((6,), 4 * torch.tensor(-40.0).exp()), rtol=1e-5, atol=0
    )


def test_the_local_bound_lies_below_what_a_place_tells_of_its_image():
    """Images of one label in 8, seen at each place through a channel that errs half of the time: I is a finite sum."""
    rng, labels, error, places = torch.Generator().manual_seed(0), 8, 0.5, 4
    channel = torch.full((labels, labels), error / labels, dtype=torch.float64) + (1 - error) * torch.eye(labels)
    truth = float((channel / labels * (channel * labels).log()).sum())
    n = 400
    label = torch.randint(labels, (n,), generator=rng)
    seen = torch.multinomial(channel[label], places, replacement=True, generator=rng)
    pmi = (channel * labels).log()  # the best critic there is
    scores = local_scores(pmi[seen], torch.eye(labels, dtype=torch.float64)[label])
    bound = bounds.info_nce(scores, groups=torch.arange(n).repeat_interleave(places))
    assert abs(bound.value - truth) < 4 * bound.standard_error
    assert bound.standard_error < 0.05
    wrong = bounds.info_nce(local_scores(3 * pmi[seen], torch.eye(labels, dtype=torch.float64)[label]))
    assert wrong.value < truth - 0.1


@pytest.mark.parametrize("shapes", [((4, 3, 2), (5, 2)), ((4, 3), (4, 2)), ((4, 3, 2), (4, 3, 2))])
def test_parts_and_wholes_that_do_not_fit_are_refused(shapes):
    with pytest.raises(InputError, match=r"parts must be \(N, L, c\)"):
        local_scores(*(torch.zeros(shape) for shape in shapes))


def test_what_is_no_tensor_is_refused():
    with pytest.raises(InputError, match="got list"):
        local_scores([1.0], torch.zeros(1, 2))


def test_labels_are_refused_by_whole_info_nce():
    labels = torch.arange(4) // 2
    with pytest.raises(InputError, match="one true column an anchor"):
        whole_info_nce(Scores(torch.eye(4), torch.eye(4), positives=(labels, labels)))


def test_a_critic_of_unequal_widths_serves_unequal_widths():
    scores = local_scores(torch.ones(3, 2, 5), torch.ones(3, 7), Bilinear(5, 7, generator=RNG))
    assert scores.shape == (6, 3)


# Prior matching


def test_the_best_discriminator_has_log_4_less_twice_the_divergence():
    """Every symbol as often as its share of 100 draws: the means are exact expectations."""
    prior, codes = torch.tensor([50, 30, 15, 5]), torch.tensor([10, 20, 30, 40])
    ratio = (prior / codes).double().log().requires_grad_()
    loss = prior_discriminator(ratio.repeat_interleave(prior), ratio.repeat_interleave(codes))
    divergence = float(jensen_shannon_divergence(prior.double() / 100, codes.double() / 100))
    assert loss.item() == pytest.approx(log(4) - 2 * divergence, abs=1e-12)
    assert torch.autograd.grad(loss, ratio)[0].abs().max() < 1e-12  # it is the optimum
    other = prior_discriminator((1.1 * ratio).repeat_interleave(prior), (1.1 * ratio).repeat_interleave(codes))
    assert other > loss


def test_the_encoder_lowers_the_part_of_the_game_that_it_is_in():
    """min over the encoder of E log D(prior) + E log(1 - D(codes)): its loss is minus the codes' part of the discriminator's."""
    of_prior, of_codes = torch.randn(6, generator=RNG), torch.randn(4, generator=RNG)
    part = prior_discriminator(of_prior, of_codes) - softplus(-of_prior).mean()
    torch.testing.assert_close(prior_matching(of_codes).mean(), -part)
    torch.testing.assert_close(prior_matching(of_codes, saturating=False), softplus(-of_codes))


@pytest.mark.parametrize("saturating", [True, False])
def test_both_losses_push_a_code_to_what_looks_like_the_prior(saturating):
    s = torch.tensor([-6.0, 0.0, 6.0]).requires_grad_()
    slope = torch.autograd.grad(prior_matching(s, saturating=saturating).sum(), s)[0]
    assert (slope < 0).all()
    fades = abs(slope[0] / slope[1]) < 0.01  # where the discriminator is sure that it is no draw of the prior
    assert fades == saturating


def test_prior_matching_gradients():
    s, t = (torch.randn(3, generator=RNG, dtype=torch.float64, requires_grad=True) for _ in "st")
    assert torch.autograd.gradcheck(prior_discriminator, (s, t))
    assert torch.autograd.gradcheck(prior_matching, (s,))


@pytest.mark.parametrize("saturating", [True, False])
def test_the_game_makes_codes_uniform(saturating):
    """Codes sigmoid(a + b·logistic draw) are uniform at a = 0, |b| = 1 alone; the discriminator knows log y and log(1 - y)."""
    rng, start = torch.Generator().manual_seed(0), torch.tensor([1.5, 0.4])
    encoder, discriminator = start.clone().requires_grad_(), torch.zeros(3, requires_grad=True)

    def score(y):
        return torch.stack([y.log(), (1 - y).log(), torch.ones_like(y)], 1) @ discriminator

    learner, rival = torch.optim.Adam([encoder], lr=0.02), torch.optim.Adam([discriminator], lr=0.05)
    path = []
    for _ in range(600):
        uniform, draws = torch.rand(2, 256, generator=rng).clamp(1e-6, 1 - 1e-6)
        codes = (encoder[0] + encoder[1] * draws.logit()).sigmoid()
        rival.zero_grad()
        prior_discriminator(score(uniform), score(codes.detach())).backward()
        rival.step()
        learner.zero_grad()
        prior_matching(score(codes), saturating=saturating).mean().backward()
        learner.step()
        path.append(encoder.detach().clone())
    found = torch.stack(path[-200:]).mean(0).abs()  # a game circles its fixed point; -b is as good as b
    assert (found - torch.tensor([0.0, 1.0])).norm() < 0.2 < (start - torch.tensor([0.0, 1.0])).norm() / 5


@pytest.mark.parametrize("bad", [torch.zeros(3, 2), torch.zeros(0), torch.zeros(3, dtype=torch.long), 1.0])
def test_what_is_not_one_score_a_vector_is_refused(bad):
    with pytest.raises(InputError, match="of_codes must be one score a vector"):
        prior_matching(bad)
