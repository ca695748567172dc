"""Learning the vocabulary: equal texts give equal tokens in every process, and a sample stands for many texts."""

import json
import os
import random
import subprocess
import sys
import time

import pytest

from infomax.encoders import StaticTextEncoder
from infomax.encoders.tokenizer import TextTokenizer
from infomax.encoders.tokenizer_training import train_tokenizer


def words_of_many_ties(count=3000):
    """Texts in which most pairs of letters are about equally frequent, so that the trainer breaks ties all the time."""
    rng = random.Random(0)
    return [
        " ".join("".join(rng.choices("abcdefghijklmnopqrstuvwxyzéß日本", k=6)) for _ in range(3)) for _ in range(count)
    ]


ELSEWHERE = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
from test_tokenizer_training import words_of_many_ties
from infomax.encoders.tokenizer_training import train_tokenizer
sys.stdout.write(train_tokenizer(words_of_many_ties(), vocabulary_size=2000).to_str())
"""


@pytest.mark.parametrize("threads", ["1", "5"])
def test_equal_texts_give_equal_tokenizers_in_every_process(threads):
    here = train_tokenizer(words_of_many_ties(), vocabulary_size=2000).to_str()
    assert train_tokenizer(words_of_many_ties(), vocabulary_size=2000).to_str() == here
    paths = json.dumps([os.path.dirname(__file__), *sys.path])
    there = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, paths],
        env=os.environ | {"RAYON_NUM_THREADS": threads, "TOKENIZERS_PARALLELISM": "true", "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    assert there.stdout == here


def test_pieces_of_single_characters_are_no_tokens_of_texts_that_spell_them_out():
    tokenizer = train_tokenizer(["##a ##b ab ba [UNK]"] * 3, vocabulary_size=50)
    assert "##a" in tokenizer.get_vocab()
    assert [token.content for token in tokenizer.get_added_tokens_decoder().values()] == ["[UNK]"]
    assert tokenizer.encode("##a", add_special_tokens=False).tokens == ["a"]


def test_every_character_of_a_word_has_its_pieces_and_no_other():
    tokenizer = train_tokenizer(["aB1 É_ﬁ", "x-日。本", "e\u0301"] * 2, vocabulary_size=1)
    single = {"a", "b", "1", "é", "f", "i", "x", "日", "本"}
    assert set(tokenizer.get_vocab()) == {"[UNK]"} | single | {f"##{character}" for character in single}


def test_many_texts_are_sampled_evenly():
    texts = (f"w{i:04d} w{i:04d}" for i in range(4000))
    whole = {token for token in train_tokenizer(texts, sample=400).get_vocab() if len(token) == 5 and token[0] == "w"}
    assert len(whole) == 400
    quarters = [sum(int(word[1:]) // 1000 == quarter for word in whole) for quarter in range(4)]
    assert all(abs(count - 100) < 45 for count in quarters)  # five standard deviations
    assert train_tokenizer(["ab"] * 5, sample=5).to_str() == train_tokenizer(["ab"] * 5).to_str()


def test_a_bad_row_is_named_even_beyond_the_sample():
    with pytest.raises(ValueError, match="NoneType at row 4"):
        train_tokenizer(["ab", "cd", "ef", "gh", None], sample=2)


def test_a_fitted_vocabulary_reads_its_own_texts():
    texts = words_of_many_ties(200)
    encoder = StaticTextEncoder.from_texts(texts, vocabulary_size=300, dim=4)
    ids, lengths = TextTokenizer(encoder.text_tokenizer.tokenizer, 256)(texts)
    assert (lengths > 0).all()
    assert (ids != encoder.text_tokenizer.tokenizer.token_to_id("[UNK]")).all()


BLOBS = {
    "lower case": "".join(random.Random(0).choices("abcdefghij", k=100_000)),
    "capitals": "".join(random.Random(0).choices("ACGT", k=100_000)),
    "marks": "e" + "\u0301" * 100_000,
    "no letter twice": "".join(map(chr, range(0x4E00, 0x9000))) * 6,
    "no white space": '{"key":[1,2],"other":"text"},' * 350_000,  # 10 million characters
    "one word": "a" * 10_000_000,
}


@pytest.mark.parametrize("kind", BLOBS)
def test_blobs_are_learned_from_and_read_in_time(kind):
    start = time.process_time()
    tokenizer = train_tokenizer([*words_of_many_ties(200), BLOBS[kind]], vocabulary_size=400)
    ids, _ = TextTokenizer(tokenizer, 256)([BLOBS[kind], "a b"])
    assert time.process_time() - start < 2  # minutes, were each merge a walk through the blob
    assert len(ids) == (258 if kind == "no white space" else 3)


def test_a_blob_shapes_no_vocabulary_and_a_long_word_does():
    def learned(*more):
        return train_tokenizer([*words_of_many_ties(50), *more * 20], vocabulary_size=400).to_str()

    assert learned("a" * 65) == learned("") == learned(*["a" * 70_000])
    assert learned("a" * 64) != learned("")
