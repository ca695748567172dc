"""`infomax plan`: what `infomax fit` would cost, before it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from infomax.cli import fit as asked
from infomax.cli import options as given

_Source = Annotated[
    str | None,
    typer.Argument(metavar="[PAIRS]", help="As for `fit`. Without it, --pairs made-up ones of --words words a side."),
]
_Pairs = Annotated[
    int | None,
    typer.Option(
        "--pairs", metavar="N", min=2, help="How many pairs there will be (by default, as many as PAIRS has)."
    ),
]
_Words = Annotated[int, typer.Option("--words", metavar="N", min=1, help="Words of a made-up text, on average.")]
_OneWay = Annotated[
    bool, typer.Option("--one-way", help="Score candidates for each anchor only, not also the other way.")
]


def plan(
    source: _Source = None,
    pairs: _Pairs = None,
    words: _Words = 20,
    anchor: given.Anchor = None,
    candidate: given.Candidate = None,
    encoding: given.Encoding = None,
    delimiter: given.Delimiter = None,
    encoder: asked._Model = None,
    dim: asked._Dim = None,
    vocabulary_size: asked._Vocabulary = None,
    epochs: asked._Epochs = None,
    batch_size: asked._Batch = None,
    chunk: asked._Chunk = None,
    one_way: _OneWay = False,
    device: asked._Device = None,
    seed: given.Seed = 0,
    jobs: given.Jobs = None,
    quiet: given.Quiet = False,
    json: given.Json = False,
) -> None:
    """Predict time and memory of a `fit` before it runs, from a few seconds of measurement."""
    from infomax.cli import planning  # torch comes with it

    settings = {"epochs": epochs, "batch_size": batch_size, "chunk": chunk, "device": device}
    planning.foresee(
        source,
        number=pairs,
        words=words,
        reading={"anchor": anchor, "candidate": candidate, "encoding": encoding, "delimiter": delimiter},
        encoder=planning.beginning(encoder, dim, vocabulary_size, seed),
        settings={name: value for name, value in settings.items() if value is not None} | {"seed": seed},
        one_way=one_way,
        jobs=jobs,
        quiet=quiet,
        json=json,
    )
