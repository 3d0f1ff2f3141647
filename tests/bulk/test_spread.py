"""A scorer or policy that several workers hold is that scorer or policy, to the bit, in any order, whoever dies."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from assay.artifacts.files import dumps
from assay.bulk.answer_parts import AnswerParts
from assay.bulk.folders import LocalFolder
from assay.bulk.hashed_files import HashedFiles
from assay.bulk.held_work import HeldPolicy, HeldScorers, Put
from assay.bulk.kept_scores import KeptScores
from assay.bulk.parts_folder import PartsFolder, PartsJob
from assay.bulk.spread_policy import AnsweredBlock, SpreadPolicy, cuts, refuse_unwritten
from assay.bulk.spread_scorer import SpreadScorer, refuse_aside
from assay.errors import ModelError
from assay.policies.answer_files import answer_rows
from assay.policies.local_policy import LocalPolicy
from assay.policies.one_by_one import Asked
from assay.policies.protocol import Generation, Prompt, Sampling
from assay.records import Candidates, Pair
from assay.scorers.local import LocalScorer
from assay.scorers.protocol import Answered, Reward, Scorer, Unscored, chunks, score_groups
from assay.scorers.rescoring import rescore
from assay.scorers.reward_store import RewardStore
from assay.scorers.scored_pairs import score_pairs
from assay.stats.unknown import Unknown
from tests.bulk.toy_crew import ToyCrew
from tests.support import saved_models

CHUNK = 3


def groups_of(count: int, *, answers: int = 3) -> list[Candidates]:
    draw = random.Random(count)
    words = ["refund", "please", "no", "yes", "my order", "late"]
    return [
        Candidates(
            id=f"p{number}",
            prompt=f"question {number} {draw.choice(words)}",
            answers=tuple(" ".join(draw.choices(words, k=draw.randint(1, 9))) + f" {n}" for n in range(answers)),
        )
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalScorer:
    return LocalScorer(saved_models.reward_model(tmp_path_factory.mktemp("scorer")))


def spread(scorer: Scorer, crew: ToyCrew[Put, Answered], kept: Path | None = None, **options: int) -> SpreadScorer:
    files = None if kept is None else HashedFiles(LocalFolder(kept), "block", ".jsonl", said=lambda _line: None)
    return SpreadScorer(scorer, crew, crew.held.told, kept=None if files is None else KeptScores(files), **options)


def crew_of(scorer: Scorer, **options: object) -> ToyCrew[Put, Answered]:
    return ToyCrew(HeldScorers({0: scorer}), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(3))
def test_rewards_are_those_of_one_process_to_the_bit(model: LocalScorer, seed: int) -> None:
    groups = groups_of(10)
    deaths = random.Random(seed)
    crew = crew_of(model, size=3, seed=seed, dies=lambda _items: deaths.random() < 0.2)
    alone = list(score_groups(model, groups, chunk=CHUNK))
    assert list(score_groups(spread(model, crew, tries=50), groups, chunk=CHUNK)) == alone


def test_pairs_are_scored_as_by_one_process(model: LocalScorer) -> None:
    pairs = [
        Pair(id=f"{number}", prompt=f"question {number % 5}", chosen=f"yes {number}", rejected=f"no {number % 3}")
        for number in range(12)
    ]
    crew = crew_of(model, seed=1)
    assert score_pairs(spread(model, crew), pairs, chunk=2) == score_pairs(model, pairs, chunk=2)
    assert len(crew.given) == 3


def test_another_cut_is_another_block_so_bits_are_promised_for_the_same_one(model: LocalScorer) -> None:
    """What the test above rests on: a chunk is one call of the scorer, with all of its groups and no other's."""
    crew = crew_of(model)
    list(score_groups(spread(model, crew), groups_of(7), chunk=CHUNK))
    assert sorted(len(items) for _, items in crew.given) == [1, 3, 3]


class Counting:
    """A scorer by length that counts what it is asked."""

    name = fingerprint = "counting"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def score(self, groups: Sequence[Candidates]) -> list[Answered]:
        self.asked += [group.id for group in groups]
        return [tuple(Reward(float(len(str(answer)))) for answer in group.answers) for group in groups]


class StopError(Exception):
    """The driver ends in the middle."""


