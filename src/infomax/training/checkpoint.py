"""A run's state as one file: tensors as safetensors, the rest as JSON in its header, no pickle, replaced atomically.

A tree of dictionaries, lists, numbers and tensors goes in and comes out equal, to the last bit. A checksum finds damage
that the format itself would not see.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zlib import crc32

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from infomax.errors import InputError
from infomax.evaluation.storage import replace

FORMAT = "infomax checkpoint 2"


def save(path: Path, tree: dict[str, Any]) -> None:
    """Write `tree` to `path`; on failure the former file stays as it was.

    Raises:
        InfomaxError: the disk is full or cannot be written.
    """
    tensors: dict[str, torch.Tensor] = {}
    plain = json.dumps(_pack(tree, tensors, {}))
    header = {"format": FORMAT, "tree": plain, "crc32": str(_checksum(tensors, plain))}
    replace(path, lambda temporary: save_file(tensors, temporary, metadata=header))


def load(path: Path) -> dict[str, Any]:
    """The tree that `save` wrote.

    Raises:
        InputError: the file is damaged, or is no checkpoint of ours.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"The checkpoint {path} is damaged ({error}); it is left as it is: move it away, "
            f"or start again with overwrite=True."
        ) from error
    if header.get("format") != FORMAT:
        raise InputError(
            f"{path} is not a checkpoint of this version of infomax; it is left as it is: choose another output folder."
        )
    if header["crc32"] != str(_checksum(tensors, header["tree"])):
        raise InputError(
            f"The checkpoint {path} is damaged (its checksum differs); it is left as it is: move it away, "
            f"or start again with overwrite=True."
        )
    return _unpack(json.loads(header["tree"]), tensors)


def _pack(node: Any, tensors: dict[str, torch.Tensor], names: dict[tuple[Any, ...], str]) -> Any:
    """JSON for `node`, with each tensor moved to `tensors` (a tensor that appears twice is stored once)."""
    if isinstance(node, torch.Tensor):
        value = node.detach()
        key = (value.data_ptr(), value.shape, value.stride(), value.dtype, value.device)
        if value.numel() == 0 or key not in names:
            names[key] = str(len(tensors))
            tensors[names[key]] = value.to("cpu", copy=True).contiguous()
        return {"tensor": names[key]}
    if isinstance(node, dict):
        return {"dict": [[key, _pack(value, tensors, names)] for key, value in node.items()]}
    if isinstance(node, list | tuple):
        return {type(node).__name__: [_pack(value, tensors, names) for value in node]}
    return node


def _unpack(node: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if not isinstance(node, dict):
        return node
    ((kind, content),) = node.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {key: _unpack(value, tensors) for key, value in content}
    items = [_unpack(value, tensors) for value in content]
    return tuple(items) if kind == "tuple" else items


def _checksum(tensors: dict[str, torch.Tensor], plain: str) -> int:
    value = crc32(plain.encode())
    for name in sorted(tensors):
        value = crc32(tensors[name].reshape(-1).view(torch.uint8).numpy().data, value)
    return value
