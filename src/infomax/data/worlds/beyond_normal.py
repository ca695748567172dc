"""The 40 tasks of "Beyond Normal" (Czyż, Grabowski, Vogt, Beerenwinkel & Marx, NeurIPS 2023, arXiv:2306.11078).

Rebuilt from the definitions in the authors' package `benchmark-mi` 0.1.3 and under its task names; the samples are
numpy's, in double precision. Twenty are Gaussian up to a map of each coordinate, so that a Gaussian copula is all one
needs; quote the other twenty apart (`World.gaussian`).
"""

from __future__ import annotations

from infomax.data.worlds.additive_noise import additive_noise
from infomax.data.worlds.elliptical import elliptical, equicorrelated, pairs_of
from infomax.data.worlds.maps import (
    ASINH,
    HALF_CUBE,
    IDENTITY,
    NORMAL_CDF,
    SWISS_ROLL,
    TWO_HUMPS_X,
    TWO_HUMPS_Y,
    WIGGLY_X,
    WIGGLY_Y,
    Map,
    mapped,
    spiral,
)
from infomax.data.worlds.world import World


def beyond_normal() -> list[World]:
    """All 40, in the order of the paper's tables.

    >>> worlds = beyond_normal()
    >>> len(worlds), sum(world.gaussian for world in worlds)
    (40, 20)
    """
    return [*_one_dimensional(), *_normal(), *_student(), *_transformed()]


def _one_dimensional() -> list[World]:
    normal = elliptical("1v1-normal-0.75", pairs_of([0.75]), 1)
    uniform = _both("normal_cdf", normal, NORMAL_CDF)
    student = _student_identity(1, 1)
    return [
        normal,
        uniform,
        additive_noise(0.1, name="1v1-additive-0.1"),
        additive_noise(0.75, name="1v1-additive-0.75"),
        mapped("1v1-bimodal-0.75", normal, TWO_HUMPS_X, TWO_HUMPS_Y),
        mapped(f"wiggly-{normal.name}", normal, WIGGLY_X, WIGGLY_Y),
        _both("half_cube", normal, HALF_CUBE),
        student,
        _both("asinh", student, ASINH),
        mapped(f"swissroll_x-{uniform.name}", uniform, SWISS_ROLL, IDENTITY),
    ]


def _normal() -> list[World]:
    dense = [elliptical(f"multinormal-dense-{d}-{d}-0.5", equicorrelated(2 * d, 0.5), d) for d in (2, 3, 5, 25, 50)]
    return dense + [_two_pairs(d) for d in (2, 3, 5, 25)]


def _student() -> list[World]:
    return [_student_identity(d, degrees) for d, degrees in ((2, 1), (2, 2), (3, 2), (3, 3), (5, 2), (5, 3))]


def _transformed() -> list[World]:
    normal = [_two_pairs(d) for d in (3, 5, 25)]
    uniform = [_both("normal_cdf", world, NORMAL_CDF) for world in normal]
    half_cubed = [_both("half_cube", world, HALF_CUBE) for world in normal]
    wound = [_spiralled(world) for world in normal + uniform]
    student = [_student_identity(d, degrees) for d, degrees in ((2, 1), (3, 2), (5, 2))]
    return uniform + half_cubed + wound + [_both("asinh", world, ASINH) for world in student]


def _two_pairs(d: int) -> World:
    """Two of the d pairs of coordinates correlate by 0.8: a shared latent of strength 2 over unit noise, 4 / (4 + 1)."""
    return elliptical(f"multinormal-sparse-{d}-{d}-2-2.0", pairs_of([0.8, 0.8], d, d), d)


def _student_identity(d: int, degrees: int) -> World:
    return elliptical(f"student-identity-{d}-{d}-{degrees}", pairs_of([], d, d), d, float(degrees))


def _both(word: str, world: World, same: Map) -> World:
    return mapped(f"{word}-{world.name}", world, same, same)


def _spiralled(world: World) -> World:
    return mapped(f"spiral-{world.name}", world, spiral(world.d_x, 0, 1), spiral(world.d_y, 1, 2))
