"""The anonymous export: what is in it, what is not, there and back, and what is said of a damaged one."""

from __future__ import annotations

import csv
import json
import re
import tempfile
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import InputError, StudyError
from assay.records import Message
from assay.study import read_closed, read_export, write_export
from assay.study.exchange.pseudonyms import anonymised, pseudonyms
from assay.study.exchange.spreadsheet import RISKY, from_cell, from_csv, to_cell, to_csv
from assay.study.store.closing import close_study
from assay.study.study_records import ClosedStudy, Editor, Item, StudyVote
from tests.study.harness import make_study
from tests.study.judged import closed_after, made_closed, prefers, run_assay

HOSTILE = [
    "=1+1",
    "@x\r\n'q\"",
    "a\nb\rc",
    "'",
    "",
    "\u202etxt",
    "nul\x00l",
    ",;\t",
    "ünï",
    "+" * 40_000,
    '=HYPERLINK("x")',
]
NAMES = ["Anna", "Бела", "=cmd|' /C calc'!A0", 'Zoë "Q", x']


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> ClosedStudy:
    folder = tmp_path_factory.mktemp("study")
    place = str(folder / "s.db")
    people = [Editor(name=name) for name in NAMES[:3]] + [Editor(name=NAMES[3], judge="simulated")]
    made = make_study(folder, place, editors=people, aspects=("helpful",))
    assert set(made.tokens) == {"", *NAMES}
    return closed_after(
        place, lambda slot, _: "left" if slot.position % 3 else "both_bad", comment="Anna: =1\r\n", undo_first=True
    )


def hostile_study(texts: list[str]) -> ClosedStudy:
    """Every text of a study is something else that breaks tables."""
    items, votes = [], []
    for number, text in enumerate(texts):
        items.append(
            Item(
                id=f"item {text}",
                prompt_id=text,
                prompt=(Message(role="user", content=text),),
                answer_a=text + "a",
                answer_b=text + "b",
                system_a="base",
                system_b="tuned",
                category=text if number % 2 else None,
            )
        )
        votes.append(
            StudyVote(
                item=f"item {text}",
                prompt_id=text,
                editor="Anna",
                choice="left",
                left_system="base",
                right_system="tuned",
                kind="real",
                judge="human",
                position=number + 1,
                comment=text,
                category=items[-1].category,
                ratings={text: "tie"},
            )
        )
    return made_closed(items, votes)


def test_there_and_back(closed: ClosedStudy, tmp_path: Path) -> None:
    for times, comments in ((False, False), (True, False), (False, True), (True, True)):
        out = tmp_path / f"{times}{comments}"
        made = write_export(closed, out, times=times, comments=comments)
        told = anonymised(closed, times=times, comments=comments)
        assert made.votes == len(closed.votes)
        for place in (out, out / "votes.jsonl", out / "votes.csv", str(out)):
            assert read_export(place) == told
        assert anonymised(told, times=times, comments=comments) == told  # pseudonyms stay what they are
        assert ("times" in made.left_out, "comments" in made.left_out) == (not times, not comments)


def test_equal_up_to_names_and_what_was_left_out(closed: ClosedStudy) -> None:
    told = anonymised(closed, times=True, comments=True)
    names = {new: old for old, new in pseudonyms(closed.study).items()}
    back = {(names[v.editor], v.position): replace(v, editor=names[v.editor]) for v in told.votes}
    assert back == {(v.editor, v.position): v for v in closed.votes}
    assert told.items == closed.items
    assert {names[who]: count for who, count in told.planned.items()} == closed.planned
    assert {(names[e.name], e.judge) for e in told.study.editors} == {(e.name, e.judge) for e in closed.study.editors}
    assert told.study.seal == closed.study.seal


def test_nothing_that_tells_who_is_who(closed: ClosedStudy, tmp_path: Path) -> None:
    write_export(closed, tmp_path / "e")
    every = b"".join(path.read_bytes() for path in (tmp_path / "e").iterdir())
    for name in NAMES:
        assert name.encode() not in every
        assert json.dumps(name).encode() not in every
    assert orjson.loads((tmp_path / "e" / "study.json").read_bytes())["study"]["seed"] is None
    assert b"Anna" not in every  # also not by a comment
    assert not re.search(rb"T\d\d:\d\d", every)  # no clock time
    assert b'"seed":7' not in every.replace(b" ", b"")
    write_export(closed, tmp_path / "all", times=True, comments=True)
    assert b"Anna: =1" in (tmp_path / "all" / "votes.jsonl").read_bytes()
    assert b"T08:0" in (tmp_path / "all" / "votes.jsonl").read_bytes()
    for path in (tmp_path / "all").iterdir():
        assert NAMES[1].encode() not in path.read_bytes()


