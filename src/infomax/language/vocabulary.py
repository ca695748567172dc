"""The words or subwords of a language model, over a `tokenizers.Tokenizer` that keeps all of it in one JSON file.

A word vocabulary knows the commonest words; the others are one token, <unk>, so the perplexities of two vocabularies
cannot be compared unless both know every word. A subword vocabulary (byte-level BPE) spells every text, so it has no
unknown. <eos> ends a text; no text can hold it, as it is no word of a text (but of pretokenised ones, where it means itself).
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, SupportsInt

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from infomax.errors import InfomaxError, InputError

UNKNOWN, END = "<unk>", "<eos>"
_WORD = r"\w+(?:['’]\w+)*|([^\w\s])\1*"  # letters, with apostrophes inside; runs of one other sign ("...", "``")
_BLOB = r".{65,}"  # as long as no word is


class Vocabulary:
    """Tokens of texts and their numbers.

    Attributes:
        tokenizer: does the work.
        size: number of tokens, those of `unknown` and `end` among them.
        unknown: number of the token for words outside the vocabulary; None where every text can be spelled.
        end: number of the token that ends a text.

    >>> words = Vocabulary.words(["the cat, the dog"], size=5)
    >>> words.encode("The cat, the bird").tolist(), words.decode(words.encode("the cat , the bird"))
    ([0, 4, 3, 2, 0], 'the cat, the <unk>')
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        end = tokenizer.token_to_id(END)
        if end is None:
            raise InputError(f"The tokenizer has no token {END}: add it, it ends a text.")
        self.tokenizer = tokenizer
        self.end: int = end
        self.unknown: int | None = tokenizer.token_to_id(UNKNOWN)
        self.size: int = max(tokenizer.get_vocab().values()) + 1

    @classmethod
    def words(
        cls,
        texts: Iterable[str],
        size: int | None = None,
        min_count: int = 1,
        *,
        lowercase: bool = False,
        pretokenised: bool = False,
    ) -> Vocabulary:
        """The `size` commonest words (all by default) that occur `min_count` times, ties in order of the alphabet.

        Args:
            texts: read once, streamed; memory holds the distinct words.
            size: <unk> and <eos> included.
            lowercase: "The" and "the" are one word.
            pretokenised: words are what stands between white space, as in the Penn Treebank; <unk> in a text is the
                unknown word. Else punctuation is cut off, and joined again by `decode`.

        Raises:
            InputError: sizes that cannot be, or texts without two different words.
        """
        _check_sizes(size, min_count, least=4)
        pre = (
            pre_tokenizers.WhitespaceSplit()
            if pretokenised
            else pre_tokenizers.Split(Regex(_WORD), "removed", invert=True)
        )
        trainer = trainers.WordLevelTrainer(
            vocab_size=2**31 if size is None else size,
            min_frequency=min_count,
            special_tokens=[UNKNOWN, END],
            show_progress=False,
        )
        tokenizer = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), *[normalizers.Lowercase()] * lowercase])
        learned = cls(_learned(tokenizer, pre, trainer, texts))
        learned.tokenizer.decoder = _joining(tidy=not pretokenised)
        if learned.size < 4:
            raise InputError(
                f"The corpus holds fewer than two different words that occur at least {min_count:,} times, so there is "
                "nothing to predict; give more text."
            )
        return learned

    @classmethod
    def subwords(cls, texts: Iterable[str], size: int = 8000, *, lowercase: bool = False) -> Vocabulary:
        """Byte-level pair encoding (Sennrich et al. 2016; bytes as in GPT-2): every text is spelled, no token is unknown.

        Args:
            texts: read once, streamed; memory holds the distinct words.
            size: tokens, of which 257 are the bytes and <eos>.

        Raises:
            InputError: `size` is below 258, or there are no texts.
        """
        _check_sizes(size, 1, least=258)
        trainer = trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=[END],
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        tokenizer = Tokenizer(models.BPE())
        if lowercase:
            tokenizer.normalizer = normalizers.Lowercase()
        learned = cls(_learned(tokenizer, pre_tokenizers.ByteLevel(add_prefix_space=False), trainer, texts))
        learned.tokenizer.decoder = decoders.ByteLevel()
        return learned

    def __repr__(self) -> str:
        return f"Vocabulary({self.size:,} {'subwords' if self.unknown is None else 'words'})"

    def encode(self, text: str) -> np.ndarray:
        """(t,) int32 numbers of the text's tokens, without <eos>."""
        return self.encode_batch([text])[0]

    def encode_batch(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Numbers (t,) int32 of all texts in order, and how many each text owns (n,) int64."""
        whole = [text.encode("utf-8", "replace").decode() for text in texts]  # lone surrogates have no UTF-8 form
        encodings = [found.ids for found in self.tokenizer.encode_batch_fast(whole, add_special_tokens=False)]
        lengths = np.fromiter(map(len, encodings), np.int64, len(encodings))
        return np.fromiter(itertools.chain.from_iterable(encodings), np.int32, int(lengths.sum())), lengths

    def decode(self, ids: Iterable[SupportsInt]) -> str:
        """The text of tokens; <eos> is a line break."""
        groups = itertools.groupby(map(int, ids), key=lambda number: number == self.end)
        return "".join("\n" * len(list(run)) if ends else self._join(run) for ends, run in groups)

    def joined(self, prompt: str, text: str) -> str:
        """A decoded text after what it goes on from."""
        if self.unknown is None:
            return prompt + text
        return self.tokenizer.decoder.decode([part for part in (prompt, text) if part])

    def _join(self, ids: Iterator[int]) -> str:
        return self.tokenizer.decode(list(ids), skip_special_tokens=False)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the tokenizer's JSON. Raises InfomaxError where that cannot be done."""
        try:
            Path(path).write_text(self.tokenizer.to_str(pretty=True), "utf-8")
        except OSError as error:
            raise InfomaxError(
                f"Could not write {path} ({error.strerror}): free some space or name another place."
            ) from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Vocabulary:
        """Read what `save` wrote, or any tokenizer.json that has a token <eos>. Raises InputError if it is neither."""
        try:
            return cls(Tokenizer.from_str(Path(path).read_text("utf-8")))
        except InputError:
            raise
        except Exception as error:  # tokenizers raises bare Exceptions
            raise InputError(
                f"{path} is no vocabulary ({str(error)[:200]}): fit the model anew or copy it again."
            ) from error


def _learned(tokenizer: Tokenizer, pre: pre_tokenizers.PreTokenizer, trainer: Any, texts: Iterable[str]) -> Tokenizer:
    """The tokenizer with the vocabulary of the texts, in which a text never makes a special token by naming it."""
    # the trainer of subwords walks every word once a merge: an encoded blob would take minutes
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre, pre_tokenizers.Split(Regex(_BLOB), behavior="removed")])
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.pre_tokenizer = pre
    return Tokenizer.from_str(json.dumps({**json.loads(tokenizer.to_str()), "added_tokens": []}))


def _joining(*, tidy: bool) -> decoders.Decoder:
    """Words with a blank between them, but (tidy) not before a closing sign nor after an opening one."""
    joined = [decoders.WordPiece("\0", cleanup=False), decoders.Fuse()]  # no word begins with a null
    before, after = Regex(r" (?=[,.;:!?)\]}%…])"), Regex(r"(?<=[(\[{]) ")
    return decoders.Sequence([*joined, *[decoders.Replace(before, ""), decoders.Replace(after, "")] * tidy])


def _check_sizes(size: int | None, min_count: int, *, least: int) -> None:
    if size is not None and size < least:
        raise InputError(f"A vocabulary of size={size:,} is too small: {least:,} is the least, 10,000 suits most text.")
    if min_count < 1:
        raise InputError(f"min_count={min_count} must be at least 1, which keeps every word.")
