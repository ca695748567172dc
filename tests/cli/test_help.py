"""Help answers before anything heavy is imported, and tells the truth about defaults."""

from __future__ import annotations

import inspect
import re
import resource
import subprocess
import sys

import pytest

from infomax import __version__, fit
from infomax.training.start import DIM, LEARNING_RATE, VOCABULARY

_HEAVY = {"torch", "numpy", "scipy", "sklearn", "pyarrow", "matplotlib", "tokenizers", "rich"}
_SCRIPT = f"""
import sys
from infomax.cli import main
code = main(sys.argv[1:])
print(*sorted({_HEAVY} & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


def _cpu_seconds(*arguments: str) -> tuple[float, subprocess.CompletedProcess[str]]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", _SCRIPT, *arguments], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done


@pytest.mark.parametrize("command", [[], ["fit"], ["encode"], ["search"], ["evaluate"], ["mi"]])
def test_help_is_light_and_quick(command):
    seconds, done = _cpu_seconds(*command, "--help")
    assert done.returncode == 0
    assert done.stderr.strip() == ""
    assert done.stdout.startswith(" ".join(["Usage: infomax", *command]))
    assert seconds < 0.3 or _cpu_seconds(*command, "--help")[0] < 0.3  # a busy machine gets a second try


def test_version(infomax):
    assert infomax("--version").out == f"infomax {__version__}\n"


def test_no_command_shows_the_help_and_is_a_usage_error(infomax):
    outcome = infomax()
    assert outcome.code == 2
    assert outcome.out.startswith("Usage: infomax")


def test_help_repeats_the_defaults_of_fit(infomax):
    text = " ".join(infomax("fit", "--help").out.split())
    told = dict(re.findall(r"--([a-z-]+) [A-Z]+ (?:(?!--)[^\[])*\[default: ([^\];]+)", text))
    own = {name: parameter.default for name, parameter in inspect.signature(fit).parameters.items()}
    own["learning_rate"] = LEARNING_RATE  # of an encoder that has no usual one
    for name in ("epochs", "batch_size", "learning_rate", "temperature", "validation", "test", "seed"):
        assert float(told[name.replace("_", "-")]) == own[name], name
    assert int(told["dim"]) == DIM
    assert int(told["vocabulary"]) == VOCABULARY


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fit"], "Missing argument 'PAIRS'; see `infomax fit --help`."),
        (["fit", "x.csv", "--epochs", "0"], "'--epochs'"),
        (["fit", "x.csv", "--epoch", "3"], "No such option: --epoch"),
        (["fit", "x.csv", "--seed", "half"], "'--seed'"),
        (["learn"], "No such command 'learn'"),
        (["search", "runs/x"], "Missing argument 'QUERY...'"),
        (["search", "runs/x", "a", "-k", "0"], "'-k'"),
        (["evaluate", "runs/x", "x.csv", "--temperature", "0"], "'--temperature'"),
    ],
)
def test_usage_errors_are_one_line_with_a_remedy(refused, arguments, words):
    line = refused(*arguments)
    assert words in line
    assert "--help`." in line
