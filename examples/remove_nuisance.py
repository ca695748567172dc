"""Remove a nuisance from a representation: InfoNCE, a lower bound, goes up while CLUB, an upper bound, goes down.

The digits of scikit-learn are lit from one of four sides. An encoder is trained, without labels, to tell two half-masked
views of a picture from the views of other pictures. Both views share the light, so what it learns first is the light. A
second encoder lowers CLUB between its vectors and the light at the same time. Then fresh classifiers, linear and not, try
to read digit and light from the vectors of pictures that no encoder saw.

    python examples/remove_nuisance.py
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from math import log
from time import process_time

import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from torch import Tensor, nn
from torch.nn.functional import one_hot

from infomax import Scores, bounds, objectives
from infomax.critics import GaussianConditional, cosine

SIDES, WIDTH, FOLLOW = 4, 16, 5
COLUMNS = ["digit, linear", "digit, network", "light, linear", "light, network", "light, nats", "views, nats"]


@dataclass(frozen=True)
class Pictures:
    """(n, 64) pictures, (n,) digits 0 to 9, (n,) lights 0 to 3."""

    x: Tensor
    digit: Tensor
    light: Tensor

    def __getitem__(self, rows: Tensor) -> Pictures:
        return Pictures(self.x[rows], self.digit[rows], self.light[rows])


def lit_digits(rng: torch.Generator) -> tuple[Pictures, Pictures]:
    """Training and test pictures, two to one; the light falls off across the picture, from a side drawn at random."""
    digits = load_digits()
    x, digit = torch.tensor(digits.data / 16).float().reshape(-1, 8, 8), torch.tensor(digits.target)
    light = torch.randint(SIDES, (len(x),), generator=rng)
    ramp = torch.linspace(1, 0, 8).expand(8, 8)
    shades = torch.stack([torch.rot90(ramp, side) for side in range(SIDES)])
    pictures = Pictures((x + shades[light]).flatten(1), digit, light)
    order, cut = torch.randperm(len(x), generator=rng), 2 * len(x) // 3
    return pictures[order[:cut]], pictures[order[cut:]]


def view(x: Tensor, rng: torch.Generator) -> Tensor:
    """The pictures with every other pixel, on average, left out."""
    return 2 * x * (torch.rand(x.shape, generator=rng) < 0.5)


def between(encoder: nn.Module, x: Tensor, rng: torch.Generator) -> Scores:
    """Views against views, row i of one with row i of the other."""
    return cosine(encoder(view(x, rng)), encoder(view(x, rng)), temperature=0.2)


def train(pictures: Pictures, weight: float, *, steps: int, rng: torch.Generator) -> nn.Module:
    """An encoder whose vectors tell pictures apart, and are kept from telling the light by `weight` times CLUB."""
    encoder = nn.Sequential(nn.Linear(64, 128), nn.GELU(), nn.Linear(128, WIDTH), nn.BatchNorm1d(WIDTH, affine=False))
    critic = GaussianConditional(SIDES, WIDTH, hidden=(), generator=rng)  # q(vector | light)
    learner = torch.optim.Adam(encoder.parameters(), lr=1e-3)
    follower = torch.optim.Adam(critic.parameters(), lr=5e-2)
    for _ in range(steps):
        batch = pictures[torch.randint(len(pictures.x), (256,), generator=rng)]
        loss = objectives.info_nce(between(encoder, batch.x, rng), symmetric=True).mean()
        if weight:
            light, z = one_hot(batch.light, SIDES).float(), encoder(view(batch.x, rng))
            for _ in range(FOLLOW):  # the conditional must keep up with the encoder, or CLUB says little
                follower.zero_grad()
                objectives.barber_agakov(critic(light, z.detach())).mean().backward()
                follower.step()
            loss = loss + weight * objectives.club(critic(light, z)).mean()
        learner.zero_grad()
        loss.backward()
        learner.step()
    return encoder.requires_grad_(False).eval()


def read(encoder: nn.Module, train: Pictures, test: Pictures, seed: int) -> dict[str, float]:
    """Held-out accuracies of fresh probes; lower bounds on what is left about the light, and on what views share."""
    probes = {
        "linear": LogisticRegression(max_iter=3000),
        "network": MLPClassifier((128,), alpha=1.0, max_iter=500, random_state=seed),
    }
    row = {}
    for what in ("digit", "light"):
        for kind, probe in probes.items():
            probe.fit(encoder(train.x), getattr(train, what))
            row[f"{what}, {kind}"] = float(probe.score(encoder(test.x), getattr(test, what)))
    log_q = torch.tensor(probes["network"].predict_log_proba(encoder(test.x))).double()
    told = bounds.barber_agakov(Scores(log_q, one_hot(test.light, SIDES).double()), entropy=log(SIDES))
    shared = bounds.info_nce(between(encoder, test.x, torch.Generator().manual_seed(seed)))
    return row | {"light, nats": told.value, "views, nats": shared.value}


def main(steps: int = 900, weight: float = 10.0, seed: int = 0) -> dict[str, dict[str, float]]:
    """Print, and give back, what can be read from the pictures, and from vectors without and with CLUB in the loss."""
    rng, began = torch.Generator().manual_seed(seed), process_time()
    pictures, held_out = lit_digits(rng)
    encoders = {"pictures": nn.Identity()}
    for w in (0.0, weight):
        with torch.random.fork_rng():
            torch.manual_seed(seed)  # of the layers' start
            encoders[f"vectors, weight {w:g}"] = train(pictures, w, steps=steps, rng=rng)
    print("".join(f"{name:>16s}" for name in ["read from     ", *COLUMNS]))
    rows = {}
    for name, encoder in encoders.items():
        rows[name] = read(encoder, pictures, held_out, seed)
        print(f"{name:20s}" + "".join(f"{rows[name][column]:16.2f}" for column in COLUMNS))
    print(
        f"chance: digit 0.10, light {1 / SIDES:.2f}, at most {log(SIDES):.2f} nats; {process_time() - began:.0f} CPU s"
    )
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--weight", type=float, default=10.0, help="of CLUB in the loss")
    parser.add_argument("--seed", type=int, default=0)
    main(**vars(parser.parse_args()))
