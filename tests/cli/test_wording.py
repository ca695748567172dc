"""Messages name arguments of Python; at the command line they name its options."""

from __future__ import annotations

import pytest

from infomax.cli.app import options_of
from infomax.cli.wording import in_options

FIT = options_of(["fit", "pairs.csv", "--seed", "1"])


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("pass delimiter=';'.", "pass --delimiter ';'."),
        ("pass delimiter='\\t'.", "pass --delimiter '\\t'."),
        ("pass encoding='latin-1', or convert it", "pass --encoding latin-1, or convert it"),
        ("by resume=True, or by overwrite=True.", "by --resume, or by --overwrite."),
        ("validation=0.6 and test=1e-05: their sum", "--validation 0.6 and --test 1e-05: their sum"),
        ("batch_size=10.", "--batch-size 10."),
        ("pass a module by encoder=.", "pass a module by --encoder."),
        ("learning_rate must be above 0, got -1", "--learning-rate must be above 0, got -1"),
        ("temperature must be above 0", "--temperature must be above 0"),
        ("lower learning_rate (now 3), raise temperature (now 2)", "lower --learning-rate (now 3), raise --temperature (now 2)"),
        ("(epochs was 4, is 9; seed was 0, is 1)", "(--epochs was 4, is 9; --seed was 0, is 1)"),
        ("functions beyond max_pairs", "functions beyond --max-pairs"),
    ],
)  # fmt: skip
def test_arguments_become_options(message, told):
    assert in_options(message, FIT) == told


@pytest.mark.parametrize(
    "message",
    [
        "it has 'max_pairs', \"batch_size\", 'the encoding=x'.",  # columns of the user's own
        "/data/max_pairs/learning_rate.csv is empty",
        "runs/my-batch_size: no such folder",
        "give the same command with --resume, or --max-pairs",
        "the test split holds no pairs; training and validation are large",
        "the seed of its epochs; a label, a group",
        "`load_saved(folder, encoder=module)` puts them into one like it",
        "discrete_x=True, vocabulary_sizes=3, no_encoder=None",  # no options of this command
        "the row's label and the file's encoding",
        "",
    ],
)
def test_what_is_no_argument_stays(message):
    assert in_options(message, FIT) == message


def test_only_options_of_the_command_that_was_called():
    assert in_options("k=3", options_of(["search", "run", "query"])) == "-k 3"
    assert in_options("k=3", FIT) == "k=3"
    assert in_options("dim must lie", options_of(["encode", "run"])) == "--dim must lie"
    assert in_options("pass encoder=x", options_of([])) == "pass encoder=x"
    assert in_options("pass encoder=x", {}) == "pass encoder=x"
    assert options_of(["fit"])["batch_size"] == "--batch-size"
    assert options_of(["encode"])["quiet"] == "--quiet"
