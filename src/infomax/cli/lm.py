"""`infomax lm`: language models from text: fit, score, generate, evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infomax.cli import options as given

app = typer.Typer(name="lm", help="Learn language models from text, and read their perplexities exactly.")

_Corpus = Annotated[
    str,
    typer.Argument(
        metavar="CORPUS",
        help="A text file (a line is a text; .gz too), a folder of them, a CSV, JSON-lines or Parquet file; or the word "
        "`python`: docstrings and comments of the standard library.",
    ),
]
_Run = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run, or a model folder.")]
_Column = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of a table's texts.  [default: text]")]
_Jobs = Annotated[int | None, typer.Option(metavar="N", min=1, help="Threads (by default, every core).")]

# What is not given here is left to `read_corpus` and `fit_language_model`; these help texts repeat their defaults (a test
# compares them).
_Side = "FILE|SHARE"
_Validation = Annotated[
    str | None, typer.Option(metavar=_Side, help="Held out to choose the best epoch by.  [default: 0.1]")
]
_Test = Annotated[str | None, typer.Option(metavar=_Side, help="Held out to report on.  [default: 0.1]")]
_Vocabulary = Annotated[
    str | None, typer.Option(metavar="KIND", help="words (others become <unk>) or subwords.  [default: words]")
]
_Size = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Tokens of the vocabulary.  [default: 10000 words, 8000 subwords]"),
]
_MinCount = Annotated[int | None, typer.Option(metavar="N", min=1, help="Rarer words become <unk>.  [default: 1]")]
_Lowercase = Annotated[bool, typer.Option("--lowercase", help="Make `The` and `the` one word.")]
_Pretokenised = Annotated[
    bool, typer.Option("--pretokenised", help="Words are what stands between blanks, as in the Penn Treebank.")
]
_Tokens = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Keep the corpus as numbers there, for the next run to find.")
]
_Model = Annotated[
    str | None, typer.Option(metavar="KIND", help="lstm, log-bilinear or ngram (Kneser-Ney).  [default: lstm]")
]
_Objective = Annotated[
    str | None, typer.Option(metavar="KIND", help="mle, nce, ranking or negative-sampling.  [default: ranking]")
]
_Noise = Annotated[str | None, typer.Option(metavar="LAW", help="unigram, uniform or ngram.  [default: unigram]")]
_Draws = Annotated[
    int | None, typer.Option("--draws", "-k", metavar="N", help="Words drawn from noise, k.  [default: 500]")
]
_Alpha = Annotated[float | None, typer.Option(metavar="X", help="Power of the counts in unigram noise.  [default: 1]")]
_Normaliser = Annotated[
    str | None, typer.Option(metavar="X", help="Of nce: a number, learned, or context.  [default: 0]")
]
_OwnDraws = Annotated[bool, typer.Option("--own-draws", help="Draw for each word apart, not once a batch (slow).")]
_Dim = Annotated[int | None, typer.Option(metavar="N", help="Width of word vectors and state.  [default: 200]")]
_Layers = Annotated[int | None, typer.Option(metavar="N", help="Of the LSTM.  [default: 1]")]
_Context = Annotated[int | None, typer.Option(metavar="N", help="Words log-bilinear looks back on.  [default: 5]")]
_Order = Annotated[int | None, typer.Option(metavar="N", help="Of n-grams.  [default: 3]")]
_Dropout = Annotated[float | None, typer.Option(metavar="SHARE", help="Left out in training.  [default: 0.25]")]
_Untied = Annotated[bool, typer.Option("--untied", help="Input and output vectors of their own.")]
_Epochs = Annotated[int | None, typer.Option(metavar="N", help="Passes over the corpus, at most.  [default: 6]")]
_Batch = Annotated[
    int | None, typer.Option(metavar="N", help="Streams read at once (lstm), or words.  [default: 20, or 512]")
]
_Unroll = Annotated[int | None, typer.Option(metavar="N", help="Words back that gradients flow.  [default: 35]")]
_Rate = Annotated[float | None, typer.Option(metavar="X", help="Peak learning rate.  [default: 0.003]")]
_Patience = Annotated[
    int | None, typer.Option(metavar="N", help="Epochs without improvement before it stops.  [default: 3]")
]
_Out = Annotated[Path | None, typer.Option(metavar="DIR", help="The run folder.  [default: runs/lm-<name of CORPUS>]")]
_Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")]
_Overwrite = Annotated[bool, typer.Option("--overwrite", help="Throw away the run in the folder.")]
_Board = Annotated[bool, typer.Option("--tensorboard", help="Also write TensorBoard event files.")]


@app.command()
def fit(
    corpus: _Corpus = "python",
    out: _Out = None,
    validation: _Validation = None,
    test: _Test = None,
    vocabulary: _Vocabulary = None,
    size: _Size = None,
    min_count: _MinCount = None,
    lowercase: _Lowercase = False,
    pretokenised: _Pretokenised = False,
    column: _Column = None,
    encoding: given.Encoding = None,
    delimiter: given.Delimiter = None,
    tokens: _Tokens = None,
    model: _Model = None,
    objective: _Objective = None,
    noise: _Noise = None,
    noise_draws: _Draws = None,
    alpha: _Alpha = None,
    log_normaliser: _Normaliser = None,
    own_draws: _OwnDraws = False,
    dim: _Dim = None,
    layers: _Layers = None,
    context: _Context = None,
    order: _Order = None,
    dropout: _Dropout = None,
    untied: _Untied = False,
    epochs: _Epochs = None,
    batch_size: _Batch = None,
    unroll: _Unroll = None,
    learning_rate: _Rate = None,
    patience: _Patience = None,
    seed: given.Seed = 0,
    jobs: _Jobs = None,
    resume: _Resume = False,
    overwrite: _Overwrite = False,
    tensorboard: _Board = False,
    quiet: given.Quiet = False,
    json: given.Json = False,
) -> None:
    """Learn a language model; write model and report.

    Ctrl-C stops after the current step and saves; the same command with --resume goes on from there.
    """
    arguments = dict(locals())  # before any other name is bound
    from infomax.cli import lm_learning  # torch comes with it

    lm_learning.learn(**arguments)


@app.command()
def score(
    run: _Run,
    source: Annotated[str, typer.Argument(metavar="FILE|-", help="Texts, one a line, or a table with --column.")] = "-",
    column: given.Column = None,
    encoding: given.Encoding = None,
    delimiter: given.Delimiter = None,
    bits: Annotated[bool, typer.Option("--bits", help="In bits, not nats (1 nat = 1.443 bits).")] = False,
    jobs: _Jobs = None,
    json: given.Json = False,
) -> None:
    """How much each text surprises the model: nats, perplexity, words it does not know."""
    from infomax.cli import lm_using

    reading = {"column": column, "encoding": encoding, "delimiter": delimiter}
    lm_using.score(run, source, reading=reading, unit="bits" if bits else "nats", jobs=jobs, json=json)


@app.command()
def generate(
    run: _Run,
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="What the text begins with.")] = "",
    tokens: Annotated[int, typer.Option(metavar="N", help="Words to add, at most.")] = 50,
    texts: Annotated[int, typer.Option("--texts", "-n", metavar="N", min=1, help="How many texts.")] = 1,
    temperature: Annotated[
        float, typer.Option(metavar="X", help="1 draws as the model says, less is surer, 0 takes the likeliest.")
    ] = 1.0,
    top_k: Annotated[int | None, typer.Option(metavar="N", help="Draw among the N likeliest words.")] = None,
    seed: given.Seed = 0,
    json: given.Json = False,
) -> None:
    """Write on from a prompt, until the model ends the text."""
    from infomax.cli import lm_using

    settings = {"tokens": tokens, "temperature": temperature, "top_k": top_k}
    lm_using.generate(run, prompt, texts=texts, seed=seed, settings=settings, json=json)


@app.command()
def evaluate(
    run: _Run,
    corpus: _Corpus,
    column: _Column = None,
    encoding: given.Encoding = None,
    delimiter: given.Delimiter = None,
    jobs: _Jobs = None,
    quiet: given.Quiet = False,
    json: given.Json = False,
) -> None:
    """Exact perplexity on a corpus, bits a character, and how well scores normalise themselves."""
    from infomax.cli import lm_using

    reading = {"column": column, "encoding": encoding, "delimiter": delimiter}
    lm_using.evaluate(run, corpus, reading=reading, jobs=jobs, quiet=quiet, json=json)
