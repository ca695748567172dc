"""Arguments that several commands share, each with its help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Source = Annotated[
    str,
    typer.Argument(
        metavar="PAIRS",
        help="A CSV, TSV, JSON-lines or Parquet file; a folder of Python source (docstring and function are a pair); "
        "or the word `python`: the standard library and the installed packages.",
    ),
]
Anchor = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of the anchors (by default, by its name).")]
Candidate = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="Column of the candidates (by default, by its name).")
]
Group = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="Rows with equal values stay on one side of the split.")
]
Label = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column that shows a candidate to a person.")]
Column = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of the texts, where the file is a table.")]
Encoding = Annotated[str | None, typer.Option(metavar="NAME", help="Encoding of a text file, if not UTF-8.")]
Delimiter = Annotated[
    str | None,
    typer.Option(
        metavar="LETTER",
        help="Delimiter of a table, if not that of its name (\\t is a tab).",
        callback=lambda letter: "\t" if letter == "\\t" else letter,
    ),
]
MaxPairs = Annotated[int | None, typer.Option(metavar="N", min=2, help="Use at most N pairs.")]
Jobs = Annotated[
    int | None, typer.Option(metavar="N", min=1, max=1024, help="Processes and threads (by default, every core).")
]
Seed = Annotated[int, typer.Option(metavar="N", min=0, help="Of everything random.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and only JSON, on the standard output.")]
Model = Annotated[Path, typer.Argument(metavar="MODEL", help="The folder of a finished run, or a model folder.")]
