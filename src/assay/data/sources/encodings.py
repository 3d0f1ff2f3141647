"""Which encoding bytes that are no UTF-8 are in, by their look, and the line that converts such a file. Reads no file.

A byte order mark or the zero bytes of UTF-16 decide. Else bytes over 127 that stand alone between letters are taken for
Western European text (cp1252); in runs they are of another script, whose encoding is not guessed.
"""

from __future__ import annotations

import re
import shlex

# The longer marks first: UTF-32's begins as UTF-16's.
MARKS = {b"\xff\xfe\x00\x00": "UTF-32", b"\x00\x00\xfe\xff": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
HIGH = re.compile(rb"[\x80-\xff]+")
UNUSED_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
LOOK_AT = 2**20


def wide_encoding(head: bytes) -> str | None:
    """UTF-16 or UTF-32 by the first bytes of a file, marked or not; None for an encoding of single bytes."""
    marked = next((name for mark, name in MARKS.items() if head.startswith(mark)), None)
    if marked is not None:
        return marked
    sample = head[:64]
    if len(sample) >= 8 and sample[1::2].count(0) * 4 > 3 * len(sample[1::2]) and 0 not in sample[::2]:
        return "UTF-16LE"
    if len(sample) >= 8 and sample[::2].count(0) * 4 > 3 * len(sample[::2]) and 0 not in sample[1::2]:
        return "UTF-16BE"
    return None


def likely_encoding(text: bytes) -> str | None:
    """CP1252 where the bytes look like it; None for valid UTF-8 and for what could be many encodings."""
    text = text[:LOOK_AT]
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.end >= len(text) - 3 and len(text) == LOOK_AT:
            return None  # only cut in the middle of a character
    else:
        return None
    runs = [len(run) for run in HIGH.findall(text)]
    alone = sum(length == 1 for length in runs)
    return "CP1252" if 2 * alone > len(runs) and not UNUSED_1252.search(text) else None


def encoding_advice(text: bytes, name: str) -> str:
    """How to go on with bytes that are no UTF-8, to be put behind that statement; empty if they are."""
    found = likely_encoding(text)
    if found is None:
        return "" if utf8(text) else "; find its encoding with `file -i` and convert the file with iconv"
    return f"; it reads as {found} (Western European): {conversion(found, name)}"


def utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def conversion(encoding: str, name: str) -> str:
    """The line that makes a file UTF-8."""
    return f"iconv -f {encoding} -t UTF-8 {shlex.quote(name)} > utf8-{shlex.quote(name.rsplit('/', 1)[-1])}"
