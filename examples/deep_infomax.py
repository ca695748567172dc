"""Deep InfoMax on handwritten digits: an encoder learns without labels, by telling an image's places from other images'.

No image is augmented. The vector of an image is to tell its own sixteen places from those of other images (local), and its own
map of places from other maps (global); a discriminator keeps the vectors near uniform (prior). Then linear and nearest-neighbour
probes read the digit from vectors of images that were not seen.

    python examples/deep_infomax.py --objective donsker_varadhan
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from time import process_time

import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from infomax import objectives
from infomax.critics import Bilinear
from infomax.critics.layers import network
from infomax.encoders import ConvEncoder

SIDE, WIDTH = 8, 16
SIZES = {"filters": (32,), "deeper": (64,), "width": WIDTH}  # 16 places that see 3 × 3 pixels each
PROBES = {
    "linear": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    "5 neighbours": lambda: make_pipeline(StandardScaler(), KNeighborsClassifier(5)),
}


@dataclass(frozen=True)
class Weights:
    """What the parts of the loss count: those of equation 8 of the paper."""

    whole: float = 0.5
    local: float = 1.0
    prior: float = 0.1


def digits(rng: torch.Generator) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Images (n, 1, 8, 8) and digits (n,) to train and to test on, two to one."""
    found = load_digits()
    images, digit = torch.tensor(found.data / 16).float().reshape(-1, 1, SIDE, SIDE), torch.tensor(found.target)
    order, cut = torch.randperm(len(images), generator=rng), 2 * len(images) // 3
    train, test = order[:cut], order[cut:]
    return (images[train], digit[train]), (images[test], digit[test])


def train(images: Tensor, objective: str, weights: Weights, *, epochs: int, rng: torch.Generator) -> nn.Module:
    """An encoder by the three parts of Deep InfoMax."""
    loss_of = getattr(objectives, objective)
    encoder = ConvEncoder(SIDE, **SIZES, generator=rng)
    local = Bilinear(encoder.local_width, WIDTH, generator=rng)
    whole = Bilinear(encoder.local_width * encoder.places, WIDTH, generator=rng)
    discriminator = network((WIDTH, 64, 1), rng)
    learner = torch.optim.Adam([p for m in (encoder, local, whole) for p in m.parameters()], lr=1e-3)
    rival = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(images), generator=rng).split(64):
            places, vectors = encoder.maps(images[rows])
            codes = vectors.sigmoid()
            told = objectives.prior_discriminator(
                discriminator(torch.rand(codes.shape, generator=rng)), discriminator(codes.detach())
            )
            rival.zero_grad()
            told.backward()
            rival.step()
            loss = weights.local * loss_of(objectives.local_scores(places, vectors, local)).mean()
            loss = loss + weights.whole * loss_of(whole(places.flatten(1), vectors)).mean()
            loss = loss + weights.prior * objectives.prior_matching(discriminator(codes)).mean()
            learner.zero_grad()
            loss.backward()
            learner.step()
    return encoder.requires_grad_(False).eval()


def read(train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]) -> dict[str, float]:
    """Shares of the held-out images whose digit each probe reads from their vectors."""
    return {name: float(make().fit(*train).score(*test)) for name, make in PROBES.items()}


def main(objective: str = "jensen_shannon", epochs: int = 15, seed: int = 0) -> dict[str, dict[str, float]]:
    """Print, and give back, what each probe reads from pixels, principal components, and vectors before and after."""
    rng, began = torch.Generator().manual_seed(seed), process_time()
    (images, digit), (unseen, answer) = digits(rng)
    pca = PCA(WIDTH, random_state=seed).fit(images.flatten(1))
    encoders = {
        "pixels": lambda x: x.flatten(1),
        f"{WIDTH} principal components": lambda x: torch.tensor(pca.transform(x.flatten(1))),
        "vectors, untrained": ConvEncoder(SIDE, **SIZES, generator=rng).requires_grad_(False),
        f"vectors, {objective}": train(images, objective, Weights(), epochs=epochs, rng=rng),
    }
    rows = {name: read((of(images), digit), (of(unseen), answer)) for name, of in encoders.items()}
    print(f"{'read from':32s}" + "".join(f"{name:>14s}" for name in PROBES))
    for name, row in rows.items():
        print(f"{name:32s}" + "".join(f"{share:14.3f}" for share in row.values()))
    print(f"{len(unseen)} images held out, chance 0.1; {process_time() - began:.0f} CPU s")
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ["jensen_shannon", "donsker_varadhan", "info_nce"]
    parser.add_argument("--objective", choices=names, default=names[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    main(**vars(parser.parse_args()))
