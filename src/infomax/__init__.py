"""Learn representations by maximising mutual information, and know in nats how much you have."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Names resolve on first use, so that `import infomax` (and the command line's --help) does not import torch.
_ROOMS = {
    "Scores": "scores",
    "info_nce": "objectives",
    "info_nce_loss": "objectives",
    "InfoNCELoss": "objectives",
    "readout": "bounds",
    "Pairs": "data",
    "read_pairs": "data",
    "python_pairs": "data",
    "split_pairs": "data",
    "StaticTextEncoder": "encoders",
    "load_encoder": "encoders",
    "estimate": "estimators",
    "mutual_information_table": "estimators",
    "evaluate": "evaluation",
    "fit": "training",
    "fit_language_model": "language",
    "read_corpus": "language",
    "NCE": "unnormalised",
    "density_ratio": "unnormalised",
    "certificate": "estimators",
    "self_check": "estimators",
    "InfomaxError": "errors",
    "InputError": "errors",
}
__all__ = ["__version__", *_ROOMS]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return getattr(import_module(f"infomax.{_ROOMS[name]}"), name)
    raise AttributeError(f"module 'infomax' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
