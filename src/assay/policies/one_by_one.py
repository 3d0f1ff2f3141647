"""Policies that give each answer as soon as it is finished, and each answer's own seed.

What is asked is one answer: a prompt and the answer's number. So a run that was killed asks for what is missing and for
nothing else. Knows prompts and seeds; knows no kind of policy.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from assay.artifacts.files import dumps
from assay.policies.protocol import Generation, Generations, Made, Prompt, Sampling
from assay.records import to_json


@dataclass(frozen=True, slots=True)
class Asked:
    """The `number`-th answer, from 0, to a prompt."""

    prompt: Prompt
    number: int


@runtime_checkable
class OneByOne(Protocol):
    """A Policy that can be asked for single answers."""

    def answers(self, asked: Sequence[Asked], sampling: Sampling) -> Iterator[tuple[int, Generation]]:
        """Each answer by its place in `asked`, as soon as it is finished, in any order; each place once."""
        ...

    def made(self, sampling: Sampling) -> Made:
        """What will have made its answers."""
        ...


def gathered(policy: OneByOne, prompts: Sequence[Prompt], n: int, sampling: Sampling) -> list[Generations]:
    """`Policy.generate` of a policy that answers one by one."""
    asked = [Asked(prompt, number) for prompt in prompts for number in range(n)]
    found = dict(policy.answers(asked, sampling))
    made = policy.made(sampling)
    return [
        Generations(
            prompt_id=prompt.id,
            prompt=prompt.text,
            answers=tuple(found[place * n + number] for number in range(n)),
            made=made,
        )
        for place, prompt in enumerate(prompts)
    ]


def answer_seed(seed: int, asked: Asked) -> int:
    """An answer's own seed, below 2**31: of the run's seed, the prompt, its id and the answer's number alone.

    The id as well as the text, so that a prompt that stands twice is answered twice.
    """
    said = dumps([seed, asked.prompt.id, to_json(asked.prompt.text), asked.number])
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "big") >> 33  # servers take 31 bits


def with_a_seed(sampling: Sampling) -> Sampling:
    """`sampling`, or one with a seed that nobody chose where it has none."""
    return sampling if sampling.seed is not None else replace(sampling, seed=secrets.randbits(31))
