"""Do intervals cover, do tests keep their level, do certificates hold? Simulated on worlds that know their information.

    python -m benchmarks.coverage intervals --replicates 200 --n 300 1000
    python -m benchmarks.coverage tests
    python -m benchmarks.coverage certificates

Each prints a Markdown table. An interval of nominal 95 % should cover 90 to 98 times in 100, a test at 5 % reject an
independent pair 5 times in 100, a certificate of 95 % fail at most 5 times in 100. Seeds start where `--seed` says.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from joblib import Parallel, delayed

from infomax.data import worlds
from infomax.data.samples import Sample
from infomax.data.variables import sample
from infomax.estimators import KSG, CanonicalCorrelations, Discrete, Estimator, GaussianCopula, MixedKSG, Ross
from infomax.estimators.certificate import certify
from infomax.estimators.inference import estimate_sample

# None of these pairs of method and world was used to choose how intervals are made.
METHODS: dict[str, tuple[Callable[[], Estimator], list[str]]] = {
    "Discrete": (
        Discrete,
        [
            "binary symmetric channel, 0.4",
            "binary erasure channel, 0.3",
            "random 5x7",
            "twelve into four, deterministic",
            "even 300, a fifth copied",
            "independent counts",
        ],
    ),
    "KSG": (
        KSG,
        [
            "1v1-additive-0.75",
            "student-identity-1-1-1",
            "swissroll_x-normal_cdf-1v1-normal-0.75",
            "multinormal-dense-2-2-0.5",
            "multinormal-dense-3-3-0.5",
            "multinormal-sparse-3-3-2-2.0",
            "student-identity-3-3-2",
            "independent Cauchy 1x1",
            "independent lognormal 2x2",
        ],
    ),
    "Ross": (
        Ross,
        [
            "rare label, mean 3",
            "five labels, means 0 to 8",
            "sign of a normal, 0.1 wrong",
            "independent labels and normal",
        ],
    ),
    "MixedKSG": (
        MixedKSG,
        [
            "5 overlapping steps",
            "zero-inflated normals, correlation 0.9",
            "zero-inflated counts, 0.15",
            "independent zero-inflated",
        ],
    ),
    "GaussianCopula": (
        GaussianCopula,
        ["1v1-normal-0.75", "multinormal-sparse-5-5-2-2.0", "multinormal-dense-25-25-0.5", "independent normal 5x5"],
    ),
    "CanonicalCorrelations": (
        CanonicalCorrelations,
        ["1v1-normal-0.75", "multinormal-sparse-25-25-2-2.0", "independent normal 25x25"],
    ),
}
CERTIFIED = [
    "independent normal 1x1",
    "independent Cauchy 1x1",
    "independent Zipf 100",
    "binary symmetric channel, 0.11",
    "random 5x7",
    "Zipf 50, half copied",
    "1v1-normal-0.75",
    "1v1-additive-0.1",
    "wiggly-1v1-normal-0.75",
    "student-identity-1-1-1",
    "multinormal-sparse-5-5-2-2.0",
    "zero-inflated normals, correlation 0.8",
    "five labels, means 0 to 8",
    "normal 1x1, 5 nats in 1",
]


@cache
def all_worlds() -> dict[str, worlds.World]:
    """Every world of independent pairs, by name."""
    groups = (
        worlds.beyond_normal,
        worlds.discrete_worlds,
        worlds.mixed_worlds,
        worlds.independent_worlds,
        worlds.high_information,
    )
    return {world.name: world for group in groups for world in group()}


def intervals(replicates: int, sizes: list[int], seed: int, jobs: int) -> Iterator[list[str]]:
    """Coverage of two-sided 95 % intervals, with the error of the estimate and the mean standard error."""
    yield ["method", "world", "I", "n", "covers", "too low", "too high", "bias", "sd", "mean s.e.", "s each"]
    for method, (make, names) in METHODS.items():
        for name in names:
            for n in sizes:
                found = Parallel(n_jobs=jobs)(delayed(_interval)(make, name, n, seed + r) for r in range(replicates))
                yield _interval_row(method, name, n, np.array(found))


def _interval(make: Callable[[], Estimator], name: str, n: int, seed: int) -> tuple[float, float, float, float, float]:
    started = time.perf_counter()
    pairs = _pairs(name, n, seed)
    found = estimate_sample(make(), pairs, random_state=seed)
    low, high = (found.interval.low, found.interval.high) if found.interval else (np.nan, np.nan)
    return found.nats, low, high, found.standard_error or np.nan, time.perf_counter() - started


def _interval_row(method: str, name: str, n: int, found: np.ndarray) -> list[str]:
    nats, low, high, error, seconds = found.T
    truth = all_worlds()[name].mutual_information
    below, above = np.mean(high < truth), np.mean(low > truth)
    covered = np.mean((low <= truth) & (truth <= high))
    numbers = [nats.mean() - truth, nats.std(ddof=1), error.mean(), seconds.mean()]
    shares = [f"{covered:.1%}", f"{below:.1%}", f"{above:.1%}"]
    return [method, name, f"{truth:.3f}", str(n), *shares, *(f"{number:.4f}" for number in numbers)]


def tests(replicates: int, sizes: list[int], seed: int, jobs: int) -> Iterator[list[str]]:
    """How often the permutation test at 5 % (39 permutations) rejects independence where it holds."""
    yield ["method", "world", "n", "rejects at 5 %", "mean p"]
    for method, (make, names) in METHODS.items():
        for name in names:
            if "independent" in name:
                for n in sizes:
                    found = Parallel(n_jobs=jobs)(delayed(_p)(make, name, n, seed + r) for r in range(replicates))
                    yield [method, name, str(n), f"{np.mean(np.array(found) <= 0.05):.1%}", f"{np.mean(found):.3f}"]


def _p(make: Callable[[], Estimator], name: str, n: int, seed: int) -> float:
    pairs = _pairs(name, n, seed)
    p = estimate_sample(make(), pairs, level=None, permutations=39, random_state=seed).p_value
    assert p is not None
    return p


def certificates(replicates: int, sizes: list[int], seed: int, jobs: int) -> Iterator[list[str]]:
    """How often the certified lower limit is above the truth, and how much of the truth it gives."""
    yield ["world", "I", "n", "fails", "mean limit", "share of I", "above 0", "largest", "s each"]
    for name in CERTIFIED:
        for n in sizes:
            found = Parallel(n_jobs=jobs)(delayed(_certificate)(name, n, seed + r) for r in range(replicates))
            limits, largest, seconds = np.array(found).T
            truth = all_worlds()[name].mutual_information
            share = f"{limits.mean() / truth:.2f}" if truth else ""
            fails, positive = f"{np.mean(limits > truth):.1%}", f"{np.mean(limits > 0):.0%}"
            numbers = [f"{largest.mean():.2f}", f"{seconds.mean():.2f}"]
            yield [name, f"{truth:.3f}", str(n), fails, f"{limits.mean():.3f}", share, positive, *numbers]


def _certificate(name: str, n: int, seed: int) -> tuple[float, float, float]:
    started = time.perf_counter()
    pairs = _pairs(name, n, seed)
    limit = certify(pairs, delta=0.05, critic=None, rng=np.random.default_rng(seed))
    return limit.nats, limit.largest or np.nan, time.perf_counter() - started


def _pairs(name: str, n: int, seed: int) -> Sample:
    """A draw of the world; its integers are levels, however many."""
    x, y = all_worlds()[name].sample(n, seed)
    return sample(x, y, discrete_x=x.dtype.kind == "i", discrete_y=y.dtype.kind == "i")


def main() -> None:
    """Print the table that was asked for, row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["intervals", "tests", "certificates"])
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--n", type=int, nargs="+", default=[300, 1000])
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    table = {"intervals": intervals, "tests": tests, "certificates": certificates}[asked.what]
    for number, row in enumerate(table(asked.replicates, asked.n, asked.seed, asked.jobs)):
        print("| " + " | ".join(row) + " |", flush=True)
        if number == 0:
            print("|" + "---|" * len(row), flush=True)


if __name__ == "__main__":
    main()
