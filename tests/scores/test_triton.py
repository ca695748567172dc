"""The fused kernels: in Triton's interpreter, or compiled where there is a GPU, against the definitions in float64."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from infomax.errors import InputError
from infomax.scores import Scores, fused, tiles
from infomax.scores.checks import wide

sys.path.insert(0, str(Path(__file__).parent))
from problems import Problem, expected, problems

pytest.importorskip("triton", reason="needs Triton")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
KINDS = list(problems())
TILED = ["guided", "guided labels", "paired negatives only"]
IN_COLUMNS = [k for k in KINDS if "own" not in k and "only" not in k and "labels" not in k and k != "shared columns"]
OVER = ["candidates", "both"]


@pytest.fixture
def launches(monkeypatch):
    """The kernels that ran."""
    names, launch = [], fused.FusedWalks._launch
    monkeypatch.setattr(
        fused.FusedWalks, "_launch", lambda self, name, *rest: (names.append(name), launch(self, name, *rest))[1]
    )
    return names


@pytest.fixture
def many_parts(monkeypatch):
    """So small that a small problem has several strips, groups and chunks, the last ones ragged."""
    monkeypatch.setattr(fused, "GROUP", 128)
    monkeypatch.setattr(fused, "STRIP_CELLS", 1)
    monkeypatch.setattr(fused, "CHUNK_BYTES", 1)
    monkeypatch.setattr(tiles, "CPU_TILE", (512, 160))
    monkeypatch.setattr(tiles, "OTHER_TILE", (512, 160))


def converted(problem: Problem, dtype: torch.dtype, device: str) -> Problem:
    """The problem's numbers, rounded; the temperature as sums are."""

    def convert(x, to=dtype):
        if isinstance(x, tuple):
            return tuple(map(convert, x))
        return x.detach().to(device, to).requires_grad_() if x.is_floating_point() else x.to(device)

    options = {name: convert(value) for name, value in problem.options.items()}
    guide = None if problem.guide is None else tuple(x.to(device) for x in problem.guide)
    temperature = convert(problem.temperature, wide(dtype))
    return Problem(convert(problem.anchors), convert(problem.candidates), temperature, options, guide)


def both_forms(problem: Problem, dtype: torch.dtype = torch.float32) -> tuple[Problem, Problem]:
    """Rounded to the dtype, where the kernels run; and these very numbers in float64."""
    mine = converted(problem, dtype, DEVICE)
    return mine, converted(mine, torch.float64, "cpu")


def gradients(value: Tensor, problem: Problem) -> list[Tensor]:
    finite = value[torch.isfinite(value)]
    weights = torch.linspace(-1, 2, len(finite), dtype=torch.float64).to(finite)
    found = torch.autograd.grad((finite * weights).sum(), problem.leaves(), allow_unused=True, retain_graph=True)
    return [torch.zeros_like(leaf) if g is None else g for g, leaf in zip(found, problem.leaves(), strict=True)]


def error(got: Tensor, want: Tensor) -> float:
    """Root mean square over that of what is wanted, if not tiny; infinities must be the same."""
    got, seen = got.detach().double().cpu(), torch.isfinite(want)
    assert torch.equal(got[~seen], want[~seen])
    return float(rms(got[seen] - want[seen]) / rms(want[seen]).clamp(min=0.1))


def rms(x: Tensor) -> Tensor:
    return (x.square().sum() / max(1, x.numel())).sqrt()


def same(got: Tensor, mine: Problem, want: Tensor, theirs: Problem, value: float = 1e-6, slope: float = 3e-6) -> None:
    if not torch.isfinite(want).any():
        return
    assert error(got, want.detach()) < value
    for ours, true in zip(gradients(got, mine), gradients(want, theirs), strict=True):
        assert error(ours, true) < slope


def losses(problem: Problem, over: str, backend: str) -> Tensor:
    found = problem.scores(backend).cross_entropy(over)
    return torch.cat(found) if over == "both" else found


@pytest.mark.parametrize("positives", ["in", "out", "only"])
@pytest.mark.parametrize("kind", KINDS)
def test_logsumexp(kind, positives, launches):
    """Every kind of problem: by the kernels where they know what is left out, by the tiles otherwise."""
    mine, theirs = both_forms(problems()[kind])
    rows, columns = mine.scores("triton").logsumexp("both", beta=1.5, positives=positives)
    same(rows, mine, expected(theirs, "rows", beta=1.5, positives=positives), theirs)
    if torch.isfinite(columns).any():
        same(columns, mine, expected(theirs, "columns", beta=1.5, positives=positives), theirs)
    tiled = kind in TILED or positives == "only" or (kind, positives) == ("labels of themselves", "out")
    assert bool(launches) != tiled


@pytest.mark.parametrize("kind", KINDS)
def test_cross_entropy(kind, launches):
    mine, theirs = both_forms(problems()[kind])
    true = expected(theirs, "positive")
    rows = expected(theirs, "rows") - true
    same(mine.scores("triton").cross_entropy(), mine, rows, theirs)
    if kind not in IN_COLUMNS:
        return
    columns = expected(theirs, "columns")[theirs.options.get("positives", torch.arange(len(rows)))] - true
    for got, want in zip(mine.scores("triton").cross_entropy("both"), (rows, columns), strict=True):
        same(got, mine, want, theirs)
    same(mine.scores("triton").cross_entropy("anchors"), mine, columns, theirs)
    assert ("weights" in launches) != (kind in TILED)


