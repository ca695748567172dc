"""Deep Graph InfoMax: its loss is that of torch_geometric, and it learns; skipped where torch_geometric is not installed."""

from __future__ import annotations

import pytest
import torch

geometric = pytest.importorskip("torch_geometric.nn", reason="needs torch_geometric")
EXAMPLE = "graph_infomax"


def test_the_loss_is_that_of_torch_geometric(example):
    rng = torch.Generator().manual_seed(0)
    nodes, shuffled = torch.randn(2, 9, example.WIDTH, generator=rng)
    critic = example.Bilinear(example.WIDTH, example.WIDTH, generator=rng)
    theirs = geometric.DeepGraphInfomax(example.WIDTH, torch.nn.Identity(), lambda z: z.mean(0).sigmoid(), lambda z: z)
    theirs.weight.data = (
        critic.weight.weight.detach()
    )  # z W s against (W' s) z: the transpose of a linear layer's weight
    expected = theirs.loss(nodes, shuffled, nodes.mean(0).sigmoid())
    torch.testing.assert_close(example.graph_infomax(nodes, shuffled, critic), expected, rtol=1e-5, atol=1e-6)


def test_a_probe_reads_more_from_trained_vectors(example, capsys):
    found = example.main(steps=200, seed=1)
    assert found["vectors, trained"] > found["vectors, untrained"] + 0.05
    assert found["vectors, trained"] > found["features"] + 0.05
    assert "60 nodes labelled" in capsys.readouterr().out
