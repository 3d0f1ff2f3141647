"""What every policy offers: one method that gives each prompt n answers, or says why one is missing, and how made.

`generated` is the one place where an empty text becomes a reason; `generate` is how policies are called, held against
what they promise. Knows prompts and answers; knows no kind of policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from assay.errors import ConfigError, InputError
from assay.records import Text
from assay.stats.unknown import Unknown

# stop: the model ended, or wrote a stop text; length: max_tokens cut it; filtered: a service withheld it.
Finish = Literal["stop", "length", "filtered", "error"]
EMPTY = Unknown("the answer is empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How answers are drawn. temperature 0: the likeliest token each time. seed None: drawn anew at every call.

    Raises ConfigError for what cannot be.
    """

    max_tokens: int = 256
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = 0
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise ConfigError(f"max_tokens is {self.max_tokens}; an answer has at least 1.")
        if not 0 <= self.temperature < float("inf"):
            raise ConfigError(f"temperature is {self.temperature}; give a number from 0.")
        if not 0 < self.top_p <= 1:
            raise ConfigError(f"top_p is {self.top_p}; give a number above 0 and at most 1.")
        if "" in self.stop:
            raise ConfigError("stop holds an empty text, which stops every answer at once. Leave it out.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What is asked, under its id. category: what kind of task it is; no policy reads it, and no answer hangs on it."""

    id: str
    text: Text
    category: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One answer, or why there is none; made by `generated`, or with an Unknown.

    finish: how it ended. tokens: how many were made, also where no answer came of them. seed: this answer's own.
    Each is None where it is not known.
    """

    text: str | Unknown
    finish: Finish | None = None
    tokens: int | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.text, str) and not self.text.strip():
            raise ValueError("an empty text is no answer: make it with generated()")
        if isinstance(self.text, Unknown) and not self.text.reason.strip():
            raise ValueError("no answer, and no reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What made answers: a policy, by name and fingerprint, its chat template, and how it was sampled.

    template: a name or hash of it; "none" where prompts are put to the policy as they stand. precision: that a model
    was run in here, "float32" or "bf16"; None where that is not known.
    """

    policy: str
    fingerprint: str
    template: str | Unknown
    sampling: Sampling | Unknown
    precision: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Generations:
    """The answers to one prompt, in the order in which they were drawn, and what made them."""

    prompt_id: str
    prompt: Text
    answers: tuple[Generation, ...]
    made: Made

    @property
    def texts(self) -> tuple[str, ...]:
        """The answers there are."""
        return tuple(answer.text for answer in self.answers if isinstance(answer.text, str))


@runtime_checkable
class Policy(Protocol):
    """Answers prompts. name: for people. fingerprint: changes whenever answers may change."""

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    def generate(self, prompts: Sequence[Prompt], n: int, sampling: Sampling) -> list[Generations]:
        """n answers to each prompt, in the order given.

        With a seed, the answers to a prompt do not depend on what else is asked. An answer that does not come is a
        Generation with its reason; errors are for what makes all answering impossible.
        """
        ...


def generated(
    text: str, *, finish: Finish | None = None, tokens: int | None = None, seed: int | None = None
) -> Generation:
    """The answer `text`, or, where nothing but blanks was written, a Generation that says so.

    >>> generated("Yes.").text
    'Yes.'
    >>> generated("", finish="stop", tokens=1).text
    Unknown(reason='the answer is empty')
    """
    return Generation(text=text if text.strip() else EMPTY, finish=finish, tokens=tokens, seed=seed)


def generate(policy: Policy, prompts: Sequence[Prompt], n: int, sampling: Sampling) -> list[Generations]:
    """What `policy` answers, held against what policies promise.

    Raises ConfigError for n under 1; InputError for an id that stands twice, and where other prompts or another number
    of answers come back than were asked for.
    """
    if n < 1:
        raise ConfigError(f"{n} answers to each prompt were asked for; ask for at least 1.")
    ids = [prompt.id for prompt in prompts]
    if len(set(ids)) < len(ids):
        twice = next(one for one in ids if ids.count(one) > 1)
        raise InputError(f"Two prompts have the id {twice!r}. Give each its own.")
    found = policy.generate(prompts, n, sampling)
    if [one.prompt_id for one in found] != ids:
        raise InputError(f"{policy.name} answered {len(found)} prompts, not the {len(ids)} asked, in their order.")
    for one in found:
        if len(one.answers) != n:
            raise InputError(f"{policy.name} gave {len(one.answers)} answers to {one.prompt_id!r}; {n} were asked for.")
    return found
