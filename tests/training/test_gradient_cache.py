"""The cached gradient is the one-shot gradient: whatever the loss, the encoders, the noise, the precision."""

import random
import subprocess
import sys
from functools import partial

import pytest
import torch
from torch import nn

from infomax import objectives
from infomax.errors import InfomaxError, InputError
from infomax.scores import Scores
from infomax.training import cached_backward

N, CHUNK = 14, 4  # chunks of 4, 4, 4 and 2


def network(seed=0, width=6, dropout=0.3):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(width, 9), nn.Dropout(dropout), nn.Tanh(), nn.Linear(9, 5)).double()


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def one_shot(loss, *sides, chunk):
    """The definition: the same chunks, encoded once, all in one graph."""
    value = loss(*(torch.cat([encoder(part) for part in batch.split(chunk)]) for encoder, batch in sides))
    value.backward()
    return value.detach()


LABELS = torch.arange(N) // 3
QUEUE = draws(20, 5, seed=9)


def with_queue(a, c):
    return objectives.info_nce(Scores(a, torch.cat([c, QUEUE]), positives=torch.arange(len(a)))).mean()


def of_labels(a, c):
    return objectives.supervised_contrastive(Scores(a, c, positives=(LABELS, LABELS))).mean()


LOSSES = {
    "one way": lambda a, c: objectives.info_nce(Scores(a, c, backend="streamed")).mean(),
    "symmetric": lambda a, c: objectives.info_nce(Scores(a, c, temperature=0.5), symmetric=True).mean(),
    "several positives": of_labels,
    "queue": with_queue,
    "debiased": lambda a, c: objectives.debiased(Scores(a, c), 0.1).mean(),
    "hard negatives": lambda a, c: objectives.hard_negative(Scores(a, c), beta=0.5).mean(),
    "sigmoid": lambda a, c: objectives.sigmoid(Scores(a, c)).mean(),
    "triplet": lambda a, c: objectives.triplet(Scores(a, c), margin=1.0).mean(),
    "two views": lambda a, c: objectives.nt_xent(a, c, temperature=0.5).mean(),
    "dimensions": lambda a, c: objectives.barlow_twins(a, c),
}


def gradients(modules):
    return [p.grad.clone() for module in modules for p in module.parameters()]


def both(loss, encoders, batches, learned=()):
    """Values and gradients of the cached and of the one-shot step; and how torch's generator stands after each."""
    found = []
    for step in (cached_backward, one_shot):
        for module in (*encoders, *learned):
            module.zero_grad()
        torch.manual_seed(3)
        value = step(loss, *zip(encoders, batches, strict=True), chunk=CHUNK)
        found.append((value, gradients(dict.fromkeys((*encoders, *learned))), torch.get_rng_state()))
    return found


def assert_equal(cached, plain, tolerance=1e-12):
    assert float(plain[0]) == pytest.approx(float(cached[0]), rel=1e-12)
    assert torch.equal(cached[2], plain[2])
    largest = max(gradient.abs().max() for gradient in plain[1])
    assert largest > 1e-3
    for one, other in zip(cached[1], plain[1], strict=True):
        assert (one - other).abs().max() <= tolerance * largest


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("shared", [True, False])
def test_equal_to_one_shot_with_dropout(name, shared):
    encoders = [network()] * 2 if shared else [network(), network(1)]
    assert_equal(*both(LOSSES[name], encoders, [draws(N, 6), draws(N, 6, seed=1)]))


class Warmth(nn.Module):
    def __init__(self):
        super().__init__()
        self.log = nn.Parameter(torch.tensor(-1.0, dtype=torch.float64))


def test_what_the_loss_learns_and_sides_of_unequal_size():
    warmth, encoders = Warmth(), [network(), network(1, width=7)]

    def loss(a, c):
        return objectives.info_nce(Scores(a, c, temperature=warmth.log.exp())).mean()

    assert_equal(*both(loss, encoders, [draws(N, 6), draws(N + 5, 7)], [warmth]))


def test_the_noise_is_the_chunks_own():
    """Were the replay to draw anew, the gradient would be another; were the noise off, too."""
    encoder, x, y = network(), draws(N, 6), draws(N, 6, seed=1)
    cached, plain = both(LOSSES["symmetric"], [encoder, encoder], [x, y])
    encoder.eval()
    without = both(LOSSES["symmetric"], [encoder, encoder], [x, y])[0]
    assert (without[1][0] - plain[1][0]).abs().max() > 0.1 * plain[1][0].abs().max()
    assert_equal(cached, plain)


def test_gradients_add_up_as_backward_does():
    encoder, x, y = network(dropout=0.0), draws(N, 6), draws(N, 6, seed=1)
    for _ in range(2):
        cached_backward(LOSSES["symmetric"], (encoder, x), (encoder, y), chunk=CHUNK)
    twice = gradients([encoder])
    encoder.zero_grad()
    one_shot(LOSSES["symmetric"], (encoder, x), (encoder, y), chunk=N)
    for one, other in zip(twice, gradients([encoder]), strict=True):
        torch.testing.assert_close(one, 2 * other, rtol=1e-12, atol=1e-15)


