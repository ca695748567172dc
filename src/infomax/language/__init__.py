"""Language models: corpora of tokens, vocabularies, networks and n-grams; fitted from noise, read exactly."""

from infomax.language.corpus import TokenCorpus, read_corpus
from infomax.language.fit import fit_language_model
from infomax.language.language_model import LanguageModel
from infomax.language.load import load_language_model
from infomax.language.networks import LSTM, LogBilinear
from infomax.language.ngram_model import NGramModel
from infomax.language.result import LanguageFitResult
from infomax.language.text_model import TextModel, TextScores
from infomax.language.vocabulary import Vocabulary

__all__ = [
    "LSTM",
    "LanguageFitResult",
    "LanguageModel",
    "LogBilinear",
    "NGramModel",
    "TextModel",
    "TextScores",
    "TokenCorpus",
    "Vocabulary",
    "fit_language_model",
    "load_language_model",
    "read_corpus",
]
