"""Judging in other tools: blind tasks out, annotated files back in, by Label Studio's and Argilla's own SDKs."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, update

from assay.errors import InputError, StudyError
from assay.records import Message
from assay.study import read_closed
from assay.study.exchange import import_votes, write_annotated, write_tasks
from assay.study.exchange.task_folders import WRITERS, file_name
from assay.study.exchange.tools.task_form import as_choice, prompt_text, task_of
from assay.study.exchange.vote_import import READERS, REASONS
from assay.study.safe_html import REPLACED
from assay.study.store.closing import close_study
from assay.study.store.database import ServerLock, open_database, tables
from assay.study.store.open_study import items_of, slots_of
from assay.study.store.verification import verify
from assay.study.store.votes import Ballot, record_undo, record_vote
from assay.study.study_records import TOOLS, Editor, Item, Slot, Tool
from tests.study.harness import make_study
from tests.study.judged import closed_after, prefers, run_assay

HERE = Path(__file__).parent
CHOICES = ("left", "right", "tie", "both_bad", "abstain")


def sdk(name: str, *words: str | Path, choices: str = "") -> str:
    """One of the SDK scripts, in a process of its own (the SDKs warn)."""
    module = {"labelstudio": "label_studio_sdk", "argilla": "argilla"}[name]
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed (make test installs it): the tool's own SDK did not check this")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(HERE / f"sdk_{name}.py"), *map(str, words)],
        capture_output=True, text=True, env={**os.environ, "CHOICES": choices}, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def plan(place: str) -> dict[str, tuple[Slot, Item]]:
    with closing(open_database(place)) as database, database.begin() as connection:
        items = {item.id: item for item in items_of(connection)}
        return {slot.showing: (slot, items[slot.item]) for slot in slots_of(connection)}


def fill(path: Path, choice: Callable[[int], str], *, delimiter: str = ",", **more: str) -> Path:
    """A person in a spreadsheet."""
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
    for number, row in enumerate(rows):
        row |= {"choice": choice(number), **more}
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, rows[0], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(b"\xef\xbb\xbf" + table.getvalue().encode())
    return path


def test_every_tool_has_a_writer_and_a_reader() -> None:
    assert set(WRITERS) == set(READERS) == set(TOOLS)


@pytest.mark.parametrize("tool", TOOLS)
def test_tasks_are_blind_and_on_the_sealed_sides(tmp_path: Path, tool: Tool) -> None:
    place = str(tmp_path / "s.db")
    make_study(tmp_path, place, prompts=8, editors=[Editor(name="Anna"), Editor(name="Бела/..")], aspects=("helpful",))
    made = write_tasks(place, tmp_path / "out", tool=tool)  # type: ignore[arg-type]
    assert {name: count for name, (_, count) in made.sheets.items()} == {"Anna": 11, "Бела/..": 11}
    assert [file.split(".")[0] for file, _ in made.sheets.values()] == ["01-anna", "02"]
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    every = b"".join(path.read_bytes() for path in files)
    for told in (b"silent-fox", b"loud-owl", b"item-", b"attention", b"repeat", b"Anna", "Бела".encode(), b"good"):
        assert told not in every.replace(b"good answer", b"")
    shown = {task["showing"]: task for task in tasks_in(tmp_path / "out", tool)}
    assert shown.keys() == plan(place).keys()
    for showing, (slot, item) in plan(place).items():
        left, right = (item.answer_a, item.answer_b) if slot.left == "a" else (item.answer_b, item.answer_a)
        assert (shown[showing]["left"], shown[showing]["right"]) == (left, right)
        assert shown[showing]["prompt"] == item.prompt
    first = [task["showing"] for task in tasks_in(tmp_path / "out", tool)][:11]
    assert first == [slot.showing for slot, _ in plan(place).values()][:11]  # in the order of the plan


def tasks_in(folder: Path, tool: str) -> list[dict[str, Any]]:
    if tool == "labelstudio":
        return [task["data"] for path in sorted(folder.glob("*.json")) for task in json.loads(path.read_bytes())]
    if tool == "argilla":
        found = [r for path in sorted(folder.glob("*/records.json")) for r in json.loads(path.read_bytes())]
        return [{"showing": record["id"], **record["fields"]} for record in found]
    if tool == "jsonl":
        return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_bytes().splitlines()]
    tables_ = [path.read_bytes().decode("utf-8-sig") for path in sorted(folder.glob("*.csv"))]
    return [row for text in tables_ for row in csv.DictReader(io.StringIO(text, newline=""))]


def test_label_studio_there_and_back(tmp_path: Path) -> None:
    """Tasks its SDK takes, annotations its SDK makes, exports its SDK writes: full and short say the same."""
    place = str(tmp_path / "s.db")
    make_study(tmp_path, place, editors=1, aspects=("helpful",))
    made = write_tasks(place, tmp_path / "t", tool="labelstudio")
    assert made.extra == ("labeling.xml",)
    file, out = tmp_path / "t" / made.sheets["editor-1"][0], tmp_path / "a"
    sdk("labelstudio", "annotate", file, tmp_path / "t" / "labeling.xml", out, choices=",".join(CHOICES))
    files = (out / "full.json", out / "JSON" / "result.json", out / "JSON_MIN" / "result.json")
    said = [
        [replace(reply, where="") for reply in READERS["labelstudio"](path, aspects=("helpful",))] for path in files
    ]
    assert said[0] == said[1] == said[2]
    done = import_votes(place, files[:1], tool="labelstudio")
    assert (done.rows, done.recorded, done.rejected, dict(done.people)) == (11, 11, (), {"editor-1": "7"})
    again = import_votes(place, files[1:], tool="labelstudio")
    assert (again.rows, again.recorded, again.repeated) == (22, 0, 22)
    close_study(place)
    votes = read_closed(place).votes
    assert [vote.choice for vote in votes] == [CHOICES[n % 5] for n in range(1, 12)]
    assert {(vote.source, vote.ms, vote.ms_source) for vote in votes} == {("labelstudio", 2500, "tool")}
    assert [vote.comment for vote in votes if vote.choice == "left"] == ["ça va"] * 2
    assert {tuple(vote.ratings.items()) for vote in votes if vote.choice == "left"} == {(("helpful", "right"),)}


def test_label_studio_rows_that_are_no_votes(tmp_path: Path) -> None:
    place = str(tmp_path / "s.db")
    make_study(tmp_path, place, editors=1)
    write_tasks(place, tmp_path / "t", tool="labelstudio")
    sdk("labelstudio", "annotate", tmp_path / "t" / "01-editor-1.json", tmp_path / "t" / "labeling.xml", tmp_path / "a",
        choices="left,none,cancel,two,open")  # fmt: skip
    done = import_votes(place, [tmp_path / "a" / "full.json"], tool="labelstudio")
    assert done.rows == 11 == done.recorded + done.repeated + len(done.rejected)
    reasons = Counter(one.reason for one in done.rejected)
    assert reasons == {"no_choice": 3, "skipped": 2, "contradiction": 2, "not_judged": 2}
    assert set(reasons) <= REASONS.keys()
    assert done.rejected[0].where.endswith("full.json: task 1, annotation 1001")


def test_argilla_there_and_back(tmp_path: Path) -> None:
    place = str(tmp_path / "s.db")
    make_study(tmp_path, place, editors=1, aspects=("helpful",))
    write_tasks(place, tmp_path / "t", tool="argilla")
    sdk("argilla", "annotate", tmp_path / "t" / "01-editor-1", tmp_path / "a", choices=",".join(CHOICES))
    with pytest.raises(InputError, match=r"without the status of its responses. Export the records flat"):
        import_votes(place, [tmp_path / "a" / "nested.json"], tool="argilla")
    done = import_votes(place, [tmp_path / "a" / "flat.json"], tool="argilla")
    assert (done.rows, done.recorded, done.rejected) == (11, 11, ())
    close_study(place)
    votes = read_closed(place).votes
    assert [vote.choice for vote in votes] == [CHOICES[n % 5] for n in range(1, 12)]
    assert {(vote.source, vote.ms) for vote in votes} == {("argilla", None)}
    assert [vote.comment for vote in votes if vote.choice == "right"] == ["ça va"] * 3


def test_argilla_rows_that_are_no_votes(tmp_path: Path) -> None:
    place = str(tmp_path / "s.db")
    make_study(tmp_path, place, editors=1)
    write_tasks(place, tmp_path / "t", tool="argilla")
    sdk(
        "argilla", "annotate", tmp_path / "t" / "01-editor-1", tmp_path / "a", choices="left,draft,discarded,open,other"
    )
    done = import_votes(place, [tmp_path / "a" / "flat.json"], tool="argilla")
    assert done.rows == 11 == done.recorded + len(done.rejected)
    reasons = Counter(one.reason for one in done.rejected)
    # "left" and "other" are two people, two showings each: the first to have judged most is the editor.
    assert reasons == {"draft": 3, "discarded": 2, "not_judged": 2, "other_person": 2}


def test_annotated_exports_are_what_the_tools_and_check_read(tmp_path: Path) -> None:
    place = str(tmp_path / "s.db")
    make_study(tmp_path, place, prompts=9, editors=3, aspects=("helpful",))
    closed = closed_after(place, lambda slot, item: "tie" if item.id == "item-1" else prefers("a")(slot, item))
    tools = {"labelstudio": ("annotated.json", "label_studio"), "argilla": ("flat.json", "argilla")}
    for tool, (file, layout) in tools.items():
        out = tmp_path / tool
        made = write_annotated(closed, out, format=tool)  # type: ignore[arg-type]
        assert (made.items, made.votes) == (9, 27)
        told = sdk(tool, "check", *([out / file, out / "labeling.xml"] if tool == "labelstudio" else [out]))
        assert int(told) == 27
        every = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
        assert b"good" not in every  # attention items stay out
        report = json.loads(run_assay("check", out / file, "--out", tmp_path / "c", "--json", cwd=tmp_path))
        body = json.loads((tmp_path / "c" / "contract.json").read_bytes())
        assert report
        assert (body["rows"], body["kept"]) == (9, 8)
        assert {reason: count for reason, count in body["rejects"].items() if count} == {"tie": 1}
        assert body["layout"]["name"] == layout
        assert body["agreement"]["unanimous_share"] == 1.0  # votes of both sides were turned the right way


@pytest.mark.parametrize("tool", ["csv", "jsonl"])
def test_a_person_fills_in_a_table(tmp_path: Path, place: str, tool: str) -> None:
    make_study(tmp_path, place, editors=2, aspects=("helpful",))
    write_tasks(place, tmp_path / "t", tool=tool, editors=["editor-2"])  # type: ignore[arg-type]
    assert [path.stem for path in (tmp_path / "t").iterdir()] == ["02-editor-2"]
    words = ("left", " Right ", "TIE", "both bad", "Both-Bad", "abstain", "", "better", "left", "right", "tie")
    path = tmp_path / "t" / f"02-editor-2.{tool}"
    if tool == "csv":
        fill(path, words.__getitem__, delimiter=";", comment="'tis =1", **{"aspect helpful": "Left"})
    else:
        rows = [json.loads(line) for line in path.read_bytes().splitlines()]
        more = {"comment": "'tis =1", "ratings": {"helpful": "left", "other": "left"}}
        lines = [json.dumps({**row, "choice": words[n], **more}) for n, row in enumerate(rows)]
        path.write_text("\n".join(lines))
    done = import_votes(place, [path], tool=tool)  # type: ignore[arg-type]
    assert (done.rows, done.recorded, done.repeated) == (11, 9, 0)
    assert [(one.reason, one.where.split("2-editor-2")[1]) for one in done.rejected] == (
        [("not_judged", ".csv: row 7"), ("unknown_choice", ".csv: row 8")]
        if tool == "csv"
        else [("not_judged", ".jsonl:7"), ("unknown_choice", ".jsonl:8")]
    )
    again = import_votes(place, [path], tool=tool)  # type: ignore[arg-type]
    assert (again.rows, again.recorded, again.repeated, len(again.rejected)) == (11, 0, 9, 2)
    assert verify(place) == []
    close_study(place)
    votes = read_closed(place).votes
    expected = ["left", "right", "tie", "both_bad", "both_bad", "abstain", "left", "right", "tie"]
    assert [vote.choice for vote in votes] == expected
    assert {(vote.editor, vote.source, vote.comment) for vote in votes} == {("editor-2", tool, "'tis =1")}
    assert {tuple(vote.ratings.items()) for vote in votes} == {(("helpful", "left"),)}
    with closing(open_database(place)) as database, database.begin() as connection:
        log = connection.execute(select(tables.log.c.action, tables.log.c.detail)).all()
    assert [row.action for row in log if row.action in ("tasks_written", "imported")] == [
        "tasks_written", "imported", "imported",
    ]  # fmt: skip
    assert "9 recorded, 0 repeated, 2 rejected" in next(row.detail for row in log if row.action == "imported")


@pytest.mark.parametrize("tool", TOOLS)
def test_a_judge_of_one_mind_is_the_same_everywhere(tmp_path: Path, tool: Tool) -> None:
    """Parity: whoever prefers one system on our page prefers it in every tool, whichever side it stood on."""
    place = str(tmp_path / "s.db")
    make_study(tmp_path, place, editors=3, repeats=0, attention=0)
    write_tasks(place, tmp_path / "t", tool=tool)
    words = {showing: "left" if slot.left == "b" else "right" for showing, (slot, _) in plan(place).items()}
    assert set(words.values()) == {"left", "right"}
    files = []
    for number, path in enumerate(sorted((tmp_path / "t").iterdir()), start=1):
        if path.suffix == ".xml":
            continue
        file = tmp_path / f"{number}{path.suffix}"
        files.append(file)
        if tool == "csv":
            rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
            file.write_bytes(path.read_bytes())
            fill(file, lambda n, rows=rows: words[rows[n]["showing"]])  # type: ignore[misc]
        elif tool == "jsonl":
            found = [json.loads(line) for line in path.read_bytes().splitlines()]
            file.write_text("\n".join(json.dumps({**row, "choice": words[row["showing"]]}) for row in found))
        elif tool == "argilla":
            flat = [
                {"id": row["id"], **row["fields"], **row["metadata"], "preference.responses": [words[row["id"]]],
                 "preference.responses.users": [f"u{number}"], "preference.responses.status": ["submitted"]}
                for row in json.loads((path / "records.json").read_bytes())
            ]  # fmt: skip
            file.write_text(json.dumps(flat))
        else:
            tasks = [
                {**task, "annotations": [{"completed_by": number, "result": [
                    {"from_name": "comparison", "value": {"selected": words[task["data"]["showing"]]}}]}]}
                for task in json.loads(path.read_bytes())
            ]  # fmt: skip
            file.write_text(json.dumps(tasks))
    done = import_votes(place, files, tool=tool)
    assert (done.rows, done.recorded) == (24, 24), done.rejected
    close_study(place)
    closed = read_closed(place)
    assert {vote.preferred(closed.items[vote.item]) for vote in closed.votes} == {"b"}
    systems = {vote.left_system if vote.choice == "left" else vote.right_system for vote in closed.votes}
    assert systems == {"loud-owl-7b"}


def test_what_was_judged_on_the_page_stays(tmp_path: Path) -> None:
    """A showing judged meanwhile keeps its first vote; one undone is open again; a changed text is no vote."""
    place = str(tmp_path / "s.db")
    make_study(tmp_path, place, editors=1)
    write_tasks(place, tmp_path / "t", tool="csv")
    slots = [slot for slot, _ in plan(place).values()]
    with closing(open_database(place)) as database, database.begin() as connection:
        for slot in slots[:3]:
            record_vote(
                connection, editor_id=1, ballot=Ballot(showing=slot.showing, round=0, choice="tie"), at=time.time()
            )
        record_undo(connection, editor_id=1, showing=slots[2].showing, round_=0, at=time.time())
    write_tasks(place, tmp_path / "later", tool="csv")
    assert len(tasks_in(tmp_path / "later", "csv")) == 9
    path = fill(tmp_path / "t" / "01-editor-1.csv", lambda n: "tie" if n == 0 else "left")
    text = path.read_bytes()
    path.write_bytes(text.replace(b"in bed", b"in sea", 7).replace(b"Please answer ", b"Please  answer "))
    done = import_votes(place, [path], tool="csv")
    assert [one.reason for one in done.rejected].count("changed_text") == 4  # seven answers lie in four rows
    path.write_bytes(text)
    done = import_votes(place, [path], tool="csv")
    assert done.repeated == 1 + 7
    assert [(one.reason, one.showing) for one in done.rejected] == [("differs", slots[1].showing)]
    close_study(place)
    votes = read_closed(place).votes
    assert [vote.choice for vote in votes[:4]] == ["tie", "tie", "left", "left"]
    assert (votes[2].undone, votes[2].source, votes[1].source) == (1, "csv", "page")


def test_one_editor_is_one_person(tmp_path: Path) -> None:
    place = str(tmp_path / "s.db")
    make_study(tmp_path, place, editors=2)
    write_tasks(place, tmp_path / "t", tool="jsonl")
    for name, people in (("01-editor-1", "xxxxxxxyyxx"), ("02-editor-2", "xxzzzzzzzzz")):
        path = tmp_path / "t" / f"{name}.jsonl"
        rows = [json.loads(line) for line in path.read_bytes().splitlines()]
        path.write_text("\n".join(json.dumps({**r, "choice": "left", "person": p}) for r, p in zip(rows, people)))  # noqa: B905
    done = import_votes(place, sorted((tmp_path / "t").iterdir()), tool="jsonl")
    assert dict(done.people) == {"editor-1": "x", "editor-2": "z"}
    assert Counter(one.reason for one in done.rejected) == {"other_person": 4}
    assert done.recorded == 18


WRONG = {
    "another study": (lambda row: {**row, "study": "other"}, 'belongs to study "other"'),
    "an unknown showing": (lambda row: {**row, "showing": "00"}, 'showing "00" is not of this study'),
    "no showing": (lambda row: {k: v for k, v in row.items() if k != "showing"}, "does not say which showing"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_foreign_file_changes_nothing(tmp_path: Path, name: str) -> None:
    place = str(tmp_path / "s.db")
    make_study(tmp_path, place, editors=1)
    write_tasks(place, tmp_path / "t", tool="jsonl")
    path = tmp_path / "t" / "01-editor-1.jsonl"
    rows = [{**json.loads(line), "choice": "left"} for line in path.read_bytes().splitlines()]
    spoil, message = WRONG[name]
    path.write_text("\n".join(map(json.dumps, [*rows[:-1], spoil(rows[-1])])))
    with pytest.raises(StudyError, match=message):
        import_votes(place, [path], tool="jsonl")
    close_study(place)
    assert read_closed(place).votes == ()


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("raw", [b"", b"[]", b"[1]", b'[{"a"', b"\xff\xfe\x00", None])
def test_files_that_are_none(tmp_path: Path, tool: Tool, raw: bytes | None) -> None:
    if raw is not None:
        (tmp_path / "f").write_bytes(raw)
    with pytest.raises(InputError, match="cannot be read" if raw is None else "f(:| is UTF-16)"):
        list(READERS[tool](tmp_path / "f", aspects=()))


def test_when_it_cannot_be(tmp_path: Path) -> None:
    place = str(tmp_path / "s.db")
    make_study(tmp_path, place, editors=1)
    with pytest.raises(StudyError, match='No editor is called "Eve"'):
        write_tasks(place, tmp_path / "t", tool="csv", editors=["Eve"])
    assert not (tmp_path / "t").exists()
    write_tasks(place, tmp_path / "t", tool="csv")
    path = fill(tmp_path / "t" / "01-editor-1.csv", lambda _: "left")
    lock = ServerLock(place)
    lock.take()
    with pytest.raises(StudyError, match="another server serves this study"):
        import_votes(place, [path], tool="csv")
    lock.release()
    assert import_votes(place, [path], tool="csv").recorded == 11
    with pytest.raises(StudyError, match="nothing left to judge for editor-1"):
        write_tasks(place, tmp_path / "u", tool="csv")
    close_study(place)
    with pytest.raises(StudyError, match="closed, and no vote comes after"):
        import_votes(place, [path], tool="csv")
    with pytest.raises(StudyError, match="closed, and no vote comes after"):
        write_tasks(place, tmp_path / "u", tool="csv")
    assert not (tmp_path / "u").exists()


def test_an_imported_vote_is_in_the_chain(tmp_path: Path) -> None:
    place = str(tmp_path / "s.db")
    make_study(tmp_path, place, editors=1)
    write_tasks(place, tmp_path / "t", tool="csv")
    import_votes(place, [fill(tmp_path / "t" / "01-editor-1.csv", lambda _: "left")], tool="csv")
    assert verify(place) == []
    with closing(open_database(place)) as database, database.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER assay_votes_no_update")
        connection.execute(update(tables.votes).where(tables.votes.c.seq == 3).values(source="page"))
    assert verify(place) == ["The audit trail of editor-1 breaks at act 3."]


def test_words_and_texts() -> None:
    assert [as_choice(word) for word in ("Left", "both bad ", "BOTH_BAD", "1", "", None, "leftish")] == [
        "left", "both_bad", "both_bad", None, None, None, None,
    ]  # fmt: skip
    turns = (Message(role="user", content="a"), Message(role="assistant", content="b\u202e"))
    assert prompt_text(turns) == f"User: a\n\nAssistant: b{REPLACED}"
    assert prompt_text(turns[:1]) == "a"
    assert file_name(3, "Zoë  Ångström/../x") == "03-zoe-angstrom-x"
    assert file_name(12, "Бела") == "12"
    item = Item(id="i", prompt_id="p", prompt="q", answer_a="A", answer_b="B\x00", system_a="s", system_b="t")
    slot = Slot(showing="f", editor="e", position=1, item="i", left="b", kind="real")
    task = task_of("study", slot, item)
    assert (task.left, task.right) == (f"B{REPLACED}", "A")


def test_by_command(tmp_path: Path) -> None:
    make_study(tmp_path, str(tmp_path / "study.db"), editors=2)
    told = json.loads(
        run_assay("study", "tasks", "study.db", "--for", "csv", "--out", "t", "--editor", "editor-1", "--json",
                  cwd=tmp_path)
    )  # fmt: skip
    assert (told["tasks"], told["editors"]) == (11, {"editor-1": {"file": "01-editor-1.csv", "tasks": 11}})
    fill(tmp_path / "t" / "01-editor-1.csv", lambda n: "left" if n else "x")
    words = ("study", "import", "study.db", "t/01-editor-1.csv", "--from", "csv")
    found = json.loads(run_assay(*words, "--rejects", "r.jsonl", "--json", cwd=tmp_path))
    assert (found["rows"], found["recorded"], found["reasons"]) == (11, 10, {"unknown_choice": 1})
    assert json.loads((tmp_path / "r.jsonl").read_bytes())["reason"] == "unknown_choice"
    again = run_assay(*words, cwd=tmp_path)
    assert again.startswith("11 rows: 0 votes recorded, 10 were there already, 1 rejected.\n")
    assert "row 1: unknown_choice" in again
    assert "not a JSON object" in run_assay(*words[:4], "--from", "labelstudio", cwd=tmp_path, code=2)
    run_assay("study", "close", "study.db", cwd=tmp_path)
    run_assay("study", "export", "study.db", "--format", "argilla", "--out", "a", cwd=tmp_path)
    sdk("argilla", "check", tmp_path / "a")
    for command in ("tasks", "import"):
        assert f"Example: assay study {command}" in run_assay("study", command, "--help", cwd=tmp_path)


def test_importing_a_sheet_asks_the_database_for_each_vote_once(tmp_path: Path) -> None:
    """A trail is folded once an editor. Folded once a row, 400 rows would read 80,000 acts."""
    place, prompts = str(tmp_path / "s.db"), 400
    make_study(tmp_path, place, prompts=prompts, editors=[Editor(name="Anna")])
    sheet = fill(tmp_path / write_folder(place, tmp_path), lambda _: "left")
    asked: Counter[str] = Counter()

    def count(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked["acts of an editor"] += "assay_votes.hash" in statement and statement.startswith("SELECT")
        asked["all"] += 1

    event.listen(Engine, "before_cursor_execute", count)
    try:
        found = import_votes(place, [sheet], tool="csv")
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    assert found.recorded == found.rows >= prompts
    assert asked["acts of an editor"] == 1
    assert asked["all"] <= 2 * found.rows + 30  # open still, and append; the rest reads the study


def write_folder(place: str, folder: Path) -> str:
    made = write_tasks(place, folder / "one", tool="csv")
    return f"one/{made.sheets['Anna'][0]}"
