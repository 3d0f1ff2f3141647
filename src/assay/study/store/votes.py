"""Votes as an append-only sequence of acts, and what of it stands. Knows one editor's plan; knows no page.

An act is named by (showing, round, action). Sent twice it is found, not written again; sent by two windows with
different choices, the first stands. What stands is the fold of the editor's acts by `seq`; clocks play no part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
from sqlalchemy import Connection, Row, insert, or_, select

from assay.artifacts.files import dumps
from assay.study.store import tables
from assay.study.study_records import Choice, MsSource, Rating, VoteSource

Outcome = Literal["recorded", "repeated", "differs", "unknown", "closed"]
COLUMNS = ("seq", "action", "showing", "round", "choice", "ratings", "comment", "ms", "ms_source", "source", "at")


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


@dataclass(slots=True)
class Standing:
    """The fold of one editor's acts: which showings are judged, in which round each is, and the last act."""

    live: dict[str, int] = field(default_factory=dict)  # showing -> round of the vote that stands, in order of voting
    rounds: dict[str, int] = field(default_factory=dict)  # showing -> undos so far
    seq: int = 0
    head: str = ""
    last_at: float | None = None
    own: frozenset[str] = frozenset()  # the showings of this editor's plan

    def apply(self, action: str, showing: str) -> None:
        if action == "vote":
            self.live[showing] = self.rounds.get(showing, 0)
        else:
            self.live.pop(showing, None)
            self.rounds[showing] = self.rounds.get(showing, 0) + 1

    def last(self) -> str | None:
        """The showing judged last of those that stand: the one an undo takes back."""
        return next(reversed(self.live), None)


Memo = dict[int, Standing]


def standing(connection: Connection, editor_id: int, memo: Memo | None = None) -> Standing:
    """Fold the editor's acts, or take the fold from `memo`.

    A memo belongs to the one server that writes: it is kept up by each act, and must be emptied whenever a transaction
    did not commit. Were it wrong nonetheless, the table's unique keys would refuse the act.
    """
    if memo is not None and editor_id in memo:
        return memo[editor_id]
    slots = tables.plan.c
    own = connection.execute(select(slots.showing).where(slots.editor_id == editor_id)).scalars()
    state = Standing(own=frozenset(own))
    if memo is not None:
        memo[editor_id] = state
    acts = tables.votes.c
    rows = connection.execute(
        select(acts.seq, acts.action, acts.showing, acts.hash, acts.at)
        .where(acts.editor_id == editor_id)
        .order_by(acts.seq)
    )
    for seq, action, showing, head, at in rows:
        state.apply(action, showing)
        state.seq, state.head, state.last_at = seq, head, at
    return state


def record_vote(
    connection: Connection, *, editor_id: int, ballot: Ballot, at: float, memo: Memo | None = None
) -> Outcome:
    """Append a vote, or say why it is none. The caller's transaction makes it durable before anyone is told."""
    if not _stays_open(connection):
        return "closed"
    state = standing(connection, editor_id, memo)
    if ballot.showing not in state.own:
        return "unknown"
    if ballot.showing in state.live or ballot.round != state.rounds.get(ballot.showing, 0):
        found = _find(connection, editor_id, ballot.showing, ballot.round, "vote")
        if found is not None and found.choice == ballot.choice and _says_no_more(ballot, found):
            return "repeated"
        return "unknown" if found is None and ballot.showing not in state.live else "differs"
    _append(
        connection,
        editor_id,
        state,
        {
            "action": "vote",
            "showing": ballot.showing,
            "round": ballot.round,
            "choice": ballot.choice,
            "ratings": dumps(dict(ballot.ratings)).decode(),
            "comment": ballot.comment,
            "ms": ballot.ms,
            "ms_source": ballot.ms_source,
            "source": ballot.source,
            "at": at,
        },
    )
    return "recorded"


