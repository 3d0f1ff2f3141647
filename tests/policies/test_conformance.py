"""Every kind of policy against every check, and policies with planted defects, which the checks must find."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from assay.artifacts.files import write_jsonl
from assay.endpoints.calls import CallLimits
from assay.errors import InputError
from assay.policies.answer_files import answer_rows
from assay.policies.endpoint_policy import EndpointPolicy
from assay.policies.local_policy import LocalPolicy
from assay.policies.open import KINDS
from assay.policies.protocol import Generation, Generations, Made, Prompt, Sampling, generated
from assay.policies.recorded_answers import RecordedPolicy
from assay.policies.support_desk import support_desk
from assay.records import plain_text
from assay.simulate.support.fresh_prompts import fresh_prompts
from assay.stats.unknown import Unknown
from tests.policies.conformance import CHECKS, PROMPTS, SEEDED, Case
from tests.scorers.judge.chat_server import Raw, serving


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


def local(folder: Path) -> Case:
    """A tiny model; one prompt is longer than what it reads."""
    from tests.support import language_models  # not above: torch is not imported with this module, which a check asks

    one, other = (language_models.saved(folder / name, seed=seed) for seed, name in enumerate(("one", "other")))
    return Case(
        make=lambda: LocalPolicy(one),
        other=lambda: LocalPolicy(other),
        unanswerable=Prompt(id="long", text="How do I get a refund? " * 40),
    )


def adapter(folder: Path) -> Case:
    """The same with an adapter, and as another policy with another adapter on the same base."""
    from tests.support import language_models

    base = language_models.saved(folder)
    one, other = (language_models.adapter(folder / f"adapter-{seed}", base, seed=seed) for seed in range(2))
    return Case(
        make=lambda: LocalPolicy(one),
        other=lambda: LocalPolicy(base, adapter=other),
        unanswerable=Prompt(id="long", text="How do I get a refund? " * 40),
    )


def simulated(_: Path) -> Case:
    """The desk's agents, who know the desk's prompts only."""
    prompts = [Prompt(id=one.id, text=one.prompt) for one in fresh_prompts(4)]
    return Case(
        make=lambda: support_desk("wordy,plain"),
        other=lambda: support_desk("wordy,plain,courtesy=1"),
        prompts=[*prompts, replace(prompts[0], id="same")],
        unanswerable=LOUD,
    )


@contextmanager
def endpoint() -> Iterator[Case]:
    """A server whose model says its name, the seed and the prompt, and fails at a shout."""

    def replies(body: dict[str, Any]) -> object:
        text = str(body["messages"][-1]["content"])
        return Raw(500) if text.isupper() else f"{body['model']} {body['seed']}: {text}"

    with serving(replies) as server:
        limits = CallLimits(retries=0)
        yield Case(
            make=lambda: EndpointPolicy("parrot", server.address, limits=limits),
            other=lambda: EndpointPolicy("crow", server.address, limits=limits),
            unanswerable=LOUD,
        )


KINDS_HELD: Mapping[str, Callable[[Path], Case]] = {
    "one of a user's own": lambda _: Case(make=Parrot, other=lambda: Parrot("crow"), unanswerable=LOUD),
    "recorded": recorded,
    "recorded elsewhere": foreign,
    "local": local,
    "adapter": adapter,
    "support": simulated,
}


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Case]]:
    made = {kind: make(tmp_path_factory.mktemp("case")) for kind, make in KINDS_HELD.items()}
    with endpoint() as served:
        yield made | {"endpoint": served}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("kind", [*KINDS_HELD, "endpoint"])
def test_every_kind_keeps_the_protocol(kind: str, check: str, cases: Mapping[str, Case]) -> None:
    CHECKS[check](cases[kind])


def test_no_kind_is_left_out() -> None:
    assert set(KINDS) <= {*KINDS_HELD, "endpoint"}


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
