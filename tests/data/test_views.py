"""Views of images and texts: against the standard library and plain loops, image by image; ranges, probabilities, generators."""

from __future__ import annotations

import colorsys
from itertools import pairwise
from math import exp

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from infomax.data.views import (
    crop_words,
    drop_words,
    gaussian_blur,
    jitter_colours,
    random_flip,
    random_grayscale,
    random_resized_crop,
    shuffle_words,
    simclr_view,
)
from infomax.data.views.colours import grey, turned_hue
from infomax.errors import InputError


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(n=6, channels=3, height=9, width=7, seed=0):
    return torch.rand(n, channels, height, width, generator=rng(seed), dtype=torch.float64)


IMAGE_VIEWS = {
    "crop": random_resized_crop,
    "flip": random_flip,
    "colours": lambda x, r: jitter_colours(x, r, 0.4, 0.4, 0.4, 0.1, p=0.8),
    "grey": lambda x, r: random_grayscale(x, r, 0.5),
    "blur": gaussian_blur,
    "simclr": simclr_view,
}


@pytest.mark.parametrize("view", IMAGE_VIEWS.values(), ids=IMAGE_VIEWS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_image_views_follow_their_generator_alone_and_stay_in_range(view, dtype):
    x = pictures().to(dtype)
    kept = x.clone()
    torch.manual_seed(1)
    first = view(x, rng(5))
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert torch.equal(first, view(x, rng(5)))
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(first, view(x, rng(6)))
    assert torch.equal(x, kept)
    assert first.dtype == dtype
    assert first.shape == x.shape
    assert first.min() >= -1e-6
    assert first.max() <= 1 + 1e-6


@pytest.mark.parametrize("view", IMAGE_VIEWS.values(), ids=IMAGE_VIEWS)
def test_images_of_a_batch_change_each_in_its_own_way(view):
    x = pictures(1).expand(40, -1, -1, -1)
    assert len(torch.unique(view(x, rng()).flatten(1), dim=0)) > 1


def test_a_whole_crop_is_the_image_and_a_part_is_a_part():
    """A plane that rises along both sides shows where each pixel came from: the crop's corners, area and shape."""
    x = pictures()
    torch.testing.assert_close(random_resized_crop(x, rng(), scale=(1.0, 1.0), ratio=(7 / 9, 7 / 9)), x)
    n, side = 400, 64
    down, across = torch.meshgrid(*[(torch.arange(side, dtype=torch.float64) + 0.5) / side] * 2, indexing="ij")
    plane = torch.stack([down, across]).expand(n, 2, side, side)
    view = random_resized_crop(plane, rng(), (16, 16), scale=(0.25, 0.5), ratio=(0.5, 2.0))
    steps = view[:, 0, 9, 8] - view[:, 0, 8, 8], view[:, 1, 8, 9] - view[:, 1, 8, 8]
    tall, wide = (16 * step for step in steps)
    assert 0.25 - 1e-6 <= (tall * wide).min() < 0.3
    assert 0.45 < (tall * wide).max() <= 0.5 + 1e-6
    ratios = (wide / tall).log()
    assert abs(ratios.mean()) < 4 * ratios.std() / n**0.5
    assert 1.9 < ratios.max().exp() <= 2 + 1e-6
    low = view[:, 0, 8, 8] - 8.5 * steps[0]  # the upper edge
    assert (low >= -1e-6).all()
    assert (low + tall <= 1 + 1e-6).all()
    room = low / (1 - tall)
    assert abs(room.mean() - 0.5) < 4 * room.std() / n**0.5


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_large_images_in_half_precision_are_those_in_float32_rounded(dtype):
    x = torch.rand(4, 3, 224, 224, generator=rng(), dtype=torch.float32).to(dtype)
    expected = random_resized_crop(x.float(), rng())
    torch.testing.assert_close(random_resized_crop(x, rng()), expected.to(dtype), rtol=0, atol=0)


def test_a_crop_of_an_even_image_is_even_to_its_edges():
    views = random_resized_crop(torch.ones(50, 1, 6, 6), rng(), (12, 12))
    assert torch.allclose(views, torch.ones(50, 1, 12, 12))


def test_flips_are_mirror_images_as_often_as_asked():
    x = pictures(2000, 1, 1, 3)
    flipped = random_flip(x, rng(), 0.3)
    mirrored = (flipped == x.flip(3)).flatten(1).all(1)
    assert ((flipped == x).flatten(1).all(1) ^ mirrored).all()
    assert abs(mirrored.double().mean() - 0.3) < 4 * (0.21 / 2000) ** 0.5


def test_hue_is_that_of_the_standard_library():
    x, shift = pictures(4), torch.tensor([0.0, 0.2, -0.45, 0.5], dtype=torch.float64)
    x[0, :, 0, 0], x[1, :, 0, 0] = 0.5, torch.tensor([1.0, 0.0, 0.0])
    turned = turned_hue(x, shift)
    for i in range(4):
        for row in range(9):
            for column in range(7):
                h, s, v = colorsys.rgb_to_hsv(*x[i, :, row, column].tolist())
                expected = colorsys.hsv_to_rgb((h + float(shift[i])) % 1, s, v)
                assert turned[i, :, row, column].tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kind", ["brightness", "contrast", "saturation"])
def test_colours_mix_with_black_mean_grey_or_grey(kind):
    """view = f·x + (1 - f)·other, clipped, with one f an image, from 0.5 to 1.5."""
    x = 0.3 + 0.4 * pictures(200)  # nothing is clipped
    view = jitter_colours(x, rng(), **{kind: 0.4})
    other = {
        "brightness": torch.zeros_like(x),
        "contrast": grey(x).mean((2, 3), keepdim=True).expand_as(x),
        "saturation": grey(x).expand_as(x),
    }[kind]
    factor = ((view - other) * (x - other)).sum((1, 2, 3)) / ((x - other) ** 2).sum((1, 2, 3))
    torch.testing.assert_close(view, other + factor[:, None, None, None] * (x - other))
    assert 0.6 - 1e-9 <= factor.min() < 0.63
    assert 1.37 < factor.max() <= 1.4 + 1e-9
    torch.testing.assert_close(grey(x)[0, 0, 0, 0], torch.tensor([0.299, 0.587, 0.114]).double() @ x[0, :, 0, 0])


def test_the_order_of_changes_is_random():
    x = pictures(1)
    views = {round(float(jitter_colours(x, rng(s), 0.5, 0.5).sum()), 9) for s in range(8)}
    assert len(views) == 8
    orders = {tuple(torch.randperm(4, generator=rng(s)).tolist()[:2]) for s in range(8)}
    assert len(orders) > 3


def test_grey_images_have_one_grey_and_the_others_stay():
    x = pictures(1000, 3, 1, 1)
    view = random_grayscale(x, rng(), 0.2)
    same = (view == x).flatten(1).all(1)
    assert (view[~same][:, 0] == view[~same][:, 2]).all()
    assert abs((~same).double().mean() - 0.2) < 4 * (0.16 / 1000) ** 0.5


def test_blur_is_the_weighted_mean_of_neighbours():
    """One image, one width: by a plain loop over mirrored pixels; and a pulse keeps its sum and has the width asked for."""
    x, width = pictures(1, 1, 6, 5), 0.8
    view = gaussian_blur(x, rng(), (width, width), p=1.0)[0, 0]

    def mirrored(i, n):
        i = abs(i)
        return i if i < n else 2 * (n - 1) - i

    for row in range(6):
        for column in range(5):
            down = range(-3, 4)
            across = range(-3, 4)
            weights = {(i, j): exp(-(i * i + j * j) / (2 * width**2)) for i in down for j in across}
            total = sum(
                w * float(x[0, 0, mirrored(row + i, 6), mirrored(column + j, 5)]) for (i, j), w in weights.items()
            )
            assert float(view[row, column]) == pytest.approx(total / sum(weights.values()), abs=1e-12)
    pulse = torch.zeros(1, 1, 41, 41, dtype=torch.float64)
    pulse[0, 0, 20, 20] = 1
    spread = gaussian_blur(pulse, rng(), (2.0, 2.0), p=1.0)[0, 0]
    place = torch.arange(41, dtype=torch.float64) - 20
    assert float(spread.sum()) == pytest.approx(1, abs=1e-12)
    assert float((spread.sum(0) * place**2).sum()) == pytest.approx(4, rel=0.04)  # cut at three widths


def test_one_channel_goes_through_simclr_too():
    assert simclr_view(pictures(3, 1), rng(), (4, 5)).shape == (3, 1, 4, 5)
    assert simclr_view(pictures(0), rng()).shape == (0, 3, 9, 7)


def test_one_view_of_simclr_in_five_is_grey():
    views = simclr_view(pictures(2000, height=8, width=8), rng(), strength=0.0)
    without_colour = (views.amax(1) - views.amin(1)).amax((1, 2)) < 1e-6
    assert without_colour.double().mean().item() == pytest.approx(0.2, abs=0.04)  # four standard errors


WORDS = st.lists(st.sampled_from("abcdef"), max_size=12)


@given(texts=st.lists(WORDS, max_size=4), rate=st.floats(0, 1), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_what_is_left_of_a_text_is_in_its_order_and_never_nothing(texts, rate, seed):
    named = [[f"{word}{i}" for i, word in enumerate(words)] for words in texts]
    views = drop_words([" ".join(words) for words in named], rng(seed), rate)
    for words, view in zip(named, views, strict=True):
        left = view.split()
        assert left == [word for word in words if word in left]
        assert bool(left) == bool(words)
        if rate == 0:
            assert left == words


@given(length=st.integers(1, 15), low=st.floats(0, 1), more=st.floats(0, 1), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_a_crop_is_a_run_of_words_of_the_length_asked_for(length, low, more, seed):
    words, high = [str(i) for i in range(length)], low + more * (1 - low)
    (view,) = crop_words([" ".join(words)], rng(seed), (low, high))
    left = [int(word) for word in view.split()]
    assert left == list(range(left[0], left[0] + len(left)))
    assert max(1, round(low * length)) <= len(left) <= max(1, round(high * length))


def test_a_crop_of_words_may_end_with_the_last():
    draws = rng()
    assert {crop_words(["a b"], draws, (0.5, 0.5))[0] for _ in range(50)} == {"a", "b"}


@given(length=st.integers(0, 15), distance=st.integers(0, 5), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_shuffled_words_stay_near_their_place(length, distance, seed):
    (view,) = shuffle_words([" ".join(map(str, range(length)))], rng(seed), distance)
    order = [int(word) for word in view.split()]
    assert sorted(order) == list(range(length))
    assert all(abs(place - word) <= distance for place, word in enumerate(order))


def test_words_change_as_often_as_asked():
    text = " ".join(map(str, range(5000)))
    (dropped,) = drop_words([text], rng(), 0.3)
    assert abs(len(dropped.split()) / 5000 - 0.7) < 4 * (0.21 / 5000) ** 0.5
    (shuffled,) = shuffle_words([text], rng(), 3)
    order = list(map(int, shuffled.split()))
    assert 0.2 < sum(a > b for a, b in pairwise(order)) / 5000 < 0.6
    firsts = {crop_words([text], rng(s), (0.5, 0.5))[0].split()[0] for s in range(20)}
    assert len(firsts) > 15
    kept = {drop_words(["a b c"], rng(s), 1.0)[0] for s in range(30)}
    assert kept == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: random_flip(torch.ones(2, 3), rng()), "N, C, H, W"),
        (lambda: random_flip(torch.ones(2, 3, 4, 4, dtype=torch.uint8), rng()), "floating point"),
        (lambda: random_flip(pictures(), rng(), 1.5), "p must lie"),
        (lambda: random_grayscale(pictures(2, 1), rng()), "3 channels; got 1"),
        (lambda: jitter_colours(pictures(2, 1), rng(), hue=0.1), "3 channels"),
        (lambda: jitter_colours(pictures() * 255, rng(), 0.1), "from 0 to 1"),
        (lambda: jitter_colours(pictures(), rng(), hue=0.7), "hue from 0 to 0.5"),
        (lambda: simclr_view(pictures() - 0.5, rng()), "standardise"),
        (lambda: random_resized_crop(pictures(), rng(), scale=(0.5, 1.5)), "scale"),
        (lambda: gaussian_blur(pictures(), rng(), (0.0, 1.0)), "sigma"),
        (lambda: random_resized_crop(pictures(), rng(), scale=0.5), "scale must be two numbers"),
        (lambda: gaussian_blur(pictures(), rng(), (1.0, float("inf"))), "sigma"),
        (lambda: gaussian_blur(pictures(), rng(), (1e-30, 1e-30)), "sigma"),
        (lambda: random_resized_crop(pictures(), rng(), 5), "size must be .height, width."),
        (lambda: random_resized_crop(pictures(), rng(), (0, 5)), "size must be .height, width."),
        (lambda: random_resized_crop(pictures(), rng(), (2.5, 3)), "size must be .height, width."),
        (lambda: random_resized_crop(pictures()[:, :, :0], rng()), "a channel and pixels"),
        (lambda: drop_words("one text", rng()), "list"),
        (lambda: drop_words(["a"], rng(), 1.2), "rate"),
        (lambda: crop_words(["a"], rng(), (0.8, 0.5)), "scale"),
        (lambda: shuffle_words(["a"], rng(), -1), "distance"),
    ],
)
def test_refusals(make, said):
    with pytest.raises(InputError, match=said):
        make()
