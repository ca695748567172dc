"""What the drop-ins refuse, and how they say it: expected, received, remedy."""

from __future__ import annotations

import re

import pytest
import torch

from infomax.errors import InputError
from infomax.objectives import InfoNCELoss, info_nce_loss

Q = torch.eye(4)

REFUSED = {
    "reduction": ({"reduction": "average"}, "reduction must be one of 'mean', 'sum', 'none'; got 'average'."),
    "symmetric with negatives": ({"symmetric": True, "negative_keys": Q}, "takes no negative_keys: leave one out."),
    "query is a list": ({"query": [[1.0]]}, "query must be a floating point tensor (N, d); got list."),
    "query of integers": (
        {"query": Q.long()},
        "query must be a floating point tensor (N, d); got torch.int64 (4, 4).",
    ),
    "one query": ({"query": Q[0]}, "query must be a floating point tensor (N, d); got torch.float32 (4,)."),
    "key of three axes": ({"positive_key": Q[None]}, "positive_key must be a floating point tensor (N, d)"),
    "fewer keys": ({"positive_key": Q[:3]}, "query and positive_key must have one shape; got (4, 4) and (3, 4)."),
    "negatives are a list": ({"negative_keys": [1.0]}, "negative_keys must be a floating point tensor (M, d) or"),
    "one negative": ({"negative_keys": Q[0]}, "(N, K, d); got torch.float32 (4,)."),
    "negatives of integers": ({"negative_keys": Q.long()}, "(N, K, d); got torch.int64 (4, 4)."),
    "negatives of another width": ({"negative_keys": Q[:, :3]}, "one width of at least 1; got 4 and 3."),
    "negatives of other rows": ({"negative_keys": Q[None]}, "negatives must be a tensor of shape (4, K, 4)"),
    "negatives of another type": ({"negative_keys": Q.double()}, "bring both to one dtype and device."),
    "keys of another type": ({"positive_key": Q.double()}, "bring both to one dtype and device."),
    "no negatives": ({"query": Q[:1], "positive_key": Q[:1]}, "anchors have no negative"),
    "empty negatives": ({"negative_keys": Q[:0]}, "anchors have no negative"),
    "no rows": ({"query": Q[:0], "positive_key": Q[:0]}, "there are no anchors: give at least one row."),
    "both temperatures": ({"temperature": 0.1, "logit_scale": 10.0}, "are each other's inverse: give one."),
    "temperature zero": ({"temperature": 0.0}, "temperature must be positive and finite; got 0"),
    "temperature negative": ({"temperature": -0.1}, "temperature must be positive and finite; got -0.1"),
    "temperatures": ({"temperature": torch.ones(4)}, "temperature must be one number; got a tensor of shape (4,)."),
    "logit_scale zero": ({"logit_scale": 0}, "must be positive; got 0."),
    "logit_scale tensor zero": (
        {"logit_scale": torch.tensor(0.0)},
        "temperature must be positive and finite; got inf",
    ),
    "logit_scale negative": ({"logit_scale": -3.0}, "must be positive; got -3.0."),
    "not a number": ({"query": Q / 0 * 0}, "row 0 holds NaN or infinity"),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_it_says_what_is_wrong(case):
    options, message = REFUSED[case]
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        info_nce_loss(**{"query": Q, "positive_key": Q, **options})
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_the_module_refuses_at_once(temperature):
    with pytest.raises(InputError, match="temperature must be positive"):
        InfoNCELoss(temperature)


def test_the_module_refuses_what_the_function_refuses():
    with pytest.raises(InputError, match="reduction must be"):
        InfoNCELoss(reduction="batchmean")(Q, Q)
