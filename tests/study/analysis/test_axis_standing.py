"""Where an axis stands: few, split, even, decided and silent ones are planted and told apart."""

from __future__ import annotations

import pytest

from assay.stats.unknown import Unknown
from assay.study.analysis.axis_standing import (
    AxisStanding,
    Enough,
    Tally,
    axis_votes,
    standings,
    tallies,
    undecided_parts,
)
from assay.study.study_records import ClosedStudy, Item, Rating, StudyVote
from tests.study.judged import made_closed

HUMANS = ("human",)


def item(number: int, *, category: str = "tone", systems: tuple[str, str] = ("a", "b")) -> Item:
    return Item(
        id=f"i{number}", prompt_id=f"p{number}", prompt=f"Question {number}?", answer_a=f"yes {number}",
        answer_b=f"no {number}", system_a=systems[0], system_b=systems[1], category=category,
    )  # fmt: skip


def vote(of: Item, rating: Rating | None, *, editor: str = "Anna", left: str = "a", judge: str = "human") -> StudyVote:
    """A vote that says nothing of the whole; rating: of the aspect honest, or left out."""
    systems = (of.system_a, of.system_b) if left == "a" else (of.system_b, of.system_a)
    return StudyVote(
        item=of.id, prompt_id=of.prompt_id, editor=editor, choice="abstain", left_system=systems[0],
        right_system=systems[1], kind="real", judge=judge, position=1, left=left,  # type: ignore[arg-type]
        ratings={} if rating is None else {"honest": rating}, category=of.category,
    )  # fmt: skip


def study(said: list[tuple[Item, list[Rating | None]]]) -> ClosedStudy:
    votes = [vote(of, rating, editor=f"e{k}") for of, ratings in said for k, rating in enumerate(ratings)]
    return made_closed([of for of, _ in said], votes)


def stand(said: list[tuple[Item, list[Rating | None]]], **more: int) -> list[AxisStanding]:
    return standings([study(said)], "honest", judges=HUMANS, enough=Enough(**more))


def test_a_tally_by_hand() -> None:
    """Seen from either side, an answer's votes are its own; a tie is for neither, and what was left out is no vote."""
    one = item(1)
    votes = [
        vote(one, "left"), vote(one, "right", left="b", editor="B"), vote(one, "tie", editor="C"),
        vote(one, None, editor="D"), vote(one, "right", editor="m", judge="llm"),
    ]  # fmt: skip
    (found,) = tallies(axis_votes([made_closed([one], votes)], "honest", HUMANS))
    assert (found.for_a, found.for_b, found.ties, found.decided) == (2, 0, 1, True)
    # Beta(1 + 2.5, 1 + 0.5): 3.5 x 1.5 / (25 x 6).
    assert found.openness == pytest.approx(3.5 * 1.5 / 150)
    assert tallies(axis_votes([made_closed([one], votes)], "helpful", HUMANS)) == []


def test_more_votes_and_clear_ones_close_a_comparison() -> None:
    said = [(0, 0), (1, 1), (2, 1), (3, 3), (3, 0), (30, 0)]
    opens = [Tally(item=item(1), prompt="p", for_a=a, for_b=b, ties=0).openness for a, b in said]
    assert opens == sorted(opens, reverse=True)
    assert opens[0] == pytest.approx(1 / 12)


def test_few_majorities_leave_an_axis_open_and_enough_close_it() -> None:
    said = [(item(n), ["left", "left", "left"]) for n in range(29)]
    (overall, part) = stand(said)
    assert (overall.outcome, overall.reasons[0]) == ("undecided", "29 of 29 comparisons have a majority, fewer than 30")
    assert (part.category, part.outcome) == ("tone", "decided")  # 10 are enough within a category
    (overall, _) = stand([*said, (item(29), ["right", "right", "right"])])
    assert (overall.outcome, overall.decided) == ("decided", 30)


