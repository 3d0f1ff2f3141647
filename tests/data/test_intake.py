"""`check` streams and `read_pairs` keeps, and both say the same; the artifacts hold what they promise."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import orjson
import pytest

from assay.artifacts.contract_body import ContractBody
from assay.artifacts.files import read_json, sha256_file
from assay.data import check, read_pairs
from assay.data.config import DataConfig
from assay.data.contract_pass import wanted_outcomes
from assay.errors import InputError


def rows(seed: int = 0, number: int = 300) -> list[bytes]:
    """Lines with every defect the contract knows, planted."""
    rng = random.Random(seed)
    out: list[bytes] = []
    for place in range(number):
        row: dict[str, Any] = {
            "id": f"p{place}", "prompt": f"question {place // 2} about item {rng.random()}", "chosen": f"good {place}",
            "rejected": f"bad {place}", "category": rng.choice(["help", "tone"]), "votes": ["chosen", "chosen", "tie"],
        }  # fmt: skip
        defect = place % 20
        if defect == 1:
            row = orjson.loads(out[-1]) | {"id": "again"}
        elif defect == 3:
            before = orjson.loads(out[-1])
            row = before | {"id": "turned", "chosen": before["rejected"], "rejected": before["chosen"]}
        row |= {5: {"chosen": ""}, 7: {"prompt": 3}, 9: {"rejected": row["chosen"]}, 11: {"votes": ["tie"]}}.get(
            defect, {}
        )
        out.append(orjson.dumps(row)[: -5 if defect == 13 else None])
    return out


def write(folder: Path, lines: list[bytes]) -> Path:
    path = folder / "pairs.jsonl"
    path.write_bytes(b"\n".join(lines))
    return path


def without_times(report: ContractBody) -> ContractBody:
    return report.model_copy(update={"seconds": {}})


def test_streamed_and_in_memory_are_one_contract(tmp_path: Path) -> None:
    path = write(tmp_path, rows())
    kept, streamed = read_pairs(path), check(path, tmp_path / "out")
    assert without_times(kept.report) == without_times(streamed.report)
    assert read_json(tmp_path / "out" / "contract.json", "contract/1")["rejects"] == streamed.rejects
    written = [orjson.loads(line) for line in (tmp_path / "out" / "rejects.jsonl").read_bytes().splitlines()]
    assert [(w["where"]["line"], w["reason"], w["detail"]) for w in written] == [
        (r.where.line, r.reason, r.detail) for r in kept.rejects
    ]


def test_what_was_planted_is_counted_by_hand(tmp_path: Path) -> None:
    report = check(write(tmp_path, rows()), None)
    # 300 rows are 15 rounds of 20, each with one of seven defects; a conflict takes both its rows
    assert {reason: count for reason, count in report.rejects.items() if count} == {
        "tie": 15, "identical_candidates": 15, "empty_candidate": 15, "not_text": 15,
        "bad_json": 15, "duplicate": 15, "conflicting_labels": 30,
    }  # fmt: skip
    assert (report.rows, report.kept, report.folder) == (300, 300 - 120, None)


def test_counts_are_the_same_for_any_order_of_rows(tmp_path: Path) -> None:
    lines = rows()
    first = check(write(tmp_path, lines), None).report
    random.Random(1).shuffle(lines)
    second = check(write(tmp_path, lines), None).report
    for part in ("rows", "kept", "rejects", "by_category", "agreement", "lengths"):
        assert getattr(first, part) == getattr(second, part)
    assert first.overlap.groups == second.overlap.groups


def test_contract_json_says_what_was_read_and_how(tmp_path: Path) -> None:
    path = write(tmp_path, rows())
    report = check(path, tmp_path, config=DataConfig(min_agreement=0.5)).report
    assert report.inputs == {str(path): sha256_file(path)}
    assert report.layout.name == "native"
    assert report.config["min_agreement"] == 0.5
    assert set(report.seconds) == {"read", "repeats", "near_duplicates", "hashes"}
    lengths = report.lengths
    assert (lengths.unit, lengths.chosen.min) == ("characters", len("good 0"))


def test_the_longer_answer_by_hand() -> None:
    answers = [("long answer", "short"), ("tiny", "much longer"), ("longer one", "x"), ("same", "size")]
    pairs = [{"prompt": f"Q{n}", "chosen": good, "rejected": bad} for n, (good, bad) in enumerate(answers)]
    lengths = check(pairs, None).report.lengths
    assert lengths.longer_is_chosen_share == pytest.approx(2 / 3)
    assert lengths.same_length == 1


def test_nothing_usable_is_said_not_invented(tmp_path: Path) -> None:
    report = check(write(tmp_path, [b"{", b"["]), tmp_path).report
    assert (report.rows, report.kept, report.lengths, report.agreement) == (2, 0, None, None)
    assert "No row became a pair" in report.warnings[0]
    assert report.overlap.largest_group is None


def test_many_rejects_are_a_warning() -> None:
    good = [{"prompt": f"Q{n}", "chosen": "x", "rejected": "y"} for n in range(7)]
    assert "30% of the rows" in check([*good, *[{"prompt": "Q"}] * 3], None).report.warnings[0]
    assert check(good, None).report.warnings == []


def test_data_that_change_while_they_are_read_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, rows())

    def tamper(*args: Any) -> Any:
        write(tmp_path, rows(seed=9)[::-1])
        return wanted_outcomes(*args)

    monkeypatch.setattr("assay.data.intake.wanted_outcomes", tamper)
    with pytest.raises(InputError, match="changed while"):
        check(path, tmp_path / "out")
    assert not (tmp_path / "out" / "contract.json").exists()
    assert not (tmp_path / "out" / "rejects.jsonl").exists()


def test_progress_is_told() -> None:
    told: list[int] = []
    check([{"prompt": f"Q{n}", "chosen": "x", "rejected": "y"} for n in range(11_000)], None, progress=told.append)
    assert told == [5000, 10_000]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_texts(tmp_path: Path) -> None:
    """Ten times the text a row: the peak of what Python holds stays nearly the same."""
    import tracemalloc

    peaks = []
    for size in (200, 2000):
        path = tmp_path / f"{size}.jsonl"
        with path.open("wb") as stream:
            for number in range(20_000):
                text = f"{number} " + "word " * (size // 5)
                stream.write(
                    orjson.dumps({"prompt": f"Q{number // 4}", "chosen": text, "rejected": text + "!"}) + b"\n"
                )
        tracemalloc.start()
        check(path, tmp_path / "out")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]
