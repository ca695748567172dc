"""The Lightning example learns: it runs where Lightning is installed."""

from importlib.util import find_spec

import pytest

EXAMPLE = "lightning_module"


@pytest.mark.skipif(not (find_spec("lightning") or find_spec("pytorch_lightning")), reason="lightning is not installed")
def test_the_bound_rises(example):
    options = {"enable_progress_bar": False, "num_sanity_val_steps": 0}
    assert example.train(8, **options) > max(1.0, example.train(1, **options))
