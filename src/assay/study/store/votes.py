"""Appends votes and undos to an editor's trail, chains them by hash, and folds the trail into what stands.

Append-only, so that nothing that was judged can vanish: an undo is an act of its own. An act is named by (showing,
round, action), where round counts the undos of that showing so far. Sent twice it is found, not written again; sent by
two windows with different choices, the first stands. What stands is the fold of the editor's acts by `seq`; clocks play
no part. Knows one editor's plan; knows no page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import orjson
from sqlalchemy import Connection, bindparam, insert, or_, select

from assay.artifacts.files import dumps
from assay.study.store.database import tables
from assay.study.store.study_log import note
from assay.study.study_records import Choice, MsSource, Rating, VoteSource

Action = Literal["vote", "undo"]
Recorded = Literal["recorded", "repeated", "differs", "unknown", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """What one press of a button says, or one row of a file that a tool wrote (source)."""

    showing: str
    round: int
    choice: Choice
    ratings: Mapping[str, Rating] = field(default_factory=dict)
    comment: str = ""
    ms: int | None = None
    ms_source: MsSource | None = None
    source: VoteSource = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One row of an editor's trail. ratings: as JSON. The chain covers the fields in the order they stand here."""

    seq: int
    action: Action
    showing: str
    round: int
    choice: Choice | None = None
    ratings: str = "{}"
    comment: str = ""
    ms: int | None = None
    ms_source: MsSource | None = None
    source: VoteSource = "page"
    at: float


COLUMNS = tuple(Act.__dataclass_fields__)


class Said(NamedTuple):
    """What a vote on record says."""

    choice: Choice
    comment: str
    ratings: dict[str, Rating]


@dataclass(slots=True)
class Standing:
    """The fold of one editor's acts: which showings are judged, in which round each is, and the last act."""

    live: dict[str, int] = field(default_factory=dict)  # showing -> round of the vote that stands, in order of voting
    rounds: dict[str, int] = field(default_factory=dict)  # showing -> undos so far
    seq: int = 0
    head: str = ""
    last_at: float | None = None
    own: frozenset[str] = frozenset()  # the showings of this editor's plan

    def apply(self, action: Action, showing: str) -> None:
        if action == "vote":
            self.live[showing] = self.rounds.get(showing, 0)
        else:
            # Taken out and, when judged again, put in at the end: the order of `live` is the order of voting, which
            # undo goes by.
            self.live.pop(showing, None)
            self.rounds[showing] = self.rounds.get(showing, 0) + 1

    def last(self) -> str | None:
        """The showing judged last of those that stand: the one an undo takes back."""
        return next(reversed(self.live), None)


@dataclass(slots=True)
class Memo:
    """The folds of editors' trails between transactions, by editor's number.

    Each is the beginning of a trail that only grows. alone: nobody else appends while this memo lives, so that none has
    to be read on. To be emptied whenever a transaction did not commit.
    """

    alone: bool
    found: dict[int, Standing] = field(default_factory=dict)


def standing(connection: Connection, editor_id: int, memo: Memo | None = None) -> Standing:
    """Fold the editor's acts, or take the fold from `memo`.

    An act of another server that is not committed yet is not seen; the table's unique keys then refuse ours.
    """
    state = None if memo is None else memo.found.get(editor_id)
    if state is not None and memo is not None and memo.alone:
        return state
    if state is None:
        slots = tables.plan.c
        own = connection.execute(select(slots.showing).where(slots.editor_id == editor_id)).scalars()
        state = Standing(own=frozenset(own))
        if memo is not None:
            memo.found[editor_id] = state
    rows = connection.execute(_LATER, {"editor": editor_id, "after": state.seq})
    for seq, action, showing, head, at in rows:
        state.apply(action, showing)
        state.seq, state.head, state.last_at = seq, head, at
    return state


def record_vote(
    connection: Connection, *, editor_id: int, ballot: Ballot, at: float, memo: Memo | None = None
) -> Recorded:
    """Append a vote, or say why it is none. The caller's transaction makes it durable before anyone is told."""
    if not _stays_open(connection):
        return "closed"
    state = standing(connection, editor_id, memo)
    if ballot.showing not in state.own:
        return "unknown"
    # Judged already, or a page from before an undo. The same choice again is a second press or a lost answer and is
    # fine; another one is a second window, and its person must hear that the first stands.
    if ballot.showing in state.live or ballot.round != state.rounds.get(ballot.showing, 0):
        found = _said(connection, editor_id, ballot.showing, ballot.round)
        if found is not None and found.choice == ballot.choice and _says_no_more(ballot, found):
            return "repeated"
        return "unknown" if found is None and ballot.showing not in state.live else "differs"
    act = Act(
        seq=state.seq + 1,
        action="vote",
        showing=ballot.showing,
        round=ballot.round,
        choice=ballot.choice,
        ratings=dumps(dict(ballot.ratings)).decode(),
        comment=ballot.comment,
        ms=ballot.ms,
        ms_source=ballot.ms_source,
        source=ballot.source,
        at=at,
    )
    _append(connection, editor_id, state, act)
    return "recorded"


