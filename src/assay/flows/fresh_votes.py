"""Votes of a closed study, or labels of a file, found again among fresh pairs: by their texts, in either order.

Only votes of one kind of judge count: people's where there are any, else those of programs, named as such. Knows
studies and pairs; computes no figure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.artifacts.fresh_body import Voters
from assay.audits.fresh.config import FreshConfig
from assay.audits.fresh.fresh_labels import Said, Tally
from assay.audits.fresh.fresh_pairs import FreshPair, key_of
from assay.data.config import DataConfig
from assay.errors import InputError, StudyError
from assay.policies.row_fields import quoted
from assay.records import plain_text
from assay.study.analysis.editors import failing
from assay.study.read_study import read_judged, read_study
from assay.study.study_records import ClosedStudy, Item, StudyVote

SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshVotes:
    """tallies: by pair id, of the votes that count. others: votes of other kinds of judges, by kind. judges: how many
    gave votes that count; 0 where a file does not name them. source: what was read. notes: what it does not say.
    failed, failed_votes: people who failed their attention items, and their votes on pairs."""

    tallies: Mapping[str, Tally]
    counted: Voters
    others: Mapping[str, int]
    votes: int
    judges: int
    source: str
    notes: Sequence[str]
    inputs: Mapping[str, str]
    failed: int = 0
    failed_votes: int = 0


def study_votes(source: str, pairs: Sequence[FreshPair], *, config: FreshConfig) -> FreshVotes:
    """The votes of a closed study. Raises StudyError where it is open or holds pairs that are not these."""
    closed = read_study(source)
    strange = _strange(closed, pairs)
    if strange:
        raise StudyError(
            f"Study {closed.study.id} holds {len(strange)} pairs that are none of these fresh pairs, the first on "
            f"{quoted(plain_text(strange[0].prompt))}. Conclude with the study that this `assay fresh` wrote."
        )
    return _counted(closed, pairs, source=f"study {closed.study.id}", config=config)


def label_votes(source: str, pairs: Sequence[FreshPair], *, data: DataConfig, config: FreshConfig) -> FreshVotes:
    """Labels or votes of a file of pairs, in any layout. Raises InputError where one is of no fresh pair."""
    closed = read_judged(source, config=data)
    if not closed.items:
        raise InputError(f"{source}: it holds no texts of answers, by which the pairs could be told.")
    strange = _strange(closed, pairs)
    if strange:
        raise InputError(
            f"{source}: {len(strange)} of {len(closed.items)} pairs are none of the {len(pairs)} fresh pairs, the "
            f"first on {quoted(plain_text(strange[0].prompt))}. Give labels of for_people.jsonl, its texts unchanged."
        )
    return _counted(closed, pairs, source=source, config=config)


def _strange(closed: ClosedStudy, pairs: Sequence[FreshPair]) -> list[Item]:
    known = {pair.key for pair in pairs}
    return [item for item in closed.items.values() if item.kind == "real" and _key(item) not in known]


def _key(item: Item) -> tuple[str, frozenset[str]]:
    return key_of(item.prompt, item.answer_a, item.answer_b)


def _counted(closed: ClosedStudy, pairs: Sequence[FreshPair], *, source: str, config: FreshConfig) -> FreshVotes:
    given = [vote for vote in closed.votes if vote.kind == "real" and vote.choice != "abstain"]
    # Of people only, as the study's own analysis has it: a program's attention is not what its votes hang on.
    failed = failing([vote for vote in closed.votes if vote.judge == "human"], config.attention_pass)
    theirs = sum(vote.editor in failed for vote in given)
    real = given if config.failed_attention == "keep" else [vote for vote in given if vote.editor not in failed]
    if given and not real:
        raise StudyError(
            f"{source}: all {len(failed)} people who voted failed their attention items (under "
            f"{config.attention_pass:.0%} right), so no vote counts. Ask others, or count them all the same: "
            "--set fresh.failed_attention=keep."
        )
    kinds: Counter[Voters] = Counter(vote.judge for vote in real)
    if not kinds:
        raise StudyError(f"{source}: nobody has voted on any pair.")
    counted: Voters = "human" if kinds["human"] else kinds.most_common(1)[0][0]
    by_key = {pair.key: pair for pair in pairs}
    said: dict[str, list[Said]] = defaultdict(list)
    for vote in real:
        if vote.judge == counted:
            item = closed.items[vote.item]
            pair = by_key[_key(item)]
            said[pair.id].append(_said(vote, item, pair))
    judges = {vote.editor for vote in real if vote.judge == counted}
    return FreshVotes(
        tallies={name: Tally.of(several) for name, several in said.items()},
        counted=counted,
        others={kind: count for kind, count in sorted(kinds.items()) if kind != counted and count},
        votes=sum(len(several) for several in said.values()),
        judges=0 if closed.outside is not None and not closed.outside.named else len(judges),
        source=source,
        notes=[*_notes(closed), *_failed(len(failed), theirs, config)],
        failed=len(failed),
        failed_votes=theirs,
        inputs={**closed.study.inputs, "votes": closed.study.seal} if closed.outside is None else closed.study.inputs,
    )


def _said(vote: StudyVote, item: Item, pair: FreshPair) -> Said:
    """Told by the text that was preferred: sides may have been exchanged on the way."""
    side = vote.preferred(item)
    if side is None:
        return "tie"
    text = item.answer_a if side == "a" else item.answer_b
    return "a" if text.strip() == pair.answer_a.strip() else "b"


def _notes(closed: ClosedStudy) -> list[str]:
    """Of a file: rows that gave no vote; what else it does not say is of sides and systems, and matters little here."""
    if closed.outside is None or not closed.outside.rejected:
        return []
    lost = ", ".join(f"{count} {reason}" for reason, count in sorted(closed.outside.rejected.items()))
    return [f"Of {closed.outside.rows:,} rows some gave no vote: {lost}."]


def _failed(people: int, votes: int, config: FreshConfig) -> list[str]:
    if not people:
        return []
    who = f"{people} {'person' if people == 1 else 'people'} with {votes:,} votes on these pairs"
    done = "are left out" if config.failed_attention == "exclude" else "count all the same"
    return [f"{who} judged under {config.attention_pass:.0%} of the attention items right; these votes {done}."]
