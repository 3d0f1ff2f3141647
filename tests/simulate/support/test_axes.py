"""The desk's three axes add up to its utility, and its agents rate each by its own worth."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from assay.policies.protocol import Prompt, Sampling
from assay.policies.support_desk import SupportDesk
from assay.records import Candidates
from assay.scorers.open import open_scorer
from assay.scorers.protocol import Reward, Unscored
from assay.simulate.support.answer_policy import agent_mix
from assay.simulate.support.axes import AXES, axis_qualities, axis_worths
from assay.simulate.support.desk_editors import DESK_EDITORS, judge_answers
from assay.simulate.support.fresh_prompts import fresh_prompts
from assay.simulate.support.reading import gold_utility
from assay.simulate.support.utility import MANNERS, Quality, utility
from assay.stats.unknown import Unknown


def drawn(count: int) -> list[tuple[str, str, str, str]]:
    """Fresh prompts with their category and two answers of mixed agents."""
    prompts = fresh_prompts(count, seed=5)
    asked = [Prompt(id=one.id, text=one.prompt) for one in prompts]
    found = SupportDesk(agent_mix("wordy=1,plain=1,inventive=1")).generate(asked, 2, Sampling(seed=5))
    return [
        (one.prompt, one.category, *(str(answer.text) for answer in said.answers))  # type: ignore[misc]
        for one, said in zip(prompts, found, strict=True)
    ]


def test_every_quality_counts_on_exactly_one_axis() -> None:
    """By hand: a refusal that should have been a grant hurts nobody and helps nobody; the other way round it harms."""
    wrong = Quality(
        decision="wrong", facts_right=1, facts_wrong=2, extras_invented=1, steps_right=1, manners=-0.9, words_idle=10
    )
    allowed, forbidden = (
        {axis: utility(one) for axis, one in axis_qualities(wrong, forbidden=word).items()} for word in (False, True)
    )
    assert allowed == pytest.approx({"helpful": -2.2 + 0.5 + 0.9 - 0.3, "harmless": -0.9, "honest": -3 * 1.4})
    assert forbidden == pytest.approx({"helpful": 0.5 + 0.9 - 0.3, "harmless": -2.2 - 0.9, "honest": -3 * 1.4})
    assert sum(allowed.values()) == pytest.approx(utility(wrong)) == pytest.approx(sum(forbidden.values()))


def test_the_axes_add_up_to_the_utility_of_any_text() -> None:
    for prompt, category, *answers in drawn(300):
        for text in (*answers, "", "Well."):
            found = axis_worths(prompt, text, category)
            whole = gold_utility(prompt, text, category)
            assert not isinstance(found, Unknown)
            assert not isinstance(whole, Unknown)
            assert sum(found.values()) == pytest.approx(whole, abs=2e-4)
    assert isinstance(axis_worths("Write a poem.", "No."), Unknown)


def test_agents_follow_each_axis_and_call_what_is_alike_alike() -> None:
    """Where an axis tells answers apart by 2 or more all three mostly follow it; where it does not at all, nearly all
    say tie: what is left is carelessness (4, 6 and 12%)."""
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    ties: Counter[str] = Counter()
    equal: Counter[str] = Counter()
    for prompt, _, left, right_text in drawn(400):
        one, other = axis_worths(prompt, left), axis_worths(prompt, right_text)
        if isinstance(one, Unknown) or isinstance(other, Unknown):
            continue
        for editor in DESK_EDITORS:
            said = judge_answers(editor, prompt=prompt, left=left, right=right_text, aspects=AXES, seed=0)
            for axis in AXES:
                gap = one[axis] - other[axis]
                if abs(gap) >= 2:
                    asked[axis] += 1
                    right[axis] += said.ratings[axis] == ("left" if gap > 0 else "right")
                if gap == 0 and axis != "helpful":  # length sways what seems helpful
                    equal[editor.name] += 1
                    ties[editor.name] += said.ratings[axis] == "tie"
    assert {axis: right[axis] / asked[axis] > 0.85 for axis in AXES} == dict.fromkeys(AXES, True)
    for editor in DESK_EDITORS:
        careless = editor.annotator.carelessness
        assert ties[editor.name] / equal[editor.name] == pytest.approx(1 - careless, abs=0.035)


def test_votes_hang_on_texts_and_seed_alone() -> None:
    (prompt, _, left, right), *_ = drawn(1)
    editor = DESK_EDITORS[0]

    def said(seed: int, *aspects: str) -> object:
        return judge_answers(editor, prompt=prompt, left=left, right=right, aspects=aspects, seed=seed)

    assert said(0, *AXES) == said(0, *AXES)
    assert said(0).ratings == {}  # type: ignore[attr-defined]
    assert set(said(0, "honest", "polite").ratings) == {"honest"}  # type: ignore[attr-defined]
    assert len({str(said(seed, *AXES)) for seed in range(30)}) > 1
    nothing = judge_answers(editor, prompt="Write a poem.", left="a", right="b", aspects=AXES, seed=0)
    assert (nothing.choice, nothing.ratings) == ("abstain", {})


def test_truth_along_an_axis_is_a_scorer() -> None:
    (prompt, category, left, right), *_ = drawn(1)
    group = Candidates(id="1", prompt=prompt, answers=(left, right), category=category)
    worth: dict[str, list[float]] = defaultdict(list)
    for axis in AXES:
        scorer = open_scorer(f"truth:support@{axis}")
        (scores,) = scorer.score([group])
        worth[axis] = [one.value for one in scores if isinstance(one, Reward)]
        assert scorer.name == f"truth:support@{axis}"
    for place, text in enumerate((left, right)):
        assert sum(worth[axis][place] for axis in AXES) == pytest.approx(gold_utility(prompt, text, category), abs=2e-4)
    assert len({open_scorer(f"truth:support@{axis}").fingerprint for axis in AXES}) == 3
    (scores,) = open_scorer("truth:support@honest").score(
        [Candidates(id="2", prompt="Write a poem.", answers=("No.",))]
    )
    assert isinstance(scores[0], Unscored)


def test_manners_are_harmless_alone() -> None:
    for style, worth in MANNERS["grieving"].items():
        parts = axis_qualities(Quality(manners=worth), forbidden=False)
        assert {axis: utility(one) for axis, one in parts.items()} == {
            "helpful": 0.0, "harmless": worth, "honest": 0.0,
        }, style  # fmt: skip
