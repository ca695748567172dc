"""Words with their tokens, each looked up once."""

from __future__ import annotations

import re
from array import array

from tokenizers import Tokenizer

END, MARK = "\0", -1  # of a text among others, and its token
_PLAIN = re.compile("[a-z0-9]+|[A-Z][a-z]*|[A-Z]+")  # in lower case one word of ours as it stands
_ENTRY = 300  # about the bytes that a word takes beside its characters


class Words(dict[str, bytes]):
    """What our tokenizer makes of a word, as bytes of int32. `held` is about the bytes of it all."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__({END: array("i", [MARK]).tobytes()})
        self.tokenizer, self.spell, self.held = tokenizer, tokenizer.model.tokenize, 0

    def __missing__(self, word: str) -> bytes:
        if _PLAIN.fullmatch(word):
            ids = [token.id for token in self.spell(word.lower())]
        else:
            ids = self.tokenizer.encode(word, add_special_tokens=False).ids
        self[word] = found = array("i", ids).tobytes()
        self.held += _ENTRY + len(word)
        return found
