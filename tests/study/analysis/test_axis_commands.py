"""`assay study pairs --by aspects` and `assay study next --study`, by command on a study in SQLite."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from assay.errors import StudyError
from assay.study.analysis.axis_pool import asked_parts
from assay.study.analysis.training_rows import aspect_rows, training_rows
from assay.study.store.closing import close_study
from assay.study.store.database import open_database
from assay.study.store.open_study import items_of, slots_of
from assay.study.store.votes import Ballot, record_vote
from assay.study.study_records import Rating
from tests.study.analysis.test_axis_standing import item, vote
from tests.study.judged import made_closed, run_assay

ASPECTS = "aspects=[helpful,harmless,honest]"
WORDS = ("roses", "beans", "tulips", "herbs", "apples", "leeks", "peas", "mint", "sage", "ferns", "moss", "pears")


def candidates(folder: Path, name: str, count: int, *, start: int = 0) -> list[dict[str, Any]]:
    rows = [
        {"id": f"c{n}", "prompt": f"{WORDS[n % 12]} {WORDS[(n * 5 + 3) % 12]} number {n} of {n * n}?",
         "answers": [f"yes {n}", f"no {n}"], "category": "even" if n % 2 == 0 else "odd"}
        for n in range(start, start + count)
    ]  # fmt: skip
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return rows


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def judged(folder: Path, *, proposals: str, place: str, ratings: Mapping[str, str]) -> None:
    """A closed study of proposals, every showing judged; ratings: by aspect, the answer (a, b) or tie."""
    asked = ("--pairs", proposals, "--out", place, "--editors", "2", "--set", ASPECTS, "--set", "repeats=1")
    run_assay("study", "create", *asked, cwd=folder)
    with closing(open_database(str(folder / place))) as database, database.begin() as connection:
        items = {one.id: one for one in items_of(connection)}
        editors: dict[str, int] = {}
        for slot in slots_of(connection):
            number = editors.setdefault(slot.editor, len(editors) + 1)
            sides: dict[str, Rating] = {"a": "left", "b": "right"} if slot.left == "a" else {"a": "right", "b": "left"}
            said = {name: sides.get(which, "tie") for name, which in ratings.items()}
            real = items[slot.item].kind == "real"
            ballot = Ballot(showing=slot.showing, round=0, choice="tie", ratings=said if real else {})
            assert record_vote(connection, editor_id=number, ballot=ballot, at=1.8e9) == "recorded"
    close_study(str(folder / place))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A first round: 40 prompts, 12 comparisons at random; helpful for answer a, harmless for b, honest never rated."""
    folder = tmp_path_factory.mktemp("round")
    candidates(folder, "pool.jsonl", 40)
    words = ("study", "next", "--pairs", "pool.jsonl", "--count", "12", "--random", "12", "--out", "first.jsonl")
    told = json.loads(run_assay(*words, "--seed", "3", "--json", cwd=folder))
    assert (told["proposed"], told["random"], told["axes"]) == (12, 12, {})
    judged(folder, proposals="first.jsonl", place="first.db", ratings={"helpful": "a", "harmless": "b"})
    return folder


