"""What noise-contrastive estimation found, how sure it is, and what there is to say against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import isfinite, log, sqrt
from typing import Any

import torch
from torch import Tensor, nn

from infomax.candidates.continuous import ContinuousNoise
from infomax.data.plain import plain
from infomax.objectives import binary_nce_anchor
from infomax.unnormalised.observed import log_model, observations
from infomax.unnormalised.sandwich import efficiency, gradients_of_each, sandwich

FAR = 0.05  # overlap below which nearly all that is learned rests on a few draws
TABLE = (1, 2, 5, 10, 20, 50, 100)  # of nu, for `efficiencies`
ENTRIES = 10**8  # of the gradients of all draws: 0.8 GB


@dataclass(frozen=True)
class Sample:
    """T observations and νT noise draws with the noise's log-density at each; draws ν·t to ν·t + ν - 1 go with x[t]."""

    x: Tensor
    y: Tensor
    log_q_x: Tensor
    log_q_y: Tensor

    def rows(self, data: Tensor, noise: Tensor) -> Sample:
        """Some observations, some draws."""
        return Sample(self.x[data], self.y[noise], self.log_q_x[data], self.log_q_y[noise])


@dataclass(frozen=True)
class NCEFit:
    """A density learned up to nothing: model and normaliser. In nats.

    Attributes:
        model: as given, its parameters now the estimates.
        noise: what the observations were told from.
        log_normaliser: estimate of log Z = -c.
        log_normaliser_error: its standard error, None where `no_errors` says why.
        standard_errors: of each parameter, by its name, in its shape; None likewise.
        covariance: (P + 1, P + 1) of all parameters in the model's order, then c; None likewise.
        no_errors: why there are no standard errors; empty where there are.
        efficiency: trace of the Cramér-Rao bound over that of the covariance at this nu, of the parameters without c: 1
            would be maximum likelihood. Assumes that the model can be right. None without standard errors or parameters.
        efficiencies: the same for other nu with the same noise.
        overlap: mean of ν q / (p + ν q) over the observations, over its value where noise and data agree: 1 where they do, 0
            where they can be told apart without error and nothing but that is learned.
        loss, anchor: mean NCE loss an observation, and its value where model and noise are the same.
        n, nu: observations, and noise draws an observation.
        cautions: (kind, sentence): "far noise", "nothing learned", "not converged".
    """

    model: nn.Module
    noise: ContinuousNoise
    log_normaliser: float
    log_normaliser_error: float | None
    standard_errors: Mapping[str, Tensor] | None
    covariance: Tensor | None
    no_errors: str
    efficiency: float | None
    efficiencies: Mapping[int, float]
    overlap: float
    loss: float
    anchor: float
    n: int
    nu: int
    cautions: tuple[tuple[str, str], ...] = field(default=())

    def log_density(self, x: Any) -> Tensor:
        """(n,) log p̃ - log Z at (n, *event), normalised as well as `log_normaliser` is known."""
        return self.log_density_of(observations(x, self.noise.event_shape, self.model))

    def log_density_of(self, x: Tensor) -> Tensor:
        """The same for a tensor of the model's kind, differentiable in it."""
        return log_model(self.model, x) - self.log_normaliser

    def to_dict(self) -> dict[str, Any]:
        """Plain data for strict JSON, without model and noise."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("model", "noise")}
        errors = self.standard_errors
        values["standard_errors"] = None if errors is None else {name: e.tolist() for name, e in errors.items()}
        values["covariance"] = None if self.covariance is None else self.covariance.tolist()
        return plain(values)

    def __str__(self) -> str:
        error = f"no standard error: {self.no_errors}"
        if self.log_normaliser_error is not None:
            error = f"standard error {self.log_normaliser_error:.3f}"
        parts = [f"log Z = {self.log_normaliser:.3f} nats ({error})", f"n = {self.n:,}, nu = {self.nu}"]
        if self.efficiency is not None:
            parts.append(f"efficiency {self.efficiency:.0%} of maximum likelihood")
        parts.append(f"loss {self.loss:.4f}, {self.anchor:.4f} for model = noise")
        return "\n".join(["; ".join(parts), *(f"warning: {text}" for _, text in self.cautions)])


def read_fit(
    model: nn.Module, noise: ContinuousNoise, sample: Sample, c: float, nu: int, parameter_limit: int
) -> NCEFit:
    """The fit as it stands at the model's parameters and c."""
    odds_x, odds_y = _odds(model, sample, c, nu)
    losses = torch.nn.functional.softplus(-odds_x), torch.nn.functional.softplus(odds_y)
    learned = {name: p for name, p in model.named_parameters() if p.requires_grad}
    gradients, why = _gradients(model, sample, sum(p.numel() for p in learned.values()), parameter_limit)
    uncertain = _Uncertain(no_errors=why)
    if gradients is not None:
        uncertain = _uncertain(odds_x, odds_y, *gradients, nu, learned)
    loss, anchor = float(losses[0].mean() + nu * losses[1].mean()), binary_nce_anchor(nu)
    scatter = sqrt(float(losses[0].var(correction=0) + nu * losses[1].var(correction=0)) / len(odds_x))
    overlap = float(torch.sigmoid(-odds_x).mean()) * (1 + 1 / nu)
    return NCEFit(
        model=model, noise=noise, log_normaliser=-c, overlap=overlap, loss=loss, anchor=anchor, n=len(odds_x), nu=nu,
        cautions=tuple(_cautions(overlap, anchor - loss, scatter, uncertain.newton)),
        **{name: value for name, value in vars(uncertain).items() if name != "newton"},
    )  # fmt: skip


