"""Any language model from its folder."""

from __future__ import annotations

from pathlib import Path

from infomax.language.files import CONFIG, read_config
from infomax.language.language_model import LanguageModel
from infomax.language.ngram_model import NGramModel
from infomax.training.run_folder import MODEL


def load_language_model(folder: str | Path) -> LanguageModel | NGramModel:
    """The model in a folder, or in the run in it.

    Raises:
        InputError: there is none, or it is damaged.
    """
    folder = Path(folder)
    if not (folder / CONFIG).is_file() and (folder / MODEL / CONFIG).is_file():
        folder /= MODEL
    return (NGramModel if read_config(folder).get("network") == "ngram" else LanguageModel).load(folder)
