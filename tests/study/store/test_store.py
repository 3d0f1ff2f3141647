"""Votes at rest, on SQLite and on PostgreSQL: append-only, idempotent, undone by appending, read only when closed."""

from __future__ import annotations

import time
from contextlib import closing

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update

from assay.errors import StudyError
from assay.study import read_closed, read_votes
from assay.study.store import links
from assay.study.store.closing import close_study
from assay.study.store.database import create_database, open_database, tables
from assay.study.store.links import renew_link, revoke_link
from assay.study.store.open_study import read_facts, read_progress, slots_of
from assay.study.store.verification import verify
from assay.study.store.votes import Ballot, record_undo, record_vote, standing
from assay.study.study_address import is_url
from assay.study.study_records import Slot
from tests.study.harness import make_study


def plan_of(connection: Connection, editor: int) -> list[Slot]:
    return [slot for slot in slots_of(connection) if slot.editor == f"editor-{editor}"]


def vote(connection: Connection, slot: Slot, choice: str, *, round_: int = 0, editor: int = 1, **more: object) -> str:
    ballot = Ballot(showing=slot.showing, round=round_, choice=choice, **more)  # type: ignore[arg-type]
    return record_vote(connection, editor_id=editor, ballot=ballot, at=time.time())


def undo(connection: Connection, slot: Slot, *, round_: int = 0, editor: int = 1) -> str:
    return record_undo(connection, editor_id=editor, showing=slot.showing, round_=round_, at=time.time())


def test_a_study_is_stored_whole_and_read_back(tmp_path, place) -> None:
    made = make_study(tmp_path, place, prompts=8, editors=3)
    study = read_facts(place)
    assert study.id == made.id
    assert study.seed == 7
    assert study.systems == ("silent-fox-7b", "loud-owl-7b")
    assert [editor.name for editor in study.editors] == ["editor-1", "editor-2", "editor-3"]
    assert set(study.inputs) == {"silent-fox-7b.jsonl", "loud-owl-7b.jsonl"}
    assert study.config["repeats"] == 2
    assert verify(place) == []
    assert [(p.done, p.total, p.link) for p in read_progress(place)] == [(0, 11, "active")] * 3


def test_votes_tell_what_was_seen_and_what_it_was(tmp_path, place) -> None:
    make_study(tmp_path, place)
    with closing(open_database(place)) as database, database.begin() as connection:
        plan = plan_of(connection, 1)
        for slot in plan:
            assert vote(connection, slot, "left", ms=1200, ms_source="page", comment="so", ratings={}) == "recorded"
    close_study(place)
    votes, items = read_votes(place), read_closed(place).items
    assert len(votes) == len(plan)
    for slot, found in zip(plan, votes, strict=True):
        item = items[slot.item]
        left, right = (item.system_a, item.system_b) if slot.left == "a" else (item.system_b, item.system_a)
        assert (found.item, found.prompt_id, found.position) == (slot.item, item.prompt_id, slot.position)
        assert (found.left_system, found.right_system, found.kind) == (left, right, slot.kind)
        assert (found.editor, found.judge, found.choice, found.ms) == ("editor-1", "human", "left", 1200)
        expected = ("left" if slot.left == "a" else "right") if slot.kind == "attention" else None
        assert found.expected == expected


def test_the_same_vote_twice_is_one_and_another_choice_does_not_replace_it(tmp_path, place) -> None:
    make_study(tmp_path, place)
    with closing(open_database(place)) as database, database.begin() as connection:
        slot = plan_of(connection, 1)[0]
        assert vote(connection, slot, "left") == "recorded"
        assert vote(connection, slot, "left") == "repeated"
        assert vote(connection, slot, "right") == "differs"
        assert vote(connection, slot, "right", round_=1) == "differs"
    close_study(place)
    assert [found.choice for found in read_votes(place)] == ["left"]


def test_a_comment_that_comes_with_the_same_choice_from_another_window_is_not_passed_over_in_silence(
    tmp_path, place
) -> None:
    make_study(tmp_path, place)
    with closing(open_database(place)) as database, database.begin() as connection:
        slot = plan_of(connection, 1)[0]
        said = {"comment": "so", "ratings": {"kind": "left"}}
        assert vote(connection, slot, "left", **said) == "recorded"
        assert vote(connection, slot, "left", **said) == "repeated"
        assert vote(connection, slot, "left") == "repeated"  # a tool's file that left the comment out
        assert vote(connection, slot, "left", comment="no, so") == "differs"
        assert vote(connection, slot, "left", ratings={"kind": "tie"}) == "differs"


