"""Files of candidates: read as pairs are read, refused by line, and never taken for pairs."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest

from assay.data import read_pairs
from assay.data.candidate_files import holds_candidates, read_candidates
from assay.errors import InputError
from assay.records import Comparison, Message


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", "not a JSON object"),
        ("[1]", "holds a list"),
        ('{"answers": ["a"]}', '"prompt" is missing'),
        ('{"prompt": " ", "answers": ["a"]}', "the prompt is empty"),
        ('{"prompt": "p", "answers": []}', '"answers" is missing, empty'),
        ('{"prompt": "p", "answers": "a"}', '"answers" is missing, empty'),
        ('{"prompt": 3, "answers": ["a"]}', '"prompt" is a number'),
        ('{"prompt": "p", "answers": ["a", " "]}', r'"answers\[1\]" is empty'),
        ('{"prompt": "p", "answers": ["a", null]}', r'"answers\[1\]" is missing'),
        ('{"prompt": [{"role": "user"}], "answers": ["a"]}', "without a role or a text"),
        ('{"prompt": "p", "answers": [[{"role": "assistant", "content": "", "tool_calls": [1]}]]}', "tool_calls"),
        ('{"prompt": "p", "prompt": "q", "answers": ["a"]}', "occurs twice"),
    ],
)
def test_bad_candidates_are_named_by_line(tmp_path: Path, row: str, message: str) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"prompt": "p", "answers": ["a"]}\n' + row + "\n")
    with pytest.raises(InputError, match=rf"c\.jsonl:2: .*{message}"):
        list(read_candidates(path))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"system": "Be rude."}, "a system text"),
        ({"tools": [{"name": "search"}]}, "tools"),
        ({"input": "The other half."}, "second half of the prompt"),
        ({"images": ["a.png"]}, "what the prompt shows"),
        ({"answers": [[{"role": "assistant", "content": "a", "thinking": "hm"}]]}, "reasoning inside messages"),
    ],
)
def test_what_candidates_would_lose_stops_as_in_data(tmp_path: Path, more: dict[str, object], told: str) -> None:
    path = tmp_path / "c.jsonl"
    rows = [{"prompt": "p", "answers": ["a"]}, {"prompt": "q", "answers": ["b"], **more}]
    path.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(
        InputError, match=rf"it changes what an answer means.*{told}.*c\.jsonl:2.*data\.ignore="
    ) as error:
        list(read_candidates(path))
    assert "--columns" not in str(error.value)  # no way out here
    ignored = tuple(more) if "answers" not in more else ("thinking",)
    assert len(list(read_candidates(path, ignore=ignored))) == 2
    held = {"prompt": "p. The other half.", "answers": ["a"], "input": "The other half."}
    path.write_text(json.dumps(held))
    assert len(list(read_candidates(path))) == 1


def test_pairs_are_not_taken_for_candidates(tmp_path: Path) -> None:
    for name, text in (
        ("a.jsonl", '{"prompt": "p", "chosen": "a", "rejected": "b"}'),
        ("b.jsonl", ""),
        ("c.jsonl", "\x00"),
        ("d.csv", '{"prompt": "p", "answers": ["a"]}'),
        ("e.jsonl.gz", "no gzip"),
    ):
        (tmp_path / name).write_text(text)
        assert not holds_candidates(tmp_path / name)
    assert not holds_candidates(tmp_path)
    assert not holds_candidates(tmp_path / "missing.jsonl")


def test_chats_are_read_alike_among_candidates_and_pairs(tmp_path: Path) -> None:
    prompt = [{"from": "human", "value": "Q"}]
    texts: list[object] = [[{"from": "gpt", "value": "yes"}], [{"role": "Assistant", "content": [{"text": "no"}]}]]
    (tmp_path / "c.jsonl").write_text(json.dumps({"prompt": prompt, "candidates": texts}))
    (group,) = read_candidates(tmp_path / "c.jsonl")
    (pair,) = read_pairs([{"prompt": prompt, "chosen": texts[0], "rejected": texts[1]}]).pairs
    assert (group.prompt, group.answers) == (pair.prompt, (pair.chosen, pair.rejected))
    assert group.answers[1] == (Message(role="assistant", content="no"),)


def test_what_is_known_is_read_where_it_is_wanted(tmp_path: Path) -> None:
    row = {"prompt": "Q", "answers": ["a", "b"], "ranks": [1, 2], "votes": [{"first": 1, "second": 0, "choice": "tie"}]}
    path = tmp_path / "c.json"
    path.write_text(json.dumps([row, row | {"id": "x", "ranks": ["best", 2]}]))
    skipped = list(read_candidates(path))
    assert [(one.id, one.ranks) for one in skipped] == [("1", None), ("x", None)]
    read = read_candidates(path, known="read")
    first = next(read)
    assert (first.ranks, first.votes) == ((1.0, 2.0), (Comparison(first=1, second=0, choice="tie"),))
    with pytest.raises(InputError, match=r"c\.json:2: ranks\[0\] is 'best'"):
        next(read)


def test_a_json_array_of_candidates_is_one_too(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(orjson.dumps([{"prompt": "Q", "answers": ["a"]}]))
    assert holds_candidates(path)
    assert [one.answers for one in read_candidates(path)] == [("a",)]


def test_a_system_text_beside_candidates_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"prompt": "How?", "answers": ["So.", "Thus."], "system": "Be brief."}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"would be lost.*'system' \(a system text beside the prompt"):
        list(read_candidates(path))
