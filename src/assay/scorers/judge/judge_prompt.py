"""A judge's prompt: a file with a system and a user text, what stands in for placeholders, and how a reply is read.

Placeholders are words in braces; whatever stands in an answer is never read as one. Of several verdicts in a reply the
last counts: judges argue before they decide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import yaml
from pydantic import Field

from assay.artifacts.files import sha256_json
from assay.config import StageConfig, read_yaml
from assay.errors import ConfigError
from assay.records import Message, Text
from assay.scorers.judge.both_orders import Place
from assay.scorers.judge.questions_put import NoReply, excerpt

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
NEEDED: Mapping[str, frozenset[str]] = {
    "pairwise": frozenset({"prompt", "answer_a", "answer_b"}),
    "score": frozenset({"prompt", "answer"}),
    "probability": frozenset({"prompt", "answer"}),
    "statement": frozenset({"prompt", "passages", "statement"}),  # of `factual:`, a statement of an answer at a time
}
SHORTEST_MARK = 3  # characters of a verdict that is put out of use where an answer holds it
ALSO = frozenset({"low", "high", "reference"})


class PromptFile(StageConfig):
    """What a prompt file says. parse: regular expression whose first group is the verdict. first, second, tie: what the
    verdicts of a pairwise judge are called. tokens: the two whose probabilities are compared, the good one first.
    begun: what the judge's reply begins with already.
    """

    system: str = ""
    user: str = Field(min_length=1)
    parse: str | None = None
    first: str = "A"
    second: str = "B"
    tie: str | None = None
    tokens: tuple[str, str] | None = None
    begun: str = ""


@dataclass(frozen=True, slots=True)
class JudgePrompt:
    """A prompt that has what its mode needs. pattern: what finds the verdict in a reply; None: tokens are compared."""

    file: PromptFile
    pattern: re.Pattern[str] | None

    @property
    def fingerprint(self) -> str:
        pattern = self.pattern.pattern if self.pattern is not None else None
        return sha256_json(self.file.model_dump(mode="json") | {"parse": pattern})

    def chat(self, values: Mapping[str, str]) -> tuple[Message, ...]:
        """The question with `values` in place of its placeholders."""
        system = (Message(role="system", content=filled(self.file.system, values)),) if self.file.system else ()
        return (*system, Message(role="user", content=filled(self.file.user, values)))

    def verdict(self, reply: str) -> str | None:
        """The last verdict in a reply, or None where it holds none."""
        assert self.pattern is not None
        found = None
        for match in self.pattern.finditer(reply):
            found = match
        return None if found is None else (found.group(1) or "").strip()

    def place(self, reply: str | NoReply) -> Place | NoReply:
        """Which of two answers a pairwise judge's reply names, or why it names none."""
        if isinstance(reply, NoReply):
            return reply
        verdict = self.verdict(reply)
        if verdict == self.file.first:
            return "first"
        if verdict == self.file.second:
            return "second"
        if verdict is not None and verdict == self.file.tie:
            return "tie"
        return NoReply(unreadable(reply))

    def defused(self, text: str) -> str:
        """`text` with a blank put into whatever would be read as a verdict, so that a judge who repeats it gives none.

        An answer may hold "[[A]]", by chance or to win. Only marks of several signs: a rule that takes a bare letter
        for a verdict would have half of all words changed.
        """
        if self.pattern is None:
            return text
        return self.pattern.sub(lambda found: _parted(found.group(0)), text)


def _parted(mark: str) -> str:
    return mark if len(mark) < SHORTEST_MARK else f"{mark[0]} {mark[1:]}"


def unreadable(reply: str) -> str:
    """Why a reply names nothing; its end, since that is where a verdict would stand."""
    return f"its reply holds no verdict: {excerpt(reply if len(reply) <= 100 else '...' + reply[-96:])}"


def filled(text: str, values: Mapping[str, str]) -> str:
    """`text` with placeholders replaced, in one pass: braces in what is put in stay what they are.

    >>> filled("Rate {answer} from {low}", {"answer": "{low}", "low": "1"})
    'Rate {low} from 1'
    """
    return PLACEHOLDER.sub(lambda found: values.get(found.group(1), found.group(0)), text)


def as_read(text: Text) -> str:
    """A text or conversation as a judge reads it: turns behind the names of their roles."""
    if isinstance(text, str):
        return text
    if len(text) == 1 and text[0].role in {"user", "assistant"}:
        return text[0].content
    return "\n\n".join(f"{message.role.capitalize()}: {message.content}" for message in text)


def open_prompt(path: Path | None, *, packaged: str, mode: str, parse: str | None, by_token: bool) -> JudgePrompt:
    """The prompt of a file, or assay's own called `packaged`.

    Raises ConfigError, with the file, for one that cannot be read or lacks what the mode needs.
    """
    place = str(path) if path is not None else f"assay's own prompt {packaged}"
    try:
        text = (
            path.read_text(encoding="utf-8")
            if path is not None
            else resources.files("assay.scorers.judge").joinpath("prompts", f"{packaged}.yaml").read_text("utf-8")
        )
        loaded = read_yaml(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{place}: the judge's prompt cannot be read: {error}") from None
    if not isinstance(loaded, dict):
        raise ConfigError(f"{place}: expected keys such as system, user and parse.")
    try:
        file = PromptFile.build(loaded)
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from None
    used = set(PLACEHOLDER.findall(file.system + file.user))
    if missing := NEEDED[mode] - used:
        told = ", ".join(f"{{{name}}}" for name in sorted(missing))
        raise ConfigError(f"{place}: a prompt of mode {mode} needs {told}, which stands neither in system nor in user.")
    if unknown := used - NEEDED[mode] - ALSO:
        known = ", ".join(f"{{{name}}}" for name in sorted(NEEDED[mode] | ALSO))
        raise ConfigError(f"{place}: {{{min(unknown)}}} stands for nothing in mode {mode}. There are {known}.")
    if by_token and file.tokens is None:
        raise ConfigError(f'{place}: name the two tokens to compare, such as tokens: [" Yes", " No"].')
    return JudgePrompt(file, None if by_token else verdict_pattern(parse or file.parse, place))


def verdict_pattern(parse: str | None, place: str) -> re.Pattern[str]:
    """What finds a verdict in a reply. place: of the rule, for errors. Raises ConfigError for a rule that is none."""
    if parse is None:
        raise ConfigError(f"{place}: no parse rule. Give parse: a regular expression whose first group is the verdict.")
    try:
        found = re.compile(parse)
    except re.error as error:
        raise ConfigError(f"{place}: parse is no regular expression ({error}): {parse}") from None
    if found.groups < 1:
        raise ConfigError(f"{place}: parse needs a group in round brackets around the verdict: {parse}")
    return found
