"""What every kind of policy is held against. A new kind adds a Case to test_conformance.py and passes all CHECKS."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest

from assay.policies.protocol import Generations, Policy, Prompt, Sampling, generate
from assay.records import Message
from assay.stats.unknown import Unknown

CHAT = (Message(role="system", content="Be brief."), Message(role="user", content="May I?"))
PROMPTS = (
    Prompt(id="one", text="How do I get a refund?"),
    Prompt(id="two", text="Say a word."),
    Prompt(id="same", text="Say a word."),
    Prompt(id="chat", text=CHAT),
)
SEEDED = Sampling(max_tokens=16, seed=3)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One kind of policy, made anew at each call.

    other: one that answers otherwise. prompts: what it can answer. unanswerable: a prompt to which no answer comes.
    imports_torch: whether importing the kind may.
    """

    make: Callable[[], Policy]
    other: Callable[[], Policy]
    prompts: Sequence[Prompt] = PROMPTS
    unanswerable: Prompt | None = None
    imports_torch: bool = False

    @property
    def asked(self) -> tuple[Prompt, ...]:
        """All prompts, those without an answer too."""
        return (*self.prompts, *([self.unanswerable] if self.unanswerable else []))


def one_result_a_prompt_in_the_order_given(case: Case) -> None:
    found = case.make().generate(case.asked, 2, SEEDED)
    assert [(one.prompt_id, one.prompt) for one in found] == [(prompt.id, prompt.text) for prompt in case.asked]


def n_answers_each(case: Case) -> None:
    for n in (1, 2, 5):
        assert {len(one.answers) for one in case.make().generate(case.asked, n, SEEDED)} == {n}


def nothing_asked_nothing_given(case: Case) -> None:
    assert case.make().generate([], 2, SEEDED) == []


def same_seed_same_answers(case: Case) -> None:
    policy = case.make()
    first = policy.generate(case.asked, 3, SEEDED)
    assert policy.generate(case.asked, 3, SEEDED) == first
    assert case.make().generate(case.asked, 3, SEEDED) == first


def order_and_size_of_the_batch_change_nothing(case: Case) -> None:
    policy = case.make()
    together = policy.generate(case.asked, 2, SEEDED)
    assert policy.generate(case.asked[::-1], 2, SEEDED)[::-1] == together
    assert [policy.generate([prompt], 2, SEEDED)[0] for prompt in case.asked] == together


def it_answers(case: Case) -> None:
    assert all(one.texts for one in case.make().generate(case.prompts, 2, SEEDED))


def answers_are_texts_or_reasons(case: Case) -> None:
    for one in case.make().generate(case.asked, 5, SEEDED):
        for answer in one.answers:
            said = answer.text.reason if isinstance(answer.text, Unknown) else answer.text
            assert said.strip()


def a_prompt_without_an_answer_costs_nothing_else(case: Case) -> None:
    if case.unanswerable is None:
        pytest.skip("answers every prompt")
    first, *rest = case.make().generate([case.unanswerable, *case.prompts], 2, SEEDED)
    assert all(isinstance(answer.text, Unknown) for answer in first.answers)
    assert rest == case.make().generate(case.prompts, 2, SEEDED)


def it_says_what_made_the_answers(case: Case) -> None:
    for one in case.make().generate(case.prompts, 2, SEEDED):
        assert one.made.policy.strip()
        assert one.made.fingerprint.strip()
        for told in (one.made.template, one.made.sampling):
            assert not isinstance(told, Unknown) or told.reason.strip()


def the_fingerprint_tells_policies_apart(case: Case) -> None:
    policy, other = case.make(), case.other()
    before = policy.fingerprint
    policy.generate(case.prompts, 1, SEEDED)
    assert policy.fingerprint == before == case.make().fingerprint != other.fingerprint
    assert texts(policy.generate(case.prompts, 2, SEEDED)) != texts(other.generate(case.prompts, 2, SEEDED))


def the_name_is_for_people(case: Case) -> None:
    name = case.make().name
    assert name.strip() == name != ""
    assert "\n" not in name
    assert "object at 0x" not in name


def it_is_a_policy_and_keeps_its_promises(case: Case) -> None:
    policy = case.make()
    assert isinstance(policy, Policy)
    assert generate(policy, case.asked, 2, SEEDED) == policy.generate(case.asked, 2, SEEDED)


def importing_it_imports_no_torch(case: Case) -> None:
    if case.imports_torch:
        pytest.skip("runs a model")
    module = type(case.make()).__module__
    code = f"import sys, {module}; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def texts(found: Sequence[Generations]) -> list[tuple[str, ...]]:
    return [one.texts for one in found]


CHECKS: Mapping[str, Callable[[Case], None]] = {
    check.__name__: check
    for check in (
        one_result_a_prompt_in_the_order_given,
        n_answers_each,
        nothing_asked_nothing_given,
        same_seed_same_answers,
        order_and_size_of_the_batch_change_nothing,
        it_answers,
        answers_are_texts_or_reasons,
        a_prompt_without_an_answer_costs_nothing_else,
        it_says_what_made_the_answers,
        the_fingerprint_tells_policies_apart,
        the_name_is_for_people,
        it_is_a_policy_and_keeps_its_promises,
        importing_it_imports_no_torch,
    )
}