@dataclass(frozen=True)
class _Uncertain:
    no_errors: str = ""
    log_normaliser_error: float | None = None
    standard_errors: Mapping[str, Tensor] | None = None
    covariance: Tensor | None = None
    efficiency: float | None = None
    efficiencies: Mapping[int, float] = field(default_factory=dict)
    newton: float = 0.0  # largest remaining Newton step, in standard errors


def _odds(model: nn.Module, sample: Sample, c: float, nu: int) -> tuple[Tensor, Tensor]:
    """Float64 log-odds of data against noise, at the observations and at the draws."""
    with torch.no_grad():
        return (
            log_model(model, sample.x).double() + (c - log(nu)) - sample.log_q_x.double(),
            log_model(model, sample.y).double() + (c - log(nu)) - sample.log_q_y.double(),
        )


def _gradients(
    model: nn.Module, sample: Sample, parameters: int, limit: int
) -> tuple[tuple[Tensor, Tensor] | None, str]:
    """Gradients of each observation and draw, or why there are none."""
    if parameters > limit:
        return None, f"{parameters} parameters are more than the limit of {limit}"
    if (len(sample.x) + len(sample.y)) * (parameters + 1) > ENTRIES:
        return None, f"the gradients of {len(sample.x) + len(sample.y):,} draws do not fit in memory"
    try:
        return (gradients_of_each(model, sample.x), gradients_of_each(model, sample.y)), ""
    except RuntimeError as error:  # an operation that torch.func does not know: the fit itself stands
        return (
            None,
            f"torch.func cannot differentiate this model for single observations ({str(error).splitlines()[0]})",
        )


def _uncertain(
    odds_x: Tensor, odds_y: Tensor, g_x: Tensor, g_y: Tensor, nu: int, learned: Mapping[str, Tensor]
) -> _Uncertain:
    if float(torch.sigmoid(-odds_x).sum()) < g_x.shape[1]:
        return _Uncertain(no_errors="the noise is so far away that fewer observations count than there are parameters")
    covariance, step = sandwich((odds_x, g_x), (odds_y, g_y))
    if not bool(torch.isfinite(covariance).all()):
        return _Uncertain(
            no_errors="the information matrix is singular: there are parameters that do nothing, or the same as others, or "
            "the same as the normaliser (a constant added to log p̃)"
        )
    errors = covariance.diagonal().sqrt()
    shaped = torch.split(errors[:-1], [p.numel() for p in learned.values()]) if learned else ()
    weights = torch.full_like(odds_x, 1 / len(odds_x))
    table = {}
    if learned:
        table = {other: efficiency(odds_x + log(nu), g_x, weights, other) for other in sorted({*TABLE, nu})}
    at_this = table.get(nu)
    return _Uncertain(
        log_normaliser_error=float(errors[-1]),
        standard_errors={name: e.reshape(p.shape) for (name, p), e in zip(learned.items(), shaped, strict=True)},
        covariance=covariance,
        efficiency=at_this if at_this is not None and isfinite(at_this) else None,
        efficiencies=table,
        newton=float((step / errors).abs().max()),
    )


def _cautions(overlap: float, gained: float, scatter: float, newton: float) -> list[tuple[str, str]]:
    found = []
    if overlap < FAR:
        found.append((
            "far noise",
            f"data and noise are told apart almost without error (overlap {overlap:.2g}): the estimate rests on few draws; "
            "use noise nearer to the data, or bridges (telescoped_log_ratio).",
        ))  # fmt: skip
    if gained < 2 * scatter + 1e-9:  # model = noise has neither
        found.append((
            "nothing learned",
            "the loss is not below its anchor: the model says no more of the data than the noise does. That is right where "
            "the noise is already the data's law; otherwise the model did not learn, or cannot.",
        ))  # fmt: skip
    if newton > 0.1:
        found.append((
            "not converged",
            f"a further Newton step would move an estimate by {newton:.2g} of its standard errors: give more steps.",
        ))  # fmt: skip
    return found
