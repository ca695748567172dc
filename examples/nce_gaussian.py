"""Gutmann & Hyvärinen's experiments at small scale: what noise-contrastive estimation loses against maximum likelihood.

A Gaussian of three dimensions, its precision and its normaliser unknown; then independent component analysis of three
Laplace sources, mixing and normaliser unknown. Both are learned by telling the data from Gaussian noise with the data's mean
and covariance, from T observations and nu draws of noise for each, and beside them by maximum likelihood, which alone is
told the formula of the normaliser. The error is the root of the mean squared error over parameters and worlds.

    python examples/nce_gaussian.py --plot nce_error.svg
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from math import log, pi
from statistics import fmean
from time import process_time
from typing import Any

import torch
from scipy.optimize import linear_sum_assignment
from sklearn.decomposition import FastICA
from torch import Tensor, nn

from infomax import NCE
from infomax.candidates import gaussian_fit

D, SIZES, NUS = 3, (100, 300, 1000, 3000), (1, 5, 25)
MLE = "MLE"


class Gaussian(nn.Module):
    """log p̃ = -x'Λx / 2, by the six numbers of Λ."""

    def __init__(self) -> None:
        super().__init__()
        self.entries = nn.Parameter(torch.eye(D, dtype=torch.float64)[tuple(torch.tril_indices(D, D))])

    def precision(self) -> Tensor:
        """(3, 3) Λ."""
        lower = torch.zeros(D, D, dtype=torch.float64).index_put(tuple(torch.tril_indices(D, D)), self.entries)
        return lower + lower.T - torch.diag(lower.diagonal())

    def forward(self, x: Tensor) -> Tensor:
        return -((x @ self.precision()) * x).sum(1) / 2

    def maximum_likelihood(self, x: Tensor) -> float:
        """Learn in place, with the formula of the normaliser; its value."""
        precision = (x.T @ x / len(x)).inverse()
        self.entries.data = precision[tuple(torch.tril_indices(D, D))]
        return D * log(2 * pi) / 2 - float(torch.logdet(precision)) / 2


class Sources(nn.Module):
    """log p̃ = -√2 Σ |b_i · x|: independent Laplace sources of variance 1, b_i the rows of the unmixing matrix."""

    def __init__(self, start: Tensor) -> None:
        super().__init__()
        self.unmixing = nn.Parameter(start.clone())

    def forward(self, x: Tensor) -> Tensor:
        return -(2**0.5) * (x @ self.unmixing.T).abs().sum(1)

    def log_normaliser(self) -> Tensor:
        """What only maximum likelihood is told."""
        return D * log(2) / 2 - torch.linalg.slogdet(self.unmixing)[1]

    def maximum_likelihood(self, x: Tensor) -> float:
        """Learn in place, with the formula of the normaliser; its value."""
        optimiser = torch.optim.LBFGS(self.parameters(), max_iter=300, line_search_fn="strong_wolfe")

        def closure() -> Tensor:
            optimiser.zero_grad()
            loss = self.log_normaliser() - self(x).mean()
            loss.backward()
            return loss

        optimiser.step(closure)
        return float(self.log_normaliser().detach())


def gaussian_world(size: int, rng: torch.Generator) -> tuple[Tensor, Callable[[], Any], Callable[[Any], Tensor], float]:
    """Observations; a fresh model; the errors of a learned one; the true log Z."""
    root = torch.eye(D, dtype=torch.float64) + 0.4 * torch.randn(D, D, generator=rng, dtype=torch.float64)
    precision = root @ root.T + 0.2 * torch.eye(D, dtype=torch.float64)
    x = torch.randn(size, D, generator=rng, dtype=torch.float64) @ torch.linalg.cholesky(precision.inverse()).T
    lower = tuple(torch.tril_indices(D, D))
    log_z = D * log(2 * pi) / 2 - float(torch.logdet(precision)) / 2
    return x, Gaussian, lambda model: model.entries.detach() - precision[lower], log_z


