"""Which files of a folder are questions and which are solved, whatever the layout; subjects, limits, refusals."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assay.errors import InputError
from assay.questions.question_sets import question_set
from tests.questions.written import examples
from tests.support.real_data import real


def flat(root: Path) -> Path:
    test, dev = examples(root)
    (root / "flat").mkdir()
    for place in (*test.iterdir(), *dev.iterdir()):
        shutil.copyfile(place, root / "flat" / place.name)
    (root / "flat" / "anatomy_val.csv").write_text("Asked twice?,1,2,3,4,A\n")
    return root / "flat"


def test_folders_nested_and_flat_hold_the_same_questions(tmp_path: Path) -> None:
    (tmp_path / "mmlu" / "data").mkdir(parents=True)
    examples(tmp_path / "mmlu" / "data")
    (tmp_path / "other").mkdir()
    sets = [
        question_set(tmp_path / "mmlu", shots=2),
        question_set(tmp_path / "mmlu" / "data", shots=2),
        question_set(flat(tmp_path / "other"), shots=2),
        question_set(tmp_path / "mmlu" / "data" / "test", shots=2, shots_from=tmp_path / "mmlu" / "data" / "dev"),
    ]
    headers = [[(question.id, question.header) for question in one.task("letter").items()] for one in sets]
    assert headers[0] == headers[1] == headers[2] == headers[3]
    assert [name for name, _ in headers[0]] == [
        "anatomy_test:1", "anatomy_test:2", "high_school_biology_test:2", "high_school_biology_test:3",
    ]  # fmt: skip


def test_subjects_limits_and_shots(tmp_path: Path) -> None:
    examples(tmp_path)
    found = question_set(tmp_path, shots=1, subjects=("high school biology",), limit=1)
    assert [row.id for row in found.rows] == ["high_school_biology_test:2"]
    assert found.task("letter").items()[0].header.count("Answer:") == 1
    none = question_set(tmp_path)
    assert none.solved is None
    assert "Answer:" not in none.task("letter").items()[0].header


def test_hashes_change_with_the_files(tmp_path: Path) -> None:
    test, _ = examples(tmp_path)
    before = question_set(tmp_path).inputs
    (test / "anatomy_test.csv").write_text("Where is the hand?,Head,Hand,Chest,Foot,C\n")
    after = question_set(tmp_path).inputs
    assert before.keys() == after.keys() == {str(test)}
    assert before != after


@pytest.mark.parametrize(
    ("path", "more", "said"),
    [
        ("missing", {}, "no such file or folder"),
        ("test", {"shots": 1}, "no solved questions stand beside it"),
        (".", {"limit": 0}, "a limit of 1 or more"),
        (".", {"subjects": ("biology",)}, r"no subject is called 'biology'\. There are 2"),
    ],
)
def test_refusals(tmp_path: Path, path: str, more: dict[str, object], said: str) -> None:
    examples(tmp_path)
    with pytest.raises(InputError, match=said):
        question_set(tmp_path / path, **more)  # type: ignore[arg-type]


def test_a_subject_without_solved_rows_is_named(tmp_path: Path) -> None:
    _, dev = examples(tmp_path)
    (dev / "anatomy_dev.csv").unlink()
    with pytest.raises(InputError, match="has 0 solved examples of anatomy; 2 are asked for"):
        question_set(tmp_path, shots=2).task("letter")


def test_all_of_mmlu() -> None:
    found = question_set(real("mmlu"), shots=5)
    assert (len(found.rows), len({row.subject for row in found.rows})) == (14_042, 57)
    assert len(found.task("letter").items()) == 14_042
