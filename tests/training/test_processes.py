"""A run in several processes is the run of one: its curve, its encoder, its folder; stopped, resumed, and with a process lost."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from infomax.errors import InfomaxError, InputError
from infomax.objectives import donsker_varadhan, info_nce
from infomax.scores.gather import processes
from infomax.scores.rehearsal import rehearse
from infomax.training import fit
from infomax.training.processes import average_gradients, from_first, own_part, refuse_differing, spread
from infomax.training.resume import changed_footing, footing
from infomax.training.run_folder import CHECKPOINT, LOG

cloudpickle.register_pickle_by_value(sys.modules[__name__])

CLOSE = {"rtol": 1e-4, "atol": 2e-5}  # float32 sums in another order, over some tens of steps
QUIET = {"progress": False, "evaluate": False}


def some_texts() -> list[tuple[str, str]]:
    rng = random.Random(0)
    words = [f"{a}{b}" for a in "bcdfghklmnprst" for b in ("ado", "eri", "ilu", "osa", "ume")]
    cores = [rng.sample(words, 5) for _ in range(90)]
    return [(" ".join(core[:4]), " ".join(core[1:] + rng.sample(words, 3))) for core in cores]


def some_vectors() -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(0)
    shared = torch.randn(97, 3, generator=rng)
    return tuple(torch.cat([shared, torch.randn(97, 4, generator=rng)], 1) for _ in range(2))  # type: ignore[return-value]


def linear(seed: int) -> nn.Module:
    layer = nn.Linear(7, 4)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(4, 7, generator=torch.Generator().manual_seed(seed)))
        layer.bias.zero_()
    return layer


class Acting:
    """The objective, which does something in the process `rank` at its `step`-th call."""

    def __init__(self, step: int, rank: int, act: Callable[[], None]) -> None:
        self.step, self.rank, self.act, self.calls = step, rank, act, 0

    def __call__(self, scores: Any) -> Tensor:
        self.calls += 1
        if self.calls == self.step and processes()[0] == self.rank:
            self.act()
        return info_nce(scores)


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def never() -> None:
    raise AssertionError


# What every process does; the first argument of each is a folder of its own. Every run is also made in one process.


def from_texts(folder: Path, **more: Any) -> Any:
    """The usual encoder, sparse gradients and all, with an evaluation."""
    return fit(some_texts(), epochs=3, batch_size=24, out=folder / "texts", progress=False, **more)


def from_vectors(_: Path, *, seed: int = 1) -> Any:
    """Two encoders, which other processes than the first begin differently; chunks; a prefix; a loss over all rows at once."""
    encoders = linear(seed), linear(seed + 1)
    return fit(
        some_vectors(), encoder=encoders, objective=donsker_varadhan, epochs=2, batch_size=20, chunk=4, prefixes=(2,), **QUIET
    )  # fmt: skip


def stopped(folder: Path, *, step: int = 5, act: Callable[[], None] = interrupt, **more: Any) -> Any:
    """A signal comes to the last process alone."""
    objective = Acting(step, processes()[1] - 1, act)
    return fit(
        some_vectors(), encoder=linear(3), objective=objective, epochs=3, batch_size=20, out=folder / "stopped", **QUIET, **more
    )  # fmt: skip


def told(result: Any) -> dict[str, Any]:
    return {
        "state": result.encoder.state_dict(),
        "temperature": result.temperature,
        "curve": [[entry.get(key) for key in ("loss", "validation_loss")] for entry in result.history],
        "evaluation": result.evaluation and result.evaluation.fitted.recall,
        "path": result.path,
        "interrupted": result.interrupted,
    }


def refused(run: Callable[[], Any]) -> str:
    try:
        run()
    except InputError as error:
        return str(error)
    return ""


def gradients_of(rank: int) -> list[Tensor]:
    """The means of gradients of all kinds, of which a process may have none."""
    kinds = [nn.Parameter(torch.zeros(3)) for _ in range(3)] + [nn.Parameter(torch.zeros(4, 2, dtype=torch.float64))]
    kinds += [nn.Parameter(torch.zeros(5, 2)) for _ in range(2)]
    kinds[0].grad, kinds[3].grad = torch.full((3,), rank + 1.0), torch.full((4, 2), 10.0 * rank, dtype=torch.float64)
    rows = torch.tensor([[rank, 4, rank]])
    kinds[4].grad = torch.sparse_coo_tensor(rows, torch.ones(3, 2), (5, 2))
    if rank == 1:
        kinds[1].grad = torch.ones(3)
        kinds[5].grad = torch.sparse_coo_tensor(torch.tensor([[2]]), torch.ones(1, 2), (5, 2))
    average_gradients(kinds)
    assert kinds[2].grad is None
    assert all(p.grad is not None and p.grad.is_sparse for p in kinds[4:])
    return [p.grad.to_dense() for p in kinds if p.grad is not None]


def everything(folder: Path, rank: int) -> dict[str, Any]:
    layer = linear(rank)
    spread(layer)
    texts = some_texts()
    return {
        "texts": told(from_texts(folder)),
        "vectors": told(from_vectors(folder, seed=1 if rank == 0 else 50 + rank)),
        "stopped": told(stopped(folder)),
        "gradients": gradients_of(rank),
        "spread": layer.weight.detach(),
        "own part": own_part(np.arange(10)),
        "from first": from_first(lambda: rank),
        "refused": [
            refused(lambda: fit(texts if rank else texts[1:], epochs=1, **QUIET)),
            refused(lambda: fit(texts, epochs=1 + rank, **QUIET)),
            refused(lambda: fit(some_vectors(), encoder=linear(0), batch_size=2, **QUIET)),
            refused(lambda: from_texts(folder)),
            refused(lambda: refuse_differing("colour", "red" if rank else "blue")),
        ],
        "footing": footing(),
    }


@pytest.fixture(scope="module", params=[2, 4])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[dict[str, Any]]]:
    folder = tmp_path_factory.mktemp(f"of{request.param}")
    return folder, rehearse(partial(everything, folder), request.param, seconds=500)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("of1")
    return {
        "texts": told(from_texts(folder)),
        "vectors": told(from_vectors(folder)),
        "unstopped": told(stopped(folder, act=never, step=10_000)),
        "log": (folder / "texts" / LOG).read_text().splitlines(),
    }


@pytest.mark.parametrize("run", ["texts", "vectors"])
def test_the_run_is_that_of_one_process(world: Any, alone: dict[str, Any], run: str) -> None:
    expected = alone[run]
    for found in world[1]:
        torch.testing.assert_close(found[run]["state"], expected["state"], **CLOSE)
        assert found[run]["temperature"] == pytest.approx(expected["temperature"], rel=1e-5)
        np.testing.assert_allclose(
            np.array(found[run]["curve"], float), np.array(expected["curve"], float), rtol=1e-4, atol=1e-5
        )
        assert found[run]["evaluation"] == expected["evaluation"]


def test_all_processes_end_equal_to_the_last_bit(world: Any) -> None:
    first, *others = world[1]
    for found in others:
        for run in ("texts", "vectors", "stopped"):
            torch.testing.assert_close(found[run]["state"], first[run]["state"], rtol=0, atol=0)
            assert found[run]["curve"] == first[run]["curve"]


def test_the_folder_is_written_once(world: Any, alone: dict[str, Any]) -> None:
    folder, found = world
    assert [run["texts"]["path"] for run in found] == [folder / "texts", *[None] * (len(found) - 1)]
    names = {path.name for path in (folder / "texts").iterdir()}
    assert {"model", "index", "log.jsonl", "result.json", CHECKPOINT} <= names
    log = (folder / "texts" / LOG).read_text().splitlines()
    assert [json.loads(line)["step"] for line in log] == [json.loads(line)["step"] for line in alone["log"]]


def test_a_signal_to_one_stops_all_and_any_number_goes_on(world: Any, alone: dict[str, Any]) -> None:
    folder, found = world
    assert all(run["stopped"]["interrupted"] for run in found)
    assert all(len(run["stopped"]["curve"]) == 5 for run in found)
    resumed = stopped(folder, act=never, step=10_000, resume=True)  # in one process
    assert not resumed.interrupted
    torch.testing.assert_close(told(resumed)["state"], alone["unstopped"]["state"], **CLOSE)
    assert any(f"processes was {len(found)}, is 1" in warning for warning in resumed.warnings)


def test_gradients_are_averaged_whoever_has_them(world: Any) -> None:
    found = world[1]
    k = len(found)
    table = torch.zeros(5, 2)
    for rank in range(k):
        table[rank] += 2 / k
        table[4] += 1 / k
    expected = [
        torch.full((3,), (k + 1) / 2), torch.full((3,), 1 / k), torch.full((4, 2), 5.0 * (k - 1), dtype=torch.float64),
        table, torch.zeros(5, 2).index_fill(0, torch.tensor([2]), 1 / k),
    ]  # fmt: skip
    for run in found:
        torch.testing.assert_close(run["gradients"], expected)


def test_what_the_first_has_all_have(world: Any) -> None:
    found = world[1]
    assert all(torch.equal(run["spread"], linear(0).weight) for run in found)
    assert [run["from first"] for run in found] == [0] * len(found)
    assert np.concatenate([run["own part"] for run in found]).tolist() == list(range(10))


def test_refusals_reach_all_processes(world: Any) -> None:
    found = world[1]
    said = found[0]["refused"]
    assert all(run["refused"] == said for run in found)
    assert "do not have the same pairs" in said[0]
    assert "do not have the same settings" in said[1]
    assert "holds a run already" in said[3]
    assert "do not have the same colour" in said[4]
    if len(found) > 2:  # batches of 2 pairs
        assert f"cannot be shared by {len(found)} processes" in said[2]


def test_an_old_checkpoint_is_of_one_process() -> None:
    old = {name: value for name, value in footing().items() if name != "processes"}
    assert changed_footing({"footing": old}) == []


def lost(folder: Path, _: int) -> None:
    """The first process is gone without a word in its 6th step, long before it would have saved."""
    try:
        first_is_gone(folder)
    except InfomaxError as error:
        (folder / "last words").write_text(str(error))
    os._exit(0)


def first_is_gone(folder: Path, **more: Any) -> Any:
    objective = Acting(6, 0, partial(os._exit, 0)) if processes()[1] > 1 else Acting(10_000, 0, never)
    return fit(
        some_vectors(), encoder=linear(3), objective=objective, epochs=3, batch_size=20, out=folder / "lost", **QUIET, **more
    )  # fmt: skip


def test_a_process_lost_leaves_a_word_and_a_checkpoint(tmp_path: Path, alone: dict[str, Any]) -> None:
    with pytest.raises(InfomaxError, match="ended before its time"):
        rehearse(partial(lost, tmp_path), 2)
    said = (tmp_path / "last words").read_text()
    assert "Another of the 2 processes ended or cannot be reached" in said
    assert f"The checkpoint in {tmp_path / 'lost'} is of step 5: resume from it." in said
    resumed = first_is_gone(tmp_path, resume=True)
    torch.testing.assert_close(told(resumed)["state"], alone["unstopped"]["state"], **CLOSE)
