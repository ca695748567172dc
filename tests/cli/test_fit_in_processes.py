"""`infomax fit` as `torchrun` starts its workers: several processes, one voice, the run of one."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

SMALL = ("--epochs", "2", "--batch-size", "40", "--dim", "16", "--vocabulary", "300")


def start(*arguments: object, processes: int = 2) -> list[subprocess.Popen[str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {"WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    if sys.platform == "linux":
        told["GLOO_SOCKET_IFNAME"] = "lo"
    return [
        subprocess.Popen(
            [sys.executable, "-m", "infomax.cli", *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | told | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(processes)
    ]  # fmt: skip


def said(running: list[subprocess.Popen[str]]) -> list[tuple[int, str, str]]:
    try:
        words = [process.communicate(timeout=300) for process in running]
    finally:
        for process in running:
            process.kill()
    return [(process.returncode, *spoken) for process, spoken in zip(running, words, strict=True)]


def test_two_processes_one_voice_one_run(pairs_file, infomax):
    running = start("fit", pairs_file, "--out", "two", *SMALL, "--json")
    assert infomax("fit", pairs_file, "--out", "one", *SMALL, "--quiet").code == 0
    first, second = said(running)
    assert first[0] == 0, first[2]
    assert first[2].strip() == f"300 pairs from {pairs_file}; the run goes to two"
    assert json.loads(first[1])["report"] == "two/report.html"
    assert second == (0, "", "")
    curves = [[json.loads(line) for line in Path(run, "log.jsonl").read_text().splitlines()] for run in ("one", "two")]
    one, two = ([entry["loss"] for entry in curve] for curve in curves)
    assert two == pytest.approx(one, abs=1e-5)
    result = json.loads(Path("two/result.json").read_text())
    assert result["evaluation"] is not None


def test_a_signal_to_one_process_stops_both_and_one_process_goes_on(pairs_file, elsewhere, infomax):
    long = ("--epochs", "400", "--batch-size", "40", "--dim", "16", "--vocabulary", "300", "--validation", "0")
    running = start("fit", pairs_file, "--out", "run", *long)
    log, end = elsewhere / "run" / "log.jsonl", time.monotonic() + 300
    while not (log.exists() and log.read_text().count("\n") > 2) and time.monotonic() < end:
        time.sleep(0.02)
    running[1].send_signal(signal.SIGTERM)
    first, second = said(running)
    assert (first[0], second[0]) == (1, 1)
    assert first[2].splitlines()[-1].startswith("error: stopped before the end; the checkpoint in run is saved")
    assert second[1:] == ("", "")
    other = infomax("fit", pairs_file, "--out", "run", *long, "--resume", "--epochs", "3", "--quiet")
    assert other.code == 2  # the checkpoint is whole: it is read, and is of other settings
    assert "epochs was 400, is 3" in other.err
