"""Deep Graph InfoMax: the summary of a graph is to tell its nodes from those of the same graph with features shuffled.

Four communities whose nodes carry noisy features. The published loss is this package's sigmoid objective of one anchor,
the summary, whose true pairs are all nodes. A linear probe then reads the community from features, from an untrained encoder, and
from the trained one, at nodes whose label it has not seen.

    pip install torch_geometric
    python examples/graph_infomax.py

Source: Veličković et al. 2019, arXiv:1809.10341, equation 1.
"""

from __future__ import annotations

import argparse
from time import process_time

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch_geometric.nn import GCNConv
from torch_geometric.utils import stochastic_blockmodel_graph

from infomax import Scores
from infomax.critics import Bilinear
from infomax.objectives import sigmoid

COMMUNITIES, NODES, FEATURES, WIDTH, NOISE = 4, 150, 16, 8, 2.0
INSIDE, ACROSS = 0.06, 0.015  # probability of an edge


class Encoder(nn.Module):
    """One graph convolution, as in the paper."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.bend = GCNConv(FEATURES, WIDTH), nn.PReLU(WIDTH)

    def forward(self, features: Tensor, edges: Tensor) -> Tensor:
        return self.bend(self.convolution(features, edges))


def communities(rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Features (n, d), edges (2, e) and communities (n,) of a stochastic block model."""
    odds = torch.full((COMMUNITIES, COMMUNITIES), ACROSS).fill_diagonal_(INSIDE)
    edges = stochastic_blockmodel_graph([NODES] * COMMUNITIES, odds)
    label = torch.arange(COMMUNITIES).repeat_interleave(NODES)
    centres = torch.randn(COMMUNITIES, FEATURES, generator=rng)
    return centres[label] + NOISE * torch.randn(len(label), FEATURES, generator=rng), edges, label


def graph_infomax(nodes: Tensor, shuffled: Tensor, critic: Bilinear) -> Tensor:
    """() the loss, for nodes (n, d) of the graph and of its shuffled twin."""
    summary = nodes.mean(0, keepdim=True).sigmoid()
    shuffle = torch.arange(2).repeat_interleave(len(nodes))
    scores: Scores = critic(
        summary, torch.cat([nodes, shuffled]), positives=(torch.zeros(1, dtype=torch.long), shuffle)
    )
    return sigmoid(scores).mean() / len(nodes)


def train(features: Tensor, edges: Tensor, *, steps: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """(n, d) vectors of the nodes before and after."""
    encoder, critic = Encoder(), Bilinear(WIDTH, WIDTH, generator=rng)
    optimizer = torch.optim.Adam([*encoder.parameters(), *critic.parameters()], lr=5e-3)
    before = encoder(features, edges).detach()
    for _ in range(steps):
        shuffled = features[torch.randperm(len(features), generator=rng)]
        loss = graph_infomax(encoder(features, edges), encoder(shuffled, edges), critic)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return before, encoder(features, edges).detach()


def main(steps: int = 200, seed: int = 0) -> dict[str, float]:
    """Print, and give back, the share of communities that a linear probe reads right at unseen nodes."""
    rng, began, found = torch.Generator().manual_seed(seed), process_time(), {}
    with torch.random.fork_rng():
        torch.manual_seed(seed)  # of the edges and of the encoder's start, which take no generator
        features, edges, label = communities(rng)
        before, after = train(features, edges, steps=steps, rng=rng)
    order = torch.randperm(len(label), generator=rng)
    known, unseen = order[: len(order) // 10], order[len(order) // 10 :]
    for name, x in {"features": features, "vectors, untrained": before, "vectors, trained": after}.items():
        probe = LogisticRegression(max_iter=2000).fit(x[known], label[known])
        found[name] = float(probe.score(x[unseen], label[unseen]))
        print(f"{name:20s}{found[name]:8.3f}")
    print(f"{len(known)} nodes labelled, {len(unseen)} unseen, chance 0.25; {process_time() - began:.0f} CPU s")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    main(**vars(parser.parse_args()))