def test_one_comparison_carries_several_outcomes_and_the_contract_reads_each(first: Path, tmp_path: Path) -> None:
    words = ("study", "pairs", "first.db", "--by", "aspects", "--proposals", "first.jsonl", "--out", "pairs.jsonl")
    told = json.loads(run_assay(*words, "--json", cwd=first))
    assert {name: one["rows"] for name, one in told["aspects"].items()} == {"helpful": 12, "harmless": 12, "honest": 0}
    assert told["aspects"]["honest"]["votes_left_out"]["not rated"] == 24
    assert "honest: nobody rated it, so there is no pair of it" in run_assay(*words, cwd=first)
    rows = rows_of(first / "pairs.jsonl")
    assert {row["objective"]: row["chosen"].split()[0] for row in rows} == {"helpful": "yes", "harmless": "no"}
    assert {row["agreement"] for row in rows} == {1.0}
    assert {(row["source"]["part"], row["source"].get("axis")) for row in rows} == {("random", None)}
    # Opposite labels of one pair of answers: no conflict, because they are by different objectives.
    heard = json.loads(run_assay("objectives", "pairs.jsonl", "--json", cwd=first))
    assert {one["name"]: one["kept"] for one in heard["objectives"]} == {"helpful": 12, "harmless": 12}
    assert heard["opposed"] == 12
    run_assay("check", "pairs.jsonl", "--objective", "helpful", "--out", tmp_path / "checked", cwd=first)
    report = json.loads((tmp_path / "checked" / "contract.json").read_bytes())
    assert (report["kept"], report["agreement"]["votes"], report["agreement"]["mean_majority_share"]) == (12, 24, 1.0)
    said = run_assay("check", "pairs.jsonl", "--objective", "honest", "--out", tmp_path / "none", cwd=first, code=2)
    assert "honest" in said


def test_the_next_round_asks_where_an_axis_is_open(first: Path) -> None:
    """Scores of two heads: on honest, the models of c0 to c7 are even; the random part is marked, the rest says why."""
    asked = ("study", "next", "--study", "first.db", "--pairs", "pool.jsonl", "--count", "12", "--random", "4")
    for axis in ("helpful", "harmless", "honest"):
        lines = [{"id": f"c{n}", "scores": [0.01 if axis == "honest" and n < 8 else 5.0, 0.0]} for n in range(40)]
        (first / f"{axis}.s").write_text("".join(json.dumps(line) + "\n" for line in lines))
    scores = [f"{axis}={axis}.s" for axis in ("helpful", "harmless", "honest")]
    told = json.loads(run_assay(*asked, *scores, "--out", "next.jsonl", "--json", cwd=first))
    assert (told["judged_already"], told["pool"]) == (12, 28)
    assert told["axes"]["honest"][0]["reasons"] == ["nobody voted on it"]
    assert told["axes"]["helpful"][0]["reasons"] == ["12 of 12 comparisons have a majority, fewer than 30"]
    rows = rows_of(first / "next.jsonl")
    parts = Counter((row["part"], row.get("axis")) for row in rows)
    assert parts[("random", None)] == 4
    assert sum(parts[("chosen", axis)] for axis in told["axes"]) == 8
    before = {row["prompt"] for row in rows_of(first / "first.jsonl")}
    assert not before & {row["prompt"] for row in rows}
    even = {f"c{n}/0-1" for n in range(8)}
    random = {row["id"] for row in rows if row["part"] == "random"}
    honest = [row for row in rows if row.get("axis") == "honest"]
    assert len({row["id"] for row in honest} & even) == min(len(honest), len(even - random - _judged(first)))
    assert all(row["reason"].startswith("for honest, undecided: nobody voted on it; ") for row in honest)
    again = json.loads(run_assay(*asked, *scores, "--out", "again.jsonl", "--json", cwd=first))
    assert (first / "again.jsonl").read_bytes() == (first / "next.jsonl").read_bytes()
    assert again["chosen"] == told["chosen"]
    enough = ("--set", "axes.least=12", "--set", "axes.least_in_category=1", "--set", "axes.level=0.9", "--json")
    told = json.loads(run_assay(*asked, *scores, "--out", "again.jsonl", *enough, cwd=first))
    assert {axis: parts[0]["outcome"] for axis, parts in told["axes"].items()} == {
        "helpful": "decided", "harmless": "decided", "honest": "undecided",
    }  # fmt: skip
    assert told["chosen"] == {"helpful": 0, "harmless": 0, "honest": 8}
    lines = run_assay(*asked, *scores, "--out", "again.jsonl", cwd=first)
    assert "12 of 28 comparisons in again.jsonl: 4 at random, for estimates; 8 chosen, to train on" in lines


