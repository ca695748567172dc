"""Contrastive predictive coding of a noisy tone, beside what the past truly tells of the future.

A damped oscillation is kicked at random and heard through noise, one number a moment. One moment says little; to know where it
stands takes many. A GRU over learned codes is trained to tell the code that comes k steps later from the codes that come at that
moment in other sequences. As all is Gaussian, the information between the past and each later moment is known, and a held-out
bound can be put beside it; no probe of the context can read the state better than the best filter there is, Kalman's.

    python examples/predict_ahead.py
"""

from __future__ import annotations

import argparse
from math import cos, sin
from time import process_time

import numpy as np
import torch
from sklearn.linear_model import LinearRegression
from torch import Tensor, nn

from infomax import bounds, objectives
from infomax.critics.layers import network
from infomax.encoders import PredictiveContext
from infomax.information import gaussian_mutual_information

DECAY, TURN, NOISE = 0.97, 0.5, 0.5
MOMENTS, STEPS, WIDTH, HIDDEN, HELD_OUT = 32, 4, 8, 32, 2000
TURNING = DECAY * np.array([[cos(TURN), -sin(TURN)], [sin(TURN), cos(TURN)]])


def tones(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """(n, T, 1) what is heard, and (n, T, 2) where the oscillation stands: stationary, unit variance before the noise."""
    turning, state = torch.tensor(TURNING).float(), torch.randn(n, 2, generator=rng)
    states = [state]
    for _ in range(MOMENTS - 1):
        state = state @ turning.T + (1 - DECAY**2) ** 0.5 * torch.randn(n, 2, generator=rng)
        states.append(state)
    hidden = torch.stack(states, 1)
    return hidden[:, :, :1] + NOISE * torch.randn(n, MOMENTS, 1, generator=rng), hidden


def covariance(past: int, ahead: int) -> np.ndarray:
    """(past + 3, past + 3) of the last `past` moments heard, of the moment heard `ahead` later, and of the state now."""
    first = np.array([1.0, 0.0])
    turned = [first @ np.linalg.matrix_power(TURNING, lag) for lag in range(past + ahead)]  # E[heard_t+lag · state_t]
    lags = np.abs(np.subtract.outer(*[[*range(past), past - 1 + ahead]] * 2))
    heard = np.array([row[0] for row in turned])[lags] + NOISE**2 * np.eye(past + 1)
    back = [np.linalg.matrix_power(TURNING, lag) @ first for lag in reversed(range(past))]  # E[state_t · heard_t-lag]
    state = np.array([*back, turned[ahead]])
    return np.block([[heard, state], [state.T, np.eye(2)]])


def truth(past: int, ahead: int) -> float:
    """Nats that the last `past` moments tell of the one that is heard `ahead` later."""
    both = covariance(past, ahead)[: past + 1, : past + 1]
    return float(gaussian_mutual_information(both, past))


def best_share(past: int) -> float:
    """Share of the state's variance that the best filter of the last `past` moments explains."""
    both = covariance(past, 1)
    heard, cross = both[:past, :past], both[:past, past + 1 :]
    return float(np.trace(cross.T @ np.linalg.solve(heard, cross)) / 2)


def train(steps: int, rng: torch.Generator) -> tuple[nn.Module, PredictiveContext]:
    """Encoder of moments, and context with its predictions, by contrastive predictive coding."""
    encoder = network((1, 32, WIDTH), rng)
    context = PredictiveContext(WIDTH, HIDDEN, STEPS, generator=rng)
    optimizer = torch.optim.Adam([*encoder.parameters(), *context.parameters()], lr=3e-3)
    for _ in range(steps):
        codes = encoder(tones(128, rng)[0])
        loss = objectives.cpc(context(codes), codes, negatives="batch").mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return encoder.requires_grad_(False), context.requires_grad_(False)


def explained(x: Tensor, state: Tensor) -> float:
    """Share of the state's variance that a linear probe of x explains, fitted on one half and read on the other."""
    half = len(x) // 2
    return float(LinearRegression().fit(x[:half], state[:half]).score(x[half:], state[half:]))


def main(steps: int = 400, seed: int = 0) -> dict[str, float]:
    """Print, and give back, the bound of each step beside the truth, and what probes read of the hidden state."""
    rng, began, last = torch.Generator().manual_seed(seed), process_time(), MOMENTS - STEPS
    encoder, context = train(steps, rng)
    heard, state = tones(HELD_OUT, rng)
    codes = encoder(heard)
    told, found = context(codes), {}
    print(f"{'steps ahead':>12s}{'one moment tells':>18s}{'the past tells':>16s}{'CPC, held out':>22s}   nats")
    for ahead in range(1, STEPS + 1):
        bound = bounds.info_nce(objectives.future_scores(told, codes, ahead, negatives="batch")[last - 1])
        found |= {f"bound {ahead}": bound.value, f"error {ahead}": bound.standard_error}
        found |= {f"truth {ahead}": truth(last, ahead), f"moment {ahead}": truth(1, ahead)}
        cells = f"{found[f'moment {ahead}']:18.3f}{found[f'truth {ahead}']:16.3f}"
        print(f"{ahead:12d}{cells}{bound.value:15.3f} ± {bound.standard_error:.3f}")
    found["state from moment"] = explained(heard[:, last - 1], state[:, last - 1])
    found["state from context"] = explained(context.context(codes)[:, last - 1], state[:, last - 1])
    found["state, best filter"] = best_share(last)
    for name in ("state from moment", "state from context", "state, best filter"):
        print(f"{name:>20s}: {100 * found[name]:.0f} % of its variance")
    print(f"{HELD_OUT} sequences held out; {process_time() - began:.0f} CPU s")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    main(**vars(parser.parse_args()))