def source_world(size: int, rng: torch.Generator) -> tuple[Tensor, Callable[[], Any], Callable[[Any], Tensor], float]:
    """The same for mixed sources, from a start by FastICA; rows are matched, for their order and signs are free."""
    basis, other = (torch.linalg.qr(torch.randn(D, D, generator=rng, dtype=torch.float64))[0] for _ in "ab")
    mixing = basis * torch.tensor([0.7, 1.0, 1.5], dtype=torch.float64) @ other
    signs, sizes = (torch.rand(size, D, generator=rng, dtype=torch.float64) for _ in "ab")
    x = ((signs - 0.5).sign() * -sizes.log() / 2**0.5) @ mixing.T
    truth = mixing.inverse()
    start = torch.from_numpy(FastICA(whiten="unit-variance", random_state=0).fit(x.numpy()).components_)

    def errors(model: Any) -> Tensor:
        found = model.unmixing.detach()
        alike = torch.nn.functional.normalize(found) @ torch.nn.functional.normalize(truth).T
        rows, columns = linear_sum_assignment(-alike.abs().numpy())
        return found[rows] * alike[rows, columns].sign()[:, None] - truth[columns]

    return x, lambda: Sources(start), errors, D * log(2) / 2 - float(torch.linalg.slogdet(truth)[1])


def errors_of(world: Any, worlds: int, seed: int) -> dict[tuple[Any, int], tuple[float, float, float, float]]:
    """By (nu or MLE, T): root mean squared error of the parameters, the same as NCE says it, and both for log Z."""
    found = {}
    for size in SIZES:
        rng = torch.Generator().manual_seed(seed)
        rows: dict[Any, list[tuple[float, ...]]] = {how: [] for how in (*NUS, MLE)}
        for _ in range(worlds):
            x, fresh, errors, log_z = world(size, rng)
            noise = gaussian_fit(x)
            for nu in NUS:
                model = fresh()
                fit = NCE(model, noise, nu).fit(x, rng=rng)
                (said,) = fit.standard_errors.values()
                of_z = (fit.log_normaliser - log_z) ** 2, fit.log_normaliser_error**2
                rows[nu].append((float(errors(model).square().mean()), float(said.square().mean()), *of_z))
            model = fresh()
            of_z = (model.maximum_likelihood(x) - log_z) ** 2
            rows[MLE].append((float(errors(model).square().mean()), float("nan"), of_z, float("nan")))
        for how, values in rows.items():
            found[how, size] = tuple(fmean(column) ** 0.5 for column in zip(*values, strict=True))
    return found


def show(title: str, found: dict[Any, Any]) -> None:
    """Print the table."""
    print(f"{title:34s}" + "".join(f"{f'T = {size}':>18s}" for size in SIZES))
    for what, first in (("parameters", 0), ("log Z", 2)):
        for how in (*NUS, MLE):
            cells = [f"{found[how, size][first]:.3f}" for size in SIZES]
            if how != MLE:
                cells = [f"{cell} ({found[how, size][first + 1]:.3f})" for cell, size in zip(cells, SIZES, strict=True)]
            name = f"  {what}, " + (MLE if how == MLE else f"nu = {how} (as it says)")
            print(f"{name:34s}" + "".join(f"{cell:>18s}" for cell in cells))


def plot(tables: dict[str, Any], path: str) -> None:
    """Error against T, a line for each nu, on logarithmic axes."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams |= {"svg.hashsalt": "infomax", "svg.fonttype": "none"}
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2 * len(tables), figsize=(12, 3.2), layout="constrained")
    panels = [(title, what, column) for title in tables for what, column in (("parameters", 0), ("log Z", 2))]
    for axis, (title, what, column) in zip(axes, panels, strict=True):
        for line, how in enumerate((*NUS, MLE)):
            errors = [tables[title][how, size][column] for size in SIZES]
            label = MLE if how == MLE else f"nu = {how}"
            style = "k--" if how == MLE else f"C{line}o-"
            axis.loglog(SIZES, errors, style, label=label, markersize=3)
        axis.set(title=f"{title}: {what}", xlabel="observations T")
    axes[0].set_ylabel("root mean squared error")
    axes[0].legend()
    figure.savefig(path, metadata={"Date": None} if path.endswith("svg") else None)


def main(worlds: int = 10, seed: int = 0, path: str | None = None) -> dict[str, Any]:
    """Print, plot and give back the errors of both experiments."""
    began = process_time()
    tables = {
        "Gaussian": errors_of(gaussian_world, worlds, seed),
        "Laplace sources": errors_of(source_world, worlds, seed),
    }
    for title, found in tables.items():
        show(title, found)
    print(f"{worlds} worlds; {process_time() - began:.0f} CPU s")
    if path is not None:
        plot(tables, path)
    return tables


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", dest="path", help="where to save the plot (svg or png)")
    main(**vars(parser.parse_args()))