def test_a_category_nobody_voted_in_gets_its_share(first: Path) -> None:
    rows = candidates(first, "wider.jsonl", 40)
    more = [
        {**row, "id": f"n{k}", "prompt": f"{WORDS[k]} and {WORDS[k + 5]}: new {k * 7}?", "category": "new"}
        for k, row in enumerate(rows[:6])
    ]
    (first / "wider.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows, *more]))
    asked = ("study", "next", "--study", "first.db", "--pairs", "wider.jsonl", "--count", "12", "--random", "0")
    told = json.loads(run_assay(*asked, "--objective", "helpful", "--out", "wider.out", "--json", cwd=first))
    (new,) = (one for one in told["axes"]["helpful"] if one["category"] == "new")
    assert (new["comparisons"], new["outcome"], new["reasons"]) == (0, "undecided", ["nobody voted on it"])
    # Six go by undecided categories: even and odd by 7/8 or so each, where one is not decided, and new by one half.
    why = [row for row in rows_of(first / "wider.out") if "category new is undecided: nobody" in row["reason"]]
    assert len(why) in (2, 3)


def _judged(folder: Path) -> set[str]:
    return {row["id"] for row in rows_of(folder / "first.jsonl")}


def test_parts_stay_apart_on_the_way_back(first: Path) -> None:
    asked = ("study", "next", "--study", "first.db", "--pairs", "pool.jsonl", "--count", "10", "--seed", "5")
    run_assay(*asked, "--out", "second.jsonl", cwd=first)
    judged(first, proposals="second.jsonl", place="second.db", ratings={"helpful": "b", "honest": "a"})
    rows = {}
    for part in ("random", "chosen"):
        out = f"{part}.jsonl"
        words = ("study", "pairs", "second.db", "--by", "aspects", "--proposals", "second.jsonl", "--part", part)
        told = json.loads(run_assay(*words, "--out", out, "--json", cwd=first))
        rows[part] = rows_of(first / out)
        # Of its five comparisons, two editors each: what the other part has is no part of these counts.
        assert told["aspects"]["harmless"]["items_without_votes"] == 5
        assert told["aspects"]["harmless"]["votes_left_out"]["not rated"] == 10
        assert 10 <= told["votes"] <= 12  # a repeat an editor
    assert {len({row["prompt"] for row in some}) for some in rows.values()} == {5}
    assert not {row["prompt"] for row in rows["random"]} & {row["prompt"] for row in rows["chosen"]}
    assert {row["source"]["axis"] for row in rows["chosen"]} <= {"helpful", "harmless", "honest"}
    # Of several studies each comparison is known: 22 of 40 prompts are judged now.
    told = json.loads(run_assay(*asked, "--study", "second.db", "--out", "third.jsonl", "--json", cwd=first))
    assert (told["judged_already"], told["pool"]) == (22, 18)
    said = run_assay("study", "pairs", "second.db", "--proposals", "first.jsonl", "--out", "x", cwd=first, code=2)
    assert "10 of 10 comparisons of study" in said
    assert "Give the file it was made of" in said


def test_a_study_asked_again(first: Path) -> None:
    """Without --pairs its own comparisons come back, systems and all, for a study of more votes."""
    told = json.loads(run_assay("study", "next", "--study", "first.db", "--count", "6", "--random", "0", "--out",
                                "more.jsonl", "--json", cwd=first))  # fmt: skip
    assert (told["pool"], told["proposed"], sum(told["chosen"].values())) == (12, 6, 6)
    made = json.loads(run_assay("study", "create", "--pairs", "more.jsonl", "--out", "more.db", "--editors", "1",
                                "--set", ASPECTS, "--json", cwd=first))  # fmt: skip
    assert made["prompts"] == 6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--study first.db --count 4 --random 5 --out x", "--random 5: more than --count 4"),
        (
            "--study first.db --objective polite --out x",
            "--objective polite: no study asked people of it. Their aspects",
        ),
        ("--study first.db polite=pool.jsonl --pairs pool.jsonl --out x", "'polite' is no axis here"),
        ("--study first.db helpful=none.s --pairs pool.jsonl --out x", "assay score RUN@helpful FILE"),
        ("--study first.db helpful=pool.jsonl --pairs pool.jsonl --out x", "no row of scores"),
        ("helpful=pool.jsonl --out x", "scores of what?"),
        ("--pairs pool.jsonl --count 4 --random 3 --out x", "Nothing says where to ask"),
        ("--random 50 --out x", "Nothing to ask about"),
        ("--pairs pool.jsonl --out x", "Give SCORES or a RUN with --pairs"),
        ("--study first.db --run runs/a --out x", "--run counts where models are asked as a whole"),
        ("--study first.db --judges llm --judges me --out x", "--judges me: no such judges"),
        ("pool.jsonl --pairs pool.jsonl --judges llm --out x", "give it with --study STUDY"),
        ("--study first.db --pairs old.jsonl --out x", "of 12 comparisons 12 are judged already and 0 have no score"),
    ],
)
def test_what_does_not_fit_is_told(first: Path, words: str, said: str) -> None:
    prompts = {row["prompt"] for row in rows_of(first / "first.jsonl")}
    old = [row for row in rows_of(first / "pool.jsonl") if row["prompt"] in prompts]
    (first / "old.jsonl").write_text("".join(json.dumps(row) + "\n" for row in old))
    assert said in " ".join(run_assay("study", "next", *words.split(), cwd=first, code=2).split())
    assert not (first / "x").exists()