@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize(("temperature", "slope"), [(0.3, 3e-6), (0.01, 2e-5)])  # 100 nats are rounded by 4e-6 or more
@pytest.mark.parametrize(("n", "m", "d"), [(1, 130, 1), (129, 300, 200), (256, 256, 64)])
def test_any_shape(n, m, d, temperature, slope, over, many_parts):
    if over == "both" and n == 1:
        n = 2
    mine, theirs = both_forms(problems(n, m, d, temperature=temperature)["offsets" if n == m else "columns and ids"])
    same(losses(mine, over, "triton"), mine, losses(theirs, over, "dense"), theirs, slope=slope)


@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precisions_are_summed_in_float32(dtype, over):
    """The weights are rounded once, and each gradient at most three times. A bfloat16 is truncated by the interpreter."""
    mine, theirs = both_forms(problems(150, 200, 40)["ids"], dtype)
    same(losses(mine, over, "triton"), mine, losses(theirs, over, "dense"), theirs, slope=torch.finfo(dtype).eps)


def test_float16_weights_have_room():
    """The mean over many rows gives each cell a weight below what float16 can hold."""
    mine, theirs = both_forms(problems(150, 200, 40)["rectangular"], torch.float16)
    got, want = (losses(p, "both", b) * 1e-6 for p, b in ((mine, "triton"), (theirs, "dense")))
    (g,) = torch.autograd.grad(got.sum(), mine.temperature)
    (w,) = torch.autograd.grad(want.sum(), theirs.temperature)
    assert error(g / 1e-6, w / 1e-6) < 1e-4


@pytest.mark.parametrize("over", OVER)
def test_an_offset_that_shuts_columns_out(over):
    """-1e30 is as good as leaving them out, and disturbs no others."""
    problem = problems(40, 150, 8)["offsets"]
    with torch.no_grad():
        problem.options["column_offset"][100:] = -1e30
    mine, theirs = both_forms(problem)
    same(losses(mine, over, "triton"), mine, losses(theirs, over, "dense"), theirs)


def test_strided_inputs():
    """Columns of wider tensors, and one number for all: the kernels read plain vectors."""
    vectors, offset = torch.randn(50, 30, device=DEVICE), torch.randn(30, 2, device=DEVICE)
    ids = torch.randint(9, (30, 2), device=DEVICE)
    a, b = vectors[:20, ::2], vectors[20:, ::2]
    options = {"anchor_ids": ids[:20, 0], "candidate_ids": ids[:, 1], "positives": ids.new_tensor(range(20))}
    options |= {"column_offset": offset[:, 1], "row_offset": offset[:1, 0].expand(20)}
    for over in ("candidates", "anchors"):
        mine, theirs = (Scores(a, b, backend=name, **options).logsumexp(over) for name in ("triton", "dense"))
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)


def test_a_tiny_loss_keeps_its_digits():
    q, t = torch.eye(8, device=DEVICE), 0.04
    want = math.log1p(7 * math.exp(-1 / t))
    for found in Scores(q, q, temperature=t, backend="triton").cross_entropy("both"):
        torch.testing.assert_close(found.double().cpu(), torch.full((8,), want).double(), rtol=1e-5, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_two_runs_agree_bit_for_bit(dtype, many_parts):
    mine, _ = both_forms(problems(200, 300, 24)["columns and ids"], dtype)
    first, second = (
        [got.detach(), *gradients(got, mine)] for got in (losses(mine, "both", "triton") for _ in range(2))
    )
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a, b)


def test_the_precision_of_products_is_torchs_setting():
    before = torch.backends.cuda.matmul.allow_tf32
    try:
        for allowed, word in ((True, "tf32"), (False, "ieee")):
            torch.backends.cuda.matmul.allow_tf32 = allowed
            assert fused.precision() == word
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def test_it_is_chosen_by_name_alone():
    a = torch.randn(400, 8, device=DEVICE)
    assert repr(Scores(a, a, backend="triton")).endswith("triton)")
    assert "triton" not in repr(Scores(a, a))
    assert "streamed" in repr(Scores(a.double(), a.double(), backend="triton"))
    assert Scores(a, a, backend="triton").turned().backend == "triton"


@pytest.mark.skipif(DEVICE == "cuda", reason="there is a GPU")
def test_refused_on_the_cpu_outside_the_interpreter(monkeypatch):
    a = torch.randn(4, 3)
    monkeypatch.setattr(fused.kernels(a.device), "INTERPRETED", False)
    with pytest.raises(InputError, match="runs on CUDA, and the embeddings are on cpu: move them there"):
        Scores(a, a, backend="triton")


def test_triton_is_imported_when_asked_for_only():
    code = "import sys, infomax.scores; sys.exit('triton' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("architecture", [80, 90])
def test_kernels_compile(architecture, tmp_path):
    """Without a GPU: no spills worth the name, and tensor cores unless float32 is IEEE."""
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"} | {"TRITON_CACHE_DIR": str(tmp_path)}
    script = Path(__file__).with_name("compile_kernels.py")
    told = subprocess.run(
        [sys.executable, script, str(architecture)], env=environment, capture_output=True, text=True, check=True
    )
    kernels = [json.loads(line) for line in told.stdout.splitlines()]
    assert len(kernels) == 12
    for kernel in kernels:
        assert kernel["stack"] <= 32
        assert kernel["registers"] <= 255
        assert kernel["shared"] <= 99 << 10  # also of the smaller GPUs of a generation
        assert kernel["tensor cores"] == ((kernel["dtype"], kernel["precision"]) != ("fp32", "ieee"))
