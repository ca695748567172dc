"""Texts to flat arrays of token ids, by any tokenizer; fast where it is our own, whose words do not depend on each other."""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from tokenizers import Tokenizer, models

from infomax.encoders.texts import as_text
from infomax.encoders.tokenizer_training import LONGEST_WORD, UNKNOWN, with_model
from infomax.encoders.words import END, MARK, Words
from infomax.errors import InputError

_WORD_OR_END = re.compile(
    r"[^\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+|\x00"
)  # in ASCII only letters and digits make words
_COMPOSING = "\u0338"  # the one mark that NFKC joins to a character between words: "<" and it are "≮"
_REMEMBERED = 2**25  # bytes of words, about
# Runs that can be cut short and change no token: letters that lie in one word whatever stands around them, so that their
# first 65 alone make a blob (lower case and digits; kana, Han and Hangul; capitals up to the last, which may begin a word:
# "ABCd"), and white space.
_MANY = f"{{{LONGEST_WORD + 1}}}"
_LOWER, _CASELESS = "[a-z0-9]", r"[\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3]"
_RUNS = re.compile(
    rf"({_LOWER}{_MANY}){_LOWER}+|({_CASELESS}{_MANY}){_CASELESS}+|([A-Z]{_MANY})[A-Z]+(?=[A-Z])|(\s{_MANY})\s+"
)


