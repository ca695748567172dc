"""Which information to keep: the choice of the true pairs decides what an encoder keeps and what it drops.

The digits of scikit-learn are inked in one of six colours, drawn at random, so digit and colour tell nothing of each other. One
and the same encoder is trained by InfoNCE on pairs that share

    two crops                       digit and colour, and much else
    two crops, colours turned       the digit, and the hand that wrote it
    another picture of the digit    the digit alone
    another picture of the colour   the colour alone

What the members of a pair do not share cannot help to tell pairs apart, so the encoder drops it (Tian et al. 2020,
arXiv:2005.10243). Linear probes and `infomax.estimate` then say what the vectors of pictures that no encoder saw still hold.

    python examples/which_information.py
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from math import log
from time import process_time

import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn.functional import normalize

import infomax
from infomax import Scores, objectives
from infomax.data.views import jitter_colours, random_resized_crop
from infomax.data.views.colours import turned_hue

COLOURS, WIDTH, BATCH = 6, 8, 256
RED = torch.tensor([1.0, 0.1, 0.1])


@dataclass(frozen=True)
class Pictures:
    """(n, 3, 8, 8) pictures from 0 to 1, (n,) digits 0 to 9, (n,) colours 0 to 5."""

    x: Tensor
    digit: Tensor
    colour: Tensor

    def __getitem__(self, rows: Tensor) -> Pictures:
        return Pictures(self.x[rows], self.digit[rows], self.colour[rows])


Pairing = Callable[[Pictures, torch.Generator], tuple[Tensor, Tensor, Tensor | None]]


def inked_digits(rng: torch.Generator) -> tuple[Pictures, Pictures]:
    """Training and test pictures, two to one."""
    digits = load_digits()
    ink, digit = torch.tensor(digits.images / 16).float(), torch.tensor(digits.target)
    colour = torch.randint(COLOURS, (len(ink),), generator=rng)
    x = turned_hue(ink[:, None] * RED[:, None, None], colour / COLOURS)
    order, cut = torch.randperm(len(x), generator=rng), 2 * len(x) // 3
    pictures = Pictures(x, digit, colour)
    return pictures[order[:cut]], pictures[order[cut:]]


def crops(batch: Pictures, rng: torch.Generator) -> tuple[Tensor, Tensor, None]:
    """Two crops of each picture."""
    first, second = (random_resized_crop(batch.x, rng, scale=(0.4, 1.0)) for _ in range(2))
    return first, second, None


def turned_crops(batch: Pictures, rng: torch.Generator) -> tuple[Tensor, Tensor, None]:
    """Two crops, the colour of each turned by any angle."""
    first, second, _ = crops(batch, rng)
    return (*(jitter_colours(x, rng, hue=0.5) for x in (first, second)), None)


def same(label: str) -> Pairing:
    """Every two pictures of one label are a true pair."""

    def pairing(batch: Pictures, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        return (*crops(batch, rng)[:2], getattr(batch, label))

    return pairing


PAIRS: dict[str, Pairing] = {
    "two crops": crops,
    "colours turned": turned_crops,
    "the same digit": same("digit"),
    "the same colour": same("colour"),
}


def train(pictures: Pictures, pairing: Pairing, *, steps: int, rng: torch.Generator) -> nn.Module:
    """An encoder of pictures into unit vectors that tell true pairs from chance pairs."""
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(192, 256), nn.GELU(), nn.Linear(256, WIDTH))
    optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-3)
    for _ in range(steps):
        first, second, labels = pairing(pictures[torch.randint(len(pictures.x), (BATCH,), generator=rng)], rng)
        vectors = [normalize(encoder(x), dim=1) for x in (first, second)]
        positives = None if labels is None else (labels, labels)
        loss = objectives.info_nce(Scores(*vectors, temperature=0.2, positives=positives), symmetric=True).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return encoder.requires_grad_(False).eval()


def read(encoder: nn.Module, train: Pictures, test: Pictures, seed: int) -> dict[str, float]:
    """Held-out accuracy of a linear probe, and estimated information in nats, of digit and of colour."""
    row, held_out = {}, normalize(encoder(test.x), dim=1)
    for label in ("digit", "colour"):
        probe = LogisticRegression(max_iter=3000).fit(normalize(encoder(train.x), dim=1), getattr(train, label))
        row[f"{label}, probe"] = float(probe.score(held_out, getattr(test, label)))
        names = getattr(test, label).numpy().astype(str)
        row[f"{label}, nats"] = infomax.estimate(held_out.numpy(), names, level=None, random_state=seed).nats
    return row


def main(steps: int = 1000, seed: int = 0) -> dict[str, dict[str, float]]:
    """Print, and give back, what the vectors of each choice of pairs hold."""
    rng, began = torch.Generator().manual_seed(seed), process_time()
    pictures, held_out = inked_digits(rng)
    rows = {}
    for name, pairing in PAIRS.items():
        with torch.random.fork_rng():
            torch.manual_seed(seed)  # of the layers' start
            encoder = train(pictures, pairing, steps=steps, rng=rng)
        rows[name] = read(encoder, pictures, held_out, seed)
        if len(rows) == 1:
            print(f"{'pairs share':18s}" + "".join(f"{column:>16s}" for column in rows[name]))
        print(f"{name:18s}" + "".join(f"{value:16.2f}" for value in rows[name].values()))
    print(
        f"chance: digit 0.10, colour {1 / COLOURS:.2f}; at most {log(10):.2f} and {log(COLOURS):.2f} nats; "
        f"{process_time() - began:.0f} CPU s"
    )
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    main(**vars(parser.parse_args()))
