"""Ctrl-C, a kill and a closed pipe, in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

_LONG = ("--epochs", "16", "--batch-size", "20", "--validation", "0")


def _start(*arguments: object, **options: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "infomax.cli", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    return subprocess.Popen(command, **{**pipes, **options})


def _wait_for_steps(process, log, more_than=0, seconds=60):
    """Until the run has logged more than so many entries."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if log.exists() and log.read_text().count("\n") > more_than:
            return
        time.sleep(0.005)
    raise AssertionError(f"no steps were logged: {process.communicate(timeout=5)}")


def test_a_run_stopped_and_killed_ends_like_one_that_ran_through(finished, pairs_file, elsewhere, infomax, refused):
    log = elsewhere / "cut" / "log.jsonl"
    cut = ["fit", pairs_file, "--encoder", finished.folder, "--out", "cut", *_LONG]
    stopped = _start(*cut)
    _wait_for_steps(stopped, log)
    stopped.send_signal(signal.SIGINT)
    out, err = stopped.communicate(timeout=60)
    assert stopped.returncode == 1
    assert out == ""
    last = err.splitlines()[-1]
    assert last.startswith("error: stopped before the end; ")
    assert "checkpoint in cut is saved: give the same command with --resume" in last
    assert "Traceback" not in err
    assert not (elsewhere / "cut" / "model").exists()

    killed = _start(*cut, "--resume")
    _wait_for_steps(killed, log, more_than=log.read_text().count("\n"))
    killed.kill()
    killed.communicate(timeout=60)

    assert "holds a run already" in refused(*cut)  # nothing is thrown away unasked
    line = refused(*cut, "--resume", "--learning-rate", "0.5", "--quiet")
    assert "--learning-rate was 0.01, is 0.5" in line
    line = refused("fit", pairs_file, "--dim", "32", "--out", "cut", *_LONG, "--resume", "--quiet")
    assert "(--encoder was the given StaticTextEncoder, is one made by" in line
    assert infomax(*cut, "--resume").code == 0
    assert infomax("fit", pairs_file, "--encoder", finished.folder, "--out", "through", *_LONG).code == 0
    weights = [elsewhere / name / "model" / "infomax.safetensors" for name in ("cut", "through")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_ctrl_c_at_any_other_time_is_one_line(finished, infomax, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("infomax.cli.searching.find", interrupted)
    outcome = infomax("search", finished.folder, "ban")
    assert outcome.code == 130
    assert outcome.out == ""
    assert outcome.err == "error: stopped by Ctrl-C; what was on the disk before is unharmed.\n"


def test_a_closed_pipe_is_quiet(finished):
    process = _start("search", finished.folder, *(f"ban {i}" for i in range(200)), "-k", "300")
    assert process.stdout.read(1)
    process.stdout.close()
    assert process.wait(timeout=60) in (0, 1)
    assert process.stderr.read() == ""
    process.stderr.close()


def test_a_quick_end_does_not_abort(finished, elsewhere):
    (elsewhere / "header.csv").write_text("left,right\n")
    for _ in range(2):  # without care, threads of the reader abort every second of these
        process = _start("encode", finished.folder, "header.csv", "--column", "left", "--out", "v.npy")
        _, err = process.communicate(timeout=60)
        assert process.returncode == 2
        assert err == "error: header.csv holds no text; give one a line.\n"