def test_pseudonyms_are_stable_keyed_and_of_no_telling_order(closed: ClosedStudy) -> None:
    study = closed.study
    found = pseudonyms(study)
    assert sorted(found.values()) == [f"editor-{n}" for n in range(1, 5)]
    assert pseudonyms(study) == found
    assert pseudonyms(replace(study, editors=tuple(reversed(study.editors)))) == found
    orders = {tuple(pseudonyms(replace(study, seed=seed))[name] for name in NAMES) for seed in range(200)}
    assert len(orders) == 24  # every order occurs: neither the alphabet nor the plan decides


def test_editors_called_like_pseudonyms(tmp_path: Path) -> None:
    make_study(tmp_path, str(tmp_path / "s.db"), editors=3)
    found = closed_after(str(tmp_path / "s.db"), prefers("a"))
    assert set(pseudonyms(found.study)) == set(pseudonyms(found.study).values())
    assert read_export(write_export(found, tmp_path / "e").folder) == anonymised(found)


def test_judge_kinds_are_always_told(closed: ClosedStudy, tmp_path: Path) -> None:
    write_export(closed, tmp_path / "e")
    rows = [orjson.loads(line) for line in (tmp_path / "e" / "votes.jsonl").read_bytes().splitlines()]
    assert {row["judge"] for row in rows} == {"human", "simulated"}
    assert {row["source"] for row in rows} == {"page"}


def test_texts_that_break_tables(tmp_path: Path) -> None:
    told = hostile_study(HOSTILE)
    write_export(told, tmp_path / "e", comments=True)
    assert read_export(tmp_path / "e") == read_export(tmp_path / "e" / "votes.csv") == anonymised(told, comments=True)
    with (tmp_path / "e" / "votes.csv").open(newline="", encoding="utf-8") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), unique=True, max_size=6))
def test_any_text_there_and_back(texts: list[str]) -> None:
    told = hostile_study(texts)
    with tempfile.TemporaryDirectory() as folder:
        write_export(told, Path(folder) / "e", comments=True)
        assert read_export(Path(folder) / "e" / "votes.csv") == read_export(Path(folder) / "e")
        assert read_export(Path(folder) / "e") == anonymised(told, comments=True)


@given(st.none() | st.text())
def test_a_cell_is_never_a_formula_and_always_the_text(text: str | None) -> None:
    cell = to_cell(text)
    assert from_cell(cell) == text
    assert not cell.startswith(RISKY) or cell.startswith("'")


def test_cells_by_hand() -> None:
    assert [to_cell(text) for text in (None, "", "a", "=a", "'a", "-1")] == ["", "'", "a", "'=a", "''a", "'-1"]
    assert from_csv(to_csv(("a", "b"), [{"a": 1, "b": 'x,\n"y'}]), name="t") == [(1, {"a": "1", "b": 'x,\n"y'})]
    assert from_csv("\ufeffa;b\n1;2\n\n3", name="t") == [(1, {"a": "1", "b": "2"}), (2, {"a": "3", "b": ""})]
    with pytest.raises(InputError, match=r"row 1 has 3 cells under 2 columns"):
        from_csv("a,b\n1,2,3", name="t")
    with pytest.raises(InputError, match="stands twice"):
        from_csv("a,a\n1,2", name="t")
    with pytest.raises(InputError, match="breaks near line"):
        from_csv('a,b\n"1,2', name="t")


@pytest.mark.parametrize("choice", [None, "abstain"])
def test_a_study_nobody_judged_and_one_that_says_nothing(tmp_path: Path, choice: str | None) -> None:
    make_study(tmp_path, str(tmp_path / "s.db"), editors=1)
    found = closed_after(str(tmp_path / "s.db"), lambda *_: choice)  # type: ignore[arg-type,return-value]
    assert len(found.votes) == (0 if choice is None else 11)
    write_export(found, tmp_path / "e")
    assert read_export(tmp_path / "e") == read_export(tmp_path / "e" / "votes.csv") == anonymised(found)


