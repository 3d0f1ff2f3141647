"""Verdicts in both orders, grades and votes, by hand against a real server."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from assay.errors import ConfigError, EmptyBatchError
from assay.flows.audit import audit_scores
from assay.records import Candidates, Pair
from assay.scorers.judge.both_orders import Compared, vote_of
from assay.scorers.protocol import Reward, Scored, Unscored, unit_of
from assay.scorers.scored_pairs import score_pairs
from tests.scorers.judge.chat_server import always, prefers, question, serving, shown
from tests.scorers.judge.judges import one_by_one, pairwise

GROUP = Candidates(id="g", prompt="Say a word.", answers=("aaa", "a", "aa", "a"))


def values(results: tuple[Scored, ...]) -> list[float]:
    return [result.value for result in results if isinstance(result, Reward)]


def test_votes_by_hand() -> None:
    places = ("first", "second", "tie", None)
    found = {both: vote_of(*both) for both in itertools.product(places, places)}  # type: ignore[arg-type]
    assert found["first", "second"] == "won"
    assert found["second", "first"] == "lost"
    assert found["first", "first"] == "flipped_first"
    assert found["second", "second"] == "flipped_second"
    assert {found[both] for both in found if "tie" in both and None not in both} == {"tied"}
    assert {found[both] for both in found if None in both} == {"unread"}


def test_seen_from_the_other_side() -> None:
    one = Compared(votes=("won", "lost", "lost", "tied", "flipped_first", "unread"))
    assert one.swapped.votes == ("lost", "won", "won", "tied", "flipped_first", "unread")
    assert (one.worth, one.swapped.worth) == (1 / 5, 2 / 5)
    by_token = Compared(votes=("won",), odds=3.0)
    assert by_token.worth - by_token.swapped.worth == 3.0  # the margin is the log-odds
    assert Compared(votes=("flipped_first",), odds=3.0).worth == 0.0


def test_round_robin_wins(tmp_path: Path) -> None:
    with serving(prefers(len)) as server:
        scorer = pairwise(tmp_path, endpoint=server.address)
        (found,) = scorer.score([GROUP])
    assert values(found) == [1.0, 0.0, 0.5, 0.0]
    assert len(server.seen) == 6  # three different answers, each two in both orders
    assert {shown(body) for body in server.seen} == set(itertools.permutations(("a", "aa", "aaa"), 2))
    assert unit_of(scorer) == "pair"
    best = found[0]
    assert isinstance(best, Reward)
    assert best.heads == {"won": 1, "lost": 0, "tied": 0, "flipped_first": 0, "flipped_second": 0}
    assert best.detail["rationale"] == ["I compared them. [[A]]", "I compared them. [[B]]"] * 2
    assert scorer.tally.text.startswith("3 comparisons in both orders: 3 decided, 0 tied, 0 flipped")


def test_a_judge_that_always_says_a_has_decided_nothing_and_is_named(tmp_path: Path) -> None:
    pairs = [Pair(id=str(n), prompt=f"Question {n}?", chosen=f"right {n}", rejected=f"wrong {n}") for n in range(60)]
    with serving(always("[[A]]")) as server:
        scorer = pairwise(tmp_path, endpoint=server.address)
        scored = score_pairs(scorer, pairs)
    assert {pair.margin for pair in scored} == {0.0}
    assert "60 flipped (60 for the answer shown first, 0 for the second)" in scorer.tally.text
    audited = audit_scores(scored, pairs)
    found = audited.find("position_flips")
    assert found is not None
    assert (found.value, found.verdict, found.n) == (1.0, "problem", 60)
    assert found.detail["answer_shown_first"] == 1.0
    accuracy = audited.find("accuracy")
    assert accuracy is not None
    assert accuracy.value == 0.0


def test_a_fair_judge_with_some_flips_is_not_named(tmp_path: Path) -> None:
    def mostly_fair(body: dict[str, Any]) -> str:
        # Every tenth question is too close for this judge, which then takes the first.
        return "[[A]]" if "Question 7" in question(body) else str(prefers(len)(body))

    pairs = [Pair(id=str(n), prompt=f"Question {n % 10}.{n}?", chosen="yes yes", rejected="no") for n in range(60)]
    with serving(mostly_fair) as server:
        audited = audit_scores(pairwise(tmp_path, endpoint=server.address), pairs)
    found = audited.find("position_flips")
    assert found is not None
    assert found.value == pytest.approx(0.1)
    assert found.verdict == "ok"


def test_what_cannot_be_read_is_no_tie(tmp_path: Path) -> None:
    pairs = [Pair(id=str(n), prompt=f"Question {n}?", chosen="yes yes", rejected="no") for n in range(3)]

    def replies(body: dict[str, Any]) -> str:
        return "I would rather not say." if "Question 1" in question(body) else str(prefers(len)(body))

    with serving(replies) as server:
        first, lost, last = score_pairs(pairwise(tmp_path, endpoint=server.address), pairs)
    assert (first.margin, last.margin) == (1.0, 1.0)
    assert lost.margin is None
    assert lost.unread is not None
    assert lost.unread.startswith("the judge gave no verdict in 1 of 1 votes; the first: its reply holds no verdict")
    assert "I would rather not say." in lost.unread
    with serving(always("Hm.")) as server, pytest.raises(EmptyBatchError, match="holds no verdict: 'Hm"):
        audit_scores(pairwise(tmp_path, endpoint=server.address), pairs)


def test_votes_have_seeds_and_those_unread_stand_apart(tmp_path: Path) -> None:
    def replies(body: dict[str, Any]) -> str:
        return {10: "[[A]]", 11: "???"}.get(body["seed"], str(prefers(len)(body)))

    with serving(replies) as server:
        scorer = pairwise(tmp_path, endpoint=server.address, votes=4, seed=10)
        ((long, short),) = scorer.score([Candidates(id="g", prompt="p", answers=("aa", "a"))])
    assert sorted(body["seed"] for body in server.seen) == [10, 10, 11, 11, 12, 12, 13, 13]
    assert {body["temperature"] for body in server.seen} == {0.7}
    assert isinstance(long, Reward)
    assert isinstance(short, Reward)
    assert (long.value, short.value) == (2 / 3, 0.0)  # three votes were read: one flipped, two won
    assert (long.detail["votes"], long.detail["unread"]) == (4, 1)
    assert long.heads["flipped_first"] == short.heads["flipped_first"] == 1 / 3


def test_one_answer_alone_has_nobody_to_win_against(tmp_path: Path) -> None:
    with serving(prefers(len)) as server:
        scorer = pairwise(tmp_path, endpoint=server.address)
        ((only, again),) = scorer.score([Candidates(id="g", prompt="p", answers=("a", "a"))])
    assert only == again == Unscored("a pairwise judge needs another answer to compare it with")
    assert not server.seen


GRADES = {
    "Score: [[7]]": 7.0,
    "Score: 3 at first, but on reflection\nScore: [[8.5]]": 8.5,
    "score: 10": 10.0,
    "Score: [[11]]": "its grade 11 is not between 1 and 10",
    "Score: [[-3]]": "its grade -3 is not between 1 and 10",
    "I give it a seven.": "its reply holds no verdict: 'I give it a seven.'",
}


@pytest.mark.parametrize("reply", GRADES)
def test_grades(reply: str, tmp_path: Path) -> None:
    with serving(always(reply)) as server:
        (((found,)),) = one_by_one(tmp_path, endpoint=server.address).score(
            [Candidates(id="g", prompt="p", answers=("a",))]
        )
    expected = GRADES[reply]
    if isinstance(expected, float):
        assert isinstance(found, Reward)
        assert found.value == expected
        assert found.detail["rationale"] == [reply]
    else:
        assert found == Unscored(f"the judge gave no grade in 1 of 1 votes; the first: {expected}")


def test_a_grade_is_the_mean_of_its_votes(tmp_path: Path) -> None:
    with serving(lambda body: "nothing" if body["seed"] == 2 else f"Score: [[{4 + body['seed']}]]") as server:
        ((found, _),) = one_by_one(tmp_path, endpoint=server.address, votes=4).score(
            [Candidates(id="g", prompt="p", answers=("a", "b"))]
        )
    assert isinstance(found, Reward)
    assert found.value == (4 + 5 + 7) / 3
    assert found.detail["grades"] == [4.0, 5.0, 7.0]
    assert found.detail["unread"] == 1


def test_a_prompt_of_one_s_own_with_a_reference(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "user: 'Q {prompt} R {reference} A {answer} {\"x\": 1}'\nparse: 'GRADE=(\\d+)'\n"
    )
    pairs = [
        Pair(id=str(n), prompt="2+2?", chosen="4 {answer}", rejected="5", source={"reference": reference})
        for n, reference in enumerate(("four", "five"))
    ]
    with serving(lambda body: f"GRADE={9 if 'R four A 4' in question(body) else 2}") as server:
        scorer = one_by_one(tmp_path, endpoint=server.address, prompt="mine.yaml")
        found = score_pairs(scorer, [*pairs, Pair(id="none", prompt="2+2?", chosen="4", rejected="5")])
    assert [pair.margin for pair in found] == [7.0, 0.0, None]
    assert "states no reference answer" in str(found[2].unread)
    assert 'Q 2+2? R four A 4 {answer} {"x": 1}' in {question(body) for body in server.seen}


REFUSED = {
    "votes": ({"endpoint": None, "votes": 3}, "every vote would be the same"),
    "heat": ({"votes": 3, "temperature": 0}, "at 0 every vote is the same"),
    "token": ({"read": "token", "votes": 3}, "the same at every vote"),
    "user": ({"endpoint": "http://me:secret@host/v1"}, "holds a user, a password, a query or a fragment"),
    "ftp": ({"endpoint": "ftp://host"}, "no http"),
    "key": ({"key_env": "ASSAY_TEST_NO_SUCH_KEY"}, r"\$ASSAY_TEST_NO_SUCH_KEY is not set"),
    "typo": ({"vote": 3}, "did you mean votes"),
    "parse": ({"parse": "(A"}, "no regular expression"),
    "group": ({"parse": "A|B"}, "needs a group"),
    "prompt": ({"prompt": "none.yaml"}, "cannot be read"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_judge_s_file_that_cannot_be_used(fault: str, tmp_path: Path) -> None:
    options, told = REFUSED[fault]
    with pytest.raises(ConfigError, match=told) as raised:
        pairwise(tmp_path, **{"endpoint": "http://127.0.0.1:9/v1", **options})
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("user: '{prompt} {answer_a}'\nparse: '(A)'", "needs {answer_b}"),
        ("user: '{prompt} {answer_a} {answer_b} {anwser}'\nparse: '(A)'", "{anwser} stands for nothing"),
        ("user: '{prompt} {answer_a} {answer_b}'", "no parse rule"),
        ("just words", "expected keys"),
        ("user: 'x'\nuser: 'y'", "stands twice"),
    ],
)
def test_a_prompt_that_cannot_be_used(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"mine\.yaml: ") as raised:
        pairwise(tmp_path, endpoint="http://127.0.0.1:9/v1", prompt="mine.yaml")
    assert told in str(raised.value)
