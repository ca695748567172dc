"""Objectives as losses of sentence-transformers: its own losses' numbers, its trainer, its model card."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.functional import normalize as unit

from infomax.adapters.sentence_transformers import ObjectiveLoss
from infomax.errors import InputError
from infomax.objectives import hard_negative, info_nce
from infomax.scores import Scores


class Model(nn.Module):
    """What a loss sees of a SentenceTransformer: features in, and changed; features with vectors out."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.table = nn.Embedding(50, 6)
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: dict[str, Any]) -> dict[str, Any]:
        mask = features["attention_mask"].unsqueeze(2)
        features["sentence_embedding"] = (self.dropout(self.table(features["input_ids"])) * mask).sum(1)
        del features["attention_mask"]
        return features


def columns(count: int, n: int = 7) -> list[dict[str, Any]]:
    ids = torch.randint(50, (count, n, 5), generator=torch.Generator().manual_seed(4))
    mask = torch.arange(5) < torch.tensor([1, 2, 3, 4, 5, 2, 3])[:n, None]
    return [{"input_ids": one, "attention_mask": mask.long(), "prompt_length": 1} for one in ids]


def embedded(model: Model, features: list[dict[str, Any]]) -> list[Tensor]:
    return [unit(model(dict(column))["sentence_embedding"], dim=1) for column in features]


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("chunk", [None, 3])
def test_the_default_is_cross_entropy_over_all_positives_and_negatives(count: int, chunk: int | None) -> None:
    model = Model()
    a, *others = embedded(model, columns(count))
    expected = cross_entropy(20 * a @ torch.cat(others).t(), torch.arange(7))
    (theirs,) = torch.autograd.grad(expected, model.table.weight)
    loss = ObjectiveLoss(model, chunk=chunk)(columns(count), None)
    torch.testing.assert_close(loss, expected)
    loss.backward()
    torch.testing.assert_close(model.table.weight.grad, theirs)


def test_the_models_own_dict_is_filled_in_where_losses_around_this_one_look() -> None:
    """`AdaptiveLayerLoss` puts layers into the features that the model gave back, and reads them from those it was given."""
    features = columns(2)
    ObjectiveLoss(Model())(features, None)
    assert all("sentence_embedding" in column for column in features)
    features = columns(2)
    ObjectiveLoss(Model(), chunk=3)(features, None).backward()
    assert all(set(column) == {"input_ids", "attention_mask", "prompt_length"} for column in features)


def test_a_batch_of_one_costs_nothing() -> None:
    assert ObjectiveLoss(Model())(columns(2, n=1)) == 0


def test_chunks_move_running_statistics_once_and_synchronise_once() -> None:
    model = Model()
    model.norm = nn.BatchNorm1d(6)
    plain = model.forward
    model.forward = lambda features: {"sentence_embedding": model.norm(plain(features)["sentence_embedding"])}
    quiet = []

    @contextmanager
    def no_sync():
        quiet.append(True)
        yield

    model.no_sync = no_sync
    ObjectiveLoss(model, chunk=3)(columns(2, n=6)).backward()
    assert int(model.norm.num_batches_tracked) == 4  # two chunks a column, each of them once
    assert len(quiet) == 3  # all but the last


def test_chunks_replay_the_dropout() -> None:
    model = Model(dropout=0.5)
    loss = ObjectiveLoss(model, partial(hard_negative, beta=0.5), chunk=3)
    torch.manual_seed(5)
    loss(columns(2), torch.zeros(7)).backward()
    torch.manual_seed(5)
    a, b = (torch.cat([embedded(model, [part])[0] for part in cut(column)]) for column in columns(2))
    expected = hard_negative(Scores(a, b, temperature=0.05), 0.5).mean()
    torch.testing.assert_close(model.table.weight.grad, torch.autograd.grad(expected, model.table.weight)[0])


def cut(column: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {name: x[start : start + 3] if isinstance(x, Tensor) else x for name, x in column.items()}
        for start in (0, 3, 6)
    ]


@pytest.mark.parametrize("chunk", [None, 3])
def test_a_learned_temperature_gets_its_gradient(chunk: int | None) -> None:
    model = Model()
    loss = ObjectiveLoss(model, temperature=0.1, learn_temperature=True, chunk=chunk)
    loss(columns(2)).backward()
    log = torch.tensor(0.1).log().requires_grad_()
    a, b = embedded(model, columns(2))
    expected = torch.autograd.grad(cross_entropy(a @ b.t() / log.exp(), torch.arange(7)), log)[0]
    torch.testing.assert_close(loss.log_temperature.grad, expected)
    fixed = ObjectiveLoss(model, temperature=0.1, chunk=chunk)
    fixed(columns(2)).backward()
    assert fixed.log_temperature.grad is None


