"""A digest of groups of candidates and of who scores them: the same digest, the same rewards."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from assay.artifacts.files import dumps
from assay.records import Candidates, to_json


def group_digest(fingerprint: str, groups: Sequence[Candidates]) -> str:
    """Of the scorer and all that it may see of these groups, in their order; 32 hexadecimal digits."""
    seen = [
        [group.id, to_json(group.prompt), [to_json(answer) for answer in group.answers], group.source]
        for group in groups
    ]
    return blake2b(dumps([fingerprint, seen]), digest_size=16).hexdigest()
