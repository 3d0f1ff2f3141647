"""What clients ask rewards of, whatever language they ask in: a prompt and an answer, a finished text, or token ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.records import Text

CHARACTERS_A_TOKEN = 3  # English has about four; a guess that is too many tokens holds a queue, one too few does not


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """A prompt and one answer, rendered by the served model. source: what a verifier is told beside the prompt."""

    prompt: Text
    answer: Text
    source: Mapping[str, object] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A whole row as text, rendered by the client with this model's template."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """A whole row as token ids, which are run as they are."""

    ids: tuple[int, ...]


Asked = Turns | Finished | Ids


def turns(prompt: Text, answer: Text, source: Mapping[str, object] | None = None) -> Turns:
    """Turns in their plainest form, so that one prompt is one prompt in whatever form clients send it."""
    return Turns(prompt=_plain(prompt, "user"), answer=_plain(answer, "assistant"), source=source or {})


def _plain(text: Text, role: str) -> Text:
    if isinstance(text, str) or len(text) != 1 or text[0].role != role:
        return text
    return text[0].content


def size_of(asked: Asked) -> int:
    """About how many tokens a row has, before it is rendered: what a queue is held by."""
    return len(asked.ids) if isinstance(asked, Ids) else characters_of(asked) // CHARACTERS_A_TOKEN + 1


def characters_of(asked: Asked) -> int:
    """Of the texts as they were sent; 0 for ids."""
    match asked:
        case Ids():
            return 0
        case Finished():
            return len(asked.text)
        case Turns():
            return _characters(asked.prompt) + _characters(asked.answer)


def messages_of(asked: Asked) -> int:
    """Of the conversations of a row; a text by itself is none."""
    if not isinstance(asked, Turns):
        return 0
    return sum(0 if isinstance(text, str) else len(text) for text in (asked.prompt, asked.answer))


def turns_of(asked: Asked) -> int:
    """Of a prompt and an answer; 1 for what is one text or one row of ids."""
    if not isinstance(asked, Turns):
        return 1
    return sum(1 if isinstance(text, str) else len(text) for text in (asked.prompt, asked.answer))


def _characters(text: Text) -> int:
    return len(text) if isinstance(text, str) else sum(len(message.content) for message in text)
