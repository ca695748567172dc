"""`infomax encode`: texts in, vectors out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infomax.cli import options as given

_Source = Annotated[
    str,
    typer.Argument(metavar="[FILE|-]", help="Texts, one a line, or a table with --column; - reads the standard input."),
]
_Out = Annotated[
    str,
    typer.Option(
        metavar="FILE", help="Where the vectors go: .npy, .parquet (text, vector) or .jsonl; - prints JSON lines."
    ),
]
_Dim = Annotated[int | None, typer.Option(metavar="N", min=1, help="Keep the first N numbers of each vector.")]
_Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the file.")]


def encode(
    model: given.Model,
    source: _Source = "-",
    out: _Out = "-",
    column: given.Column = None,
    encoding: given.Encoding = None,
    delimiter: given.Delimiter = None,
    dim: _Dim = None,
    overwrite: _Overwrite = False,
    quiet: given.Quiet = False,
    json: given.Json = False,
) -> None:
    """Turn texts into vectors."""
    from infomax.cli import console, vectors  # torch comes with it
    from infomax.cli.models import load_model
    from infomax.cli.texts import read_texts

    target = None if out == "-" else vectors.writable(Path(out), overwrite=overwrite)
    encoder = load_model(model)
    texts, skipped = read_texts(source, column, encoding=encoding, delimiter=delimiter)
    for reason, count in skipped.items():
        console.note(f"left out: {count:,} {reason}", quiet=quiet)
    encoded = vectors.encode_texts(encoder, texts, dim=dim, progress=not quiet)
    if target is None:
        vectors.print_lines(texts, encoded)
        return
    vectors.write(target, texts, encoded)
    found = {"out": str(target), "texts": len(texts), "dim": encoded.shape[1], "skipped": dict(skipped)}
    if json:
        console.data(found)
    else:
        console.results(f"{len(texts):,} vectors of {encoded.shape[1]} numbers in {target}")
