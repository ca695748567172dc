"""On what it was measured."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from infomax.scores.product import product_for


def machine() -> dict[str, str]:
    """Processor, cores, memory, python, torch, and the product that infomax chose."""
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {_memory_gib():.0f} GiB",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "product": product_for(torch.float32, torch.device("cpu")).__name__,
        "load": f"{os.getloadavg()[0]:.2f}",
    }


def versions(packages: tuple[str, ...]) -> str:
    """'name version' for each distribution."""
    return " ".join(f"{name} {_version(name)}" for name in packages)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "from source"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    name = fields.get("model name", platform.processor() or platform.machine())
    wide = "AVX-512" if "avx512f" in fields.get("flags", "") else "AVX2" if "avx2" in fields.get("flags", "") else ""
    return " ".join(
        part for part in (name, f"family {fields['cpu family']}" if "cpu family" in fields else "", wide) if part
    )


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
