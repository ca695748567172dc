"""The convolutional encoder: shapes, what a place sees, its start."""

from __future__ import annotations

import pytest
import torch

from infomax.encoders import ConvEncoder
from infomax.errors import InputError


def seeded(seed=0, **options):
    return ConvEncoder(
        **{"side": 8, "filters": (4, 6), "hidden": 10, "width": 5} | options,
        generator=torch.Generator().manual_seed(seed),
    )


@pytest.mark.parametrize(("side", "places"), [(8, 4), (28, 49), (7, 4), (1, 1)])
def test_two_layers_quarter_the_side_rounded_up(side, places):
    encoder = seeded(side=side, channels=3)
    local, whole = encoder.maps(torch.rand(2, 3, side, side))
    assert encoder.places == places
    assert local.shape == (2, places, encoder.local_width)
    assert whole.shape == (2, 5)
    torch.testing.assert_close(encoder(torch.ones(1, 3, side, side)), encoder.maps(torch.ones(1, 3, side, side))[1])


def test_places_go_row_by_row_and_see_their_own_patch_only():
    encoder, image = seeded(), torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    changed = image.clone()
    changed[0, 0, 0, 7] = 5.0  # the upper right corner
    moved = (encoder.maps(image)[0] != encoder.maps(changed)[0]).any(2)[0]
    assert moved.tolist() == [False, True, False, False]


def test_the_start_is_of_the_generator_alone_and_keeps_the_scale():
    before = torch.get_rng_state()
    first, same, other = (seeded(seed) for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    image = torch.rand(2, 1, 8, 8)
    assert torch.equal(first(image), same(image))
    assert not torch.equal(first(image), other(image))
    wide = seeded(side=16, filters=(64, 64, 64))
    noise = torch.randn(64, 1, 16, 16, generator=torch.Generator().manual_seed(2))
    assert (
        0.4 < wide.local(noise).square().mean() < 1.2
    )  # a ReLU halves the mean square, and the law doubles it; edges lose some


def test_every_parameter_learns():
    encoder = seeded()
    encoder(torch.rand(8, 1, 8, 8)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in encoder.parameters())


@pytest.mark.parametrize("bad", [{"side": 0}, {"filters": ()}, {"width": 0}, {"channels": 0}])
def test_sizes_of_nothing_are_refused(bad):
    with pytest.raises(InputError, match="convolutional encoder needs positive sizes"):
        seeded(**bad)


@pytest.mark.parametrize(
    ("images", "came"),
    [
        (torch.zeros(2, 1, 27, 28), r"torch.float32 \(2, 1, 27, 28\)"),
        (torch.zeros(2, 3, 28, 28), r"torch.float32 \(2, 3, 28, 28\)"),
        (torch.zeros(1, 28, 28), r"torch.float32 \(1, 28, 28\)"),
        (torch.zeros(2, 1, 28, 28, dtype=torch.uint8), "torch.uint8"),
        ([1.0], "list"),
    ],
)
def test_other_images_are_refused(images, came):
    encoder = ConvEncoder(28)
    for call in (encoder, encoder.maps):
        with pytest.raises(InputError, match=rf"floating point tensor \(N, 1, 28, 28\); got {came}"):
            call(images)