def test_a_side_that_learns_nothing_and_inputs_that_learn():
    learner, teacher = network(dropout=0.0), network(1, dropout=0.0).requires_grad_(False)
    prompts = draws(N, 6).requires_grad_()
    calls = []
    teacher.register_forward_hook(lambda *_: calls.append(1))
    cached_backward(LOSSES["one way"], (learner, prompts), (teacher, draws(N, 6, seed=1)), chunk=CHUNK)
    cached, prompts.grad = (prompts.grad, *gradients([learner])), None
    learner.zero_grad()
    one_shot(LOSSES["one way"], (learner, prompts), (teacher, draws(N, 6, seed=1)), chunk=N)
    for one, other in zip(cached, (prompts.grad, *gradients([learner])), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("warm", [False, True])
def test_under_autocast_weights_still_learn(warm):
    """Autocast keeps the copies of weights that it casts; those of the pass without a graph must not serve the other."""
    encoder = network(dropout=0.3).float()
    x, y = draws(N, 6).float(), draws(N, 6, seed=1).float()
    found = []
    for step in (cached_backward, one_shot):
        encoder.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            if warm:  # the cache holds copies, with a graph
                assert encoder(x[:1]).dtype == torch.bfloat16
            torch.manual_seed(3)
            found.append((step(LOSSES["symmetric"], (encoder, x), (encoder, y), chunk=CHUNK), gradients([encoder])))
            assert torch.is_autocast_cache_enabled()
    (value, cached), (plain_value, plain) = found
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(float(plain_value), rel=1e-6)
    for one, other in zip(cached, plain, strict=True):
        assert other.abs().max() > 1e-4
        assert (one - other).abs().max() < 2**-5 * other.abs().max()  # sums of bfloat16, which has 8 bits


def test_a_gradient_scaler_scales():
    encoder, x, y = network(dropout=0.0), draws(N, 6), draws(N, 6, seed=1)
    scaled = lambda loss: (8 * loss).backward()  # noqa: E731
    cached_backward(LOSSES["symmetric"], (encoder, x), (encoder, y), chunk=CHUNK, backward=scaled)
    cached = gradients([encoder])
    encoder.zero_grad()
    one_shot(LOSSES["symmetric"], (encoder, x), (encoder, y), chunk=N)
    for one, other in zip(cached, gradients([encoder]), strict=True):
        torch.testing.assert_close(one, 8 * other, rtol=1e-12, atol=1e-15)


def test_running_statistics_move_once_a_chunk():
    def encoder():
        return nn.Sequential(network(dropout=0.0), nn.BatchNorm1d(5).double())

    one, other = encoder(), encoder()
    x, y = draws(12, 6), draws(12, 6, seed=1)
    cached_backward(LOSSES["symmetric"], (one, x), (one, y), chunk=4)
    one_shot(LOSSES["symmetric"], (other, x), (other, y), chunk=4)
    for a, b in zip(one.buffers(), other.buffers(), strict=True):
        assert torch.equal(a, b)
    assert int(one[1].num_batches_tracked) == 6


def test_randomness_from_elsewhere_is_refused():
    rng, encoder = random.Random(0), network(dropout=0.0)
    with pytest.raises(InfomaxError, match="torch's generators"):
        cached_backward(
            LOSSES["symmetric"], (lambda x: encoder(x) * rng.random(), draws(N, 6)), (encoder, draws(N, 6)), chunk=CHUNK
        )


def test_vectors_that_are_slightly_other_are_refused():
    """By a hundredth: far beyond rounding, which is allowed the square root of what a number resolves."""
    encoder, calls = network(dropout=0.0), []

    def drifting(batch):
        calls.append(len(batch))
        return encoder(batch) * (1 + 0.01 * len(calls))

    with pytest.raises(InfomaxError, match="other vectors"):
        cached_backward(lambda a: a.square().mean(), (drifting, draws(N, 6)), chunk=CHUNK)


@pytest.mark.parametrize("form", ["list", "tuple", "mapping"])
def test_batches_of_any_kind(form):
    encoder, x, y = network(dropout=0.0), draws(N, 6), draws(N, 6, seed=1)
    encode, batch = {
        "list": (lambda rows: encoder(torch.stack(rows)), list(x)),
        "tuple": (lambda parts: encoder(parts[0] + parts[1]), (x / 4, 3 * x / 4)),
        "mapping": (lambda parts: encoder(parts["x"]), {"x": x}),
    }[form]
    sizes = []

    def watched(part):
        vectors = encode(part)
        sizes.append(len(vectors))
        return vectors

    cached_backward(LOSSES["symmetric"], (watched, batch), (encoder, y), chunk=CHUNK)
    assert sizes == [4, 4, 4, 2] * 2
    cached = gradients([encoder])
    encoder.zero_grad()
    one_shot(LOSSES["symmetric"], (encoder, x), (encoder, y), chunk=N)
    for one, other in zip(cached, gradients([encoder]), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-15)


def test_no_more_is_held_than_one_chunk_needs():
    """Bytes that autograd keeps at any time of the encoder's, beside its parameters."""
    encoder = nn.Sequential(nn.Linear(6, 500), nn.Tanh(), nn.Linear(500, 5)).double()
    x, y, held, most = draws(64, 6), draws(64, 6, seed=1), 0, 0
    own = {p.data_ptr() for p in encoder.parameters()}

    class Kept:
        def __init__(self, tensor):
            nonlocal held, most
            self.tensor, self.bytes = tensor, 0 if tensor.data_ptr() in own else tensor.nbytes
            held += self.bytes
            most = max(most, held)

        def __del__(self):
            nonlocal held
            held -= self.bytes

    for step, chunk in ((one_shot, 64), (cached_backward, 4)):
        held = most = 0
        with torch.autograd.graph.saved_tensors_hooks(Kept, lambda kept: kept.tensor):
            step(LOSSES["one way"], (encoder, x), (encoder, y), chunk=chunk)
        wide = 500 * 8 * chunk  # the activations that a chunk must keep: tanh's, which the next layer shares
        assert most >= wide
        assert most < (5 * 64 * 500 * 8 if chunk == 64 else 6 * wide)


def test_what_cannot_be_right_is_refused():
    encoder, x = network(), draws(N, 6)
    cached = partial(cached_backward, LOSSES["symmetric"])
    for chunk in (0, 2.5, None):
        with pytest.raises(InputError, match="chunk must be a whole number"):
            cached((encoder, x), (encoder, x), chunk=chunk)
    with pytest.raises(InputError, match=r"a tuple \(encoder, batch\)"):
        cached(encoder, x, chunk=4)
    with pytest.raises(InputError, match="without rows"):
        cached((encoder, x[:0]), (encoder, x), chunk=4)
    with pytest.raises(InputError, match=r"of one length, got lengths \[13, 14\]"):
        cached((encoder, (x, x[1:])), (encoder, x), chunk=4)
    with pytest.raises(InputError, match=r"shape \(4, d\), got \(3, 5\)"):
        cached((lambda part: encoder(part)[1:], x), (encoder, x), chunk=4)
    with pytest.raises(InputError, match=r"one number, a tensor without axes, got \(14, 5\)"):
        cached_backward(lambda a, c: a * c, (encoder, x), (encoder, x), chunk=4)


PROCESSES = """
import sys, torch
from torch import nn, distributed
from torch.nn.parallel import DistributedDataParallel
from infomax import Scores, info_nce
from infomax.training import cached_backward
rank, path = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(1)
distributed.init_process_group("gloo", init_method=f"file://{path}", rank=rank, world_size=2)
torch.manual_seed(0)
network = nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 5)).double()
network.register_buffer("places", torch.arange(5))
x, y = torch.randn(2, 14, 6, dtype=torch.float64), torch.randn(2, 14, 6, dtype=torch.float64)
sizes = (14, 9)  # 4 chunks here, 3 there
loss = lambda a, c: info_nce(Scores(a, c)).mean()
for r in (0, 1):
    (loss(network(x[r, :sizes[r]]), network(y[r, :sizes[r]])) / 2).backward()
expected = [p.grad.clone() for p in network.parameters()]
network.zero_grad()
wrapped, reduced = DistributedDataParallel(network), []
def counted(group, bucket):
    reduced.append(bucket.index())
    future = distributed.all_reduce(bucket.buffer() / 2, group=group, async_op=True).get_future()
    return future.then(lambda done: done.value()[0])
wrapped.register_comm_hook(distributed.group.WORLD, counted)
for step in (1, 2):
    cached_backward(loss, (wrapped, x[rank, :sizes[rank]]), (wrapped, y[rank, :sizes[rank]]), chunk=4)
    assert len(reduced) == step * len(set(reduced)), reduced  # every bucket once a step
    for p, gradient in zip(network.parameters(), expected):
        torch.testing.assert_close(p.grad, gradient, rtol=1e-12, atol=1e-15)
    network.zero_grad()
distributed.destroy_process_group()
print("equal")
"""


def test_two_processes_synchronise_once_and_agree(tmp_path):
    commands = [[sys.executable, "-c", PROCESSES, str(rank), str(tmp_path / "meeting")] for rank in (0, 1)]
    started = [subprocess.Popen(c, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for c in commands]
    said = [process.communicate(timeout=120) for process in started]
    assert [out.strip() for out, _ in said] == ["equal", "equal"], said
