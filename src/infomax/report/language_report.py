"""What a fit of a language model has to tell: its result, the corpus it came from, and texts that it writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import log
from typing import Any

from infomax.language import LanguageFitResult, TokenCorpus
from infomax.report.strict_json import plain
from infomax.unnormalised import ExactReading


@dataclass(frozen=True)
class Sample:
    """What a model wrote after a prompt, at a temperature."""

    prompt: str
    text: str
    temperature: float | int


@dataclass(frozen=True)
class LanguageReport:
    """A result, and what it does not hold itself.

    Attributes:
        result: of `fit_language_model`.
        corpus: that it was fitted to.
        unigram: word frequencies alone, read on the part that is reported on.
        samples: texts that the model writes.
    """

    result: LanguageFitResult
    corpus: TokenCorpus
    unigram: ExactReading | None = None
    samples: Sequence[Sample] = ()

    @property
    def part(self) -> str:
        """The held-out part that is reported on: "test", or "validation" where there is no test part, or none ("")."""
        return next((name for name in ("test", "validation") if getattr(self.result, name) is not None), "")

    @property
    def reading(self) -> ExactReading | None:
        """Of the model, on that part."""
        return getattr(self.result, self.part) if self.part else None

    @property
    def name(self) -> str:
        """Of the model, for people."""
        model = str(self.result.settings["model"])
        return {"lstm": "LSTM", "ngram": self._counted}.get(model, model)

    @property
    def _counted(self) -> str:
        return f"{self.result.settings['order']}-gram, Kneser-Ney"

    @property
    def contenders(self) -> list[tuple[str, ExactReading]]:
        """(name, reading on that part) of the model and of what it is compared with."""
        counted = self.result.settings["model"] == "ngram"
        rows = [
            (self.name, self.reading),
            (self._counted, None if counted else self.result.baseline),
            ("word frequencies alone", self.unigram),
        ]
        return [(name, reading) for name, reading in rows if reading is not None]


def bits_per_character(reading: ExactReading, characters: int) -> float:
    """Bits that a model needs for each character of a text of so many; infinite for none.

    It compares models of any vocabulary, as long as none has unknown words: how these are spelled is not paid for.
    """
    return reading.cross_entropy * reading.n / log(2) / characters if characters else float("inf")


def language_json(report: LanguageReport) -> dict[str, Any]:
    """Everything of a fit but its model, as strict JSON data. Cross-entropies and log Z are in nats."""
    corpus, reading = report.corpus, report.reading
    about = {
        "source": corpus.source,
        "vocabulary": {"size": corpus.vocabulary.size, "kind": kind_of(corpus)},
        "texts": corpus.texts,
        "characters": corpus.characters,
        "skipped": corpus.skipped,
        "fingerprint": corpus.fingerprint,
    }
    more = {
        "corpus": about,
        "reported_on": report.part,
        "unigram": report.unigram and asdict(report.unigram),
        "bits_per_character": reading and bits_per_character(reading, corpus.characters[report.part]),
        "samples": [asdict(sample) for sample in report.samples],
    }
    return plain(report.result.to_dict() | more)


def language_reading_json(reading: ExactReading, corpus: TokenCorpus) -> dict[str, Any]:
    """A model's reading of all of a corpus (its training part) as strict JSON data."""
    about = {"source": corpus.source, "texts": corpus.texts["train"], "characters": corpus.characters["train"]}
    more = {
        "vocabulary": {"size": corpus.vocabulary.size, "kind": kind_of(corpus)},
        "unknown": corpus.unknown["train"],
        "bits_per_character": bits_per_character(reading, corpus.characters["train"]),
        "skipped": corpus.skipped,
    }
    return plain(asdict(reading) | about | more)


def kind_of(corpus: TokenCorpus) -> str:
    """What the corpus' tokens are: "words" or "subwords"."""
    return "subwords" if corpus.vocabulary.unknown is None else "words"