def test_pairs_that_cannot_be_had_are_told(first: Path) -> None:
    said = run_assay("study", "pairs", "first.db", "--part", "random", "--out", "x", cwd=first, code=2)
    assert "give it with --proposals FILE" in said
    said = run_assay(
        "study", "pairs", "first.db", "--by", "aspects", "--judges", "llm", "--out", "x", cwd=first, code=2
    )
    assert "votes rates an aspect (helpful, harmless, honest)" in said
    run_assay("study", "create", "--pairs", "first.jsonl", "--out", "plain.db", "--editors", "1", cwd=first)
    close_study(str(first / "plain.db"))
    for command in (["pairs", "plain.db", "--by", "aspects"], ["next", "--study", "plain.db"]):
        assert "asked for no aspects" in run_assay("study", *command, "--out", "x", cwd=first, code=2)
    assert not (first / "x").exists()


def test_a_comparison_that_a_file_gives_two_reasons_for_is_refused_by_both_lines(tmp_path: Path) -> None:
    closed = made_closed([item(1)], [vote(item(1), "left")])
    row = {"prompt": item(1).prompt, "answer_a": item(1).answer_a, "answer_b": item(1).answer_b}
    told = [{**row, "part": "random"}, {**row, "part": "random"}, {**row, "part": "chosen", "axis": "honest"}]
    file = tmp_path / "both.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in told[:2]))
    assert asked_parts(closed, file) == {"i1": ("random", None)}
    file.write_text("".join(json.dumps(one) + "\n" for one in told))
    said = "both.jsonl:3: the comparison of .*both.jsonl:1 once more, there for part random, here for part chosen and "
    with pytest.raises(StudyError, match=said + "axis honest"):
        asked_parts(closed, file)


def test_a_vote_on_a_comparison_that_is_not_in_the_study() -> None:
    closed = made_closed([item(1)], [vote(item(1), "left"), vote(item(2), "left")])
    with pytest.raises(StudyError, match="1 votes are on comparisons that are not in it, the first by Anna on 'i2'"):
        training_rows(closed)
    with pytest.raises(StudyError, match="asked for no aspects"):
        aspect_rows(closed)
