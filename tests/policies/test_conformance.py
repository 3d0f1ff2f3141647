"""Every kind of policy against every check, and policies with planted defects, which the checks must find."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from assay.artifacts.files import write_jsonl
from assay.errors import InputError
from assay.policies.answer_files import answer_rows
from assay.policies.open import KINDS
from assay.policies.protocol import Generation, Generations, Made, Prompt, Sampling, generated
from assay.policies.recorded_answers import RecordedPolicy
from assay.records import plain_text
from assay.stats.unknown import Unknown
from tests.policies.conformance import CHECKS, PROMPTS, SEEDED, Case


class Parrot:
    """A policy made of nothing: each answer is the prompt, its number and the seed; it says nothing to a shout."""

    def __init__(self, name: str = "parrot") -> None:
        self.name, self.fingerprint = name, f"{name}/1"

    def generate(self, prompts: Sequence[Prompt], n: int, sampling: Sampling) -> list[Generations]:
        made = Made(policy=self.name, fingerprint=self.fingerprint, template="none", sampling=sampling)
        return [
            Generations(
                prompt_id=prompt.id,
                prompt=prompt.text,
                answers=tuple(generated(self.say(prompt, k, sampling), finish="stop", tokens=4) for k in range(n)),
                made=made,
            )
            for prompt in prompts
        ]

    def say(self, prompt: Prompt, k: int, sampling: Sampling) -> str:
        text = plain_text(prompt.text)
        return "" if text.isupper() else f"{self.name} {k} {sampling.seed}: {text}"


LOUD = Prompt(id="loud", text="MAY I?")


def recorded(folder: Path) -> Case:
    """What a parrot said, in a file; it holds two answers a prompt, and a prompt that has none."""

    def written(name: str) -> Path:
        write_jsonl(folder / f"{name}.jsonl", answer_rows(Parrot(name).generate([*PROMPTS, LOUD], 2, SEEDED)))
        return folder / f"{name}.jsonl"

    one, other = written("one"), written("other")
    return Case(make=lambda: RecordedPolicy(one), other=lambda: RecordedPolicy(other), unanswerable=LOUD)


def foreign(folder: Path) -> Case:
    """A file that assay did not write: no ids, and nothing said of how it was made."""

    def written(name: str) -> Path:
        asked = PROMPTS[:2]
        rows = [{"instruction": prompt.text, "output": f"{name} {k}"} for prompt in asked for k in range(2)]
        write_jsonl(folder / f"{name}.jsonl", rows)
        return folder / f"{name}.jsonl"

    one, other = written("one"), written("other")
    return Case(
        make=lambda: RecordedPolicy(one),
        other=lambda: RecordedPolicy(other),
        prompts=PROMPTS[:3],
        unanswerable=LOUD,
    )


KINDS_HELD: Mapping[str, Callable[[Path], Case]] = {
    "one of a user's own": lambda _: Case(make=Parrot, other=lambda: Parrot("crow"), unanswerable=LOUD),
    "recorded": recorded,
    "recorded elsewhere": foreign,
}


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Case]:
    return {kind: make(tmp_path_factory.mktemp("case")) for kind, make in KINDS_HELD.items()}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("kind", KINDS_HELD)
def test_every_kind_keeps_the_protocol(kind: str, check: str, cases: Mapping[str, Case]) -> None:
    CHECKS[check](cases[kind])


def test_no_kind_is_left_out() -> None:
    assert set(KINDS) <= set(KINDS_HELD)


def defect(change: Callable[[list[Generations], Iterator[int]], list[Generations]]) -> Case:
    """A parrot whose results are changed before they are given. The numbers go on from call to call."""

    class Broken(Parrot):
        calls = count()

        def generate(self, prompts: Sequence[Prompt], n: int, sampling: Sampling) -> list[Generations]:
            return change(super().generate(prompts, n, sampling), Broken.calls)

    return Case(make=Broken, other=lambda: Broken("crow"), unanswerable=LOUD)


def every_text(found: list[Generations], text: Callable[[str], str | Unknown]) -> list[Generations]:
    return [
        replace(
            one,
            answers=tuple(
                Generation(text=text(answer.text) if isinstance(answer.text, str) else answer.text)
                for answer in one.answers
            ),
        )
        for one in found
    ]


DEFECTS: Mapping[str, Case] = {
    "one_result_a_prompt_in_the_order_given": defect(lambda found, _: sorted(found, key=lambda one: one.prompt_id)),
    "n_answers_each": defect(lambda found, _: [replace(one, answers=one.answers[:1]) for one in found]),
    "nothing_asked_nothing_given": defect(lambda found, _: found or Parrot().generate(PROMPTS[:1], 1, SEEDED)),
    "same_seed_same_answers": defect(lambda found, calls: every_text(found, lambda text: f"{text} {next(calls)}")),
    "order_and_size_of_the_batch_change_nothing": defect(
        lambda found, _: every_text(found, lambda text: f"{text} {len(found)}")
    ),
    "it_answers": defect(lambda found, _: every_text(found, lambda _: Unknown("not today"))),
    "a_prompt_without_an_answer_costs_nothing_else": defect(
        lambda found, _: (
            every_text(found, lambda _: Unknown("one failed")) if any(not one.texts for one in found) else found
        )
    ),
    "it_says_what_made_the_answers": defect(
        lambda found, _: [replace(one, made=replace(one.made, policy="")) for one in found]
    ),
    "the_fingerprint_tells_policies_apart": Case(make=Parrot, other=Parrot),
    "the_name_is_for_people": Case(make=lambda: Parrot("<Parrot object at 0x7f>"), other=Parrot),
    "it_is_a_policy_and_keeps_its_promises": defect(lambda found, _: found[1:]),
}


@pytest.mark.parametrize("check", DEFECTS)
def test_a_defect_is_found(check: str) -> None:
    with pytest.raises((AssertionError, InputError)):
        CHECKS[check](DEFECTS[check])
