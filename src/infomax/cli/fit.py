"""`infomax fit`: pairs in, a run folder with model, index and report out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infomax.cli import options as given

# What is not given here is left to `infomax.fit`, whose own defaults these help texts repeat (a test compares them).
_Model = Annotated[
    Path | None,
    typer.Option(
        metavar="MODEL",
        help="Go on from this run or model folder, or from a Hugging Face or SentenceTransformer folder, instead of a new "
        "encoder.",
    ),
]
_Dim = Annotated[int | None, typer.Option(metavar="N", min=1, help="Numbers in a vector.  [default: 512]")]
_Vocabulary = Annotated[
    int | None, typer.Option("--vocabulary", metavar="N", min=2, help="Subwords of the tokenizer.  [default: 10000]")
]
_Epochs = Annotated[int | None, typer.Option(metavar="N", min=1, help="Passes over the pairs, at most.  [default: 3]")]
_Batch = Annotated[int | None, typer.Option(metavar="N", min=2, help="Pairs a step.  [default: 1024]")]
_Chunk = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Rows encoded at a time: the same gradient in the memory of a chunk, for one more forward pass.  "
        "[default: the whole batch; 32 for a transformer]",
    ),
]
_Rate = Annotated[
    float | None, typer.Option(metavar="X", help="Peak learning rate.  [default: 0.01; 5e-5 for a transformer]")
]
_Temperature = Annotated[float | None, typer.Option(metavar="X", help="Of the scores, at the start.  [default: 0.07]")]
_Validation = Annotated[
    float | None, typer.Option(metavar="SHARE", help="Of the pairs, to choose the best step by.  [default: 0.1]")
]
_Test = Annotated[float | None, typer.Option(metavar="SHARE", help="Of the pairs, to report on.  [default: 0.1]")]
_Device = Annotated[str | None, typer.Option(metavar="NAME", help="Where to train: cpu, cuda ...  [default: cpu]")]
_Out = Annotated[Path | None, typer.Option(metavar="DIR", help="The run folder.  [default: runs/<name of PAIRS>]")]
_Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")]
_Overwrite = Annotated[bool, typer.Option("--overwrite", help="Throw away the run in the folder.")]
_Board = Annotated[bool, typer.Option("--tensorboard", help="Also write TensorBoard event files.")]


def fit(
    source: given.Source,
    out: _Out = None,
    anchor: given.Anchor = None,
    candidate: given.Candidate = None,
    group: given.Group = None,
    label: given.Label = None,
    encoding: given.Encoding = None,
    delimiter: given.Delimiter = None,
    max_pairs: given.MaxPairs = None,
    encoder: _Model = None,
    dim: _Dim = None,
    vocabulary_size: _Vocabulary = None,
    epochs: _Epochs = None,
    batch_size: _Batch = None,
    chunk: _Chunk = None,
    learning_rate: _Rate = None,
    temperature: _Temperature = None,
    validation: _Validation = None,
    test: _Test = None,
    seed: given.Seed = 0,
    device: _Device = None,
    jobs: given.Jobs = None,
    resume: _Resume = False,
    overwrite: _Overwrite = False,
    tensorboard: _Board = False,
    quiet: given.Quiet = False,
    json: given.Json = False,
) -> None:
    """Learn an encoder from pairs; write a model, a search index and a report.

    Ctrl-C stops after the current step and saves; the same command with --resume goes on from there. Under torchrun its
    processes share every batch.
    """
    from infomax.cli import learning  # torch comes with it
    from infomax.training.processes import joined

    columns = {"anchor": anchor, "candidate": candidate, "group": group, "label": label}
    settings: dict[str, object] = {
        "epochs": epochs,
        "batch_size": batch_size,
        "chunk": chunk,
        "learning_rate": learning_rate,
        "temperature": temperature,
        "validation": validation,
        "test": test,
        "device": device,
    }
    with joined(device):
        learning.learn(
            source,
            out=out,
            reading={**columns, "encoding": encoding, "delimiter": delimiter},
            max_pairs=max_pairs,
            jobs=jobs,
            encoder=learning.beginning(encoder, dim, vocabulary_size, seed),
            settings={name: value for name, value in settings.items() if value is not None} | {"seed": seed},
            files={"resume": resume, "overwrite": overwrite, "tensorboard": tensorboard},
            quiet=quiet,
            json=json,
        )