def test_undo_is_an_act_of_its_own_and_late_repeats_of_what_was_undone_do_nothing(tmp_path, place) -> None:
    make_study(tmp_path, place)
    with closing(open_database(place)) as database, database.begin() as connection:
        first, second, *_ = plan_of(connection, 1)
        assert vote(connection, first, "left") == "recorded"
        assert vote(connection, second, "tie") == "recorded"
        assert undo(connection, first) == "unknown"  # only the last one
        assert undo(connection, second) == "recorded"
        assert undo(connection, second) == "repeated"
        assert vote(connection, second, "tie") == "repeated"  # the old press, arriving late
        assert second.showing not in standing(connection, 1).live
        assert vote(connection, second, "both_bad", round_=1) == "recorded"
        assert undo(connection, second, round_=1) == "recorded"
        assert undo(connection, first) == "recorded"
        assert undo(connection, first) == "repeated"
        assert vote(connection, first, "abstain", round_=1) == "recorded"
        acts = connection.execute(select(tables.votes.c.action).order_by(tables.votes.c.seq)).scalars().all()
        assert acts == ["vote", "vote", "undo", "vote", "undo", "undo", "vote"]
    assert verify(place) == []
    close_study(place)
    assert [(found.choice, found.undone) for found in read_votes(place)] == [("abstain", 1)]


def test_an_editor_cannot_vote_on_another_editors_showing(tmp_path, place) -> None:
    make_study(tmp_path, place)
    with closing(open_database(place)) as database, database.begin() as connection:
        other = plan_of(connection, 2)[0]
        assert vote(connection, other, "left", editor=1) == "unknown"
        assert vote(connection, other, "left", editor=2) == "recorded"
        assert vote(connection, other, "left", editor=1) == "unknown"
        assert undo(connection, other, editor=1) == "unknown"


def test_no_peeking_before_the_study_closes_and_no_vote_after(tmp_path, place) -> None:
    make_study(tmp_path, place)
    for look in (read_votes, read_closed):
        with pytest.raises(StudyError, match=r"the study is open \(0 of 22 judged\)"):
            look(place)
    closed = close_study(place, reason="enough")
    assert close_study(place).closed_at == closed.closed_at
    with closing(open_database(place)) as database, database.begin() as connection:
        assert vote(connection, plan_of(connection, 1)[0], "left") == "closed"
        assert undo(connection, plan_of(connection, 1)[0]) == "closed"
        detail = connection.execute(select(tables.log.c.detail).where(tables.log.c.action == "closed")).scalar_one()
    assert detail == "22 showings not judged. enough"
    assert read_votes(place) == []


@pytest.mark.parametrize("table", [tables.votes, tables.plan, tables.items, tables.log], ids=lambda table: table.name)
def test_rows_cannot_be_changed_or_deleted(tmp_path, place, table) -> None:
    make_study(tmp_path, place)
    with closing(open_database(place)) as database:
        with database.begin() as connection:
            vote(connection, plan_of(connection, 1)[0], "left")
        column = next(column for column in table.c if not column.primary_key)
        for statement in (update(table).values({column.name: column}), delete(table)):
            with pytest.raises(StudyError, match="append-only"), database.begin() as connection:
                connection.execute(statement)


