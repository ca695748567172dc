"""How the encoder of a run comes about, as settings: a resumed run must ask for the same, or it is another run."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any
from zlib import crc32

from torch import nn

from infomax.encoders import StaticTextEncoder, TransformerEncoder
from infomax.evaluation.vectors import sides
from infomax.training.start import DIM, MAX_TOKENS, VOCABULARY


def recipe(encoder: Any, seed: Any) -> dict[str, Any]:
    """What `fit` was asked for by `encoder` (see there): in words under "encoder", then numbers and words by name.

    Of a function these are its defaults and the arguments of a `functools.partial`; of a text encoder its configuration
    and a checksum of its tokenizer. Of any other module nothing but its class is told: its parameters are compared.

    >>> recipe(None, 0)["dim"]
    512
    """
    if encoder is None:
        sizes: dict[str, Any] = {"dim": DIM, "vocabulary_size": VOCABULARY, "max_tokens": MAX_TOKENS}
        encoder = partial(StaticTextEncoder.from_texts, seed=seed, **sizes)
    if not isinstance(encoder, nn.Module | tuple | list):
        return _of_function(encoder)
    one, other = sides(encoder)
    if one is other:
        return {"encoder": f"the given {type(one).__name__}", **_of_module(one)}
    words = f"the given {type(one).__name__} and {type(other).__name__}"
    told = (("anchor encoder", one), ("candidate encoder", other))
    return {"encoder": words} | {f"{side} {name}": v for side, module in told for name, v in _of_module(module).items()}


def _of_function(function: Any) -> dict[str, Any]:
    maker = function.func if isinstance(function, partial) else function
    given = dict(function.keywords) if isinstance(function, partial) else {}
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # no function, which is refused later, or one of C
        parameters = ()  # type: ignore[assignment]
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    name = getattr(maker, "__qualname__", type(maker).__qualname__)
    plain = {key: v for key, v in (defaults | given).items() if v is None or isinstance(v, bool | int | float | str)}
    return {"encoder": f"one made by {name}", **plain}


def _of_module(module: nn.Module) -> dict[str, Any]:
    if isinstance(module, TransformerEncoder):
        return module.config()
    if not isinstance(module, StaticTextEncoder):
        return {}
    tokenizer = module.text_tokenizer.tokenizer.to_str()
    return {**module.config(), "tokenizer": f"{crc32(tokenizer.encode()):08x}"}