DAMAGE = {
    "a vote changed": ("votes.jsonl", lambda raw: raw.replace(b'"left"', b'"right"', 1), "its hash differs"),
    "a vote taken out": ("votes.csv", lambda raw: raw[: raw.rindex(b'"item', 0, -5)], "its hash differs"),
    "cut off": ("items.jsonl", lambda raw: raw[:-20], "its hash differs"),
    "the manifest cut off": ("study.json", lambda raw: raw[:-20], "cut off or no JSON"),
    "the manifest changed": ("study.json", lambda raw: raw.replace(b'"human"', b'"llm"', 1), "its own hash differs"),
    "no object": ("study.json", lambda _: b"[]", "has schema None"),
    "newer": ("study.json", lambda raw: raw.replace(b"export/1", b"export/2"), "has schema .study_export/2"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found(closed: ClosedStudy, tmp_path: Path, name: str) -> None:
    out = write_export(closed, tmp_path / "e").folder
    file, damage, message = DAMAGE[name]
    raw = (out / file).read_bytes()
    assert damage(raw) != raw
    (out / file).write_bytes(damage(raw))
    with pytest.raises(StudyError, match=message):
        read_export(out)


@pytest.mark.parametrize("file", ["votes.jsonl", "votes.csv", "items.jsonl", "study.json"])
def test_a_missing_file_is_named(closed: ClosedStudy, tmp_path: Path, file: str) -> None:
    out = write_export(closed, tmp_path / "e").folder
    (out / file).unlink()
    with pytest.raises(StudyError, match=rf"{file}: missing"):
        read_export(out)


def test_an_export_that_contradicts_itself(tmp_path: Path) -> None:
    told = hostile_study(["x", "y"])
    for votes, message in (
        ((told.votes[0], told.votes[0]), "two votes on one showing"),
        ((replace(told.votes[0], left_system="other"),), "other systems"),
        ((replace(told.votes[0], item="none"),), "other systems"),
    ):
        out = write_export(replace(told, votes=votes), tmp_path / message.split()[0] / votes[0].item).folder
        with pytest.raises(StudyError, match=message):
            read_export(out)
    out = write_export(replace(told, votes=(replace(told.votes[0], choice="best"),)), tmp_path / "c").folder  # type: ignore[arg-type]
    with pytest.raises(StudyError, match=r"choice: .*found 'best'"):
        read_export(out)


def test_nothing_half_written_is_left(closed: ClosedStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("assay.artifacts.body.write_json", full)
    with pytest.raises(StudyError, match="No space left"):
        write_export(closed, tmp_path / "e")
    assert list(tmp_path.iterdir()) == []


def test_by_command(tmp_path: Path) -> None:
    make_study(tmp_path, str(tmp_path / "study.db"))
    assert "the study is open" in run_assay("study", "export", "study.db", "--out", "e", cwd=tmp_path, code=2)
    assert not (tmp_path / "e").exists()
    closed = closed_after(str(tmp_path / "study.db"), prefers("a"), comment="ours")
    told = json.loads(run_assay("study", "export", "study.db", "--out", "e", "--json", cwd=tmp_path))
    assert (told["votes"], told["left_out"]) == (22, ["names", "links", "seed", "times", "comments"])
    assert read_export(tmp_path / "e") == anonymised(closed)
    assert "exists already" in run_assay("study", "export", "study.db", "--out", "e", cwd=tmp_path, code=2)
    assert "is an export already" in run_assay("study", "export", "e", "--out", "f", cwd=tmp_path, code=2)
    run_assay("study", "export", "study.db", "--out", "f", "--times", "--comments", cwd=tmp_path)
    assert read_export(tmp_path / "f") == anonymised(closed, times=True, comments=True)
    text = "".join(cell for cell in run_assay("study", "export", "--help", cwd=tmp_path))
    assert "Example: assay study export study.db --out published" in text


def test_on_both_databases(tmp_path: Path, place: str) -> None:
    make_study(tmp_path, place)
    found = closed_after(place, prefers("b"))
    assert read_export(write_export(found, tmp_path / "e").folder) == anonymised(read_closed(place))
    assert {vote.left for vote in found.votes} == {"a", "b"}
    close_study(place)
