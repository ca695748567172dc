"""`infomax search`: queries in, the nearest candidates out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infomax.cli import options as given

_Run = Annotated[
    Path,
    typer.Argument(metavar="RUN", help="The folder of a finished run (or a model, with --corpus)."),
]
_Queries = Annotated[list[str], typer.Argument(metavar="QUERY...", help="What to look for; - reads a query a line.")]
_K = Annotated[int, typer.Option("-k", metavar="N", min=1, help="How many results.")]
_Corpus = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Search here instead of in the run's own candidates: texts, one a line, a table with --column, "
        "or Python source as in `fit`.",
    ),
]


def search(
    run: _Run,
    queries: _Queries,
    k: _K = 5,
    corpus: _Corpus = None,
    column: given.Column = None,
    json: given.Json = False,
) -> None:
    """Find the candidates nearest to each query, with their scores (cosines, unless the run says otherwise)."""
    from infomax.cli import console, searching  # torch comes with it

    found = searching.find(run, queries, k, corpus, column)
    if json:
        console.data(
            [{"query": query, "results": [{"label": a, "score": b} for a, b in hits]} for query, hits in found]
        )
    else:
        console.results(searching.listed(found))
