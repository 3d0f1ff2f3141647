"""Names made from texts, the same wherever and whenever the texts are read. Knows texts; knows no row and no file."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from assay.records import Message, Text


def encoded(text: Text) -> bytes:
    """A text's bytes for hashing. Raises UnicodeEncodeError for half a surrogate pair."""
    if type(text) is str:
        return text.encode()
    # Control signs between the parts: a letter that moves from one turn to the next gives other bytes.
    return "\x1e".join(f"{m.role}\x1f{m.content}" for m in text if isinstance(m, Message)).encode()


def pair_id(prompt: Text, chosen: Text, rejected: Text) -> str:
    """A name made from the texts, whichever answer won."""
    return "p-" + digest(prompt, (chosen, rejected))


def candidates_id(prompt: Text, answers: Sequence[Text]) -> str:
    """A name made from the texts, in whatever order the answers stand."""
    return "c-" + digest(prompt, answers)


def digest(prompt: Text, answers: Sequence[Text]) -> str:
    return blake2b(b"\0".join((encoded(prompt), *sorted(map(encoded, answers)))), digest_size=8).hexdigest()
