"""What a scorer makes of each fresh pair: the margin of answer a over answer b, kept as it comes, asked for once.

Scorers that give numbers to answers and judges that compare two are told apart here and nowhere else. Knows pairs and
scorers; knows no vote.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import orjson

from assay.artifacts.files import dumps
from assay.audits.fresh.fresh_pairs import FreshPair
from assay.records import to_json
from assay.scorers.local import LocalScorer
from assay.scorers.protocol import Reward, Scorer, keeps_replies
from assay.scorers.recorded import RecordedScorer
from assay.scorers.scored_pairs import ScoredPair, score_pairs

TOGETHER = 256  # pairs between two writes: passes are well filled, and a kill costs seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """value: reward of a minus reward of b; None where there is none. unread: why an answer could not be taken; empty
    where both were, and value is None because a reward is not finite. members: of an ensemble, each one's own."""

    value: float | None
    unread: str = ""
    members: Mapping[str, float] = field(default_factory=dict)


def margins_of(scorer: Scorer, pairs: Sequence[FreshPair], path: Path) -> list[Margin]:
    """One a pair, in order. path: what was had already, of any scorer. Raises what scoring raises."""
    fingerprint = scorer.fingerprint
    known = {} if keeps_replies(scorer) else _known(path)  # a server's failure of an hour ago is asked about again
    keys = [_key(fingerprint, pair) for pair in pairs]
    missing = [(key, pair) for key, pair in zip(keys, pairs, strict=True) if key not in known]
    for start in range(0, len(missing), TOGETHER):
        part = missing[start : start + TOGETHER]
        fresh = dict(zip((key for key, _ in part), _scored(scorer, [pair for _, pair in part]), strict=True))
        _keep(path, fresh)
        known |= fresh
    if isinstance(scorer, LocalScorer):
        scorer.forget()  # the next one is as large
    return [known[key] for key in keys]


def _scored(scorer: Scorer, pairs: Sequence[FreshPair]) -> list[Margin]:
    if not isinstance(scorer, RecordedScorer):
        return [_margin(one) for one in score_pairs(scorer, [pair.pair for pair in pairs])]
    # A recorded judge may have been asked about some of the pairs only; that is for whoever asks to count.
    there = [pair for pair in pairs if pair.id in scorer.rows]
    found = {one.pair_id: _margin(one) for one in score_pairs(scorer, [pair.pair for pair in there])}
    none = Margin(value=None, unread=f"{scorer.name} has no score for it")
    return [found.get(pair.id, none) for pair in pairs]


def _margin(one: ScoredPair) -> Margin:
    if one.unread is not None:
        return Margin(value=None, unread=one.unread)
    members: dict[str, float] = {}
    if isinstance(one.chosen, Reward) and isinstance(one.rejected, Reward):
        both = one.chosen.heads.keys() & one.rejected.heads.keys()
        members = {name: one.chosen.heads[name] - one.rejected.heads[name] for name in sorted(both)}
    return Margin(value=one.margin, members=members)


def _key(fingerprint: str, pair: FreshPair) -> str:
    said = dumps([fingerprint, pair.id, to_json(pair.prompt), pair.answer_a, pair.answer_b])
    return blake2b(said, digest_size=16).hexdigest()


def _known(path: Path) -> dict[str, Margin]:
    """Whole lines of the file; what a kill tore is cut off, so that what is appended does not touch it."""
    if not path.exists():
        return {}
    whole, _, torn = path.read_bytes().rpartition(b"\n")
    if torn:
        os.truncate(path, path.stat().st_size - len(torn))
    found: dict[str, Margin] = {}
    for line in whole.splitlines():
        try:
            row = orjson.loads(line)
            found[str(row["key"])] = Margin(
                value=row["margin"], unread=str(row.get("unread", "")), members=row.get("members", {})
            )
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            continue  # asking the scorer again is always right
    return found


def _keep(path: Path, fresh: Mapping[str, Margin]) -> None:
    """On disk before the next are asked for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as stream:
        for key, one in fresh.items():
            row: dict[str, object] = {"key": key, "margin": one.value}
            if one.unread:
                row["unread"] = one.unread
            if one.members:
                row["members"] = dict(one.members)
            stream.write(dumps(row) + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
