"""`infomax mi`: how much the columns of a table tell about each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infomax.cli import options as given

# What is not given here is left to `infomax.mutual_information_table`, whose own defaults these help texts repeat.
_Table = Annotated[
    str, typer.Argument(metavar="TABLE", help="A CSV, TSV, JSON-lines or Parquet file (text files also as .gz).")
]
_X = Annotated[str | None, typer.Argument(metavar="X", help="One column,")]
_Y = Annotated[str | None, typer.Argument(metavar="Y", help="and another.")]
_Xs = Annotated[list[str] | None, typer.Option("--x", metavar="COLUMN,...", help="Several columns as one side,")]
_Ys = Annotated[list[str] | None, typer.Option("--y", metavar="COLUMN,...", help="and those of the other.")]
_Target = Annotated[
    str | None, typer.Option("--target", metavar="COLUMN", help="Every other column against this one, ranked.")
]
_All = Annotated[bool, typer.Option("--all", help="Every pair of columns.")]
_Columns = Annotated[
    list[str] | None,
    typer.Option("--columns", metavar="COLUMN,...", help="With --target or --all: only these columns."),
]
_Given = Annotated[
    list[str] | None, typer.Option("--given", metavar="COLUMN,...", help="Information beyond what these columns tell.")
]
_Discrete = Annotated[
    list[str] | None, typer.Option("--discrete", metavar="COLUMN,...", help="Take these columns as discrete.")
]
_Continuous = Annotated[
    list[str] | None, typer.Option("--continuous", metavar="COLUMN,...", help="Take these columns as continuous.")
]
_Method = Annotated[
    str,
    typer.Option(
        "--method", metavar="NAME", help="auto, or a method by name: ksg, ross, mixed, discrete, copula, critic ..."
    ),
]
_Bits = Annotated[bool, typer.Option("--bits", help="Show bits instead of nats.")]
_Level = Annotated[float, typer.Option("--level", metavar="SHARE", help="Of the intervals.")]
_Delta = Annotated[
    float | None,
    typer.Option(
        "--delta",
        metavar="SHARE",
        help="Also certify a lower limit for each pair, which is wrong with at most this probability, whatever the "
        "distribution. 0.05 is usual.",
    ),
]
_Permutations = Annotated[
    int | None,
    typer.Option(
        "--permutations",
        metavar="N",
        min=0,
        help="Shuffles for each p-value; 0 for no p-value.  [default: a test without shuffles, where there is one]",
    ),
]
_Block = Annotated[int, typer.Option("--block", metavar="N", min=1, help="Rows that belong together, for time series.")]
_Rows = Annotated[str, typer.Option("--rows", metavar="N|all", help="Use at most N rows, drawn at random.")]
_Jobs = Annotated[int | None, typer.Option(metavar="N", min=1, help="Processes (by default, every core).")]
_Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="PATH", help="Where the report goes: a .html page, a .json file, or a folder for both."
    ),
]


def mi(
    table: _Table,
    x: _X = None,
    y: _Y = None,
    xs: _Xs = None,
    ys: _Ys = None,
    target: _Target = None,
    every: _All = False,
    columns: _Columns = None,
    given_columns: _Given = None,
    discrete: _Discrete = None,
    continuous: _Continuous = None,
    method: _Method = "auto",
    bits: _Bits = False,
    level: _Level = 0.95,
    delta: _Delta = None,
    permutations: _Permutations = None,
    block: _Block = 1,
    rows: _Rows = "100000",
    out: _Out = None,
    encoding: given.Encoding = None,
    delimiter: given.Delimiter = None,
    seed: given.Seed = 0,
    jobs: _Jobs = None,
    quiet: given.Quiet = False,
    json: given.Json = False,
) -> None:
    """Measure how much information columns of a table share: one pair, all against a --target, or --all pairs.

    Without columns it shows which there are, and what they would be taken for. Ctrl-C ends with the pairs that are done.
    """
    from infomax.cli import mi_asking  # pyarrow, scipy and scikit-learn come with it

    mi_asking.ask(
        table,
        mi_asking.Wish(x, y, xs or [], ys or [], target, every, columns or [], given_columns or []),
        reading={"encoding": encoding, "delimiter": delimiter},
        settings={
            "discrete": discrete or [],
            "continuous": continuous or [],
            "method": method,
            "level": level,
            "delta": delta,
            "permutations": permutations,
            "block": block,
            "rows": rows,
            "seed": seed,
            "n_jobs": jobs,
        },
        unit="bits" if bits else "nats",
        out=out,
        quiet=quiet,
        json=json,
    )
