"""Language models: corpora of tokens, vocabularies."""

from infomax.language.corpus import TokenCorpus, read_corpus
from infomax.language.vocabulary import Vocabulary

__all__ = ["TokenCorpus", "Vocabulary", "read_corpus"]