class TextTokenizer:
    """A `tokenizers.Tokenizer` that reads at most `max_tokens` of a text, as flat arrays.

    With `frequency_power` below 1, a token that occurs k times in a text is kept ceil(k ** frequency_power) times.

    With our own tokenizer no token depends on what stands around its word. So words are remembered with their tokens, and a
    text costs little more than to be cut; and a text far longer than `max_tokens` is not read to its end: a word has at most
    64 tokens, so a head with 64 tokens to spare gives the same first tokens.
    """

    def __init__(self, tokenizer: Tokenizer, max_tokens: int, frequency_power: float = 1.0) -> None:
        if max_tokens < 1:
            raise InputError(f"max_tokens must be at least 1, got {max_tokens}.")
        if not 0 <= frequency_power <= 1:
            raise InputError(f"frequency_power must lie in [0, 1], got {frequency_power}; 1 counts every repeat.")
        self.tokenizer = _truncating(tokenizer, max_tokens)  # the caller's own stays as it was
        self.max_tokens, self.frequency_power = max_tokens, frequency_power
        self._enough = max_tokens + LONGEST_WORD
        self._ahead = _truncating(tokenizer, self._enough)
        self._cuts = _is_ours(tokenizer)
        self._head = 16 * max_tokens if self._cuts else sys.maxsize
        self._whole = [_COMPOSING, *(token.content for token in tokenizer.get_added_tokens_decoder().values())]
        self._words = Words(self._ahead)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_words"}  # copies remember for themselves

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._words = Words(self._ahead)

    def __len__(self) -> int:
        """One more than the largest id."""
        return max(self.tokenizer.get_vocab(with_added_tokens=True).values()) + 1

    def __call__(self, texts: Sequence[object]) -> tuple[np.ndarray, np.ndarray]:
        """Ids (t,) int32 of all texts in order, and how many each text owns (n,) int64."""
        whole = [as_text(text, row) for row, text in enumerate(texts)]
        ids, lengths = _first(*self._by_words(whole) if self._cuts else _flat(self._read(whole)), self.max_tokens)
        return (ids, lengths) if self.frequency_power == 1 else _without_repeats(ids, lengths, self.frequency_power)

    def _by_words(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """As `_read`, flat, by what is known of words."""
        heads = [text[: self._head] for text in texts]
        joined, apart = END.join([*heads, ""]), set[int]()  # apart is what must be read as it stands
        if joined.count(END) > len(heads) or any(part in joined for part in self._whole):
            apart = {row for row, head in enumerate(heads) if any(part in head for part in (END, *self._whole))}
            joined = END.join(["" if row in apart else head for row, head in enumerate(heads)] + [""])
        pieces = _WORD_OR_END.findall(joined)
        if self._words.held > _REMEMBERED:
            self._words = Words(self._ahead)  # threads may still read the old ones
        ids = np.frombuffer(b"".join(map(self._words.__getitem__, pieces)), np.int32)
        lengths = np.diff(np.flatnonzero(ids == MARK), prepend=-1) - 1
        ids = ids[ids != MARK]
        apart |= {row for row, text in enumerate(texts) if len(text) > self._head and lengths[row] < self._enough}
        if not apart:
            return ids, lengths
        found: list[Any] = np.split(ids, np.cumsum(lengths)[:-1])
        rows = sorted(apart)
        for row, read in zip(rows, self._read([texts[row] for row in rows]), strict=True):
            found[row] = read
        return _flat(found)

    def _read(self, texts: list[str]) -> list[list[int]]:
        """The first ids of each text, at least `max_tokens` if it has so many."""
        heads = [text[: self._head] for text in texts]
        encodings = _ids(self._ahead, heads)
        for row, (head, text) in enumerate(zip(heads, texts, strict=True)):
            if len(head) < len(text):
                encodings[row] = self._read_on(text, len(head), encodings[row])
        return encodings

    def _read_on(self, text: str, size: int, ids: list[int]) -> list[int]:
        """The first ids of a text of which the first `size` characters gave `ids`; each head is 8 times the last."""
        if len(ids) == self._enough:
            return ids
        text = _RUNS.sub(r"\1\2\3\4", text)
        while True:
            size *= 8
            (ids,) = _ids(self._ahead, [text[:size]])
            if len(ids) == self._enough or size >= len(text):
                return ids


def _ids(tokenizer: Tokenizer, texts: list[str]) -> list[list[int]]:
    return [encoding.ids for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]


def _flat(tokens: Iterable[Any]) -> tuple[np.ndarray, np.ndarray]:
    """All ids one after the other, and how many each had."""
    tokens = list(tokens)
    lengths = np.fromiter(map(len, tokens), np.int64, len(tokens))
    return np.fromiter(itertools.chain.from_iterable(tokens), np.int32, int(lengths.sum())), lengths


def _first(ids: np.ndarray, lengths: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The first `most` ids of each text."""
    if lengths.max(initial=0) <= most:
        return ids, lengths
    places = np.arange(len(ids)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return ids[places < most], lengths.clip(max=most)


def _without_repeats(ids: np.ndarray, lengths: np.ndarray, power: float) -> tuple[np.ndarray, np.ndarray]:
    """Each text's ids in increasing order, an id that occurs k times kept ceil(k ** power) times."""
    size = int(ids.max(initial=0)) + 1
    texts = np.repeat(np.arange(len(lengths)), lengths)
    distinct, k = np.unique(texts * size + ids, return_counts=True)
    kept = np.repeat(distinct, np.ceil(k**power).astype(np.int64))
    return (kept % size).astype(np.int32), np.bincount(kept // size, minlength=len(lengths))


def _truncating(tokenizer: Tokenizer, tokens: int) -> Tokenizer:
    """A copy that stops after so many tokens."""
    copied = Tokenizer.from_str(tokenizer.to_str())
    copied.no_padding()
    copied.enable_truncation(tokens)
    return copied


def _is_ours(tokenizer: Tokenizer) -> bool:
    """Whether it cuts words as ours does, and knows none of more than 64 characters."""
    parts, ours = (json.loads(each.to_str()) for each in (tokenizer, with_model(models.WordPiece(unk_token=UNKNOWN))))
    return (
        all(parts[name] == ours[name] for name in ("normalizer", "pre_tokenizer"))
        and parts["model"].get("max_input_chars_per_word", LONGEST_WORD + 1) <= LONGEST_WORD
        and not any(token["normalized"] for token in parts["added_tokens"])  # looked for in the text as it stands
    )