def test_what_is_enough_can_be_said() -> None:
    """29 majorities where 29 are asked; 30 within the category. 25 of 40 won: half of it is left out at 50% alone."""
    said = [(item(n), ["left", "left", "left"]) for n in range(29)]
    assert [one.outcome for one in stand(said, overall=29, category=30)] == ["decided", "undecided"]
    won = [(item(n, systems=("base", "tuned")), ["left" if n < 15 else "right"]) for n in range(40)]
    found = {
        level: standings([study(won)], "honest", judges=HUMANS, enough=Enough(level=level))[0].outcome
        for level in (0.5, 0.95)
    }
    assert found == {0.5: "decided", 0.95: "undecided"}


def test_nobody_voted() -> None:
    (only,) = stand([(item(1), [None, None])])
    assert (only.outcome, only.comparisons, only.reasons) == ("undecided", 0, ("nobody voted on it",))


def test_a_category_asked_about_without_a_vote_is_undecided_where_others_have_votes() -> None:
    judged = study([(item(n), ["left", "left"]) for n in range(12)])
    found = standings([judged], "honest", judges=HUMANS, enough=Enough(overall=1, category=1), asked=("tone", "bills"))
    assert [(one.category, one.comparisons, one.outcome) for one in found] == [
        (None, 12, "decided"), ("bills", 0, "undecided"), ("tone", 12, "decided"),
    ]  # fmt: skip
    assert dict(undecided_parts(found)) == {"bills": "nobody voted on it"}
    assert found[1].chance == 0.5
    none = standings([judged], "helpful", judges=HUMANS, enough=Enough(), asked=("tone", "bills"))
    assert [one.category for one in none] == [None]


def test_an_axis_without_difference_is_silent_and_not_open() -> None:
    """0 of 60 with a majority: at most t^2 / (60 + t^2) of such have one, 6.3% with t = 2.00. 0 of 20 could be 18%."""
    (overall, _) = stand([(item(n), ["tie", "tie"]) for n in range(60)])
    assert overall.outcome == "silent"
    assert "0 of 60 comparisons have a majority (of such at most 6.3%)" in overall.reasons[0]
    (overall, _) = stand([(item(n), ["tie", "tie"]) for n in range(20)])
    assert overall.outcome == "undecided"


def test_editors_who_agree_like_a_coin_leave_it_open() -> None:
    """Of three votes two are alike by necessity: one pair in three agrees where it is two to one."""
    (overall, _) = stand([(item(n), ["left", "left", "right"]) for n in range(40)])
    assert overall.outcome == "undecided"
    assert not isinstance(overall.agreement, Unknown)
    assert overall.agreement.value == pytest.approx(1 / 3)
    assert "no better than a coin" in overall.reasons[0]
    (overall, _) = stand([(item(n), ["left", "left", "left" if n % 4 else "right"]) for n in range(40)])
    assert overall.outcome == "decided"


def test_a_win_rate_that_holds_one_half_leaves_it_open_where_systems_have_names() -> None:
    """20 of 40 won by each: even between base and tuned; between places in a file it says nothing."""
    sides: list[list[Rating | None]] = [["left", "left"], ["right", "right"]]
    named = [(item(n, systems=("base", "tuned")), sides[n % 2]) for n in range(40)]
    (overall, _) = stand(named)
    assert overall.outcome == "undecided"
    assert "win rate of tuned over base 50.0%" in overall.reasons[0]
    (overall, _) = stand([(item(n), sides[n % 2]) for n in range(40)])
    assert overall.outcome == "decided"
    won = [(item(n, systems=("base", "tuned")), sides[n > 3]) for n in range(40)]
    assert stand(won)[0].outcome == "decided"


def test_studies_are_counted_together_and_their_prompts_apart() -> None:
    one = study([(item(n), ["left", "left"]) for n in range(16)])
    assert standings([one], "honest", judges=HUMANS, enough=Enough())[0].decided == 16
    other = study([(item(n), ["left", "left"]) for n in range(16)])
    other = ClosedStudy(
        study=type(one.study)(**{**{f: getattr(one.study, f) for f in one.study.__slots__}, "id": "other"}),
        items=other.items, votes=other.votes, planned=other.planned,
    )  # fmt: skip
    assert standings([one, other], "honest", judges=HUMANS, enough=Enough())[0].decided == 32
