"""Studies with votes in them, made without a server, for the tests of what comes after the voting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from assay.study.store.closed_study import read_closed
from assay.study.store.closing import close_study
from assay.study.store.database import open_database
from assay.study.store.open_study import items_of, slots_of
from assay.study.store.votes import Ballot, record_undo, record_vote
from assay.study.study_records import Choice, ClosedStudy, Editor, Item, Slot, Study, StudyVote
from tests.support.ready_commands import ready_assay

Judge = Callable[[Slot, Item], Choice | None]


def run_assay(*words: str | Path, cwd: Path, code: int = 0) -> str:
    """The command's standard output, or its standard error where it fails as expected."""
    done = ready_assay(*words, cwd=cwd)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done.stdout if code == 0 else done.stderr


def vote_all(place: str, judge: Judge, *, comment: str = "", undo_first: bool = False) -> int:
    """Every showing judged by `judge` (None: left open); returns the votes that stand."""
    count = 0
    with closing(open_database(place)) as database, database.begin() as connection:
        items = {item.id: item for item in items_of(connection)}
        numbers: dict[str, int] = {}
        for slot in slots_of(connection):
            number = numbers.setdefault(slot.editor, len(numbers) + 1)
            choice = judge(slot, items[slot.item])
            if choice is None:
                continue
            at = 1_800_000_000.0 + count
            ballot = Ballot(showing=slot.showing, round=0, choice=choice, comment=comment, ms=900, ms_source="page")
            assert record_vote(connection, editor_id=number, ballot=ballot, at=at) == "recorded"
            if undo_first and count == 0:
                assert record_undo(connection, editor_id=number, showing=slot.showing, round_=0, at=at) == "recorded"
                again = Ballot(showing=slot.showing, round=1, choice=choice, comment=comment)
                assert record_vote(connection, editor_id=number, ballot=again, at=at) == "recorded"
            count += 1
    return count


def closed_after(place: str, judge: Judge, **more: object) -> ClosedStudy:
    vote_all(place, judge, **more)  # type: ignore[arg-type]
    close_study(place)
    return read_closed(place)


def prefers(side: str) -> Judge:
    """A judge who always wants answer a (or b), wherever it stands."""
    return lambda slot, _: "left" if slot.left == side else "right"


def made_closed(
    items: Sequence[Item], votes: Sequence[StudyVote], *, editors: Sequence[Editor] = (Editor(name="Anna"),)
) -> ClosedStudy:
    """A closed study put together by hand, for what needs no database."""
    study = Study(
        id="feed", title="t", created_at="2026-01-01T00:00:00.000Z", closed_at="2026-01-02T00:00:00.000Z", seed=99,
        seal="sha256:0", systems=("base", "tuned"), editors=tuple(editors),
        config={"seed": 99, "question": "q", "instructions": "", "aspects": [], "comments": "on"}, inputs={}, power={},
        giveaways=(), set_aside=(),
    )  # fmt: skip
    return ClosedStudy(
        study=study,
        items={item.id: item for item in items},
        votes=tuple(votes),
        planned={editor.name: len(votes) for editor in editors},
    )