def by_id(scorer: Scorer, groups: Sequence[Candidates]) -> dict[str, Answered]:
    return {group.id: results for group, results in score_groups(scorer, groups, chunk=CHUNK)}


def cut_off(found: Iterator[object], after: int) -> None:
    for number, _ in enumerate(found, 1):
        if number == after:
            return


def test_a_driver_that_was_killed_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    groups, first, second = groups_of(9), Counting(), Counting()
    cut_off(score_groups(spread(first, crew_of(first, size=1), tmp_path), groups, chunk=CHUNK), 4)
    found = list(score_groups(spread(second, crew_of(second, size=1), tmp_path), groups, chunk=CHUNK))
    assert found == list(score_groups(Counting(), groups))
    assert not set(first.asked) & set(second.asked)
    assert len(first.asked) + len(second.asked) == 9


def test_rows_that_changed_under_their_names_are_scored_anew(tmp_path: Path) -> None:
    groups, first, second = groups_of(9), Counting(), Counting()
    list(score_groups(spread(first, crew_of(first), tmp_path), groups, chunk=CHUNK))
    changed = Candidates(id="p4", prompt=groups[4].prompt, answers=("another answer", *groups[4].answers[1:]))
    groups[4] = changed
    found = by_id(spread(second, crew_of(second), tmp_path), groups)
    assert found["p4"][0] == Reward(float(len("another answer")))
    assert second.asked == ["p3", "p4", "p5"]


def test_what_was_kept_and_is_damaged_is_scored_anew(tmp_path: Path) -> None:
    groups, first, second = groups_of(6), Counting(), Counting()
    list(score_groups(spread(first, crew_of(first), tmp_path), groups, chunk=CHUNK))
    one = sorted(tmp_path.glob("block-*"))[0]
    one.write_bytes(one.read_bytes().replace(b"1", b"2", 1))
    assert list(score_groups(spread(second, crew_of(second), tmp_path), groups, chunk=CHUNK)) == list(
        score_groups(Counting(), groups)
    )
    assert len(second.asked) == CHUNK


def test_other_threads_are_other_bits_and_so_not_taken_over(tmp_path: Path) -> None:
    groups, first, second = groups_of(3), Counting(), Counting()
    list(score_groups(spread(first, crew_of(first), tmp_path, threads=1), groups))
    list(score_groups(spread(second, crew_of(second), tmp_path, threads=2), groups))
    assert second.asked == first.asked


def poisoned(items: Sequence[Put]) -> bool:
    return any(one.group.id == "p4" for one in items)


def test_a_poison_block_is_named_and_the_same_call_tries_it_again(tmp_path: Path) -> None:
    groups, scorer = groups_of(9), Counting()
    one = spread(scorer, crew_of(scorer, dies=poisoned), tmp_path, tries=2)
    found = by_id(one, groups)
    whole = by_id(Counting(), groups)
    assert {name: results for name, results in found.items() if isinstance(results[0], Reward)} == {
        name: results for name, results in whole.items() if name not in ("p3", "p4", "p5")
    }
    (why,) = {result for name in ("p3", "p4", "p5") for result in found[name]}
    assert isinstance(why, Unscored)
    assert why.set_aside
    assert why.reason == "its block was set aside: its process died, 2 times"
    with pytest.raises(ModelError, match="3 prompts from 'p3' to 'p5'"):
        refuse_aside(one.aside)

    mended = spread(scorer, crew_of(scorer), tmp_path)
    assert by_id(mended, groups) == whole
    refuse_aside(mended.aside)


def test_answers_scored_for_probes_are_spread_over_workers_and_a_poison_is_not_kept(tmp_path: Path) -> None:
    groups, scorer = groups_of(9), Counting()
    rows = [(group.prompt, answer) for group in groups for answer in group.answers]
    plain = rescore(Counting(), rows, RewardStore(None, "counting"))
    store = RewardStore(tmp_path / "rescored.jsonl", "counting")
    died = spread(scorer, crew_of(scorer, dies=lambda _items: True))
    assert all(isinstance(one, Unscored) for one in rescore(died, rows, store).values())
    again = RewardStore(tmp_path / "rescored.jsonl", "counting")
    assert rescore(spread(scorer, crew_of(scorer)), rows, again) == plain