def _says_no_more(ballot: Ballot, found: Said) -> bool:
    """Whether a vote sent again has no comment or rating beyond the one found; what it adds must not vanish unsaid."""
    same = all(found.ratings.get(aspect) == rating for aspect, rating in ballot.ratings.items())
    return same and ballot.comment in ("", found.comment)


def record_undo(
    connection: Connection, *, editor_id: int, showing: str, round_: int, at: float, memo: Memo | None = None
) -> Recorded:
    """Append the taking back of the vote on `showing`; only the last vote that stands can be taken back."""
    if not _stays_open(connection):
        return "closed"
    acts = tables.votes.c
    same = select(acts.seq).where(
        acts.showing == showing, acts.round == round_, acts.action == "undo", acts.editor_id == editor_id
    )
    if connection.execute(same).first() is not None:
        return "repeated"
    state = standing(connection, editor_id, memo)
    if state.last() != showing or state.live[showing] != round_:
        return "unknown"
    act = Act(seq=state.seq + 1, action="undo", showing=showing, round=round_, at=at)
    _append(connection, editor_id, state, act)
    return "recorded"


def undone_vote(connection: Connection, editor_id: int, showing: str, round_: int) -> Said | None:
    """What the vote taken back before this round said, to show it again."""
    return None if round_ == 0 else _said(connection, editor_id, showing, round_ - 1)


def chain_hash(previous: str, act: Act) -> str:
    """The hash of an act on top of the editor's previous one.

    Each hash covers the one before it, so that a row changed or taken out behind the program's back breaks every later
    one. The last rows of a trail can be cut off unseen, and whoever can write can hash anew: it finds slips, and is no
    signature.
    """
    body = orjson.dumps([previous, *(getattr(act, name) for name in COLUMNS)])
    return hashlib.sha256(body).hexdigest()


def broken_at(trail: Sequence[tuple[Act, str]]) -> int | None:
    """The `seq` of the first (act, hash) of one editor that does not fit the chain; None where all do."""
    previous = ""
    for expected, (act, hash_) in enumerate(trail, start=1):
        if act.seq != expected or hash_ != chain_hash(previous, act):
            return expected
        previous = hash_
    return None


def _append(connection: Connection, editor_id: int, state: Standing, act: Act) -> None:
    hash_ = chain_hash(state.head, act)
    values = {name: getattr(act, name) for name in COLUMNS}
    connection.execute(_INSERT, {**values, "editor_id": editor_id, "hash": hash_})
    if state.last_at is not None and act.at < state.last_at:
        note(
            connection,
            actor="server",
            action="clock_went_back",
            detail=f"editor {editor_id}, act {act.seq}: {state.last_at - act.at:.3f} s before the act before it",
            at=act.at,
        )
    state.apply(act.action, act.showing)
    state.seq, state.head, state.last_at = act.seq, hash_, act.at


# What every request runs is built once.
_STATE = select(tables.meta.c.key).where(or_(tables.meta.c.key == "schema", tables.meta.c.key == "closed_at"))
# With a shared lock on a row that closing locks alone: on PostgreSQL no vote slips in behind a close from elsewhere.
_STATE_HELD = _STATE.with_for_update(read=True)
_INSERT = insert(tables.votes)
_ACTS = tables.votes.c
_LATER = (
    select(_ACTS.seq, _ACTS.action, _ACTS.showing, _ACTS.hash, _ACTS.at)
    .where(_ACTS.editor_id == bindparam("editor"), _ACTS.seq > bindparam("after"))
    .order_by(_ACTS.seq)
)


def is_open(connection: Connection) -> bool:
    return len(connection.execute(_STATE).all()) == 1


def _stays_open(connection: Connection) -> bool:
    """Open, and not closed by another process before this transaction ends."""
    return len(connection.execute(_STATE_HELD).all()) == 1


def _said(connection: Connection, editor_id: int, showing: str, round_: int) -> Said | None:
    """What the editor's vote on this showing in this round says."""
    acts = tables.votes.c
    query = select(acts.choice, acts.comment, acts.ratings).where(
        acts.showing == showing, acts.round == round_, acts.action == "vote", acts.editor_id == editor_id
    )
    row = connection.execute(query).first()
    return None if row is None else Said(row.choice, row.comment, orjson.loads(row.ratings))
