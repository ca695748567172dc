"""The queue against a list that forgets: order, wrapping, ids, ages; saved and resumed; alike on all ranks."""

from __future__ import annotations

from collections import deque
from io import BytesIO

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch.nn.functional import cross_entropy, normalize

from infomax import bounds
from infomax.candidates import NO_ID, Queue
from infomax.errors import InputError
from infomax.objectives import decoupled, hard_negative, info_nce, moco_loss, sigmoid, triplet
from infomax.scores import Scores
from infomax.scores.rehearsal import rehearse


def numbered(first, count):
    """(count, 2) keys that say which they are."""
    return torch.arange(first, first + count).float()[:, None] * torch.tensor([1.0, -1.0])


def held(queue):
    """{key: (id, age)}."""
    return {float(k[0]): (i, a) for k, i, a in zip(queue.keys, queue.ids.tolist(), queue.ages.tolist(), strict=True)}


@given(size=st.integers(1, 7), batches=st.lists(st.integers(0, 17), max_size=9), resumed=st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_it_holds_the_last_keys_with_their_ids_and_ages(size, batches, resumed):
    """Any sizes of batches, larger than the queue too; saved and loaded into a fresh one on the way."""
    queue, last, first = Queue(size, 2), deque(maxlen=size), 1
    for number, count in enumerate(batches):
        if number == resumed:
            saved = BytesIO()
            torch.save(queue.state_dict(), saved)
            saved.seek(0)
            queue = Queue(size, 2)
            queue.load_state_dict(torch.load(saved))
        ids = torch.arange(first, first + count) * 10
        queue.enqueue(numbered(first, count), ids)
        last.extend((float(key), int(key) * 10, number) for key in range(first, first + count))
        first += count
    assert len(queue) == len(last)
    assert held(queue) == {key: (name, len(batches) - 1 - number) for key, name, number in last}


def test_keys_without_ids_are_nobodys_false_negative():
    queue = Queue(4, 2)
    queue.enqueue(numbered(1, 2))
    queue.enqueue(numbered(3, 1), torch.tensor([5]))
    assert queue.ids.tolist() == [NO_ID, NO_ID, 5]
    s = queue.scores(numbered(8, 2), numbered(8, 2), ids=torch.tensor([5, 6]))
    assert s.counts().tolist() == [4, 5]
    assert queue.scores(numbered(8, 2), numbered(8, 2)).counts().tolist() == [5, 5]
    assert queue.scores(numbered(8, 2), numbered(8, 2), in_batch=False, ids=torch.tensor([5, 6])).counts().tolist() == [
        3,
        4,
    ]


def test_a_later_batch_does_not_reach_back_into_a_gradient():
    queue, anchors = Queue(4, 2), torch.randn(3, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    queue.enqueue(numbered(1, 4))
    losses = info_nce(queue.scores(anchors, numbered(8, 3), in_batch=False), eager=False)
    (before,) = torch.autograd.grad(losses.sum(), anchors, retain_graph=True)
    queue.enqueue(numbered(50, 4))
    (after,) = torch.autograd.grad(losses.sum(), anchors)
    assert torch.equal(before, after)


def test_keys_are_kept_without_their_gradient():
    queue, keys = Queue(4, 2), numbered(1, 2).requires_grad_()
    queue.enqueue(keys)
    assert not queue.keys.requires_grad
    assert not any(parameter.requires_grad for parameter in queue.parameters())


def unit(n, seed):
    return normalize(torch.randn(n, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64), dim=1)


def filled():
    queue = Queue(9, 3, dtype=torch.float64)
    queue.enqueue(unit(9, 2), torch.arange(9) + 3)
    return queue


@pytest.mark.parametrize("in_batch", [True, False])
@pytest.mark.parametrize(
    "objective",
    [info_nce, decoupled, lambda s: sigmoid(s, -1.0), lambda s: triplet(s, 0.2), lambda s: hard_negative(s, 0.5)],
)
def test_any_objective_takes_it(objective, in_batch):
    """As of the matrix written out: the keys of the batch, then those of the queue."""
    q, k, ids = unit(5, 0), unit(5, 1), torch.tensor([3, 4, 50, 51, 52])
    columns = torch.cat([k, unit(9, 2)])
    names = torch.cat([ids, torch.arange(9) + 3])
    s = filled().scores(q, k, ids=ids, temperature=0.2, in_batch=in_batch)
    live = (ids[:, None] != names) | torch.eye(5, 14, dtype=torch.bool)
    if not in_batch:
        live[:, :5] = torch.eye(5, dtype=torch.bool)
    matrix = (q @ columns.T / 0.2).masked_fill(~live, -1e4)
    for i in range(5):
        left = live[i].nonzero().squeeze(1)
        plain = Scores(q[i : i + 1], columns[left], temperature=0.2, positives=(left == i).nonzero()[0])
        torch.testing.assert_close(objective(s)[i : i + 1], objective(plain))
    torch.testing.assert_close(info_nce(s), cross_entropy(matrix, torch.arange(5), reduction="none"))


def test_no_loss_on_a_queue_reads_as_a_bound():
    for in_batch in (True, False):
        assert bounds.readout(filled().scores(unit(5, 0), unit(5, 1), in_batch=in_batch)).side == "score"


def test_moco_is_its_published_definition():
    """Algorithm 1 of the paper: logits of the own key, then of the queue; then the keys enter the queue."""
    q, k, queue = 3 * unit(5, 0), 2 * unit(5, 1), filled()
    q.requires_grad_()
    older = queue.keys
    losses = moco_loss(q, k, queue, temperature=0.2)
    own, others = (normalize(q, dim=1) * normalize(k, dim=1)).sum(1, keepdim=True), normalize(q, dim=1) @ older.T
    plain = cross_entropy(torch.cat([own, others], 1) / 0.2, torch.zeros(5, dtype=torch.long), reduction="none")
    torch.testing.assert_close(losses, plain)
    torch.testing.assert_close(torch.autograd.grad(losses.mean(), q)[0], torch.autograd.grad(plain.mean(), q)[0])
    torch.testing.assert_close(queue.keys[:5], normalize(k, dim=1))
    assert queue.ages.tolist() == [0] * 5 + [1] * 4


def test_older_keys_of_an_item_are_not_its_negatives_in_moco():
    q, k, queue, ids = unit(5, 0), unit(5, 1), filled(), torch.tensor([3, 4, 4, 50, 51])  # of ids 3 to 11, keys 0 to 8
    older = (q @ queue.keys.T).masked_fill(ids[:, None] == queue.ids, -torch.inf)
    losses = moco_loss(q, k, queue, ids=ids, temperature=0.2)
    logits = torch.cat([(q * k).sum(1, keepdim=True), older], 1) / 0.2
    plain = cross_entropy(logits, torch.zeros(5, dtype=torch.long), reduction="none")
    torch.testing.assert_close(losses, plain)
    assert queue.ids.tolist() == [3, 4, 4, 50, 51, 8, 9, 10, 11]


@pytest.mark.parametrize("normalize", [True, False])
def test_moco_gives_its_keys_no_gradient(normalize):
    q, k = unit(5, 0).requires_grad_(), unit(5, 1).requires_grad_()
    losses = moco_loss(q, k, filled(), normalize=normalize)
    to_query, to_key = torch.autograd.grad(losses.sum(), (q, k), allow_unused=True)
    assert to_query.abs().max() > 0
    assert to_key is None


def test_the_first_step_of_moco_takes_the_batch():
    q, k, queue = unit(5, 0), unit(5, 1), Queue(8, 3, dtype=torch.float64)
    torch.testing.assert_close(moco_loss(q, k, queue, temperature=0.2), info_nce(Scores(q, k, temperature=0.2)))
    assert len(queue) == 5


@pytest.mark.parametrize(
    ("keys", "ids", "said"),
    [
        (torch.ones(2, 3), None, "as the queue is wide"),
        (torch.ones(2), None, "as the queue is wide"),
        ([[1.0, 2.0]], None, "got list"),
        (torch.full((2, 2), float("nan")), None, "NaN"),
        (torch.ones(2, 2), torch.tensor([1]), "shape"),
        (torch.ones(2, 2), torch.tensor([1, NO_ID]), "least of all"),
        (torch.ones(2, 2), torch.tensor([1.0, 2.0]), "int64"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_the_queue_as_it_was(keys, ids, said):
    queue = Queue(4, 2)
    with pytest.raises(InputError, match=said):
        queue.enqueue(keys, ids)
    assert len(queue) == 0


def test_a_queue_has_room():
    with pytest.raises(InputError, match="size"):
        Queue(0, 2)


def moco_in_two_ranks(rank):
    """The second rank has no rows."""
    queue, rows = Queue(7, 2, gathered=True), 3 if rank == 0 else 0
    encoder = torch.nn.Linear(2, 2).double()
    losses = moco_loss(encoder(unit(3, 0)[:rows, :2]), unit(3, 1)[:rows, :2], queue)
    losses.sum().backward()
    return len(losses), bool(encoder.weight.grad.any()), len(queue)


@pytest.mark.slow
def test_moco_takes_a_rank_without_rows():
    assert rehearse(moco_in_two_ranks, 2) == [(3, True, 3), (0, False, 3)]


def in_two_ranks(rank):
    """Uneven batches, one of them empty, one in both."""
    queue = Queue(7, 2, gathered=True)
    for counts in ((2, 3), (0, 2), (4, 1), (0, 0)):
        first = 100 * counts[0] + 10 * counts[1] + 5 * rank
        queue.enqueue(numbered(first, counts[rank]), torch.arange(first, first + counts[rank]))
    return queue.state_dict()


@pytest.mark.slow
def test_two_ranks_hold_one_queue():
    first, second = rehearse(in_two_ranks, 2)
    alone = Queue(7, 2)
    for firsts in (((230, 2), (235, 3)), ((20, 0), (25, 2)), ((410, 4), (415, 1)), ()):
        rows = torch.cat([numbered(*first) for first in firsts] or [numbered(0, 0)])
        alone.enqueue(rows, rows[:, 0].long())
    for name, held in alone.state_dict().items():
        assert torch.equal(first[name], held)
        assert torch.equal(second[name], held)


def test_gathered_without_a_process_group_is_alone():
    queue = Queue(4, 2, gathered=True)
    queue.enqueue(numbered(1, 2))
    assert len(queue) == 2