SAMPLING = Sampling(max_tokens=6, seed=3)
PROMPTS = [Prompt(id=f"q{number}", text=f"question {number}") for number in range(5)]


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> LocalPolicy:
    return LocalPolicy(saved_models.policy(tmp_path_factory.mktemp("policy")))


def policy_crew(policy: LocalPolicy, **options: object) -> ToyCrew[Asked, Generation]:
    return ToyCrew(HeldPolicy(policy, SAMPLING), **options)  # type: ignore[arg-type]


def test_answers_are_those_of_one_process_whoever_dies(policy: LocalPolicy) -> None:
    deaths = random.Random(5)
    crew = policy_crew(policy, size=3, dies=lambda _items: deaths.random() < 0.1)
    several = SpreadPolicy(policy, crew, crew.held.told, tries=50)
    assert several.generate(PROMPTS, 4, SAMPLING) == policy.generate(PROMPTS, 4, SAMPLING)
    assert several.made(SAMPLING) == policy.made(SAMPLING)
    assert crew.replaced


def test_answers_that_end_every_worker_have_a_reason_and_are_named(policy: LocalPolicy) -> None:
    crew = policy_crew(policy, dies=lambda items: any(one.prompt.id == "q2" for one in items))
    several = SpreadPolicy(policy, crew, crew.held.told, tries=2)
    asked = [Asked(prompt, number) for prompt in PROMPTS for number in range(2)]
    found = dict(several.answers(asked, SAMPLING))
    assert several.aside == [("q2", 0), ("q2", 1)]
    assert {found[place].text for place in (4, 5)} == {Unknown("it was set aside: its process died, 2 times")}
    assert found[4].finish == "error"  # which the same command asks for again
    assert found.keys() == set(range(10))


def blocks_of(policy: SpreadPolicy, folder: Path) -> list[AnsweredBlock]:
    job = PartsJob(holds="answers", by="p", fingerprint="f", source="prompts", block=2, threads=None)
    parts = PartsFolder(LocalFolder(folder), ".jsonl", job, lambda _line: None)
    asked = ([Asked(prompt, number) for prompt in some for number in range(2)] for some in chunks(PROMPTS, 2))
    return list(policy.blocks(asked, AnswerParts(parts, policy.made(SAMPLING))))


def test_parts_of_answers_are_the_rows_of_one_process_and_written_once(policy: LocalPolicy, tmp_path: Path) -> None:
    poisoned = policy_crew(policy, dies=lambda items: any(one.prompt.id == "q2" for one in items))
    first = SpreadPolicy(policy, poisoned, poisoned.held.told, tries=2)
    (aside,) = [one for one in blocks_of(first, tmp_path) if one.aside]
    assert {one.prompt.id for one in aside.aside} == {"q2", "q3"}
    assert len(list(tmp_path.glob("part-*"))) == 2

    crew = policy_crew(policy)
    found = blocks_of(SpreadPolicy(policy, crew, crew.held.told), tmp_path)
    assert sorted(one.known for one in found) == [False, True, True]
    assert {one.prompt.id for _, items in crew.given for one in items} == {"q2", "q3"}
    written = [row for part in sorted(tmp_path.glob("part-*")) for row in part.read_bytes().splitlines()]
    alone = answer_rows(policy.generate(PROMPTS, 2, SAMPLING))
    assert written == [dumps(row) for row in alone]


def test_answers_that_came_before_their_part_was_set_aside_are_counted_as_missing(
    policy: LocalPolicy, tmp_path: Path
) -> None:
    beats = iter([False, True])  # one answer, then the death; and each worker that takes the rest of them dies
    crew = policy_crew(policy, dies=lambda items: items[0].prompt.id == "q2" and (len(items) < 4 or next(beats)))
    several = SpreadPolicy(policy, crew, crew.held.told, tries=2)
    blocks_of(several, tmp_path)
    assert several.aside == [("q2", 0), ("q2", 1), ("q3", 0), ("q3", 1)]
    with pytest.raises(ModelError, match="4 answers are missing"):
        refuse_unwritten(several.aside)


def test_a_prompts_answers_stay_together_where_they_fit() -> None:
    assert cuts([], 3) == [0]
    assert cuts(["a"] * 7, 3) == [0, 3, 6, 7]
    assert cuts(["a", "a", "b", "b", "c", "c"], 3) == [0, 2, 4, 6]
