"""Compile all kernels for an architecture that need not be there, and print what each takes: `compile_kernels.py 90`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from infomax.scores import fused, triton_kernels

INTEGERS, IDS = {"n", "m", "d"}, {"positive", "row_ids", "column_ids"}
OPTIONAL = {"row_offset", "column_offset", *IDS, "column_parts", "v"}
OPTIONS = ("num_warps", "num_stages", "enable_fp_fusion")
CUOBJDUMP = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
NAMES = {torch.float32: "fp32", torch.bfloat16: "bf16"}


def compiled(kernel, dtype, precision, shifted, full, architecture):
    """With all vectors that a kernel may be given; or with none, and sizes that no block divides."""
    types = dict.fromkeys(kernel.arg_names, "*fp32") | dict.fromkeys(INTEGERS, "i32") | dict.fromkeys(IDS, "*i64")
    types |= {"scale": "fp32"} | dict.fromkeys(("a", "b", "out"), "*" + NAMES[dtype])
    options, fixed = fused.block(dtype), {"GROUP": fused.GROUP, "SHIFTED": shifted, "PRECISION": precision}
    fixed |= {name: options[name] for name in ("ROWS", "COLUMNS", "DEPTH")}
    fixed |= {} if full else dict.fromkeys(OPTIONAL)
    odd = {"scale"} if full else {"scale", "n", "m"}
    fixed |= {} if shifted else dict.fromkeys(("row_sums", "column_sums"))
    place = {name: (i,) for i, name in enumerate(kernel.arg_names)}
    source = ASTSource(
        kernel,
        {name: "constexpr" if name in fixed else types[name] for name in place},
        {place[name]: value for name, value in fixed.items() if name in place},
        {at: [["tt.divisibility", 16]] for name, at in place.items() if name not in fixed.keys() | odd},
    )
    chosen = {name: options[name] for name in OPTIONS}
    return triton.compile(source, target=GPUTarget("cuda", architecture, 32), options=chosen)


def main() -> None:
    architecture = int(sys.argv[1])
    kernels = (triton_kernels.log_sums, triton_kernels.weights)
    inputs = ((torch.float32, "ieee"), (torch.float32, "tf32"), (torch.bfloat16, "ieee"))
    for kernel, (dtype, precision), variant in product(kernels, inputs, (True, False)):
        binary = compiled(kernel, dtype, precision, variant, variant, architecture)
        with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
            file.write(binary.asm["cubin"])
            file.flush()
            told = subprocess.run([CUOBJDUMP, "-res-usage", file.name], capture_output=True, text=True, check=True)
        registers, stack = (int(re.search(rf"{name}:(\d+)", told.stdout)[1]) for name in ("REG", "STACK"))
        tensor_cores = bool(re.search(r"wgmma\.mma_async|mma\.sync", binary.asm["ptx"]))
        line = {"kernel": kernel.__name__, "dtype": NAMES[dtype], "precision": precision, "all": variant}
        line |= {"registers": registers, "stack": stack, "shared": binary.metadata.shared}
        print(json.dumps(line | {"tensor cores": tensor_cores}))


if __name__ == "__main__":
    main()
