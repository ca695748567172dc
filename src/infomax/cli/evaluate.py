"""`infomax evaluate`: a model on pairs that it has not seen."""

from __future__ import annotations

from typing import Annotated

import typer

from infomax.cli import options as given

_Scores = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN", help="Column of scores given by people: also measure Spearman's rank correlation with them."
    ),
]
_Group = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="Rows with equal values belong together: standard errors are between groups."),
]
_Temperature = Annotated[
    float | None,
    typer.Option(metavar="X", min=0.001, help="Of the scores (by default, what the run has learned, else 0.05)."),
]


def evaluate(
    model: given.Model,
    source: given.Source,
    anchor: given.Anchor = None,
    candidate: given.Candidate = None,
    group: _Group = None,
    label: given.Label = None,
    scores: _Scores = None,
    encoding: given.Encoding = None,
    delimiter: given.Delimiter = None,
    max_pairs: given.MaxPairs = None,
    temperature: _Temperature = None,
    seed: given.Seed = 0,
    jobs: given.Jobs = None,
    quiet: given.Quiet = False,
    json: given.Json = False,
) -> None:
    """Measure retrieval, information and, with --scores, agreement with people."""
    from infomax.cli import measuring  # torch comes with it

    measuring.measure(
        model,
        source,
        reading={
            "anchor": anchor,
            "candidate": candidate,
            "group": group,
            "label": label,
            "encoding": encoding,
            "delimiter": delimiter,
        },
        scores=scores,
        max_pairs=max_pairs,
        temperature=temperature,
        seed=seed,
        jobs=jobs,
        quiet=quiet,
        json=json,
    )
