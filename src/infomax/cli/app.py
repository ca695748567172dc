"""The app: its commands, and what becomes of errors.

Exit codes: 0 done; 1 the run failed, or stopped at a first Ctrl-C with its checkpoint saved; 2 input or usage that
cannot be right; 130 stopped at once by Ctrl-C. Every error is one line on the error stream.
"""

from __future__ import annotations

import atexit
import os
import sys
import traceback
import warnings
from collections.abc import Mapping, Sequence
from errno import ENOSPC
from typing import Annotated

import typer

import infomax
from infomax.cli.encode import encode
from infomax.cli.evaluate import evaluate
from infomax.cli.fit import fit
from infomax.cli.lm import app as lm
from infomax.cli.mi import mi
from infomax.cli.plan import plan
from infomax.cli.search import search
from infomax.cli.wording import in_options
from infomax.errors import InfomaxError, InputError

_UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # typer re-exports only this child of it

app = typer.Typer(
    name="infomax",
    help="Learn an encoder from pairs by maximising mutual information, or measure it in a table, and know it in bits.",
    epilog="INFOMAX_DEBUG=1 shows where an error came from.",
    add_completion=False,
    rich_markup_mode=None,  # plain help: it answers in half the time, and reads the same in a pipe
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (fit, plan, encode, search, evaluate, mi):
    app.command()(command)
app.add_typer(lm)


def _show_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"infomax {infomax.__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    del version  # its callback has acted on it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code; without `arguments`, on those of this process, which then ends."""
    if arguments is not None:
        return _run(list(arguments))
    code = _run(sys.argv[1:])
    atexit._run_exitfuncs()  # temporary folders are removed
    sys.stderr.flush()
    # A C++ thread of a library that wakes while Python shuts down aborts the process (seen with pyarrow's CSV reader).
    os._exit(code)


def _run(arguments: list[str]) -> int:
    try:
        with warnings.catch_warnings():
            if not sys.warnoptions:
                warnings.simplefilter("ignore")  # what a user should know is in the results, in words
            command = typer.main.get_command(app)
            code = command(arguments or ["--help"], prog_name="infomax", standalone_mode=False) or 0
        sys.stdout.flush()
    except BrokenPipeError:  # `infomax search ... | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except Exception as error:
        if os.environ.get("INFOMAX_DEBUG"):
            traceback.print_exc()
        message, code = explain(error, options_of(arguments))
        typer.echo(f"error: {' '.join(message.split())}", err=True)
    if code == 130:
        typer.echo("error: stopped by Ctrl-C; what was on the disk before is unharmed.", err=True)
    return code if arguments else 2


def options_of(arguments: Sequence[str]) -> dict[str, str]:
    """The options of the command that these arguments call, by their names in Python: {"batch_size": "--batch-size"}."""
    command = typer.main.get_command(app)
    for word in arguments:
        command = getattr(command, "commands", {}).get(word, command)
    named = {parameter.name: parameter.opts for parameter in command.params if parameter.param_type_name == "option"}
    return {name: max(given, key=len) for name, given in named.items() if name}


def explain(error: Exception, options: Mapping[str, str]) -> tuple[str, int]:
    """What to say about an error, in terms of these options (see `in_options`), and the exit code."""
    if isinstance(error, _UsageError):
        context = getattr(error, "ctx", None)
        where = context.command_path if context else "infomax"
        return f"{error.format_message().rstrip('.')}; see `{where} --help`.", 2  # type: ignore[attr-defined]
    if isinstance(error, InfomaxError):
        return in_options(str(error), options), 2 if isinstance(error, InputError) else 1
    if isinstance(error, OSError) and error.errno == ENOSPC and not error.filename:
        return f"the disk is full ({error.strerror}): free some space, then run again.", 1
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error), 1
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return "the memory is full; lower --batch-size or --rows, or give fewer pairs with --max-pairs.", 1
    kind = f"{type(error).__name__}: {error}"[:300]
    return f"this is a bug in infomax ({kind}); run again with INFOMAX_DEBUG=1 to see where, and please report it.", 1
