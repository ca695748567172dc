"""The folder of a run: what is in it, and who may write there.

checkpoint.safetensors   where the run stands
log.jsonl, tensorboard/  its curve
initial/                 the text encoder before training, with its tokenizer: what the checkpoint is resumed in
model/                   the learned encoder, once finished
index/                   all candidates, for search
result.json              settings, versions, curve, evaluation
"""

from __future__ import annotations

import shutil
from pathlib import Path

from infomax.errors import InputError
from infomax.evaluation.storage import cannot_write

CHECKPOINT, LOG, RESULT = "checkpoint.safetensors", "log.jsonl", "result.json"
INITIAL, MODEL, INDEX, BOARD, REPORT = "initial", "model", "index", "tensorboard", "report.html"
_OURS = (CHECKPOINT, LOG, RESULT, INITIAL, MODEL, INDEX, BOARD, REPORT)
_MARKS = (CHECKPOINT, LOG, RESULT, INITIAL)  # a folder with any of these holds a run


def claim(out: str | Path, *, resume: bool, overwrite: bool) -> Path:
    """The folder of a run that may begin or go on there; it exists afterwards, and nothing in it was changed.

    Raises:
        InputError: it holds a run and neither resume nor overwrite was asked for, or it holds something else.
        InfomaxError: it cannot be made.
    """
    folder = Path(out)
    if resume and overwrite:
        raise InputError(
            "resume=True goes on with the run in the folder, overwrite=True throws it away; choose one of them."
        )
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; the output must be a folder, choose another name.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = [path.name for path in folder.iterdir() if not path.name.endswith(".tmp")]
    except OSError as error:
        raise cannot_write(folder, error) from error
    if held and not any(name in held for name in _MARKS):
        raise InputError(
            f"{folder} holds files that are no run (such as {sorted(held)[0]}); choose a new or an empty folder."
        )
    if held and not (resume or overwrite):
        raise InputError(
            f"{folder} holds a run already; go on with it by resume=True, throw it away by overwrite=True, or "
            "choose another folder."
        )
    return folder


def clear(folder: Path, *, keep_run: bool) -> None:
    """Remove the remains of killed writers and, unless `keep_run`, the former run; files of others stay."""
    try:
        for path in folder.glob(".*.tmp"):
            path.unlink()
        for path in () if keep_run else map(folder.joinpath, _OURS):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
