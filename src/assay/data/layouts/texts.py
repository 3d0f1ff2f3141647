"""Values of a row -> texts and messages, and the prompt two transcripts share. Knows chat shapes; knows no layout."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from math import isnan

import orjson

from assay.data.sources.row import WrittenNaN
from assay.records import Message, Part, RejectReason, Text

TURN = re.compile(r"(?:\A|\n\n)(Human|Assistant):")
ROLES = {
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bard", "bot", "model", "ai"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
}
OTHER_ROLES = ("tool", "ipython", "observation", "function")  # known by name, and rendered by no template here
REASONING = ("reasoning_content", "thinking")  # what a model thought before it answered, beside the text
CALLS = ("tool_calls", "function_call")  # what a message may say beside its text, and no template here renders
CHAT = re.compile(r"""\s*[\[{]\s*\{?\s*["'](?:role|content|from|value)["']\s*:""")
MOST_LITERAL = 1_000_000  # characters of a text that is read as a Python literal


class UnfitError(Exception):
    """A row that cannot become a pair; caught where the row's place is known."""

    def __init__(self, reason: RejectReason, detail: str, side: Part | None = None) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.side = reason, detail, side


class LostReasoningError(UnfitError):
    """A message whose reasoning would be lost: its row says less than the data do. key: where the reasoning stands."""

    def __init__(self, key: str, side: Part, name: str) -> None:
        super().__init__("not_text", f'"{name}" has a message with {key}, which would be lost', side)
        self.key = key


def as_text(value: object, side: Part, name: str) -> Text:
    """A text, or messages. Raises UnfitError: missing_field for nothing there, not_text for anything else."""
    if isinstance(value, str):
        text = value if type(value) is str else str(value)
        head = text[:16]  # most texts are told to be no chat by their head alone
        return chat_in(text, side, name) if ("[" in head or "{" in head) and CHAT.match(text) else text
    if value is None:
        raise UnfitError("missing_field", f'"{name}" is missing', side)
    if isinstance(value, float) and isnan(value):  # tables write a missing text as NaN
        raise UnfitError("missing_field", f'"{name}" is missing (NaN)', side)
    if isinstance(value, Mapping) and ("role" in value or {"from", "value"} <= value.keys()):
        return tuple(as_message(one, side, name) for one in one_by_one(value, side, name))
    if isinstance(value, Sequence) or hasattr(value, "tolist"):
        items = value.tolist() if hasattr(value, "tolist") else value
        if isinstance(items, Sequence) and not isinstance(items, str | bytes):
            return tuple(as_message(item, side, name) for item in items)
    raise UnfitError("not_text", f'"{name}" is {told(value)}, not text or chat messages', side)


def one_by_one(chat: Mapping[str, object], side: Part, name: str) -> list[Mapping[str, object]]:
    """The messages of an object: it is one, or it holds a list a field, as tables write a list of messages."""
    lists = {key: part for key, one in chat.items() if (part := plain_list(one)) is not None}
    roles = lists.get("role", lists.get("from"))
    if roles is None:
        return [chat]
    if any(len(part) != len(roles) for part in lists.values()):
        counts = ", ".join(f"{len(part)} {key}" for key, part in lists.items())
        raise UnfitError("not_text", f'"{name}" is an object of lists of different lengths ({counts})', side)
    return [{key: part[place] for key, part in lists.items()} for place in range(len(roles))]


def plain_list(value: object) -> Sequence[object] | None:
    """A list, also one that a table holds as an array; None for anything else."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else None


def chat_in(text: str, side: Part, name: str) -> Text:
    """Chat messages that a table had to write as text (JSON, or as Python prints them). Raises UnfitError: not_text.

    An object is a message only if it names a role that chats have: an answer may be JSON itself.
    """
    found = literal(text)
    if isinstance(found, dict):
        role = found.get("role", found.get("from"))
        first = role[0] if isinstance(role, list) and role else role
        said = isinstance(first, str) and (first.strip().casefold() in ROLES or first in OTHER_ROLES)
        return as_text(found, side, name) if said and ("content" in found or "value" in found) else text
    if not isinstance(found, list):
        if text.lstrip().startswith("{"):
            return text
        raise UnfitError("not_text", f'"{name}" starts as chat messages written out, but cannot be read as such', side)
    return tuple(as_message(item, side, name) for item in found)


def literal(text: str) -> list[object] | dict[str, object] | None:
    """The list or object a text spells, in JSON or as Python prints it; None if it spells neither."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        if len(text) > MOST_LITERAL:
            return None
        try:
            found = ast.literal_eval(text.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    return found if isinstance(found, list | dict) else None


def as_message(value: object, side: Part, name: str) -> Message:
    """One message, its role by the name that templates know. Raises UnfitError for what would be lost or is unknown."""
    if isinstance(value, Message):
        return (
            value
            if value.role in ROLES.values()
            else Message(role=known_role(value.role, side, name), content=value.content)
        )
    if not isinstance(value, Mapping):
        raise UnfitError("not_text", f'"{name}" is a list with {told(value)} in it, not chat messages', side)
    role, content = value.get("role", value.get("from")), value.get("content", value.get("value"))
    if isinstance(role, str) and role not in ROLES:
        role = known_role(role, side, name)
    if type(content) is not str and (parts := plain_list(content)) is not None:
        content = joined_parts(parts, side, name)
    if len(value) > 2:
        refuse_lost(value, side, name)
    if not isinstance(role, str) or not isinstance(content, str):
        raise UnfitError("not_text", f'"{name}" has a message without a role or a text content', side)
    return Message(role=ROLES[role], content=content)


def known_role(role: str, side: Part, name: str) -> str:
    """user, assistant or system, for one of their synonyms. Raises UnfitError that names any other role."""
    known = ROLES.get(role.strip().casefold())
    if known is None:
        raise UnfitError(
            "not_text", f'"{name}" has a message of role {role[:40]!r}; known: user, assistant, system', side
        )
    return known


def joined_parts(parts: Sequence[object], side: Part, name: str) -> str:
    """A content given in parts, where all are text. Raises UnfitError that names any other part, such as an image."""
    texts: list[str] = []
    for part in parts:
        text = part.get("text") if isinstance(part, Mapping) else None
        kind = part.get("type") if isinstance(part, Mapping) else None
        if not isinstance(text, str) or kind not in (None, "text"):
            what = f"a part of type {kind!r}" if isinstance(kind, str) else told(part)
            raise UnfitError("not_text", f'"{name}" has a message with parts other than text: {what}', side)
        texts.append(text)
    return "\n".join(texts)


def refuse_lost(message: Mapping[str, object], side: Part, name: str) -> None:
    """Raises UnfitError where a message says more than its text: calls of tools, or reasoning."""
    called = next((key for key in CALLS if filled(message.get(key))), None)
    if called is not None:
        raise UnfitError("not_text", f'"{name}" has a message with {called}, which would be lost as text', side)
    thought = next((key for key in REASONING if filled(message.get(key))), None)
    if thought is not None:
        raise LostReasoningError(thought, side, name)


def filled(value: object) -> bool:
    """Whether a value says something: no empty text, list or object, and not nothing."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return (
        not missing(value)
        and value is not False
        and value not in ([], {}, ())
        and not (isinstance(value, str) and value.isspace())
    )


def missing(value: object) -> bool:
    """Nothing there: null, an empty cell, or the NaN with which tables fill one."""
    if isinstance(value, float):
        return isnan(value) and type(value) is not WrittenNaN
    return value is None or (isinstance(value, str) and not value)


def told(value: object) -> str:
    """What a value is, in words for a message."""
    kinds = {bool: "a truth value", int: "a number", float: "a number", dict: "an object", list: "a list"}
    kind = kinds.get(type(value), f"a {type(value).__name__}")
    return f"{kind} ({value})" if type(value) in (bool, int, float) else kind


def as_list(value: object) -> Sequence[object]:
    """A list as it stands in a row; nothing there is an empty one. Raises TypeError for anything else."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise TypeError(f"{told(value)} where a list belongs")
    return value


def blank(text: Text) -> bool:
    """Whether there is nothing but white space."""
    if isinstance(text, str):
        return not text or text.isspace()
    return not any(message.content.strip() for message in text)


def turns(text: str) -> tuple[Message, ...] | None:
    """An HH transcript as messages, consecutive turns of one role joined; None if it is no such transcript."""
    parts = TURN.split(text)
    if len(parts) == 1:
        return None
    found = [Message(role="system", content=parts[0].strip())] if parts[0].strip() else []
    for role, content in zip(parts[1::2], parts[2::2], strict=True):
        said = Message(role="user" if role == "Human" else "assistant", content=content.strip())
        if found and found[-1].role == said.role:
            joined = "\n\n".join(part for part in (found.pop().content, said.content) if part)
            said = Message(role=said.role, content=joined)
        found.append(said)
    return tuple(found)


def shared_prompt(chosen: Text, rejected: Text) -> tuple[Text, Text, Text]:
    """(prompt, chosen answer, rejected answer) of two texts or conversations that start with the same prompt.

    Cut at a message, or in plain text at the last blank line (else line break) of what both share. Raises UnfitError
    context_mismatch where they share nothing.
    """
    if isinstance(chosen, str) != isinstance(rejected, str):
        raise UnfitError("context_mismatch", "one answer is a text and the other a conversation", "both")
    cut = text_boundary(chosen, rejected) if isinstance(chosen, str) else message_boundary(chosen, rejected)  # type: ignore[arg-type]
    if cut == 0:
        raise UnfitError("context_mismatch", "chosen and rejected share no common prompt", "both")
    prompt = chosen[:cut]
    return (prompt.rstrip() if isinstance(prompt, str) else prompt), chosen[cut:], rejected[cut:]


def message_boundary(chosen: Sequence[Message], rejected: Sequence[Message]) -> int:
    """How many first messages are the prompt: all that both share, but never a side's last one."""
    most = min(len(chosen), len(rejected)) - 1
    return next((n for n in range(max(most, 0)) if chosen[n] != rejected[n]), max(most, 0))


def text_boundary(chosen: str, rejected: str) -> int:
    """Where the prompt ends in two texts: after the last blank line, else line break, of their common beginning."""
    if chosen == rejected:
        shared = len(chosen.rstrip())
    else:
        low, high = 0, min(len(chosen), len(rejected))
        while low < high:  # the longest common beginning, by halving
            middle = (low + high + 1) // 2
            low, high = (middle, high) if chosen[:middle] == rejected[:middle] else (low, middle - 1)
        shared = low
    for mark in ("\n\n", "\n"):
        place = chosen.rfind(mark, 0, shared)
        if place >= 0 and chosen[:place].strip():
            return place + len(mark)
    return 0


def after_prompt(prompt: Text, answer: Text) -> Text:
    """The answer alone, of a conversation that repeats the prompt before it.

    Raises UnfitError context_mismatch where a conversation begins with another question.
    """
    if isinstance(answer, str) or len(answer) < 2:
        return answer
    before = (Message(role="user", content=prompt),) if isinstance(prompt, str) else prompt
    for start in range(len(answer) - 1):  # a system message of the template's own may stand in front
        if answer[start : start + len(before)] == before and all(m.role == "system" for m in answer[:start]):
            return answer[start + len(before) :]  # nothing, where the conversation ends with the prompt
    if answer[0].role == "user":
        raise UnfitError("context_mismatch", "the conversation does not begin with the prompt", "both")
    return answer
