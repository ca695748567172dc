import os
import signal
from pathlib import Path

import pytest
import torch

# Two test processes share two cores; and sums in another order than yours would be hard to reproduce.
torch.set_num_threads(1)

# A shell's background job inherits an ignored Ctrl-C, and the tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Kernels run in Triton's interpreter where there is no GPU. It is chosen when triton is imported, which other tests do too.
if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"

_WORDS = ["remove", "duplicates", "keep", "order", "parse", "hello", "world", "long", "text", "spaces"]


@pytest.fixture(scope="session")
def bare_bert(tmp_path_factory) -> Path:
    """A transformer of nothing, BERT's shape with random weights, as a Hugging Face folder: no pooling."""
    transformers = pytest.importorskip("transformers", reason="needs the hf extra")
    pytest.importorskip("sentence_transformers", reason="needs the hf extra")
    path = tmp_path_factory.mktemp("bert") / "bare"
    path.mkdir()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_WORDS, *"abcdefghijklmnopqrstuvwxyz"]
    vocabulary += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    (path / "vocab.txt").write_text("\n".join(vocabulary))
    tokenizer = transformers.BertTokenizerFast(str(path / "vocab.txt"), model_max_length=24)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.BertModel(
            transformers.BertConfig(
                vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
                max_position_embeddings=24, hidden_dropout_prob=0.2, attention_probs_dropout_prob=0.2,
            )
        )  # fmt: skip
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path
