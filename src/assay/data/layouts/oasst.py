"""OpenAssistant's message trees -> Candidates: each message with several ranked replies, under the turns before it.

1) A tree stands in one row (`replies` inside `replies`), or is gathered from the rows of its messages (`parent_id`).
2) Each prompter's message with two or more replies that were not deleted becomes a row of candidates: the turns from
   the root on are the prompt, ranks as stated, 0 the best; a reply without a rank is one of which nothing is known.
3) All rows of a tree are one group, since they share their first turns: a split never parts them.
A message with one reply holds no comparison and is no row; a tree without any comparison is a reject.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from assay.data.layouts.candidate_rows import listed
from assay.data.layouts.columns import Names
from assay.data.layouts.gathered_rows import GATHERED, Gather
from assay.data.layouts.texts import UnfitError, told
from assay.data.sources.row import Row
from assay.records import Reject, Where

ASKS = "prompter"
MESSAGE = ("message_id", "parent_id", "text", "role", "rank")
KEPT = (*MESSAGE, "lang", "deleted")
# In which columns the rows made here hold what they say: those of the source that it stems from, so that the account of
# columns tells what each was read as.
INSIDE: Names = {
    "prompt": "prompt.text", "answers": "prompt.replies", "ranks": "prompt.rank", "id": "prompt.message_id",
    "category": "prompt.lang", "group": "message_tree_id",
}  # fmt: skip
PLAIN: Names = {
    "prompt": "text", "answers": "replies", "ranks": "rank", "id": "message_id", "category": "lang",
    "group": "message_tree_id",
}  # fmt: skip
MESSAGES: Names = {**PLAIN, "prompt": "parent_id", "prompt role": "role", "answers": "text"}


@dataclass(slots=True)
class Message:
    """A message and the replies to it. data: what is stated of it."""

    data: Mapping[str, object]
    replies: list[Message] = field(default_factory=list)

    @property
    def turn(self) -> dict[str, object]:
        role = self.data.get("role")
        return {"role": "user" if role == ASKS else role, "content": self.data.get("text")}


class Branch(NamedTuple):
    """A message on its way to be read, and the turns before it."""

    turns: list[dict[str, object]]
    message: Message


def oasst_tree_columns(rows: Sequence[Row], seen: Sequence[str], _: Mapping[str, str]) -> Names | None:
    if any(is_tree(row.data.get("prompt")) for row in rows):
        return dict(INSIDE)
    return dict(PLAIN) if {"text", "role", "replies"} <= set(seen) else None


def is_tree(value: object) -> bool:
    return isinstance(value, Mapping) and {"text", "role", "replies"} <= value.keys()


def oasst_message_columns(_: Sequence[Row], seen: Sequence[str], __: Mapping[str, str]) -> Names | None:
    return dict(MESSAGES) if {*MESSAGE, "message_tree_id"} <= set(seen) else None


def oasst_tree(row: Row) -> Iterator[Row | Reject]:
    """The rows of candidates that a tree holds."""
    inside = isinstance(row.data.get("prompt"), Mapping)
    root = row.data["prompt"] if inside else row.data
    if not isinstance(root, Mapping) or not is_tree(root):
        yield refused(UnfitError("missing_field", "the tree's first message has no text, role and replies"), row)
        return
    tree = str(row.data.get("message_tree_id") or root.get("message_id"))
    try:
        top = with_replies(root)
    except UnfitError as error:
        yield refused(error, row)
        return
    found: list[Row | Reject] = [*compared([top], tree, INSIDE if inside else PLAIN, row.where)]
    yield from found or [nothing_compared(tree, row)]


def with_replies(data: Mapping[str, object]) -> Message:
    """A message and all below it. Raises UnfitError for replies that are no list of messages."""
    top = Message(data)
    open_ = [top]
    while open_:
        message = open_.pop()
        for reply in listed(message.data.get("replies")) or ():
            if not isinstance(reply, Mapping):
                raise UnfitError("not_text", f"a reply is {told(reply)}, not a message")
            message.replies.append(Message(reply))
        open_ += message.replies
    return top


def taken(data: Mapping[str, object]) -> tuple[bytes, bytes, object]:
    """The tree a message belongs to, and what its row says."""
    return str(data["message_tree_id"]).encode(), b"", {name: data.get(name) for name in KEPT}


OASST_MESSAGES = Gather(take=taken)


def oasst_messages(row: Row) -> Iterator[Row | Reject]:
    """The rows of candidates of a tree whose messages were gathered; a reject for each message without its parent."""
    gathered = row.data.get(GATHERED)
    said = gathered if isinstance(gathered, tuple) else ()  # a row without a tree's name was gathered with no other
    messages = [Message(one) for one in said if isinstance(one, Mapping)]
    by_id = {message.data.get("message_id"): message for message in messages}
    roots: list[Message] = []
    count = 0
    for message in messages:
        parent = message.data.get("parent_id")
        if parent is None or parent == "":
            roots.append(message)
        elif parent in by_id:
            by_id[parent].replies.append(message)
        else:
            count += 1
            why = f"message {message.data.get('message_id')} answers {parent}, which is not in the file"
            yield refused(UnfitError("missing_field", why), Row(message.data, row.where))
    tree = str(row.data.get("message_tree_id"))
    for found in compared(roots, tree, MESSAGES, row.where):
        count += 1
        yield found
    if not count:
        yield nothing_compared(tree, row)


def compared(roots: Sequence[Message], tree: str, names: Names, where: Where) -> Iterator[Row]:
    """A row for each prompter's message with two or more replies, in the order of the tree."""
    open_ = [Branch([], root) for root in reversed(roots)]
    while open_:
        before, message = open_.pop()
        turns = [*before, message.turn]
        replies = [reply for reply in message.replies if reply.data.get("deleted") is not True]
        open_ += [Branch(turns, reply) for reply in reversed(replies)]
        if message.data.get("role") == ASKS and len(replies) > 1:
            values = {
                "prompt": turns,
                "answers": [reply.data.get("text") for reply in replies],
                "ranks": [reply.data.get("rank") for reply in replies],
                "id": message.data.get("message_id"),
                "category": message.data.get("lang"),
                "group": tree,
            }
            yield Row(placed(names, values), where)


def placed(names: Names, values: Mapping[str, object]) -> dict[str, object]:
    """Values under the columns that hold them; a name with a dot leads into an object."""
    found: dict[str, object] = {}
    for role, value in values.items():
        column, _, key = names[role].partition(".")
        if not key:
            found[column] = value
        else:
            inner = found.setdefault(column, {})
            assert isinstance(inner, dict)
            inner[key] = value
    return found


def nothing_compared(tree: str, row: Row) -> Reject:
    return refused(UnfitError("missing_field", f"no message of tree {tree} has two replies to compare"), row)


def refused(error: UnfitError, row: Row) -> Reject:
    said = {name: value for name, value in row.data.items() if name != GATHERED}
    return Reject(where=row.where, reason=error.reason, detail=str(error), side=error.side, row=said)