def _says_no_more(ballot: Ballot, found: Row[*tuple[Any, ...]]) -> bool:
    """Whether a vote sent again has no comment or rating beyond the one found; what it adds must not vanish unsaid."""
    ratings = orjson.loads(found.ratings)
    same = all(ratings.get(aspect) == rating for aspect, rating in ballot.ratings.items())
    return same and ballot.comment in ("", found.comment)


def record_undo(
    connection: Connection, *, editor_id: int, showing: str, round_: int, at: float, memo: Memo | None = None
) -> Outcome:
    """Append the taking back of the vote on `showing`; only the last vote that stands can be taken back."""
    if not _stays_open(connection):
        return "closed"
    if _find(connection, editor_id, showing, round_, "undo") is not None:
        return "repeated"
    state = standing(connection, editor_id, memo)
    if state.last() != showing or state.live[showing] != round_:
        return "unknown"
    act = {
        "action": "undo",
        "showing": showing,
        "round": round_,
        "choice": None,
        "ratings": "{}",
        "comment": "",
        "ms": None,
        "ms_source": None,
        "source": "page",
        "at": at,
    }
    _append(connection, editor_id, state, act)
    return "recorded"


def undone_ballot(connection: Connection, showing: str, round_: int) -> Row[*tuple[Any, ...]] | None:
    """Comment and ratings of the vote taken back before this round, to show them again."""
    if round_ == 0:
        return None
    acts = tables.votes.c
    query = select(acts.comment, acts.ratings).where(
        acts.showing == showing, acts.round == round_ - 1, acts.action == "vote"
    )
    return connection.execute(query).first()


def chain_hash(previous: str, act: Mapping[str, Any]) -> str:
    """The hash of an act on top of the editor's previous one."""
    body = orjson.dumps([previous, *(act[name] for name in COLUMNS)])
    return hashlib.sha256(body).hexdigest()


def broken_at(rows: Sequence[Mapping[str, Any]]) -> int | None:
    """The `seq` of the first act of one editor that does not fit the chain; None where all do."""
    previous = ""
    for expected, row in enumerate(rows, start=1):
        if row["seq"] != expected or row["hash"] != chain_hash(previous, row):
            return expected
        previous = row["hash"]
    return None


def _append(connection: Connection, editor_id: int, state: Standing, act: dict[str, Any]) -> None:
    act["seq"] = state.seq + 1
    hash_ = chain_hash(state.head, act)
    connection.execute(_INSERT, {**act, "editor_id": editor_id, "hash": hash_})
    if state.last_at is not None and act["at"] < state.last_at:
        note(
            connection,
            actor="server",
            action="clock_went_back",
            detail=f"editor {editor_id}, act {act['seq']}: {state.last_at - act['at']:.3f} s before the act before it",
            at=act["at"],
        )
    state.apply(act["action"], act["showing"])
    state.seq, state.head, state.last_at = act["seq"], hash_, act["at"]


def note(connection: Connection, *, actor: str, action: str, detail: str, at: float) -> None:
    """Append one line to the study's own log."""
    connection.execute(insert(tables.log).values(at=at, actor=actor, action=action, detail=detail))


# What every request runs is built once.
_STATE = select(tables.meta.c.key).where(or_(tables.meta.c.key == "schema", tables.meta.c.key == "closed_at"))
# With a shared lock on a row that closing locks alone: on PostgreSQL no vote slips in behind a close from elsewhere.
_STATE_HELD = _STATE.with_for_update(read=True)
_INSERT = insert(tables.votes)


def is_open(connection: Connection) -> bool:
    return len(connection.execute(_STATE).all()) == 1


def _stays_open(connection: Connection) -> bool:
    """Open, and not closed by another process before this transaction ends."""
    return len(connection.execute(_STATE_HELD).all()) == 1


def _find(
    connection: Connection, editor_id: int, showing: str, round_: int, action: str
) -> Row[*tuple[Any, ...]] | None:
    acts = tables.votes.c
    query = select(acts.choice, acts.comment, acts.ratings).where(
        acts.showing == showing, acts.round == round_, acts.action == action, acts.editor_id == editor_id
    )
    return connection.execute(query).first()