def unguarded(connection: Connection, table: str, statement: str) -> None:
    """What someone with the database in hand could do."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
    else:
        for act in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER {table}_no_{act}"))
    connection.execute(text(statement))


@pytest.mark.parametrize(
    ("table", "statement", "problem"),
    [
        ("assay_votes", "UPDATE assay_votes SET choice = 'right' WHERE seq = 2", "breaks at act 2"),
        ("assay_votes", "DELETE FROM assay_votes WHERE seq = 1", "breaks at act 1"),
        ("assay_plan", "UPDATE assay_plan SET left_side = 'a'", "sealed plan was changed"),
        ("assay_items", "UPDATE assay_items SET answer_a = 'better' WHERE id = 'item-1'", "sealed plan was changed"),
    ],
)
def test_changes_behind_the_programs_back_are_noticed(tmp_path, place, table, statement, problem) -> None:
    make_study(tmp_path, place)
    with closing(open_database(place)) as database, database.begin() as connection:
        for slot in plan_of(connection, 1)[:3]:
            vote(connection, slot, "left")
    close_study(place)
    with closing(open_database(place)) as database, database.begin() as connection:
        unguarded(connection, table, statement)
    assert problem in " ".join(verify(place))
    with pytest.raises(StudyError, match="cannot be vouched for"):
        read_votes(place)


def test_a_database_of_a_newer_version_is_refused_and_left_untouched(tmp_path, place) -> None:
    make_study(tmp_path, place)
    with closing(open_database(place)) as database, database.begin() as connection:
        connection.execute(update(tables.meta).where(tables.meta.c.key == "schema").values(value="study/3"))
    with pytest.raises(StudyError, match=r'has schema "study/3"; this assay reads "study/2". It was left untouched'):
        read_facts(place)


def test_a_second_study_in_the_same_place_is_refused(tmp_path, place) -> None:
    make_study(tmp_path, place)
    before = read_facts(place).id
    with pytest.raises(StudyError, match=r"already"):
        make_study(tmp_path, place)
    assert read_facts(place).id == before


def test_a_creation_that_fails_leaves_nothing(tmp_path, place) -> None:
    def fill(connection: Connection) -> None:
        connection.execute(insert(tables.meta).values(key="schema", value="study/2"))
        raise StudyError("stopped half way")

    with pytest.raises(StudyError, match="half way"):
        create_database(place, fill)
    with pytest.raises(StudyError, match=r"no such study|holds no study"):
        read_facts(place)
    if not is_url(place):
        assert list(tmp_path.glob(".study*")) == []


def test_files_that_are_no_study_are_refused(tmp_path) -> None:
    with pytest.raises(StudyError, match="no such study"):
        read_facts(tmp_path / "none.db")
    (tmp_path / "text.db").write_text("hello, this is not a database at all, but it is long enough to look" * 20)
    with pytest.raises(StudyError, match="not a study database"):
        read_facts(tmp_path / "text.db")
    import sqlite3

    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE t (x)")
    with pytest.raises(StudyError, match="holds no study"):
        read_facts(tmp_path / "other.db")
    with pytest.raises(StudyError, match="postgresql://"):
        read_facts("mysql://x/y")


def test_a_database_that_does_not_answer_is_said_so_without_its_password() -> None:
    with pytest.raises(StudyError, match="does not answer") as caught:
        read_facts("postgresql://me:secret@127.0.0.1:9/none")
    assert "secret" not in str(caught.value)


def test_links_are_kept_as_hashes_and_end_when_revoked_or_renewed(tmp_path, place) -> None:
    made = make_study(tmp_path, place)
    now = time.time()
    with closing(open_database(place)) as database, database.begin() as connection:
        stored = connection.execute(select(tables.links.c.token_hash)).scalars().all()
        assert not set(stored) & set(made.tokens.values())
        state, guest = links.open_link(connection, made.tokens["editor-1"], at=now)
        assert (state, guest.editor if guest else None) == ("active", "editor-1")
        assert links.open_link(connection, made.tokens["editor-1"], at=now + 31 * links.DAY)[0] == "expired"
        assert links.open_link(connection, "guess", at=now) == ("none", None)
        assert guest is not None
        session = links.begin_session(connection, guest, at=now)
        assert links.who(connection, session, role="editor", at=now) == guest
        assert links.who(connection, session, role="owner", at=now) is None
    fresh = renew_link(place, "editor-1", days=1)
    with closing(open_database(place)) as database, database.begin() as connection:
        assert links.who(connection, session, role="editor", at=now) is None
        assert links.open_link(connection, made.tokens["editor-1"], at=now)[0] == "revoked"
        assert links.open_link(connection, fresh, at=now)[0] == "active"
    assert revoke_link(place, "editor-1") == 1
    assert {p.editor.name: p.link for p in read_progress(place)} == {"editor-1": "revoked", "editor-2": "active"}
    with pytest.raises(StudyError, match=r'No editor is called "nobody". Editors: editor-1, editor-2'):
        renew_link(place, "nobody", days=1)


def test_a_clock_that_jumps_back_changes_no_order_and_is_noted(tmp_path, place) -> None:
    make_study(tmp_path, place)
    with closing(open_database(place)) as database, database.begin() as connection:
        first, second, *_ = plan_of(connection, 1)
        for slot, at in ((first, 2_000_000_000.0), (second, 1_000_000_000.0)):
            ballot = Ballot(showing=slot.showing, round=0, choice="left")
            assert record_vote(connection, editor_id=1, ballot=ballot, at=at) == "recorded"
        assert standing(connection, 1).last() == second.showing
        noted = connection.execute(select(tables.log.c.detail).where(tables.log.c.action == "clock_went_back")).scalar()
        assert noted == "editor 1, act 2: 1000000000.000 s before the act before it"
    assert verify(place) == []
    close_study(place)
    assert [found.position for found in read_votes(place)] == [1, 2]
