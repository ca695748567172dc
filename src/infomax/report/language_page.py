"""A fit of a language model as one page and as strict JSON, whole on the disk or not at all.

The page goes from what was found (perplexities) over how (loss, log Z, draws) and what it writes, to what it was found with.
"""

from __future__ import annotations

from pathlib import Path

from infomax.report import language_figures as figures
from infomax.report.figures import series
from infomax.report.language_lines import anchor_words, comparable, kept_line, normaliser_line
from infomax.report.language_report import LanguageReport, Sample, bits_per_character, kind_of, language_json
from infomax.report.markup import table, text, tiles
from infomax.report.page import page
from infomax.report.strict_json import json_text
from infomax.report.whole_file import write_whole
from infomax.report.words import duration, short


def write_language(report: LanguageReport, path: str | Path) -> Path:
    """Write the report: a page when `path` ends in .html, strict JSON when it ends in .json.

    Raises:
        InputError: another ending.
        InfomaxError: the disk is full, or the folder cannot be written.
    """
    return write_whole(
        path, {".html": lambda: language_html(report), ".json": lambda: json_text(language_json(report)) + "\n"}
    )


def language_html(report: LanguageReport) -> str:
    """The report as one self-contained HTML page."""
    body = [_head(report), _tiles(report), _notice(report), _perplexities(report), _training(report), _samples(report)]
    return page(f"language of {short(report.corpus.source)}", [*body, _data(report), _run(report)])


def _head(report: LanguageReport) -> str:
    settings = report.result.settings
    how = "counted" if settings["model"] == "ngram" else f"trained by {settings['objective']}"
    return (
        f"<header>\n<h1>Language of {text(short(report.corpus.source), 200)}</h1>\n"
        f'<p class="lead">A model that tells the next word, {text(report.name, 40)}, {text(how, 60)}. Perplexity is '
        "exp of the mean surprise: a die of as many sides would surprise as much. Every perplexity here is normalised over the "
        "whole vocabulary, however the model was trained.</p>\n</header>"
    )


def _tiles(report: LanguageReport) -> str:
    reading, corpus = report.reading, report.corpus
    cells = []
    if reading is not None:
        others = [f"{name} {read.perplexity:,.1f}" for name, read in report.contenders[1:2]]
        cells = [
            ("Perplexity", f"{reading.perplexity:,.1f}", "; ".join([f"exact, on the {report.part} part", *others])),
            (
                "Bits a character",
                f"{bits_per_character(reading, corpus.characters[report.part]):.2f}",
                "on the same part",
            ),
        ]
    cells.append(
        ("Learned from", f"{report.result.sizes['train']:,}", f"tokens; {corpus.vocabulary.size:,} {kind_of(corpus)}")
    )
    cells.append(
        (
            "Time",
            duration(sum(report.result.seconds.values())),
            f"{duration(report.result.seconds.get('train', 0.0))} of it training",
        )
    )
    return tiles(cells)


def _notice(report: LanguageReport) -> str:
    items = "".join(f"<li>{text(warning, 600)}</li>" for warning in report.result.warnings)
    return f'<div class="notice" role="note"><strong>Warnings</strong><ul>{items}</ul></div>' if items else ""


def _perplexities(report: LanguageReport) -> str:
    if report.reading is None:
        return ""
    return (
        "<section>\n<h2>Held out: perplexity</h2>\n"
        f"<figure>{figures.perplexity_figure(report)}<figcaption>On the {report.part} part, {report.reading.n:,} tokens. "
        f"{text(comparable(report.corpus, report.part), 600)}</figcaption></figure>\n</section>"
    )


def _training(report: LanguageReport) -> str:
    history, drawn = report.result.history, []
    if len(series(history, "loss")[0]):
        drawn.append(
            _figure(
                figures.loss_figure(report), f"Loss of the objective; the anchor is that of {anchor_words(report)}."
            )
        )
    if len(series(history, "validation_perplexity")[0]):
        drawn.append(
            _figure(
                figures.validation_figure(report), "Exact, on the validation part, by which the best step is chosen."
            )
        )
    if len(series(history, "log_normaliser")[0]):
        drawn.append(
            _figure(
                figures.normaliser_figure(report),
                f"The whiskers are the spread over contexts. {normaliser_line(report)}",
            )
        )
    if kept_line(report):
        caption = (
            "How much held-out data weigh in NCE's gradient, on average: k q/(p + k q), with p of the model and q of the noise; "
            "in the likelihood's gradient each weighs 1. NCE's Fisher information holds the same weights."
        )
        drawn.append(_figure(figures.kept_figure(report), caption))
    return f'<section>\n<h2>Training</h2>\n<div class="columns">{"".join(drawn)}</div>\n</section>' if drawn else ""


def _figure(drawing: str, caption: str) -> str:
    return f"<figure>{drawing}<figcaption>{text(caption, 600)}</figcaption></figure>"


def _samples(report: LanguageReport) -> str:
    if not report.samples:
        return ""
    cards = "\n".join(_sample(sample) for sample in report.samples)
    return (
        "<section>\n<h2>What it writes</h2>\n"
        f'<p class="note">Drawn from the model at temperature {report.samples[0].temperature:g}; bold: what it was given, the '
        "beginnings of held-out texts.</p>\n"
        f'<div class="examples">\n{cards}\n</div>\n</section>'
    )


def _sample(sample: Sample) -> str:
    prompt = f"<strong>{text(sample.prompt, 200)}</strong> " if sample.prompt else ""
    return f'<article class="example"><p>{prompt}{text(sample.text or "(nothing: the text ends)", 600)}</p></article>'


def _data(report: LanguageReport) -> str:
    corpus = report.corpus
    rows = [("source", corpus.source), ("vocabulary", f"{corpus.vocabulary.size:,} {kind_of(corpus)}")]
    for name, tokens in report.result.sizes.items():
        if tokens:
            about = f"{tokens:,} tokens of {corpus.texts[name]:,} texts, {corpus.unknown[name]:.1%} unknown"
            rows.append((name, about))
    rows += [(f"left out: {reason}", f"{count:,}") for reason, count in corpus.skipped.items()]
    return f"<section>\n<h2>Data</h2>\n{table(rows)}\n</section>"


def _run(report: LanguageReport) -> str:
    result = report.result
    seconds = [(phase, duration(value)) for phase, value in result.seconds.items()]
    return (
        f'<section class="columns">\n<div><h2>Settings</h2>\n{table(list(result.settings.items()))}</div>\n'
        f"<div><h2>Versions</h2>\n{table(list(result.versions.items()))}\n<h2>Time</h2>\n{table(seconds)}</div>\n</section>"
    )
