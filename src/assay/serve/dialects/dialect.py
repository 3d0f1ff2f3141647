"""What a dialect is: bodies at a path -> rows that are asked for; rewards -> the body that its clients read.

A dialect is a file beside this one and a line in `all_dialects`. Rewards are raw unless a request asks for an
activation in so many words. What would change a reward without a word (a row cut to a length, another template) is
refused. Knows JSON; knows no HTTP and no model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, FailFast, Field, StrictInt, StrictStr, ValidationError

from assay.records import Message, Text
from assay.scorers.protocol import Reward, Scored, Unscored
from assay.serve.asked import Asked, Finished, Ids, Turns, turns
from assay.serve.refusal import NOT_RUN, RefusedError

Json = Mapping[str, object]
B = TypeVar("B", bound=BaseModel)
T = TypeVar("T")


class AtTheFirst(FailFast):
    """A list is refused at its first wrong item: a reason for each of a million took 2 GB, and held up everybody."""

    __hash__ = object.__hash__  # unions ask for one


Many = Annotated[list[T], AtTheFirst()]


class RequestBody(BaseModel):
    """Base of the bodies clients send: strict in what is read; keys that change no reward are left aside."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class TextPart(RequestBody):
    """A part of a message's content; only text is scored."""

    type: Literal["text"]
    text: str


class MessageBody(RequestBody):
    """One turn. What a reward would not see (tool calls, reasoning) is refused rather than left out, as of a file."""

    role: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    content: str | Many[TextPart]
    tool_calls: None = None
    function_call: None = None
    reasoning_content: Literal[""] | None = None
    thinking: Literal[""] | None = None

    def message(self) -> Message:
        # Parts are joined as `assay score` and vLLM join them.
        content = self.content if isinstance(self.content, str) else "\n".join(part.text for part in self.content)
        return Message(role=self.role, content=content)


TextBody = str | Many[MessageBody]
Inputs = StrictStr | Many[StrictInt] | Many[StrictStr] | Many[Many[StrictInt]]  # as the OpenAI form has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What a request asks. model: the one it names. activated: it asks for a sigmoid.

    whole: its answer has no place for a row without a reward, so that one such row refuses all. groups: name and number
    of rows of each group, where the client sent groups. memo: what else the answer depends on.
    """

    asked: tuple[Asked, ...]
    model: str | None = None
    activated: bool = False
    whole: bool = True
    groups: Sequence[tuple[str | None, int]] | None = None
    memo: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """What an answer is made of. id: of this request. uncertainty: of each row, where the scorer has one."""

    parsed: Parsed
    results: Sequence[Scored]
    tokens: int
    model: str
    fingerprint: str
    id: str
    seconds: float = 0.0
    uncertainty: Sequence[float | None] = field(default=())

    @property
    def outputs(self) -> list[float]:
        """One number a row, of answers without a place for reasons."""
        values = [one.value for one in self.results if isinstance(one, Reward)]
        assert len(values) == len(self.results), "a whole request has a reward for each row"
        return [sigmoid(value) for value in values] if self.parsed.activated else values


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One language at its paths. takes: whether a body is in it, of those at a path that several share.

    shape: what it takes, in words, for whoever sent something else. count: its rows, as far as they can be counted
    without a look at each. error: the body of a refusal, by status and words.
    """

    name: str
    paths: Sequence[str]
    shape: str
    takes: Callable[[Json], bool]
    count: Callable[[Json], int]
    parse: Callable[[Json], Parsed]
    answer: Callable[[Answering], object]
    error: Callable[[int, str], Json]


def validated(form: type[B], body: Json) -> B:
    """The body as `form`. Raises RefusedError (400) that says where and what is wanted, and repeats nothing of it."""
    try:
        return form.model_validate(body)
    except ValidationError as error:
        issue = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in issue["loc"] if isinstance(part, int) or str(part).isidentifier())
        raise RefusedError(400, f"{place or 'the body'}: {issue['msg']}") from None


def listed(*keys: str) -> Callable[[Json], int]:
    """How many rows stand in a list under one of these keys; a text, and a list of numbers, is one row.

    >>> count = listed("input")
    >>> count({"input": ["a", "b"]}), count({"input": [3, 1, 2]}), count({"messages": []})
    (2, 1, 0)
    """

    def count(body: Json) -> int:
        return max(map(many, (body[key] for key in keys if key in body)), default=0)

    def many(given: object) -> int:
        rows = isinstance(given, list) and not (given and isinstance(given[0], int))
        return len(given) if rows and isinstance(given, list) else 1

    return count


def conversation(messages: Sequence[MessageBody], *, place: str = "messages") -> Turns:
    """A prompt and the answer that ends it. Raises RefusedError where the last turn is not an assistant's."""
    told = [one.message() for one in messages]
    if len(told) < 2 or told[-1].role != "assistant":
        raise RefusedError(
            400, f"{place}: a reward is of an answer, so the last of two or more turns has to be the assistant's"
        )
    return turns(tuple(told[:-1]), told[-1].content)


def text_of_body(body: TextBody) -> Text:
    return body if isinstance(body, str) else tuple(one.message() for one in body)


def rows_of(given: str | list[int] | list[str] | list[list[int]]) -> tuple[Asked, ...]:
    """Rows of the OpenAI form: a text, a row of ids, or several of one of them."""
    if isinstance(given, str):
        return (Finished(text=given),)
    if given and isinstance(given[0], int):
        return (Ids(ids=tuple(one for one in given if isinstance(one, int))),)
    return tuple(Finished(text=one) if isinstance(one, str) else Ids(ids=_ids(one)) for one in given)


def _ids(row: object) -> tuple[int, ...]:
    assert isinstance(row, list)
    return tuple(row)


def refused_rows(results: Sequence[Scored]) -> str:
    """Which rows have no reward and why, the first three of them, for answers that have no place for it."""
    unscored = ((place, one) for place, one in enumerate(results) if isinstance(one, Unscored))
    reasons = [(place, one.reason) for place, one in unscored if one.reason != NOT_RUN]
    told = "; ".join(f"row {place}: {reason}" for place, reason in reasons[:3])
    more = f"; and {len(reasons) - 3} more" if len(reasons) > 3 else ""
    return f"{len(reasons)} of {len(results)} rows have no reward: {told}{more}"


def sigmoid(value: float) -> float:
    """1 / (1 + exp(-value)), without an overflow for either sign.

    >>> sigmoid(0.0), sigmoid(-800.0), sigmoid(800.0)
    (0.5, 0.0, 1.0)
    """
    if value >= 0:
        return 1 / (1 + math.exp(-value))
    small = math.exp(value)
    return small / (1 + small)


def openai_error(status: int, told: str) -> Json:
    """A refusal as servers of the OpenAI kind tell it."""
    kind = {400: "BadRequestError", 401: "AuthenticationError", 404: "NotFoundError", 429: "RateLimitError"}
    said = {"message": told, "type": kind.get(status, "InternalServerError" if status >= 500 else "BadRequestError")}
    return {"error": {**said, "param": None, "code": status}}
