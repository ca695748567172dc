"""Encoders on disk: a folder that both this package and sentence-transformers read. Of a static one:

    infomax.json             what it is, the format's version, the constructor's settings
    infomax.safetensors      the parameters as trained: training can go on from them
    tokenizer.json           the tokenizer
    model.safetensors        the exported table, modules.json, 1_Normalize/ ...: for SentenceTransformer; left out
                             where vectors are no plain mean of token vectors (`frequency_power` below 1)

Of a transformer: infomax.json, which says so, and sentence-transformers' own files.

A folder is written beside its place and moved there in one step, so that a killed run leaves no half folder.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from infomax.encoders import lineage
from infomax.encoders.text import StaticTextEncoder
from infomax.encoders.transformer import TransformerEncoder
from infomax.errors import InfomaxError, InputError

_CONFIG, _TENSORS, _TOKENIZER = "infomax.json", "infomax.safetensors", "tokenizer.json"
_KINDS, _FORMAT = (StaticTextEncoder.__name__, TransformerEncoder.__name__), 1
_MODULES = "sentence_transformers.models."


def save_encoder(encoder: StaticTextEncoder | TransformerEncoder, path: Path, *, overwrite: bool = False) -> Path:
    """Write `encoder` to the folder `path`, atomically; returns the path.

    Raises:
        InputError: `path` holds something, and `overwrite` is False or it is not a saved encoder.
        InfomaxError: the file system refused (no space, no permission).
    """
    _refuse_to_lose(path, overwrite)
    beside: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        beside.chmod(0o755)
        _write(encoder, beside / "new")
        lineage.write(encoder, beside / "new")
        if path.exists():
            os.replace(path, beside / "old")
        os.replace(beside / "new", path)
    except (OSError, SafetensorError) as error:  # safetensors wraps what the system says
        raise InfomaxError(
            f"Could not write the encoder to {path}: {error}; nothing there was changed. "
            "Free some space, or choose another folder."
        ) from error
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)
    return path


def load_encoder(path: str | Path) -> Any:
    """Read an encoder that `save` wrote, or a Hugging Face or SentenceTransformer folder as a `TransformerEncoder`.

    Raises:
        InputError: there is no such folder, it is no encoder's, or it is damaged.
    """
    path = Path(path)
    if not path.is_dir():
        raise InputError(f"Expected the folder of a saved encoder, but there is no folder {path}.")
    if not (path / _CONFIG).is_file():
        if is_foreign(path):
            return TransformerEncoder.load(path)
        raise InputError(
            f"{path} is not an infomax encoder (it has no {_CONFIG}), nor a transformer; give a folder written by save()."
        )
    kind, settings = _read_config(path)
    if kind == TransformerEncoder.__name__:
        return lineage.read(TransformerEncoder.load(path), path)
    try:
        encoder = StaticTextEncoder(Tokenizer.from_file(str(path / _TOKENIZER)), **settings)
        encoder.load_state_dict(load_file(path / _TENSORS))
    except Exception as error:  # three libraries, each with its own exceptions for a damaged file
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"The encoder in {path} is damaged ({cause}); save it again, or use a copy.") from error
    return lineage.read(encoder, path)


def is_foreign(path: Path) -> bool:
    """Whether a folder looks like a transformer's that another library wrote."""
    modules = path / "modules.json"
    if modules.is_file():
        return '.Transformer"' in modules.read_text("utf-8", errors="replace")
    return (path / "config.json").is_file()


def _read_config(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        found = json.loads((path / _CONFIG).read_text("utf-8"))
        kind, version, settings = found["kind"], found["format"], dict(found["settings"])
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InputError(f"The encoder in {path} is damaged ({_CONFIG} cannot be read); use a copy.") from error
    if kind not in _KINDS or version != _FORMAT:
        raise InputError(
            f"{path} holds a {kind} of format {version}, this version reads {' and '.join(_KINDS)} of format {_FORMAT}; "
            "use the version of infomax that wrote it."
        )
    return kind, settings


def _write(encoder: StaticTextEncoder | TransformerEncoder, folder: Path) -> None:
    folder.mkdir()
    config = {"kind": type(encoder).__name__, "format": _FORMAT, "settings": encoder.config()}
    _write_json(folder / _CONFIG, config)
    if isinstance(encoder, TransformerEncoder):
        encoder.write(folder)
        return
    _write_tensors(folder / _TENSORS, encoder.state_dict())
    encoder.text_tokenizer.tokenizer.save(str(folder / _TOKENIZER))
    if encoder.text_tokenizer.frequency_power == 1:
        _write_sentence_transformer(encoder, folder)


def _write_sentence_transformer(encoder: StaticTextEncoder, folder: Path) -> None:
    modules = [{"idx": 0, "name": "0", "path": "", "type": _MODULES + "StaticEmbedding"}]
    if encoder.normalize:
        modules.append({"idx": 1, "name": "1", "path": "1_Normalize", "type": _MODULES + "Normalize"})
        (folder / "1_Normalize").mkdir()
    _write_json(folder / "modules.json", modules)
    _write_json(folder / "config_sentence_transformers.json", {"prompts": {}, "similarity_fn_name": "cosine"})
    _write_tensors(folder / "model.safetensors", {"embedding.weight": encoder.export_table()})


def _write_tensors(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    path.touch()
    mode = path.stat().st_mode
    save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, path)
    path.chmod(mode)  # safetensors makes files that only their owner can read


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def _refuse_to_lose(path: Path, overwrite: bool) -> None:
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not overwrite:
        raise InputError(f"{path} already exists; choose another folder, or pass overwrite=True to replace it.")
    if not (path / _CONFIG).is_file():
        raise InputError(f"{path} is not a saved encoder, so it is not overwritten; choose another folder.")
