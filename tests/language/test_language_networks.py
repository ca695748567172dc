"""Networks by their definitions, and in pieces as in one; batches hold what they say."""

import numpy as np
import pytest
import torch

from infomax.errors import InputError
from infomax.language import LSTM, LogBilinear
from infomax.language import batches as feed
from infomax.language.batches import Positions, Streams, take
from infomax.language.networks import network_of

TOKENS = torch.randint(9, (3, 14), generator=torch.Generator().manual_seed(0))


def networks():
    torch.manual_seed(0)
    return [LogBilinear(9, 5, 1), LogBilinear(9, 5, 4), LSTM(9, 5, 1, 0.4), LSTM(9, 5, 2, 0.4)]


@pytest.mark.parametrize("network", networks(), ids=lambda n: f"{type(n).__name__}")
@pytest.mark.parametrize("cuts", [[5], [1, 2, 3], [13]])
def test_a_text_in_pieces_is_the_text_in_one(network, cuts):
    network.eval()
    whole, last = network(TOKENS)
    state, pieces = None, []
    for piece in torch.tensor_split(TOKENS, cuts, 1):
        hidden, state = network(piece, state)
        pieces.append(hidden)
    torch.testing.assert_close(torch.cat(pieces, 1), whole)
    for a, b in zip(state, last, strict=True):
        torch.testing.assert_close(a, b)


def test_a_log_bilinear_prediction_is_a_weighted_sum_of_its_context():
    network = LogBilinear(9, 5, 3).eval()
    torch.nn.init.normal_(network.places)
    hidden, after = network(TOKENS)
    for b in range(3):
        for t in range(14):
            words = [TOKENS[b, t - back] if t >= back else None for back in (2, 1, 0)]
            sides = zip(words, network.places, strict=True)
            want = sum((network.embedding.weight[w] * place for w, place in sides if w is not None), torch.zeros(5))
            torch.testing.assert_close(hidden[b, t], want)
    assert torch.equal(after, TOKENS[:, -2:])


@pytest.mark.parametrize("network", networks(), ids=lambda n: f"{type(n).__name__}")
def test_a_network_is_made_again_from_its_configuration(network):
    again = network_of(network.config())
    assert again.config() == network.config()
    again.load_state_dict(network.state_dict())


def test_streams_go_on_where_they_stopped_and_hold_each_token_once():
    ids = np.arange(100, dtype=np.int32)
    streams = Streams(ids, 4, 7)
    parts = [streams.batch(0, step) for step in range(streams.steps)]
    tokens = torch.cat([part.tokens for part in parts], 1)
    assert tokens.tolist() == [list(range(24 * b, 24 * b + 24)) for b in range(4)]
    assert torch.equal(torch.cat([part.targets for part in parts], 1), tokens + 1)
    assert np.array_equal(np.concatenate([part.places for part in parts], 1), tokens.numpy())
    assert [part.tokens.shape[1] for part in parts] == [7, 7, 7, 3]
    assert all(part.state is None for part in parts)


@pytest.mark.parametrize(("stretch", "pool"), [(4096, 1024), (8, 3), (5, 2), (1, 1)])
def test_positions_hold_each_place_once_with_the_words_before_it(monkeypatch, stretch, pool):
    monkeypatch.setattr(feed, "_STRETCH", stretch)
    monkeypatch.setattr(feed, "_POOL", pool)
    ids = np.arange(101, dtype=np.int32)
    orders = []
    for seed, epoch in ((0, 0), (0, 1), (1, 0)):
        feed._shuffled.cache_clear()
        positions = Positions(ids, 16, 3, seed)
        parts = [positions.batch(epoch, step) for step in range(positions.steps)]
        places = np.concatenate([part.places for part in parts]).ravel()
        assert sorted(places) == list(range(100))
        tokens = torch.cat([part.tokens for part in parts]).flatten()
        assert tokens.tolist() == places.tolist()
        assert torch.equal(torch.cat([part.targets for part in parts]).flatten(), tokens + 1)
        before = torch.cat([part.state for part in parts])
        assert torch.equal(before, (tokens[:, None] + torch.tensor([-2, -1])).clamp(min=-1))
        orders.append(places.tolist())
    feed._shuffled.cache_clear()
    assert len({tuple(order) for order in orders}) == 3
    assert orders[0] != sorted(orders[0])


def test_before_the_first_token_there_is_none():
    assert take(np.array([5, 6], dtype=np.int32), np.array([[-2, -1, 0, 1]])).tolist() == [[-1, -1, 5, 6]]


@pytest.mark.parametrize("make", [lambda ids: Streams(ids, 20, 35), lambda ids: Positions(ids, 20, 3, 0)])
def test_a_corpus_that_fills_no_batch_is_refused(make):
    with pytest.raises(InputError, match=r"20 tokens to learn from, too few for batches of 20: lower batch_size"):
        make(np.zeros(20, dtype=np.int32))
    make(np.zeros(21, dtype=np.int32))
