"""Bytes and characters of the files that people bring: compressed or not, in an encoding that may not be UTF-8."""

from __future__ import annotations

import codecs
import io
from pathlib import Path

import pyarrow as pa

from infomax.errors import InputError


def open_bytes(path: Path) -> io.BufferedReader:
    """The file's bytes, decompressed if its name ends in .gz, .bz2, .zst, .lz4 or .br."""
    return io.BufferedReader(pa.input_stream(str(path), compression="detect"), 1 << 20)


def check_encoding(encoding: str) -> str:
    """The name Python gives the encoding, with UTF-8 in its spelling without a byte order mark."""
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        raise InputError(f"Unknown encoding {encoding!r}: name one that Python knows, such as 'latin-1'.") from None
    return "utf-8" if name == "utf-8-sig" else name


def well_formed(text: str) -> str:
    """The text with lone surrogates, which have no UTF-8 form, replaced by question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def not_in_encoding(path: Path, encoding: str) -> InputError:
    """The error for a file that does not decode, with the place of its first bad byte."""
    with open_bytes(path) as file:
        start = file.peek(2)[:2]
    if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) and encoding != "utf-16":
        return InputError(f"{path} is UTF-16, not {encoding}: pass encoding='utf-16' or convert it.")
    offset, line = _first_bad_byte(path, encoding)
    return InputError(
        f"{path} is not {encoding} (byte {offset:,}, line {line:,}): pass its encoding, such as encoding='latin-1', "
        f"or convert it with `iconv -f LATIN1 -t UTF-8`."
    )


def _first_bad_byte(path: Path, encoding: str) -> tuple[int, int]:
    decoder = codecs.getincrementaldecoder(encoding)()
    done, lines = 0, 1
    with open_bytes(path) as file:
        while True:
            block = file.read(1 << 20)
            waiting = len(decoder.getstate()[0])  # bytes of a character that the last block cut in two
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                bad = error.start - waiting
                return done + bad, lines + block[: max(bad, 0)].count(b"\n")
            except UnicodeError:  # no byte order mark where UTF-16 needs one
                return done, lines
            if not block:
                return done, lines
            done += len(block)
            lines += block.count(b"\n")
