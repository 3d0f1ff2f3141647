"""What is written in assay's own layouts reads back as itself, weights and votes included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.data import read_pairs
from assay.data.config import DataConfig
from assay.data.layouts.candidate_rows import candidates_of
from assay.data.layouts.columns import Columns
from assay.data.native_rows import as_candidate_row, as_native, write_pairs
from assay.data.sources.row import Row
from assay.records import Candidates, Comparison, Message, Pair, Text, Vote

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda text: bool(text.strip()) and "[" not in text
)
NAMES = st.none() | WORDS
NUMBERS = st.none() | st.floats(-1e6, 1e6)


def messages(role: str) -> st.SearchStrategy[Text]:
    return WORDS.map(lambda text: (Message(role=role, content=text),))


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    prompt = draw(WORDS)
    chosen, rejected = draw(st.lists(WORDS, min_size=2, max_size=2, unique_by=str.strip))
    votes = draw(
        st.lists(
            st.builds(
                Vote,
                choice=st.just("chosen"),
                annotator=NAMES,
                shown_left=st.sampled_from([None, "chosen", "rejected"]),
            ),
            max_size=3,
        )
    )
    return Pair(
        id=draw(WORDS), prompt=prompt, chosen=chosen, rejected=rejected, category=draw(NAMES), group=draw(WORDS),
        votes=tuple(votes), margin=draw(st.none() | st.floats(0, 1e6)), weight=draw(st.floats(1e-6, 1e6)),
        source=draw(st.dictionaries(WORDS, st.integers(-9, 9), max_size=2)),
    )  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(st.lists(pairs(), min_size=1, max_size=3, unique_by=(lambda p: p.id, lambda p: p.prompt)))
def test_pairs_with_weights_read_back_as_themselves(tmp_path: Path, given: list[Pair]) -> None:
    path = tmp_path / "pairs.jsonl"
    write_pairs(path, given, [pair.group or "" for pair in given])
    found = read_pairs(path, config=DataConfig(near_duplicates=None)).pairs
    assert [as_native(pair) for pair in found] == [as_native(pair) for pair in given]
    assert [pair.weight for pair in found] == [pair.weight for pair in given]


def test_a_weight_of_one_is_not_written_and_one_that_comes_late_is_read(tmp_path: Path) -> None:
    plain = Pair(id="a", prompt="Q", chosen="x", rejected="y")
    assert "weight" not in as_native(plain)
    rows: list[dict[str, Any]] = [{"prompt": f"Q{n}", "chosen": "x", "rejected": "y"} for n in range(300)]
    found = read_pairs([*rows, {"prompt": "last", "chosen": "x", "rejected": "y", "weight": "0.25"}])
    assert [pair.weight for pair in found.pairs] == [1.0] * 300 + [0.25]
    assert found.report.layout is not None
    assert "weight" not in found.report.layout.columns  # an old contract.json is what it was


def test_a_weight_that_is_none_is_a_reject() -> None:
    rows = [{"prompt": "Q", "chosen": "x", "rejected": "y", "weight": value} for value in (0, -1, "much", True, "inf")]
    found = read_pairs(rows)
    assert [reject.reason for reject in found.rejects] == ["missing_field"] * 5
    assert "the weight is" in found.rejects[0].detail


@st.composite
def groups(draw: st.DrawFn) -> Candidates:
    text = draw(st.sampled_from([WORDS, messages("assistant")]))
    answers: list[Text] = draw(st.lists(text, min_size=2, max_size=5))
    count = len(answers)
    numbers = st.none() | st.lists(NUMBERS, min_size=count, max_size=count).filter(any).map(tuple)
    votes = st.builds(
        Comparison, first=st.integers(0, count - 2), second=st.just(count - 1),
        choice=st.sampled_from(["first", "second", "tie", "abstain"]), annotator=NAMES,
        shown_left=st.sampled_from([None, "first", "second"]),
    )  # fmt: skip
    return Candidates(
        id=draw(WORDS), prompt=draw(WORDS), answers=tuple(answers), ranks=draw(numbers), scores=draw(numbers),
        votes=tuple(draw(st.lists(votes, max_size=3))), category=draw(NAMES), group=draw(NAMES),
    )  # fmt: skip


@given(groups())
def test_candidates_read_back_as_themselves(group: Candidates) -> None:
    roles = ("id", "prompt", "answers", "ranks", "scores", "votes", "category", "group", "source")
    columns = Columns({role: role for role in roles})
    assert candidates_of(Row(as_candidate_row(group), group.where), columns, known="read") == group
