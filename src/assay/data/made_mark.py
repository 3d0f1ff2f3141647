"""How a pair says that it was made from other pairs, and not judged by anyone; and which kind of making it was.

The mark stands in `source`, so that it is written, read and handed on with the pair. A made pair is trained on and
never held out: the split looks here. Knows pairs; knows no way of making them.
"""

from __future__ import annotations

from collections.abc import Mapping

from assay.records import Pair

GENERATOR = "assay augment"


def mark(kind: str, *origins: Pair) -> Mapping[str, object]:
    """What `source` of a made pair holds: who made it, which kind it is, and the ids of the pairs it came from."""
    return {"generator": GENERATOR, "made": kind, "from": [one.id for one in origins]}


def made_kind(pair: Pair) -> str | None:
    """Which kind of made pair this is; None for one that people judged.

    >>> origin = Pair(id="a", prompt="Hi", chosen="Hello.", rejected="No.")
    >>> made_kind(Pair(id="b", prompt="Hi", chosen="Hello.", rejected="x", source=mark("rrm chosen chosen", origin)))
    'rrm chosen chosen'
    """
    kind = pair.source.get("made")
    return str(kind) if kind is not None and pair.source.get("generator") == GENERATOR else None