def test_told_to_the_model_card() -> None:
    loss = ObjectiveLoss(Model(), partial(info_nce, symmetric=True), 0.1, chunk=8)
    told = loss.get_config_dict()
    assert told.pop("temperature") == pytest.approx(0.1)
    assert told == {"objective": "info_nce(symmetric=True)", "learn_temperature": False, "chunk": 8}
    assert "1807.03748" in loss.citation
    assert loss.temperature == pytest.approx(0.1)


def test_what_is_no_pair_is_refused() -> None:
    model = Model()
    with pytest.raises(InputError, match="at least 2 columns of texts, got 1"):
        ObjectiveLoss(model)(columns(1))
    with pytest.raises(InputError, match="the labels differ"):
        ObjectiveLoss(model)(columns(2), torch.tensor([1, 0, 1, 1, 1, 0, 1]))
    with pytest.raises(InputError, match="temperature must be"):
        ObjectiveLoss(model, temperature=0.0)
    with pytest.raises(InputError, match="chunk must be"):
        ObjectiveLoss(model, chunk=0)
    flat = {"input_ids": torch.arange(9), "offsets": torch.arange(3)}
    with pytest.raises(InputError, match="leave it out here"):
        ObjectiveLoss(model, chunk=2)([flat, flat])


@pytest.fixture(scope="module")
def static_model() -> Any:
    pytest.importorskip("sentence_transformers", reason="needs the extra 'hf'")
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(
        models.WordLevel(
            {"[UNK]": 0, **{word: i + 1 for i, word in enumerate(sorted(set(" ".join(TEXTS).split())))}}, "[UNK]"
        )
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)], device="cpu")


TEXTS = ["a man plays the guitar", "a woman eats an apple", "a child rides the horse", "the dog sleeps on a mat"]
OTHERS = ["man guitar", "woman apple", "child horse", "dog mat"]


def test_equal_to_the_originals(static_model: Any) -> None:
    from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss, MultipleNegativesRankingLoss

    features = [static_model.preprocess(texts) for texts in (TEXTS, OTHERS, OTHERS[1:] + OTHERS[:1])]
    one_way, both_ways = ObjectiveLoss(static_model), ObjectiveLoss(static_model, partial(info_nce, symmetric=True))
    original = MultipleNegativesRankingLoss(static_model)
    two_directions = MultipleNegativesRankingLoss(
        static_model, directions=("query_to_doc", "doc_to_query"), partition_mode="per_direction"
    )
    cases: list[tuple[Any, Any, int]] = [
        (one_way, original, 2),
        (one_way, original, 3),
        (both_ways, two_directions, 2),
        (MatryoshkaLoss(static_model, one_way, [8, 4]), MatryoshkaLoss(static_model, original, [8, 4]), 2),
    ]
    for ours, theirs, used in cases:
        values = [loss([dict(f) for f in features[:used]], None) for loss in (ours, theirs)]
        torch.testing.assert_close(*values)


def test_the_trainer_learns_and_writes_its_card(static_model: Any, tmp_path: Any) -> None:
    datasets = pytest.importorskip("datasets", reason="SentenceTransformerTrainer needs datasets")
    pytest.importorskip("accelerate", reason="SentenceTransformerTrainer needs accelerate")
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments

    loss = ObjectiveLoss(static_model, partial(info_nce, symmetric=True), learn_temperature=True)
    features = [static_model.preprocess(texts) for texts in (TEXTS, OTHERS)]
    before = float(loss([dict(f) for f in features]).detach())
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(tmp_path), num_train_epochs=8, per_device_train_batch_size=4, learning_rate=0.05,
        report_to=[], save_strategy="no", disable_tqdm=True, use_cpu=True,
    )  # fmt: skip
    data = datasets.Dataset.from_dict({"anchor": TEXTS, "positive": OTHERS})
    SentenceTransformerTrainer(static_model, arguments, train_dataset=data, loss=loss).train()
    assert float(loss([dict(f) for f in features]).detach()) < before
    assert loss.temperature != pytest.approx(0.05)
    static_model.save(str(tmp_path / "model"))
    card = (tmp_path / "model" / "README.md").read_text()
    assert "ObjectiveLoss" in card
    assert '"objective": "info_nce(symmetric=True)"' in card
    assert "1807.03748" in card
