"""A language model's figures as plain lines for a terminal."""

from __future__ import annotations

from math import exp

from infomax.language import TokenCorpus
from infomax.report.language_report import LanguageReport, Sample, bits_per_character, kind_of
from infomax.report.words import bullets, duration, short, shown
from infomax.unnormalised import ExactReading


def language_text(report: LanguageReport) -> str:
    """Perplexities beside those of the baselines, loss beside its anchor, log Z, what k keeps, samples, warnings."""
    result, corpus = report.result, report.corpus
    blocks = [
        _headline(report),
        _perplexities(report),
        "\n".join(line for line in (loss_line(report), normaliser_line(report), kept_line(report)) if line),
        bullets("It writes (after what stands before a bar)", [_written(sample) for sample in report.samples[:4]]),
        bullets(f"Left out of {short(corpus.source)}", [f"{count:,} {why}" for why, count in corpus.skipped.items()]),
        bullets("Warnings", result.warnings),
    ]
    return "\n\n".join(block for block in blocks if block)


def language_reading_text(reading: ExactReading, corpus: TokenCorpus) -> str:
    """A model's reading of all of a corpus (its training part)."""
    characters, texts = corpus.characters["train"], corpus.texts["train"]
    lines = [
        f"{shown(corpus.source, 200)}: {reading.n:,} {kind_of(corpus)} in {texts:,} texts, their ends included",
        f"  perplexity       {reading.perplexity:,.2f}, exact ({reading.cross_entropy:.4f} nats a token)",
        f"  bits a character {bits_per_character(reading, characters):.3f}",
        f"  log Z            {reading.log_normaliser:.3f} ± {reading.log_normaliser_spread:.3f} nats over contexts (spread)",
        f"  {comparable(corpus, 'train')}",
    ]
    left = bullets("Left out", [f"{count:,} {why}" for why, count in corpus.skipped.items()])
    return "\n".join(lines) + (f"\n\n{left}" if left else "")


def comparable(corpus: TokenCorpus, part: str) -> str:
    """What the perplexity of a part, and its bits a character, may be compared with."""
    share, size = corpus.unknown[part], f"{corpus.vocabulary.size:,}"
    if corpus.vocabulary.unknown is None:
        return (
            f"Perplexity is that of a subword, to be compared with models of these {size} subwords; bits a character compare "
            "with any model that spells every text."
        )
    if share == 0:
        return "No word is outside the vocabulary: compare the perplexity with any model of these words."
    return (
        f"{share:.1%} of the tokens are words outside the vocabulary, all told as one, <unk>: compare the perplexity only with "
        f"models of these {size} words. How those words are spelled is not in the bits a character, which are too few."
    )


def loss_line(report: LanguageReport) -> str:
    """The last training loss beside its anchor; empty where nothing was trained."""
    loss = next((entry["loss"] for entry in reversed(report.result.history) if "loss" in entry), None)
    if loss is None:
        return ""
    anchor = report.result.anchors["loss"]
    return f"Loss {loss:.3f} nats at the end; {anchor_words(report)} has {anchor:.3f}."


def anchor_words(report: LanguageReport) -> str:
    """What the anchor of the loss is the loss of."""
    nothing = report.result.settings["objective"] == "mle"
    return "a model that knows nothing" if nothing else "a model that equals its noise"


def normaliser_line(report: LanguageReport) -> str:
    """Mean and spread of log Z on the held-out part; empty for n-grams, whose law is normalised."""
    reading = report.reading
    if reading is None or report.result.settings["model"] == "ngram":
        return ""
    return (
        f"log Z of the scores is {reading.log_normaliser:.3f} ± {reading.log_normaliser_spread:.3f} nats over contexts (mean, "
        "spread): 0 ± 0 would be scores that are log-probabilities by themselves."
    )


def kept_line(report: LanguageReport) -> str:
    """How much of the likelihood's gradient the data keep at this k; empty where no noise was drawn."""
    k, kept = int(report.result.settings["noise_draws"]), report.result.information_kept
    if report.result.settings["objective"] == "mle" or not kept:
        return ""
    told = ", ".join(f"{share:.0%} at k = {draws:,}" for draws, share in sorted(kept.items()))
    return f"Mean weight k q/(p + k q) of held-out data in NCE's gradient (1 in the likelihood's): {told}. This run: k = {k:,}."


def _headline(report: LanguageReport) -> str:
    result, corpus = report.result, report.corpus
    settings = result.settings
    how = "" if settings["model"] == "ngram" else f", {settings['objective']}"
    return (
        f"Fitted: {report.name}{how}, on {short(corpus.source)} ({result.sizes['train']:,} tokens, "
        f"{corpus.vocabulary.size:,} {kind_of(corpus)}) in {duration(sum(result.seconds.values()))}"
    )


def _written(sample: Sample) -> str:
    text = sample.text or "(nothing: the text ends)"
    return f"{sample.prompt} | {text}" if sample.prompt else text


def _perplexities(report: LanguageReport) -> str:
    if report.reading is None:
        return "No held-out part, so no perplexity: leave out --validation 0 or --test 0 to have one."
    width = max(len(name) for name, _ in report.contenders)
    rows = [f"  {name:<{width}}  {reading.perplexity:>12,.1f}" for name, reading in report.contenders]
    rows.append(f"  {'knowing nothing':<{width}}  {exp(report.result.anchors['uniform']):>12,.1f}")
    part, corpus = report.part, report.corpus
    bits = bits_per_character(report.reading, corpus.characters[part])
    return "\n".join(
        [
            f"Perplexity of the {part} part ({report.reading.n:,} tokens), exact:",
            *rows,
            f"  {bits:.3f} bits a character. {comparable(corpus, part)}",
        ]
    )
